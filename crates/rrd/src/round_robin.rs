//! The machine: an update in, finished rows out.

use crate::reading::Reading;
use crate::row::Row;
use crate::schema::{Schema, SchemaError};
use crate::source::{Source, SourceName, SourceType};
use crate::state::{CdpState, SourceState, State, StateError};
use crate::time::Time;

/// Why an update was refused. A refused update has changed nothing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// Not later than the last update.
    #[error("time {time} is not after {last}, the last update: give a later time")]
    NotLater {
        /// The time of the refused update.
        time: Time,
        /// The time of the last update.
        last: Time,
    },
    /// Too few or too many readings.
    #[error("{got} readings for {expected} sources: give one for each source, U where there is none")]
    Count {
        /// Sources of the schema.
        expected: usize,
        /// Readings handed in.
        got: usize,
    },
    /// A text that is not a number of the form the source takes.
    #[error("reading `{text}` of source `{name}` is not {}: give such a number, or U for unknown", wanted(*.kind))]
    NotANumber {
        /// The source.
        name: SourceName,
        /// Its type.
        kind: SourceType,
        /// The text, its end cut off where it is long.
        text: String,
    },
}

fn wanted(kind: SourceType) -> &'static str {
    match kind {
        SourceType::Counter => "a whole number from 0 to 18446744073709551615",
        SourceType::Derive => "a whole number from -18446744073709551615 to 18446744073709551615",
        _ => "a number",
    }
}

/// A round-robin database without its rows: it takes samples and hands out finished rows.
#[derive(Clone, Debug)]
pub struct RoundRobin {
    schema: Schema,
    state: State,
}

impl RoundRobin {
    /// A database that starts at `start`; the first update must be later.
    pub fn new(schema: Schema, start: Time) -> RoundRobin {
        let state = State::new(&schema, start);
        RoundRobin { schema, state }
    }

    /// Goes on where a saved state left off.
    ///
    /// # Errors
    /// [`StateError`] when `state` cannot belong to `schema`.
    pub fn resume(schema: Schema, state: State) -> Result<RoundRobin, StateError> {
        state.check(&schema)?;
        Ok(RoundRobin { schema, state })
    }

    /// The definition.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What to save so that [`RoundRobin::resume`] can go on.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The time of the last update, or of the start.
    pub fn last(&self) -> Time {
        self.state.last
    }

    /// Appends a source; its open PDP and rows so far are unknown.
    ///
    /// # Errors
    /// [`SchemaError`] when the name is taken or the limits are out of order; nothing is changed then.
    pub fn add_source(&mut self, source: Source) -> Result<(), SchemaError> {
        self.schema.add_source(source)?;
        let last = self.state.last;
        self.state.sources.push(SourceState::unknown(&self.schema, last));
        for (archive, row) in self.schema.archives().iter().zip(&mut self.state.cdps) {
            row.push(CdpState::unknown(&self.schema, last, archive.pdps_per_row));
        }
        Ok(())
    }

    /// Applies one sample: `readings` has one reading for each source, in the order of the schema. Rows that it closes
    /// go to `sink`, for each archive in ascending time. All or nothing.
    ///
    /// # Errors
    /// [`UpdateError`]; the state is then as it was and the sink was not called.
    pub fn update(
        &mut self,
        time: Time,
        readings: &[Reading],
        sink: &mut dyn FnMut(Row<'_>),
    ) -> Result<(), UpdateError> {
        let _ = (time, readings, sink);
        Ok(())
    }
}
