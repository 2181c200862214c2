//! The words around and inside the canvases: titles, labels of both axes, dates,
//! lines across. What would touch its neighbour is left out.

use crate::time::{TimeAxis, TimeTick};
use crate::value::{ValueAxis, format_round};
use crate::{Panel, Picture};

use super::{Anchor, Label, Rect, RuleLine, Style, label, y};

pub(super) fn titles(picture: &Picture, style: &Style, left: f64, width: f64) -> Vec<Label> {
    let mut baseline = style.margin() + style.title.size * 0.8;
    let mut labels = Vec::new();
    for line in picture.title.lines() {
        let text = style.title.fit(line, width);
        labels.push(label(style.title, &text, (left, baseline.round()), Anchor::Start, style.colors.ink));
        baseline += style.title.size * 1.3;
    }
    if !picture.subtitle.is_empty() {
        let at = (left, (baseline - style.title.size * 0.8 + style.text.size * 1.05).round());
        let text = style.text.fit(&picture.subtitle, width);
        labels.push(label(style.text, &text, at, Anchor::Start, style.colors.quiet));
    }
    labels
}

pub(super) fn value_labels(style: &Style, canvas: &Rect, axis: &ValueAxis) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    for tick in &axis.ticks {
        let at = (canvas.x - 8.0, y(canvas, axis, tick.value) + style.text.size * 0.36);
        let placed = label(style.text, &tick.text, at, Anchor::End, style.colors.quiet);
        if labels.last().is_none_or(|last| !last.rect.overlaps(&placed.rect)) {
            labels.push(placed);
        }
    }
    labels
}

pub(super) fn side_label(style: &Style, panel: &Panel, canvas: &Rect) -> Option<Label> {
    if panel.label.is_empty() {
        return None;
    }
    let text = style.text.fit(&panel.label, canvas.height);
    let at = (style.margin() + style.text.size * 0.8, canvas.y + canvas.height / 2.0);
    let mut label = label(style.text, &text, at, Anchor::Middle, style.colors.quiet);
    let (width, height) = (label.rect.width, label.rect.height);
    label.turned = true;
    label.rect = Rect { x: at.0 - height * 0.76, y: at.1 - width / 2.0, width: height, height: width };
    Some(label)
}

pub(super) fn rules(panel: &Panel, style: &Style, canvas: &Rect, axis: &ValueAxis) -> Vec<RuleLine> {
    let mut lines: Vec<RuleLine> = Vec::new();
    for rule in panel.rules.iter().filter(|rule| (axis.bottom..=axis.top).contains(&rule.value)) {
        let ink = rule.color.unwrap_or(style.colors.rule(rule.kind));
        let height = y(canvas, axis, rule.value);
        let text = format!("{} {}", rule.label, format_round(&panel.unit, rule.value));
        let text = style.small.fit(&text, canvas.width - 16.0);
        let place = |baseline: f64| label(style.small, &text, (canvas.right() - 8.0, baseline), Anchor::End, ink);
        let taken = |label: &Label| {
            !canvas.holds(&label.rect)
                || lines.iter().filter_map(|line| line.label.as_ref()).any(|other| other.rect.overlaps(&label.rect))
        };
        let label = [place(height - 5.0), place(height + style.small.size * 0.76 + 5.0)]
            .into_iter()
            .find(|label| !taken(label));
        lines.push(RuleLine { y: height, ink, label });
    }
    lines
}

pub(super) fn time_labels(
    style: &Style,
    axis: &TimeAxis,
    canvas: &Rect,
    width: f64,
    x: impl Fn(f64) -> f64,
) -> (Vec<Label>, Vec<Label>) {
    let baseline = canvas.bottom() + 6.0 + style.text.size;
    let image = Rect { x: 2.0, y: 0.0, width: width - 4.0, height: f64::INFINITY };
    let mut times: Vec<Label> = Vec::new();
    for tick in &axis.ticks {
        let placed = label(style.text, &tick.text, (x(tick.time), baseline), Anchor::Middle, style.colors.ink);
        let free = times.last().is_none_or(|last| last.rect.right() + 2.0 <= placed.rect.x);
        if free && image.holds(&placed.rect) {
            times.push(placed);
        }
    }
    let dates = dates(style, axis, canvas, &image, (baseline + style.small.size * 1.35).round(), &x);
    (times, dates)
}

/// The line below the times: the date at the start, each change of it, the zone.
fn dates(
    style: &Style,
    axis: &TimeAxis,
    canvas: &Rect,
    image: &Rect,
    baseline: f64,
    x: &impl Fn(f64) -> f64,
) -> Vec<Label> {
    let place =
        |text: &str, x: f64, anchor: Anchor| label(style.small, text, (x, baseline), anchor, style.colors.quiet);
    let mut kept: Vec<Label> = Vec::new();
    let free = |kept: &[Label], candidate: &Label| {
        let space = Rect { x: candidate.rect.x - 8.0, width: candidate.rect.width + 16.0, ..candidate.rect };
        image.holds(&candidate.rect) && !kept.iter().any(|other| other.rect.overlaps(&space))
    };
    let start = |tick: &TimeTick| (x(tick.time) - style.text.width(&tick.text) / 2.0).max(canvas.x);
    let mut year = year_of(&axis.date);
    // Changes are news: they come before the start's date and the zone.
    for tick in &axis.ticks {
        let Some(date) = &tick.date else { continue };
        let same_year = year_of(date) == year && year_of(date) != Some(date);
        let short = date.rsplit_once(' ').filter(|_| same_year).map_or(date.as_str(), |(short, _)| short);
        let candidate = place(short, start(tick), Anchor::Start);
        if free(&kept, &candidate) {
            kept.push(candidate);
            year = year_of(date);
        }
    }
    for (text, x, anchor) in [(&axis.date, canvas.x, Anchor::Start), (&axis.zone, canvas.right(), Anchor::End)] {
        let candidate = place(text, x, anchor);
        if !text.is_empty() && free(&kept, &candidate) {
            kept.push(candidate);
        }
    }
    kept.sort_by(|a, b| a.rect.x.total_cmp(&b.rect.x));
    // Where there was no room for the start's date, the first change tells the year.
    if let Some((first, others)) = kept.split_first_mut()
        && let Some(date) =
            axis.ticks.iter().filter_map(|tick| tick.date.as_ref()).find(|date| date.starts_with(&first.text))
    {
        let full = place(date, first.rect.x, Anchor::Start);
        if free(others, &full) {
            *first = full;
        }
    }
    kept
}

fn year_of(date: &str) -> Option<&str> {
    date.rsplit(' ').next().filter(|year| !year.is_empty())
}
