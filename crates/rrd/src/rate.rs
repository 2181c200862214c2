//! From a reading to a rate per second, for each type of source.
//!
//! Whole-number types are read and subtracted as whole numbers: a double cannot tell neighbours above 2^53 apart.

use crate::reading::{Reading, shortest};
use crate::source::{Source, SourceType};
use crate::time::secs;

/// The most characters that are kept of a last reading, as in rrdtool; what is kept does not grow with what is sent.
const KEPT_TEXT: usize = 29;

/// A text that the type of source does not take.
#[derive(Debug, PartialEq)]
pub(crate) struct NotANumber;

/// The rate of `source` over the `interval_us` that ends with `reading`; `None`: unknown.
///
/// A text after a gap longer than the heartbeat is not looked at, as in rrdtool: the time is unknown whatever it says.
pub(crate) fn rate(
    source: &Source,
    last: &Reading,
    reading: &Reading,
    interval_us: u64,
) -> Result<Option<f64>, NotANumber> {
    let Reading::Value(text) = reading else { return Ok(None) };
    if interval_us > source.heartbeat.micros() {
        return Ok(None);
    }
    let last = match last {
        Reading::Unknown => None,
        Reading::Value(text) => Some(&**text),
    };
    let seconds = secs(interval_us);
    let rate = match source.kind {
        SourceType::Gauge => Some(number(text)?),
        SourceType::Absolute => Some(number(text)? / seconds),
        SourceType::Counter => per_second(counted(whole(text, Sign::Refused)?, last), seconds),
        SourceType::Derive => per_second(derived(whole(text, Sign::Allowed)?, last), seconds),
        SourceType::DCounter => per_second(counted_decimal(number(text)?, last), seconds),
        SourceType::DDerive => per_second(derived_decimal(number(text)?, last), seconds),
    };
    Ok(rate.filter(|rate| believed(source, *rate)))
}

/// Not a not-a-number, and within the limits; the limits themselves are good values.
fn believed(source: &Source, rate: f64) -> bool {
    !rate.is_nan() && source.min.is_none_or(|min| rate >= min) && source.max.is_none_or(|max| rate <= max)
}

fn per_second(difference: Option<f64>, seconds: f64) -> Option<f64> {
    difference.map(|difference| difference / seconds)
}

/// A decimal number; white space before it is allowed, as in rrdtool, but not after it.
fn number(text: &str) -> Result<f64, NotANumber> {
    text.trim_ascii_start().parse().map_err(|_| NotANumber)
}

/// A whole number as people write it. The sign is kept apart, because `-0` and `0` count as different signs.
#[derive(Clone, Copy)]
struct Whole {
    negative: bool,
    magnitude: u64,
}

impl Whole {
    fn value(self) -> i128 {
        let magnitude = i128::from(self.magnitude);
        if self.negative { -magnitude } else { magnitude }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Allowed,
    Refused,
}

fn whole(text: &str, sign: Sign) -> Result<Whole, NotANumber> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) if sign == Sign::Allowed => (true, digits),
        _ => (false, text),
    };
    // `parse` alone would take a leading plus.
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NotANumber);
    }
    Ok(Whole { negative, magnitude: digits.parse().map_err(|_| NotANumber)? })
}

/// The whole number in a last reading. A reading after a gap was taken as it was, so it may be any text: the first run
/// of digits counts, as in rrdtool, and `12.5` is 12.
fn whole_in(text: &str) -> Option<Whole> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let digits = &text[start..];
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    Some(Whole { negative: text[..start].contains('-'), magnitude: digits[..end].parse().ok()? })
}

/// How far two whole numbers are apart; those of different sign cannot be compared.
fn distance(now: Whole, last: Option<&str>) -> Option<i128> {
    let last = whole_in(last?)?;
    (now.negative == last.negative).then(|| now.value() - last.value())
}

#[expect(clippy::cast_precision_loss, reason = "a rate is a double; the subtraction before it was exact")]
fn derived(now: Whole, last: Option<&str>) -> Option<f64> {
    distance(now, last).map(|d| d as f64)
}

#[expect(clippy::cast_precision_loss, reason = "a rate is a double; the subtraction before it was exact")]
fn counted(now: Whole, last: Option<&str>) -> Option<f64> {
    const WRAP_32: i128 = 1 << 32;
    const WRAP_64: i128 = 1 << 64;
    let grown = match distance(now, last)? {
        grown @ 0.. => grown,
        fallen if fallen + WRAP_32 >= 0 => fallen + WRAP_32,
        fallen => fallen + WRAP_64,
    };
    Some(grown as f64)
}

fn derived_decimal(now: f64, last: Option<&str>) -> Option<f64> {
    Some(now - number(last?).ok()?)
}

fn counted_decimal(now: f64, last: Option<&str>) -> Option<f64> {
    let last = number(last?).ok()?;
    let fell = now >= 0.0 && last > now;
    let rose_below_zero = now < 0.0 && now > last;
    (!fell && !rose_below_zero).then_some(now - last)
}

/// What to keep of a reading. A long text is cut; if that would change the number, the number is kept in short form.
pub(crate) fn keep(reading: &Reading) -> Reading {
    let Reading::Value(text) = reading else { return Reading::Unknown };
    if text.len() <= KEPT_TEXT {
        return reading.clone();
    }
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= KEPT_TEXT).last();
    let cut = &text[..end.unwrap_or(0)];
    match (number(text), number(cut)) {
        (Ok(all), kept) if !all.is_nan() && kept != Ok(all) => Reading::Value(shortest(all).into()),
        _ => Reading::Value(cut.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Heartbeat;

    const SECOND: u64 = 1_000_000;

    /// The rate over one second, `U` for unknown, `!` for a refused text.
    fn shown(kind: SourceType, last: &str, text: &str) -> String {
        let (name, heartbeat) = ("a".parse().unwrap(), Heartbeat::new(SECOND).unwrap());
        let source = Source { name, kind, heartbeat, min: None, max: None };
        match rate(&source, &Reading::from_text(last), &Reading::from_text(text), SECOND) {
            Ok(Some(rate)) => rate.to_string(),
            Ok(None) => "U".to_owned(),
            Err(NotANumber) => "!".to_owned(),
        }
    }

    fn check(kind: SourceType, cases: &[(&str, &str, &str)]) {
        for (last, text, want) in cases {
            assert_eq!(&shown(kind, last, text), want, "{kind}: {last} then {text}");
        }
    }

    #[test]
    fn counters_wrap_at_powers_of_two_and_not_one_short() {
        check(
            SourceType::Counter,
            &[
                ("4294967295", "0", "1"),
                ("4294967290", "4", "10"),
                ("18446744073709551615", "0", "1"),
                ("18446744073709551615", "18446744073709551614", "4294967295"),
                ("9007199254740993", "9007199254740992", "4294967295"),
                ("0", "18446744073709551615", "18446744073709552000"),
                ("4294967297", "1", "0"),
                ("4294967298", "1", "18446744069414584000"),
            ],
        );
    }

    #[test]
    fn whole_number_types_take_nothing_but_whole_numbers_that_fit() {
        for text in ["", "-", "+1", "1e3", "12.5", "--4", " 5", "5 ", "٣", "nan", "18446744073709551616", "1_0"] {
            check(SourceType::Counter, &[("1", text, "!"), ("U", text, "!")]);
            check(SourceType::Derive, &[("1", text, "!"), ("U", text, "!")]);
        }
        check(SourceType::Counter, &[("1", "-4", "!"), ("1", "05", "4"), ("U", "5", "U")]);
    }

    #[test]
    fn derive_keeps_every_digit_and_refuses_to_cross_zero() {
        check(
            SourceType::Derive,
            &[
                ("18446744073709551614", "18446744073709551615", "1"),
                ("-18446744073709551615", "-18446744073709551614", "1"),
                ("7", "2", "-5"),
                ("-1", "1", "U"),
                ("-0", "0", "U"),
                ("3", "U", "U"),
            ],
        );
    }

    #[test]
    fn a_text_taken_after_a_gap_does_not_block_the_next_reading() {
        check(SourceType::Counter, &[("12.5", "17", "5"), ("abc", "17", "U"), ("-4", "5", "U")]);
        check(SourceType::Counter, &[("99999999999999999999", "5", "U")]);
        check(SourceType::Derive, &[("--4", "-3", "1")]);
        check(SourceType::DDerive, &[("12x", "5", "U"), ("nan", "5", "U")]);
    }

    #[test]
    fn a_decimal_counter_that_falls_is_a_reset_even_to_zero() {
        check(
            SourceType::DCounter,
            &[
                ("1.5", "4", "2.5"),
                ("5", "0", "U"),
                ("5", "-0", "U"),
                ("5", "1", "U"),
                ("0", "0", "0"),
                ("-5", "-7", "-2"),
                ("-5", "-3", "U"),
                ("5", "-5", "-10"),
                ("x", "0", "U"),
            ],
        );
        check(SourceType::DDerive, &[("5", "0", "-5"), ("U", "0", "U"), ("1", "zz", "!")]);
    }

    #[test]
    fn gauges_take_what_rrdtool_takes() {
        check(SourceType::Gauge, &[("U", " 5", "5"), ("U", "+5", "5"), ("U", "1.", "1"), ("U", ".5", "0.5")]);
        check(SourceType::Gauge, &[("U", "nan", "U"), ("U", "-inf", "-inf"), ("U", "1e400", "inf")]);
        check(
            SourceType::Gauge,
            &[("U", "5 ", "!"), ("U", "0x10", "!"), ("U", "1,5", "!"), ("U", "u", "!"), ("U", "", "!")],
        );
        check(SourceType::Absolute, &[("U", "-3", "-3"), ("U", "7q", "!")]);
    }

    #[test]
    fn a_limit_is_a_good_value_and_beyond_it_is_unknown() {
        let source: Source = "DS:a:GAUGE:1:0:10".parse().unwrap();
        for (text, want) in [("0", Some(0.0)), ("10", Some(10.0)), ("-0.001", None), ("10.001", None), ("inf", None)] {
            let got = rate(&source, &Reading::Unknown, &Reading::from_text(text), SECOND);
            assert_eq!(got, Ok(want), "{text}");
        }
    }

    #[test]
    fn a_long_text_is_kept_short_without_becoming_another_number() {
        for (text, want) in [
            ("123.4560000000000000000000000000001", "123.4560000000000000000000000"),
            ("100000000000000000000000000000000", "1e32"),
            ("123.4560000000000000000000000000001e2", "12345.6"),
            ("0.00000000000000000000000000000000012345", "1.2345e-34"),
            ("ääääääääääääääääääää", "ääääääääääääää"),
            ("12345", "12345"),
        ] {
            assert_eq!(keep(&Reading::from_text(text)).as_text(), want);
        }
    }
}
