//! What is not yet on disk: rows, runs, events and garbage collections, kept until a commit has succeeded.
//!
//! Rows of one slot overwrite each other here as they would in the file, so that a batch of updates costs no more than
//! the rows it leaves, and memory is bounded by the size of the rings however long the disk is full.

use std::collections::{BTreeMap, VecDeque};

use heapsoak_rrd::{Reading, Row, Schema, State, Time};
use rusqlite::Connection;

use crate::block;
use crate::gc::{self, Gc};
use crate::guardian::Guardian;
use crate::load::{number, signed};
use crate::model::{Event, Run, cut};
use crate::records::{CdpRow, PdpRow, Point, put};
use crate::{MAX_EVENTS, MAX_RUNS};

/// Events that wait in memory; while the disk is full, older ones give way.
const WAITING_EVENTS: usize = 10_000;

/// Garbage collections of each kind that wait in memory.
const WAITING_GC: usize = 10_000;

/// Bytes of a reading that are kept. A double has at most 1,077 digits that count, and a counter 20.
const READING_BYTES: usize = 1_100;

/// A row that waits for its commit.
#[derive(Debug)]
struct Waiting {
    time: Time,
    values: Box<[Option<f64>]>,
}

#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// By archive and slot, in the order of the table's key, so that a commit walks through the pages once.
    rows: BTreeMap<(usize, u64), Waiting>,
    runs: BTreeMap<i64, Run>,
    events: VecDeque<Event>,
    events_dropped: i64,
    /// By kind.
    gc: [VecDeque<Gc>; 2],
    /// All there are now, when they changed.
    guardians: Option<Vec<Guardian>>,
    /// Whether the state of the archives, or anything else, is newer than the file.
    pub(crate) any: bool,
}

impl Pending {
    pub(crate) fn row(&mut self, row: Row<'_>) {
        let empty = || Waiting { time: row.time, values: Box::default() };
        let waiting = self.rows.entry((row.archive, row.slot)).or_insert_with(empty);
        waiting.time = row.time;
        if waiting.values.len() == row.values.len() {
            waiting.values.copy_from_slice(row.values);
        } else {
            waiting.values = row.values.into();
        }
    }

    pub(crate) fn run(&mut self, run: Run) {
        self.any = true;
        self.runs.insert(run.id.0, run);
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.any = true;
        self.events.push_back(event);
        if self.events.len() > WAITING_EVENTS {
            self.events.pop_front();
            self.events_dropped += 1;
        }
    }

    pub(crate) fn gc(&mut self, gc: Gc) {
        self.any = true;
        let waiting = &mut self.gc[gc.seen.kind as usize];
        waiting.push_back(gc);
        if waiting.len() > WAITING_GC {
            waiting.pop_front();
        }
    }

    pub(crate) fn guardians(&mut self, guardians: Vec<Guardian>) {
        self.any = true;
        self.guardians = Some(guardians);
    }

    /// Writes everything, within the caller's transaction, and answers how many events gave way to newer ones. Nothing
    /// is forgotten: that is done when the transaction has succeeded.
    pub(crate) fn write(&self, conn: &Connection, schema: &Schema, state: &State) -> rusqlite::Result<i64> {
        put(conn, self.points())?;
        for (archive, ended) in self.ended_blocks(schema) {
            block::write(conn, schema, archive, ended)?;
        }
        put(conn, pdp_rows(state))?;
        put(conn, cdp_rows(state))?;
        let mut dropped = self.events_dropped;
        if let Some((newest, _)) = self.runs.last_key_value() {
            put(conn, self.runs.values().cloned())?;
            conn.prepare_cached("DELETE FROM run WHERE id <= ?1")?
                .execute([newest.saturating_sub(number(MAX_RUNS))])?;
        }
        if let Some(newest) = self.events.back() {
            put(conn, self.events.iter().cloned())?;
            let mut prune = conn.prepare_cached("DELETE FROM event WHERE id <= ?1")?;
            dropped = dropped.saturating_add(number(prune.execute([newest.id.saturating_sub(number(MAX_EVENTS))])?));
        }
        for waiting in &self.gc {
            if let Some(newest) = waiting.back() {
                put(conn, waiting.iter().cloned())?;
                gc::prune(conn, newest)?;
            }
        }
        if let Some(guardians) = &self.guardians {
            conn.execute("DELETE FROM guardian", [])?;
            put(conn, guardians.iter().cloned())?;
        }
        Ok(dropped)
    }

    /// Archive and number of each block whose last row is among these.
    fn ended_blocks(&self, schema: &Schema) -> impl Iterator<Item = (usize, i64)> {
        self.rows.keys().filter_map(|&(archive, slot)| Some((archive, block::ended_by(schema, archive, signed(slot))?)))
    }

    fn points(&self) -> impl Iterator<Item = Point> {
        self.rows.iter().flat_map(|(&(archive, slot), waiting)| {
            let (archive, slot, time) = (number(archive), signed(slot), waiting.time.as_secs_f64());
            let point =
                move |(source, value): (i64, &Option<f64>)| Point { archive, slot, source, time, value: *value };
            (0..).zip(waiting.values.iter()).map(point)
        })
    }
}

pub(crate) fn pdp_rows(state: &State) -> impl Iterator<Item = PdpRow> {
    (0..).zip(&state.sources).map(|(source, pdp)| PdpRow {
        source,
        reading: match &pdp.last_reading {
            Reading::Unknown => None,
            Reading::Value(text) => Some(cut(text, READING_BYTES).to_owned()),
        },
        value: pdp.value,
        unknown_us: signed(pdp.unknown_us),
    })
}

pub(crate) fn cdp_rows(state: &State) -> impl Iterator<Item = CdpRow> {
    (0..).zip(&state.cdps).flat_map(|(archive, row)| {
        (0..).zip(row).map(move |(source, cdp)| CdpRow {
            archive,
            source,
            value: cdp.value,
            unknown_pdps: signed(cdp.unknown_pdps),
        })
    })
}
