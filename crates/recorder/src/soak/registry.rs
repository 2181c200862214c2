//! The sources of a run, in the order in which they came. A target that appears later brings its sources with it.
//!
//! A probe holds a [`Block`]: its readings carry the numbers of their sources, so that probes need not know of each other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, bail};
use heapsoak_rrd::{Reading, SourceName};

use super::sources::SourceSpec;

/// A source of this run under the name that it has in the store.
#[derive(Debug, Clone)]
pub(crate) struct Registered {
    pub(crate) name: SourceName,
    pub(crate) spec: SourceSpec,
}

/// The number of a source in this run.
pub(crate) type SourceId = usize;

/// All readings of one tick; sources that are not among them are unknown.
pub(crate) type Sample = Vec<(SourceId, Reading)>;

/// Where targets enter their sources; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry(Arc<Mutex<Vec<Registered>>>);

impl Registry {
    /// Enters the sources of a target: plain without a label, else as `label_name`.
    ///
    /// # Errors
    /// When a name is taken, or label and name together are longer than a source name may be.
    pub(crate) fn add(&self, label: Option<&str>, specs: &[SourceSpec]) -> anyhow::Result<Block> {
        let mut all = self.lock();
        let first = all.len();
        let mut added = Vec::with_capacity(specs.len());
        for spec in specs {
            let text = label.map_or_else(|| spec.name.to_owned(), |label| format!("{label}_{}", spec.name));
            let name: SourceName = text.parse().context("the label of a target stands before its sources")?;
            if all.iter().any(|other| other.name == name) {
                bail!("two targets have the source {name}; give one of them another label");
            }
            added.push(Registered { name, spec: *spec });
        }
        all.append(&mut added);
        Ok(Block { first, length: specs.len() })
    }

    /// The sources from number `known` on.
    pub(crate) fn since(&self, known: usize) -> Vec<Registered> {
        self.lock().get(known..).map(<[Registered]>::to_vec).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Registered>> {
        // Sources are only ever appended whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sources of one target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    first: SourceId,
    length: usize,
}

impl Block {
    /// One reading for each source of the block, in their order.
    pub(crate) fn sample<R: Into<Reading>>(&self, readings: impl IntoIterator<Item = R>) -> Sample {
        (self.first..self.first + self.length).zip(readings.into_iter().map(Into::into)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sources;
    use super::*;

    fn names(registry: &Registry, known: usize) -> Vec<String> {
        registry.since(known).iter().map(|source| source.name.to_string()).collect()
    }

    #[test]
    fn a_target_that_comes_later_gets_numbers_of_its_own() {
        let registry = Registry::default();
        registry.add(None, sources::LOOP).unwrap();
        let block = registry.add(Some("api"), sources::LOOP).unwrap();
        assert_eq!(names(&registry, 1), ["failures", "api_iterations", "api_failures"]);
        assert_eq!(names(&registry, 2), ["api_iterations", "api_failures"]);
        assert_eq!(names(&registry, 4), [""; 0]);
        assert_eq!(block.sample([7_u64]), [(2, Reading::from(7_u64))]);
    }

    #[test]
    fn a_name_that_is_taken_or_too_long_adds_nothing() {
        let registry = Registry::default();
        registry.add(None, sources::OWN).unwrap();
        assert!(registry.add(None, sources::OWN).unwrap_err().to_string().contains("recorder_heap"));
        assert!(registry.add(Some("a-very-long-label"), sources::OWN).is_err());
        assert_eq!(registry.since(0).len(), sources::OWN.len());
    }
}
