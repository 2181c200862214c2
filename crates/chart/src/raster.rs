//! A plotters backend for pixels with exact coverage.
//!
//! plotters' own bitmap backend takes whole pixels: a slowly rising line becomes
//! a staircase. Here a coordinate is 1/16 pixel, areas are covered exactly, and
//! a line darkens each pixel by its distance from the middle of the line.

use std::convert::Infallible;
use std::ops::Range;

use ab_glyph_rasterizer::{Rasterizer, point};
use plotters_backend::text_anchor::HPos;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontTransform,
};

use crate::font::{BASELINE_EM, UNITS};
use crate::layout::Layout;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// An image in memory, three bytes a pixel.
pub(crate) struct Raster {
    width: usize,
    height: usize,
    /// Pixels per unit.
    scale: f64,
    pixels: Vec<u8>,
    /// Coverage of the stroke being drawn, in 255ths; all zero between two strokes.
    mask: Vec<u8>,
    /// The columns of each row of the mask that the stroke touches.
    touched: Vec<Range<usize>>,
}

/// Strokes and areas are drawn so many rows at a time: what they need beside the image then stays in the processor's
/// cache, and the system need not hand out fresh memory for it.
const STRIP: usize = 64;

/// A rectangle of whole pixels within the image.
#[derive(Clone, Copy)]
struct Window {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl Window {
    /// Its parts from top to bottom, [`STRIP`] rows or fewer each.
    fn strips(self) -> impl Iterator<Item = Window> {
        let bottom = self.top + self.height;
        (self.top..bottom).step_by(STRIP).map(move |top| Window { top, height: STRIP.min(bottom - top), ..self })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the image first")]
fn index(position: f64, most: usize) -> usize {
    position.clamp(0.0, to_f64(most)) as usize
}

#[expect(clippy::cast_precision_loss, reason = "pixel positions")]
fn to_f64(position: usize) -> f64 {
    position as f64
}

impl Raster {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "layout() checked the size")]
    pub(crate) fn new(layout: &Layout, scale: f64) -> Raster {
        let (width, height) = ((layout.width * scale).round() as usize, (layout.height * scale).round() as usize);
        Raster {
            width,
            height,
            scale: scale / UNITS,
            pixels: vec![0; width * height * 3],
            mask: Vec::new(),
            touched: Vec::new(),
        }
    }

    pub(crate) fn pixels_per_unit(&self) -> f64 {
        self.scale
    }

    /// Width, height and the pixels, row by row.
    pub(crate) fn into_pixels(self) -> (usize, usize, Vec<u8>) {
        (self.width, self.height, self.pixels)
    }

    fn point(&self, (x, y): BackendCoord) -> (f64, f64) {
        (f64::from(x) * self.scale, f64::from(y) * self.scale)
    }

    /// The pixels that something between these corners can touch.
    fn window(&self, low: (f64, f64), high: (f64, f64)) -> Window {
        let (left, top) = (index(low.0.floor(), self.width), index(low.1.floor(), self.height));
        let (right, bottom) = (index(high.0.ceil(), self.width), index(high.1.ceil(), self.height));
        Window { left, top, width: right.saturating_sub(left), height: bottom.saturating_sub(top) }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 256 by construction")]
    fn blend(&mut self, x: usize, y: usize, color: BackendColor, coverage: f32) {
        let alpha = (color.alpha as f32 * coverage.min(1.0) * 256.0) as u32;
        if alpha == 0 {
            return;
        }
        let start = (y * self.width + x) * 3;
        let Some(pixel) = self.pixels.get_mut(start..start + 3) else { return };
        let (red, green, blue) = color.rgb;
        for (channel, ink) in pixel.iter_mut().zip([red, green, blue]) {
            let mixed = u32::from(*channel) * (256 - alpha) + u32::from(ink) * alpha;
            *channel = (mixed >> 8) as u8;
        }
    }

    /// Whole pixels of one row.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 256 by construction")]
    fn blend_row(&mut self, columns: Range<usize>, y: usize, color: BackendColor) {
        let alpha = (color.alpha * 256.0) as u32;
        let (red, green, blue) = color.rgb;
        let start = y * self.width;
        let Some(row) = self.pixels.get_mut((start + columns.start) * 3..(start + columns.end) * 3) else { return };
        let row = row.as_chunks_mut::<3>().0;
        if alpha >= 256 {
            row.fill([red, green, blue]);
            return;
        }
        for pixel in row {
            for (channel, ink) in pixel.iter_mut().zip([red, green, blue]) {
                *channel = ((u32::from(*channel) * (256 - alpha) + u32::from(ink) * alpha) >> 8) as u8;
            }
        }
    }

    /// Raises the mask along one straight piece of a line.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a coverage of 0 to 255")]
    fn cover(&mut self, window: Window, from: (f64, f64), to: (f64, f64), half: f64) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let square = dx * dx + dy * dy;
        let reach = half + 0.5;
        let (low, high) = (from.1.min(to.1) - reach, from.1.max(to.1) + reach);
        let right_edge = window.left + window.width;
        for row in index(low.floor(), self.height).max(window.top)
            ..index(high.ceil(), self.height).min(window.top + window.height)
        {
            let y = to_f64(row) + 0.5;
            // The part of the piece that is near this row.
            let (first, last) = if dy.abs() < 1e-9 {
                (0.0, 1.0)
            } else {
                let (a, b) = ((y - reach - from.1) / dy, (y + reach - from.1) / dy);
                (a.min(b).clamp(0.0, 1.0), a.max(b).clamp(0.0, 1.0))
            };
            let (a, b) = (from.0 + dx * first, from.0 + dx * last);
            let left = index((a.min(b) - reach).floor(), self.width).max(window.left);
            let right = index((a.max(b) + reach).ceil(), self.width).min(right_edge);
            let start = (row - window.top) * window.width;
            let touched = &mut self.touched[row - window.top];
            *touched = touched.start.min(left - window.left)..touched.end.max(right.max(left) - window.left);
            for column in left..right {
                let (px, py) = (to_f64(column) + 0.5 - from.0, y - from.1);
                let along = if square > 0.0 { ((px * dx + py * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
                let (ex, ey) = (px - dx * along, py - dy * along);
                let coverage = ((reach - (ex * ex + ey * ey).sqrt()).clamp(0.0, 1.0) * 255.0).round() as u8;
                let cell = &mut self.mask[start + column - window.left];
                *cell = (*cell).max(coverage);
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a share of 0 to 1")]
    fn stroke(&mut self, points: &[(f64, f64)], width: f64, color: BackendColor) {
        // Below one pixel a line gets paler, not thinner.
        let half = (width / 2.0).max(0.5);
        let pale = (width / 2.0 / half) as f32;
        let Some((low, high)) = bounds(points) else { return };
        let reach = half + 1.0;
        let window = self.window((low.0 - reach, low.1 - reach), (high.0 + reach, high.1 + reach));
        for strip in window.strips() {
            self.stroke_strip(strip, points, half, color, pale);
        }
    }

    /// The part of a stroke that lies in a strip.
    fn stroke_strip(&mut self, strip: Window, points: &[(f64, f64)], half: f64, color: BackendColor, pale: f32) {
        if self.mask.len() < strip.width * strip.height {
            self.mask.resize(strip.width * strip.height, 0);
        }
        self.touched.clear();
        self.touched.resize(strip.height, strip.width..0);
        if points.len() == 1 {
            self.cover(strip, points[0], points[0], half);
        }
        let (above, below) = (to_f64(strip.top) - half - 1.0, to_f64(strip.top + strip.height) + half + 1.0);
        for pair in points.windows(2).filter(|pair| meets(pair[0].1, pair[1].1, above, below)) {
            self.cover(strip, pair[0], pair[1], half);
        }
        for row in 0..strip.height {
            for column in self.touched[row].clone() {
                let coverage = std::mem::take(&mut self.mask[row * strip.width + column]);
                if coverage > 0 {
                    self.blend(strip.left + column, strip.top + row, color, f32::from(coverage) / 255.0 * pale);
                }
            }
        }
    }

    fn area(&mut self, points: &[(f64, f64)], color: BackendColor) {
        let Some((low, high)) = bounds(points) else { return };
        let window = self.window(low, high);
        if window.width == 0 || window.height == 0 {
            return;
        }
        let mut rasterizer = Rasterizer::new(window.width, window.height.min(STRIP));
        for strip in window.strips() {
            rasterizer.reset(strip.width, strip.height);
            outline(&mut rasterizer, strip, points);
            self.fill_strip(&rasterizer, strip, color);
        }
    }

    /// What the rasterizer covers of a strip; whole pixels in one go.
    fn fill_strip(&mut self, rasterizer: &Rasterizer, strip: Window, color: BackendColor) {
        let mut whole = (0, 0..0);
        rasterizer.for_each_pixel_2d(|x, y, coverage| {
            let (x, y) = (strip.left + x as usize, strip.top + y as usize);
            if coverage > 0.999 && whole == (y, whole.1.start..x) {
                whole.1.end = x + 1;
                return;
            }
            if !whole.1.is_empty() {
                self.blend_row(whole.1.clone(), whole.0, color);
            }
            whole = (y, x + 1..x + 1);
            if coverage > 0.999 {
                whole.1.start = x;
            } else if coverage > 0.0 {
                self.blend(x, y, color, coverage);
            }
        });
        self.blend_row(whole.1, whole.0, color);
    }
}

/// Whether something between two heights touches what lies between two others.
fn meets(a: f64, b: f64, above: f64, below: f64) -> bool {
    a.min(b) <= below && a.max(b) >= above
}

/// Gives the rasterizer the closed outline, as far as it lies in the strip.
#[expect(clippy::cast_possible_truncation, reason = "pixel positions")]
fn outline(rasterizer: &mut Rasterizer, strip: Window, points: &[(f64, f64)]) {
    let (top, bottom) = (to_f64(strip.top), to_f64(strip.top + strip.height));
    // The rasterizer wraps what is beside its window into the next row.
    let inside = |(x, y): (f64, f64)| {
        let x = (x - to_f64(strip.left)).clamp(0.0, to_f64(strip.width));
        point(x as f32, (y - top).clamp(0.0, bottom - top) as f32)
    };
    let closed = points.iter().chain(points.first());
    for (&from, &to) in points.iter().zip(closed.skip(1)) {
        if meets(from.1, to.1, top, bottom) {
            let at = |y: f64| (from.0 + (to.0 - from.0) * (y - from.1) / (to.1 - from.1), y);
            let cut = |end: Corner| if (top..=bottom).contains(&end.1) { end } else { at(end.1.clamp(top, bottom)) };
            rasterizer.draw_line(inside(cut(from)), inside(cut(to)));
        }
    }
}

type Corner = (f64, f64);

fn bounds(points: &[(f64, f64)]) -> Option<(Corner, Corner)> {
    let first = *points.first()?;
    let grow = |(low, high): (Corner, Corner), &(x, y): &Corner| {
        ((low.0.min(x), low.1.min(y)), (high.0.max(x), high.1.max(y)))
    };
    Some(points.iter().fold((first, first), grow))
}

impl DrawingBackend for Raster {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        let units = |pixels: usize| u32::try_from(index((to_f64(pixels) / self.scale).round(), 1 << 30)).unwrap_or(0);
        (units(self.width), units(self.height))
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    /// A dot of one unit; for a pixel of the image use a rectangle.
    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        self.draw_rect((x, y), (x + 1, y + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a share of 0 to 1")]
    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Drawn {
        if !fill {
            return self.draw_path([from, (to.0, from.1), to, (from.0, to.1), from], style);
        }
        let (low, high) = (self.point(from), self.point(to));
        let window = self.window(low, high);
        let color = style.color();
        let share = |position: usize, low: f64, high: f64| {
            (to_f64(position + 1).min(high) - to_f64(position).max(low)).clamp(0.0, 1.0)
        };
        for y in window.top..window.top + window.height {
            let down = share(y, low.1, high.1);
            if window.width > 2 && down >= 1.0 {
                let right = window.left + window.width - 1;
                self.blend(window.left, y, color, share(window.left, low.0, high.0) as f32);
                self.blend_row(window.left + 1..right, y, color);
                self.blend(right, y, color, share(right, low.0, high.0) as f32);
                continue;
            }
            for x in window.left..window.left + window.width {
                self.blend(x, y, color, (down * share(x, low.0, high.0)) as f32);
            }
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let points: Vec<(f64, f64)> = path.into_iter().map(|position| self.point(position)).collect();
        self.stroke(&points, f64::from(style.stroke_width()) * self.scale, style.color());
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, centre: BackendCoord, radius: u32, style: &S, _fill: bool) -> Drawn {
        let centre = self.point(centre);
        self.stroke(&[centre], f64::from(radius) * 2.0 * self.scale, style.color());
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let points: Vec<(f64, f64)> = path.into_iter().map(|position| self.point(position)).collect();
        self.area(&points, style.color());
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "a text size in units")]
    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, pos: BackendCoord) -> Drawn {
        let font = |error: S::FontError| DrawingErrorKind::FontError(Box::new(error));
        let (_, (width, size)) = style.layout_box(text).map_err(font)?;
        let back = match style.anchor().h_pos {
            HPos::Left => 0,
            HPos::Center => width / 2,
            HPos::Right => width,
        };
        let rise = (f64::from(size) * BASELINE_EM).round() as i32;
        let start = match style.transform() {
            FontTransform::Rotate270 => (pos.0 + rise, pos.1 + back),
            _ => (pos.0 - back, pos.1 + rise),
        };
        let drawn = style.draw(text, start, |x, y, color| {
            if let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y))
                && x < self.width
                && y < self.height
            {
                self.blend(x, y, color, 1.0);
            }
            Ok(())
        });
        drawn.map_err(font)?
    }
}
