//! From a layout to the calls of a plotters backend. The same calls make the PNG
//! and the SVG; only what a group means differs.

use plotters_backend::{BackendColor, BackendStyle, DrawingBackend, DrawingErrorKind};

use crate::font::{BASELINE_EM, TextInk, UNITS};
use crate::layout::{Label, Layout, MarkLine, PanelLayout, Reach, Rect, Stroke, Swatch, Trace};
use crate::theme::Colors;
use crate::{ChartError, Color, Dash, Frame, Picture, Theme};

impl From<Color> for BackendColor {
    fn from(color: Color) -> BackendColor {
        BackendColor { alpha: f64::from(color.alpha) / 255.0, rgb: (color.red, color.green, color.blue) }
    }
}

/// The length of the ticks of crowded events and of collections.
const TICK: f64 = 7.0;

struct Ink {
    color: Color,
    width: u32,
}

impl BackendStyle for Ink {
    fn color(&self) -> BackendColor {
        self.color.into()
    }

    fn stroke_width(&self) -> u32 {
        self.width
    }
}

/// What belongs together in a picture, bottom to top.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Group {
    /// The ground, the grid, the gaps and the axes.
    Ground,
    /// One series: its panel, and its place in the panel.
    Series(usize, usize),
    /// The lines across.
    Rules,
    /// One event.
    Mark(usize),
    /// Everything written.
    Texts,
}

/// The groups of a layout in the order of drawing.
pub(crate) fn groups(layout: &Layout) -> Vec<Group> {
    let series = layout.panels.iter().enumerate();
    let series = series.flat_map(|(panel, laid)| (0..laid.traces.len()).map(move |index| Group::Series(panel, index)));
    let marks = (0..layout.marks.lines.len()).map(Group::Mark);
    [Group::Ground].into_iter().chain(series).chain(marks).chain([Group::Rules, Group::Texts]).collect()
}

/// A backend with lengths in pixels.
pub(crate) struct Pen<'a, B: DrawingBackend> {
    pub(crate) backend: &'a mut B,
    pub(crate) pixels_per_unit: f64,
}

#[expect(clippy::cast_possible_truncation, reason = "a picture is at most 16,384 pixels wide")]
fn units(length: f64) -> i32 {
    (length * UNITS).round() as i32
}

fn at((x, y): (f64, f64)) -> (i32, i32) {
    (units(x), units(y))
}

fn failed<E: std::error::Error + Send + Sync>(error: DrawingErrorKind<E>) -> ChartError {
    ChartError::Drawing { doing: "drawn", cause: error.to_string() }
}

impl<B: DrawingBackend> Pen<'_, B> {
    fn fill(&mut self, rect: &Rect, color: Color) -> Result<(), ChartError> {
        let (from, to) = (at((rect.x, rect.y)), at((rect.right(), rect.bottom())));
        self.backend.draw_rect(from, to, &Ink { color, width: 1 }, true).map_err(failed)
    }

    fn line(&mut self, points: &[(f64, f64)], width: f64, color: Color) -> Result<(), ChartError> {
        let width = units(width).max(1).unsigned_abs();
        self.backend.draw_path(points.iter().copied().map(at), &Ink { color, width }).map_err(failed)
    }

    fn dashed(&mut self, points: &[(f64, f64)], width: f64, color: Color, dash: Dash) -> Result<(), ChartError> {
        let pattern: &[f64] = match dash {
            Dash::Solid => return self.line(points, width, color),
            Dash::Dashed => &[5.0, 3.5],
            Dash::Dotted => &[0.6, 2.8],
            Dash::DashDot => &[5.0, 2.8, 0.6, 2.8],
        };
        pieces(points, pattern, width.max(1.0)).iter().try_for_each(|piece| self.line(piece, width, color))
    }

    fn dot(&mut self, centre: (f64, f64), radius: f64, color: Color) -> Result<(), ChartError> {
        let radius = units(radius).unsigned_abs();
        self.backend.draw_circle(at(centre), radius, &Ink { color, width: 1 }, true).map_err(failed)
    }

    /// The area between two lines with the same positions.
    fn between(&mut self, upper: &[(f64, f64)], lower: &[f64], color: Color) -> Result<(), ChartError> {
        let back = upper.iter().zip(lower).rev().map(|(&(x, _), &y)| (x, y));
        let outline: Vec<(i32, i32)> = upper.iter().copied().chain(back).map(at).collect();
        self.backend.fill_polygon(outline, &Ink { color, width: 1 }).map_err(failed)
    }

    fn text(&mut self, label: &Label) -> Result<(), ChartError> {
        if label.text.is_empty() {
            return Ok(());
        }
        let rise = label.typeface.size * BASELINE_EM;
        let top = if label.turned { (label.x - rise, label.y) } else { (label.x, label.y - rise) };
        let ink = TextInk::new(label, self.pixels_per_unit);
        self.backend.draw_text(&label.text, &ink, at(top)).map_err(failed)
    }

    fn texts(&mut self, labels: &[Label]) -> Result<(), ChartError> {
        labels.iter().try_for_each(|label| self.text(label))
    }
}

/// The strokes of a dashed line; lengths in the pattern are multiples of `unit`.
fn pieces(points: &[(f64, f64)], pattern: &[f64], unit: f64) -> Vec<Vec<(f64, f64)>> {
    let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
    let (mut index, mut left, mut drawing) = (0, pattern[0] * unit, true);
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let length = (x1 - x0).hypot(y1 - y0);
        let mut done = 0.0;
        let point = |part: f64| (x0 + (x1 - x0) * part / length, y0 + (y1 - y0) * part / length);
        while done < length {
            let step = left.min(length - done);
            if drawing {
                match pieces.last_mut() {
                    Some(piece) if done == 0.0 && piece.last() == Some(&pair[0]) => piece.push(point(done + step)),
                    _ => pieces.push(vec![point(done), point(done + step)]),
                }
            }
            done += step;
            left -= step;
            if left <= 1e-9 {
                index = (index + 1) % pattern.len();
                left = pattern[index] * unit;
                drawing = index % 2 == 0;
            }
        }
    }
    pieces
}

/// Draws one group.
pub(crate) fn draw<B: DrawingBackend>(
    pen: &mut Pen<'_, B>,
    group: Group,
    picture: &Picture,
    layout: &Layout,
) -> Result<(), ChartError> {
    let colors = Colors::of(picture);
    match group {
        Group::Ground => {
            let image = Rect { x: 0.0, y: 0.0, width: layout.width, height: layout.height };
            if colors.surface.alpha < 255 {
                pen.fill(&image, Color::rgb(255, 255, 255))?;
            }
            pen.fill(&image, colors.surface)?;
            layout.panels.iter().try_for_each(|panel| {
                grid(pen, panel, layout, colors)?;
                if picture.frame == Frame::Bare { Ok(()) } else { draw_axes(pen, panel, layout, colors) }
            })
        }
        Group::Series(panel, index) => draw_trace(pen, &layout.panels[panel].traces[index], picture.theme),
        Group::Rules => layout.panels.iter().try_for_each(|panel| rules(pen, panel, colors)),
        Group::Mark(index) => draw_mark(pen, &layout.marks.lines[index], layout),
        Group::Texts => draw_texts(pen, layout, colors),
    }
}

/// What lies below the data: gaps, and the grid.
fn grid<B: DrawingBackend>(
    pen: &mut Pen<'_, B>,
    panel: &PanelLayout,
    layout: &Layout,
    colors: Colors,
) -> Result<(), ChartError> {
    colors.canvas.iter().try_for_each(|&canvas| pen.fill(&panel.canvas, canvas))?;
    for &x in &layout.times {
        pen.fill(&Rect { x: x.round(), width: 1.0, ..panel.canvas }, colors.grid)?;
    }
    for tick in &panel.axis.ticks {
        let y = panel.y(tick.value).round().min(panel.canvas.bottom() - 1.0);
        pen.fill(&Rect { y, height: 1.0, ..panel.canvas }, colors.grid)?;
    }
    panel.gaps.iter().try_for_each(|gap| pen.fill(&gap.rect, colors.gap))
}

fn draw_trace<B: DrawingBackend>(pen: &mut Pen<'_, B>, trace: &Trace, theme: Theme) -> Result<(), ChartError> {
    let opacity = if theme == Theme::Dark { 0.30 } else { 0.24 };
    for stroke in &trace.strokes {
        if let Some(fill) = trace.fill {
            pen.between(&stroke.line, &stroke.base, fill.fade(trace.opacity.unwrap_or(opacity)))?;
        }
        if trace.band {
            draw_band(pen, stroke, trace.ink)?;
        }
    }
    // An area whose opacity was chosen has no line above.
    let lines: &[Stroke] = if trace.fill.is_some() && trace.opacity.is_some() { &[] } else { &trace.strokes };
    for stroke in lines {
        match (stroke.line.first(), stroke.line.last()) {
            // One row, or one row between two gaps: a line of no length is not seen.
            (Some(first), Some(last)) if last.0 - first.0 < 8.0 => {
                let middle = stroke.line[stroke.line.len() / 2];
                pen.dot(middle, trace.width.max(1.5) + 1.0, trace.ink)?;
            }
            _ => pen.dashed(&stroke.line, trace.width, trace.ink, trace.dash)?,
        }
    }
    Ok(())
}

/// The band between the lowest and the highest values. Where each column has a
/// step of its own, an edge would hide it.
fn draw_band<B: DrawingBackend>(pen: &mut Pen<'_, B>, stroke: &Stroke, ink: Color) -> Result<(), ChartError> {
    pen.between(&stroke.high, &stroke.low, ink.fade(0.27))?;
    if stroke.dense {
        return Ok(());
    }
    let low: Vec<(f64, f64)> = stroke.high.iter().zip(&stroke.low).map(|(&(x, _), &y)| (x, y)).collect();
    pen.line(&stroke.high, 0.75, ink.fade(0.5))?;
    pen.line(&low, 0.75, ink.fade(0.5))
}

fn rules<B: DrawingBackend>(pen: &mut Pen<'_, B>, panel: &PanelLayout, colors: Colors) -> Result<(), ChartError> {
    let canvas = &panel.canvas;
    for line in &panel.levels {
        pen.dashed(&[(canvas.x, line.y), (canvas.right(), line.y)], 1.25, line.ink, line.dash)?;
    }
    for line in &panel.uprights {
        let ends = [(line.x + 0.5, line.bottom), (line.x + 0.5, line.top)];
        pen.dashed(&ends, 1.0, line.ink, line.dash)?;
    }
    for rule in &panel.rules {
        pen.dashed(&[(canvas.x, rule.y), (canvas.right(), rule.y)], 1.5, rule.ink, Dash::Dashed)?;
        if let Some(label) = &rule.label {
            let plate = Rect { x: label.rect.x - 3.0, width: label.rect.width + 6.0, ..label.rect };
            pen.fill(&plate, colors.surface.fade(0.85))?;
            pen.text(label)?;
        }
    }
    Ok(())
}

fn draw_axes<B: DrawingBackend>(
    pen: &mut Pen<'_, B>,
    panel: &PanelLayout,
    layout: &Layout,
    colors: Colors,
) -> Result<(), ChartError> {
    let canvas = &panel.canvas;
    let zero = (panel.axis.bottom < 0.0 && panel.axis.top > 0.0).then(|| panel.y(0.0).round());
    for y in [Some(canvas.bottom()), zero].into_iter().flatten() {
        pen.fill(&Rect { y, height: 1.0, ..*canvas }, colors.axis)?;
    }
    for (times, length) in [(&layout.times, 5.0), (&layout.minor_times, 3.0)] {
        for x in times {
            pen.fill(&Rect { x: x.round(), y: canvas.bottom(), width: 1.0, height: length }, colors.axis)?;
        }
    }
    Ok(())
}

fn draw_mark<B: DrawingBackend>(pen: &mut Pen<'_, B>, mark: &MarkLine, layout: &Layout) -> Result<(), ChartError> {
    let x = mark.x;
    // Many lines together must not hide what lies below them.
    let alike = layout.marks.lines.iter().filter(|other| other.kind == mark.kind && other.reach == mark.reach);
    let strong = if alike.take(13).count() > 12 { 0.35 } else { 0.75 };
    let mut line =
        |y: f64, height: f64, opacity: f64| pen.fill(&Rect { x, y, width: 1.0, height }, mark.ink.fade(opacity));
    let canvases = layout.panels.iter().map(|panel| panel.canvas).enumerate();
    for (index, canvas) in canvases {
        let above = if index == 0 { 3.0 } else { 0.0 };
        match mark.reach {
            Reach::Through => line(canvas.y - above, canvas.height + above, strong)?,
            Reach::Top if index == 0 => line(canvas.y - above, TICK, 0.5)?,
            Reach::Bottoms => line(canvas.bottom() - TICK, TICK, 0.75)?,
            Reach::Bottom(panel) if panel == index => line(canvas.bottom() - TICK, TICK, 0.75)?,
            Reach::Top | Reach::Bottom(_) => {}
        }
    }
    Ok(())
}

fn draw_swatch<B: DrawingBackend>(pen: &mut Pen<'_, B>, swatch: &Swatch) -> Result<(), ChartError> {
    let Rect { x, y, width, height } = swatch.rect;
    match swatch.fill {
        Some(fill) if swatch.solid => pen.fill(&swatch.rect, fill),
        Some(fill) => {
            pen.fill(&Rect { height: height + 1.0, ..swatch.rect }, fill.fade(0.3))?;
            pen.fill(&Rect { x, y, width, height: 2.0 }, swatch.ink)
        }
        None => {
            let middle = y + height / 2.0 + 0.5;
            pen.dashed(&[(x, middle), (x + width, middle)], swatch.width.max(2.0), swatch.ink, swatch.dash)
        }
    }
}

fn draw_texts<B: DrawingBackend>(pen: &mut Pen<'_, B>, layout: &Layout, colors: Colors) -> Result<(), ChartError> {
    pen.texts(&layout.titles)?;
    for panel in &layout.panels {
        pen.texts(&panel.value_labels)?;
        pen.texts(&panel.right_labels)?;
        panel.label.iter().try_for_each(|label| pen.text(label))?;
    }
    pen.texts(&layout.time_labels)?;
    pen.texts(&layout.dates)?;
    pen.texts(&layout.marks.labels)?;
    layout.footer.swatches.iter().try_for_each(|swatch| draw_swatch(pen, swatch))?;
    pen.texts(&layout.footer.labels)?;
    if let Some(notice) = &layout.notice {
        if let Some(plate) = &notice.plate {
            let edge =
                Rect { x: plate.x - 1.0, y: plate.y - 1.0, width: plate.width + 2.0, height: plate.height + 2.0 };
            pen.fill(&edge, colors.axis)?;
            pen.fill(plate, colors.surface)?;
        }
        pen.text(&notice.label)?;
    }
    Ok(())
}
