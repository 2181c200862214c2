//! Sizes and rates in bytes as people write them, and back.
//!
//! `K`, `M`, `G`, `T` and `KiB`, `MiB`, `GiB`, `TiB` count in 1024, as V8 and the JVM read `512M`; `KB`, `MB`, `GB`,
//! `TB` count in 1000, as the SI says. Case does not matter.

use std::time::Duration;

use thiserror::Error;

use crate::duration::parse_period;

/// Why a text is no size or rate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SizeError {
    /// Not a number with a unit of bytes.
    #[error("`{0}` is not a size; write bytes with a unit, as in 512M, 60MiB or 20KB")]
    Size(String),
    /// Not a size over a time.
    #[error("`{0}` is not a rate; write a size for each unit of time, as in 20KiB/s or 1MiB/h")]
    Rate(String),
}

/// Reads a size in bytes; a bare number is bytes.
///
/// # Errors
/// [`SizeError::Size`] for anything else, for negative sizes and for those beyond 2^53 bytes.
///
/// ```
/// assert_eq!(heapsoak_cli::size::parse_size("1.5KiB")?, 1536);
/// # Ok::<(), heapsoak_cli::size::SizeError>(())
/// ```
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    bytes(text).map(whole).ok_or_else(|| SizeError::Size(text.to_owned()))
}

/// Reads a rate, `20KiB/s` or `1MiB/h`, in bytes per second.
///
/// # Errors
/// [`SizeError::Rate`] for anything that is not a size, a slash and a time unit or duration.
pub fn parse_rate(text: &str) -> Result<f64, SizeError> {
    let rate = || {
        let (size, per) = text.split_once('/')?;
        Some(bytes(size)? / time_unit(per.trim())?.as_secs_f64())
    };
    rate().ok_or_else(|| SizeError::Rate(text.to_owned()))
}

/// Writes bytes with a binary unit and three significant digits or more: `0 B`, `1.50 KiB`, `60.0 MiB`.
#[must_use]
pub fn format_size(bytes: f64) -> String {
    let mut scaled = bytes;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if scaled.abs() < 1023.95 {
            break;
        }
        scaled /= 1024.0;
        unit = next;
    }
    match scaled.abs() {
        _ if unit == "B" => format!("{scaled:.0} B"),
        small if small < 9.995 => format!("{scaled:.2} {unit}"),
        medium if medium < 99.95 => format!("{scaled:.1} {unit}"),
        _ => format!("{scaled:.0} {unit}"),
    }
}

/// `s`, `min` or `h` alone mean one of them; `10s` is taken too.
fn time_unit(text: &str) -> Option<Duration> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return parse_period(text).ok();
    }
    parse_period(&format!("1{text}")).ok().filter(|_| !text.is_empty())
}

fn bytes(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let factor = match text[digits..].trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1024.0 * 1024.0,
        "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "t" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        _ => return None,
    };
    // Above 2^53 a number of bytes is no longer exact, and no heap is that large.
    Some(number * factor).filter(|size| *size <= 9_007_199_254_740_992.0)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 ..= 2^53 fits u64")]
fn whole(bytes: f64) -> u64 {
    bytes.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_and_decimal_units_are_told_apart() {
        for (text, size) in [
            ("0", 0),
            ("17", 17),
            ("17B", 17),
            ("20KiB", 20_480),
            ("20k", 20_480),
            ("20KB", 20_000),
            ("512M", 536_870_912),
            ("60MiB", 62_914_560),
            ("60 MiB", 62_914_560),
            ("1.5GiB", 1_610_612_736),
            ("1tb", 1_000_000_000_000),
        ] {
            assert_eq!(parse_size(text), Ok(size), "{text}");
        }
    }

    #[test]
    fn a_wrong_size_is_refused() {
        for text in ["", "M", "-1M", "12XB", "inf", "nan", "99999999T", "é"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_bytes_per_second() {
        assert_eq!(parse_rate("20KiB/s"), Ok(20_480.0));
        assert_eq!(parse_rate("3600/h"), Ok(1.0));
        assert_eq!(parse_rate("1MiB/min"), Ok(1_048_576.0 / 60.0));
        assert_eq!(parse_rate("100B/10s"), Ok(10.0));
        for text in ["20KiB", "20KiB/", "/s", "20KiB/x", "20KiB/0s"] {
            assert!(parse_rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_written_in_the_unit_that_fits() {
        for (bytes, text) in [
            (0.0, "0 B"),
            (1023.0, "1023 B"),
            (1536.0, "1.50 KiB"),
            (62_914_560.0, "60.0 MiB"),
            (1_073_741_823.0, "1.00 GiB"),
            (-2048.0, "-2.00 KiB"),
        ] {
            assert_eq!(format_size(bytes), text);
        }
    }
}
