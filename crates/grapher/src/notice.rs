//! What the picture says when data are not there: since when.

use std::time::Duration;

use chrono::{DateTime, Local, Utc};
use heapsoak_cli::duration::format_duration;
use heapsoak_cli::time::{Span, iso_local};
use heapsoak_rrd::Time;

/// What is known of the data, all in microseconds since the unix epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// The end of the newest row in the picture that has a value.
    pub(crate) newest_us: Option<i64>,
    /// The time of the store's last update; `None` before the first.
    pub(crate) last_us: Option<i64>,
    /// How old the newest row may be before something is wrong.
    pub(crate) fresh_us: i64,
}

/// Says since when there are no data, when the newest are too old for the picture's end.
///
/// `None` when all is well, and for a store without any update: the picture itself then says "no data yet".
pub(crate) fn notice(known: Known, span: Span, now_us: i64) -> Option<String> {
    // Nobody can have data of the future.
    let end_us = span.end_us.min(now_us);
    let last_us = known.last_us?;
    let since = |time_us| Some(format!("no data since {}", clock_time(time_us, end_us)));
    match known.newest_us {
        Some(newest_us) if end_us.saturating_sub(newest_us) <= known.fresh_us => None,
        Some(newest_us) => since(newest_us),
        None if last_us <= span.start_us => since(last_us),
        None => Some("no data in this time".to_owned()),
    }
}

/// The local time of day, with the date when it is not that of `beside_us`.
pub(crate) fn clock_time(time_us: i64, beside_us: i64) -> String {
    let local = |us| DateTime::<Utc>::from_timestamp_micros(us).unwrap_or_default().with_timezone(&Local);
    let (time, beside) = (local(time_us), local(beside_us));
    let form = if time.date_naive() == beside.date_naive() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    time.format(form).to_string()
}

/// `2020-01-01T00:00:00+00:00 to 2026-01-01T00:00:00+00:00: 189388800 rows of 1s`.
pub(crate) fn too_many_rows(start: Time, end: Time, rows: u64, row_us: u64) -> String {
    let [start, end] = [start, end].map(|time| iso_local(time.as_micros()));
    format!("{start} to {end}: {rows} rows of {}", format_duration(Duration::from_micros(row_us)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_US: i64 = 1_700_000_000_000_000;
    const SPAN: Span = Span { start_us: NOON_US - 600_000_000, end_us: NOON_US };

    fn said(newest_ago_s: Option<i64>, last_ago_s: Option<i64>) -> Option<String> {
        let ago = |s: i64| NOON_US - s * 1_000_000;
        let known = Known { newest_us: newest_ago_s.map(ago), last_us: last_ago_s.map(ago), fresh_us: 9_000_000 };
        notice(known, SPAN, NOON_US)
    }

    #[test]
    fn fresh_data_are_not_called_missing() {
        assert_eq!(said(Some(9), Some(1)), None);
    }

    #[test]
    fn data_that_stopped_are_said_with_their_time() {
        let expected = format!("no data since {}", clock_time(NOON_US - 10_000_000, NOON_US));
        assert_eq!(said(Some(10), Some(10)), Some(expected));
    }

    #[test]
    fn data_older_than_the_picture_are_said_too() {
        assert!(said(None, Some(86_400 * 3)).is_some_and(|text| text.starts_with("no data since 2023-11-1")));
    }

    #[test]
    fn a_target_that_gives_no_values_is_not_an_empty_store() {
        assert_eq!(said(None, Some(5)), Some("no data in this time".to_owned()));
        assert_eq!(said(None, None), None);
    }

    #[test]
    fn an_end_in_the_future_does_not_make_data_old() {
        let span = Span { end_us: NOON_US + 3_600_000_000, ..SPAN };
        let known = Known { newest_us: Some(NOON_US), last_us: Some(NOON_US), fresh_us: 9_000_000 };
        assert_eq!(notice(known, span, NOON_US), None);
    }
}
