//! Below the picture: a row of numbers for each series, the comments, and the
//! legend of the marks.

use crate::font::one_line;
use crate::rows::Survey;
use crate::value::format_together;
use crate::{Color, Dash, Frame, MarkKind, Panel, Picture, Style as SeriesStyle};

use super::{Anchor, Label, Marks, Rect, Style, label};

/// What stands below the picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Footer {
    /// Texts, row by row.
    pub labels: Vec<Label>,
    /// The signs of the series.
    pub swatches: Vec<Swatch>,
    /// Of all of it.
    pub height: f64,
}

/// The sign of a series: a filled box, or a piece of its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Swatch {
    /// Its place.
    pub rect: Rect,
    /// The line's colour.
    pub ink: Color,
    /// The pattern of the line.
    pub dash: Dash,
    /// Its width.
    pub width: f64,
    /// The area's colour; `None` for a line.
    pub fill: Option<Color>,
    /// The box is as opaque as that.
    pub solid: bool,
}

/// A cell of the numbers: what it is called, and its value.
type Cell = (&'static str, String);

struct Entry {
    name: String,
    swatch: Swatch,
    cells: Vec<Cell>,
}

fn line_height(style: &Style) -> f64 {
    (style.text.size * 1.7).round()
}

fn entries(style: &Style, panels: &[Panel], surveys: &[Vec<Survey>]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let series = panels
        .iter()
        .zip(surveys)
        .flat_map(|(panel, surveys)| panel.series.iter().zip(surveys).enumerate().map(move |pair| (panel, pair)));
    for (index, (panel, (place, (series, survey)))) in series.enumerate() {
        if !series.numbers {
            continue;
        }
        let (color, dash) = style.colors.series(series, index, place);
        let (width, fill) = match series.style {
            SeriesStyle::Area => (1.5, Some(color)),
            SeriesStyle::Line { width, .. } => (width.clamp(0.5, 4.0), None),
        };
        let rect = Rect { x: 0.0, y: 0.0, width: style.text.size * 1.7, height: style.text.size * 0.8 };
        let swatch = Swatch { rect, ink: style.colors.line(color), dash, width, fill, solid: false };
        let called = ["now", "min", "average", "max"];
        let values = match survey.numbers {
            Some(n) => format_together(&panel.unit, &[n.now, n.min, n.average, n.max]),
            None => vec!["—".to_owned(); called.len()],
        };
        let mut cells: Vec<Cell> = called.into_iter().zip(values).collect();
        match survey.gaps.len() {
            0 => {}
            1 => cells.push(("gap", "1".to_owned())),
            count => cells.push(("gaps", count.to_string())),
        }
        entries.push(Entry { name: one_line(&series.name), swatch, cells });
    }
    entries
}

/// The rows of numbers and the comments, from y = 0.
pub(super) fn footer(
    picture: &Picture,
    style: &Style,
    panels: &[Panel],
    surveys: &[Vec<Survey>],
    width: f64,
) -> Footer {
    let mut footer = Footer::default();
    if picture.frame != Frame::Whole {
        if picture.frame == Frame::NoLegend {
            footer.add_watermark(style, picture, width);
        }
        return footer;
    }
    let room = width - style.margin() * 2.0;
    let entries = entries(style, panels, surveys);
    let name_width = entries.iter().map(|entry| style.bold.width(&entry.name)).fold(0.0, f64::max).min(room * 0.34);
    let columns: Vec<(f64, f64)> = (0..5)
        .map(|column| {
            let cells = || entries.iter().filter_map(|entry| entry.cells.get(column));
            let called = cells().map(|(called, _)| style.small.width(called)).fold(0.0, f64::max);
            let value = cells().map(|(_, value)| style.text.width(value)).fold(0.0, f64::max);
            (called, value)
        })
        .collect();
    let swatch_width = style.text.size * 2.4;
    let table: f64 = columns.iter().map(|(called, value)| called + value + style.text.size * 0.45).sum();
    let spare = room - swatch_width - name_width - table;
    let filled = columns.iter().filter(|(called, _)| *called > 0.0).count();
    #[expect(clippy::cast_precision_loss, reason = "five columns")]
    let gap = (spare / filled.max(1) as f64).min(style.text.size * 2.2);
    for entry in entries {
        let baseline = footer.height + style.text.size;
        let mut swatch = entry.swatch;
        swatch.rect.x = style.margin();
        swatch.rect.y = baseline - style.text.size * 0.77;
        footer.swatches.push(swatch);
        let left = style.margin() + swatch_width;
        if gap >= style.text.size * 0.8 {
            let name = style.bold.fit(&entry.name, name_width.max(1.0) + 0.5);
            footer.labels.push(label(style.bold, &name, (left, baseline), Anchor::Start, style.colors.ink));
            let mut x = left + name_width;
            for ((called, value), (called_width, value_width)) in entry.cells.iter().zip(&columns) {
                x += gap;
                footer.labels.push(label(style.small, called, (x, baseline), Anchor::Start, style.colors.quiet));
                x += called_width + style.text.size * 0.45 + value_width;
                footer.labels.push(label(style.text, value, (x, baseline), Anchor::End, style.colors.ink));
            }
            footer.height += line_height(style);
        } else {
            let name = style.bold.fit(&entry.name, (room - swatch_width).max(1.0));
            footer.labels.push(label(style.bold, &name, (left, baseline), Anchor::Start, style.colors.ink));
            footer.height += line_height(style);
            footer.flow(style, &entry.cells, width);
        }
    }
    for comment in &picture.comments {
        let text = style.text.fit(comment, room);
        let at = (style.margin(), footer.height + style.text.size);
        footer.labels.push(label(style.text, &text, at, Anchor::Start, style.colors.ink));
        footer.height += line_height(style);
    }
    footer.add_lines(style, &picture.lines, width);
    footer.add_watermark(style, picture, width);
    footer
}

/// Lays items in lines; gives each item's left edge and line, and the lines.
fn wrap(widths: impl Iterator<Item = f64>, left: f64, right: f64, gap: f64) -> (Vec<(f64, f64)>, f64) {
    let (mut x, mut line) = (left, 0.0);
    let mut places = Vec::new();
    for width in widths {
        if x > left && x + width > right {
            x = left;
            line += 1.0;
        }
        places.push((x, line));
        x += width + gap;
    }
    let lines = if places.is_empty() { 0.0 } else { line + 1.0 };
    (places, lines)
}

fn legend_places(style: &Style, items: &[(MarkKind, String)], width: f64) -> (Vec<(f64, f64)>, f64) {
    let widths = items.iter().map(|item| style.text.size * 1.4 + style.small.width(&item.1));
    wrap(widths, style.margin(), width - style.margin(), style.text.size * 1.4)
}

/// How many lines the legend of these kinds takes.
pub(super) fn legend_lines(style: &Style, items: &[(MarkKind, String)], width: f64) -> f64 {
    legend_places(style, items, width).1
}

impl Footer {
    /// The numbers of one series in as many lines as they need.
    fn flow(&mut self, style: &Style, cells: &[Cell], width: f64) {
        let size =
            |(called, value): &Cell| style.small.width(called) + style.text.size * 0.45 + style.text.width(value);
        let (places, lines) = wrap(cells.iter().map(size), style.margin(), width - style.margin(), style.text.size);
        for ((called, value), (x, line)) in cells.iter().zip(places) {
            let baseline = self.height + line * line_height(style) + style.text.size;
            let value_x = x + style.small.width(called) + style.text.size * 0.45;
            let right = width - style.margin();
            let called = style.small.fit(called, right - x);
            let value = style.text.fit(value, right - value_x);
            self.labels.push(label(style.small, &called, (x, baseline), Anchor::Start, style.colors.quiet));
            self.labels.push(label(style.text, &value, (value_x, baseline), Anchor::Start, style.colors.ink));
        }
        self.height += lines * line_height(style);
    }

    /// The legend of the marks that are not explained beside their glyphs.
    pub(super) fn add_marks(&mut self, style: &Style, marks: &Marks, width: f64) {
        let (places, lines) = legend_places(style, &marks.legend, width);
        for (item, (x, line)) in marks.legend.iter().zip(places) {
            let baseline = self.height + line * line_height(style) + style.text.size;
            let ink = style.colors.mark(item.0);
            let middle = x + style.text.size * 0.5;
            self.labels.push(label(style.glyph, item.0.glyph(), (middle, baseline), Anchor::Middle, ink));
            let at = (x + style.text.size * 1.4, baseline);
            let text = style.small.fit(&item.1, width - style.margin() - at.0);
            self.labels.push(label(style.small, &text, at, Anchor::Start, style.colors.ink));
        }
        self.height += lines * line_height(style);
    }

    /// Moves everything down.
    pub(super) fn shift(&mut self, top: f64) {
        for label in &mut self.labels {
            label.y = (label.y + top).round();
            label.rect.y += top;
        }
        for swatch in &mut self.swatches {
            swatch.rect.y = (swatch.rect.y + top).round();
        }
    }
}
