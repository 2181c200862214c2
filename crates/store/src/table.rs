//! A fetch: from the slots of a ring to rows in their order.

use std::path::Path;

use heapsoak_rrd::fetch::{Window, held};
use heapsoak_rrd::{Schema, Time, slot};
use rusqlite::Connection;

use crate::error::{StoreError, sqlite};
use crate::load::{Definition, number, signed};
use crate::model::Table;
use crate::records::{Point, Record, select};

/// Values of one table: with the rows around them about 320 MB. A week of seconds of 15 sources is half of it.
const MAX_VALUES: u64 = 20_000_000;

/// The memory that a row takes up besides its values, in values.
const ROW_VALUES: u64 = 4;

/// The numbers of the sources asked for; of all if none is named.
pub(crate) fn columns(schema: &Schema, names: Option<&[&str]>, path: &Path) -> Result<Vec<usize>, StoreError> {
    let all = || schema.sources().iter().map(|source| source.name.as_str());
    let Some(names) = names else { return Ok((0..schema.sources().len()).collect()) };
    let find = |name: &&str| {
        all().position(|known| known == *name).ok_or_else(|| {
            let known = all().collect::<Vec<_>>().join(", ");
            StoreError::NoSource { path: path.to_owned(), name: (*name).to_owned(), known }
        })
    };
    names.iter().map(find).collect()
}

/// Refuses what would take up too much memory: all `windows` of `columns` columns together.
pub(crate) fn check_size(windows: &[Window], columns: usize) -> Result<(), StoreError> {
    let values = |window: &Window| window.rows().saturating_mul(columns as u64 + ROW_VALUES);
    let found = windows.iter().map(values).fold(0, u64::saturating_add);
    if found > MAX_VALUES {
        return Err(StoreError::TooMany { what: "values", whole: "answer", found, limit: MAX_VALUES });
    }
    Ok(())
}

/// Reads the rows of `window`. What the ring does not hold, holds for another time, or holds damaged, is unknown.
pub(crate) fn read(
    conn: &Connection,
    path: &Path,
    definition: &Definition,
    columns: &[usize],
    window: Window,
) -> Result<Table, StoreError> {
    check_size(&[window], columns.len())?;
    let schema = &definition.schema;
    let names = columns.iter().filter_map(|&column| schema.sources().get(column)).map(|s| s.name.to_string()).collect();
    let rows = window.times().map(|time| (time, vec![None; columns.len()])).collect();
    let mut table = Table { window, names, rows, damaged: 0 };
    for part in stretches(schema, definition.last(), window) {
        fill(conn, &mut table, columns, &part).map_err(sqlite(path, "read the rows"))?;
    }
    Ok(table)
}

/// Neighbouring slots: a ring is one such stretch, or two where it starts again within the window.
pub(crate) struct Stretch {
    pub(crate) archive: i64,
    /// The first slot and the last.
    pub(crate) slots: (i64, i64),
    /// The row of the window that belongs to the first slot.
    pub(crate) first_row: usize,
}

/// The slots of those rows of a window that the ring holds.
pub(crate) fn stretches(schema: &Schema, last: Time, window: Window) -> Vec<Stretch> {
    let Some(ring) = schema.archives().get(window.archive).map(|archive| archive.rows) else { return Vec::new() };
    let (oldest, newest) = held(schema, last, window.archive);
    let row_us = signed(window.row_us).max(1);
    let row_of = |end: Time| end.as_micros().saturating_sub(window.start.as_micros()) / row_us - 1;
    let (mut row, end) = (row_of(oldest).max(0), row_of(newest).min(signed(window.rows()) - 1));
    let mut parts = Vec::new();
    while row <= end {
        let time = Time::from_micros(window.start.as_micros().saturating_add((row + 1).saturating_mul(row_us)));
        let (Some(slot), Ok(first_row)) = (slot(schema, window.archive, time).map(signed), usize::try_from(row)) else {
            return parts;
        };
        let count = (end - row + 1).min(signed(ring) - slot).max(1);
        parts.push(Stretch { archive: number(window.archive), slots: (slot, slot + count - 1), first_row });
        row += count;
    }
    parts
}

fn fill(conn: &Connection, table: &mut Table, columns: &[usize], part: &Stretch) -> rusqlite::Result<()> {
    let (low, high) = part.slots;
    // Sources that lie between those asked for are read and left out: that is cheaper than asking for each.
    let (first, last) = (columns.iter().min(), columns.iter().max());
    let (first, last) = (first.map_or(0, |&id| number(id)), last.map_or(-1, |&id| number(id)));
    let filter = "WHERE archive = ?1 AND slot BETWEEN ?2 AND ?3 AND source BETWEEN ?4 AND ?5";
    let mut statement = conn.prepare_cached(&select::<Point>(filter))?;
    let mut found = statement.query([part.archive, low, high, first, last])?;
    while let Some(row) = found.next()? {
        let Ok(point) = Point::read_sound(row) else {
            let source: Option<i64> = row.get(2).ok();
            table.damaged += columns.iter().filter(|column| Some(number(**column)) == source).count() as u64;
            continue;
        };
        let index = usize::try_from(point.slot - low).ok().and_then(|offset| offset.checked_add(part.first_row));
        let Some((time, values)) = index.and_then(|index| table.rows.get_mut(index)) else { continue };
        let of_its_time = point.time.to_bits() == time.as_secs_f64().to_bits();
        for (_, value) in columns.iter().zip(values).filter(|(column, _)| number(**column) == point.source) {
            if of_its_time {
                *value = point.value;
            }
        }
    }
    Ok(())
}
