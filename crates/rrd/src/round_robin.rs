//! The machine: an update in, finished rows out.

use crate::cdp::{self, Placing};
use crate::pdp::{self, Closing};
use crate::rate::{self, NotANumber};
use crate::reading::Reading;
use crate::row::{Row, slot_of};
use crate::schema::{Schema, SchemaError};
use crate::source::{Source, SourceName, SourceType};
use crate::state::{CdpState, SourceState, State, StateError, open_pdps};
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

/// The most characters of a refused text that an error repeats.
const SHOWN_TEXT: usize = 40;

/// A round-robin database without its rows: it takes samples and hands out finished rows.
#[derive(Clone, Debug)]
pub struct RoundRobin {
    schema: Schema,
    state: State,
    // Scratch space, one place per source, kept so that an update need not allocate.
    rates: Vec<Option<f64>>,
    pdps: Vec<Option<f64>>,
    row: Vec<Option<f64>>,
}

impl RoundRobin {
    /// A database that starts at `start`; the first update must be later.
    pub fn new(schema: Schema, start: Time) -> RoundRobin {
        let state = State::new(&schema, start);
        RoundRobin::with(schema, state)
    }

    /// Goes on where a saved state left off.
    ///
    /// # Errors
    /// [`StateError`] when `state` cannot belong to `schema`.
    pub fn resume(schema: Schema, state: State) -> Result<RoundRobin, StateError> {
        state.check(&schema)?;
        Ok(RoundRobin::with(schema, state))
    }

    fn with(schema: Schema, state: State) -> RoundRobin {
        RoundRobin { schema, state, rates: Vec::new(), pdps: Vec::new(), row: Vec::new() }
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
        let interval_us = self.rates(time, readings)?;
        let step_us = self.schema.step().micros();
        let mut left_us = step_us - self.state.last.past(step_us);
        if interval_us < left_us {
            for (source, rate) in self.state.sources.iter_mut().zip(&self.rates) {
                pdp::extend(source, *rate, interval_us);
            }
        } else {
            let mut pdps = (interval_us - left_us) / step_us + 1;
            let after_us = (interval_us - left_us) % step_us;
            // The open PDP has a past of its own; where several end it does not share its value with those after it.
            if pdps > 1 && left_us < step_us {
                self.close(Closing { step_us, pdps: 1, before_us: left_us, after_us: 0 }, sink);
                pdps -= 1;
                left_us = step_us;
            }
            self.close(Closing { step_us, pdps, before_us: left_us + (pdps - 1) * step_us, after_us }, sink);
        }
        self.state.last = time;
        for (source, reading) in self.state.sources.iter_mut().zip(readings) {
            source.last_reading = rate::keep(reading);
        }
        Ok(())
    }

    /// Checks a sample and works out its rates; returns the interval since the last update. Changes nothing that is kept.
    fn rates(&mut self, time: Time, readings: &[Reading]) -> Result<u64, UpdateError> {
        let State { last, ref sources, .. } = self.state;
        if readings.len() != sources.len() {
            return Err(UpdateError::Count { expected: sources.len(), got: readings.len() });
        }
        if time <= last {
            return Err(UpdateError::NotLater { time, last });
        }
        let interval_us = time.as_micros().abs_diff(last.as_micros());
        self.rates.clear();
        for ((source, state), reading) in self.schema.sources().iter().zip(sources).zip(readings) {
            let rate = rate::rate(source, &state.last_reading, reading, interval_us);
            self.rates.push(rate.map_err(|NotANumber| refused(source, reading))?);
        }
        Ok(interval_us)
    }

    /// Ends PDPs of all sources, and the rows that end with them; `last` moves to their end.
    fn close(&mut self, closing: Closing, sink: &mut dyn FnMut(Row<'_>)) {
        self.pdps.clear();
        for ((source, state), rate) in self.schema.sources().iter().zip(&mut self.state.sources).zip(&self.rates) {
            self.pdps.push(pdp::close(state, *rate, source.heartbeat.micros(), closing));
        }
        let from = self.state.last;
        let until = from.as_micros().saturating_add_unsigned(closing.before_us);
        self.state.last = Time::from_micros(until);
        for (number, archive) in self.schema.archives().iter().enumerate() {
            let open = open_pdps(&self.schema, from, archive.pdps_per_row);
            let placing = Placing::new(archive.pdps_per_row, open, closing.pdps);
            self.row.clear();
            for (cdp, pdp) in self.state.cdps[number].iter_mut().zip(&self.pdps) {
                self.row.push(cdp::put(cdp, archive, placing, *pdp));
            }
            let row_us = self.schema.row_us(archive);
            let newest = until.saturating_sub_unsigned(self.state.last.past(row_us));
            // Rows that the ring would lose again at once are not written.
            for age in (0..placing.closes.min(archive.rows)).rev() {
                let time = Time::from_micros(newest.saturating_sub_unsigned(age * row_us));
                let values = if age + 1 == placing.closes { &self.row } else { &self.pdps };
                sink(Row { archive: number, slot: slot_of(time, row_us, archive.rows), time, values });
            }
        }
    }
}

fn refused(source: &Source, reading: &Reading) -> UpdateError {
    let text = reading.as_text().chars().take(SHOWN_TEXT).collect();
    UpdateError::NotANumber { name: source.name.clone(), kind: source.kind, text }
}
