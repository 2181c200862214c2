//! Times as people write them: `now`, `now-10m`, `end-2h`, `start+1h`, unix seconds, ISO 8601, `20260131`.
//!
//! `m` is always minutes; months are `mon`. Days, weeks, months and years of an offset are those of the local
//! calendar (a day over a change of summer time has 23 or 25 hours), smaller units are exact. Times are microseconds
//! since the unix epoch; nothing here reads the clock.

use std::str::FromStr;

use chrono::{DateTime, Local, Months, NaiveDate, NaiveDateTime, SecondsFormat, TimeDelta, TimeZone, Utc};
use thiserror::Error;

/// What to write instead, for the end of an error.
const HOW: &str = "write unix seconds, ISO 8601 (2026-01-31T14:00, 2026-01-31 14:00:05Z), or now, start, end \
                   with an offset (now-10m, end-2h, start+1h)";

/// Why a text is no time, or a span has no ends.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TimeError {
    /// It reads as none of the forms.
    #[error("`{0}` is not a time; {HOW}")]
    Syntax(String),
    /// A unit that is not known.
    #[error("`{text}` has the unknown unit `{unit}`; use s, m or min (minutes), h, d, w, mon (months) or y")]
    Unit {
        /// The whole text.
        text: String,
        /// The part that is no unit.
        unit: String,
    },
    /// A date or a time of day that is not in the calendar, or falls into a change of summer time.
    #[error("`{0}` does not exist in the calendar of the local time zone; correct the date or give a zone, as in Z")]
    NoSuchTime(String),
    /// `start` or `end` where there is only one time.
    #[error("`{0}` refers to the start or end of a span, and here is none; use now or an absolute time")]
    NoSpan(String),
    /// `--start end-1h --end start+1h`, or a start that refers to itself.
    #[error("start `{start}` and end `{end}` refer to each other; give one of them by now or an absolute time")]
    Circular {
        /// The start as written.
        start: String,
        /// The end as written.
        end: String,
    },
    /// The end lies before the start.
    #[error("start {start} is after end {end}; swap them or widen the span")]
    Reversed {
        /// The start, resolved.
        start: String,
        /// The end, resolved.
        end: String,
    },
    /// An offset leads out of the calendar.
    #[error("`{0}` leads out of the calendar; use a shorter offset")]
    Range(String),
}

/// What an offset counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    Now,
    Start,
    End,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Offset {
    months: i64,
    days: i64,
    us: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    At(i64),
    Relative(Base, Offset),
}

/// A time as written, to be resolved when `now` and the other end of the span are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeSpec {
    text: String,
    kind: Kind,
}

impl TimeSpec {
    /// The present.
    #[must_use]
    pub fn now() -> Self {
        Self { text: "now".to_owned(), kind: Kind::Relative(Base::Now, Offset::default()) }
    }

    /// `us` microseconds before the end of the span.
    #[must_use]
    pub fn before_end(us: i64) -> Self {
        let offset = Offset { us: us.saturating_neg(), ..Offset::default() };
        Self { text: format!("end-{}us", us), kind: Kind::Relative(Base::End, offset) }
    }

    /// The time where there is no span, in microseconds since the unix epoch.
    ///
    /// # Errors
    /// [`TimeError::NoSpan`] when it refers to `start` or `end`, [`TimeError::Range`] out of the calendar.
    pub fn at_us(&self, now_us: i64) -> Result<i64, TimeError> {
        match self.kind {
            Kind::At(us) => Ok(us),
            Kind::Relative(Base::Now, offset) => self.shift(now_us, offset),
            Kind::Relative(..) => Err(TimeError::NoSpan(self.text.clone())),
        }
    }

    /// Whether it counts from now, and so moves as time passes.
    #[must_use]
    pub fn moves(&self) -> bool {
        self.base() == Some(Base::Now)
    }

    fn base(&self) -> Option<Base> {
        match self.kind {
            Kind::At(_) => None,
            Kind::Relative(base, _) => Some(base),
        }
    }

    /// Resolves it where the other end of the span is at `other_us`.
    fn beside(&self, other_us: i64, now_us: i64) -> Result<i64, TimeError> {
        match self.kind {
            Kind::Relative(Base::Start | Base::End, offset) => self.shift(other_us, offset),
            _ => self.at_us(now_us),
        }
    }

    fn shift(&self, from_us: i64, offset: Offset) -> Result<i64, TimeError> {
        shifted(from_us, offset).ok_or_else(|| TimeError::Range(self.text.clone()))
    }
}

impl FromStr for TimeSpec {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let trimmed = text.trim();
        let relative = |base, rest| Ok(Kind::Relative(base, parse_offset(trimmed, rest)?));
        let kind = match split_base(trimmed) {
            Some((base, rest)) => relative(base, rest)?,
            None if trimmed.starts_with(['-', '+']) => relative(Base::Now, trimmed)?,
            None => Kind::At(parse_absolute(trimmed)?),
        };
        Ok(Self { text: trimmed.to_owned(), kind })
    }
}

impl std::fmt::Display for TimeSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// A span of time, in microseconds since the unix epoch; never reversed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub start_us: i64,
    /// Where it ends, not before `start_us`.
    pub end_us: i64,
}

impl Span {
    /// Resolves two times that may refer to each other one way: `end-2h` … `now`, or `now-1h` … `start+10m`.
    ///
    /// # Errors
    /// [`TimeError::Circular`], [`TimeError::Reversed`], [`TimeError::Range`].
    pub fn resolve(start: &TimeSpec, end: &TimeSpec, now_us: i64) -> Result<Self, TimeError> {
        let needs_end = start.base() == Some(Base::End);
        let needs_start = end.base() == Some(Base::Start);
        let itself = start.base() == Some(Base::Start) || end.base() == Some(Base::End);
        if itself || (needs_end && needs_start) {
            return Err(TimeError::Circular { start: start.text.clone(), end: end.text.clone() });
        }
        let (start_us, end_us) = if needs_end {
            let end_us = end.at_us(now_us)?;
            (start.beside(end_us, now_us)?, end_us)
        } else {
            let start_us = start.at_us(now_us)?;
            (start_us, end.beside(start_us, now_us)?)
        };
        if start_us > end_us {
            return Err(TimeError::Reversed { start: iso_local(start_us), end: iso_local(end_us) });
        }
        Ok(Self { start_us, end_us })
    }
}

/// Reads one time where there is no span: `N` (rrdtool's now), `now-10m`, unix seconds, ISO 8601; in microseconds
/// since the unix epoch. Digits below the microsecond are cut.
///
/// # Errors
/// [`TimeError`]: not a time, or one that refers to a span.
pub fn parse_time(text: &str, now_us: i64) -> Result<i64, TimeError> {
    text.parse::<TimeSpec>()?.at_us(now_us)
}

/// A time in the local zone, as `2026-01-31T14:00:05+01:00`, with microseconds where there are any.
#[must_use]
pub fn iso_local(time_us: i64) -> String {
    iso(DateTime::<Utc>::from_timestamp_micros(time_us).map(|time| time.with_timezone(&Local)), time_us)
}

/// A time in UTC, as `2026-01-31T13:00:05Z`, with microseconds where there are any.
#[must_use]
pub fn iso_utc(time_us: i64) -> String {
    iso(DateTime::<Utc>::from_timestamp_micros(time_us), time_us)
}

fn iso<Z: TimeZone<Offset: std::fmt::Display>>(time: Option<DateTime<Z>>, time_us: i64) -> String {
    let digits = if time_us % 1_000_000 == 0 { SecondsFormat::Secs } else { SecondsFormat::Micros };
    time.map_or_else(|| format!("{time_us}us"), |time| time.to_rfc3339_opts(digits, true))
}

/// Takes `now`, `start` or `end` (or rrdtool's `n`, `s`, `e`) off the front, when an offset or nothing follows.
fn split_base(text: &str) -> Option<(Base, &str)> {
    const BASES: [(&str, Base); 7] = [
        ("now", Base::Now),
        ("start", Base::Start),
        ("end", Base::End),
        ("N", Base::Now),
        ("n", Base::Now),
        ("s", Base::Start),
        ("e", Base::End),
    ];
    BASES.iter().find_map(|(name, base)| {
        let rest = text.strip_prefix(name)?.trim_start();
        (rest.is_empty() || rest.starts_with(['+', '-'])).then_some((*base, rest))
    })
}

/// Reads `-1d2h+30m`: the sign holds until the next one; a bare number is seconds.
fn parse_offset(text: &str, mut rest: &str) -> Result<Offset, TimeError> {
    let syntax = || TimeError::Syntax(text.to_owned());
    let mut offset = Offset::default();
    let mut sign = 1;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(['+', '-']) {
            sign = if rest.starts_with('-') { -1 } else { 1 };
            rest = after.trim_start();
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let after = rest[digits..].trim_start();
        let unit_len = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (number, unit) = (&rest[..digits], &after[..unit_len]);
        add_part(&mut offset, text, number, unit, sign)?.ok_or_else(syntax)?;
        rest = after[unit_len..].trim_start();
    }
    Ok(offset)
}

/// Adds `number` × `unit` to the offset; `None` when the number is none or too large.
fn add_part(offset: &mut Offset, text: &str, number: &str, unit: &str, sign: i64) -> Result<Option<()>, TimeError> {
    let us_of_unit = match unit {
        "us" => 1,
        "ms" => 1_000,
        "" | "s" | "sec" | "second" | "seconds" => 1_000_000,
        "m" | "min" | "minute" | "minutes" => 60_000_000,
        "h" | "hour" | "hours" => 3_600_000_000,
        "d" | "day" | "days" => return Ok(add_whole(&mut offset.days, number, sign)),
        "w" | "week" | "weeks" => return Ok(add_whole(&mut offset.days, number, 7 * sign)),
        "mon" | "month" | "months" => return Ok(add_whole(&mut offset.months, number, sign)),
        "y" | "year" | "years" => return Ok(add_whole(&mut offset.months, number, 12 * sign)),
        unknown => return Err(TimeError::Unit { text: text.to_owned(), unit: unknown.to_owned() }),
    };
    let exact_us = || {
        let us = i128::from(parse_micros(number)?) * i128::from(us_of_unit * sign) / 1_000_000;
        offset.us.checked_add(i64::try_from(us).ok()?)
    };
    Ok(exact_us().map(|us| offset.us = us))
}

fn add_whole(count: &mut i64, number: &str, factor: i64) -> Option<()> {
    *count = count.checked_add(number.parse::<i64>().ok()?.checked_mul(factor)?)?;
    Some(())
}

/// Moves a time by an offset: the calendar's part in local time first, then the exact part.
fn shifted(from_us: i64, offset: Offset) -> Option<i64> {
    let mut us = from_us;
    if offset.months != 0 || offset.days != 0 {
        let local = DateTime::<Utc>::from_timestamp_micros(from_us)?.with_timezone(&Local).naive_local();
        let months = Months::new(u32::try_from(offset.months.unsigned_abs()).ok()?);
        let by_month = match offset.months < 0 {
            true => local.checked_sub_months(months)?,
            false => local.checked_add_months(months)?,
        };
        us = from_local(by_month.checked_add_signed(TimeDelta::try_days(offset.days)?)?)?;
    }
    us.checked_add(offset.us)
}

/// The instant of a local time of day; in the hour that summer time skips, the instant an hour later.
fn from_local(naive: NaiveDateTime) -> Option<i64> {
    let found = Local.from_local_datetime(&naive).earliest();
    let skipped = || Local.from_local_datetime(&naive.checked_add_signed(TimeDelta::hours(1))?).earliest();
    found.or_else(skipped).map(|time| time.timestamp_micros())
}

/// Unix seconds or ISO 8601.
fn parse_absolute(text: &str) -> Result<i64, TimeError> {
    if let Some(date) = rrdtools_date(text) {
        return from_local(date).ok_or_else(|| TimeError::NoSuchTime(text.to_owned()));
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return parse_micros(text).ok_or_else(|| TimeError::Syntax(text.to_owned()));
    }
    parse_iso(text)
}

/// Eight digits that are a date of the calendar, `20260131`: to rrdtool its midnight, and as unix seconds a time in 1970
/// that nobody means.
fn rrdtools_date(text: &str) -> Option<NaiveDateTime> {
    let eight = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) && text > "19700101";
    let date = eight.then(|| NaiveDate::parse_from_str(text, "%Y%m%d").ok())??;
    date.and_hms_opt(0, 0, 0)
}

/// A decimal number times a million, cut, without a detour by doubles.
fn parse_micros(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if (whole.is_empty() && fraction.is_empty()) || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let six = format!("{:0<6.6}", fraction);
    seconds.checked_mul(1_000_000)?.checked_add(six.parse().ok()?)
}

fn parse_iso(text: &str) -> Result<i64, TimeError> {
    const FORMS: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    const ZONED: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"];
    let is_date = text.get(..10).is_some_and(|date| NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok());
    let error = || match looks_like_date(text) {
        true if !is_date => TimeError::NoSuchTime(text.to_owned()),
        _ => TimeError::Syntax(text.to_owned()),
    };
    let mut normal = text.replacen(' ', "T", 1);
    if normal.ends_with(['Z', 'z']) {
        normal.truncate(normal.len() - 1);
        normal.push_str("+00:00");
    }
    if let Some(time) = ZONED.iter().find_map(|form| DateTime::parse_from_str(&normal, form).ok()) {
        return Ok(time.timestamp_micros());
    }
    if normal.len() == 10 {
        normal.push_str("T00:00");
    }
    let naive = FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(&normal, form).ok()).ok_or_else(error)?;
    let local = Local.from_local_datetime(&naive).earliest();
    local.map(|time| time.timestamp_micros()).ok_or_else(|| TimeError::NoSuchTime(text.to_owned()))
}

/// `dddd-dd-dd` at the front, whatever the numbers.
fn looks_like_date(text: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() >= 10 && text.bytes().take(10).enumerate().all(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_US: i64 = 1_700_000_000_000_000;
    const HOUR_US: i64 = 3_600_000_000;

    #[track_caller]
    fn ago(text: &str, us: i64) {
        assert_eq!(parse_time(text, NOW_US).map(|time| NOW_US - time), Ok(us), "{text}");
    }

    fn span(start: &str, end: &str) -> Result<(i64, i64), TimeError> {
        let span = Span::resolve(&start.parse()?, &end.parse()?, NOW_US)?;
        Ok((span.start_us - NOW_US, span.end_us - NOW_US))
    }

    #[test]
    fn m_is_minutes_and_never_months() {
        ago("now-5m", 300_000_000);
        ago("now-6m", 360_000_000);
        ago("now-5min", 300_000_000);
    }

    #[test]
    fn offsets_add_up_and_keep_their_sign() {
        ago("now", 0);
        ago("N", 0);
        ago("-600", 600_000_000);
        ago("now - 1h30m", 5_400_000_000);
        ago("now-1h+30m", 1_800_000_000);
        ago("now-1.5h", 5_400_000_000);
        ago("now-250ms", 250_000);
        ago("now+1s", -1_000_000);
    }

    #[test]
    fn a_calendar_offset_lands_on_the_same_time_of_day() {
        let day = |text: &str| iso_local(parse_time(text, NOW_US).unwrap());
        let now = iso_local(NOW_US);
        assert_eq!(&day("now-1mon")[..7], "2023-10");
        assert_eq!(&day("now-1y")[..4], "2022");
        assert_eq!(day("now-1w"), day("now-7d"));
        assert_eq!(day("now-2days")[10..19], now[10..19]);
    }

    #[test]
    fn unix_seconds_are_exact_to_the_microsecond() {
        for (text, us) in [
            ("1700000000", 1_700_000_000_000_000),
            ("1700000000.402", 1_700_000_000_402_000),
            ("1700000000.1234569", 1_700_000_000_123_456),
            ("0.000001", 1),
        ] {
            assert_eq!(parse_time(text, 0), Ok(us), "{text}");
        }
    }

    #[test]
    fn eight_digits_are_a_date_where_they_can_be_one() {
        assert_eq!(parse_time("20260131", 0), parse_time("2026-01-31", 0));
        assert_eq!(parse_time("20261331", 0), Ok(20_261_331_000_000));
        assert_eq!(parse_time("20260131.5", 0), Ok(20_260_131_500_000));
    }

    #[test]
    fn iso_8601_is_read_with_its_zone() {
        for text in [
            "2023-11-14T22:13:20Z",
            "2023-11-14 22:13:20Z",
            "2023-11-14T23:13:20+01:00",
            "2023-11-14T23:13:20+0100",
            "2023-11-14T23:13:20+01",
            "2023-11-14T22:13:20.000Z",
        ] {
            assert_eq!(parse_time(text, 0), Ok(NOW_US), "{text}");
        }
        assert_eq!(parse_time("2023-11-14T22:13Z", 0), Ok(NOW_US - 20_000_000));
        assert_eq!(iso_utc(NOW_US), "2023-11-14T22:13:20Z");
        assert_eq!(iso_utc(NOW_US + 5), "2023-11-14T22:13:20.000005Z");
    }

    #[test]
    fn a_time_without_zone_is_local() {
        let local = iso_local(NOW_US);
        assert_eq!(parse_time(&local, 0), Ok(NOW_US));
        assert_eq!(parse_time(&local[..19], 0), Ok(NOW_US));
        assert_eq!(parse_time(&local[..10], 0), parse_time(&format!("{}T00:00", &local[..10]), 0));
    }

    #[test]
    fn the_ends_of_a_span_may_refer_to_each_other_one_way() {
        assert_eq!(span("end-2h", "now"), Ok((-2 * HOUR_US, 0)));
        assert_eq!(span("e-1h", "now-1h"), Ok((-2 * HOUR_US, -HOUR_US)));
        assert_eq!(span("now-2h", "start+1h"), Ok((-2 * HOUR_US, -HOUR_US)));
        assert_eq!(span("s", "now").map(drop), Err(TimeError::Circular { start: "s".into(), end: "now".into() }));
        assert!(matches!(span("end-1h", "start+1h"), Err(TimeError::Circular { .. })));
        assert!(matches!(span("now", "now-1h"), Err(TimeError::Reversed { .. })));
        assert!(matches!(parse_time("end-1h", NOW_US), Err(TimeError::NoSpan(_))));
    }

    #[test]
    fn only_what_counts_from_now_moves() {
        let moves = |text: &str| text.parse::<TimeSpec>().unwrap().moves();
        assert!(moves("now-1h") && moves("-5m"));
        assert!(!moves("1700000000") && !moves("start+1h"));
    }

    #[test]
    fn a_wrong_time_is_refused_and_never_a_panic() {
        for text in [
            "",
            "-",
            "now-",
            "now+h",
            "nowish",
            "tomorrow",
            "12:30",
            "2023-13-01",
            "2023-02-30T10:00",
            "2023-1-1",
            "2023-11-14T25:00",
            "1e9",
            "1.2.3",
            "now-99999999999999999999s",
            "now-9999999999999y",
            "é",
            "now-1é",
        ] {
            assert!(parse_time(text, NOW_US).is_err(), "{text}");
        }
    }

    #[test]
    fn errors_say_the_remedy() {
        let said = |text: &str| parse_time(text, NOW_US).map_err(|e| e.to_string()).unwrap_err();
        assert!(
            said("yesterday").starts_with("`yesterday` is not a time; write unix seconds"),
            "{}",
            said("yesterday")
        );
        assert!(said("now-3M").contains("unknown unit `M`"), "{}", said("now-3M"));
        assert!(said("2023-02-30").contains("does not exist in the calendar"), "{}", said("2023-02-30"));
        assert!(said("now-9999999y").contains("out of the calendar"), "{}", said("now-9999999y"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(now|end|start|[0-9]{1,5})?[-+0-9a-zµ.:TZ ]{0,24}") {
            let _ = text.parse::<TimeSpec>().map(|spec| spec.at_us(NOW_US));
        }

        #[test]
        fn a_printed_time_reads_back(us in -2_000_000_000_000_000_i64..4_000_000_000_000_000) {
            proptest::prop_assert_eq!(parse_time(&iso_utc(us), 0), Ok(us));
        }
    }
}
