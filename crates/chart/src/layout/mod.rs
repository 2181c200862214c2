//! Where everything goes, before anything is drawn: rectangles, ticks, labels
//! and lines in pixels. Pure; the tests look at this rather than at pixels.

mod footer;
mod labels;
mod lines;
mod marks;
mod notice;
mod right;
mod trace;

use crate::font::{Type, one_line};
use crate::rows::{Survey, survey};
use crate::theme::Colors;
use crate::time::LABELLED;
use crate::value::{ValueAxis, value_axis};
use crate::{ChartError, Color, Frame, Panel, Picture, RuleKind};

pub use footer::{Footer, Swatch};
pub use marks::{MarkLine, Marks, Reach};
pub(crate) use notice::{Said, said};
pub(crate) use right::ticks as right_ticks;
pub use right::{LevelLine, UprightLine};
pub use trace::{Stroke, Trace};
pub(crate) use trace::{gaps, traces};

/// The least and the greatest canvas or image, in pixels.
const WIDTHS: (f64, f64) = (40.0, 16_384.0);
const HEIGHTS: (f64, f64) = (20.0, 16_384.0);
/// 16,384 × 2,048 at scale 1; 96 MB of pixels.
const MOST_PIXELS: f64 = 33_554_432.0;

/// A rectangle in pixels; y grows downwards.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Not negative.
    pub width: f64,
    /// Not negative.
    pub height: f64,
}

impl Rect {
    /// The right edge.
    #[must_use]
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// The lower edge.
    #[must_use]
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// Whether the two share more than an edge.
    #[must_use]
    pub fn overlaps(&self, other: &Rect) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    /// Whether the other lies inside, half a pixel of rounding allowed.
    #[must_use]
    pub fn holds(&self, other: &Rect) -> bool {
        other.x >= self.x - 0.5
            && other.y >= self.y - 0.5
            && other.right() <= self.right() + 0.5
            && other.bottom() <= self.bottom() + 0.5
    }
}

/// Which point of a text its position is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Its start.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// A line of text with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// What is written: one line, cut to fit.
    pub text: String,
    /// Of the anchor, on the baseline.
    pub x: f64,
    /// Of the baseline.
    pub y: f64,
    /// Which point of the text `x` is.
    pub anchor: Anchor,
    /// Runs upwards instead of to the right.
    pub turned: bool,
    /// Its colour.
    pub ink: Color,
    /// The space it takes.
    pub rect: Rect,
    pub(crate) typeface: Type,
}

/// The distances that follow from the font size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) colors: Colors,
    pub(crate) text: Type,
    pub(crate) bold: Type,
    pub(crate) small: Type,
    pub(crate) title: Type,
    pub(crate) glyph: Type,
}

impl Style {
    fn of(picture: &Picture) -> Style {
        let family = picture.font.family;
        let size = picture.font.size;
        let text = Type { family, bold: false, size };
        Style {
            colors: Colors::of(picture),
            text,
            bold: Type { bold: true, ..text },
            small: Type { size: (size * 0.92).round(), ..text },
            title: Type { bold: true, size: (size * 1.45).round(), ..text },
            // Only the proportional typeface has all glyphs of the marks.
            glyph: Type { family: crate::Family::Sans, ..text },
        }
    }

    fn margin(&self) -> f64 {
        (self.text.size * 1.4).round()
    }
}

/// Places one line of text.
pub(crate) fn label(typeface: Type, text: &str, at: (f64, f64), anchor: Anchor, ink: Color) -> Label {
    let (x, y) = at;
    let text = one_line(text);
    let width = typeface.width(&text);
    let left = match anchor {
        Anchor::Start => x,
        Anchor::Middle => x - width / 2.0,
        Anchor::End => x - width,
    };
    // DejaVu's capitals are 0.73 em high, its descenders 0.24 em deep.
    let rect = Rect { x: left, y: y - typeface.size * 0.76, width, height: typeface.size };
    Label { text, x, y, anchor, turned: false, ink, rect, typeface }
}

/// A picture with everything in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Of the image, in pixels before `scale`.
    pub width: f64,
    /// Of the image, in pixels before `scale`.
    pub height: f64,
    /// Title and subtitle.
    pub titles: Vec<Label>,
    /// Top to bottom.
    pub panels: Vec<PanelLayout>,
    /// The time axis' ticks, as distances from the left edge of the image.
    pub times: Vec<f64>,
    /// The ticks between those.
    pub minor_times: Vec<f64>,
    /// Labels of the time axis, left to right.
    pub time_labels: Vec<Label>,
    /// The dates below them, and the zone.
    pub dates: Vec<Label>,
    /// Events.
    pub marks: Marks,
    /// The numbers and the legend.
    pub footer: Footer,
    /// What is said inside the picture.
    pub notice: Option<Notice>,
}

/// A panel with everything in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelLayout {
    /// The plot area.
    pub canvas: Rect,
    /// The range and the ticks of the value axis.
    pub axis: ValueAxis,
    /// Labels of the value axis, bottom to top.
    pub value_labels: Vec<Label>,
    /// Along the value axis.
    pub label: Option<Label>,
    /// Gaps: spans in which every series of the panel is unknown.
    pub gaps: Vec<Gap>,
    /// One for each series, in the order of drawing.
    pub traces: Vec<Trace>,
    /// Lines across.
    pub rules: Vec<RuleLine>,
    /// Lines across, without a word.
    pub levels: Vec<LevelLine>,
    /// Lines upwards at an instant.
    pub uprights: Vec<UprightLine>,
    /// Labels of the scale at the right.
    pub right_labels: Vec<Label>,
}

impl PanelLayout {
    /// The height of a value on the canvas; one outside lies on its edge.
    #[must_use]
    pub fn y(&self, value: f64) -> f64 {
        y(&self.canvas, &self.axis, value)
    }
}

pub(crate) fn y(canvas: &Rect, axis: &ValueAxis, value: f64) -> f64 {
    let share = ((value - axis.bottom) / (axis.top - axis.bottom)).clamp(0.0, 1.0);
    canvas.bottom() - share * canvas.height
}

/// A span in which nothing is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// Its place.
    pub rect: Rect,
    /// Where it begins, as the picture's times.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
}

/// A line across a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleLine {
    /// Its height.
    pub y: f64,
    /// Its colour.
    pub ink: Color,
    /// Its name and value, at the right end.
    pub label: Option<Label>,
}

/// Words inside the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// What is said.
    pub label: Label,
    /// The plate behind it; `None` when nothing else is in the picture.
    pub plate: Option<Rect>,
}

fn within(what: &'static str, found: f64, (least, most): (f64, f64)) -> Result<f64, ChartError> {
    if (least..=most).contains(&found) { Ok(found) } else { Err(ChartError::Size { what, found, least, most }) }
}

fn check(picture: &Picture) -> Result<(), ChartError> {
    within("width", f64::from(picture.size.width), WIDTHS)?;
    within("height", f64::from(picture.size.height), HEIGHTS)?;
    within("scale", picture.scale, (0.5, 4.0))?;
    within("font size", picture.font.size, (6.0, 48.0))?;
    check_span(picture)
}

pub(crate) fn check_span(picture: &Picture) -> Result<(), ChartError> {
    let (from, to) = (picture.from, picture.to);
    // A millisecond is what f64 seconds still tell apart everywhere.
    if !(LABELLED.contains(&from) && LABELLED.contains(&to) && to - from >= 0.001) {
        return Err(ChartError::Span { from, to });
    }
    Ok(())
}

/// Puts everything in its place.
///
/// # Errors
/// When the size, the font size, the scale or the span is outside the limits.
pub fn layout(picture: &Picture) -> Result<Layout, ChartError> {
    check(picture)?;
    let style = Style::of(picture);
    let nothing = [Panel::new("", crate::Unit::Plain)];
    let panels: &[Panel] = if picture.panels.is_empty() { &nothing } else { &picture.panels };
    let surveys: Vec<Vec<Survey>> = panels
        .iter()
        .map(|panel| panel.series.iter().map(|series| survey(series, picture.from, picture.to)).collect())
        .collect();
    let frame = measure(picture, &style, panels, &surveys)?;
    let mut canvases = Vec::new();
    let mut top = frame.canvas.y;
    for height in &frame.heights {
        canvases.push(Rect { y: top, height: *height, ..frame.canvas });
        top += height + frame.between;
    }
    let bare = picture.frame == Frame::Bare;
    let span = (picture.from, picture.to);
    let mut first = 0;
    let mut laid = Vec::new();
    for (((panel, surveys), canvas), axis) in panels.iter().zip(&surveys).zip(canvases).zip(frame.axes) {
        let traces = trace::traces(panel, surveys, span, &canvas, &axis, (style.colors, first));
        first += panel.series.len();
        let mut panel_layout = PanelLayout {
            gaps: trace::gaps(surveys, span, &canvas, picture.notice.is_some()),
            rules: labels::rules(panel, &style, &canvas, &axis),
            value_labels: if bare { Vec::new() } else { labels::value_labels(&style, &canvas, &axis) },
            label: if bare { None } else { labels::side_label(&style, panel, &canvas) },
            levels: right::levels(panel, &canvas, &axis),
            uprights: right::uprights(panel, span, &canvas),
            right_labels: if bare { Vec::new() } else { right::labels(&style, panel, &canvas, &axis, frame.width) },
            canvas,
            axis,
            traces,
        };
        if bare {
            panel_layout.rules.iter_mut().for_each(|rule| rule.label = None);
        }
        laid.push(panel_layout);
    }
    let whole = Rect { height: top - frame.between - frame.canvas.y, ..frame.canvas };
    let measure = |text: &str| style.text.width(text);
    let axis = picture.axis(whole.width, &measure);
    let x = |time: f64| whole.x + (time - picture.from) / (picture.to - picture.from) * whole.width;
    let (time_labels, dates) =
        if bare { Default::default() } else { labels::time_labels(&style, &axis, &whole, frame.width, x) };
    let mut marks = marks::marks(picture, &style, &whole, frame.width, frame.explains);
    if bare {
        marks.labels.clear();
    }
    let footer_top = whole.bottom() + if bare { 0.0 } else { below(&style) };
    let mut footer = frame.footer;
    if frame.explains {
        footer.add_marks(&style, &marks, frame.width);
    }
    let foot = if bare { 0.0 } else { footer.height + style.margin() };
    footer.shift(footer_top);
    let height = if picture.size.full { frame.height } else { (footer_top + foot).round() };
    Ok(Layout {
        width: frame.width,
        height,
        titles: frame.titles,
        notice: notice::notice(picture, &style, &surveys, &laid),
        panels: laid,
        times: axis.ticks.iter().map(|tick| x(tick.time)).collect(),
        minor_times: axis.minor.iter().map(|&time| x(time)).collect(),
        time_labels,
        dates,
        marks,
        footer,
    })
}

/// The sizes on which all places depend.
struct Measured {
    width: f64,
    height: f64,
    /// The first panel's place; its height is that of the first panel.
    canvas: Rect,
    heights: Vec<f64>,
    between: f64,
    axes: Vec<ValueAxis>,
    titles: Vec<Label>,
    footer: Footer,
    /// Whether there is room below for the legend of the marks.
    explains: bool,
}

/// From the canvas to the numbers: tick labels, dates.
fn below(style: &Style) -> f64 {
    (style.text.size * 2.4 + style.small.size + 10.0).round()
}

fn measure(
    picture: &Picture,
    style: &Style,
    panels: &[Panel],
    surveys: &[Vec<Survey>],
) -> Result<Measured, ChartError> {
    let (asked_width, asked_height) = (f64::from(picture.size.width), f64::from(picture.size.height));
    let bare = picture.frame == Frame::Bare;
    let margin = if bare { 0.0 } else { style.margin() };
    let head = if bare { 0.0 } else { margin + titles_height(picture, style) + marks::strip(picture, style) };
    let between = (style.text.size * 1.4).round();
    let gaps = between * (panels.len().saturating_sub(1)) as f64;
    // With the canvas given, the widest footer is unknown until the left margin
    // is; with the image given, so are the canvas' height and then its labels.
    let width_for_footer = if picture.size.full { asked_width } else { asked_width + margin * 2.0 };
    let mut footer = Footer::default();
    let mut foot = 0.0;
    let mut explains = picture.frame == Frame::Whole;
    let mut canvas_height = asked_height;
    let size_footer = |width: f64| {
        let footer = footer::footer(picture, style, panels, surveys, width);
        let extra = footer.height + marks::legend_height(picture, style, width);
        let foot = if bare { 0.0 } else { below(style) + extra + margin };
        (footer, foot)
    };
    if picture.size.full {
        (footer, foot) = size_footer(width_for_footer);
        // A small image gives up its numbers before its canvas.
        if asked_height - head - foot < asked_height / 3.0 {
            (footer, foot) = (Footer::default(), below(style));
            explains = false;
        }
        canvas_height = asked_height - head - foot;
    }
    let usable = within_canvas("height", canvas_height - gaps, asked_height, HEIGHTS.0 * panels.len() as f64)?;
    let heights = share(panels, usable);
    let axes: Vec<ValueAxis> = panels
        .iter()
        .zip(surveys)
        .zip(&heights)
        .map(|((panel, surveys), height)| {
            value_axis(panel, data_range(panel, surveys), labels_that_fit(style, *height))
        })
        .collect();
    let left = if bare { 0.0 } else { margin + side_width(style, panels) + widest_label(style, &axes) + 8.0 };
    let right = if bare { 0.0 } else { margin.max(style.text.size * 1.8).max(right::width(style, panels, &axes)) };
    let (width, canvas_width) = if picture.size.full {
        (asked_width, asked_width - left - right)
    } else {
        (asked_width + left + right, asked_width)
    };
    within_canvas("width", canvas_width, asked_width, WIDTHS.0)?;
    if !picture.size.full {
        (footer, foot) = size_footer(width);
    }
    let height = if picture.size.full { asked_height } else { head + canvas_height + foot };
    let pixels = width * height * picture.scale * picture.scale;
    within("pixels", pixels.round(), (1.0, MOST_PIXELS))?;
    let titles = if bare { Vec::new() } else { labels::titles(picture, style, left, width - margin - left) };
    let canvas = Rect { x: left.round(), y: head.round(), width: canvas_width.round(), height: heights[0] };
    Ok(Measured {
        width: width.round(),
        height: height.round(),
        canvas,
        heights,
        between,
        axes,
        titles,
        footer,
        explains,
    })
}

/// The canvas that is left of a full-size image must hold something too.
fn within_canvas(what: &'static str, canvas: f64, asked: f64, least: f64) -> Result<f64, ChartError> {
    if canvas >= least {
        return Ok(canvas);
    }
    Err(ChartError::Size { what, found: asked, least: (asked - canvas + least).ceil(), most: WIDTHS.1 })
}

fn share(panels: &[Panel], height: f64) -> Vec<f64> {
    let weight = |panel: &Panel| if panel.weight.is_finite() { panel.weight.clamp(0.05, 20.0) } else { 1.0 };
    let sum: f64 = panels.iter().map(weight).sum();
    panels.iter().map(|panel| (height * weight(panel) / sum).floor().max(1.0)).collect()
}

pub(crate) fn data_range(panel: &Panel, surveys: &[Survey]) -> Option<(f64, f64)> {
    let mut range: Option<(f64, f64)> = None;
    let mut include = |low: f64, high: f64| {
        range = Some(range.map_or((low, high), |(least, most): (f64, f64)| (least.min(low), most.max(high))));
    };
    let mut stacked = (0.0, 0.0);
    for (series, survey) in panel.series.iter().zip(surveys) {
        let Some((low, high)) = survey.range else { continue };
        let (below, above) = if series.stacked { stacked } else { (0.0, 0.0) };
        stacked = (below + low, above + high);
        include(low, high);
        include(stacked.0, stacked.1);
    }
    for rule in panel.rules.iter().filter(|rule| rule.kind == RuleKind::Limit && rule.value.abs() <= 1e300) {
        include(rule.value, rule.value);
    }
    range
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a canvas' height through a text's")]
fn labels_that_fit(style: &Style, height: f64) -> usize {
    // Room to breathe, but at least a few labels where they fit at all.
    let (airy, tight) = (height / (style.text.size * 4.2), height / (style.text.size * 2.2));
    airy.max(tight.min(4.0)).floor() as usize
}

fn widest_label(style: &Style, axes: &[ValueAxis]) -> f64 {
    let ticks = axes.iter().flat_map(|axis| &axis.ticks);
    ticks.map(|tick| style.text.width(&tick.text)).fold(0.0, f64::max).ceil()
}

fn side_width(style: &Style, panels: &[Panel]) -> f64 {
    if panels.iter().any(|panel| !panel.label.is_empty()) { (style.text.size * 1.7).round() } else { 0.0 }
}

fn titles_height(picture: &Picture, style: &Style) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let lines = picture.title.lines().count() as f64;
    let subtitle = if picture.subtitle.is_empty() { 0.0 } else { style.text.size * 1.5 };
    let after = if lines + subtitle > 0.0 { style.text.size * 0.6 } else { 0.0 };
    (lines * style.title.size * 1.3 + subtitle + after).round()
}
