//! Writing a store: the one writer. Updates stay in memory until a commit; a commit that fails loses nothing.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use heapsoak_rrd::{Archive, Reading, RoundRobin, Schema, State, Step, Time, UpdateError};
use rusqlite::{Connection, TransactionBehavior};

use crate::connect::{self, PAGE_BYTES, WAL_PAGES};
use crate::create::{self, Plan, source_rows};
use crate::error::{StoreError, io, sqlite};
use crate::filesystem;
use crate::gc::{self, Gc, GcKind, NewGc};
use crate::guardian::{self, Guardian};
use crate::load::{self, unsigned};
use crate::lock::{FileId, Lock, Refusal};
use crate::model::{Event, Existing, NewRun, NewSource, Run, RunEnd, RunId, cut};
use crate::pending::Pending;
use crate::records::{Head, WriterRow, put};
use crate::views;

/// How long a checkpoint waits for readers before it leaves the rest to the next one.
const CHECKPOINT_PATIENCE: Duration = Duration::from_millis(20);

/// How long the end waits for readers before it leaves the file in write-ahead mode.
const CLOSING_PATIENCE: Duration = Duration::from_millis(500);
/// How often the last writes of all are tried, and how long is waited between.
const CLOSING_TRIES: usize = 3;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(100);
const CLOSING_PAUSE: Duration = Duration::from_millis(2);

/// Bytes of an event's kind and detail that are kept, and of each text of a run.
const KIND_BYTES: usize = 64;
const DETAIL_BYTES: usize = 1_024;
const RUN_TEXT_BYTES: usize = 4_096;

/// The one writer of a store.
///
/// Dropped without [`Writer::close`], it leaves the file as a kill would: whole up to the last commit, with a `-wal`
/// beside it that the next writer or reader plays back.
#[derive(Debug)]
pub struct Writer {
    // Declared before the lock, so that SQLite's descriptors are closed before the one that carries the lock.
    conn: Connection,
    path: PathBuf,
    archives: RoundRobin,
    sources: Vec<NewSource>,
    stored_sources: usize,
    head: Head,
    left: Vec<Guardian>,
    pending: Pending,
    run: Option<Run>,
    next_run: i64,
    next_event: i64,
    /// By kind.
    next_gc: [i64; 2],
    patience: Duration,
    /// The file that was its `-wal` when it was opened: SQLite would not notice either that it is gone.
    wal: FileId,
    lock: Lock,
}

impl Writer {
    /// Makes a store and opens it. The first update must be later than `start`.
    ///
    /// The file (mode 0600) is built aside and put in its place whole: nothing is left of a creation that failed.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::Schema`], [`StoreError::TooMany`]; with [`Existing::Replace`] also
    /// [`StoreError::Locked`] (somebody writes the old file), [`StoreError::Foreign`] (it is no store: left as it was)
    /// and [`StoreError::NotAFile`]; whatever SQLite or the operating system has against it.
    pub fn create(
        path: &Path,
        step: Step,
        sources: &[NewSource],
        archives: &[Archive],
        start: Time,
        existing: Existing,
    ) -> Result<Writer, StoreError> {
        let schema = create::schema(step, sources, archives)?;
        let state = State::new(&schema, start);
        Writer::make(path, &Plan { schema: &schema, sources, start, state: &state, rows: &[] }, existing)
    }

    /// Makes the file of a plan whose parts fit together, and opens it.
    pub(crate) fn make(path: &Path, plan: &Plan<'_>, existing: Existing) -> Result<Writer, StoreError> {
        let path = absolute(path)?;
        filesystem::check(&path)?;
        let lock = create::create(&path, plan, existing).map_err(refused(&path))?;
        match open_held(&path, &lock) {
            Ok(opened) => Ok(Writer::new(opened, path, lock)),
            Err(error) => {
                create::take_back(&path, &lock);
                Err(error)
            }
        }
    }

    /// Opens a store to go on writing it, also after its last writer was killed.
    ///
    /// # Errors
    /// [`StoreError::Absent`], [`StoreError::Locked`], [`StoreError::Foreign`], [`StoreError::Newer`],
    /// [`StoreError::Damaged`]: the file is then as it was. Whatever SQLite or the operating system has against it.
    pub fn open(path: &Path) -> Result<Writer, StoreError> {
        let path = absolute(path)?;
        filesystem::check(&path)?;
        let lock = Lock::take(&path).map_err(refused(&path))?;
        connect::probe(&path, |conn| {
            let definition = load::definition(conn, &path)?;
            load::state(conn, &path, &definition).map(drop)
        })?;
        let opened = open_held(&path, &lock)?;
        Ok(Writer::new(opened, path, lock))
    }

    fn new(opened: Opened, path: PathBuf, lock: Lock) -> Writer {
        let Opened { conn, wal, archives, sources, head, left, newest_run, newest_event, newest_gc } = opened;
        Writer {
            conn,
            path,
            archives,
            stored_sources: sources.len(),
            sources,
            head,
            left,
            pending: Pending::default(),
            run: None,
            next_run: newest_run.saturating_add(1),
            next_event: newest_event.saturating_add(1),
            next_gc: newest_gc.map(|newest| newest.saturating_add(1)),
            patience: connect::WRITER_PATIENCE,
            wal,
            lock,
        }
    }

    /// The file, as an absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Step, sources and archives.
    pub fn schema(&self) -> &Schema {
        self.archives.schema()
    }

    /// The time of the last update, committed or not; of the start, if there was none.
    pub fn last(&self) -> Time {
        self.archives.last()
    }

    /// The sources with their units and descriptions, in the order of a sample's readings.
    pub fn sources(&self) -> &[NewSource] {
        &self.sources
    }

    /// Appends sources; their rows so far are unknown. They, and the views with a column for each, come with the next commit.
    ///
    /// # Errors
    /// [`StoreError::Schema`] (such as a name that is taken) and [`StoreError::TooMany`]; nothing is added then.
    pub fn add_sources(&mut self, sources: &[NewSource]) -> Result<(), StoreError> {
        let all = [&self.sources, sources].concat();
        create::schema(self.schema().step(), &all, self.schema().archives())?;
        for new in sources {
            self.archives.add_source(new.source.clone())?;
        }
        self.sources = all;
        self.pending.any |= !sources.is_empty();
        Ok(())
    }

    /// Applies one sample, one reading for each source in their order. Nothing is written before the next commit.
    ///
    /// # Errors
    /// [`UpdateError`]: not later than the last one, too few or many readings, not a number. Nothing has changed then.
    pub fn update(&mut self, time: Time, readings: &[Reading]) -> Result<(), UpdateError> {
        let pending = &mut self.pending;
        self.archives.update(time, readings, &mut |row| pending.row(row))?;
        pending.any = true;
        Ok(())
    }

    /// Begins a recording, to which events belong from now on.
    pub fn begin_run(&mut self, run: NewRun) -> RunId {
        let text = |text: String| cut(&text, RUN_TEXT_BYTES).to_owned();
        let NewRun { started, pid, target, command, version, time_zone } = run;
        let (target, command, version, time_zone) = (text(target), text(command), text(version), text(time_zone));
        let begun = NewRun { started, pid, target, command, version, time_zone };
        let id = RunId(self.next_run);
        self.next_run = self.next_run.saturating_add(1);
        let run = Run { id, begun, ended: None };
        self.pending.run(run.clone());
        self.run = Some(run);
        id
    }

    /// Ends the open recording.
    ///
    /// # Errors
    /// [`StoreError::NoRun`].
    pub fn end_run(&mut self, time: Time, reason: &str, exit_status: i32) -> Result<(), StoreError> {
        let mut run = self.run.take().ok_or(StoreError::NoRun)?;
        run.ended = Some(RunEnd { time, reason: cut(reason, RUN_TEXT_BYTES).to_owned(), exit_status });
        self.pending.run(run);
        Ok(())
    }

    /// Notes something that happened in the open recording.
    ///
    /// The newest [`crate::MAX_EVENTS`] are kept in the file, and a tenth of that in memory while it cannot be written;
    /// those that gave way are counted in [`crate::Info::events_dropped`].
    ///
    /// # Errors
    /// [`StoreError::NoRun`].
    pub fn event(&mut self, time: Time, kind: &str, detail: &str) -> Result<(), StoreError> {
        let run = self.run.as_ref().ok_or(StoreError::NoRun)?.id;
        let (kind, detail) = (cut(kind, KIND_BYTES).to_owned(), cut(detail, DETAIL_BYTES).to_owned());
        self.pending.event(Event { id: self.next_event, run, time, kind, detail });
        self.next_event = self.next_event.saturating_add(1);
        Ok(())
    }

    /// Notes garbage collections of the open recording, in their order.
    ///
    /// Of each kind the newest [`crate::MAX_GC`] are kept in the file, and a tenth of that in memory while it cannot be
    /// written.
    ///
    /// # Errors
    /// [`StoreError::NoRun`].
    pub fn gc(&mut self, collections: &[NewGc]) -> Result<(), StoreError> {
        let run = self.run.as_ref().ok_or(StoreError::NoRun)?.id;
        for seen in collections {
            let next = &mut self.next_gc[seen.kind as usize];
            self.pending.gc(Gc::new(*next, run, seen));
            *next = next.saturating_add(1);
        }
        Ok(())
    }

    /// The guardians that the writer before this one left behind when it was killed.
    pub fn left_guardians(&self) -> &[Guardian] {
        &self.left
    }

    /// Notes all guardians that there are now, in place of those noted before.
    pub fn set_guardians(&mut self, guardians: Vec<Guardian>) {
        self.pending.guardians(guardians);
    }

    /// Writes all that is pending, in one transaction that is on disk when this returns.
    ///
    /// # Errors
    /// [`StoreError::Busy`], [`StoreError::Full`], [`StoreError::Sqlite`]: everything stays pending then, and a later
    /// commit writes it.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        if !self.pending.any {
            return Ok(());
        }
        let error = match self.write() {
            Ok(head) => {
                self.head = head;
                self.stored_sources = self.sources.len();
                self.pending = Pending::default();
                return Ok(());
            }
            Err(error) => sqlite(&self.path, "commit")(error),
        };
        if matches!(error, StoreError::Full { .. } | StoreError::Sqlite { .. }) {
            // What the -wal takes up can be had back, and that may be all the room the next commit needs. If not, the
            // error of the commit says what is wrong.
            let _ = self.write_back("TRUNCATE", CHECKPOINT_PATIENCE);
        }
        Err(error)
    }

    fn write(&mut self) -> rusqlite::Result<Head> {
        let all = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut head = self.head.clone();
        head.commits = head.commits.saturating_add(1);
        head.last_us = self.archives.last().as_micros();
        if self.stored_sources < self.sources.len() {
            put(&all, source_rows(&self.sources, self.stored_sources))?;
            views::remake(&all, self.archives.schema())?;
        }
        let dropped = self.pending.write(&all, self.archives.schema(), self.archives.state())?;
        head.events_dropped = head.events_dropped.saturating_add(dropped);
        put(&all, [head.clone()])?;
        all.commit()?;
        Ok(head)
    }

    /// Writes the `-wal` back into the file, as far as readers let it, so that the file alone holds what was committed.
    /// Meant to be called every few seconds; waits for nobody. Answers with the bytes of the `-wal` when it is longer than
    /// it ever should be: a reader then keeps it from starting again, and it will go on growing.
    ///
    /// # Errors
    /// [`StoreError::Full`] and [`StoreError::Sqlite`]; what was committed is safe all the same.
    pub fn checkpoint(&mut self) -> Result<Option<u64>, StoreError> {
        let mut pages = self.write_back("PASSIVE", CHECKPOINT_PATIENCE)?;
        if pages > WAL_PAGES {
            pages = self.write_back("TRUNCATE", CHECKPOINT_PATIENCE)?;
        }
        Ok((pages > WAL_PAGES).then(|| unsigned(pages) * PAGE_BYTES))
    }

    /// Answers with the length of the `-wal` in pages. That a reader was in the way is no error.
    fn write_back(&mut self, mode: &str, patience: Duration) -> Result<i64, StoreError> {
        let write_back = || {
            self.conn.busy_timeout(patience)?;
            let sql = format!("PRAGMA wal_checkpoint({mode})");
            let pages = self.conn.query_row(&sql, [], |row| row.get::<_, i64>(1));
            self.conn.busy_timeout(self.patience)?;
            pages
        };
        write_back().map_err(sqlite(&self.path, "write the -wal back"))
    }

    /// Whether the file that is written is still the one at its path, and its `-wal` beside it. Cheap: to be asked every few seconds, because
    /// nothing else tells.
    ///
    /// # Errors
    /// [`StoreError::Lost`] and [`StoreError::Replaced`].
    pub fn check_path(&self) -> Result<(), StoreError> {
        self.lock.id().still_at(&self.path)?;
        self.wal.still_at(&connect::beside(&self.path, "-wal"))
    }

    /// How long a commit waits for the lock of another program; 5 s at first.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn set_busy_timeout(&mut self, patience: Duration) -> Result<(), StoreError> {
        self.patience = patience;
        self.conn.busy_timeout(patience).map_err(sqlite(&self.path, "set the busy timeout"))
    }

    /// Takes the file out of write-ahead mode, which needs a moment without readers. SQLite does not wait for it, whatever
    /// its busy timeout is: one that polls the file would often be in the way.
    fn leave_single(&self) -> Result<(), StoreError> {
        let begun = Instant::now();
        loop {
            let single = self.conn.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()));
            match single.map_err(sqlite(&self.path, "close the file")) {
                Err(StoreError::Busy { .. }) if begun.elapsed() < CLOSING_PATIENCE => {
                    std::thread::park_timeout(CLOSING_PAUSE);
                }
                other => return other,
            }
        }
    }

    /// Commits and leaves one file that can be read from a read-only medium; if readers have it open just then, its
    /// `-wal` (empty) and `-shm` stay.
    ///
    /// # Errors
    /// Those of [`Writer::commit`] and [`Writer::check_path`]. The file is then whole up to its last commit.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.commit()?;
        again(|| self.conn.execute("DELETE FROM writer", []).map_err(sqlite(&self.path, "sign off")))?;
        again(|| self.write_back("TRUNCATE", CLOSING_PATIENCE))?;
        // What follows deletes the -wal by its name, which is another file's if the path is.
        self.check_path()?;
        match again(|| self.leave_single()) {
            Err(StoreError::Busy { .. }) => Ok(()),
            other => other,
        }
    }
}

/// Does the last things that are asked of a disk: one that failed once may do the next time.
fn again<T>(mut act: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    for _ in 1..CLOSING_TRIES {
        match act() {
            Err(StoreError::Sqlite { .. }) => std::thread::park_timeout(TRY_AGAIN_AFTER),
            done => return done,
        }
    }
    act()
}

/// What is read when a store is opened for writing.
struct Opened {
    conn: Connection,
    wal: FileId,
    archives: RoundRobin,
    sources: Vec<NewSource>,
    head: Head,
    left: Vec<Guardian>,
    newest_run: i64,
    newest_event: i64,
    newest_gc: [i64; 2],
}

/// Opens the file whose lock is held, and writes into it who does: also the proof that it can be written at all.
fn open_held(path: &Path, lock: &Lock) -> Result<Opened, StoreError> {
    let mut conn = connect::read_write(path)?;
    lock.id().still_at(path)?;
    connect::identify(&conn, path)?;
    let definition = load::definition(&conn, path)?;
    let state = load::state(&conn, path, &definition)?;
    let archives = RoundRobin::resume(definition.schema, state)
        .map_err(|error| StoreError::Damaged { path: path.to_owned(), what: error.to_string() })?;
    let newest = |table| {
        let sql = format!("SELECT coalesce(max(id), 0) FROM {table}");
        conn.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(sqlite(path, "read the newest row"))
    };
    let (newest_run, newest_event) = (newest("run")?, newest("event")?);
    let gc = |kind| gc::newest(&conn, kind).map_err(sqlite(path, "read the newest row"));
    let newest_gc = [gc(GcKind::Minor)?, gc(GcKind::Major)?];
    let left = guardian::read(&conn).map_err(sqlite(path, "read the guardians"))?;
    connect::for_writing(&conn, path)?;
    let sign = |conn: &mut Connection| {
        let all = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        put(&all, [WriterRow { pid: std::process::id() }])?;
        all.commit()
    };
    sign(&mut conn).map_err(sqlite(path, "write to it"))?;
    let wal = FileId::at(&connect::beside(path, "-wal"))?;
    let load::Definition { head, sources, .. } = definition;
    Ok(Opened { conn, wal, archives, sources, head, left, newest_run, newest_event, newest_gc })
}

/// Paths are kept whole, so that a change of directory, or a name like `file:x`, means nothing else later.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, StoreError> {
    std::path::absolute(path).map_err(io(path, "make the path absolute"))
}

/// Says who holds the file.
fn refused(path: &Path) -> impl FnOnce(Refusal) -> StoreError {
    let path = path.to_owned();
    |refusal| match refusal {
        Refusal::Held { here: true } => StoreError::Locked { path, pid: Some(std::process::id()) },
        Refusal::Held { here: false } => StoreError::Locked { pid: connect::holder(&path), path },
        Refusal::Failed(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only from here can the connection be made to believe that the disk is full.
    #[test]
    fn a_full_disk_loses_nothing_once_there_is_room_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("soak.db");
        let step = Step::new(1_000_000).unwrap();
        let source = "DS:a:GAUGE:2:U:U".parse::<heapsoak_rrd::Source>().unwrap();
        let archive = Archive::parse("AVERAGE:1:5000", step).unwrap();
        let start = Time::from_secs(1_700_000_000);
        let mut writer = Writer::create(&path, step, &[source.into()], &[archive], start, Existing::Refuse).unwrap();
        let limit = |writer: &Writer, pages: i64| {
            writer.conn.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0)).unwrap()
        };
        let full = limit(&writer, 1);
        for second in 1..=4_000 {
            writer.update(Time::from_secs(1_700_000_000 + second), &[Reading::from(1.5)]).unwrap();
            if second % 1_000 == 0 {
                let error = writer.commit().unwrap_err();
                assert!(matches!(error, StoreError::Full { .. }), "{error}");
            }
        }
        limit(&writer, full + 1_000);
        writer.commit().unwrap();
        let count = "SELECT count(*) FROM point WHERE value = 1.5";
        assert_eq!(writer.conn.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap(), 4_000);
        writer.close().unwrap();
        assert_eq!(crate::Reader::open(&path).unwrap().verify().unwrap(), []);
    }
}
