//! Which source of the store each reading of a sample goes to.
//!
//! A store keeps its sources in the order in which they came; a later run may watch other targets. Sources that a run
//! does not watch are unknown while it lasts.

use anyhow::bail;
use heapsoak_rrd::Reading;
use heapsoak_store::{NewSource, Writer};

/// Position in the sample → position in the store.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    positions: Vec<usize>,
    width: usize,
}

impl Layout {
    /// The layout of `sources` in `store`; those it lacks are added, and their rows so far are unknown.
    ///
    /// # Errors
    /// When the store has a source of the same name and another type.
    pub(crate) fn of(sources: &[NewSource], store: &mut Writer) -> anyhow::Result<Self> {
        let known: Vec<_> = store.schema().sources().iter().map(|s| (s.name.clone(), s.kind)).collect();
        let mut added = Vec::new();
        for new in sources {
            match known.iter().find(|(name, _)| *name == new.source.name) {
                None => added.push(new.clone()),
                Some((_, kind)) if *kind == new.source.kind => {}
                Some((name, kind)) => bail!(
                    "{} has {name} as {kind} and this run records it as {}; record into another file",
                    store.path().display(),
                    new.source.kind
                ),
            }
        }
        if !added.is_empty() {
            store.add_sources(&added)?;
        }
        let all = store.schema().sources();
        let position = |new: &NewSource| all.iter().position(|source| source.name == new.source.name);
        Ok(Self { positions: sources.iter().filter_map(position).collect(), width: all.len() })
    }

    /// One reading for each source of the store.
    pub(crate) fn spread(&self, readings: Vec<Reading>) -> Vec<Reading> {
        let mut all = vec![Reading::Unknown; self.width];
        for (position, reading) in self.positions.iter().zip(readings) {
            all[*position] = reading;
        }
        all
    }
}
