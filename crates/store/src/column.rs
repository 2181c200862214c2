//! A fetch of one source, however long: whole blocks where there are any, the rows between them, handed on piece by piece.

use std::path::Path;

use heapsoak_rrd::Schema;
use heapsoak_rrd::fetch::Window;
use rusqlite::Connection;

use crate::block::{self, Block};
use crate::error::{StoreError, sqlite};
use crate::history::time_of;
use crate::load::{Definition, number};
use crate::records::{Point, Record, select};
use crate::table::{Stretch, stretches};

/// Rows of one column: eight bytes each, if what takes them keeps them all.
const MAX_ROWS: u64 = 20_000_000;

/// Rows that are read at once where there are no blocks, so that a long ring without any takes no more memory.
const PIECE: i64 = 4096;

/// Takes the values of a long fetch as they are read, so that what makes few of many needs no memory for a million.
pub trait Take {
    /// Some neighbouring rows, ascending in time; not-a-number: unknown.
    fn take(&mut self, values: &[f64]);
}

impl Take for Vec<f64> {
    fn take(&mut self, values: &[f64]) {
        self.extend_from_slice(values);
    }
}

/// Reads one source's rows of `window`, which the ring can hold, as [`crate::table::read`] does, and hands them to `values`
/// in their order. Answers these and how many of the rows are damaged.
pub(crate) fn column<V: Take>(
    conn: &Connection,
    path: &Path,
    definition: &Definition,
    source: usize,
    window: Window,
    values: V,
) -> Result<(V, u64), StoreError> {
    if window.rows() > MAX_ROWS {
        return Err(StoreError::TooMany { what: "rows", whole: "answer", found: window.rows(), limit: MAX_ROWS });
    }
    let mut pieces =
        Pieces { conn, schema: &definition.schema, source: number(source), window, next: 0, damaged: 0, values };
    for part in stretches(&definition.schema, definition.last(), window) {
        pieces.stretch(&part).map_err(sqlite(path, "read the rows"))?;
    }
    let Pieces { damaged, values, .. } = pieces;
    Ok((values, damaged))
}

/// A column under way.
struct Pieces<'c, V> {
    conn: &'c Connection,
    schema: &'c Schema,
    source: i64,
    window: Window,
    /// The row that is handed on next.
    next: usize,
    damaged: u64,
    values: V,
}

impl<V: Take> Pieces<'_, V> {
    fn take(&mut self, values: &[f64]) {
        self.values.take(values);
        self.next += values.len();
    }

    fn stretch(&mut self, part: &Stretch) -> rusqlite::Result<()> {
        let (first, last) = block::within(self.schema, self.window.archive, part.slots);
        let filter = "WHERE archive = ?1 AND source = ?2 AND block BETWEEN ?3 AND ?4";
        let mut statement = self.conn.prepare_cached(&select::<Block>(filter))?;
        let mut found = statement.query([part.archive, self.source, first, last])?;
        let mut next = part.slots.0;
        while let Some(row) = found.next()? {
            let Ok(block) = Block::read_sound(row) else { continue };
            let Some(slots) = block.slots(self.schema).filter(|slots| slots.0 >= next) else { continue };
            let Ok(last_row) = usize::try_from(slots.1 - part.slots.0) else { continue };
            if self.window.end_of(part.first_row + last_row) == time_of(block.time) {
                self.rows(part, (next, slots.0 - 1))?;
                self.take(&block.values());
                next = slots.1 + 1;
            }
        }
        self.rows(part, (next, part.slots.1))
    }

    /// The rows of some slots of a stretch.
    fn rows(&mut self, part: &Stretch, (mut low, high): (i64, i64)) -> rusqlite::Result<()> {
        while low <= high {
            let end = high.min(low.saturating_add(PIECE - 1));
            self.piece(part.archive, (low, end))?;
            low = end + 1;
        }
        Ok(())
    }

    fn piece(&mut self, archive: i64, (low, high): (i64, i64)) -> rusqlite::Result<()> {
        let count = usize::try_from(high + 1 - low).unwrap_or(0);
        let mut values = vec![f64::NAN; count];
        let filter = "WHERE archive = ?1 AND slot BETWEEN ?2 AND ?3 AND source = ?4";
        let mut statement = self.conn.prepare_cached(&select::<Point>(filter))?;
        let mut found = statement.query([archive, low, high, self.source])?;
        while let Some(row) = found.next()? {
            let Ok(point) = Point::read_sound(row) else {
                self.damaged += 1;
                continue;
            };
            let place = usize::try_from(point.slot - low).ok();
            let of_its_time = |place: &usize| self.window.end_of(self.next + place) == time_of(point.time);
            if let Some(value) = place.filter(of_its_time).and_then(|place| values.get_mut(place)) {
                *value = point.value.unwrap_or(f64::NAN);
            }
        }
        self.take(&values);
        Ok(())
    }
}
