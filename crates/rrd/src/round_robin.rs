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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Archive, Rings, Step, fetch};

    fn schema(step_us: u64, sources: &[&str], archives: &[&str]) -> Schema {
        let step = Step::new(step_us).unwrap();
        let sources = sources.iter().map(|text| text.parse().unwrap()).collect();
        let archives = archives.iter().map(|text| Archive::parse(text, step).unwrap()).collect();
        Schema::new(step, sources, archives).unwrap()
    }

    /// One row as `time=value,value`, unknown as `U`.
    fn shown(row: Row<'_>) -> String {
        let values = row.values.iter().map(|value| value.map_or_else(|| "U".to_owned(), |v| v.to_string()));
        format!("{}={}", row.time, values.collect::<Vec<_>>().join(","))
    }

    fn update(machine: &mut RoundRobin, micros: i64, texts: &[&str]) -> Vec<String> {
        let readings: Vec<Reading> = texts.iter().map(|text| Reading::from_text(text)).collect();
        let mut rows = Vec::new();
        machine.update(Time::from_micros(micros), &readings, &mut |row| rows.push(shown(row))).unwrap();
        rows
    }

    #[test]
    fn a_stall_of_a_moment_does_not_draw_a_dip_that_never_was() {
        let schema = schema(1_000_000, &["DS:heap:GAUGE:2:U:U"], &["AVERAGE:0.5:1:10"]);
        let mut machine = RoundRobin::new(schema, Time::from_secs(0));
        update(&mut machine, 400_000, &["100"]);
        update(&mut machine, 700_000, &["U"]);
        assert_eq!(update(&mut machine, 1_200_000, &["100"]), ["1=100"]);
        assert_eq!(update(&mut machine, 3_100_000, &["100"]), ["2=100", "3=100"]);
    }

    #[test]
    fn steps_of_50_ms_and_of_1_us_work() {
        let fast = schema(50_000, &["DS:a:GAUGE:100ms:U:U"], &["AVERAGE:0.5:2:10"]);
        let mut machine = RoundRobin::new(fast, Time::from_secs(1));
        assert!(update(&mut machine, 1_050_000, &["1"]).is_empty());
        assert_eq!(update(&mut machine, 1_100_000, &["3"]), ["1.1=2"]);
        let finest = schema(1, &["DS:a:GAUGE:1us:U:U"], &["AVERAGE:0.5:1:10"]);
        let mut machine = RoundRobin::new(finest, Time::from_secs(1));
        assert_eq!(update(&mut machine, 1_000_001, &["7"]), ["1.000001=7"]);
    }

    #[test]
    fn after_a_gap_longer_than_the_archive_each_row_has_the_value_of_its_own_time() {
        let schema = schema(1_000_000, &["DS:a:GAUGE:100:U:U"], &["AVERAGE:0.5:2:3"]);
        let mut machine = RoundRobin::new(schema, Time::from_secs(0));
        update(&mut machine, 1_000_000, &["50"]);
        // The row that was open before the gap ends at 2 and would be half 50; the ring holds 28, 30 and 32 only.
        assert_eq!(update(&mut machine, 32_000_000, &["9"]), ["28=9", "30=9", "32=9"]);
    }

    #[test]
    fn the_longest_gap_there_is_costs_no_more_than_the_rows() {
        let schema = schema(1, &["DS:a:COUNTER:1:U:U"], &["AVERAGE:0.5:1:5", "MAX:0.5:3:4"]);
        let mut machine = RoundRobin::new(schema, Time::from_micros(i64::MIN));
        let rows = update(&mut machine, i64::MAX, &["1"]);
        assert_eq!(rows.len(), 9);
        assert_eq!(rows[4], "9223372036854.775807=U");
        assert_eq!(machine.last(), Time::from_micros(i64::MAX));
    }

    #[test]
    fn a_wrong_last_reading_leaves_the_first_one_untouched() {
        let schema = schema(1_000_000, &["DS:a:COUNTER:10:U:U", "DS:b:GAUGE:10:U:U"], &["AVERAGE:0.5:1:10"]);
        let mut machine = RoundRobin::new(schema, Time::from_secs(0));
        update(&mut machine, 1_000_000, &["5", "5"]);
        let before = machine.state().clone();
        for (seconds, texts, message) in [
            (2, vec!["6", "x"], "reading `x` of source `b` is not a number: give such a number, or U for unknown"),
            (2, vec!["6"], "1 readings for 2 sources: give one for each source, U where there is none"),
            (1, vec!["6", "6"], "time 1 is not after 1, the last update: give a later time"),
            (1, vec!["6"], "1 readings for 2 sources: give one for each source, U where there is none"),
        ] {
            let readings: Vec<Reading> = texts.into_iter().map(Reading::from_text).collect();
            let error = machine.update(Time::from_secs(seconds), &readings, &mut |_| panic!("a row")).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert_eq!(machine.state(), &before);
        }
    }

    #[test]
    fn a_source_that_joins_later_is_unknown_until_then_and_disturbs_nobody() {
        let schema = schema(1_000_000, &["DS:a:GAUGE:10:U:U"], &["AVERAGE:0.5:4:10"]);
        let mut machine = RoundRobin::new(schema, Time::from_secs(0));
        let mut rings = Rings::new(machine.schema());
        update(&mut machine, 3_000_000, &["1"]);
        machine.add_source("DS:b:GAUGE:10:U:U".parse().unwrap()).unwrap();
        assert!(machine.add_source("DS:a:GAUGE:10:U:U".parse().unwrap()).is_err());
        machine.state().check(machine.schema()).unwrap();
        assert_eq!(update(&mut machine, 4_000_000, &["1", "2"]), ["4=1,U"]);
        let readings = [Reading::from(1.0), Reading::from(2.0)];
        machine.update(Time::from_secs(8), &readings, &mut |row| rings.apply(row)).unwrap();
        let window =
            fetch::Window { archive: 0, start: Time::from_secs(0), end: Time::from_secs(8), row_us: 4_000_000 };
        let rows = rings.fetch(&window);
        assert_eq!(rows[0], (Time::from_secs(4), vec![None, None]));
        assert_eq!(rows[1], (Time::from_secs(8), vec![Some(1.0), Some(2.0)]));
    }

    #[test]
    fn a_refused_text_is_repeated_but_not_at_any_length() {
        let schema = schema(1_000_000, &["DS:a:GAUGE:10:U:U"], &["AVERAGE:0.5:1:10"]);
        let mut machine = RoundRobin::new(schema, Time::from_secs(0));
        let reading = [Reading::from_text(&"x".repeat(100_000))];
        let error = machine.update(Time::from_secs(1), &reading, &mut |_| ()).unwrap_err();
        assert!(error.to_string().len() < 200);
    }
}
