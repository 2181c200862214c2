//! The store: one SQLite file that holds everything heapsoak knows of a soak. One process writes it, any number read
//! it at the same time, and people query it by hand. This is the only crate that knows SQL.
//!
//! # What may be relied on
//!
//! * **What [`Writer::commit`] acknowledged survives** the end of the process at any instant, and a power cut. What it
//!   could not write (disk full, file locked) stays pending, and a later commit writes it.
//! * **A reader never waits for the writer nor the writer for a reader**, and each answer is one whole commit.
//! * **The file stops growing**: rings have a fixed number of rows; runs, events and garbage collections give way to newer
//!   ones. Pending memory is bounded by the same numbers.
//! * **`soak.db` alone is a whole file** as of the last [`Writer::checkpoint`], wherever it is copied, but for a copy or a
//!   kill within the milliseconds of a checkpoint itself: that one needs its `-wal` beside it. After
//!   [`Writer::close`] it is the only file, and opens on a read-only medium.
//! * **Damage is not silent**: each row carries a check. A value whose check fails is unknown, and [`Reader::verify`]
//!   names its row. Foreign, newer and damaged files are refused and left as they were.
//! * **One writer**: the second is refused with the pid of the first.
//! * **Unknown is NULL**: never 0, and never a row that was left out.
//!
//! What may not: a network filesystem. SQLite's write-ahead log needs memory shared by all who have the file open; a
//! writer refuses to work there.
//!
//! # Writing and reading
//!
//! ```
//! use heapsoak_rrd::{Archive, Cf, Source, Step, Time};
//! use heapsoak_store::{Existing, NewSource, Reader, Writer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("soak.db");
//! let step = Step::new(1_000_000)?;
//! let heap = NewSource {
//!     source: "DS:heap_used:GAUGE:2:0:U".parse::<Source>()?,
//!     unit: "bytes".to_owned(),
//!     description: "used heap of the page".to_owned(),
//! };
//! let archive = Archive::parse("RRA:AVERAGE:0.5:3:2400", step)?;
//! let start = Time::from_secs(1_700_000_040);
//!
//! let mut writer = Writer::create(&path, step, &[heap], &[archive], start, Existing::Refuse)?;
//! for second in 1_700_000_041..=1_700_000_046 {
//!     writer.update(Time::from_secs(second), &[1048576.0.into()])?;
//! }
//! writer.commit()?;
//!
//! let reader = Reader::open(&path)?; // in another process, usually
//! let table = reader.fetch(Cf::Average, start, Time::from_secs(1_700_000_045), 1)?;
//! assert_eq!(table.names, ["heap_used"]);
//! assert_eq!(table.rows[1], (Time::from_secs(1_700_000_046), vec![Some(1048576.0)]));
//! # drop(reader);
//! writer.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Querying by hand
//!
//! `sqlite3 soak.db .schema` shows all tables with their explanations. The views are made for people:
//!
//! | view | columns |
//! | --- | --- |
//! | `average`, `minimum`, `maximum` | `time` (unix seconds), `at` (ISO 8601, UTC), one for each source: the finest archive of that function |
//! | `series` | `time`, `source`, `value`: `average` in long form |
//! | `latest` | `source`, `at`, `value`, `unit`: the newest row |
//!
//! ```text
//! sqlite3 soak.db "select at, heap_used/1048576.0 as mib from average order by time desc limit 5"
//! sqlite3 soak.db "select time, pause_ms, after_bytes from gc where kind = 'major' order by id desc limit 5"
//! ```
//!
//! Reading by hand is safe at any time. Writing by hand is not: the checks of the rows would fail.
//!
//! # Versions
//!
//! A store says which version of the tables it holds, and the tables are compared with those of that version when it is
//! opened. Version 1 is that of the first release. No file from before it is read: one that lacks a table is damaged.

mod block;
mod column;
mod connect;
mod crc;
mod create;
mod error;
mod filesystem;
mod gc;
mod guardian;
mod history;
#[cfg(test)]
mod hostile;
mod load;
mod lock;
mod model;
mod pending;
mod reader;
mod records;
mod restore;
mod table;
mod tables;
mod verify;
mod views;
mod whole;
mod writer;

pub use column::Take;
pub use error::StoreError;
pub use gc::{Gc, GcKind, NewGc};
pub use guardian::Guardian;
pub use model::{
    ArchiveInfo, Column, Damage, Event, Existing, Info, LastUpdate, NewRun, NewSource, Run, RunEnd, RunId, Table,
};
pub use reader::Reader;
pub use restore::{Contents, Rows};
pub use whole::{Wanted, Whole};
pub use writer::Writer;

/// The most sources a store holds: each is a column of a view, and SQLite has 2,000 of them.
pub const MAX_SOURCES: usize = 1_000;

/// The most archives a store holds.
pub const MAX_ARCHIVES: usize = 100;

/// The newest runs that are kept.
pub const MAX_RUNS: usize = 1_000;

/// The newest events that are kept.
pub const MAX_EVENTS: usize = 100_000;

/// The newest garbage collections of each kind that are kept: minors of a quarter of an hour at 100 a second, majors of
/// a day and more at one a second. What happened before stays in the archives, as rates.
pub const MAX_GC: usize = 100_000;
