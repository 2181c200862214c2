//! The plain values that go into a store and come out of it.

use std::fmt;
use std::path::PathBuf;

use heapsoak_rrd::fetch::Window;
use heapsoak_rrd::{Archive, Reading, Schema, Source, Time};

/// A source to record, with what people should know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewSource {
    /// Name, type, heartbeat and limits.
    pub source: Source,
    /// What its values count: `bytes`, `count`, `per second`, `ms`, or empty. At most 32 bytes are kept.
    pub unit: String,
    /// One sentence for people. At most 1024 bytes are kept.
    pub description: String,
}

impl From<Source> for NewSource {
    /// A source of which nothing more is known: no unit, no description.
    fn from(source: Source) -> Self {
        Self { source, unit: String::new(), description: String::new() }
    }
}

/// What creation does with a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it and fail.
    Refuse,
    /// Put the new store in its place, if it is a store (or empty) that nobody writes; other files are never replaced.
    Replace,
}

/// A recording that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// When it began.
    pub started: Time,
    /// The recording process.
    pub pid: u32,
    /// What is watched, for people: a URL, a program.
    pub target: String,
    /// The command line, passwords removed.
    pub command: String,
    /// The version of the recorder.
    pub version: String,
    /// The time zone in which the recorder ran, such as `Europe/Berlin` or `+02:00`.
    pub time_zone: String,
}

/// The number of a run in its store, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct RunId(pub i64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One recording, from start to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// What was known when it began.
    pub begun: NewRun,
    /// How it ended; `None`: it is still going on, or its process was killed.
    pub ended: Option<RunEnd>,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// When.
    pub time: Time,
    /// Why, for people.
    pub reason: String,
    /// The exit status that went with it.
    pub exit_status: i32,
}

/// Something that happened at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number in the store, from 1, ascending in the order of recording.
    pub id: i64,
    /// The run it belongs to.
    pub run: RunId,
    /// When it happened.
    pub time: Time,
    /// A word such as `navigation`, `crash`, `gap`. At most 64 bytes are kept.
    pub kind: String,
    /// One line for people. At most 1024 bytes are kept.
    pub detail: String,
}

/// The answer to a fetch.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The archive that answers, and the times it covers.
    pub window: Window,
    /// The sources, one for each column.
    pub names: Vec<String>,
    /// The end of each row's time, ascending, and a value for each column; `None`: unknown.
    pub rows: Vec<(Time, Vec<Option<f64>>)>,
    /// Values of these columns left unknown because the check of their row failed; [`crate::Reader::verify`] names the rows.
    pub damaged: u64,
}

/// The answer to a fetch of one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Column<V> {
    /// The archive that answers, and the rows that a fetch has.
    pub frame: Window,
    /// Those of them that the archive can hold: all others are unknown.
    pub window: Window,
    /// What took the value of each row that can be held, ascending in time; not-a-number: unknown.
    pub values: V,
    /// Values left unknown because the check of their row failed; [`crate::Reader::verify`] names the rows.
    pub damaged: u64,
}

/// What a store says about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// The file.
    pub path: PathBuf,
    /// Bytes of the file, without its `-wal`.
    pub file_bytes: u64,
    /// The version of the store's tables.
    pub version: i64,
    /// Step, sources and archives.
    pub schema: Schema,
    /// Unit and description of each source, in the order of the schema.
    pub sources: Vec<NewSource>,
    /// Each archive, in the order of the schema.
    pub archives: Vec<ArchiveInfo>,
    /// The time at which the archives begin: readings are later.
    pub start: Time,
    /// The time of the last update.
    pub last: Time,
    /// The recordings, oldest first.
    pub runs: Vec<Run>,
    /// Events that are kept.
    pub events: u64,
    /// Events that gave way to newer ones.
    pub events_dropped: u64,
    /// Minor garbage collections seen so far, of which the newest [`crate::MAX_GC`] are kept.
    pub gc_minor: u64,
    /// Major ones, of which as many are kept.
    pub gc_major: u64,
    /// The process that has the store open for writing, or had when it was killed.
    pub writer: Option<u32>,
}

/// One archive, and the time it covers.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchiveInfo {
    /// Function, xff, PDPs per row and rows.
    pub archive: Archive,
    /// The time that a row covers, in microseconds.
    pub row_us: u64,
    /// The end of the oldest row that the archive can hold now, known or not.
    pub first: Time,
    /// The end of the newest row.
    pub last: Time,
}

/// The last update, as handed in.
#[derive(Clone, Debug, PartialEq)]
pub struct LastUpdate {
    /// Its time.
    pub time: Time,
    /// The reading of each source, in the order of the schema.
    pub readings: Vec<(String, Reading)>,
}

/// A row that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The table, or `file` for what SQLite itself found.
    pub table: &'static str,
    /// Which row, by its key.
    pub row: String,
    /// How it shows.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, row, what } = self;
        if row.is_empty() { write!(f, "{table}: {what}") } else { write!(f, "{table} ({row}): {what}") }
    }
}

/// Cuts text that is too long, at a character.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
