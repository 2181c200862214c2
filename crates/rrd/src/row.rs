//! A finished row on its way from the arithmetic to wherever rows are kept.

use crate::schema::Schema;
use crate::time::Time;

/// A row of one archive, just closed. An update hands rows to its sink in ascending time for each archive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row<'a> {
    /// The number of the archive in the schema.
    pub archive: usize,
    /// The place in the archive's ring, `time / row length mod rows`: whatever is there is older and is replaced.
    pub slot: u64,
    /// The END of the time that the row covers; a multiple of the row's length since the epoch.
    pub time: Time,
    /// One value per source, in the order of the schema; `None`: unknown.
    pub values: &'a [Option<f64>],
}

/// The place of the row that ends at `time` in the ring of archive `archive`; `None` if there is no such archive.
pub fn slot(schema: &Schema, archive: usize, time: Time) -> Option<u64> {
    let archive = schema.archives().get(archive)?;
    Some(slot_of(time, schema.row_us(archive), archive.rows))
}

pub(crate) fn slot_of(time: Time, row_us: u64, rows: u64) -> u64 {
    time.index(row_us).rem_euclid(rows.cast_signed()).cast_unsigned()
}
