//! rrdtool's options for a graph of elements, as clap reads them, and the settings that they become.

use clap::Args;
use heapsoak_chart::{Baseline, Family, Font, Frame, OwnColors, RightAxis};
use heapsoak_cli::duration::parse_period;

use super::draw::{Look, Page};
use super::words;
use crate::destination::ImageFormat;

/// Pixels of a point: rrdtool draws at 100 points of an image to 72 of print.
const PIXELS_PER_POINT: f64 = 100.0 / 72.0;

/// What rrdtool has and grapher has not for pictures of its own.
#[derive(Debug, Clone, Default, PartialEq, Args)]
#[command(next_help_heading = "With elements (DEF, AREA …), as in rrdtool")]
pub(crate) struct Options {
    /// The least length of a row [default: a pixel]
    #[arg(long, short = 'S', value_name = "DURATION", value_parser = step)]
    step: Option<i64>,
    /// 1000 or 1024: of the prefixes k, M, G [default: 1000 in texts, the axis by the store's unit]
    #[arg(long, short, value_name = "NUMBER", value_parser = base)]
    base: Option<f64>,
    /// The least value at the bottom; lower data widen the axis without --rigid
    #[arg(long, short, value_name = "VALUE", value_parser = value, allow_hyphen_values = true)]
    lower_limit: Option<f64>,
    /// The greatest value at the top; greater data widen the axis without --rigid
    #[arg(long, short, value_name = "VALUE", value_parser = value, allow_hyphen_values = true)]
    upper_limit: Option<f64>,
    /// Let the limits hold whatever the data do
    #[arg(long, short)]
    rigid: bool,
    /// The power of ten by which the axis is written: 3 for k, 6 for M, -3 for m
    #[arg(long, short = 'X', value_name = "POWER", value_parser = exponent, allow_hyphen_values = true)]
    units_exponent: Option<i32>,
    /// Written along the value axis
    #[arg(long, short = 'v', value_name = "TEXT")]
    vertical_label: Option<String>,
    /// Join the rows by straight lines instead of steps
    #[arg(long, short = 'E')]
    slope_mode: bool,
    /// PNG or SVG
    #[arg(long, short = 'a', value_name = "FORMAT", value_parser = image_format)]
    imgformat: Option<ImageFormat>,
    /// Draw only if a pixel's time has passed since the picture was drawn, or its stores have changed
    #[arg(long, short = 'z')]
    lazy: bool,
    /// BACK, CANVAS, GRID, MGRID, FONT or AXIS, and a colour; may be repeated
    #[arg(long, short, value_name = "TAG#RRGGBB", value_parser = tagged_color)]
    color: Vec<TaggedColor>,
    /// The size of all texts in points, and perhaps monospace
    #[arg(long, short = 'n', value_name = "DEFAULT:SIZE[:FAMILY]", value_parser = font)]
    font: Option<Font>,
    /// Small and pale at the bottom
    #[arg(long, short = 'W', value_name = "TEXT")]
    watermark: Option<String>,
    /// The canvas alone
    #[arg(long, short = 'j')]
    only_graph: bool,
    /// No texts below the axis
    #[arg(long, short = 'g')]
    no_legend: bool,
    /// A second axis at the right, whose values are those of the left times SCALE plus SHIFT
    #[arg(long, value_name = "SCALE:SHIFT", value_parser = right_axis, allow_hyphen_values = true)]
    right_axis: Option<(f64, f64)>,
    /// Written along the second axis
    #[arg(long, value_name = "TEXT", requires = "right_axis")]
    right_axis_label: Option<String>,
}

impl Options {
    /// Whether none of them is given.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn lazy(&self) -> bool {
        self.lazy
    }

    pub(crate) fn step_us(&self) -> Option<i64> {
        self.step
    }

    pub(crate) fn image_format(&self) -> Option<ImageFormat> {
        self.imgformat
    }

    /// Fails where zero is to be seen, and a limit keeps it out: one of them would do nothing.
    pub(crate) fn check(&self, baseline: Option<Baseline>) -> anyhow::Result<()> {
        if baseline != Some(Baseline::Zero) {
            return Ok(());
        }
        let without = [
            ("lower", "above", self.lower_limit.filter(|limit| *limit > 0.0)),
            ("upper", "below", self.upper_limit.filter(|limit| *limit < 0.0)),
        ];
        match without {
            [(end, side, Some(limit)), _] | [_, (end, side, Some(limit))] => {
                anyhow::bail!("--y zero shows zero, and --{end}-limit {limit} is {side} it: leave out one of them")
            }
            _ => Ok(()),
        }
    }

    /// How the picture looks.
    pub(crate) fn look(self, page: Page) -> Look {
        let label = self.right_axis_label.unwrap_or_default();
        Look {
            page,
            base: self.base,
            lower: self.lower_limit,
            upper: self.upper_limit,
            rigid: self.rigid,
            exponent: self.units_exponent,
            vertical_label: self.vertical_label.unwrap_or_default(),
            watermark: self.watermark.unwrap_or_default(),
            slope: self.slope_mode,
            font: self.font.unwrap_or_default(),
            frame: match (self.only_graph, self.no_legend) {
                (true, _) => Frame::Bare,
                (false, true) => Frame::NoLegend,
                (false, false) => Frame::Whole,
            },
            right: self.right_axis.map(|(scale, shift)| RightAxis { scale, shift, label }),
            colors: own_colors(&self.color),
        }
    }
}

fn own_colors(tagged: &[TaggedColor]) -> OwnColors {
    let mut own = OwnColors::default();
    for TaggedColor { tag, color } in tagged {
        let place = match tag {
            Tag::Back => &mut own.back,
            Tag::Canvas => &mut own.canvas,
            Tag::Grid => &mut own.grid,
            Tag::Font => &mut own.font,
            Tag::Axis => &mut own.axis,
        };
        *place = Some(*color);
    }
    own
}

/// A part of the picture, and its colour.
#[derive(Debug, Clone, Copy, PartialEq)]
struct TaggedColor {
    tag: Tag,
    color: heapsoak_chart::Color,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Tag {
    Back,
    Canvas,
    Grid,
    Font,
    Axis,
}

fn tagged_color(text: &str) -> Result<TaggedColor, String> {
    let Some((name, color)) = text.split_once('#') else {
        return Err("write a name and a colour, as in BACK#ffffff".to_owned());
    };
    let tag = match name {
        "BACK" => Tag::Back,
        "CANVAS" => Tag::Canvas,
        "GRID" | "MGRID" => Tag::Grid,
        "FONT" => Tag::Font,
        "AXIS" => Tag::Axis,
        "SHADEA" | "SHADEB" => return Err(format!("{name} colours a raised border, and there is none: leave it out")),
        "FRAME" => return Err("FRAME colours a line around the signs, and there is none: leave it out".to_owned()),
        "ARROW" => return Err("ARROW colours the heads of the axes, and there are none: leave it out".to_owned()),
        other => return Err(format!("{other} is none of BACK, CANVAS, GRID, MGRID, FONT, AXIS")),
    };
    match words::color(color) {
        Some(color) => Ok(TaggedColor { tag, color }),
        None => Err(format!("`#{color}` is no colour: write #rrggbb or #rrggbbaa")),
    }
}

fn font(text: &str) -> Result<Font, String> {
    let mut parts = text.splitn(3, ':');
    let (tag, size, family) = (parts.next().unwrap_or_default(), parts.next(), parts.next().unwrap_or_default());
    if tag != "DEFAULT" {
        let other = "all texts follow DEFAULT, as in DEFAULT:14:monospace";
        return Err(match tag {
            "TITLE" | "AXIS" | "UNIT" | "LEGEND" | "WATERMARK" => {
                format!("{tag} has no size or family of its own: {other}")
            }
            _ => format!("`{tag}` is no kind of text: {other}"),
        });
    }
    let mut font = Font::default();
    match size.unwrap_or_default() {
        "" | "0" => {}
        points => match words::number(points).map(|points| points * PIXELS_PER_POINT) {
            Some(pixels) if (6.0..=48.0).contains(&pixels) => font.size = pixels.round(),
            _ => return Err(format!("`{points}` is no size of a text: use 5 to 34 points")),
        },
    }
    let lower = family.to_lowercase();
    let is = |names: &[&str]| names.iter().any(|name| lower.contains(name));
    font.family = match () {
        () if is(&["mono", "courier", "consol", "fixed", "typewriter"]) => Family::Mono,
        () if lower.is_empty() || is(&["sans", "dejavu", "helvetica", "arial", "verdana"]) => Family::Sans,
        () => return Err(format!("the typeface {family} is not built in: use sans or monospace")),
    };
    Ok(font)
}

fn step(text: &str) -> Result<i64, String> {
    let step = parse_period(text).map_err(|error| error.to_string())?;
    Ok(i64::try_from(step.as_micros()).unwrap_or(i64::MAX))
}

fn base(text: &str) -> Result<f64, String> {
    match text {
        "1000" => Ok(1000.0),
        "1024" => Ok(1024.0),
        _ => Err("the prefixes go by 1000 or by 1024".to_owned()),
    }
}

fn value(text: &str) -> Result<f64, String> {
    words::number(text).filter(|value| value.is_finite()).ok_or_else(|| "write a number, as in 60e6".to_owned())
}

fn exponent(text: &str) -> Result<i32, String> {
    let power = text.parse().ok().filter(|power| (-18..=18).contains(power) && power % 3 == 0);
    power.ok_or_else(|| "use a multiple of three from -18 to 18".to_owned())
}

fn image_format(text: &str) -> Result<ImageFormat, String> {
    match text {
        "PNG" => Ok(ImageFormat::Png),
        "SVG" => Ok(ImageFormat::Svg),
        "PDF" | "EPS" => Err(format!("{text} is not made: use SVG, which every program for PDF or EPS reads")),
        "XML" | "XMLENUM" | "JSON" | "JSONTIME" | "CSV" | "TSV" | "SSV" => Err(format!(
            "{text} is rrdtool's own listing: --format json or csv writes what is drawn, `grapher fetch` and `grapher export` the rows"
        )),
        other => Err(format!("{other} is neither PNG nor SVG")),
    }
}

fn right_axis(text: &str) -> Result<(f64, f64), String> {
    let found = text.split_once(':').and_then(|(scale, shift)| Some((value(scale).ok()?, value(shift).ok()?)));
    found
        .filter(|(scale, _)| *scale != 0.0)
        .ok_or_else(|| "write two numbers, as in 0.001:0; the first is not 0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_in_points_becomes_pixels_and_other_typefaces_are_refused() {
        assert_eq!(font("DEFAULT:14:monospace"), Ok(Font { family: Family::Mono, size: 19.0 }));
        assert_eq!(font("DEFAULT:0:Courier New"), Ok(Font { family: Family::Mono, ..Font::default() }));
        assert_eq!(font("DEFAULT:8"), Ok(Font { size: 11.0, ..Font::default() }));
        for wrong in ["DEFAULT:1", "DEFAULT:nan", "DEFAULT:8:Comic", "LEGEND:8", "X", ""] {
            assert!(font(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_there_is_none_of_is_refused_by_name() {
        for (text, name) in
            [("SHADEA#fff", "SHADEA"), ("ARROW#fff", "ARROW"), ("X#fff", "X"), ("BACK#x", "`#x`"), ("BACK", "BACK#")]
        {
            assert!(tagged_color(text).unwrap_err().contains(name), "{text}");
        }
        for format in ["PDF", "JSON", "gif"] {
            assert!(image_format(format).unwrap_err().contains(format));
        }
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        assert_eq!(right_axis("0.5:-3"), Ok((0.5, -3.0)));
        assert!(["0:1", "1", "a:b", "inf:0", ":"].iter().all(|text| right_axis(text).is_err()));
        assert!(["", "inf", "1e999", "nan", "x"].iter().all(|text| value(text).is_err()));
        assert!(["4", "21", "x", "1e1"].iter().all(|text| exponent(text).is_err()));
        assert!(base("512").is_err());
    }
}
