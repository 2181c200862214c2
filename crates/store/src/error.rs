//! What can go wrong with a store: one enum, every message with the thing, the cause and the remedy.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

use heapsoak_rrd::fetch::FetchError;
use heapsoak_rrd::{SchemaError, StateError};

/// Why a store could not be created, opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Nothing is at the path.
    #[error("{} does not exist: record into it first, or name another file", path.display())]
    Absent {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// A store was to be made in a directory that is not there.
    #[error("{} does not exist: make the directory, or name a file in another one", path.display())]
    NoDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// Creation was asked not to replace a file, and there is one.
    #[error("{} exists already: name another file, or ask for it to be replaced", path.display())]
    Exists {
        /// The path that is taken.
        path: PathBuf,
    },
    /// A directory, device, pipe or (where a file is to be replaced) symbolic link is at the path.
    #[error("{} is {what}, not a regular file: name the file itself", path.display())]
    NotAFile {
        /// The path that was asked for.
        path: PathBuf,
        /// What is there instead.
        what: &'static str,
    },
    /// A store was to be made where anybody could put another file in its place.
    #[error("{} may be written by everybody, so that anybody could replace a store there; chmod o-w it, or +t", path.display())]
    OpenToAll {
        /// The directory.
        path: PathBuf,
    },
    /// The file belongs to another program. It was left as it was.
    #[error("{} is not a heapsoak store ({what}): name another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// How that shows.
        what: String,
    },
    /// The file was made by a newer heapsoak. It was left as it was.
    #[error("{} has version {found} of the store and this heapsoak knows version {known}: use the newer heapsoak", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The file is a store and parts of it are not as they were written.
    #[error("{} is damaged ({what}): restore a copy, or record into a new file", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which part, and how that shows.
        what: String,
    },
    /// Another writer holds the store.
    #[error("{} is being written by {}: stop it, or name another file", path.display(), holder(*pid))]
    Locked {
        /// The file.
        path: PathBuf,
        /// The process that holds it; `None` when it has not yet written who it is.
        pid: Option<u32>,
    },
    /// Nothing is at the writer's path any more: what it writes can be found by nobody.
    #[error("{} was deleted or moved while it was open: start again to make a new file", path.display())]
    Lost {
        /// The path at which the file was opened.
        path: PathBuf,
    },
    /// Another file is at the writer's path: what it writes can be found by nobody.
    #[error("{} was replaced by another file while it was open: start again to use that file", path.display())]
    Replaced {
        /// The path at which the file was opened.
        path: PathBuf,
    },
    /// Another program keeps a lock for longer than the busy timeout.
    #[error("{} is locked by another program ({doing}): end its transaction", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
        /// What waited.
        doing: &'static str,
    },
    /// The disk, or the quota, is full. Nothing that was pending is lost.
    #[error("no room to write {} ({doing}): free space on its disk", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What did not fit.
        doing: &'static str,
    },
    /// The file, or the directory in which its `-wal` and `-shm` must lie, cannot be written.
    #[error(
        "{} cannot be opened ({doing}): it or its directory may not be written; copy it, with its -wal, to where it may",
        path.display()
    )]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What needed it.
        doing: &'static str,
    },
    /// The file lies, or would lie, on a filesystem on which SQLite's log can be damaged.
    #[error("{} lies on {filesystem}, where a store that is written can be damaged: record into a file on a local disk", path.display())]
    Filesystem {
        /// The file.
        path: PathBuf,
        /// What kind of filesystem it is.
        filesystem: &'static str,
    },
    /// A source was asked for that the store does not have.
    #[error("{} has no source {name:?}: it has {known}", path.display())]
    NoSource {
        /// The file.
        path: PathBuf,
        /// The name asked for.
        name: String,
        /// The names that there are, separated by commas.
        known: String,
    },
    /// An archive was asked for that the store does not have.
    #[error("{} has no archive {archive}: give 0 to {last}", path.display())]
    NoArchive {
        /// The file.
        path: PathBuf,
        /// The number asked for.
        archive: usize,
        /// The number of the last archive.
        last: usize,
    },
    /// More of something than a store holds, or than one answer may take up in memory.
    #[error("{found} {what} are too many: at most {limit} go into one {whole}; ask for less, or use several")]
    TooMany {
        /// Sources, archives or values.
        what: &'static str,
        /// Store or answer.
        whole: &'static str,
        /// How many were asked for.
        found: u64,
        /// How many there may be.
        limit: u64,
    },
    /// No run is open to which an event, or an end, could belong.
    #[error("no run is open: begin one first")]
    NoRun,
    /// Sources, archives or step do not fit together.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A state that cannot be one of the sources and archives it came with.
    #[error(transparent)]
    State(#[from] StateError),
    /// The archives cannot answer what was asked.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The operating system refused.
    #[error("{}: cannot {doing}: {source}: check the file and its directory", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why it did not work.
        source: io::Error,
    },
    /// SQLite refused for a reason that has no variant of its own.
    #[error("{}: cannot {doing}: {source}: check its disk and directory", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why it did not work.
        source: rusqlite::Error,
    },
    /// The SQLite that was linked may corrupt a file that two processes checkpoint.
    #[error("SQLite {found} can damage a file that is read while it is written: build with 3.51.3 or newer")]
    OldSqlite {
        /// The version that was linked.
        found: &'static str,
    },
}

impl StoreError {
    /// Whether no later try can succeed: the file is gone, is another one, or is not what was written.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Lost { .. }
                | Self::Replaced { .. }
                | Self::NotAFile { .. }
                | Self::Foreign { .. }
                | Self::Newer { .. }
                | Self::Damaged { .. }
        )
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// Turns SQLite's codes into our errors: pass the result to `map_err`.
pub(crate) fn sqlite(path: &Path, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    move |source| {
        let damaged = |what| StoreError::Damaged { path: path.clone(), what };
        match &source {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::QueryReturnedNoRows
            | rusqlite::Error::Utf8Error(..) => damaged(format!("{doing}: {source}")),
            _ => match source.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::TooBig) => damaged(format!("{doing}: {source}")),
                Some(ErrorCode::NotADatabase) => StoreError::Foreign { path, what: "no SQLite database".to_owned() },
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path, doing },
                Some(ErrorCode::DiskFull) => StoreError::Full { path, doing },
                // The memory that readers and writer share is a file too.
                _ if source.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_IOERR_SHMSIZE) => {
                    StoreError::Full { path, doing }
                }
                Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => StoreError::ReadOnly { path, doing },
                _ => StoreError::Sqlite { path, doing, source },
            },
        }
    }
}

/// Names the file and the deed in an error of the operating system: pass the result to `map_err`.
pub(crate) fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { path, doing },
        io::ErrorKind::NotFound => StoreError::Absent { path },
        _ => StoreError::Io { path, doing, source },
    }
}
