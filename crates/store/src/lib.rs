//! The SQLite file: schema, one writer, many readers.

mod connect;
mod crc;
mod create;
mod error;
mod history;
mod load;
mod lock;
mod model;
mod pending;
mod reader;
mod records;
mod table;
mod tables;
mod verify;
mod views;
mod writer;

pub use error::StoreError;
pub use model::{ArchiveInfo, Damage, Event, Existing, Info, LastUpdate, NewRun, NewSource, Run, RunEnd, RunId, Table};
pub use reader::Reader;
pub use writer::Writer;

/// The most sources a store holds: each is a column of a view, and SQLite has 2,000 of them.
pub const MAX_SOURCES: usize = 1_000;

/// The most archives a store holds.
pub const MAX_ARCHIVES: usize = 100;

/// The newest runs that are kept.
pub const MAX_RUNS: usize = 10_000;

/// The newest events that are kept.
pub const MAX_EVENTS: usize = 100_000;
