//! PRINT and GPRINT: one number in a text, as C's printf writes it, with an SI prefix where it is asked for.

use std::fmt::Write as _;

use chrono::{DateTime, Local, Utc};

/// Wider or finer than any number needs; keeps a hostile format from costing memory.
const WIDEST: usize = 400;

/// The prefixes from 10⁻¹⁸ to 10¹⁸, or by 1024.
const PREFIXES: [char; 13] = ['a', 'f', 'p', 'n', 'u', 'm', ' ', 'k', 'M', 'G', 'T', 'P', 'E'];

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Conversion {
    Fixed,
    Exponent,
    General,
}

/// `%12.3lf`, the text around it, and the place of the prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Format {
    before: String,
    flag: Option<char>,
    width: usize,
    precision: Option<usize>,
    conversion: Conversion,
    upper: bool,
    between: String,
    prefix: Option<Prefix>,
    after: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    /// `%s`: the value's own.
    Own,
    /// `%S`: that of the first value of the picture with a prefix.
    Common,
}

/// The prefix of the values so far; `%S` writes the next value by it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Magnitude(Option<(f64, char)>);

impl Format {
    /// Reads a format with one number in it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Self::read(text).ok_or_else(|| {
            format!(
                "`{text}` does not write one number: it needs one of %lf %le %lg, as in %8.2lf, with at most {WIDEST} \
                 places, then perhaps %s or %S for the prefix; %% is a percent sign"
            )
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (before, rest) = plain(text)?;
        let rest = rest.strip_prefix('%')?;
        let flag = rest.chars().next().filter(|letter| "-+ 0#".contains(*letter));
        let rest = &rest[flag.map_or(0, char::len_utf8)..];
        let (width, rest) = digits(rest);
        let (precision, rest) = match rest.strip_prefix('.') {
            Some(rest) => match digits(rest) {
                ("", _) => return None,
                (precision, rest) => (Some(bounded(precision)?), rest),
            },
            None => (None, rest),
        };
        let rest = rest.strip_prefix('l')?;
        let letter = rest.chars().next()?;
        let conversion = match letter.to_ascii_lowercase() {
            'f' => Conversion::Fixed,
            'e' => Conversion::Exponent,
            'g' => Conversion::General,
            _ => return None,
        };
        let (between, rest) = plain(&rest[1..])?;
        let (prefix, rest) = match rest.strip_prefix("%s") {
            Some(rest) => (Some(Prefix::Own), rest),
            None => match rest.strip_prefix("%S") {
                Some(rest) => (Some(Prefix::Common), rest),
                None => (None, rest),
            },
        };
        let (after, rest) = plain(rest)?;
        let width = if width.is_empty() { 0 } else { bounded(width)? };
        let upper = letter.is_ascii_uppercase();
        rest.is_empty().then_some(Self { before, flag, width, precision, conversion, upper, between, prefix, after })
    }

    /// The text with the value in it; NaN is `-nan`, as rrdtool writes unknown.
    pub(crate) fn write(&self, value: f64, base: f64, magnitude: &mut Magnitude) -> String {
        let (value, prefix) = match self.prefix {
            None => (value, None),
            Some(Prefix::Own) => {
                let (value, found) = scaled(value, base);
                magnitude.0 = Some(found);
                (value, Some(found.1))
            }
            Some(Prefix::Common) => match magnitude.0 {
                Some((size, letter)) => (value / size, Some(letter)),
                None => {
                    let (scaled, found) = scaled(value, base);
                    // Nothing tells how large the others are.
                    magnitude.0 = (scaled != 0.0).then_some(found);
                    (scaled, Some(found.1))
                }
            },
        };
        let Self { before, between, after, .. } = self;
        let prefix = prefix.map_or_else(String::new, |letter| letter.to_string());
        format!("{before}{}{between}{prefix}{after}", self.number(value))
    }

    fn number(&self, value: f64) -> String {
        let precision = self.precision.unwrap_or(6);
        let digits = match (value.is_finite(), self.conversion) {
            (false, _) if value.is_nan() => "nan".to_owned(),
            (false, _) => "inf".to_owned(),
            (true, Conversion::Fixed) => fixed(value.abs(), precision, self.flag == Some('#')),
            (true, Conversion::Exponent) => exponent(value.abs(), precision, self.flag == Some('#')),
            (true, Conversion::General) => general(value.abs(), precision, self.flag == Some('#')),
        };
        let sign = match self.flag {
            _ if value.is_nan() || value.is_sign_negative() => "-",
            Some('+') => "+",
            Some(' ') => " ",
            _ => "",
        };
        let padding = self.width.saturating_sub(digits.len() + sign.len());
        let text = match self.flag {
            Some('-') => format!("{sign}{digits}{}", " ".repeat(padding)),
            Some('0') if value.is_finite() => format!("{sign}{}{digits}", "0".repeat(padding)),
            _ => format!("{}{sign}{digits}", " ".repeat(padding)),
        };
        if self.upper { text.to_uppercase() } else { text }
    }
}

/// Text up to a single percent sign, with `%%` as one, and the rest.
fn plain(text: &str) -> Option<(String, &str)> {
    let mut found = String::new();
    let mut rest = text;
    loop {
        let at = rest.find('%').unwrap_or(rest.len());
        found.push_str(&rest[..at]);
        match rest[at..].strip_prefix("%%") {
            Some(after) => {
                found.push('%');
                rest = after;
            }
            None => return Some((found, &rest[at..])),
        }
    }
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

fn bounded(digits: &str) -> Option<usize> {
    digits.parse().ok().filter(|&number| number <= WIDEST)
}

/// The value in units of its prefix; the size of the unit, and its letter.
#[expect(clippy::cast_possible_truncation, reason = "the logarithm of a finite number")]
fn scaled(value: f64, base: f64) -> (f64, (f64, char)) {
    if value == 0.0 || !value.is_finite() {
        return (value, (1.0, if value.is_infinite() { '?' } else { ' ' }));
    }
    let power = (value.abs().ln() / base.ln()).floor();
    let size = base.powf(power);
    let letter = if power.abs() <= 6.0 { PREFIXES.get((power as i64 + 6).unsigned_abs() as usize) } else { None };
    (value / size, (size, letter.copied().unwrap_or('?')))
}

fn fixed(value: f64, precision: usize, point: bool) -> String {
    let end = if point && precision == 0 { "." } else { "" };
    format!("{value:.precision$}{end}")
}

fn exponent(value: f64, precision: usize, point: bool) -> String {
    let (digits, power) = parts(value, precision);
    let end = if point && precision == 0 { "." } else { "" };
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}{end}e{sign}{:02}", power.abs())
}

fn parts(value: f64, precision: usize) -> (String, i32) {
    let text = format!("{value:.precision$e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    (digits.to_owned(), power.parse().unwrap_or(0))
}

fn general(value: f64, precision: usize, point: bool) -> String {
    let significant = precision.max(1);
    let (_, power) = parts(value, significant - 1);
    let decimals = usize::try_from(i64::try_from(significant).unwrap_or(0) - 1 - i64::from(power));
    let text = match decimals {
        Ok(decimals) if power >= -4 => fixed(value, decimals, point),
        _ => exponent(value, significant - 1, point),
    };
    if point {
        return text;
    }
    let (number, power) = text.split_at(text.find('e').unwrap_or(text.len()));
    let short = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    format!("{short}{power}")
}

/// A time by strftime's conversions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimeFormat(String);

impl TimeFormat {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // Chrono knows conversions that it reads and does not write, such as `%#z`: that shows in the writing only.
        if write!(String::new(), "{}", DateTime::UNIX_EPOCH.format(text)).is_err() {
            return Err(format!("`{text}` has a conversion that strftime does not know: %% is a percent sign"));
        }
        Ok(Self(text.to_owned()))
    }

    /// In the local zone; a time that never was is written as dashes.
    pub(crate) fn write(&self, when_us: Option<i64>) -> String {
        match when_us.and_then(DateTime::<Utc>::from_timestamp_micros) {
            Some(time) => time.with_timezone(&Local).format(&self.0).to_string(),
            None => dashes(&self.0),
        }
    }
}

fn dashes(text: &str) -> String {
    let mut written = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            written.push(letter);
            continue;
        }
        written.push_str(match letters.next() {
            Some('%') => "%",
            Some('Y' | 'G') => "----",
            Some('j') => "---",
            Some('F') => "----------",
            Some('D') => "--/--/--",
            Some('T') => "--:--:--",
            Some('R') => "--:--",
            Some('C' | 'd' | 'g' | 'H' | 'I' | 'm' | 'M' | 'S' | 'U' | 'V' | 'W' | 'y') => "--",
            _ => "-",
        });
    }
    written
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(format: &str, value: f64, expected: &str) {
        let found = Format::parse(format).unwrap().write(value, 1000.0, &mut Magnitude::default());
        assert_eq!(found, expected, "{format} of {value}");
    }

    #[test]
    fn numbers_are_written_as_by_c() {
        let value = 9_392_998.976;
        for (format, expected) in [
            ("%lf", "9392998.976000"),
            ("%-12.1lf|", "9392999.0   |"),
            ("%+.3le|", "+9.393e+06|"),
            ("%#.0lf|", "9392999.|"),
            ("% lf|", " 9392998.976000|"),
            ("%012.2lg|", "000009.4e+06|"),
            ("%lE", "9.392999E+06"),
            ("%lG", "9.393E+06"),
            ("%#lg", "9.39300e+06"),
            ("%.12lg", "9392998.976"),
            ("%.0lg", "9e+06"),
            ("%% %lf %%", "% 9392998.976000 %"),
        ] {
            check(format, value, expected);
        }
        check("%lg", 0.0001, "0.0001");
        check("%lg", 0.000_01, "1e-05");
        check("%lg", 100_000.0, "100000");
        check("%lg", 999_999.5, "1e+06");
        check("%.0lf", 2.5, "2");
        check("%lf", -0.0, "-0.000000");
        check("%010.3lf", f64::NAN, "      -nan");
        check("%+8.3lf", f64::NAN, "    -nan");
        check("%lG", f64::INFINITY, "INF");
    }

    #[test]
    fn a_prefix_is_that_of_the_value_or_of_the_first_that_had_one() {
        check("%8.2lf%s", 3_133_057.0, "    3.13M");
        check("%lf%s|", 0.0, "0.000000 |");
        check("%lf%s", 9.392_999e-9, "9.392999n");
        check("%lf%s", 9.4e24, "9.400000?");
        check("%lf%s", f64::INFINITY, "inf?");
        let common = Format::parse("%.1lf%S").unwrap();
        let mut magnitude = Magnitude::default();
        let written: Vec<String> =
            [0.0, 2e6, 5e9, 0.0].iter().map(|&value| common.write(value, 1000.0, &mut magnitude)).collect();
        assert_eq!(written, ["0.0 ", "2.0M", "5000.0M", "0.0M"]);
        let binary = Format::parse("%.1lf%s").unwrap().write(1_048_576.0, 1024.0, &mut Magnitude::default());
        assert_eq!(binary, "1.0M");
    }

    #[test]
    fn what_does_not_write_one_number_is_refused() {
        for wrong in [
            "", "x", "%d", "%5.2f", "%lf %lf", "%s %lf", "%S%lf", "%*lf", "%--5lf", "%.lf", "%lf%", "%lf%s%s",
            "%99999lf", "%lö",
        ] {
            assert!(Format::parse(wrong).unwrap_err().contains("does not write one number"), "{wrong}");
        }
    }

    #[test]
    fn a_time_that_never_was_is_dashes_and_a_wrong_conversion_an_error() {
        let format = TimeFormat::parse("a%Y-%m-%d x%%y %c").unwrap();
        assert_eq!(format.write(None), "a---------- x%y -");
        assert!(TimeFormat::parse("%s").unwrap().write(Some(5_000_000)).contains('5'));
        assert!(TimeFormat::parse("%Q").is_err());
        assert!(TimeFormat::parse("%#z").is_err(), "chrono reads it, and writes an error");
    }

    proptest! {
        #[test]
        fn no_format_and_no_value_panics(text in "[-%+ 0#.0-9lefgEFGsSx]{0,12}", value in any::<f64>()) {
            if let Ok(format) = Format::parse(&text) {
                format.write(value, 1024.0, &mut Magnitude::default());
            }
        }
    }
}
