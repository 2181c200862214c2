//! What has to be kept between two updates: the open PDPs and the open rows. Saved and resumed, a run goes on as if
//! it had never stopped.

use serde::{Deserialize, Serialize};

use crate::reading::Reading;
use crate::schema::Schema;
use crate::source::SourceName;
use crate::time::Time;

/// The open PDP of one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceState {
    /// The reading of the last update; the differences of counters start from it.
    pub last_reading: Reading,
    /// Rate × seconds collected in the open PDP; `None`: nothing known yet.
    pub value: Option<f64>,
    /// Unknown time in the open PDP, in microseconds.
    pub unknown_us: u64,
}

/// The open row of one source in one archive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CdpState {
    /// The known PDPs so far: their sum for AVERAGE, else the smallest, largest or last one; `None`: none yet.
    pub value: Option<f64>,
    /// Unknown PDPs in the open row.
    pub unknown_pdps: u64,
}

/// All that an update changes. The rows already written are not part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The time of the last update, or of the start.
    pub last: Time,
    /// One per source, in the order of the schema.
    pub sources: Vec<SourceState>,
    /// `cdps[archive][source]`, in the order of the schema.
    pub cdps: Vec<Vec<CdpState>>,
}

/// Why a saved state was refused: it is not one that this schema can have produced.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Another number of sources.
    #[error(
        "saved state has {found} sources where the definition has {wanted}: it belongs to another definition or is damaged, take a sound copy of the file"
    )]
    Sources {
        /// Sources of the schema.
        wanted: usize,
        /// Sources of the state.
        found: usize,
    },
    /// Open rows that do not match archives × sources.
    #[error(
        "saved state has no open row for each archive and source: it belongs to another definition or is damaged, take a sound copy of the file"
    )]
    Rows,
    /// An open PDP that cannot be.
    #[error(
        "saved state of source `{name}` is impossible ({unknown_us} µs unknown in an open interval of {open_us} µs, value {value:?}): it is damaged, take a sound copy of the file"
    )]
    Pdp {
        /// The source.
        name: SourceName,
        /// Unknown time claimed.
        unknown_us: u64,
        /// Time that the open PDP has lasted.
        open_us: u64,
        /// The value claimed.
        value: Option<f64>,
    },
    /// An open row that cannot be.
    #[error(
        "saved open row of source `{name}` in archive {archive} is impossible ({unknown} of {open} intervals unknown, value {value:?}): it is damaged, take a sound copy of the file"
    )]
    Cdp {
        /// The source.
        name: SourceName,
        /// The number of the archive.
        archive: usize,
        /// Unknown PDPs claimed.
        unknown: u64,
        /// PDPs that the open row has.
        open: u64,
        /// The value claimed.
        value: Option<f64>,
    },
}

impl State {
    /// The state of a database that starts at `start`: nothing read, and the time before the start unknown.
    pub fn new(schema: &Schema, start: Time) -> State {
        State {
            last: start,
            sources: schema.sources().iter().map(|_| SourceState::unknown(schema, start)).collect(),
            cdps: (schema.archives().iter())
                .map(|archive| vec![CdpState::unknown(schema, start, archive.pdps_per_row); schema.sources().len()])
                .collect(),
        }
    }

    /// Whether `schema` can have produced this state.
    ///
    /// # Errors
    /// A [`StateError`] that names the source at fault.
    pub fn check(&self, schema: &Schema) -> Result<(), StateError> {
        let wanted = schema.sources().len();
        if self.sources.len() != wanted {
            return Err(StateError::Sources { wanted, found: self.sources.len() });
        }
        if self.cdps.len() != schema.archives().len() || self.cdps.iter().any(|row| row.len() != wanted) {
            return Err(StateError::Rows);
        }
        let open_us = self.last.past(schema.step().micros());
        for (source, state) in schema.sources().iter().zip(&self.sources) {
            let SourceState { value, unknown_us, .. } = *state;
            if unknown_us > open_us || value.is_some_and(f64::is_nan) {
                return Err(StateError::Pdp { name: source.name.clone(), unknown_us, open_us, value });
            }
        }
        for (number, (archive, row)) in schema.archives().iter().zip(&self.cdps).enumerate() {
            let open = open_pdps(schema, self.last, archive.pdps_per_row);
            for (source, cdp) in schema.sources().iter().zip(row) {
                let CdpState { value, unknown_pdps: unknown } = *cdp;
                if unknown > open || value.is_some_and(f64::is_nan) {
                    let name = source.name.clone();
                    return Err(StateError::Cdp { name, archive: number, unknown, open, value });
                }
            }
        }
        Ok(())
    }
}

impl SourceState {
    /// A source of which nothing is known up to `last`.
    pub(crate) fn unknown(schema: &Schema, last: Time) -> SourceState {
        SourceState { last_reading: Reading::Unknown, value: None, unknown_us: last.past(schema.step().micros()) }
    }
}

impl CdpState {
    /// An open row of which nothing is known up to `last`.
    pub(crate) fn unknown(schema: &Schema, last: Time, pdps_per_row: u64) -> CdpState {
        CdpState { value: None, unknown_pdps: open_pdps(schema, last, pdps_per_row) }
    }
}

/// How many PDPs of the row that is open at `last` are already closed.
pub(crate) fn open_pdps(schema: &Schema, last: Time, pdps_per_row: u64) -> u64 {
    last.index(schema.step().micros()).rem_euclid(pdps_per_row.cast_signed()).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Archive, Step};

    fn schema() -> Schema {
        let step = Step::new(10_000_000).unwrap();
        let archives = ["AVERAGE:0.5:1:5", "MAX:0.5:6:5"].map(|text| Archive::parse(text, step).unwrap());
        let sources = ["DS:a:GAUGE:20:U:U", "DS:b:GAUGE:20:U:U"].map(|text| text.parse().unwrap());
        Schema::new(step, sources.into(), archives.into()).unwrap()
    }

    #[test]
    fn the_time_before_the_start_is_unknown_from_the_beginning() {
        let state = State::new(&schema(), Time::from_secs(74));
        assert_eq!(state.sources[0].unknown_us, 4_000_000);
        assert_eq!([state.cdps[0][0].unknown_pdps, state.cdps[1][0].unknown_pdps], [0, 1]);
    }

    #[test]
    fn a_state_survives_being_saved() {
        let mut state = State::new(&schema(), Time::from_micros(74_123_456));
        state.sources[0] = SourceState { last_reading: Reading::from(u64::MAX), value: Some(0.1 + 0.2), unknown_us: 1 };
        let saved = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<State>(&saved).unwrap(), state);
    }

    #[test]
    fn a_state_that_cannot_be_is_refused() {
        type Damage = fn(&mut State);
        let damages: [(Damage, &str); 7] = [
            (|s| s.sources.truncate(1), "saved state has 1 sources where the definition has 2"),
            (|s| s.cdps.truncate(1), "no open row for each archive and source"),
            (|s| s.cdps[1].truncate(1), "no open row for each archive and source"),
            (|s| s.sources[1].unknown_us = 4_000_001, "source `b` is impossible (4000001 µs unknown"),
            (|s| s.sources[0].value = Some(f64::NAN), "source `a` is impossible"),
            (|s| s.cdps[1][1].unknown_pdps = 2, "source `b` in archive 1 is impossible (2 of 1 intervals unknown"),
            (|s| s.cdps[1][0].value = Some(f64::NAN), "source `a` in archive 1 is impossible"),
        ];
        for (damage, message) in damages {
            let mut state = State::new(&schema(), Time::from_secs(74));
            assert_eq!(state.check(&schema()), Ok(()));
            damage(&mut state);
            let error = state.check(&schema()).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
