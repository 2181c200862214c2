//! Pixels to a PNG file.
//!
//! A picture of a few areas and lines has a few hundred colours, most of them
//! shades on the edges of letters. With 256 of them the file is half as large;
//! where one shade would change visibly, all colours are kept.

use crate::ChartError;

/// How far a channel of a rare shade may move, tried in this order; even the last
/// is not seen at the edge of a line.
const SHIFTS: [i32; 4] = [3, 6, 10, 14];
/// More colours than this are not worth the search.
const MOST_COLORS: usize = 4_096;
/// Of the hash table: a power of two, sparsely used.
const SLOTS: usize = 16_384;

type Rgb = [u8; 3];

/// The colours of an image in a hash table that is made for this alone: one
/// lookup wherever two neighbouring pixels differ.
struct Colors {
    /// Index into `found` plus one; 0 is free.
    slots: Vec<u16>,
    found: Vec<(Rgb, u32)>,
}

impl Colors {
    /// The number of a colour; `None` when there are too many.
    fn number(&mut self, color: Rgb) -> Option<usize> {
        let key = u32::from_be_bytes([0, color[0], color[1], color[2]]);
        // Fibonacci hashing: the high bits of a product with 2^32 / φ.
        let mut slot = (key.wrapping_mul(0x9e37_79b9) >> 18) as usize;
        loop {
            match usize::from(self.slots[slot % SLOTS]) {
                0 => break,
                taken if self.found[taken - 1].0 == color => return Some(taken - 1),
                _ => slot += 1,
            }
        }
        if self.found.len() >= MOST_COLORS {
            return None;
        }
        self.found.push((color, 0));
        self.slots[slot % SLOTS] = u16::try_from(self.found.len()).ok()?;
        Some(self.found.len() - 1)
    }
}

/// An image of at most 256 colours.
struct Indexed {
    palette: Vec<Rgb>,
    pixels: Vec<u8>,
}

fn shift(a: Rgb, b: Rgb) -> i32 {
    a.iter().zip(b).map(|(a, b)| (i32::from(*a) - i32::from(b)).abs()).max().unwrap_or(0)
}

/// A palette from which no colour is further away than `most`, the frequent
/// colours exactly, and each colour's place in it.
fn cover(found: &[(Rgb, u32)], most: i32) -> Option<(Vec<Rgb>, Vec<u8>)> {
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|&number| std::cmp::Reverse(found[number].1));
    let mut palette: Vec<Rgb> = Vec::new();
    let mut table = vec![0; found.len()];
    for number in order {
        let color = found[number].0;
        let near = palette.iter().position(|&known| shift(known, color) <= most);
        let place = near.unwrap_or(palette.len());
        table[number] = u8::try_from(place).ok()?;
        if near.is_none() {
            palette.push(color);
        }
    }
    Some((palette, table))
}

/// The image with 256 colours, unless that would be seen.
fn index(pixels: &[u8]) -> Option<Indexed> {
    let mut colors = Colors { slots: vec![0; SLOTS], found: Vec::new() };
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut rest = pixels.as_chunks::<3>().0;
    while let Some(&color) = rest.first() {
        let length = rest.iter().position(|pixel| *pixel != color).unwrap_or(rest.len());
        let number = colors.number(color)?;
        colors.found[number].1 += u32::try_from(length).ok()?;
        runs.push((number, length));
        rest = &rest[length..];
    }
    let (palette, table) = SHIFTS.iter().find_map(|&shift| cover(&colors.found, shift))?;
    let mut indices = Vec::with_capacity(pixels.len() / 3);
    for (number, length) in runs {
        indices.resize(indices.len() + length, table[number]);
    }
    Some(Indexed { palette, pixels: indices })
}

fn failed(error: &png::EncodingError) -> ChartError {
    ChartError::Drawing { doing: "encoded", cause: error.to_string() }
}

/// Encodes three bytes a pixel.
pub(crate) fn encode(width: usize, height: usize, pixels: &[u8]) -> Result<Vec<u8>, ChartError> {
    let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let indexed = index(pixels);
    let mut file = Vec::with_capacity(64 * 1024);
    let mut encoder = png::Encoder::new(&mut file, size(width), size(height));
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let data = match &indexed {
        Some(indexed) => {
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_palette(indexed.palette.concat());
            &indexed.pixels
        }
        None => {
            encoder.set_color(png::ColorType::Rgb);
            pixels
        }
    };
    let mut writer = encoder.write_header().map_err(|error| failed(&error))?;
    writer.write_image_data(data).map_err(|error| failed(&error))?;
    writer.finish().map_err(|error| failed(&error))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(file: &[u8]) -> (png::ColorType, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.color_type, pixels)
    }

    #[test]
    fn few_colours_are_stored_exactly_and_small() {
        let pixels: Vec<u8> = (0..64 * 64).flat_map(|i| [u8::try_from(i % 64 * 4).unwrap(), 7, 250]).collect();
        let indexed = index(&pixels).unwrap();
        let shown: Vec<u8> = indexed.pixels.iter().flat_map(|&place| indexed.palette[usize::from(place)]).collect();
        assert!(shown.iter().zip(&pixels).all(|(a, b)| a.abs_diff(*b) <= 3));
        assert_eq!(decoded(&encode(64, 64, &pixels).unwrap()).0, png::ColorType::Indexed);
    }

    #[test]
    fn a_picture_of_many_colours_keeps_all_of_them() {
        let channel = |i: u32, by: u32| u8::try_from(i.wrapping_mul(by) >> 24).unwrap();
        let pixels: Vec<u8> = (0..64 * 64)
            .flat_map(|i| [channel(i, 0x9e37_79b9), channel(i, 0x85eb_ca6b), channel(i, 0xc2b2_ae35)])
            .collect();
        let (color, shown) = decoded(&encode(64, 64, &pixels).unwrap());
        assert_eq!(color, png::ColorType::Rgb);
        assert_eq!(shown, pixels);
    }
}
