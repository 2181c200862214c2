//! The tables of a store. Their comments are part of what SQLite keeps: `.schema` shows them to whoever queries by hand.
//!
//! All are STRICT, so that a column holds what its type says. The texts are compared when a store is opened: a table
//! that was altered, or that is not a table at all, is damage. A change of any text is a new [`VERSION`], once
//! the first is released.

/// `PRAGMA application_id`: "HSOK".
pub(crate) const APPLICATION_ID: i64 = 0x4853_4F4B;

/// `PRAGMA user_version` of the tables below.
pub(crate) const VERSION: i64 = 1;

/// Name and definition of each table.
pub(crate) const TABLES: [(&str, &str); 12] = [
    ("store", STORE),
    ("source", SOURCE),
    ("archive", ARCHIVE),
    ("point", POINT),
    ("block", BLOCK),
    ("pdp", PDP),
    ("cdp", CDP),
    ("run", RUN),
    ("event", EVENT),
    ("gc", GC),
    ("writer", WRITER),
    ("guardian", GUARDIAN),
];

/// What belongs to the file as a whole: one row. `commits` tells a reader whether anything is new.
const STORE: &str = "\
CREATE TABLE store (
  -- What belongs to the file as a whole: one row. Times: µs since the unix epoch.
  id INTEGER PRIMARY KEY CHECK (id = 1),
  step_us INTEGER NOT NULL,        -- the time that one PDP covers
  start_us INTEGER NOT NULL,       -- the archives begin here: readings are later
  last_us INTEGER NOT NULL,        -- the last update
  commits INTEGER NOT NULL,        -- grows by one with each commit
  events_dropped INTEGER NOT NULL, -- events that gave way to newer ones
  crc INTEGER NOT NULL             -- in every table: CRC-32 of the row, for `grapher info --verify`
) STRICT";

/// The data sources. Numbers are never reused: sources are only ever added.
const SOURCE: &str = "\
CREATE TABLE source (
  -- The data sources (DS), numbered from 0 in the order of a sample's readings.
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,              -- GAUGE, COUNTER, DERIVE, DCOUNTER, DDERIVE or ABSOLUTE
  heartbeat_us INTEGER NOT NULL,   -- readings further apart leave the time between them unknown
  min REAL,                        -- rates below are unknown; NULL: no limit
  max REAL,
  unit TEXT NOT NULL,              -- bytes, count, per second, ms …
  description TEXT NOT NULL,
  crc INTEGER NOT NULL
) STRICT";

/// The archives, fixed at creation.
const ARCHIVE: &str = "\
CREATE TABLE archive (
  -- The archives (RRA), numbered from 0. A row of an archive covers step × pdps_per_row.
  id INTEGER PRIMARY KEY,
  cf TEXT NOT NULL,                -- AVERAGE, MIN, MAX or LAST
  xff REAL NOT NULL,               -- the part of a row that may be unknown
  pdps_per_row INTEGER NOT NULL,
  rows INTEGER NOT NULL,           -- rows kept: then the oldest gives way to the newest
  crc INTEGER NOT NULL
) STRICT";

/// The rows of the archives.
///
/// The key begins with the archive and the slot, and ends with the source, because that is how rows are written and
/// read: all sources of one row lie side by side, so that a tick dirties one page for each archive that closes a row
/// (not one for each source), and a fetch is one walk through neighbouring pages. A table without rowid *is* its key:
/// there is no second copy of it in an index.
///
/// The size of a table is bounded by its key: no slot is `rows` or more. A row whose value is unknown is written as NULL,
/// never left out, so that nothing old is left in its slot.
const POINT: &str = "\
CREATE TABLE point (
  -- One value of one row of one archive. The views average, minimum, maximum and series are easier to read.
  archive INTEGER NOT NULL,
  slot INTEGER NOT NULL,           -- place in the ring: time / row length mod rows
  source INTEGER NOT NULL,
  time REAL NOT NULL,              -- the END of the row, unix seconds
  value REAL,                      -- NULL: unknown
  crc INTEGER NOT NULL,
  PRIMARY KEY (archive, slot, source)
) STRICT, WITHOUT ROWID";

/// The rows once more, for readers of long stretches: see [`crate::block`]. The key is that of one source's rows.
const BLOCK: &str = "\
CREATE TABLE block (
  -- The values of 120 neighbouring slots of one archive and source in one piece, for readers of many; the rows are in point.
  archive INTEGER NOT NULL,
  source INTEGER NOT NULL,
  block INTEGER NOT NULL,          -- slot / 120
  time REAL NOT NULL,              -- the END of its last row, unix seconds
  numbers BLOB NOT NULL,           -- a double for each slot, little endian; not-a-number: unknown
  crc INTEGER NOT NULL,
  PRIMARY KEY (archive, source, block)
) STRICT, WITHOUT ROWID";

/// The open PDP of each source: what the next update goes on from.
const PDP: &str = "\
CREATE TABLE pdp (
  -- The open PDP of each source, and its last reading.
  source INTEGER PRIMARY KEY,
  reading TEXT,                    -- as handed in; NULL: unknown
  value REAL,                      -- rate × seconds so far; NULL: nothing known yet
  unknown_us INTEGER NOT NULL,     -- unknown time so far
  crc INTEGER NOT NULL
) STRICT";

/// The open row of each archive and source.
const CDP: &str = "\
CREATE TABLE cdp (
  -- The open row of each archive and source.
  archive INTEGER NOT NULL,
  source INTEGER NOT NULL,
  value REAL,                      -- sum, smallest, largest or last known PDP so far; NULL: none yet
  unknown_pdps INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  PRIMARY KEY (archive, source)
) STRICT, WITHOUT ROWID";

/// The recordings; the newest [`crate::MAX_RUNS`] are kept.
const RUN: &str = "\
CREATE TABLE run (
  -- One recording from start to end. Times: unix seconds.
  id INTEGER PRIMARY KEY,
  started REAL NOT NULL,
  pid INTEGER NOT NULL,
  target TEXT NOT NULL,            -- what is watched
  command TEXT NOT NULL,           -- the command line, passwords removed
  version TEXT NOT NULL,           -- of the recorder
  time_zone TEXT NOT NULL,         -- of the recorder
  ended REAL,                      -- NULL: going on, or killed
  reason TEXT,                     -- why it ended
  exit_status INTEGER,
  crc INTEGER NOT NULL
) STRICT";

/// What happened; the newest [`crate::MAX_EVENTS`] are kept.
const EVENT: &str = "\
CREATE TABLE event (
  -- Something that happened at an instant.
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  time REAL NOT NULL,              -- unix seconds
  kind TEXT NOT NULL,              -- navigation, crash, restart, gap …
  detail TEXT NOT NULL,
  crc INTEGER NOT NULL
) STRICT";

/// The garbage collections; of each kind the newest [`crate::MAX_GC`] are kept.
///
/// The key begins with the kind: the many minors and the few majors are two rings, and lie apart.
const GC: &str = "\
CREATE TABLE gc (
  -- Garbage collections that were seen. Of each kind the oldest give way to the newest.
  kind TEXT NOT NULL CHECK (kind IN ('minor', 'major')),
  id INTEGER NOT NULL,             -- counts the collections of its kind, from 1
  run INTEGER NOT NULL,
  target TEXT NOT NULL,            -- label of the target; empty: the one target
  time REAL NOT NULL,              -- when it ended, unix seconds
  pause_ms REAL,                   -- how long the program stood still; NULL: unknown
  before_bytes INTEGER,            -- used heap before it; NULL: unknown
  after_bytes INTEGER,             -- and after it: of majors, the floor
  forced INTEGER NOT NULL,         -- 1: asked for, by a checkpoint for instance
  crc INTEGER NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID";

/// Who writes. Only a lock on the file decides whether someone does: this row gives the refused one a name to blame.
const WRITER: &str = "\
CREATE TABLE writer (
  -- The process that has the file open for writing, or had when it was killed: at most one row.
  id INTEGER PRIMARY KEY CHECK (id = 1),
  pid INTEGER NOT NULL,
  crc INTEGER NOT NULL
) STRICT";

/// What a killed recorder could not end.
const GUARDIAN: &str = "\
CREATE TABLE guardian (
  -- The guardians of browsers that are running, or were when the recorder was killed: the next one sweeps what they left.
  pid INTEGER PRIMARY KEY,
  started INTEGER NOT NULL,        -- clock ticks since the machine started
  boot TEXT NOT NULL,              -- which start of the machine that was
  folder TEXT NOT NULL,            -- of the browser's profile and temporary files
  crc INTEGER NOT NULL
) STRICT";
