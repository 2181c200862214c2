//! One struct for each table's rows: how it is written, read, checked and named.

use rusqlite::{Connection, Row};

use crate::crc::{Cell, Crc};

/// A row of one table. The order of the columns is that of the table; the check is the last one.
pub(crate) trait Record: Sized {
    const TABLE: &'static str;
    /// The columns, without the check.
    const COLUMNS: &'static str;
    /// How many there are, and so the place of the check.
    const WIDTH: usize = 1 + commas(Self::COLUMNS);

    /// Hands out the columns in their order.
    fn each(&self, cell: &mut dyn FnMut(Cell<'_>));

    /// Reads the columns, without the check.
    fn read(row: &Row<'_>) -> rusqlite::Result<Self>;

    /// Which row it is, for people.
    fn key(&self) -> String;

    fn crc(&self) -> i64 {
        let mut crc = Crc::of(Self::TABLE);
        self.each(&mut |cell| crc.add(cell));
        crc.sum()
    }

    /// Bytes of its texts: what a file can blow up.
    fn weight(&self) -> usize {
        let mut bytes = 0;
        self.each(&mut |cell| match cell {
            Cell::Text(text) | Cell::MaybeText(Some(text)) => bytes += text.len(),
            Cell::Bytes(value) => bytes += value.len(),
            Cell::Int(_) | Cell::MaybeInt(_) | Cell::Real(_) | Cell::MaybeReal(_) | Cell::MaybeText(None) => {}
        });
        bytes
    }

    /// Reads a row selected by [`select`], if it is as it was written.
    fn read_sound(row: &Row<'_>) -> Result<Self, Unsound> {
        // A bit in a row's header makes a number of a text: STRICT looks at what is written, not at what is read.
        let unreadable = |error: rusqlite::Error| Unsound { key: String::new(), what: error.to_string() };
        let record = Self::read(row).map_err(unreadable)?;
        let stored: i64 = row.get(Self::WIDTH).map_err(unreadable)?;
        if stored == record.crc() {
            return Ok(record);
        }
        Err(Unsound { key: record.key(), what: "its check fails".to_owned() })
    }
}

/// A row that is not as it was written.
#[derive(Clone, Debug)]
pub(crate) struct Unsound {
    /// Which row; empty when even that cannot be read.
    pub(crate) key: String,
    pub(crate) what: String,
}

const fn commas(text: &str) -> usize {
    let (bytes, mut place, mut found) = (text.as_bytes(), 0, 0);
    while place < bytes.len() {
        found += (bytes[place] == b',') as usize;
        place += 1;
    }
    found
}

/// A select of all columns of a table, in the order that [`Record::read`] expects.
pub(crate) fn select<R: Record>(rest: &str) -> String {
    format!("SELECT {}, crc FROM {} {rest}", R::COLUMNS, R::TABLE)
}

/// Writes rows, each in the place of one with the same key.
pub(crate) fn put<R: Record>(conn: &Connection, records: impl IntoIterator<Item = R>) -> rusqlite::Result<()> {
    let marks = ", ?".repeat(R::WIDTH);
    let sql = format!("INSERT OR REPLACE INTO {} ({}, crc) VALUES (?{marks})", R::TABLE, R::COLUMNS);
    let mut statement = conn.prepare_cached(&sql)?;
    for record in records {
        let mut column = 0;
        let mut bound = Ok(());
        let mut bind = |cell: Cell<'_>| {
            column += 1;
            if bound.is_ok() {
                bound = statement.raw_bind_parameter(column, cell);
            }
        };
        record.each(&mut bind);
        bind(Cell::Int(record.crc()));
        bound?;
        statement.raw_execute()?;
    }
    Ok(())
}

/// The row of the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) step_us: i64,
    pub(crate) start_us: i64,
    pub(crate) last_us: i64,
    pub(crate) commits: i64,
    pub(crate) events_dropped: i64,
}

impl Record for Head {
    const TABLE: &'static str = "store";
    const COLUMNS: &'static str = "id, step_us, start_us, last_us, commits, events_dropped";

    fn each(&self, cell: &mut dyn FnMut(Cell<'_>)) {
        let Self { step_us, start_us, last_us, commits, events_dropped } = *self;
        [1, step_us, start_us, last_us, commits, events_dropped].into_iter().for_each(|int| cell(Cell::Int(int)));
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            step_us: row.get(1)?,
            start_us: row.get(2)?,
            last_us: row.get(3)?,
            commits: row.get(4)?,
            events_dropped: row.get(5)?,
        })
    }

    fn key(&self) -> String {
        "id 1".to_owned()
    }
}

/// A data source, as texts and numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SourceRow {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) heartbeat_us: i64,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) unit: String,
    pub(crate) description: String,
}

impl Record for SourceRow {
    const TABLE: &'static str = "source";
    const COLUMNS: &'static str = "id, name, type, heartbeat_us, min, max, unit, description";

    fn each(&self, cell: &mut dyn FnMut(Cell<'_>)) {
        cell(Cell::Int(self.id));
        cell(Cell::Text(&self.name));
        cell(Cell::Text(&self.kind));
        cell(Cell::Int(self.heartbeat_us));
        cell(Cell::MaybeReal(self.min));
        cell(Cell::MaybeReal(self.max));
        cell(Cell::Text(&self.unit));
        cell(Cell::Text(&self.description));
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            kind: row.get(2)?,
            heartbeat_us: row.get(3)?,
            min: row.get(4)?,
            max: row.get(5)?,
            unit: row.get(6)?,
            description: row.get(7)?,
        })
    }

    fn key(&self) -> String {
        format!("id {}, name {:?}", self.id, self.name)
    }
}

/// An archive, as texts and numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ArchiveRow {
    pub(crate) id: i64,
    pub(crate) cf: String,
    pub(crate) xff: f64,
    pub(crate) pdps_per_row: i64,
    pub(crate) rows: i64,
}

impl Record for ArchiveRow {
    const TABLE: &'static str = "archive";
    const COLUMNS: &'static str = "id, cf, xff, pdps_per_row, rows";

    fn each(&self, cell: &mut dyn FnMut(Cell<'_>)) {
        cell(Cell::Int(self.id));
        cell(Cell::Text(&self.cf));
        cell(Cell::Real(self.xff));
        cell(Cell::Int(self.pdps_per_row));
        cell(Cell::Int(self.rows));
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, cf: row.get(1)?, xff: row.get(2)?, pdps_per_row: row.get(3)?, rows: row.get(4)? })
    }

    fn key(&self) -> String {
        format!("id {}", self.id)
    }
}

/// One value of one row of one archive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) archive: i64,
    pub(crate) slot: i64,
    pub(crate) source: i64,
    pub(crate) time: f64,
    pub(crate) value: Option<f64>,
}

impl Record for Point {
    const TABLE: &'static str = "point";
    const COLUMNS: &'static str = "archive, slot, source, time, value";

    fn each(&self, cell: &mut dyn FnMut(Cell<'_>)) {
        cell(Cell::Int(self.archive));
        cell(Cell::Int(self.slot));
        cell(Cell::Int(self.source));
        cell(Cell::Real(self.time));
        cell(Cell::MaybeReal(self.value));
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { archive: row.get(0)?, slot: row.get(1)?, source: row.get(2)?, time: row.get(3)?, value: row.get(4)? })
    }

    fn key(&self) -> String {
        format!("archive {}, slot {}, source {}", self.archive, self.slot, self.source)
    }
}

/// An open PDP.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PdpRow {
    pub(crate) source: i64,
    pub(crate) reading: Option<String>,
    pub(crate) value: Option<f64>,
    pub(crate) unknown_us: i64,
}

impl Record for PdpRow {
    const TABLE: &'static str = "pdp";
    const COLUMNS: &'static str = "source, reading, value, unknown_us";

    fn each(&self, cell: &mut dyn FnMut(Cell<'_>)) {
        cell(Cell::Int(self.source));
        cell(Cell::MaybeText(self.reading.as_deref()));
        cell(Cell::MaybeReal(self.value));
        cell(Cell::Int(self.unknown_us));
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { source: row.get(0)?, reading: row.get(1)?, value: row.get(2)?, unknown_us: row.get(3)? })
    }

    fn key(&self) -> String {
        format!("source {}", self.source)
    }
}

/// The open row of one archive and source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CdpRow {
    pub(crate) archive: i64,
    pub(crate) source: i64,
    pub(crate) value: Option<f64>,
    pub(crate) unknown_pdps: i64,
}

impl Record for CdpRow {
    const TABLE: &'static str = "cdp";
    const COLUMNS: &'static str = "archive, source, value, unknown_pdps";

    fn each(&self, cell: &mut dyn FnMut(Cell<'_>)) {
        cell(Cell::Int(self.archive));
        cell(Cell::Int(self.source));
        cell(Cell::MaybeReal(self.value));
        cell(Cell::Int(self.unknown_pdps));
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { archive: row.get(0)?, source: row.get(1)?, value: row.get(2)?, unknown_pdps: row.get(3)? })
    }

    fn key(&self) -> String {
        format!("archive {}, source {}", self.archive, self.source)
    }
}

/// The process that writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WriterRow {
    pub(crate) pid: u32,
}

impl Record for WriterRow {
    const TABLE: &'static str = "writer";
    const COLUMNS: &'static str = "id, pid";

    fn each(&self, cell: &mut dyn FnMut(Cell<'_>)) {
        cell(Cell::Int(1));
        cell(Cell::Int(self.pid.into()));
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { pid: row.get(1)? })
    }

    fn key(&self) -> String {
        format!("pid {}", self.pid)
    }
}
