//! Points in, picture out.
//!
//! A [`Picture`] is plain values: panels one below the other on one time axis,
//! each with its series, lines across, and the events drawn through all of them.
//! [`layout()`] decides where everything goes, without drawing: it is what tests
//! look at. [`png()`] and [`svg()`] draw that layout with plotters, [`term()`] a
//! coarser one with characters.
//!
//! Nothing here reads a clock, a file or a font of the machine: the typefaces are
//! embedded, and the same picture comes out everywhere (in the zone asked for).
//! Unknown values are gaps, never zero; so is what is not a finite number.
//!
//! ```
//! use heapsoak_chart::{Panel, Picture, Point, Series, Unit};
//!
//! let heap = (0..200).map(|i| Point::new(f64::from(i) * 3.0, Some(8e6 + f64::from(i % 20) * 1e6)));
//! let mut panel = Panel::new("bytes", Unit::Bytes);
//! panel.series.push(Series::area("heap_used", heap.collect(), 3.0));
//! let mut picture = Picture::new("Used heap size", 0.0, 600.0);
//! picture.panels.push(panel);
//! let file = heapsoak_chart::png(&picture)?;
//! assert!(file.starts_with(b"\x89PNG"));
//! # Ok::<(), heapsoak_chart::ChartError>(())
//! ```

mod across;
mod color;
mod draw;
mod encode;
mod error;
mod font;
mod layout;
mod model;
mod parts;
mod raster;
mod rows;
mod svg;
mod term;
mod theme;
mod time;
mod value;

pub use across::Across;
pub use color::Color;
pub use error::ChartError;
pub use layout::{
    Anchor, Footer, Gap, Label, Layout, LevelLine, MarkLine, Marks, Notice, PanelLayout, Reach, Rect, RuleLine, Stroke,
    Swatch, Trace, UprightLine, layout,
};
pub use model::{
    Baseline, Dash, Family, Font, Frame, Join, Mark, MarkKind, Panel, Picture, Point, Rule, RuleKind, Series, Size,
    Style, Theme, Unit, Zone,
};
pub use parts::{Align, Level, OwnColors, RightAxis, Sign, TextEntry, TextLine, Upright};
pub use rows::{Numbers, numbers};
pub use term::{Terminal, term};
pub use theme::HUES;
pub use time::{TimeAxis, TimeTick, format_span, time_axis};
pub use value::{ValueAxis, ValueTick, format_value, value_axis};

/// Draws the picture and encodes it as PNG.
///
/// # Errors
/// When the size or the span of the picture cannot be drawn. Data never fail.
pub fn png(picture: &Picture) -> Result<Vec<u8>, ChartError> {
    let layout = layout(picture)?;
    let mut raster = raster::Raster::new(&layout, picture.scale);
    let pixels_per_unit = raster.pixels_per_unit();
    for group in draw::groups(&layout) {
        draw::draw(&mut draw::Pen { backend: &mut raster, pixels_per_unit }, group, picture, &layout)?;
    }
    let (width, height, pixels) = raster.into_pixels();
    encode::encode(width, height, &pixels)
}

/// Draws the picture as an SVG document: texts are text, and what one points at
/// tells its name.
///
/// # Errors
/// When the size or the span of the picture cannot be drawn. Data never fail.
pub fn svg(picture: &Picture) -> Result<String, ChartError> {
    svg::document(picture, &layout(picture)?)
}
