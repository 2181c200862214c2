//! Which archive answers a question about a stretch of time, and which rows it takes.

use crate::archive::{Archive, Cf};
use crate::schema::Schema;
use crate::time::Time;

/// The least number of rows that a fetch may span. A longer one is allowed only if it is within twice the archive's own
/// length: beyond that it would be unknown rows alone, and they would be made in memory.
pub const FETCH_ROWS: u64 = 10_000_000;

/// The answer's frame: rows of one archive, stamped with the end of their time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The number of the archive that answers.
    pub archive: usize,
    /// The start of the first row's time.
    pub start: Time,
    /// The end of the last row's time.
    pub end: Time,
    /// The length of a row in microseconds.
    pub row_us: u64,
}

impl Window {
    /// The times of the rows: `start + row_us`, … `end`.
    pub fn times(&self) -> impl Iterator<Item = Time> + use<> {
        let window = *self;
        (1..=self.rows()).map(move |row| window.end_of_rows(row))
    }

    /// The end of the row with this place, counted from 0.
    pub fn end_of(&self, row: usize) -> Time {
        self.end_of_rows(row as u64 + 1)
    }

    /// Those of the rows that the archive can hold after an update at `last`, none that ended by `since`, when it began:
    /// all others are unknown. Where it holds none, start and end are one border of this window.
    #[must_use]
    pub fn held(self, schema: &Schema, last: Time, since: Time) -> Window {
        let (oldest, newest) = held(schema, last, self.archive);
        let covered = oldest.as_micros().saturating_sub_unsigned(self.row_us);
        let begun = since.as_micros().saturating_sub_unsigned(since.past(self.row_us));
        let start = self.start.max(Time::from_micros(covered.max(begun))).min(self.end);
        Window { start, end: self.end.min(newest).max(start), ..self }
    }

    fn end_of_rows(&self, rows: u64) -> Time {
        Time::from_micros(self.start.as_micros().saturating_add_unsigned(rows.saturating_mul(self.row_us)))
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        if self.end <= self.start {
            0
        } else {
            self.end.as_micros().abs_diff(self.start.as_micros()) / self.row_us.max(1)
        }
    }
}

/// Why a fetch cannot be answered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The times are the wrong way round.
    #[error("start {start} is after end {end}: give an earlier start or a later end")]
    Order {
        /// The start asked for.
        start: Time,
        /// The end asked for.
        end: Time,
    },
    /// No archive has this consolidation function.
    #[error("no archive consolidates by {cf}: ask for one of the archives' own functions ({known})")]
    NoArchive {
        /// The function asked for.
        cf: Cf,
        /// The functions that there are.
        known: String,
    },
    /// The rows would not fit the range of times, or would be too many.
    #[error(
        "fetch from {start} to {end} spans too many rows of {row_us} µs: ask for a shorter time or a coarser resolution"
    )]
    TooLong {
        /// The start asked for.
        start: Time,
        /// The end asked for.
        end: Time,
        /// The length of a row.
        row_us: u64,
    },
}

/// Chooses the archive and rounds the times, as rrdtool does.
///
/// Candidates are the archives of `cf`, and those of one PDP per row whatever their function. Among those that reach
/// back to `start` the one whose rows are nearest to `resolution_us` answers; if none reaches back so far, the one that
/// covers most of the time. The start is rounded down to a row; the end up, and an end on a row's border goes one row further.
///
/// # Errors
/// [`FetchError`]: times the wrong way round, no candidate, or more rows than can be held.
pub fn window(
    schema: &Schema,
    last: Time,
    cf: Cf,
    start: Time,
    end: Time,
    resolution_us: u64,
) -> Result<Window, FetchError> {
    let window = frame(schema, last, cf, start, end, resolution_us)?;
    let ring = schema.archives().get(window.archive).map_or(0, |archive| archive.rows);
    let is_cut = window.start > start || window.end <= end;
    if is_cut || window.rows() > FETCH_ROWS.max(ring.saturating_mul(2)) {
        return Err(FetchError::TooLong { start, end, row_us: window.row_us });
    }
    Ok(window)
}

/// The same however many rows there are, for who makes none of those that the archive cannot hold: see [`Window::held`].
/// A row that [`Time`] cannot hold is left out.
///
/// # Errors
/// [`FetchError::Order`] and [`FetchError::NoArchive`].
pub fn frame(
    schema: &Schema,
    last: Time,
    cf: Cf,
    start: Time,
    end: Time,
    resolution_us: u64,
) -> Result<Window, FetchError> {
    if start > end {
        return Err(FetchError::Order { start, end });
    }
    let candidates = (schema.archives().iter().enumerate()).filter(|(_, a)| a.cf == cf || a.pdps_per_row == 1);
    let (index, archive) = candidates
        // `min_by_key` takes the first of equals, as the rule wants.
        .min_by_key(|(_, archive)| rank(schema, last, archive, start, resolution_us))
        .ok_or_else(|| FetchError::NoArchive { cf, known: functions(schema) })?;
    let row_us = schema.row_us(archive);
    let (after_start, after_end) = (start.past(row_us), end.past(row_us));
    let (from, to) = (start.as_micros(), end.as_micros());
    let from = from.checked_sub_unsigned(after_start).or_else(|| from.checked_add_unsigned(row_us - after_start));
    let to = to.checked_add_unsigned(row_us - after_end).or_else(|| to.checked_sub_unsigned(after_end));
    let (from, to) = (from.unwrap_or(0), to.unwrap_or(0));
    Ok(Window { archive: index, start: Time::from_micros(from), end: Time::from_micros(to.max(from)), row_us })
}

/// Smaller is better: full coverage first; then, without it, the longest coverage; then the nearest resolution.
fn rank(schema: &Schema, last: Time, archive: &Archive, start: Time, resolution_us: u64) -> (bool, i128, u64) {
    let row_us = schema.row_us(archive);
    let covered_from = covered(last, row_us, archive.rows).0;
    let missing = (covered_from - i128::from(start.as_micros())).max(0);
    (missing > 0, missing, resolution_us.abs_diff(row_us))
}

fn functions(schema: &Schema) -> String {
    let mut names: Vec<String> = schema.archives().iter().map(|a| a.cf.to_string()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

/// Start of the oldest row's time and end of the newest row's, in microseconds; the first may lie outside of [`Time`].
fn covered(last: Time, row_us: u64, rows: u64) -> (i128, i128) {
    let newest = i128::from(last.as_micros()) - i128::from(last.past(row_us));
    (newest - i128::from(row_us) * i128::from(rows), newest)
}

/// The time of the oldest row that `archive` can hold, known or not; rrdtool's `first`. `last` if there is no such archive.
pub fn first(schema: &Schema, last: Time, archive: usize) -> Time {
    held(schema, last, archive).0
}

/// The times (ends) of the oldest and of the newest row that `archive` can hold after an update at `last`; what
/// [`Time`] cannot hold stays at its end. Both are `last` if there is no such archive.
pub fn held(schema: &Schema, last: Time, archive: usize) -> (Time, Time) {
    let Some(archive) = schema.archives().get(archive) else { return (last, last) };
    let row_us = schema.row_us(archive);
    let (start, newest) = covered(last, row_us, archive.rows);
    (clamp(start + i128::from(row_us)), clamp(newest))
}

fn clamp(micros: i128) -> Time {
    Time::from_micros(i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Step;

    fn schema(archives: &[&str]) -> Schema {
        let step = Step::new(1_000_000).unwrap();
        let archives = archives.iter().map(|text| Archive::parse(text, step).unwrap()).collect();
        Schema::new(step, vec!["DS:a:GAUGE:2:U:U".parse().unwrap()], archives).unwrap()
    }

    /// Archive, start, end and number of rows of a fetch at 1000 s.
    fn asked(archives: &[&str], cf: Cf, start: i64, end: i64, resolution_s: u64) -> (usize, i64, i64, u64) {
        let (start, end) = (Time::from_secs(start), Time::from_secs(end));
        let window = window(&schema(archives), Time::from_secs(1000), cf, start, end, resolution_s * 1_000_000);
        let window = window.unwrap();
        (window.archive, window.start.whole_secs(), window.end.whole_secs(), window.rows())
    }

    const TWO: [&str; 2] = ["AVERAGE:3:20", "AVERAGE:60:10"];

    #[test]
    fn an_end_on_the_border_of_a_row_goes_one_row_further() {
        assert_eq!(asked(&TWO, Cf::Average, 960, 990, 1), (0, 960, 993, 11));
        assert_eq!(asked(&TWO, Cf::Average, 961, 989, 1), (0, 960, 990, 10));
        assert_eq!(asked(&TWO, Cf::Average, 960, 960, 1), (0, 960, 963, 1));
    }

    #[test]
    fn an_archive_that_reaches_back_wins_over_a_finer_one_that_does_not() {
        assert_eq!(asked(&TWO, Cf::Average, 939, 990, 1).0, 0);
        assert_eq!(asked(&TWO, Cf::Average, 938, 990, 1).0, 1);
        assert_eq!(asked(&TWO, Cf::Average, 960, 990, 50).0, 1);
        assert_eq!(asked(&TWO, Cf::Average, 0, 990, 1).0, 1);
    }

    #[test]
    fn equally_good_archives_are_taken_in_their_order() {
        assert_eq!(asked(&["AVERAGE:2:30", "AVERAGE:4:30"], Cf::Average, 990, 995, 3).0, 0);
        assert_eq!(asked(&["AVERAGE:4:30", "AVERAGE:2:30"], Cf::Average, 990, 995, 3).0, 0);
    }

    #[test]
    fn one_pdp_per_row_serves_every_function_and_more_do_not() {
        assert_eq!(asked(&["MAX:1:30"], Cf::Last, 990, 995, 1).0, 0);
        let (schema, time) = (schema(&["MAX:2:30", "MIN:2:30", "MIN:3:30"]), Time::from_secs(990));
        let error = window(&schema, time, Cf::Last, time, time, 1).unwrap_err();
        let wanted = "no archive consolidates by LAST: ask for one of the archives' own functions (MAX, MIN)";
        assert_eq!(error.to_string(), wanted);
    }

    #[test]
    fn times_the_wrong_way_round_and_endless_ones_are_refused() {
        let schema = schema(&TWO);
        let ask = |start: i64, end: i64| {
            window(&schema, Time::from_secs(1000), Cf::Average, Time::from_micros(start), Time::from_micros(end), 1)
        };
        let error = ask(2_000_000, 1_500_000).unwrap_err().to_string();
        assert_eq!(error, "start 2 is after end 1.5: give an earlier start or a later end");
        for (start, end) in [(i64::MIN, 0), (0, i64::MAX), (-(1 << 62), 1 << 62)] {
            assert!(matches!(ask(start, end), Err(FetchError::TooLong { .. })), "{start} {end}");
        }
    }

    #[test]
    fn of_an_endless_time_only_the_rows_of_the_ring_are_held() {
        let schema = schema(&TWO);
        let part = |start: i64, end: i64, since: i64| {
            let (last, since) = (Time::from_secs(1000), Time::from_secs(since));
            let (start, end) = (Time::from_micros(start), Time::from_micros(end));
            let held = frame(&schema, last, Cf::Average, start, end, 60_000_000).unwrap().held(&schema, last, since);
            (held.archive, held.start.whole_secs(), held.end.whole_secs(), held.rows())
        };
        const S: i64 = 1_000_000;
        for (start, end) in [(i64::MIN, i64::MAX), (0, 99_999_999_999 * S), (-(1 << 62), 1001 * S)] {
            assert_eq!(part(start, end, 0), (1, 360, 960, 10), "{start} {end}");
            assert_eq!(part(start, end, 700), (1, 660, 960, 5), "{start} {end}");
        }
        assert_eq!(part(400 * S, 500 * S, 0), (1, 360, 540, 3));
        // Before the ring, after it, and before the recording: nothing, and on the border of a row.
        assert_eq!(part(0, 100 * S, 0), (1, 120, 120, 0));
        assert_eq!(part(5000 * S, 6000 * S, 0), (1, 4980, 4980, 0));
        assert_eq!(part(0, 5000 * S, 990).3, 0);
    }

    #[test]
    fn the_oldest_and_the_newest_row_are_those_of_the_ring() {
        let schema = schema(&TWO);
        let held = |archive| held(&schema, Time::from_micros(1_000_900_000), archive);
        assert_eq!(held(0), (Time::from_secs(942), Time::from_secs(999)));
        assert_eq!(held(1), (Time::from_secs(420), Time::from_secs(960)));
        assert_eq!(first(&schema, Time::from_secs(1000), 0), Time::from_secs(942));
    }
}
