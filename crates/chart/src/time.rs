//! The time axis: natural instants in the picture's zone, each with a label that
//! differs from its neighbours', and the dates below them.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike as _, FixedOffset, Local, NaiveDate, NaiveDateTime, Offset as _, TimeZone, Utc};

use crate::Zone;

/// The times that can be labelled, in unix seconds: the years 1 to 9999.
pub(crate) const LABELLED: RangeInclusive<f64> = -62_135_510_400.0..=253_402_214_400.0;

/// A tick of the time axis.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeTick {
    /// In unix seconds.
    pub time: f64,
    /// `14:03`, `Sun 22`, `Nov`: never that of the tick before it.
    pub text: String,
    /// The date, month or year that begins here, at the first tick of it; and, at the first tick after the zone's clocks
    /// were changed, what they are since.
    pub date: Option<String>,
}

/// The time axis of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeAxis {
    /// Ascending, within the span.
    pub ticks: Vec<TimeTick>,
    /// Instants between the ticks, without labels.
    pub minor: Vec<f64>,
    /// The date, month or year of the span's start.
    pub date: String,
    /// `UTC`, `UTC+01:00`, `UTC+02:00 → +01:00`.
    pub zone: String,
}

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The distance of ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Microseconds, from midnight or (days and weeks) from a Monday.
    Micros(i64),
    Months(i32),
}

/// From fine to coarse: the step, and the step of the minor ticks.
const LADDER: &[(Step, Step)] = {
    use Step::{Micros, Months};
    &[
        (Micros(1_000), Micros(500)),
        (Micros(2_000), Micros(1_000)),
        (Micros(5_000), Micros(1_000)),
        (Micros(10_000), Micros(5_000)),
        (Micros(20_000), Micros(10_000)),
        (Micros(50_000), Micros(10_000)),
        (Micros(100_000), Micros(50_000)),
        (Micros(200_000), Micros(100_000)),
        (Micros(500_000), Micros(100_000)),
        (Micros(SECOND), Micros(500_000)),
        (Micros(2 * SECOND), Micros(SECOND)),
        (Micros(5 * SECOND), Micros(SECOND)),
        (Micros(10 * SECOND), Micros(5 * SECOND)),
        (Micros(15 * SECOND), Micros(5 * SECOND)),
        (Micros(30 * SECOND), Micros(10 * SECOND)),
        (Micros(MINUTE), Micros(30 * SECOND)),
        (Micros(2 * MINUTE), Micros(MINUTE)),
        (Micros(5 * MINUTE), Micros(MINUTE)),
        (Micros(10 * MINUTE), Micros(5 * MINUTE)),
        (Micros(15 * MINUTE), Micros(5 * MINUTE)),
        (Micros(30 * MINUTE), Micros(10 * MINUTE)),
        (Micros(HOUR), Micros(30 * MINUTE)),
        (Micros(2 * HOUR), Micros(HOUR)),
        (Micros(3 * HOUR), Micros(HOUR)),
        (Micros(6 * HOUR), Micros(3 * HOUR)),
        (Micros(12 * HOUR), Micros(3 * HOUR)),
        (Micros(DAY), Micros(6 * HOUR)),
        (Micros(2 * DAY), Micros(DAY)),
        (Micros(7 * DAY), Micros(DAY)),
        (Micros(14 * DAY), Micros(7 * DAY)),
        (Months(1), Micros(7 * DAY)),
        (Months(2), Months(1)),
        (Months(3), Months(1)),
        (Months(6), Months(1)),
        (Months(12), Months(3)),
        (Months(24), Months(12)),
        (Months(60), Months(12)),
        (Months(120), Months(60)),
        (Months(240), Months(120)),
        (Months(600), Months(120)),
        (Months(1200), Months(600)),
        (Months(2400), Months(1200)),
        (Months(6000), Months(1200)),
        (Months(12_000), Months(6000)),
    ]
};

impl Step {
    fn seconds(self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "at most two weeks of microseconds")]
            Step::Micros(micros) => micros as f64 / 1e6,
            // A mean Gregorian month.
            Step::Months(months) => f64::from(months) * 2_629_746.0,
        }
    }

    /// How the label and the date below it are written.
    fn formats(self) -> (&'static str, &'static str) {
        const DATE: &str = "%a %-d %b %Y";
        match self {
            Step::Micros(micros) if micros % SECOND != 0 => ("%H:%M:%S%.3f", DATE),
            Step::Micros(micros) if micros % MINUTE != 0 => ("%H:%M:%S", DATE),
            Step::Micros(micros) if micros < DAY => ("%H:%M", DATE),
            Step::Micros(micros) if micros < 7 * DAY => ("%a %-d", "%B %Y"),
            Step::Micros(_) => ("%-d %b", "%Y"),
            Step::Months(months) if months < 12 => ("%b", "%Y"),
            Step::Months(_) => ("%Y", ""),
        }
    }
}

impl Zone {
    fn at(self, micros: i64) -> Option<DateTime<FixedOffset>> {
        let utc = DateTime::from_timestamp_micros(micros)?;
        Some(match self {
            Zone::Local => utc.with_timezone(&Local).fixed_offset(),
            Zone::Utc => utc.fixed_offset(),
            Zone::Fixed(offset) => utc.with_timezone(&offset),
        })
    }

    /// The first instant that shows this wall-clock time; `None` where a change
    /// to summer time leaves it out.
    fn instant(self, wall: NaiveDateTime) -> Option<i64> {
        let micros = |found: Option<DateTime<FixedOffset>>| found.map(|time| time.timestamp_micros());
        match self {
            Zone::Local => micros(Local.from_local_datetime(&wall).earliest().map(|time| time.fixed_offset())),
            Zone::Utc => micros(Utc.from_local_datetime(&wall).earliest().map(|time| time.fixed_offset())),
            Zone::Fixed(offset) => micros(offset.from_local_datetime(&wall).earliest()),
        }
    }

    /// The time as this zone's clocks show it, in a `chrono` format.
    #[must_use]
    pub fn format(self, time: f64, format: &str) -> String {
        if !LABELLED.contains(&time) {
            return String::new();
        }
        self.at(to_micros(time)).map_or_else(String::new, |time| time.format(format).to_string())
    }

    fn offset(self, micros: i64) -> Option<FixedOffset> {
        self.at(micros).map(|time| time.offset().fix())
    }

    /// [`Zone::offsets`], UTC itself without its zeros.
    fn name(self, from: f64, to: f64) -> String {
        Some(self.offsets(from, to)).filter(|name| name != "UTC+00:00").unwrap_or_else(|| "UTC".to_owned())
    }

    /// Its distance from UTC between two times, in unix seconds: `UTC+02:00`; `UTC+02:00 → +01:00` where its clocks
    /// were changed between them, `UTC+01:00/+02:00` where often.
    #[must_use]
    pub fn offsets(self, from: f64, to: f64) -> String {
        if !(LABELLED.contains(&from) && LABELLED.contains(&to)) {
            return String::new();
        }
        // Changes are months apart; of a span of many years not each of them has to be met.
        let at = |part: i32| self.offset(to_micros(from + (to - from) * f64::from(part) / 64.0));
        let mut offsets: Vec<FixedOffset> = (0..=64).filter_map(at).collect();
        offsets.dedup();
        let mut between = " → ";
        if offsets.len() > 3 {
            offsets.sort_by_key(FixedOffset::local_minus_utc);
            offsets.dedup();
            between = "/";
        }
        let texts: Vec<String> = offsets.iter().map(FixedOffset::to_string).collect();
        format!("UTC{}", texts.join(between))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checked against LABELLED before")]
fn to_micros(time: f64) -> i64 {
    (time * 1e6).round() as i64
}

#[expect(clippy::cast_precision_loss, reason = "f64 seconds are the chart's resolution")]
fn to_seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// Every instant of this step in the span, ascending.
fn instants(zone: Zone, step: Step, from: i64, to: i64) -> Vec<i64> {
    let mut found: Vec<i64> = match step {
        // Hours and less: even distances, so that the hour that summer time
        // repeats has ticks as well.
        Step::Micros(step) if step <= HOUR => {
            let offset = zone.at(from).map_or(0, |time| i64::from(time.offset().local_minus_utc()) * SECOND);
            let first = (from + offset).div_euclid(step) * step - offset;
            (0..).map(|index| first + index * step).take_while(|&time| time <= to).collect()
        }
        Step::Micros(step) => {
            // 1970-01-05, a Monday, for days and weeks.
            let origin = if step > DAY { 4 * DAY } else { 0 };
            let wall = |micros: i64| zone.at(micros).map(|time| time.naive_local().and_utc().timestamp_micros());
            let (Some(first), Some(last)) = (wall(from), wall(to)) else { return Vec::new() };
            let first = (first - origin).div_euclid(step) * step + origin - step;
            (0..)
                .map(|index| first + index * step)
                .take_while(|&wall| wall <= last + DAY)
                .filter_map(|wall| zone.instant(DateTime::from_timestamp_micros(wall)?.naive_utc()))
                .collect()
        }
        Step::Months(step) => {
            let (Some(first), Some(last)) = (zone.at(from), zone.at(to)) else { return Vec::new() };
            let first = (first.year() * 12).div_euclid(step) * step;
            let last = last.year() * 12 + 12;
            (0..)
                .map(|index| first + index * step)
                .take_while(|&month| month <= last)
                .filter_map(|month| {
                    let month0 = u32::try_from(month.rem_euclid(12)).ok()?;
                    let date = NaiveDate::from_ymd_opt(month.div_euclid(12), month0 + 1, 1)?;
                    zone.instant(date.and_hms_opt(0, 0, 0)?)
                })
                .collect()
        }
    };
    found.retain(|time| (from..=to).contains(time));
    found.dedup();
    found
}

/// The axis of a span on a canvas of this width. `measure` gives the width of a
/// label in pixels.
///
/// The span must lie within the years 1 to 9999; otherwise the axis is empty.
#[must_use]
pub fn time_axis(zone: Zone, from: f64, to: f64, width: f64, measure: &dyn Fn(&str) -> f64) -> TimeAxis {
    let empty = TimeAxis { ticks: Vec::new(), minor: Vec::new(), date: String::new(), zone: String::new() };
    if !(LABELLED.contains(&from) && LABELLED.contains(&to) && from < to) {
        return empty;
    }
    let (start, end) = (to_micros(from), to_micros(to));
    let pixels = |seconds: f64| seconds / (to - from) * width;
    let gap = measure("0000");
    let fits = |step: Step| {
        let (format, _) = step.formats();
        // As wide as a label of this format gets: a Wednesday in November.
        let sample = zone.format(1_322_049_600.0, format);
        pixels(step.seconds()) >= measure(&sample) + gap
    };
    let Some(&(step, minor)) = LADDER.iter().find(|(step, _)| fits(*step)).or(LADDER.last()) else { return empty };
    let (format, date_format) = step.formats();
    let mut last_text = String::new();
    let mut last_date = zone.format(from, date_format);
    let mut last_offset = zone.offset(start);
    let mut axis = TimeAxis { date: last_date.clone(), zone: zone.name(from, to), ..empty };
    for micros in instants(zone, step, start, end) {
        let time = to_seconds(micros).clamp(from, to);
        let text = shorten(zone.format(time, format), step);
        let offset = zone.offset(micros);
        let turned = offset != last_offset && step.seconds() < Step::Micros(DAY).seconds();
        // The hour that a change from summer time repeats is told apart by what is said below it.
        if text == last_text && !turned {
            continue;
        }
        let date = zone.format(time, date_format);
        let new = (date != last_date).then(|| date.clone());
        let news: Vec<String> = new.into_iter().chain(turned.then(|| zone.name(time, time))).collect();
        (last_text, last_date, last_offset) = (text.clone(), date, offset);
        axis.ticks.push(TimeTick { time, text, date: (!news.is_empty()).then(|| news.join(" ")) });
    }
    if pixels(minor.seconds()) >= 4.0 {
        let is_major = |time: &f64| axis.ticks.iter().any(|tick| (tick.time - time).abs() < 1e-9);
        axis.minor =
            instants(zone, minor, start, end).into_iter().map(to_seconds).filter(|time| !is_major(time)).collect();
    }
    axis
}

/// Tenths of a second need no thousandths.
fn shorten(text: String, step: Step) -> String {
    match step {
        Step::Micros(micros) if micros % SECOND != 0 && micros % 100_000 == 0 => {
            text.strip_suffix("00").map(str::to_owned).unwrap_or(text)
        }
        Step::Micros(micros) if micros % SECOND != 0 && micros % 10_000 == 0 => {
            text.strip_suffix('0').map(str::to_owned).unwrap_or(text)
        }
        _ => text,
    }
}

/// The span told by both its ends, as short as it can be told: for titles.
#[must_use]
pub fn format_span(zone: Zone, from: f64, to: f64) -> String {
    let day = |time: f64| zone.format(time, "%Y-%m-%d");
    let (start, end) = (zone.format(from, "%Y-%m-%d %H:%M:%S"), zone.format(to, "%H:%M:%S"));
    let offset = zone.name(from, to);
    if day(from) == day(to) {
        format!("{start} to {end} {offset}")
    } else {
        format!("{start} to {} {end} {offset}", day(to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sun 22 Nov 2026 14:03:07 UTC.
    const NOW: f64 = 1_795_356_187.0;

    fn axis(span: f64, width: f64) -> TimeAxis {
        time_axis(Zone::Utc, NOW - span, NOW, width, &measure)
    }

    #[expect(clippy::cast_precision_loss, reason = "a short text")]
    fn measure(text: &str) -> f64 {
        text.chars().count() as f64 * 8.0
    }

    fn shown(span: f64) -> Vec<String> {
        axis(span, 800.0)
            .ticks
            .into_iter()
            .map(|tick| format!("{} {}", tick.text, tick.date.unwrap_or_default()).trim_end().to_owned())
            .collect()
    }

    #[test]
    fn ten_minutes_have_a_tick_each_minute() {
        let ticks = shown(600.0);
        assert_eq!(ticks, ["13:54", "13:55", "13:56", "13:57", "13:58", "13:59", "14:00", "14:01", "14:02", "14:03"]);
        assert_eq!(axis(600.0, 800.0).date, "Sun 22 Nov 2026");
    }

    #[test]
    fn the_date_is_told_where_the_day_changes() {
        let ticks = shown(20.0 * 3600.0);
        assert!(ticks.contains(&"00:00 Sun 22 Nov 2026".to_owned()), "{ticks:?}");
        assert_eq!(axis(20.0 * 3600.0, 800.0).date, "Sat 21 Nov 2026");
    }

    #[test]
    fn a_second_a_week_and_years_have_their_own_ticks() {
        assert_eq!(shown(1.0)[..2], ["14:03:06.0", "14:03:06.2"]);
        assert_eq!(shown(7.0 * 86_400.0)[0], "Mon 16");
        assert_eq!(shown(3.0 * 365.0 * 86_400.0)[0], "Jan 2024");
        assert_eq!(shown(40.0 * 365.25 * 86_400.0)[0], "1990");
    }

    #[test]
    fn a_zone_of_half_hours_has_ticks_on_its_own_full_hours() {
        let zone = Zone::Fixed(FixedOffset::east_opt(5 * 3600 + 1800).unwrap());
        let axis = time_axis(zone, NOW - 20.0 * 3600.0, NOW, 800.0, &measure);
        assert!(axis.ticks.iter().all(|tick| tick.text.ends_with(":00")), "{axis:?}");
        assert_eq!(axis.zone, "UTC+05:30");
    }

    /// Wherever the machine is: the nights on which Europe and America change.
    #[test]
    fn a_change_of_summer_time_neither_repeats_a_label_nor_stops_the_axis() {
        for midnight in [1_774_742_400.0, 1_792_886_400.0, 1_772_942_400.0, 1_793_491_200.0] {
            for hours in [1.0, 3.0, 6.0, 24.0, 72.0, 240.0] {
                for start in 0..12 {
                    let from = midnight + f64::from(start) * 1800.0;
                    let axis = time_axis(Zone::Local, from, from + hours * 3600.0, 800.0, &measure);
                    assert!(axis.ticks.len() >= 3, "{from} {hours} {axis:?}");
                    let told = |tick: &TimeTick| tick.text.clone() + tick.date.as_deref().unwrap_or_default();
                    let apart = |pair: &[TimeTick]| pair[0].time < pair[1].time && told(&pair[0]) != told(&pair[1]);
                    assert!(axis.ticks.windows(2).all(apart), "{from} {hours} {axis:?}");
                }
            }
        }
    }

    #[test]
    fn impossible_spans_have_an_empty_axis() {
        for (from, to) in [(2.0, 1.0), (1.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY), (-1e300, 1e300)] {
            assert_eq!(time_axis(Zone::Utc, from, to, 800.0, &measure).ticks, []);
        }
    }

    proptest! {
        #[test]
        fn neighbouring_labels_differ_and_never_touch_for_any_span(
            power in -2.9f64..9.5,
            now in 0.0f64..4e9,
            width in 60.0f64..3000.0,
            offset in -14i32..=14,
        ) {
            let span = 10f64.powf(power);
            let zone = Zone::Fixed(FixedOffset::east_opt(offset * 3600).unwrap());
            let axis = time_axis(zone, now - span, now, width, &measure);
            // Two and a half labels: the next coarser step is at most so much longer.
            prop_assert!(width < 330.0 || !axis.ticks.is_empty());
            for pair in axis.ticks.windows(2) {
                prop_assert!(pair[0].time < pair[1].time, "{axis:?}");
                prop_assert!(pair[0].text != pair[1].text, "{axis:?}");
                let apart = (pair[1].time - pair[0].time) / span * width;
                prop_assert!(apart >= (measure(&pair[0].text) + measure(&pair[1].text)) / 2.0, "{axis:?}");
            }
            for tick in &axis.ticks {
                prop_assert!(tick.time >= now - span && tick.time <= now, "{axis:?}");
            }
        }
    }
}
