//! Reading a store, beside its writer or long after. Every answer comes from one short transaction.

use std::path::{Path, PathBuf};

use heapsoak_rrd::fetch::Window;
use heapsoak_rrd::{Cf, Time, fetch};
use rusqlite::Connection;

use crate::column::{self, Take};
use crate::error::{StoreError, io, sqlite};
use crate::gc::{self, Gc, GcKind};
use crate::lock::FileId;
use crate::model::{ArchiveInfo, Column, Damage, Event, Info, LastUpdate, Run, Table};
use crate::records::WriterRow;
use crate::tables::VERSION;
use crate::writer::absolute;
use crate::{MAX_RUNS, connect, load, table, verify, whole};

/// One reader of a store. It never writes the file and holds no lock between two calls.
///
/// While one is open, a writer that ends cannot make a single file of the store; who reads seldom opens it each time.
#[derive(Debug)]
pub struct Reader {
    conn: Connection,
    path: PathBuf,
    id: FileId,
}

impl Reader {
    /// Opens a store, also beside its writer, after a writer that was killed, and from a read-only medium.
    ///
    /// # Errors
    /// [`StoreError::Absent`], [`StoreError::NotAFile`], [`StoreError::Foreign`], [`StoreError::Newer`],
    /// [`StoreError::Damaged`]; [`StoreError::ReadOnly`] where a `-wal` would have to be played back in a directory
    /// that may not be written. The file is as it was, whatever comes out.
    pub fn open(path: &Path) -> Result<Reader, StoreError> {
        let path = absolute(path)?;
        let id = FileId::at(&path)?;
        let opened = Self::connect(&path);
        // What SQLite says of a file that is taken away at this very moment is not what is wrong with it.
        id.still_at(&path)?;
        Ok(Reader { conn: opened?, path, id })
    }

    fn connect(path: &Path) -> Result<Connection, StoreError> {
        connect::probe(path, |_| Ok(()))?;
        let conn = connect::read_only(path)?;
        match connect::identify(&conn, path) {
            Ok(()) => Ok(conn),
            // A copy of the file alone, on a read-only medium: without a -wal it is whole, and nobody writes it.
            Err(StoreError::ReadOnly { .. }) if !connect::beside(path, "-wal").exists() => {
                let conn = connect::immutable(path)?;
                connect::identify(&conn, path)?;
                Ok(conn)
            }
            Err(error) => Err(error),
        }
    }

    /// The rows of one archive for all sources, chosen and rounded as rrdtool does: see [`fetch::window`].
    ///
    /// # Errors
    /// [`StoreError::Fetch`], [`StoreError::TooMany`], [`StoreError::Damaged`].
    pub fn fetch(&self, cf: Cf, start: Time, end: Time, resolution_us: u64) -> Result<Table, StoreError> {
        self.table(None, cf, start, end, resolution_us)
    }

    /// The same for these sources only, in this order.
    ///
    /// # Errors
    /// Also [`StoreError::NoSource`].
    pub fn fetch_sources(
        &self,
        names: &[&str],
        cf: Cf,
        start: Time,
        end: Time,
        resolution_us: u64,
    ) -> Result<Table, StoreError> {
        self.table(Some(names), cf, start, end, resolution_us)
    }

    /// Those rows of one archive that it can hold, for one source, handed as they are read to what `collect` makes for
    /// the rows that a fetch has and for those that are handed: all others are unknown, and there may be any number of
    /// them.
    ///
    /// # Errors
    /// Those of [`Reader::fetch_sources`], but no time is too long.
    pub fn fetch_column<V: Take>(
        &self,
        name: &str,
        cf: Cf,
        (start, end): (Time, Time),
        resolution_us: u64,
        collect: impl FnOnce(&Window, &Window) -> V,
    ) -> Result<Column<V>, StoreError> {
        self.snapshot(|conn| {
            let definition = load::definition(conn, &self.path)?;
            let columns = table::columns(&definition.schema, Some(&[name]), &self.path)?;
            let frame = fetch::frame(&definition.schema, definition.last(), cf, start, end, resolution_us)?;
            let window = frame.held(&definition.schema, definition.last(), definition.start());
            let source = columns.first().copied().unwrap_or_default();
            let values = collect(&frame, &window);
            let (values, damaged) = column::column(conn, &self.path, &definition, source, window, values)?;
            Ok(Column { frame, window, values, damaged })
        })
    }

    fn table(
        &self,
        names: Option<&[&str]>,
        cf: Cf,
        start: Time,
        end: Time,
        resolution_us: u64,
    ) -> Result<Table, StoreError> {
        self.snapshot(|conn| {
            let definition = load::definition(conn, &self.path)?;
            let columns = table::columns(&definition.schema, names, &self.path)?;
            let window = fetch::window(&definition.schema, definition.last(), cf, start, end, resolution_us)?;
            table::read(conn, &self.path, &definition, &columns, window)
        })
    }

    /// What the store says about itself.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn info(&self) -> Result<Info, StoreError> {
        self.snapshot(|conn| self.info_in(conn))
    }

    /// [`Reader::info`] within a transaction.
    pub(crate) fn info_in(&self, conn: &Connection) -> Result<Info, StoreError> {
        let file_bytes = std::fs::metadata(&self.path).map_err(io(&self.path, "look at the file"))?.len();
        let definition = load::definition(conn, &self.path)?;
        let (start, last) = (definition.start(), definition.last());
        let load::Definition { head, schema, sources } = definition;
        let archive = |(number, archive): (usize, &heapsoak_rrd::Archive)| {
            let (first, last) = fetch::held(&schema, last, number);
            ArchiveInfo { archive: *archive, row_us: schema.row_us(archive), first, last }
        };
        let archives = schema.archives().iter().enumerate().map(archive).collect();
        let count = |sql| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
        let events = count("SELECT count(*) FROM event").map_err(sqlite(&self.path, "count the events"))?;
        let newest = |kind| gc::newest(conn, kind).map_err(sqlite(&self.path, "count the collections"));
        let seen = |kind| newest(kind).map(load::unsigned);
        let writer: Vec<WriterRow> = load::checked(conn, &self.path, "", 1)?;
        Ok(Info {
            path: self.path.clone(),
            file_bytes,
            version: VERSION,
            archives,
            schema,
            sources,
            start,
            last,
            runs: load::checked(conn, &self.path, "ORDER BY id", MAX_RUNS)?,
            events: load::unsigned(events),
            events_dropped: load::unsigned(head.events_dropped),
            gc_minor: seen(GcKind::Minor)?,
            gc_major: seen(GcKind::Major)?,
            writer: writer.first().map(|row| row.pid),
        })
    }

    /// The time of the last update; of the start, if there was none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn last(&self) -> Result<Time, StoreError> {
        self.snapshot(|conn| Ok(load::definition(conn, &self.path)?.last()))
    }

    /// The end of the oldest row that an archive can hold now, known or not.
    ///
    /// # Errors
    /// [`StoreError::NoArchive`], [`StoreError::Damaged`].
    pub fn first(&self, archive: usize) -> Result<Time, StoreError> {
        self.snapshot(|conn| {
            let definition = load::definition(conn, &self.path)?;
            let archives = definition.schema.archives().len();
            if archive >= archives {
                return Err(StoreError::NoArchive { path: self.path.clone(), archive, last: archives - 1 });
            }
            Ok(fetch::first(&definition.schema, definition.last(), archive))
        })
    }

    /// The last update, as handed in.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn lastupdate(&self) -> Result<LastUpdate, StoreError> {
        self.snapshot(|conn| {
            let definition = load::definition(conn, &self.path)?;
            let sources = definition.schema.sources();
            let states = load::source_states(conn, &self.path, sources.len())?;
            let names = sources.iter().map(|source| source.name.to_string());
            let readings = names.zip(states.into_iter().map(|state| state.last_reading)).collect();
            Ok(LastUpdate { time: definition.last(), readings })
        })
    }

    /// The recordings, oldest first; at most [`MAX_RUNS`].
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn runs(&self) -> Result<Vec<Run>, StoreError> {
        self.snapshot(|conn| load::checked(conn, &self.path, "ORDER BY id", MAX_RUNS))
    }

    /// The events from `start` to `end`, both included, in the order of their recording. Damaged ones are left out, so
    /// that one of them does not hide all others; [`Reader::verify`] names them.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the table itself cannot be read.
    pub fn events(&self, start: Time, end: Time) -> Result<Vec<Event>, StoreError> {
        self.snapshot(|conn| whole::events_in(conn, start, end).map_err(sqlite(&self.path, "read the events")))
    }

    /// The garbage collections from `start` to `end`, both included, ascending in time; of one kind and of one target if
    /// they are named. Damaged ones are left out; [`Reader::verify`] names them.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the table itself cannot be read.
    pub fn gc(
        &self,
        start: Time,
        end: Time,
        kind: Option<GcKind>,
        target: Option<&str>,
    ) -> Result<Vec<Gc>, StoreError> {
        self.snapshot(|conn| {
            let kinds = GcKind::ALL.into_iter().filter(|each| kind.is_none_or(|wanted| wanted == *each));
            let mut found = Vec::new();
            for kind in kinds {
                let rows = gc::read(conn, kind, (start, end), target);
                found.append(&mut rows.map_err(sqlite(&self.path, "read the collections"))?);
            }
            found.sort_by_key(|gc| gc.seen.time);
            Ok(found)
        })
    }

    /// A number that grows with each commit of a writer: as long as it is the same, so is the file.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn change_marker(&self) -> Result<u64, StoreError> {
        self.snapshot(|conn| Ok(load::unsigned(load::head(conn, &self.path)?.commits)))
    }

    /// The file, as an absolute path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file that is read is still the one at its path; if not, it should be opened again.
    ///
    /// # Errors
    /// [`StoreError::Lost`] and [`StoreError::Replaced`].
    pub fn check_path(&self) -> Result<(), StoreError> {
        self.id.still_at(&self.path)
    }

    /// Looks at every row and names those that are not as they were written; none: the file is sound.
    ///
    /// # Errors
    /// [`StoreError`] only if the file cannot be read at all.
    pub fn verify(&self) -> Result<Vec<Damage>, StoreError> {
        self.snapshot(|conn| Ok(verify::verify(conn, &self.path)))
    }

    /// One transaction: what is read in it belongs together, whatever is written meanwhile.
    pub(crate) fn snapshot<T, E: From<StoreError>>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let all = self.conn.unchecked_transaction().map_err(sqlite(&self.path, "begin to read"))?;
        let answer = read(&all)?;
        all.finish().map_err(sqlite(&self.path, "end reading"))?;
        Ok(answer)
    }
}
