//! Pixels to a PNG file.
//!
//! A picture of a few areas and lines has a few hundred colours, most of them
//! shades on the edges of letters. With 256 of them the file is half as large;
//! where one shade would change visibly, all colours are kept.

use std::io::{self, Write};

use crate::ChartError;

/// How far a channel of a rare shade may move, tried in this order; even the last
/// is not seen at the edge of a line.
const SHIFTS: [i32; 4] = [3, 6, 10, 14];
/// More colours than this are not worth the search.
const MOST_COLORS: usize = 4_096;
/// Pixels that are handed to the compression together.
const ROW: usize = 4_096;
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
    runs: Vec<Run>,
    /// The place in the palette of each colour that the runs name.
    table: Vec<u8>,
}

/// Neighbouring pixels of one colour: its number and their count. An image has hundreds of thousands of them.
struct Run {
    color: u16,
    length: u16,
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
    let mut runs = Vec::new();
    let mut rest = pixels.as_chunks::<3>().0;
    while let Some(&color) = rest.first() {
        let near = &rest[..rest.len().min(usize::from(u16::MAX))];
        let length = near.iter().position(|pixel| *pixel != color).unwrap_or(near.len());
        let number = colors.number(color)?;
        let run = Run { color: u16::try_from(number).ok()?, length: u16::try_from(length).ok()? };
        colors.found[number].1 += u32::from(run.length);
        runs.push(run);
        rest = &rest[length..];
    }
    let (palette, table) = SHIFTS.iter().find_map(|&shift| cover(&colors.found, shift))?;
    Some(Indexed { palette, runs, table })
}

impl Indexed {
    /// Writes the places of all pixels in the palette.
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut row = Vec::with_capacity(ROW);
        for run in &self.runs {
            row.resize(row.len() + usize::from(run.length), self.table[usize::from(run.color)]);
            if row.len() >= ROW {
                out.write_all(&row)?;
                row.clear();
            }
        }
        out.write_all(&row)
    }
}

fn failed(error: impl std::error::Error) -> ChartError {
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
    match &indexed {
        Some(indexed) => {
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_palette(indexed.palette.concat());
        }
        None => encoder.set_color(png::ColorType::Rgb),
    }
    let mut writer = encoder.write_header().map_err(failed)?;
    let mut data = writer.stream_writer().map_err(failed)?;
    match &indexed {
        Some(indexed) => indexed.write(&mut data),
        None => data.write_all(pixels),
    }
    .map_err(failed)?;
    data.finish().map_err(failed)?;
    writer.finish().map_err(failed)?;
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
        let mut places = Vec::new();
        indexed.write(&mut places).unwrap();
        let shown: Vec<u8> = places.iter().flat_map(|&place| indexed.palette[usize::from(place)]).collect();
        assert_eq!(shown.len(), pixels.len());
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
