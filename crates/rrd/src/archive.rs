//! What an archive is: how many PDPs make a row, how they are consolidated, and how many rows are kept.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::duration;
use crate::schema::{SchemaError, Step, Xff};

/// The consolidation function: how the PDPs of a row become its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Cf {
    /// The average of the known PDPs.
    Average,
    /// The smallest known PDP.
    Min,
    /// The largest known PDP.
    Max,
    /// The last PDP, unknown if that one is.
    Last,
}

const CFS: [(Cf, &str); 4] = [(Cf::Average, "AVERAGE"), (Cf::Min, "MIN"), (Cf::Max, "MAX"), (Cf::Last, "LAST")];

impl fmt::Display for Cf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = CFS.iter().find(|(cf, _)| cf == self).map_or("", |(_, name)| *name);
        f.write_str(name)
    }
}

impl FromStr for Cf {
    type Err = SchemaError;

    fn from_str(text: &str) -> Result<Cf, SchemaError> {
        let found = CFS.iter().find(|(_, name)| *name == text).map(|(cf, _)| *cf);
        found.ok_or_else(|| SchemaError::Cf { text: text.to_owned() })
    }
}

/// An archive (RRA): a ring of `rows` rows of `pdps_per_row` PDPs each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Archive {
    /// How PDPs become a row.
    pub cf: Cf,
    /// The part of a row that may be unknown while the row is still known.
    pub xff: Xff,
    /// PDPs per row, at least 1.
    pub pdps_per_row: u64,
    /// Rows kept, at least 1.
    pub rows: u64,
}

impl Archive {
    /// Reads `RRA:CF:xff:n:rows`, the same without `RRA:`, or `CF:n:rows` (xff 0.5).
    ///
    /// `n` and `rows` are counts, or durations with a unit: with a step of 1 s, `AVERAGE:0.5:3s:2h` is `AVERAGE:0.5:3:2400`.
    ///
    /// # Errors
    /// A [`SchemaError`] that names the field; durations must be multiples of the step (`n`) or of a row (`rows`).
    pub fn parse(text: &str, step: Step) -> Result<Archive, SchemaError> {
        let fields: Vec<&str> = text.strip_prefix("RRA:").unwrap_or(text).split(':').collect();
        let (cf, xff, pdps_per_row, rows) = match *fields.as_slice() {
            [cf, xff, n, rows] => (cf.parse()?, parse_xff(xff)?, n, rows),
            [cf, n, rows] => (cf.parse()?, Xff::HALF, n, rows),
            _ => return Err(SchemaError::ArchiveForm { text: text.to_owned() }),
        };
        let pdps_per_row = count(pdps_per_row, step.micros())?;
        if pdps_per_row == 0 {
            return Err(SchemaError::Rows { text: text.to_owned() });
        }
        let row_us = step.micros().checked_mul(pdps_per_row);
        let row_us = row_us.ok_or_else(|| SchemaError::TooLong { text: text.to_owned() })?;
        let archive = Archive { cf, xff, pdps_per_row, rows: count(rows, row_us)? };
        archive.check(step)?;
        Ok(archive)
    }

    /// Whether it has rows and covers no more time than the arithmetic can hold; [`crate::Schema::new`] asks it of every archive.
    ///
    /// # Errors
    /// [`SchemaError::Rows`] or [`SchemaError::TooLong`].
    pub(crate) fn check(&self, step: Step) -> Result<(), SchemaError> {
        if self.pdps_per_row == 0 || !(1..=MAX_ROWS).contains(&self.rows) {
            return Err(SchemaError::Rows { text: self.to_string() });
        }
        let span = step.micros().checked_mul(self.pdps_per_row).and_then(|row| row.checked_mul(self.rows));
        match span {
            Some(span) if span <= crate::MAX_SPAN_US => Ok(()),
            _ => Err(SchemaError::TooLong { text: self.to_string() }),
        }
    }
}

/// The most rows an archive may have: 3 years at 1 s. One update after a long gap writes all rows of an archive, so the
/// number bounds the time an update can take.
pub const MAX_ROWS: u64 = 100_000_000;

fn parse_xff(text: &str) -> Result<Xff, SchemaError> {
    Xff::new(text.parse().map_err(|_| SchemaError::Xff { text: text.to_owned() })?)
}

/// A count as it is, or a duration with a unit divided by the `unit_us` (not 0) that it counts.
fn count(text: &str, unit_us: u64) -> Result<u64, SchemaError> {
    if !duration::has_unit(text) {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        let count = text.parse().ok().filter(|_| digits);
        return count.ok_or_else(|| SchemaError::Count { text: text.to_owned() });
    }
    let span = duration::parse(text)?;
    if span % unit_us != 0 {
        let unit = crate::time::seconds(unit_us);
        return Err(SchemaError::NotAMultiple { text: text.to_owned(), unit });
    }
    Ok(span / unit_us)
}

impl fmt::Display for Archive {
    /// `RRA:CF:xff:n:rows` with plain counts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RRA:{}:{}:{}:{}", self.cf, self.xff.get(), self.pdps_per_row, self.rows)
    }
}
