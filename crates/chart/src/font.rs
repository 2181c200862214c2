//! The embedded typefaces: measuring, cutting and drawing a line of text.
//!
//! plotters' own text drawing drops the space to the left of each glyph and
//! starts each at a whole pixel, which reads badly at 13 px. This is its
//! `BackendTextStyle` with the glyphs where the typeface puts them.

use std::sync::LazyLock;

use ab_glyph::{Font as _, FontRef, Glyph, GlyphId, InvalidFont, PxScale, ScaleFont as _, point};
use plotters_backend::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendTextStyle, FontFamily, FontStyle, FontTransform};

use crate::layout::{Anchor, Label};
use crate::{ChartError, Family};

/// Length units of both backends in one pixel: plotters' coordinates are whole
/// numbers, and a line needs to be placed finer than that.
pub(crate) const UNITS: f64 = 16.0;

/// From the top of a text, as the SVG backend places it, to its baseline.
pub(crate) const BASELINE_EM: f64 = 0.76;

/// More characters than any picture is wide; keeps a hostile name from costing time.
const MOST_CHARS: usize = 2_000;

type Face = LazyLock<Result<FontRef<'static>, InvalidFont>>;

static SANS: Face = LazyLock::new(|| FontRef::try_from_slice(dejavu::sans::regular()));
static SANS_BOLD: Face = LazyLock::new(|| FontRef::try_from_slice(dejavu::sans::bold()));
static MONO: Face = LazyLock::new(|| FontRef::try_from_slice(dejavu::sans_mono::regular()));
static MONO_BOLD: Face = LazyLock::new(|| FontRef::try_from_slice(dejavu::sans_mono::bold()));

fn face(family: Family, bold: bool) -> Option<&'static FontRef<'static>> {
    let face = match (family, bold) {
        (Family::Sans, false) => &SANS,
        (Family::Sans, true) => &SANS_BOLD,
        (Family::Mono, false) => &MONO,
        (Family::Mono, true) => &MONO_BOLD,
    };
    face.as_ref().ok()
}

#[expect(clippy::cast_possible_truncation, reason = "a text size of a few pixels")]
fn em(font: &FontRef<'_>, pixels: f64) -> PxScale {
    let units = font.units_per_em().unwrap_or(1000.0);
    PxScale::from(pixels as f32 * font.height_unscaled() / units)
}

/// A typeface at a size, for measuring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Type {
    pub(crate) family: Family,
    pub(crate) bold: bool,
    /// Of one em, in pixels.
    pub(crate) size: f64,
}

impl Type {
    /// Length of a line of text in pixels.
    pub(crate) fn width(self, text: &str) -> f64 {
        let mut end = 0.0;
        self.walk(text, |_, _, right| end = right);
        end
    }

    /// The text, or as much of it as fits with `…` behind.
    pub(crate) fn fit(self, text: &str, width: f64) -> String {
        let text = one_line(text);
        let mut rights = Vec::new();
        self.walk(&text, |_, _, right| rights.push(right));
        if rights.last().is_none_or(|&right| right <= width) {
            return text;
        }
        let room = width - self.width("…");
        let keep = rights.iter().take_while(|&&right| right <= room).count();
        let mut cut: String = text.chars().take(keep).collect();
        cut.truncate(cut.trim_end().len());
        if room >= 0.0 {
            cut.push('…');
        }
        cut
    }

    /// Calls `each` with the glyph, its start and its end for every character.
    fn walk(self, text: &str, mut each: impl FnMut(GlyphId, f64, f64)) {
        let Some(font) = face(self.family, self.bold) else { return };
        let scaled = font.as_scaled(em(font, self.size));
        let mut x = 0.0;
        let mut before = None;
        for glyph in text.chars().take(MOST_CHARS).map(|c| scaled.glyph_id(c)) {
            if let Some(before) = before {
                x += f64::from(scaled.kern(before, glyph));
            }
            let start = x;
            x += f64::from(scaled.h_advance(glyph));
            each(glyph, start, x);
            before = Some(glyph);
        }
    }
}

/// One line: control characters, line ends and direction overrides become
/// visible as `�` or a space, so that no name can disturb what is around it.
pub(crate) fn one_line(text: &str) -> String {
    text.trim().chars().take(MOST_CHARS).map(clean).collect()
}

pub(crate) fn clean(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' => ' ',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

/// A label as plotters' backends take it: size and position in [`UNITS`].
pub(crate) struct TextInk<'a> {
    label: &'a Label,
    family: &'static str,
    /// Pixels of the image per unit; 1.0 where the backend has no pixels.
    pixels_per_unit: f64,
}

impl<'a> TextInk<'a> {
    pub(crate) fn new(label: &'a Label, pixels_per_unit: f64) -> TextInk<'a> {
        let family = match label.typeface.family {
            Family::Sans => "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif",
            Family::Mono => "DejaVu Sans Mono, Menlo, Consolas, monospace",
        };
        TextInk { label, family, pixels_per_unit }
    }
}

impl BackendTextStyle for TextInk<'_> {
    type FontError = ChartError;

    fn color(&self) -> BackendColor {
        self.label.ink.into()
    }

    /// The SVG backend divides by 1.24 what it is told.
    fn size(&self) -> f64 {
        self.label.typeface.size * UNITS * 1.24
    }

    fn transform(&self) -> FontTransform {
        if self.label.turned { FontTransform::Rotate270 } else { FontTransform::None }
    }

    fn style(&self) -> FontStyle {
        if self.label.typeface.bold { FontStyle::Bold } else { FontStyle::Normal }
    }

    fn anchor(&self) -> Pos {
        let horizontal = match self.label.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        Pos::new(horizontal, VPos::Top)
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::Name(self.family)
    }

    /// In units, from the baseline's start.
    #[expect(clippy::cast_possible_truncation, reason = "a text is at most a few thousand pixels long")]
    fn layout_box(&self, text: &str) -> Result<((i32, i32), (i32, i32)), ChartError> {
        let width = self.label.typeface.width(text) * UNITS;
        Ok(((0, 0), (width.round() as i32, (self.label.typeface.size * UNITS).round() as i32)))
    }

    /// Draws at `pos`, the baseline's start in units; `draw` is given pixels of
    /// the image. A turned text runs upwards from there.
    #[expect(clippy::cast_possible_truncation, reason = "pixel positions of an image whose size is bounded")]
    fn draw<E, DrawFunc: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        text: &str,
        pos: BackendCoord,
        mut draw: DrawFunc,
    ) -> Result<Result<(), E>, ChartError> {
        let Some(font) = face(self.label.typeface.family, self.label.typeface.bold) else {
            return Err(ChartError::Drawing { doing: "drawn", cause: "the embedded font is damaged".to_owned() });
        };
        let pixels_per_px = self.pixels_per_unit * UNITS;
        let scale = em(font, self.label.typeface.size * pixels_per_px);
        let (x, y) = (f64::from(pos.0) * self.pixels_per_unit, f64::from(pos.1) * self.pixels_per_unit);
        // A baseline on a whole pixel keeps the feet of the letters sharp.
        let (along, base) = if self.label.turned { (-y, x.round()) } else { (x, y.round()) };
        let color = self.color();
        let mut result = Ok(());
        self.label.typeface.walk(text, |id, start, _| {
            let position = point((along + start * pixels_per_px) as f32, base as f32);
            let glyph = Glyph { id, scale, position };
            let Some(outlined) = font.outline_glyph(glyph) else { return };
            let bounds = outlined.px_bounds();
            let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
            outlined.draw(|dx, dy, coverage| {
                let (px, py) = (left + dx as i32, top + dy as i32);
                let (px, py) = if self.label.turned { (py, -px - 1) } else { (px, py) };
                if result.is_ok() && coverage > 0.004 {
                    result = draw(px, py, color.mix(f64::from(coverage)));
                }
            });
        });
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MarkKind;

    #[test]
    fn every_sign_is_in_the_typeface_and_no_two_are_alike() {
        let kinds = [
            MarkKind::OutOfMemory,
            MarkKind::Crash,
            MarkKind::Signal,
            MarkKind::Exit,
            MarkKind::Thrashing,
            MarkKind::Unresponsive,
            MarkKind::Restart,
            MarkKind::Gap,
            MarkKind::Start,
            MarkKind::End,
            MarkKind::Snapshot,
            MarkKind::Other,
            MarkKind::Navigation,
            MarkKind::Collection,
        ];
        let sans = face(Family::Sans, false).unwrap();
        for (index, kind) in kinds.iter().enumerate() {
            assert!(kind.glyph().chars().all(|c| sans.glyph_id(c).0 != 0), "{}: {}", kind.name(), kind.glyph());
            let alike = |other: &MarkKind| other.glyph() == kind.glyph() || other.name() == kind.name();
            assert!(!kinds[..index].iter().any(alike), "{}", kind.name());
        }
    }
}
