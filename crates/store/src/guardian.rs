//! What a recorder started and a killed one cannot end: kept in the file, so that the next recorder finds it.

use rusqlite::{Connection, Row};

use crate::crc::Cell;
use crate::load::{self, signed, unsigned};
use crate::records::Record;

/// More than one recorder ever has at a time; a file that claims more is not ours to believe.
const MAX_GUARDIANS: usize = 16;

/// A guardian of a browser that is running, or was when its recorder was killed, and the folder that it uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guardian {
    /// Its process id.
    pub pid: u32,
    /// When it started, in clock ticks since the machine did: the same pid with another start is another process.
    pub started: u64,
    /// The boot of the machine that both belong to, as `/proc/sys/kernel/random/boot_id` has it.
    pub boot: String,
    /// The folder of the browser's profile and temporary files.
    pub folder: String,
}

impl Record for Guardian {
    const TABLE: &'static str = "guardian";
    const COLUMNS: &'static str = "pid, started, boot, folder";

    fn each(&self, cell: &mut dyn FnMut(Cell<'_>)) {
        cell(Cell::Int(self.pid.into()));
        cell(Cell::Int(signed(self.started)));
        cell(Cell::Text(&self.boot));
        cell(Cell::Text(&self.folder));
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { pid: row.get(0)?, started: unsigned(row.get(1)?), boot: row.get(2)?, folder: row.get(3)? })
    }

    fn key(&self) -> String {
        format!("pid {}", self.pid)
    }
}

/// Those of the file; a damaged row is none.
pub(crate) fn read(conn: &Connection) -> rusqlite::Result<Vec<Guardian>> {
    let rows = load::rows::<Guardian>(conn, "", [], MAX_GUARDIANS)?;
    Ok(rows.into_iter().flatten().collect())
}
