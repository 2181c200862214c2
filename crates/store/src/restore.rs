//! A store that begins with a past: one made from what another program, or another file, recorded.

use std::path::Path;

use heapsoak_rrd::{Archive, State, Step, Time};

use crate::create::{self, Plan};
use crate::error::StoreError;
use crate::model::{Existing, NewSource};
use crate::writer::Writer;

/// The rows of one archive: the end of each row's time, and a value for each source; `None`: unknown.
pub type Rows = Vec<(Time, Vec<Option<f64>>)>;

/// What a new store is to hold from its beginning.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// The time that one PDP covers.
    pub step: Step,
    /// The sources, in the order of a sample's readings.
    pub sources: Vec<NewSource>,
    /// The archives.
    pub archives: Vec<Archive>,
    /// When the recording began.
    pub start: Time,
    /// What the next update goes on from.
    pub state: State,
    /// The rows of each archive, in the order of `archives`. What is not among them is unknown; of rows that fall into
    /// one slot of the ring the last one stays.
    pub rows: Vec<Rows>,
}

impl Writer {
    /// Makes a store with contents and opens it to go on writing it. As [`Writer::create`] it puts the file in its place
    /// whole, or leaves nothing.
    ///
    /// # Errors
    /// Those of [`Writer::create`]; [`StoreError::State`] when the state cannot be one of these sources and archives.
    pub fn restore(path: &Path, contents: &Contents, existing: Existing) -> Result<Writer, StoreError> {
        let Contents { step, sources, archives, start, state, rows } = contents;
        let schema = create::schema(*step, sources, archives)?;
        state.check(&schema)?;
        Writer::make(path, &Plan { schema: &schema, sources, start: *start, state, rows }, existing)
    }
}
