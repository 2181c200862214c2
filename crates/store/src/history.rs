//! Runs and events as rows. Their times are unix seconds, because people read them; µs survive that until the year 2255.

use heapsoak_rrd::Time;
use rusqlite::Row;

use crate::crc::Cell;
use crate::model::{Event, NewRun, Run, RunEnd, RunId};
use crate::records::Record;

/// A time as unix seconds gives back, to the nearest µs; far-off times stay at the end of the range.
pub(crate) fn time_of(seconds: f64) -> Time {
    #[expect(clippy::cast_possible_truncation, reason = "saturates; not-a-number becomes 0")]
    Time::from_micros((seconds * 1e6).round() as i64)
}

impl Record for Run {
    const TABLE: &'static str = "run";
    const COLUMNS: &'static str = "id, started, pid, target, command, version, time_zone, ended, reason, exit_status";

    fn each(&self, cell: &mut dyn FnMut(Cell<'_>)) {
        let NewRun { started, pid, target, command, version, time_zone } = &self.begun;
        let end = self.ended.as_ref();
        cell(Cell::Int(self.id.0));
        cell(Cell::Real(started.as_secs_f64()));
        cell(Cell::Int((*pid).into()));
        cell(Cell::Text(target));
        cell(Cell::Text(command));
        cell(Cell::Text(version));
        cell(Cell::Text(time_zone));
        cell(Cell::MaybeReal(end.map(|end| end.time.as_secs_f64())));
        cell(Cell::MaybeText(end.map(|end| end.reason.as_str())));
        cell(Cell::MaybeInt(end.map(|end| end.exit_status.into())));
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let begun = NewRun {
            started: time_of(row.get(1)?),
            pid: row.get(2)?,
            target: row.get(3)?,
            command: row.get(4)?,
            version: row.get(5)?,
            time_zone: row.get(6)?,
        };
        let ended: Option<f64> = row.get(7)?;
        let ended = match ended {
            Some(time) => Some(RunEnd { time: time_of(time), reason: row.get(8)?, exit_status: row.get(9)? }),
            None => None,
        };
        Ok(Self { id: RunId(row.get(0)?), begun, ended })
    }

    fn key(&self) -> String {
        format!("id {}", self.id)
    }
}

impl Record for Event {
    const TABLE: &'static str = "event";
    const COLUMNS: &'static str = "id, run, time, kind, detail";

    fn each(&self, cell: &mut dyn FnMut(Cell<'_>)) {
        cell(Cell::Int(self.id));
        cell(Cell::Int(self.run.0));
        cell(Cell::Real(self.time.as_secs_f64()));
        cell(Cell::Text(&self.kind));
        cell(Cell::Text(&self.detail));
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            run: RunId(row.get(1)?),
            time: time_of(row.get(2)?),
            kind: row.get(3)?,
            detail: row.get(4)?,
        })
    }

    fn key(&self) -> String {
        format!("id {}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_survive_the_way_through_seconds() {
        for micros in [0, 1, -1, 1_700_000_000_123_457, 1_700_000_000_999_999, 8_000_000_000_000_001] {
            let time = Time::from_micros(micros);
            assert_eq!(time_of(time.as_secs_f64()), time);
        }
    }
}
