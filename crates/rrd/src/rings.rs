//! Archives in memory: for tests, importers, and whoever needs no file.

use std::collections::BTreeMap;

use crate::fetch::Window;
use crate::row::{Row, slot_of};
use crate::schema::Schema;
use crate::time::Time;

/// The rings of all archives; each holds at most its number of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Rings {
    sources: usize,
    rings: Vec<Ring>,
}

#[derive(Clone, Debug, PartialEq)]
struct Ring {
    row_us: u64,
    rows: u64,
    slots: BTreeMap<u64, (Time, Vec<Option<f64>>)>,
}

impl Rings {
    /// Empty rings for each archive of `schema`.
    pub fn new(schema: &Schema) -> Rings {
        let ring = |archive| {
            let row_us = schema.row_us(archive);
            Ring { row_us, rows: archive.rows, slots: BTreeMap::new() }
        };
        Rings { sources: schema.sources().len(), rings: schema.archives().iter().map(ring).collect() }
    }

    /// Puts a row into its slot, replacing the older one there. A row of an archive that is not in the schema is ignored.
    pub fn apply(&mut self, row: Row<'_>) {
        self.sources = self.sources.max(row.values.len());
        if let Some(ring) = self.rings.get_mut(row.archive) {
            ring.slots.insert(row.slot, (row.time, row.values.to_vec()));
        }
    }

    /// How many rows the ring of `archive` holds now.
    pub fn len(&self, archive: usize) -> usize {
        self.rings.get(archive).map_or(0, |ring| ring.slots.len())
    }

    /// The rows of `window`, ascending in time, one value per source; unknown where the ring holds nothing for that time.
    pub fn fetch(&self, window: &Window) -> Vec<(Time, Vec<Option<f64>>)> {
        let ring = self.rings.get(window.archive);
        let row = |time| {
            let mut values = ring.and_then(|ring| ring.at(time)).map_or_else(Vec::new, <[_]>::to_vec);
            // Rows from before a source joined are one value short.
            values.resize(self.sources, None);
            (time, values)
        };
        window.times().map(row).collect()
    }
}

impl Ring {
    fn at(&self, time: Time) -> Option<&[Option<f64>]> {
        let (held, values) = self.slots.get(&slot_of(time, self.row_us, self.rows))?;
        (*held == time).then_some(values)
    }
}
