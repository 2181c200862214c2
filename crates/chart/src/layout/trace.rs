//! A series as lines and areas in pixels.

use crate::rows::{Node, Survey, over, runs, stack};
use crate::theme::Colors;
use crate::value::ValueAxis;
use crate::{Color, Dash, Join, Panel, Style};

use super::{Gap, Rect, y};

/// A series in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Its line; a run without gaps is one stroke.
    pub strokes: Vec<Stroke>,
    /// The line's colour.
    pub ink: Color,
    /// Its width in pixels.
    pub width: f64,
    /// Its pattern.
    pub dash: Dash,
    /// The area's colour; `None` for a line.
    pub fill: Option<Color>,
    /// How much that hides; `None`: the theme's.
    pub opacity: Option<f64>,
    /// Whether any row has a band.
    pub band: bool,
}

/// An unbroken part of a series: positions in pixels, left to right.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stroke {
    /// The line.
    pub line: Vec<(f64, f64)>,
    /// The foot of the area, at the same positions.
    pub base: Vec<f64>,
    /// The upper edge of the band between the lowest and the highest values.
    pub high: Vec<(f64, f64)>,
    /// The lower edge of the band, at the same positions.
    pub low: Vec<f64>,
    /// One node a pixel column or more: the band goes in steps, a column each,
    /// so that a peak of one column keeps its full height.
    pub dense: bool,
}

/// All series of a panel. `paint` is the palette and the number of series in the
/// panels before.
pub(crate) fn traces(
    panel: &Panel,
    surveys: &[Survey],
    span: (f64, f64),
    canvas: &Rect,
    axis: &ValueAxis,
    paint: (Colors, usize),
) -> Vec<Trace> {
    let (colors, first) = paint;
    let x = |time: f64| canvas.x + ((time - span.0) / (span.1 - span.0)).clamp(0.0, 1.0) * canvas.width;
    let y = |value: f64| y(canvas, axis, value);
    let mut below: Vec<Vec<Node>> = Vec::new();
    let mut traces = Vec::new();
    for (index, (series, survey)) in panel.series.iter().zip(surveys).enumerate() {
        let mut nodes = runs(series, survey.row_width, span, canvas.width);
        if series.stacked {
            stack(&mut nodes, &below);
        }
        let strokes = nodes.iter().map(|run| stroke(run, series.join, &x, &y)).collect();
        let (color, dash) = colors.series(series, first + index, index);
        let (width, fill) = match series.style {
            Style::Area => (1.5, Some(color)),
            Style::Line { width, .. } => (width.clamp(0.5, 20.0), None),
        };
        let band = nodes.iter().flatten().any(|node| node.high > node.low);
        traces.push(Trace { strokes, ink: colors.line(color), width, dash, fill, opacity: series.opacity, band });
        below = if series.stacked { over(nodes, below) } else { nodes };
    }
    traces
}

fn stroke(run: &[Node], join: Join, x: &impl Fn(f64) -> f64, y: &impl Fn(f64) -> f64) -> Stroke {
    let mut stroke = Stroke::default();
    let ends = run.first().zip(run.last()).map(|(first, last)| x(last.end) - x(first.start));
    #[expect(clippy::cast_precision_loss, reason = "at most two nodes a pixel column")]
    let nodes = run.len() as f64;
    stroke.dense = run.len() > 2 && ends.is_some_and(|width| width < nodes * 1.5);
    let last = run.len().saturating_sub(1);
    for (index, node) in run.iter().enumerate() {
        let places: &[f64] = match join {
            Join::Steps => &[node.start, node.end],
            Join::Through => &[node.middle()],
            // A run ends where its rows end, not in their middle.
            Join::Slope if last == 0 => &[node.start, node.middle(), node.end],
            Join::Slope if index == 0 => &[node.start, node.middle()],
            Join::Slope if index == last => &[node.middle(), node.end],
            Join::Slope => &[node.middle()],
        };
        for &time in places {
            stroke.line.push((x(time), y(node.value)));
            stroke.base.push(y(node.base));
            if !stroke.dense {
                stroke.high.push((x(time), y(node.high)));
                stroke.low.push(y(node.low));
            }
        }
        if stroke.dense {
            // What lies between two columns was passed through on the way.
            let next = run.get(index + 1).unwrap_or(node);
            for time in [node.start, next.start.max(node.end)] {
                stroke.high.push((x(time), y(node.high.max(next.high))));
                stroke.low.push(y(node.low.min(next.low)));
            }
        }
    }
    stroke
}

/// The spans in which no series of the panel is known although each was before
/// and one is after; merged where they are nearer than a pixel. When data are
/// said to have ended, also what follows the last of them.
pub(crate) fn gaps(surveys: &[Survey], span: (f64, f64), canvas: &Rect, ended: bool) -> Vec<Gap> {
    let with_data: Vec<&Survey> = surveys.iter().filter(|survey| survey.known.is_some()).collect();
    let Some((first, others)) = with_data.split_first() else { return Vec::new() };
    let mut common = others.iter().fold(first.gaps.clone(), |common, survey| intersect(&common, survey));
    let last = with_data.iter().filter_map(|survey| survey.known).map(|(_, end)| end).fold(span.0, f64::max);
    if ended && last < span.1 {
        common.push((last, span.1));
    }
    let x = |time: f64| canvas.x + ((time - span.0) / (span.1 - span.0)).clamp(0.0, 1.0) * canvas.width;
    let mut gaps: Vec<Gap> = Vec::new();
    for (from, to) in common {
        let (left, right) = (x(from), x(to).max(x(from) + 1.0).min(canvas.right()));
        match gaps.last_mut() {
            Some(last) if left - last.rect.right() < 1.0 => {
                last.rect.width = right - last.rect.x;
                last.to = to;
            }
            _ => gaps.push(Gap { rect: Rect { x: left, width: right - left, ..*canvas }, from, to }),
        }
    }
    gaps
}

/// The parts of the gaps in which the other series is unknown as well: in its
/// own gaps, before its first value and after its last.
fn intersect(gaps: &[(f64, f64)], survey: &Survey) -> Vec<(f64, f64)> {
    let Some((begin, end)) = survey.known else { return gaps.to_vec() };
    let outside =
        [(f64::NEG_INFINITY, begin)].into_iter().chain(survey.gaps.iter().copied()).chain([(end, f64::INFINITY)]);
    let unknown: Vec<(f64, f64)> = outside.collect();
    let mut common = Vec::new();
    let mut from = 0;
    for &(start, stop) in gaps {
        while from < unknown.len() && unknown[from].1 <= start {
            from += 1;
        }
        for &(left, right) in unknown[from..].iter().take_while(|(left, _)| *left < stop) {
            let both = (left.max(start), right.min(stop));
            if both.0 < both.1 {
                common.push(both);
            }
        }
    }
    common
}
