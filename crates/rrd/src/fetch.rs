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
        let Window { start, row_us, .. } = *self;
        (1..=self.rows()).map(move |row| Time::from_micros(start.as_micros().saturating_add_unsigned(row * row_us)))
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
    if start > end {
        return Err(FetchError::Order { start, end });
    }
    let candidates = (schema.archives().iter().enumerate()).filter(|(_, a)| a.cf == cf || a.pdps_per_row == 1);
    let (index, archive) = candidates
        // `min_by_key` takes the first of equals, as the rule wants.
        .min_by_key(|(_, archive)| rank(schema, last, archive, start, resolution_us))
        .ok_or_else(|| FetchError::NoArchive { cf, known: functions(schema) })?;
    let row_us = schema.row_us(archive);
    let too_long = FetchError::TooLong { start, end, row_us };
    let rounded = (
        start.as_micros().checked_sub_unsigned(start.past(row_us)),
        end.as_micros().checked_add_unsigned(row_us - end.past(row_us)),
    );
    let (Some(from), Some(to)) = rounded else { return Err(too_long) };
    let window = Window { archive: index, start: Time::from_micros(from), end: Time::from_micros(to), row_us };
    if window.rows() > FETCH_ROWS.max(archive.rows * 2) {
        return Err(too_long);
    }
    Ok(window)
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
