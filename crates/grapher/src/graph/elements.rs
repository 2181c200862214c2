//! What rrdtool's graph language says, as plain values: names with their data, and the parts of the picture.

use std::path::{Path, PathBuf};

use heapsoak_chart::{Align, Color, Dash};
use heapsoak_cli::time::TimeSpec;
use heapsoak_rrd::Cf;

use super::format::{Format, TimeFormat};
use super::rpn::Program;
use super::vdef::Function;

/// A picture as its words say it, in their order. Numbers in it are places in `definitions`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    pub(crate) definitions: Vec<Definition>,
    pub(crate) parts: Vec<Part>,
}

impl Script {
    /// The files that are read, each as often as it is named.
    pub(crate) fn stores(&self) -> impl Iterator<Item = &Path> {
        self.definitions.iter().filter_map(|definition| match &definition.what {
            What::Def(def) => Some(def.path.as_path()),
            _ => None,
        })
    }
}

/// A name and what it stands for.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    pub(crate) name: String,
    /// As it was written, for what is said of it.
    pub(crate) word: String,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Def(Def),
    Cdef(Program),
    Vdef { of: usize, function: Function },
}

/// DEF: rows of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Def {
    pub(crate) path: PathBuf,
    pub(crate) source: String,
    pub(crate) cf: Cf,
    /// The least length of a row; `None`: the picture's.
    pub(crate) step_us: Option<i64>,
    /// `None`: the picture's.
    pub(crate) start: Option<TimeSpec>,
    pub(crate) end: Option<TimeSpec>,
    /// How rows that are too short are made one.
    pub(crate) reduce: Cf,
}

/// What a part shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Of {
    Rows(usize),
    Single(usize),
    Constant(f64),
}

/// One part of the picture.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    /// LINE, AREA, STACK.
    Shape(Shape),
    /// HRULE.
    Across(Rule),
    /// VRULE.
    Upright(Rule),
    /// TICK: an upright for each row that is known and not zero; its height as a share, from the top if negative.
    Tick { of: usize, share: f64, color: Color, legend: String },
    /// COMMENT.
    Comment(String),
    /// GPRINT.
    Written(Number),
    /// PRINT.
    Printed(Number),
    /// TEXTALIGN.
    Align(Align),
}

impl Part {
    /// Whether it makes a picture; without such a part none is written, as with rrdtool.
    pub(crate) fn is_drawn(&self) -> bool {
        !matches!(self, Part::Comment(_) | Part::Printed(_) | Part::Align(_))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    /// `None`: an area.
    pub(crate) width: Option<f64>,
    pub(crate) of: Of,
    /// `None`: it is not seen, and carries what is stacked on it.
    pub(crate) color: Option<Color>,
    pub(crate) legend: String,
    pub(crate) stacked: bool,
    pub(crate) dash: Option<Dash>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    pub(crate) at: Of,
    pub(crate) color: Color,
    pub(crate) legend: String,
    pub(crate) dash: Option<Dash>,
}

/// PRINT and GPRINT.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Number {
    pub(crate) of: Of,
    /// For rows: how they become one.
    pub(crate) cf: Cf,
    pub(crate) format: NumberFormat,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NumberFormat {
    Value(Format),
    Time(TimeFormat),
}

/// The elements of the language.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Def,
    Cdef,
    Vdef,
    Line,
    Area,
    Stack,
    HRule,
    VRule,
    Tick,
    Comment,
    GPrint,
    Print,
    TextAlign,
    Shift,
    XPort,
}

/// The element that a word begins, and the digits in `LINE2`; `None`: the word is something else.
pub(crate) fn kind(word: &str) -> Option<(Kind, &str)> {
    let (head, _) = word.split_once(':')?;
    let kind = match head {
        "DEF" => Kind::Def,
        "CDEF" => Kind::Cdef,
        "VDEF" => Kind::Vdef,
        "AREA" => Kind::Area,
        "STACK" => Kind::Stack,
        "HRULE" => Kind::HRule,
        "VRULE" => Kind::VRule,
        "TICK" => Kind::Tick,
        "COMMENT" => Kind::Comment,
        "GPRINT" => Kind::GPrint,
        "PRINT" => Kind::Print,
        "TEXTALIGN" => Kind::TextAlign,
        "SHIFT" => Kind::Shift,
        "XPORT" => Kind::XPort,
        line => return line.strip_prefix("LINE").map(|width| (Kind::Line, width)),
    };
    Some((kind, ""))
}
