//! The picture as SVG: plotters' backend for each group, with what that backend
//! has no word for: titles to point at, round joins, fractions of a pixel.

use plotters::backend::SVGBackend;

use crate::draw::{Group, Pen, draw, groups};
use crate::font::{UNITS, one_line};
use crate::layout::Layout;
use crate::{ChartError, Picture};

/// Text as it may stand in XML.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// What is said of a group when one points at it.
fn title(group: Group, picture: &Picture, layout: &Layout) -> Option<String> {
    match group {
        Group::Series(panel, index) => {
            let series = picture.panels.get(panel)?.series.get(index)?;
            Some(series.name.clone())
        }
        Group::Mark(index) => {
            let mark = layout.marks.lines.get(index)?;
            let time = picture.instant(mark.time);
            Some(format!("{} at {time}: {}", mark.kind.name(), mark.text))
        }
        Group::Ground | Group::Rules | Group::Texts => None,
    }
}

/// One group as plotters writes it, without the document around it.
fn body(group: Group, picture: &Picture, layout: &Layout, size: (u32, u32)) -> Result<String, ChartError> {
    let mut document = String::new();
    let mut backend = SVGBackend::with_string(&mut document, size);
    let drawn = draw(&mut Pen { backend: &mut backend, pixels_per_unit: 1.0 }, group, picture, layout);
    drop(backend);
    drawn?;
    let inner = document.split_once(">\n").map_or("", |(_, inner)| inner);
    Ok(inner.trim_end().trim_end_matches("</svg>").to_owned())
}

/// The whole document. Its lengths are in [`UNITS`], as the raster's are.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "layout() checked the size")]
pub(crate) fn document(picture: &Picture, layout: &Layout) -> Result<String, ChartError> {
    let size = ((layout.width * UNITS) as u32, (layout.height * UNITS) as u32);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" \
         stroke-linejoin=\"round\" stroke-linecap=\"round\">\n<title>{}</title>\n",
        layout.width,
        layout.height,
        size.0,
        size.1,
        escape(picture.title.lines().next().unwrap_or_default())
    );
    for group in groups(layout) {
        text.push_str("<g>\n");
        if let Some(title) = title(group, picture, layout) {
            text.push_str(&format!("<title>{}</title>\n", escape(&title)));
        }
        text.push_str(&body(group, picture, layout, size)?);
        text.push_str("</g>\n");
    }
    text.push_str("</svg>\n");
    Ok(text)
}
