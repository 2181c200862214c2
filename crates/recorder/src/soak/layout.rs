//! Which source of the store each source of the run is.
//!
//! A store keeps its sources in the order in which they came; another run may have watched other targets. Sources that
//! this run does not watch are unknown while it lasts.

use anyhow::bail;
use heapsoak_rrd::{Heartbeat, Reading, Source, SourceType};
use heapsoak_store::{NewSource, Writer};

use super::registry::{Registered, Sample};

/// Number in the run → position in the store.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    heartbeat: Heartbeat,
    positions: Vec<usize>,
    width: usize,
}

impl Layout {
    /// The layout of a run that has no sources yet; new ones get this heartbeat.
    pub(crate) fn new(heartbeat: Heartbeat) -> Self {
        Self { heartbeat, positions: Vec::new(), width: 0 }
    }

    /// Takes more sources of the run; those that the store lacks are added, and their rows so far are unknown.
    ///
    /// # Errors
    /// When the store has a source of the same name and another type.
    pub(crate) fn extend(&mut self, more: &[Registered], store: &mut Writer) -> anyhow::Result<()> {
        let mut added = Vec::new();
        for source in more {
            match store.schema().sources().iter().find(|known| known.name == source.name) {
                None => added.push(new_source(source, self.heartbeat)),
                Some(known) if known.kind == source.spec.kind => {}
                Some(known) => bail!(
                    "{} has {} as {} and this run records it as {}; record into another file",
                    store.path().display(),
                    known.name,
                    known.kind,
                    source.spec.kind
                ),
            }
        }
        if !added.is_empty() {
            store.add_sources(&added)?;
        }
        let all = store.schema().sources();
        let position = |source: &Registered| all.iter().position(|known| known.name == source.name);
        self.positions.extend(more.iter().filter_map(position));
        self.width = all.len();
        Ok(())
    }

    /// One reading for each source of the store.
    pub(crate) fn spread(&self, sample: Sample) -> Vec<Reading> {
        let mut all = vec![Reading::Unknown; self.width];
        for (source, reading) in sample {
            if let Some(place) = self.positions.get(source).and_then(|position| all.get_mut(*position)) {
                *place = reading;
            }
        }
        all
    }
}

/// As the store takes it.
pub(crate) fn new_source(source: &Registered, heartbeat: Heartbeat) -> NewSource {
    let spec = source.spec;
    // A count only rises; a fall is a restart, which must be unknown and not a negative rate.
    let min = matches!(spec.kind, SourceType::Derive | SourceType::DDerive).then_some(0.0);
    NewSource {
        source: Source { name: source.name.clone(), kind: spec.kind, heartbeat, min, max: None },
        unit: spec.unit.to_owned(),
        description: spec.description.to_owned(),
    }
}
