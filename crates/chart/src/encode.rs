//! Pixels to a PNG file.

use crate::ChartError;

fn failed(error: &png::EncodingError) -> ChartError {
    ChartError::Drawing { doing: "encoded", cause: error.to_string() }
}

/// Encodes three bytes a pixel.
pub(crate) fn encode(width: usize, height: usize, pixels: &[u8]) -> Result<Vec<u8>, ChartError> {
    let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(64 * 1024);
    let mut encoder = png::Encoder::new(&mut file, size(width), size(height));
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(|error| failed(&error))?;
    writer.write_image_data(pixels).map_err(|error| failed(&error))?;
    writer.finish().map_err(|error| failed(&error))?;
    Ok(file)
}
