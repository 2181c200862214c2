//! Who may write: one process holds `flock` on the store for as long as it writes.
//!
//! SQLite's own locks are POSIX locks, which vanish from a process when *any* descriptor of the file is closed in it.
//! So the descriptor that carries our lock is opened before SQLite's, closed after it, and no other descriptor of a
//! store is ever opened: the list of held files spares a second writer in this process even the attempt.

use std::collections::BTreeSet;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{StoreError, io};

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId {
    dev: u64,
    ino: u64,
}

impl FileId {
    fn of(metadata: &Metadata) -> Self {
        Self { dev: metadata.dev(), ino: metadata.ino() }
    }

    /// The file that is at a path now.
    pub(crate) fn at(path: &Path) -> Result<Self, StoreError> {
        Ok(Self::of(&regular(path, std::fs::metadata(path))?))
    }

    /// Compares with what is at the path now: a deleted or replaced file is silent for whoever has it open.
    pub(crate) fn still_at(self, path: &Path) -> Result<(), StoreError> {
        match Self::at(path) {
            Ok(now) if now == self => Ok(()),
            Ok(_) | Err(StoreError::NotAFile { .. }) => Err(StoreError::Replaced { path: path.to_owned() }),
            Err(StoreError::Absent { .. }) => Err(StoreError::Lost { path: path.to_owned() }),
            Err(error) => Err(error),
        }
    }
}

/// The metadata, if they are those of a regular file.
pub(crate) fn regular(path: &Path, metadata: std::io::Result<Metadata>) -> Result<Metadata, StoreError> {
    let metadata = metadata.map_err(io(path, "look at the file"))?;
    let kind = metadata.file_type();
    let what = if kind.is_file() {
        return Ok(metadata);
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_fifo() {
        "a pipe"
    } else {
        "a device or socket"
    };
    Err(StoreError::NotAFile { path: path.to_owned(), what })
}

static HELD: Mutex<BTreeSet<FileId>> = Mutex::new(BTreeSet::new());

fn held() -> MutexGuard<'static, BTreeSet<FileId>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to write one file. Kept until after SQLite's connection is closed.
#[derive(Debug)]
pub(crate) struct Lock {
    id: FileId,
    // Never read: it is open so that the lock is held.
    _file: File,
}

/// Why the right to write was not given.
pub(crate) enum Refusal {
    /// Another writer has it; `true`: one in this very process.
    Held {
        here: bool,
    },
    Failed(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl Lock {
    /// Takes the lock of the regular file at `path`, without waiting.
    pub(crate) fn take(path: &Path) -> Result<Self, Refusal> {
        let id = FileId::at(path)?;
        if held().contains(&id) {
            return Err(Refusal::Held { here: true });
        }
        let file =
            OpenOptions::new().read(true).write(true).open(path).map_err(io(path, "open the file for writing"))?;
        Self::of(file, path)
    }

    /// Takes the lock by a descriptor that is open already.
    pub(crate) fn of(file: File, path: &Path) -> Result<Self, Refusal> {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Refusal::Held { here: false }),
            Err(TryLockError::Error(error)) => return Err(io(path, "lock the file")(error).into()),
        }
        let id = FileId::of(&file.metadata().map_err(io(path, "look at the file"))?);
        held().insert(id);
        Ok(Self { id, _file: file })
    }

    /// The file that is held.
    pub(crate) fn id(&self) -> FileId {
        self.id
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        held().remove(&self.id);
    }
}
