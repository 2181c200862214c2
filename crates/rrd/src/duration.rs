//! Durations as definitions write them: `10`, `0.05`, `50ms`, `5s`, `2h`, `7d`.

use crate::schema::SchemaError;

/// Suffixes and their length in microseconds. `M` and `y` are rrdtool's: 31 and 366 days. `m` is always minutes.
const UNITS: [(&str, u64); 9] = [
    ("us", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("m", 60_000_000),
    ("h", 3_600_000_000),
    ("d", 86_400_000_000),
    ("w", 604_800_000_000),
    ("M", 2_678_400_000_000),
    ("y", 31_622_400_000_000),
];

/// Whether the text ends in a unit; without one it is a plain number.
pub(crate) fn has_unit(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_alphabetic())
}

/// A duration in microseconds; a bare number is seconds. More than six decimals of a second are refused, not rounded.
///
/// # Errors
/// [`SchemaError::Duration`] when the text is no duration or does not fit.
pub(crate) fn parse(text: &str) -> Result<u64, SchemaError> {
    parse_or_none(text).ok_or_else(|| SchemaError::Duration { text: text.to_owned() })
}

fn parse_or_none(text: &str) -> Option<u64> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = if number.len() == text.len() { "s" } else { &text[number.len()..] };
    let unit = UNITS.iter().find(|(name, _)| *name == suffix)?.1;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return None;
    }
    let part = part.trim_end_matches('0');
    let scale = 10_u64.checked_pow(u32::try_from(part.len()).ok()?)?;
    let fraction = if part.is_empty() { 0 } else { part.parse::<u64>().ok()?.checked_mul(unit)? };
    if fraction % scale != 0 {
        return None;
    }
    whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(fraction / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_exactly() {
        for (text, us) in [
            ("10", 10_000_000),
            ("0.05", 50_000),
            ("50ms", 50_000),
            ("1.5h", 5_400_000_000),
            ("2m", 120_000_000),
            ("1us", 1),
            ("0.000001", 1),
            ("1.000000000000", 1_000_000),
            ("1w", 604_800_000_000),
        ] {
            assert_eq!(parse_or_none(text), Some(us), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "s",
            "-1",
            "+1",
            "1.",
            ".5",
            "1e3",
            "5 s",
            "5x",
            "0.0000001",
            "99999999999999999999",
            "9999999999999y",
            "٣",
        ] {
            assert_eq!(parse_or_none(text), None, "{text}");
        }
    }
}
