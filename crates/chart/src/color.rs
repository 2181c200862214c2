//! Colours by value, and reading them from text.

use std::str::FromStr;

use crate::ChartError;

/// A colour with its opacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Color {
    /// Red, 0 to 255.
    pub red: u8,
    /// Green, 0 to 255.
    pub green: u8,
    /// Blue, 0 to 255.
    pub blue: u8,
    /// Opacity: 0 is invisible, 255 hides what is below.
    pub alpha: u8,
}

impl Color {
    /// The red of the first graph of a heap with rrdtool, `#ff0000`.
    pub const RED: Color = Color::rgb(0xff, 0x00, 0x00);

    /// An opaque colour.
    #[must_use]
    pub const fn rgb(red: u8, green: u8, blue: u8) -> Color {
        Color { red, green, blue, alpha: 255 }
    }

    /// The same colour with another opacity, 0.0 to 1.0 of its own.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255 after the clamp")]
    pub fn fade(self, opacity: f64) -> Color {
        let alpha = (f64::from(self.alpha) * opacity).round().clamp(0.0, 255.0);
        Color { alpha: alpha as u8, ..self }
    }

    /// This colour moved towards another: 0.0 is this one, 1.0 the other.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255 after the clamp")]
    pub fn mix(self, other: Color, part: f64) -> Color {
        let part = part.clamp(0.0, 1.0);
        let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as u8;
        Color {
            red: mix(self.red, other.red),
            green: mix(self.green, other.green),
            blue: mix(self.blue, other.blue),
            alpha: self.alpha,
        }
    }
}

impl FromStr for Color {
    type Err = ChartError;

    /// Reads `#rrggbb` or `#rrggbbaa`, with or without the `#`.
    fn from_str(text: &str) -> Result<Color, ChartError> {
        let refuse = || ChartError::Color { text: text.to_owned() };
        let digits = text.strip_prefix('#').unwrap_or(text);
        if !matches!(digits.len(), 6 | 8) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(refuse());
        }
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| refuse());
        let alpha = if digits.len() == 8 { byte(6)? } else { 255 };
        Ok(Color { red: byte(0)?, green: byte(2)?, blue: byte(4)?, alpha })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_as_rrdtool_writes_them_and_nothing_else_is() {
        let read = |text: &str| text.parse::<Color>();
        assert_eq!(read("#ff0000"), Ok(Color::RED));
        assert_eq!(read("00FF7f80"), Ok(Color { red: 0, green: 255, blue: 127, alpha: 128 }));
        for wrong in ["", "#", "#fff", "#ff00", "#ff000g", "red", "#ff0000000", "ééé"] {
            assert_eq!(read(wrong), Err(ChartError::Color { text: wrong.to_owned() }), "{wrong}");
        }
    }
}
