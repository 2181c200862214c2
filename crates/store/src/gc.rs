//! Garbage collections: what is told of one, its row, and how they are read.
//!
//! Two rings share the table, one for each kind, so that the thousands of minor collections never push out a major
//! one. The kind leads the key: to read the majors of a run touches none of the minors.

use std::fmt;

use heapsoak_rrd::Time;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, Row, params};

use crate::MAX_GC;
use crate::crc::Cell;
use crate::history::time_of;
use crate::load::{self, number, signed, unsigned};
use crate::model::{RunId, cut};
use crate::records::Record;

/// Bytes of a target's label that are kept.
const TARGET_BYTES: usize = 64;

/// What a collection went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GcKind {
    /// The young generation only: a scavenge.
    Minor,
    /// The whole heap: a mark-compact. What is left after it is the floor.
    Major,
}

impl GcKind {
    /// Both, in the order of the table.
    pub const ALL: [GcKind; 2] = [GcKind::Minor, GcKind::Major];

    /// As in the table: `minor` or `major`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            GcKind::Minor => "minor",
            GcKind::Major => "major",
        }
    }
}

impl fmt::Display for GcKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromSql for GcKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        GcKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(FromSqlError::InvalidType)
    }
}

/// A collection that was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct NewGc {
    /// The label of the target whose heap it was; empty for the one target. At most 64 bytes are kept.
    pub target: String,
    /// When it ended, as near as that can be told.
    pub time: Time,
    /// What it went through.
    pub kind: GcKind,
    /// How long the program stood still, in milliseconds; `None` (or no finite number, or below 0): unknown.
    pub pause_ms: Option<f64>,
    /// Used heap before it, in bytes.
    pub before_bytes: Option<u64>,
    /// Used heap after it, in bytes.
    pub after_bytes: Option<u64>,
    /// Asked for, by a checkpoint for instance, rather than the program's own.
    pub forced: bool,
}

/// A collection in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Gc {
    /// Counts the collections of its kind, from 1, in the order of recording.
    pub id: i64,
    /// The run in which it was seen.
    pub run: RunId,
    /// What was seen of it.
    pub seen: NewGc,
}

impl Gc {
    /// A row of a collection, with nothing in it that the table does not hold.
    pub(crate) fn new(id: i64, run: RunId, seen: &NewGc) -> Self {
        let target = cut(&seen.target, TARGET_BYTES).to_owned();
        let pause_ms = seen.pause_ms.filter(|pause| pause.is_finite() && *pause >= 0.0);
        Self { id, run, seen: NewGc { target, pause_ms, ..seen.clone() } }
    }
}

impl Record for Gc {
    const TABLE: &'static str = "gc";
    const COLUMNS: &'static str = "kind, id, run, target, time, pause_ms, before_bytes, after_bytes, forced";

    fn each(&self, cell: &mut dyn FnMut(Cell<'_>)) {
        let NewGc { target, time, kind, pause_ms, before_bytes, after_bytes, forced } = &self.seen;
        cell(Cell::Text(kind.as_str()));
        cell(Cell::Int(self.id));
        cell(Cell::Int(self.run.0));
        cell(Cell::Text(target));
        cell(Cell::Real(time.as_secs_f64()));
        cell(Cell::MaybeReal(*pause_ms));
        cell(Cell::MaybeInt(before_bytes.map(signed)));
        cell(Cell::MaybeInt(after_bytes.map(signed)));
        cell(Cell::Int((*forced).into()));
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let bytes = |column| row.get::<_, Option<i64>>(column).map(|bytes| bytes.map(unsigned));
        let seen = NewGc {
            kind: row.get(0)?,
            target: row.get(3)?,
            time: time_of(row.get(4)?),
            pause_ms: row.get(5)?,
            before_bytes: bytes(6)?,
            after_bytes: bytes(7)?,
            forced: row.get(8)?,
        };
        Ok(Self { id: row.get(1)?, run: RunId(row.get(2)?), seen })
    }

    fn key(&self) -> String {
        format!("kind {}, id {}", self.seen.kind, self.id)
    }
}

/// The newest number of a kind, which is also how many were seen; 0 before the first.
pub(crate) fn newest(conn: &Connection, kind: GcKind) -> rusqlite::Result<i64> {
    let sql = "SELECT coalesce(max(id), 0) FROM gc WHERE kind = ?1";
    conn.prepare_cached(sql)?.query_row([kind.as_str()], |row| row.get(0))
}

/// Lets those give way that are older than the newest [`MAX_GC`] of their kind.
pub(crate) fn prune(conn: &Connection, newest: &Gc) -> rusqlite::Result<()> {
    let oldest = newest.id.saturating_sub(number(MAX_GC));
    conn.prepare_cached("DELETE FROM gc WHERE kind = ?1 AND id <= ?2")?
        .execute(params![newest.seen.kind.as_str(), oldest])?;
    Ok(())
}

/// The sound rows of one kind from `start` to `end`, both included, in the order of their recording; of one target if
/// one is named.
pub(crate) fn read(
    conn: &Connection,
    kind: GcKind,
    (start, end): (Time, Time),
    target: Option<&str>,
) -> rusqlite::Result<Vec<Gc>> {
    const NEWEST_FIRST: &str =
        "WHERE kind = ?1 AND time BETWEEN ?2 AND ?3 AND (?4 IS NULL OR target = ?4) ORDER BY id DESC";
    let parameters = params![kind.as_str(), start.as_secs_f64(), end.as_secs_f64(), target];
    let rows = load::rows::<Gc>(conn, NEWEST_FIRST, parameters, MAX_GC)?;
    Ok(rows.into_iter().rev().flatten().collect())
}
