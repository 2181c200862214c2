//! Blocks: the rows of a ring once more, 120 values of one source in one piece.
//!
//! A row costs its reader a third of a microsecond, and a picture of a million of them would take ten times as long as the
//! drawing of it. A block costs little more than a row. It is written when the last of its slots is, from the rows as they
//! stand in the file; what is not in a whole block is read from the rows.
//!
//! A block says when its last row ended. Once the ring comes round again, that is not the time that a reader looks for, and
//! so a block needs no care while its rows give way to newer ones.

use heapsoak_rrd::{Schema, Time, slot};
use rusqlite::{Connection, ErrorCode, Row};

use crate::crc::Cell;
use crate::history::time_of;
use crate::load::{number, signed};
use crate::records::{Point, Record, put, select};

/// Rows of a block; the last one of a ring may have fewer. It is the most of which SQLite's page takes four.
const ROWS: i64 = 120;

/// Bytes of a number.
const WIDTH: usize = 8;

/// The values of one source in the slots of one block.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Block {
    pub(crate) archive: i64,
    pub(crate) source: i64,
    pub(crate) block: i64,
    /// The end of the last row, unix seconds.
    pub(crate) time: f64,
    /// A double for each row, little endian; not-a-number: unknown.
    pub(crate) numbers: Vec<u8>,
}

impl Record for Block {
    const TABLE: &'static str = "block";
    const COLUMNS: &'static str = "archive, source, block, time, numbers";

    fn each(&self, cell: &mut dyn FnMut(Cell<'_>)) {
        cell(Cell::Int(self.archive));
        cell(Cell::Int(self.source));
        cell(Cell::Int(self.block));
        cell(Cell::Real(self.time));
        cell(Cell::Bytes(&self.numbers));
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            archive: row.get(0)?,
            source: row.get(1)?,
            block: row.get(2)?,
            time: row.get(3)?,
            numbers: row.get(4)?,
        })
    }

    fn key(&self) -> String {
        format!("archive {}, source {}, block {}", self.archive, self.source, self.block)
    }
}

impl Block {
    /// Its first slot and its last, if it is one of the schema and has a value for each.
    pub(crate) fn slots(&self, schema: &Schema) -> Option<(i64, i64)> {
        let (first, last) = slots(schema, usize::try_from(self.archive).ok()?, self.block)?;
        (number(self.numbers.len() / WIDTH) == last - first + 1 && self.numbers.len().is_multiple_of(WIDTH))
            .then_some((first, last))
    }

    /// The values in the order of their slots.
    pub(crate) fn values(&self) -> Vec<f64> {
        self.numbers.as_chunks::<WIDTH>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
    }

    /// What is wrong with the place of a block whose check holds.
    pub(crate) fn misplaced(&self, schema: &Schema) -> Option<&'static str> {
        let archive = usize::try_from(self.archive).ok().filter(|archive| *archive < schema.archives().len());
        let Some(archive) = archive else { return Some("there is no such archive") };
        if !(0..number(schema.sources().len())).contains(&self.source) {
            return Some("there is no such source");
        }
        let Some((_, last)) = self.slots(schema) else { return Some("there is no such block") };
        let right = slot(schema, archive, time_of(self.time)).map(signed) == Some(last);
        (!right).then_some("its time belongs into another block")
    }
}

/// The first slot of a block of a ring, and the last.
fn slots(schema: &Schema, archive: usize, block: i64) -> Option<(i64, i64)> {
    let ring = signed(schema.archives().get(archive)?.rows);
    let first = block.checked_mul(ROWS).filter(|first| (0..ring).contains(first))?;
    Some((first, (first + ROWS).min(ring) - 1))
}

/// The blocks that lie within some slots, and so can be read in place of them: the first, and the last.
pub(crate) fn within(schema: &Schema, archive: usize, slots: (i64, i64)) -> (i64, i64) {
    let ring = schema.archives().get(archive).map_or(0, |archive| signed(archive.rows));
    let ends_ring = slots.1 + 1 == ring;
    let end = if ends_ring { slots.1 / ROWS } else { (slots.1 + 1) / ROWS - 1 };
    ((slots.0 + ROWS - 1) / ROWS, end)
}

/// The block whose last slot this is.
pub(crate) fn ended_by(schema: &Schema, archive: usize, slot: i64) -> Option<i64> {
    let block = slot / ROWS;
    slots(schema, archive, block).filter(|(_, last)| *last == slot).map(|_| block)
}

/// How many blocks a ring has.
pub(crate) fn count(ring: u64) -> i64 {
    signed(ring.div_ceil(ROWS.unsigned_abs()))
}

/// The blocks that the rows in the file make, one for each source. None if the last row is not there, or if one is damaged or
/// of another round. Other rows that are not there are unknown: a source was added later, or the ring began in between.
fn of_rows(conn: &Connection, schema: &Schema, archive: usize, block: i64) -> rusqlite::Result<Vec<Block>> {
    let Some((first, last)) = slots(schema, archive, block) else { return Ok(Vec::new()) };
    let row_us = schema.archives().get(archive).map_or(0, |archive| signed(schema.row_us(archive)));
    let length = usize::try_from(last - first + 1).unwrap_or_default();
    let mut all = vec![f64::NAN.to_le_bytes().repeat(length); schema.sources().len()];
    let mut end = None;
    let mut ended = false;
    let mut statement = conn.prepare_cached(&select::<Point>("WHERE archive = ?1 AND slot BETWEEN ?2 AND ?3"))?;
    let mut rows = statement.query([number(archive), first, last])?;
    while let Some(row) = rows.next()? {
        let Ok(point) = Point::read_sound(row) else { return Ok(Vec::new()) };
        let implied = time_of(point.time).as_micros().saturating_add((last - point.slot).saturating_mul(row_us));
        if *end.get_or_insert(implied) != implied {
            return Ok(Vec::new());
        }
        ended |= point.slot == last;
        let place = usize::try_from(point.slot - first).ok().map(|row| row * WIDTH);
        let numbers = usize::try_from(point.source).ok().and_then(|source| all.get_mut(source));
        if let (Some(place), Some(numbers), Some(value)) = (place, numbers, point.value)
            && let Some(room) = numbers.get_mut(place..place + WIDTH)
        {
            room.copy_from_slice(&value.to_le_bytes());
        }
    }
    let Some(end) = end.filter(|_| ended) else { return Ok(Vec::new()) };
    let (archive, time) = (number(archive), Time::from_micros(end).as_secs_f64());
    Ok((0..).zip(all).map(|(source, numbers)| Block { archive, source, block, time, numbers }).collect())
}

/// Writes the blocks that the rows in the file make, within the caller's transaction.
pub(crate) fn write(conn: &Connection, schema: &Schema, archive: usize, block: i64) -> rusqlite::Result<()> {
    match of_rows(conn, schema, archive, block) {
        // What cannot be read for a block is read by nobody who writes rows: it must not keep them from it.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => Ok(()),
        blocks => put(conn, blocks?),
    }
}

/// Those blocks in the file that say something else than their rows.
pub(crate) fn contradicting(conn: &Connection, schema: &Schema) -> rusqlite::Result<Vec<Block>> {
    let mut found = Vec::new();
    let mut numbers = conn.prepare("SELECT DISTINCT block FROM block WHERE archive = ?1 ORDER BY block")?;
    let mut stored = conn.prepare(&select::<Block>("WHERE archive = ?1 AND source = ?2 AND block = ?3"))?;
    for archive in 0..schema.archives().len() {
        let mut numbers = numbers.query([number(archive)])?;
        while let Some(row) = numbers.next()? {
            let Ok(block) = row.get(0) else { continue };
            for right in of_rows(conn, schema, archive, block)? {
                let mut rows = stored.query([right.archive, right.source, right.block])?;
                let Some(Ok(stored)) = rows.next()?.map(Block::read_sound) else { continue };
                if stored.time.to_bits() == right.time.to_bits() && stored.numbers != right.numbers {
                    found.push(stored);
                }
            }
        }
    }
    Ok(found)
}
