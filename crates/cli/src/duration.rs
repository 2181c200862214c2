//! Durations as people write them: `50ms`, `5s`, `10m`, `2h`, `7d`, `1h30m`, `1.5h`, a bare number of seconds.
//!
//! `m` is always minutes. There are no months here: a duration is a fixed length of time.

use std::time::Duration;

use thiserror::Error;

/// Microseconds of each unit, longest names first where one begins with the other.
const UNITS: [(&str, f64); 19] = [
    ("us", 1.0),
    ("ms", 1e3),
    ("s", 1e6),
    ("sec", 1e6),
    ("secs", 1e6),
    ("second", 1e6),
    ("seconds", 1e6),
    ("m", 60e6),
    ("min", 60e6),
    ("mins", 60e6),
    ("minute", 60e6),
    ("minutes", 60e6),
    ("h", 3600e6),
    ("hour", 3600e6),
    ("hours", 3600e6),
    ("d", 86400e6),
    ("day", 86400e6),
    ("days", 86400e6),
    ("w", 7.0 * 86400e6),
];

/// A hundred years: beyond it a duration is a slip of the pen, and sums with a time could overflow.
const LONGEST_US: f64 = 100.0 * 365.25 * 86400e6;

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DurationError {
    /// It does not read as numbers with units.
    #[error("`{0}` is not a duration; write a number and a unit, as in 50ms, 5s, 10m, 2h, 7d or 1h30m")]
    Syntax(String),
    /// A unit that is not known.
    #[error("`{text}` has the unknown unit `{unit}`; use us, ms, s, m (minutes), h, d or w")]
    Unit {
        /// The whole text.
        text: String,
        /// The part that is no unit.
        unit: String,
    },
    /// Zero where a length is needed.
    #[error("`{0}` is no time at all; give a duration longer than zero")]
    Zero(String),
    /// Longer than a hundred years.
    #[error("`{0}` is longer than a hundred years; give a shorter duration")]
    TooLong(String),
}

/// Reads a duration, to the microsecond; zero is one.
///
/// # Errors
/// Anything that is not numbers with known units, is negative, or is longer than a hundred years.
///
/// ```
/// # use std::time::Duration;
/// use heapsoak_cli::duration::parse_duration;
/// assert_eq!(parse_duration("1h30m")?, Duration::from_secs(5400));
/// assert_eq!(parse_duration("0.5")?, Duration::from_millis(500));
/// # Ok::<(), heapsoak_cli::duration::DurationError>(())
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let syntax = || DurationError::Syntax(text.to_owned());
    let mut rest = text.trim();
    let mut total_us = 0.0;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| syntax())?;
        let unit_len = rest[digits..].find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len() - digits);
        let unit = &rest[digits..digits + unit_len];
        rest = rest[digits + unit_len..].trim_start();
        let alone = parts == 0 && rest.is_empty();
        total_us += number * unit_us(unit, alone).ok_or_else(|| unit_error(text, unit))?;
        parts += 1;
    }
    if parts == 0 {
        return Err(syntax());
    }
    if total_us > LONGEST_US {
        return Err(DurationError::TooLong(text.to_owned()));
    }
    Ok(Duration::from_micros(round_us(total_us)))
}

/// Reads a duration that must be longer than zero: a period, a deadline, a width of a window.
///
/// # Errors
/// As [`parse_duration`], and [`DurationError::Zero`].
pub fn parse_period(text: &str) -> Result<Duration, DurationError> {
    let duration = parse_duration(text)?;
    if duration.is_zero() { Err(DurationError::Zero(text.to_owned())) } else { Ok(duration) }
}

/// Writes a duration in at most two units: `850ms`, `5s`, `10m`, `2h 5m`, `7d`; what is below the second unit is cut.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let whole = duration.as_secs();
    if whole == 0 {
        return match duration.subsec_micros() {
            0 => "0s".to_owned(),
            us if us % 1000 == 0 || us > 10_000 => format!("{}ms", us / 1000),
            us => format!("{}ms", f64::from(us) / 1e3),
        };
    }
    let parts = [(whole / 86400, "d"), (whole / 3600 % 24, "h"), (whole / 60 % 60, "m"), (whole % 60, "s")];
    let first = parts.iter().position(|part| part.0 > 0).unwrap_or(3);
    let shown: Vec<String> = parts[first..]
        .iter()
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    shown.join(" ")
}

/// Microseconds of a unit; a number that stands alone is seconds.
fn unit_us(unit: &str, alone: bool) -> Option<f64> {
    if unit.is_empty() {
        return alone.then_some(1e6);
    }
    UNITS.iter().find(|(name, _)| *name == unit).map(|(_, us)| *us)
}

fn unit_error(text: &str, unit: &str) -> DurationError {
    if unit.is_empty() {
        DurationError::Syntax(text.to_owned())
    } else {
        DurationError::Unit { text: text.to_owned(), unit: unit.to_owned() }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 ..= LONGEST_US fits u64")]
fn round_us(us: f64) -> u64 {
    us.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, us: u64) {
        assert_eq!(parse_duration(text), Ok(Duration::from_micros(us)), "{text}");
    }

    #[test]
    fn every_unit_of_the_help_is_read() {
        reads("50ms", 50_000);
        reads("5s", 5_000_000);
        reads("10m", 600_000_000);
        reads("2h", 7_200_000_000);
        reads("7d", 604_800_000_000);
        reads("1w", 604_800_000_000);
        reads("1h30m", 5_400_000_000);
        reads("1h 30min", 5_400_000_000);
        reads("1.5h", 5_400_000_000);
        reads("0.05", 50_000);
        reads("0", 0);
    }

    #[test]
    fn m_is_minutes_whatever_the_number() {
        reads("5m", 300_000_000);
        reads("6m", 360_000_000);
    }

    #[test]
    fn a_wrong_duration_is_refused_with_the_remedy() {
        for text in ["", "m", "-5s", "5 5", "1h30", "1..5s", "inf", "1e3s", "é"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        let error = parse_duration("3M").map_err(|e| e.to_string());
        assert_eq!(error, Err("`3M` has the unknown unit `M`; use us, ms, s, m (minutes), h, d or w".to_owned()));
        assert!(matches!(parse_duration("99999999999999999999d"), Err(DurationError::TooLong(_))));
        assert!(matches!(parse_period("0s"), Err(DurationError::Zero(_))));
    }

    #[test]
    fn durations_are_written_short() {
        let shown = |us| format_duration(Duration::from_micros(us));
        assert_eq!(shown(0), "0s");
        assert_eq!(shown(1_500), "1.5ms");
        assert_eq!(shown(850_000), "850ms");
        assert_eq!(shown(5_000_000), "5s");
        assert_eq!(shown(600_000_000), "10m");
        assert_eq!(shown(7_500_000_000), "2h 5m");
        assert_eq!(shown(90_061_000_000), "1d 1h");
    }
}
