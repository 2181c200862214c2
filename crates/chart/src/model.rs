//! What a picture shows, as plain values. Nothing here draws, reads a clock or
//! knows where the points came from.

use chrono::FixedOffset;

use crate::{Across, Color, Level, OwnColors, RightAxis, TextLine, Upright};

/// One picture: panels one below the other on one time axis, with a title above
/// and the numbers below.
///
/// `Picture::new` gives every field a good value; change those you care about.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The headline; several lines are allowed, each cut to the width with `…`.
    pub title: String,
    /// A smaller line below the title: run, target, span. Empty for none.
    pub subtitle: String,
    /// The left end of the time axis, in unix seconds.
    pub from: f64,
    /// The right end of the time axis, in unix seconds; later than `from`.
    pub to: f64,
    /// What the horizontal axis counts.
    pub across: Across,
    /// In which zone times of day are labelled.
    pub zone: Zone,
    /// Top to bottom. Without any an empty panel is drawn.
    pub panels: Vec<Panel>,
    /// Events, drawn through all panels.
    pub marks: Vec<Mark>,
    /// Said inside the picture: "no data since 14:03:07". When nothing is known
    /// at all and this is `None`, the picture says "no data yet".
    pub notice: Option<String>,
    /// Lines of text below the numbers. Usually empty.
    pub comments: Vec<String>,
    /// Lines of text with signs in them, below those.
    pub lines: Vec<TextLine>,
    /// Small and pale at the bottom. Empty for none.
    pub watermark: String,
    /// Colours in place of the theme's.
    pub colors: OwnColors,
    /// How large the picture is.
    pub size: Size,
    /// Light or dark.
    pub theme: Theme,
    /// The typeface and its size.
    pub font: Font,
    /// What surrounds the plot area.
    pub frame: Frame,
    /// Pixels per unit of length: 2.0 for sharp screens. 0.5 to 4.0. PNG only:
    /// an SVG is sharp at any scale.
    pub scale: f64,
}

impl Picture {
    /// A picture of the canvas size 800 × 600 with nothing in it.
    #[must_use]
    pub fn new(title: impl Into<String>, from: f64, to: f64) -> Picture {
        Picture {
            title: title.into(),
            subtitle: String::new(),
            from,
            to,
            across: Across::Clock,
            zone: Zone::Local,
            panels: Vec::new(),
            marks: Vec::new(),
            notice: None,
            comments: Vec::new(),
            lines: Vec::new(),
            watermark: String::new(),
            colors: OwnColors::default(),
            size: Size::default(),
            theme: Theme::Light,
            font: Font::default(),
            frame: Frame::Whole,
            scale: 1.0,
        }
    }
}

/// Width and height in pixels (before `scale`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Of the canvas or of the image, 40 to 16,384.
    pub width: u32,
    /// Of the canvas or of the image, 20 to 16,384; all panels share it.
    pub height: u32,
    /// `false`: width and height are those of the canvas, as with `rrdtool
    /// graph`, and the image is larger. `true`: they are those of the image.
    pub full: bool,
}

impl Default for Size {
    fn default() -> Size {
        Size { width: 800, height: 600, full: false }
    }
}

/// What is drawn around the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Frame {
    /// Title, axes, marks, numbers.
    #[default]
    Whole,
    /// All but the numbers and legends below.
    NoLegend,
    /// The canvas alone: thumbnails.
    Bare,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Dark ink on white.
    #[default]
    Light,
    /// Light ink on near-black.
    Dark,
}

/// The typeface, embedded: the same picture on every machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Font {
    /// Which of the embedded typefaces.
    pub family: Family,
    /// Size of the axis labels in pixels, 6 to 48; all other texts follow it.
    pub size: f64,
}

impl Default for Font {
    fn default() -> Font {
        Font { family: Family::Sans, size: 13.0 }
    }
}

/// An embedded typeface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Family {
    /// DejaVu Sans.
    #[default]
    Sans,
    /// DejaVu Sans Mono.
    Mono,
}

/// In which zone times are labelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zone {
    /// The machine's own, with its changes to and from summer time.
    #[default]
    Local,
    /// UTC.
    Utc,
    /// A fixed distance from UTC.
    Fixed(FixedOffset),
}

/// One plot area with its own value axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Written along the value axis. Empty for none.
    pub label: String,
    /// What the values are.
    pub unit: Unit,
    /// Where the value axis begins and ends when the limits below do not say.
    pub baseline: Baseline,
    /// The least value at the bottom; lower data widens the axis unless `rigid`.
    pub lower: Option<f64>,
    /// The greatest value at the top; greater data widens the axis unless `rigid`.
    pub upper: Option<f64>,
    /// `lower` and `upper` hold whatever the data do.
    pub rigid: bool,
    /// Drawn in this order; the later ones lie above.
    pub series: Vec<Series>,
    /// Lines across at a fixed value: a limit, a threshold.
    pub rules: Vec<Rule>,
    /// Lines across at a fixed value, without a word.
    pub levels: Vec<Level>,
    /// Lines upwards at an instant.
    pub uprights: Vec<Upright>,
    /// What the values mean at the right.
    pub right: Option<RightAxis>,
    /// The power of ten, or of 1024 for each three, by which all ticks are
    /// written; `None`: by what reads well. Not for times and hundredths.
    pub exponent: Option<i32>,
    /// Events of this panel alone, drawn as short ticks at its bottom edge:
    /// collections.
    pub ticks: Vec<Mark>,
    /// Share of the height, relative to the other panels. Usually 1.0.
    pub weight: f64,
}

impl Panel {
    /// An empty panel of this unit.
    #[must_use]
    pub fn new(label: impl Into<String>, unit: Unit) -> Panel {
        Panel {
            label: label.into(),
            unit,
            baseline: Baseline::Zero,
            lower: None,
            upper: None,
            rigid: false,
            series: Vec::new(),
            rules: Vec::new(),
            levels: Vec::new(),
            uprights: Vec::new(),
            right: None,
            exponent: None,
            ticks: Vec::new(),
            weight: 1.0,
        }
    }
}

/// Where the value axis begins: `--y auto|zero`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Baseline {
    /// Zero is always visible: areas do not mislead.
    #[default]
    Zero,
    /// As near to the data as reads well: slow changes become visible.
    Auto,
}

/// What a value is, which decides how it is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Unit {
    /// A size: B, KiB, MiB, GiB …, by 1024.
    Bytes,
    /// A rate of sizes: B/s, KiB/s …
    BytesPerSecond,
    /// A number of things: 12, 1.5 k, 3 M, by 1000.
    Count,
    /// A rate: 12/s, 1.5 k/s.
    PerSecond,
    /// A duration in milliseconds.
    Milliseconds,
    /// Hundredths.
    Percent,
    /// A bare number.
    #[default]
    Plain,
    /// A number followed by this name.
    Named(String),
}

impl Unit {
    /// The unit that a store's unit text means; an unknown text names itself.
    #[must_use]
    pub fn from_name(name: &str) -> Unit {
        match name.trim() {
            "" => Unit::Plain,
            "bytes" | "B" => Unit::Bytes,
            "bytes per second" | "B/s" => Unit::BytesPerSecond,
            "count" => Unit::Count,
            "per second" | "1/s" => Unit::PerSecond,
            "ms" | "milliseconds" => Unit::Milliseconds,
            "%" | "percent" => Unit::Percent,
            other => Unit::Named(other.to_owned()),
        }
    }
}

/// One named sequence of points.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// As in the legend. Any text: it is escaped where it must be.
    pub name: String,
    /// `None`: the palette's next colour.
    pub color: Option<Color>,
    /// Whose turn in the palette it has, from 0: series of one turn have one colour. `None`: its place in the picture.
    pub turn: Option<usize>,
    /// How it is drawn.
    pub style: Style,
    /// How much of the ground an area hides, 0.0 to 1.0, besides the colour's own opacity; `None`: the theme's, so that
    /// the grid shines through, with a line above.
    pub opacity: Option<f64>,
    /// How two points are joined.
    pub join: Join,
    /// Laid on top of the series before it in the panel.
    pub stacked: bool,
    /// Ascending in time. A time that is not later than the one before is
    /// skipped.
    pub points: Vec<Point>,
    /// Length of the span that each point stands for, in seconds; it ends at the
    /// point's time. Where two points are further apart, the series is unknown
    /// between them. 0.0: taken from the smallest distance between two points.
    pub row_width: f64,
    /// Whether it has its row of numbers below the picture.
    pub numbers: bool,
}

impl Series {
    /// An area with its line above, in the palette's colour.
    #[must_use]
    pub fn area(name: impl Into<String>, points: Vec<Point>, row_width: f64) -> Series {
        Series {
            name: name.into(),
            color: None,
            turn: None,
            style: Style::Area,
            opacity: None,
            join: Join::Slope,
            stacked: false,
            points,
            row_width,
            numbers: true,
        }
    }

    /// A line, in the palette's colour.
    #[must_use]
    pub fn line(name: impl Into<String>, points: Vec<Point>, row_width: f64) -> Series {
        Series { style: Style::line(), ..Series::area(name, points, row_width) }
    }
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Style {
    /// Filled down to the base of the axis, with a line at its top.
    Area,
    /// A line.
    Line {
        /// In pixels, 0.5 to 20.
        width: f64,
        /// `None`: solid for the first series of a panel, then patterns that tell
        /// lines apart without colour and, where colours begin again, with it.
        dash: Option<Dash>,
    },
}

impl Style {
    /// The usual line.
    #[must_use]
    pub const fn line() -> Style {
        Style::Line { width: 1.75, dash: None }
    }
}

/// The pattern of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dash {
    /// Unbroken.
    Solid,
    /// Long strokes.
    Dashed,
    /// Dots.
    Dotted,
    /// Stroke, dot, stroke.
    DashDot,
}

/// How two neighbouring points are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Join {
    /// By a straight line between the middles of their rows.
    #[default]
    Slope,
    /// By steps: each value holds over its row.
    Steps,
    /// By a straight line from time to time whatever the distance: trends.
    Through,
}

/// One row of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// The end of the row, in unix seconds.
    pub time: f64,
    /// The row's average; `None` (or no number) is unknown.
    pub value: Option<f64>,
    /// The row's least value, where known: the band's lower edge.
    pub low: Option<f64>,
    /// The row's greatest value, where known: the band's upper edge.
    pub high: Option<f64>,
}

impl Point {
    /// A point with no band of its own.
    #[must_use]
    pub const fn new(time: f64, value: Option<f64>) -> Point {
        Point { time, value, low: None, high: None }
    }
}

/// A line across a panel at a fixed value.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// In the panel's unit. One that is not finite is not drawn.
    pub value: f64,
    /// Written at the line; the value follows it.
    pub label: String,
    /// What it says.
    pub kind: RuleKind,
    /// `None`: the theme's colour for the kind.
    pub color: Option<Color>,
}

/// What a rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// A limit at which the program dies. The axis reaches up to it.
    Limit,
    /// The floor after collections.
    Floor,
    /// Any other value worth seeing.
    Other,
}

/// An event at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// In unix seconds. Outside the picture it is not drawn.
    pub time: f64,
    /// What happened, which decides colour and glyph.
    pub kind: MarkKind,
    /// Written beside the glyph where there is room; the hover title in SVG.
    pub label: String,
}

/// What happened at a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarkKind {
    /// The program ran out of memory.
    OutOfMemory,
    /// A tab, a browser or the target died.
    Crash,
    /// A signal ended the target.
    Signal,
    /// The target ended by itself.
    Exit,
    /// The target did little but collect garbage.
    Thrashing,
    /// The target did not answer.
    Unresponsive,
    /// It was started again.
    Restart,
    /// Samples were lost.
    Gap,
    /// A recording began.
    Start,
    /// A recording ended.
    End,
    /// A heap snapshot was taken.
    Snapshot,
    /// Anything else.
    Other,
    /// A page was opened.
    Navigation,
    /// The garbage collector ran: a tick at the bottom, without a glyph.
    Collection,
}
