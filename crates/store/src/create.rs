//! Making a store: built aside, put in its place whole, or not at all.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use heapsoak_rrd::{Archive, Schema, State, Step, Time, slot};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempPath;

use crate::error::{StoreError, io, sqlite};
use crate::load::{number, signed};
use crate::lock::{Lock, Refusal, regular};
use crate::model::{Existing, NewSource, cut};
use crate::pending::{cdp_rows, pdp_rows};
use crate::records::{ArchiveRow, Head, Point, SourceRow, put};
use crate::restore::Rows;
use crate::tables::{APPLICATION_ID, TABLES, VERSION};
use crate::views;
use crate::{MAX_ARCHIVES, MAX_SOURCES};
use crate::{block, connect};

/// Bytes of a unit and of a description that are kept.
const UNIT_BYTES: usize = 32;
const DESCRIPTION_BYTES: usize = 1024;

/// Checks a definition, and that it is not more than a store holds.
pub(crate) fn schema(step: Step, sources: &[NewSource], archives: &[Archive]) -> Result<Schema, StoreError> {
    let few = |what, found: usize, limit: usize| {
        if found <= limit {
            return Ok(());
        }
        Err(StoreError::TooMany { what, whole: "store", found: found as u64, limit: limit as u64 })
    };
    few("sources", sources.len(), MAX_SOURCES)?;
    few("archives", archives.len(), MAX_ARCHIVES)?;
    Ok(Schema::new(step, sources.iter().map(|new| new.source.clone()).collect(), archives.to_vec())?)
}

/// The row of each source, numbered from `first`.
pub(crate) fn source_rows(sources: &[NewSource], first: usize) -> impl Iterator<Item = SourceRow> {
    sources.iter().enumerate().skip(first).map(|(id, new)| SourceRow {
        id: number(id),
        name: new.source.name.to_string(),
        kind: new.source.kind.to_string(),
        heartbeat_us: signed(new.source.heartbeat.micros()),
        min: new.source.min,
        max: new.source.max,
        unit: cut(&new.unit, UNIT_BYTES).to_owned(),
        description: cut(&new.description, DESCRIPTION_BYTES).to_owned(),
    })
}

/// What a new store is to hold.
pub(crate) struct Plan<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) sources: &'a [NewSource],
    pub(crate) start: Time,
    pub(crate) state: &'a State,
    /// Of each archive; fewer: of the others there are none.
    pub(crate) rows: &'a [Rows],
}

/// Makes the file at `path`, and holds the lock on it from before it can be seen there.
pub(crate) fn create(path: &Path, plan: &Plan<'_>, existing: Existing) -> Result<Lock, Refusal> {
    let old = replaceable(path, existing)?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    match std::fs::metadata(directory) {
        Ok(found) if open_to_all(&found) => return Err(StoreError::OpenToAll { path: directory.to_owned() }.into()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(StoreError::NoDirectory { path: directory.to_owned() }.into());
        }
        _ => {}
    }
    let aside = tempfile::Builder::new()
        .prefix(".heapsoak-")
        .suffix(".db")
        .tempfile_in(directory)
        .map_err(io(path, "make a file in its directory"))?;
    build(aside.path(), plan).map_err(sqlite(path, "write the new store"))?;
    aside.as_file().sync_all().map_err(io(path, "write the new store"))?;
    let (file, aside) = aside.into_parts();
    let lock = Lock::of(file, path)?;
    // SQLite would play back the -wal of a store that was here before into ours. The old file goes last: if we are
    // stopped in between, it has lost only what it was to lose.
    remove_beside(path)?;
    put_in_place(path, aside, existing)?;
    drop(old);
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        Ok(()) => Ok(lock),
        Err(error) => {
            take_back(path, &lock);
            Err(io(path, "save its directory")(error).into())
        }
    }
}

/// Whether everybody may replace each other's files in a directory; not so in one such as /tmp.
fn open_to_all(directory: &std::fs::Metadata) -> bool {
    const OTHERS_WRITE: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    directory.mode() & OTHERS_WRITE != 0 && directory.mode() & STICKY == 0
}

/// Holds the file that is to be replaced, so that nobody writes it; `None`: nothing is there.
fn replaceable(path: &Path, existing: Existing) -> Result<Option<Lock>, Refusal> {
    let metadata = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        found => found,
    };
    if existing == Existing::Refuse {
        if !path.exists() {
            return Err(StoreError::NotAFile { path: path.to_owned(), what: "a symbolic link to nothing" }.into());
        }
        return Err(StoreError::Exists { path: path.to_owned() }.into());
    }
    let empty = regular(path, metadata)?.len() == 0;
    let lock = Lock::take(path)?;
    if !empty {
        match connect::probe(path, |_| Ok(())) {
            // Whatever state our own file is in: it was asked to be replaced.
            Ok(()) | Err(StoreError::Damaged { .. } | StoreError::Newer { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(lock))
}

fn remove_beside(path: &Path) -> Result<(), StoreError> {
    for suffix in ["-wal", "-shm", "-journal"] {
        match std::fs::remove_file(connect::beside(path, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(io(path, "remove what an older file left beside it")(error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn put_in_place(path: &Path, aside: TempPath, existing: Existing) -> Result<(), StoreError> {
    let placed = match existing {
        Existing::Replace => aside.persist(path),
        Existing::Refuse => aside.persist_noclobber(path),
    };
    placed.map_err(|failed| match failed.error.kind() {
        ErrorKind::AlreadyExists => StoreError::Exists { path: path.to_owned() },
        _ => io(path, "put the new store in its place")(failed.error),
    })
}

/// Writes all tables, in a file that nobody else knows and that is thrown away if this fails.
fn build(aside: &Path, plan: &Plan<'_>) -> rusqlite::Result<()> {
    let conn = Connection::open_with_flags(aside, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.pragma_update(None, "journal_mode", "MEMORY")?;
    conn.pragma_update(None, "synchronous", "OFF")?;
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    conn.pragma_update(None, "user_version", VERSION)?;
    let all = conn.unchecked_transaction()?;
    for (_, sql) in TABLES {
        conn.execute_batch(sql)?;
    }
    let Plan { schema, sources, start, state, rows } = plan;
    let (step_us, start_us) = (signed(schema.step().micros()), start.as_micros());
    put(&conn, [Head { step_us, start_us, last_us: state.last.as_micros(), commits: 0, events_dropped: 0 }])?;
    put(&conn, source_rows(sources, 0))?;
    put(&conn, archive_rows(schema))?;
    put(&conn, pdp_rows(state))?;
    put(&conn, cdp_rows(state))?;
    for (archive, rows) in rows.iter().enumerate() {
        put(&conn, points(schema, archive, rows))?;
        let blocks = schema.archives().get(archive).map_or(0, |archive| block::count(archive.rows));
        for number in if rows.is_empty() { 0..0 } else { 0..blocks } {
            block::write(&conn, schema, archive, number)?;
        }
    }
    views::remake(&conn, schema)?;
    all.commit()?;
    conn.close().map_err(|(_, error)| error)
}

/// Each value of an archive's rows; a row that has too few is unknown in the others, and none has too many.
fn points(schema: &Schema, archive: usize, rows: &Rows) -> impl Iterator<Item = Point> {
    rows.iter().filter_map(move |(time, values)| Some((slot(schema, archive, *time)?, *time, values))).flat_map(
        move |(slot, time, values)| {
            let (archive, slot, time) = (number(archive), signed(slot), time.as_secs_f64());
            let value = |source: usize| values.get(source).copied().flatten();
            (0..schema.sources().len()).map(move |source| Point {
                archive,
                slot,
                source: number(source),
                time,
                value: value(source),
            })
        },
    )
}

fn archive_rows(schema: &Schema) -> impl Iterator<Item = ArchiveRow> {
    schema.archives().iter().enumerate().map(|(id, archive)| ArchiveRow {
        id: number(id),
        cf: archive.cf.to_string(),
        xff: archive.xff.get(),
        pdps_per_row: signed(archive.pdps_per_row),
        rows: signed(archive.rows),
    })
}

/// Takes back a creation whose file could not be opened afterwards, as on a full disk: no half success is left.
pub(crate) fn take_back(path: &Path, lock: &Lock) {
    if lock.id().still_at(path).is_ok() {
        let beside: Vec<PathBuf> = ["-wal", "-shm"].map(|suffix| connect::beside(path, suffix)).into();
        // Nothing more can be done about a file that cannot be removed, and the first error is what matters.
        beside.iter().map(PathBuf::as_path).chain([path]).for_each(|file| drop(std::fs::remove_file(file)));
    }
}
