//! The scale at the right, and thin lines at an instant or a value.

use crate::value::{ValueAxis, ValueTick, texts_of};
use crate::{Color, Dash, Panel, Unit};

use super::{Anchor, Label, Rect, Style, label, y};

/// A line upwards in its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UprightLine {
    /// Its place.
    pub x: f64,
    /// Its head.
    pub top: f64,
    /// Its foot.
    pub bottom: f64,
    /// Its colour.
    pub ink: Color,
    /// Its pattern.
    pub dash: Dash,
}

/// A thin line across in its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelLine {
    /// Its height.
    pub y: f64,
    /// Its colour.
    pub ink: Color,
    /// Its pattern.
    pub dash: Dash,
}

/// The lines across whose values the axis has.
pub(super) fn levels(panel: &Panel, canvas: &Rect, axis: &ValueAxis) -> Vec<LevelLine> {
    let inside = panel.levels.iter().filter(|level| (axis.bottom..=axis.top).contains(&level.value));
    inside.map(|level| LevelLine { y: y(canvas, axis, level.value), ink: level.color, dash: level.dash }).collect()
}

/// The lines upwards of a panel, of several alike on one pixel column the first.
pub(super) fn uprights(panel: &Panel, span: (f64, f64), canvas: &Rect) -> Vec<UprightLine> {
    let mut lines: Vec<UprightLine> = Vec::new();
    for upright in panel.uprights.iter().filter(|upright| (span.0..=span.1).contains(&upright.time)) {
        let x = (canvas.x + (upright.time - span.0) / (span.1 - span.0) * canvas.width).round();
        let at = |share: f64| canvas.bottom() - share.clamp(0.0, 1.0) * canvas.height;
        let (foot, head) = (upright.from.min(upright.to), upright.from.max(upright.to));
        let line = UprightLine { x, top: at(head), bottom: at(foot), ink: upright.color, dash: upright.dash };
        if lines.last() != Some(&line) {
            lines.push(line);
        }
    }
    lines
}

/// The ticks of the left axis as the right one calls them; none where a value is no number there.
pub(crate) fn ticks(panel: &Panel, axis: &ValueAxis) -> Vec<ValueTick> {
    let Some(right) = panel.right.as_ref().filter(|right| right.scale != 0.0) else { return Vec::new() };
    let values: Vec<f64> = axis.ticks.iter().map(|tick| tick.value * right.scale + right.shift).collect();
    if values.iter().any(|value| value.abs() > 1e300 || value.is_nan()) {
        return Vec::new();
    }
    let texts = texts_of(&Unit::Plain, &values);
    axis.ticks.iter().zip(texts).map(|(tick, text)| ValueTick { value: tick.value, text }).collect()
}

/// The room that the right axes take beside the canvas.
pub(super) fn width(style: &Style, panels: &[Panel], axes: &[ValueAxis]) -> f64 {
    let texts = panels.iter().zip(axes).flat_map(|(panel, axis)| ticks(panel, axis));
    let widest = texts.map(|tick| style.text.width(&tick.text)).fold(0.0, f64::max).ceil();
    let side = panels.iter().filter_map(|panel| panel.right.as_ref()).any(|right| !right.label.is_empty());
    let side = if side { (style.text.size * 1.7).round() } else { 0.0 };
    if widest > 0.0 { style.margin() + side + widest + 8.0 } else { side }
}

/// The labels of the right axis, bottom to top, and what is written along it; `image` is the width of the image.
pub(super) fn labels(style: &Style, panel: &Panel, canvas: &Rect, axis: &ValueAxis, image: f64) -> Vec<Label> {
    let mut placed: Vec<Label> = Vec::new();
    for tick in ticks(panel, axis) {
        let at = (canvas.right() + 8.0, y(canvas, axis, tick.value) + style.text.size * 0.36);
        let candidate = label(style.text, &tick.text, at, Anchor::Start, style.colors.quiet);
        if placed.last().is_none_or(|last| !last.rect.overlaps(&candidate.rect)) {
            placed.push(candidate);
        }
    }
    if let Some(right) = panel.right.as_ref().filter(|right| !right.label.is_empty()) {
        let text = style.text.fit(&right.label, canvas.height);
        let at = (image - style.margin(), canvas.y + canvas.height / 2.0);
        let mut along = label(style.text, &text, at, Anchor::Middle, style.colors.quiet);
        let (width, height) = (along.rect.width, along.rect.height);
        along.turned = true;
        along.rect = Rect { x: at.0 - height * 0.76, y: at.1 - width / 2.0, width: height, height: width };
        placed.push(along);
    }
    placed
}
