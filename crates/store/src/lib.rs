//! The SQLite file: schema, one writer, many readers.

mod crc;
mod error;
mod lock;
mod model;
mod reader;
mod writer;

pub use error::StoreError;
pub use model::{ArchiveInfo, Damage, Event, Existing, Info, LastUpdate, NewRun, NewSource, Run, RunEnd, RunId, Table};
pub use reader::Reader;
pub use writer::Writer;
