//! Archives in memory: for tests, importers, and whoever needs no file.

use std::collections::BTreeMap;

use crate::fetch::Window;
use crate::row::Row;
use crate::schema::Schema;
use crate::time::Time;

/// Slot to row.
type Ring = BTreeMap<u64, (Time, Vec<Option<f64>>)>;

/// The rings of all archives; each holds at most its number of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Rings {
    sources: usize,
    rings: Vec<Ring>,
}

impl Rings {
    /// Empty rings for each archive of `schema`.
    pub fn new(schema: &Schema) -> Rings {
        Rings { sources: schema.sources().len(), rings: vec![Ring::new(); schema.archives().len()] }
    }

    /// Puts a row into its slot, replacing the older one there. A row of an archive that is not in the schema is ignored.
    pub fn apply(&mut self, row: Row<'_>) {
        self.sources = self.sources.max(row.values.len());
        if let Some(ring) = self.rings.get_mut(row.archive) {
            ring.insert(row.slot, (row.time, row.values.to_vec()));
        }
    }

    /// How many rows the ring of `archive` holds now.
    pub fn len(&self, archive: usize) -> usize {
        self.rings.get(archive).map_or(0, Ring::len)
    }

    /// The rows of `window`, ascending in time; unknown where the ring holds nothing for that time.
    pub fn fetch(&self, schema: &Schema, window: &Window) -> Vec<(Time, Vec<Option<f64>>)> {
        window.times().map(|time| (time, self.at(schema, window.archive, time))).collect()
    }

    fn at(&self, schema: &Schema, archive: usize, time: Time) -> Vec<Option<f64>> {
        let slot = crate::row::slot(schema, archive, time);
        let row = slot.and_then(|slot| self.rings.get(archive)?.get(&slot)).filter(|(held, _)| *held == time);
        let mut values = row.map_or_else(Vec::new, |(_, values)| values.clone());
        values.resize(self.sources, None);
        values
    }
}
