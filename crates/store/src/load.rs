//! From rows to the definition and the state of the archives, every row checked.

use std::path::Path;

use heapsoak_rrd::{Archive, CdpState, Heartbeat, Reading, Schema, Source, SourceState, State, Step, Time, Xff};
use rusqlite::{Connection, Params};

use crate::error::{StoreError, sqlite};
use crate::model::NewSource;
use crate::records::{ArchiveRow, CdpRow, Head, PdpRow, Record, SourceRow, Unsound, select};
use crate::{MAX_ARCHIVES, MAX_SOURCES};

/// What a store holds, apart from rows, runs and events.
pub(crate) struct Definition {
    pub(crate) head: Head,
    pub(crate) schema: Schema,
    pub(crate) sources: Vec<NewSource>,
}

impl Definition {
    pub(crate) fn start(&self) -> Time {
        Time::from_micros(self.head.start_us)
    }

    pub(crate) fn last(&self) -> Time {
        Time::from_micros(self.head.last_us)
    }
}

/// A number from the file where only a count makes sense; what cannot be one is refused by the checks of the schema.
pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

/// A count for the file. Those of a schema are far below the limit.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The number of a source or archive for the file.
pub(crate) fn number(index: usize) -> i64 {
    signed(index as u64)
}

/// Text of all rows of one table that is taken into memory. The events, the largest table of texts, may have 104 MiB.
const MAX_TEXT: usize = 128 << 20;

/// Reads rows, the damaged ones as such. However many and large rows a file claims to have: no more than
/// `limit` are read, and no more text than anything of ours has.
pub(crate) fn rows<R: Record>(
    conn: &Connection,
    rest: &str,
    parameters: impl Params,
    limit: usize,
) -> rusqlite::Result<Vec<Result<R, Unsound>>> {
    let mut statement = conn.prepare_cached(&select::<R>(&format!("{rest} LIMIT {limit}")))?;
    let mut rows = Vec::new();
    let mut text = 0;
    for row in statement.query_map(parameters, |row| Ok(R::read_sound(row)))? {
        let row = row?;
        text += row.as_ref().map_or(0, R::weight);
        if text > MAX_TEXT {
            return Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_TOOBIG), None));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Reads rows and fails at the first that is damaged, or if there are more than `limit`.
pub(crate) fn checked<R: Record>(
    conn: &Connection,
    path: &Path,
    rest: &str,
    limit: usize,
) -> Result<Vec<R>, StoreError> {
    let rows = rows::<R>(conn, rest, [], limit.saturating_add(1)).map_err(sqlite(path, "read a table"))?;
    let damaged = |what| Err(StoreError::Damaged { path: path.to_owned(), what });
    if rows.len() > limit {
        return damaged(format!("table {} has more than {limit} rows", R::TABLE));
    }
    let all: Result<Vec<R>, Unsound> = rows.into_iter().collect();
    all.or_else(|Unsound { key, what }| damaged(format!("table {}, row {key}: {what}", R::TABLE)))
}

/// Reads the row of the file as a whole.
pub(crate) fn head(conn: &Connection, path: &Path) -> Result<Head, StoreError> {
    let rows: Vec<Head> = checked(conn, path, "", 1)?;
    let gone = || StoreError::Damaged { path: path.to_owned(), what: "table store is empty".to_owned() };
    rows.into_iter().next().ok_or_else(gone)
}

/// Reads step, sources and archives.
pub(crate) fn definition(conn: &Connection, path: &Path) -> Result<Definition, StoreError> {
    let damaged = |what: String| StoreError::Damaged { path: path.to_owned(), what };
    let head = head(conn, path)?;
    let sources: Vec<SourceRow> = checked(conn, path, "ORDER BY id", MAX_SOURCES)?;
    let archives: Vec<ArchiveRow> = checked(conn, path, "ORDER BY id", MAX_ARCHIVES)?;
    if head.last_us < head.start_us {
        return Err(damaged("its last update lies before its start".to_owned()));
    }
    if sources.iter().zip(0..).any(|(row, id)| row.id != id) {
        return Err(damaged("a row of table source is gone".to_owned()));
    }
    if archives.iter().zip(0..).any(|(row, id)| row.id != id) {
        return Err(damaged("a row of table archive is gone".to_owned()));
    }
    let build = || {
        let sources = sources.into_iter().map(source).collect::<Result<Vec<_>, _>>()?;
        let archives = archives.iter().map(archive).collect::<Result<Vec<_>, _>>()?;
        let plain = sources.iter().map(|new| new.source.clone()).collect();
        let schema = Schema::new(Step::new(unsigned(head.step_us))?, plain, archives)?;
        Ok((schema, sources))
    };
    let (schema, sources) = build().map_err(|error: heapsoak_rrd::SchemaError| damaged(error.to_string()))?;
    Ok(Definition { head, schema, sources })
}

fn source(row: SourceRow) -> Result<NewSource, heapsoak_rrd::SchemaError> {
    let source = Source {
        name: row.name.parse()?,
        kind: row.kind.parse()?,
        heartbeat: Heartbeat::new(unsigned(row.heartbeat_us))?,
        min: row.min,
        max: row.max,
    };
    Ok(NewSource { source, unit: row.unit, description: row.description })
}

fn archive(row: &ArchiveRow) -> Result<Archive, heapsoak_rrd::SchemaError> {
    Ok(Archive {
        cf: row.cf.parse()?,
        xff: Xff::new(row.xff)?,
        pdps_per_row: unsigned(row.pdps_per_row),
        rows: unsigned(row.rows),
    })
}

/// Reads the last reading and the open PDP of each source.
pub(crate) fn source_states(conn: &Connection, path: &Path, sources: usize) -> Result<Vec<SourceState>, StoreError> {
    let rows: Vec<PdpRow> = checked(conn, path, "ORDER BY source", sources)?;
    if rows.len() != sources || rows.iter().zip(0..).any(|(row, id)| row.source != id) {
        return Err(StoreError::Damaged { path: path.to_owned(), what: "a row of table pdp is gone".to_owned() });
    }
    let state = |row: PdpRow| SourceState {
        last_reading: row.reading.map_or(Reading::Unknown, |text| Reading::Value(text.into())),
        value: row.value,
        unknown_us: unsigned(row.unknown_us),
    };
    Ok(rows.into_iter().map(state).collect())
}

/// Reads all that the next update goes on from.
pub(crate) fn state(conn: &Connection, path: &Path, definition: &Definition) -> Result<State, StoreError> {
    let (archives, sources) = (definition.schema.archives().len(), definition.schema.sources().len());
    let rows: Vec<CdpRow> = checked(conn, path, "ORDER BY archive, source", archives * sources)?;
    let wanted = (0..number(archives)).flat_map(|archive| (0..number(sources)).map(move |source| (archive, source)));
    if !rows.iter().map(|row| (row.archive, row.source)).eq(wanted) {
        return Err(StoreError::Damaged { path: path.to_owned(), what: "a row of table cdp is gone".to_owned() });
    }
    let cdps: Vec<CdpState> =
        rows.iter().map(|row| CdpState { value: row.value, unknown_pdps: unsigned(row.unknown_pdps) }).collect();
    Ok(State {
        last: definition.last(),
        sources: source_states(conn, path, sources)?,
        cdps: cdps.chunks(sources).map(<[_]>::to_vec).collect(),
    })
}
