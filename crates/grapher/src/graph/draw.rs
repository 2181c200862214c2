//! From a script that was worked out to a picture.

use heapsoak_chart::{
    Align, Baseline, Color, Dash, Font, Frame, Join, Level, OwnColors, Panel, Picture, Point, RightAxis, Series, Sign,
    Size, Style, TextEntry, TextLine, Theme, Unit, Upright,
};

use super::data::Scope;
use super::elements::{Of, Part, Script, Shape};
use super::rows::Rows;
use super::text::{Control, control};
use super::work::Worked;
use crate::picture::seconds;

/// What every picture has.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) size: Size,
    pub(crate) scale: f64,
    pub(crate) theme: Theme,
    /// `None`: by the unit.
    pub(crate) baseline: Option<Baseline>,
}

/// How the picture looks, whatever it shows.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) page: Page,
    pub(crate) vertical_label: String,
    pub(crate) watermark: String,
    pub(crate) colors: OwnColors,
    pub(crate) font: Font,
    pub(crate) frame: Frame,
    /// `None`: 1000, and the axis by the unit that the store gives.
    pub(crate) base: Option<f64>,
    pub(crate) lower: Option<f64>,
    pub(crate) upper: Option<f64>,
    pub(crate) rigid: bool,
    pub(crate) exponent: Option<i32>,
    /// Straight lines from row to row instead of steps.
    pub(crate) slope: bool,
    pub(crate) right: Option<RightAxis>,
}

/// The picture of a script.
pub(crate) fn picture(script: &Script, worked: &Worked, look: &Look, scope: Scope) -> Picture {
    let page = &look.page;
    let mut picture = Picture::new(page.title.clone(), seconds(scope.span.start_us), seconds(scope.span.end_us));
    (picture.size, picture.scale, picture.theme) = (page.size, page.scale, page.theme);
    picture.colors = look.colors;
    picture.font = look.font;
    picture.frame = look.frame;
    picture.watermark = look.watermark.clone();
    picture.notice = worked.notice.clone();
    picture.lines = Texts::of(script, worked);
    picture.panels = vec![panel(script, worked, look, scope)];
    picture
}

fn panel(script: &Script, worked: &Worked, look: &Look, scope: Scope) -> Panel {
    let mut panel = Panel::new(look.vertical_label.clone(), unit(script, worked, look.base));
    // An area of bytes that is cut off at the bottom misleads, unless somebody said where to cut.
    let from_zero = panel.unit == Unit::Bytes && look.lower.is_none();
    panel.baseline = look.page.baseline.unwrap_or(if from_zero { Baseline::Zero } else { Baseline::Auto });
    (panel.lower, panel.upper, panel.rigid) = (look.lower, look.upper, look.rigid);
    panel.exponent = look.exponent;
    panel.right = look.right.clone();
    // Who writes no text at all gets the numbers; who writes some wants those.
    let silent = !script.parts.iter().any(has_text);
    let mut told: Vec<Of> = Vec::new();
    for part in &script.parts {
        match part {
            Part::Shape(shape) => {
                let mut series = series(script, worked, shape, look.slope, scope);
                series.numbers = silent && shape.color.is_some() && !told.contains(&shape.of);
                told.push(shape.of);
                panel.series.push(series);
            }
            Part::Across(rule) => {
                let value = constant(worked, rule.at).unwrap_or(f64::NAN);
                let dash = rule.dash.unwrap_or(Dash::Solid);
                panel.levels.push(Level { value, color: rule.color, dash });
            }
            Part::Upright(rule) => {
                let time = instant(worked, rule.at);
                let dash = rule.dash.unwrap_or(Dash::Solid);
                panel.uprights.extend(time.map(|time| Upright { time, from: 0.0, to: 1.0, color: rule.color, dash }));
            }
            Part::Tick { of, share, color, .. } => panel.uprights.extend(ticks(worked.rows(*of), *share, *color)),
            Part::Comment(_) | Part::Written(_) | Part::Printed(_) | Part::Align(_) => {}
        }
    }
    panel
}

fn has_text(part: &Part) -> bool {
    match part {
        Part::Shape(shape) => !shape.legend.is_empty(),
        Part::Across(rule) | Part::Upright(rule) => !rule.legend.is_empty(),
        Part::Tick { legend, .. } => !legend.is_empty(),
        Part::Comment(_) | Part::Written(_) => true,
        Part::Printed(_) | Part::Align(_) => false,
    }
}

/// The unit that all sequences drawn have in common. With a base of its own the axis is written by that.
fn unit(script: &Script, worked: &Worked, base: Option<f64>) -> Unit {
    match base {
        Some(1024.0) => return Unit::Bytes,
        Some(_) => return Unit::Plain,
        None => {}
    }
    let drawn = script.parts.iter().filter_map(|part| match part {
        Part::Shape(Shape { of: Of::Rows(index), .. }) => Some(worked.unit(*index)),
        _ => None,
    });
    let mut units: Vec<Option<&Unit>> = drawn.collect();
    units.dedup();
    match units.as_slice() {
        [Some(unit)] => (*unit).clone(),
        _ => Unit::Plain,
    }
}

fn constant(worked: &Worked, of: Of) -> Option<f64> {
    match of {
        Of::Constant(value) => Some(value),
        Of::Single(index) => worked.single(index).map(|single| single.value),
        Of::Rows(_) => None,
    }
}

fn instant(worked: &Worked, of: Of) -> Option<f64> {
    match of {
        Of::Single(index) => worked.single(index)?.when_us.map(seconds),
        of => constant(worked, of),
    }
}

fn series(script: &Script, worked: &Worked, shape: &Shape, slope: bool, scope: Scope) -> Series {
    let (points, row_width, join) = match (shape.of, constant(worked, shape.of)) {
        (Of::Rows(index), _) => {
            let rows = worked.rows(index);
            let points = rows.map_or_else(Vec::new, points);
            let join = if slope { Join::Slope } else { Join::Steps };
            (points, rows.map_or(0.0, |rows| seconds(rows.step_us)), join)
        }
        (_, value) => {
            let ends = [scope.span.start_us, scope.span.end_us];
            let point = |time_us| Point::new(seconds(time_us), value.filter(|value| value.is_finite()));
            (ends.into_iter().map(point).collect(), 0.0, Join::Through)
        }
    };
    let name = match shape.of {
        Of::Rows(index) | Of::Single(index) => script.definitions.get(index).map(|found| found.name.clone()),
        Of::Constant(value) => Some(value.to_string()),
    };
    let mut series = Series::area(name.unwrap_or_default(), points, row_width);
    series.join = join;
    series.stacked = shape.stacked;
    let hidden = Color { alpha: 0, ..Color::RED };
    let color = shape.color.filter(|_| shape.width != Some(0.0)).unwrap_or(hidden);
    series.color = Some(color);
    match shape.width {
        Some(width) => series.style = Style::Line { width, dash: Some(shape.dash.unwrap_or(Dash::Solid)) },
        // Who says how much shines through is obeyed.
        None => series.opacity = (color.alpha < 255).then_some(1.0),
    }
    series
}

fn points(rows: &Rows) -> Vec<Point> {
    let point = |(index, value): (usize, &f64)| {
        Point::new(seconds(rows.end_of(index + 1)), Some(*value).filter(|value| value.is_finite()))
    };
    rows.values.iter().enumerate().map(point).collect()
}

fn ticks(rows: Option<&Rows>, share: f64, color: Color) -> Vec<Upright> {
    let (from, to) = if share < 0.0 { (1.0, 1.0 + share) } else { (0.0, share) };
    let Some(rows) = rows else { return Vec::new() };
    let known = rows.values.iter().enumerate().filter(|(_, value)| !value.is_nan() && **value != 0.0);
    known
        .map(|(index, _)| Upright { time: seconds(rows.end_of(index + 1)), from, to, color, dash: Dash::Solid })
        .collect()
}

/// The texts below the picture: legends, comments and numbers, in their order and lines.
#[derive(Default)]
struct Texts {
    lines: Vec<TextLine>,
    entries: Vec<TextEntry>,
    align: Align,
}

impl Texts {
    fn of(script: &Script, worked: &Worked) -> Vec<TextLine> {
        let mut texts = Self::default();
        let mut written = worked.written.iter();
        for part in &script.parts {
            match part {
                Part::Shape(shape) => texts.add(&shape.legend, shape.color.map(|color| sign(shape, color))),
                Part::Across(rule) | Part::Upright(rule) => {
                    let dash = rule.dash.unwrap_or(Dash::Solid);
                    texts.add(&rule.legend, Some(Sign { color: rule.color, line: Some(1.5), dash, solid: false }));
                }
                Part::Tick { legend, color, .. } => {
                    texts.add(legend, Some(Sign { color: *color, line: None, dash: Dash::Solid, solid: true }));
                }
                Part::Comment(text) => texts.add(text, None),
                Part::Written(_) => texts.add(written.next().map_or("", String::as_str), None),
                Part::Align(align) => texts.align = *align,
                Part::Printed(_) => {}
            }
        }
        texts.end(None);
        texts.lines
    }

    fn add(&mut self, text: &str, sign: Option<Sign>) {
        if text.is_empty() {
            return;
        }
        let (text, control) = control(text);
        let ends = matches!(control, Some(Control::End(_)));
        // An end of line alone is an empty line, but not behind a text.
        if !text.is_empty() || (ends && self.entries.is_empty()) {
            let glued = control == Some(Control::Glue);
            self.entries.push(TextEntry { sign, text: text.to_owned(), glued });
        }
        match control {
            Some(Control::End(align)) => self.end(align),
            Some(Control::Space) => {
                self.end(None);
                self.lines.push(TextLine { space: true, ..TextLine::default() });
            }
            Some(Control::Glue) | None => {}
        }
    }

    fn end(&mut self, align: Option<Align>) {
        if !self.entries.is_empty() {
            let entries = std::mem::take(&mut self.entries);
            self.lines.push(TextLine { entries, align: align.unwrap_or(self.align), space: false });
        }
    }
}

fn sign(shape: &Shape, color: Color) -> Sign {
    let dash = shape.dash.unwrap_or(Dash::Solid);
    // As it is drawn: an area whose opacity was chosen has no line above.
    Sign { color, line: shape.width.map(|width| width.max(1.5)), dash, solid: color.alpha < 255 }
}
