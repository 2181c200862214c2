//! Parts of a picture that somebody spells out one by one: lines of text with
//! signs in them, uprights, a second axis, own colours.

use crate::{Color, Dash};

/// A line of text below the picture; one that is too long is broken.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TextLine {
    /// From left to right. Spaces are kept.
    pub entries: Vec<TextEntry>,
    /// Where the line lies.
    pub align: Align,
    /// Whether half a line of space follows.
    pub space: bool,
}

/// Where a line lies in its width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// At the left.
    #[default]
    Left,
    /// At the right.
    Right,
    /// In the middle.
    Center,
    /// From the left to the right end, the space between the entries.
    Justified,
}

/// A text, perhaps with a sign before it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TextEntry {
    /// What it explains.
    pub sign: Option<Sign>,
    /// One line; spaces are kept.
    pub text: String,
    /// Whether the next entry follows without a space.
    pub glued: bool,
}

/// The sign before a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sign {
    /// Of what it explains.
    pub color: Color,
    /// `None`: a filled box. Else a piece of a line of this width in pixels.
    pub line: Option<f64>,
    /// The pattern of that line.
    pub dash: Dash,
    /// The box is as opaque as its colour; else it is that of an area, a line above a pale ground.
    pub solid: bool,
}

/// A thin line across a panel, of which nothing is written. The axis does not reach out for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// In the panel's unit. Outside the axis it is not drawn.
    pub value: f64,
    /// Its colour.
    pub color: Color,
    /// Its pattern.
    pub dash: Dash,
}

/// A line upwards at an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Upright {
    /// In unix seconds. Outside the picture it is not drawn.
    pub time: f64,
    /// Its foot, as a share of the height above the bottom: 0.0 to 1.0.
    pub from: f64,
    /// Its head, as a share of the height above the bottom: 0.0 to 1.0.
    pub to: f64,
    /// Its colour.
    pub color: Color,
    /// Its pattern.
    pub dash: Dash,
}

/// A second scale at the right: what the values of the left one mean there.
#[derive(Debug, Clone, PartialEq)]
pub struct RightAxis {
    /// The left value is multiplied by this; neither zero nor infinite.
    pub scale: f64,
    /// Added after that.
    pub shift: f64,
    /// Written along it. Empty for none.
    pub label: String,
}

/// Colours in place of the theme's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnColors {
    /// The ground of the image.
    pub back: Option<Color>,
    /// The ground of the plot areas.
    pub canvas: Option<Color>,
    /// The grid.
    pub grid: Option<Color>,
    /// All texts.
    pub font: Option<Color>,
    /// The axes.
    pub axis: Option<Color>,
}
