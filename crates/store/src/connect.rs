//! The one place where a file is opened, with all pragmas and limits, and where other programs' files are refused.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use crate::error::{StoreError, sqlite};
use crate::lock::regular;
use crate::records::{Record, WriterRow, select};
use crate::tables::{APPLICATION_ID, TABLES, VERSION};

/// How long the writer waits for the lock of another program, at first.
pub(crate) const WRITER_PATIENCE: Duration = Duration::from_secs(5);

/// How long a reader waits; only the moments in which a writer opens or closes the file, or recovers it, make it wait.
const READER_PATIENCE: Duration = Duration::from_secs(2);

/// Pages that the writer keeps in memory. A tick touches the newest page of each archive and the open rows; with SQLite's
/// 2 MiB a recorder's memory would grow for hours with a file that does.
const CACHE_KIB: i64 = 512;
/// The `-wal` is cut to this when it starts again, and written back within a commit when nobody called for it before.
pub(crate) const WAL_BYTES: i64 = 16 << 20;

/// SQLite's own page size: ours is never set.
pub(crate) const PAGE_BYTES: u64 = 4096;

/// Pages of [`WAL_BYTES`].
pub(crate) const WAL_PAGES: i64 = WAL_BYTES / 4096;

/// SQLite before this can corrupt a WAL file that two processes checkpoint.
const OLDEST_SQLITE: i32 = 3_051_003;

/// The file that SQLite keeps beside a store, under the name that the store has behind all symbolic links.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = OsString::from(real);
    name.push(suffix);
    name.into()
}

fn open(path: &Path, target: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(StoreError::OldSqlite { found: rusqlite::version() });
    }
    regular(path, std::fs::metadata(path))?;
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let conn = Connection::open_with_flags(target, flags).map_err(sqlite(path, "open the file"))?;
    defend(&conn).map_err(sqlite(path, "set SQLite's defences"))?;
    Ok(conn)
}

/// What a hostile file could use against us is switched off: <https://sqlite.org/security.html>.
fn defend(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, 1 << 20)?;
    conn.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, 1 << 20)?;
    conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    conn.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "mmap_size", 0)?;
    conn.pragma_update(None, "temp_store", "MEMORY")
}

/// For the one writer, who holds the lock. The file is not yet touched: see [`for_writing`].
pub(crate) fn read_write(path: &Path) -> Result<Connection, StoreError> {
    let conn = open(path, path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // SQLite's clean-up at the end deletes the -wal by name: it would take that of a file which has since been put at
    // our path. What it does, `Writer::close` does, after a look at the path.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .and_then(|_| conn.busy_timeout(WRITER_PATIENCE))
        .map_err(sqlite(path, "set up the writer"))?;
    Ok(conn)
}

/// Changes the file to write-ahead logging, each commit on disk when it returns.
pub(crate) fn for_writing(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let set = || {
        let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
        conn.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
        conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
        Ok(mode)
    };
    match set().map_err(sqlite(path, "change to write-ahead logging"))?.as_str() {
        "wal" => Ok(()),
        _ => Err(StoreError::Busy { path: path.to_owned(), doing: "change to write-ahead logging" }),
    }
}

/// For any reader: a snapshot for each transaction, beside a writer or after one that was killed.
pub(crate) fn read_only(path: &Path) -> Result<Connection, StoreError> {
    let conn = open(path, path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    conn.busy_timeout(READER_PATIENCE).map_err(sqlite(path, "set up the reader"))?;
    Ok(conn)
}

/// Looks at the file alone: no lock, no `-wal`, and nothing is left beside it. What a writer has not yet written back
/// is not seen, and a file that is being written back may look damaged.
pub(crate) fn immutable(path: &Path) -> Result<Connection, StoreError> {
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
        let _ = if plain { uri.write_char(byte.into()) } else { write!(uri, "%{byte:02X}") };
    }
    uri.push_str("?immutable=1");
    open(path, Path::new(&uri), OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
}

/// Refuses files that are not ours, that are newer than we are, or whose tables are not those of their version.
pub(crate) fn identify(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let pragma = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let read = |name, doing| pragma(name).map_err(sqlite(path, doing));
    let application = read("application_id", "read the application id")?;
    if application != APPLICATION_ID {
        let what = format!("its application id is {application}, not {APPLICATION_ID}");
        return Err(StoreError::Foreign { path: path.to_owned(), what });
    }
    let found = read("user_version", "read the version")?;
    if found > VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: VERSION });
    }
    let damaged = |what| Err(StoreError::Damaged { path: path.to_owned(), what });
    if found < VERSION {
        return damaged(format!("its version is {found}"));
    }
    for (name, sql) in TABLES {
        if definition_of(conn, "table", name).map_err(sqlite(path, "read the tables' definitions"))?.as_deref()
            != Some(sql)
        {
            return damaged(format!("table {name} is not as version {VERSION} defines it"));
        }
    }
    Ok(())
}

/// The SQL text of a table or view; `None` if there is none of that name.
pub(crate) fn definition_of(conn: &Connection, kind: &str, name: &str) -> rusqlite::Result<Option<String>> {
    let mut statement = conn.prepare_cached("SELECT sql FROM sqlite_schema WHERE type = ?1 AND name = ?2")?;
    let mut rows = statement.query([kind, name])?;
    rows.next()?.map_or(Ok(None), |row| row.get(0))
}

/// Refuses what must not be opened before anything is left beside it, as opening for real may do.
///
/// With no `-wal` beside it the file is whole, and all of it can be looked at; `look` then goes on. With one, only who
/// the file belongs to can be told here: the rest is found when it is opened.
pub(crate) fn probe(path: &Path, look: impl Fn(&Connection) -> Result<(), StoreError>) -> Result<(), StoreError> {
    let conn = immutable(path)?;
    let whole = !beside(path, "-wal").exists();
    let found = identify(&conn, path).and_then(|()| if whole { look(&conn) } else { Ok(()) });
    match found {
        // A writer that opened the file in the meantime changes it under our eyes.
        Err(StoreError::Damaged { .. } | StoreError::Sqlite { .. }) if beside(path, "-wal").exists() => Ok(()),
        other => other,
    }
}

/// The process that says it writes the file; `None` when it cannot be told.
pub(crate) fn holder(path: &Path) -> Option<u32> {
    let conn = read_only(path).ok()?;
    let row = conn.query_row(&select::<WriterRow>(""), [], |row| Ok(WriterRow::read_sound(row)));
    row.ok()?.ok().map(|row| row.pid)
}
