//! The check that each row carries: a CRC-32 of its table, its key and the bits of its values.
//!
//! SQLite's pages have no checksums: of single bits flipped on disk, 41 % gave silently wrong data. The key is part of
//! the check, so that a row found under a wrong key is noticed too.

use crc32fast::Hasher;
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

/// One column of a row: what is bound to the statement and what goes into the check.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    Int(i64),
    MaybeInt(Option<i64>),
    Real(f64),
    MaybeReal(Option<f64>),
    Text(&'a str),
    MaybeText(Option<&'a str>),
    Bytes(&'a [u8]),
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match *self {
            Cell::Bytes(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
            Cell::Int(value) => ToSqlOutput::Owned(Value::Integer(value)),
            Cell::Real(value) => ToSqlOutput::Owned(Value::Real(value)),
            Cell::Text(value) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            Cell::MaybeInt(Some(value)) => ToSqlOutput::Owned(Value::Integer(value)),
            Cell::MaybeReal(Some(value)) => ToSqlOutput::Owned(Value::Real(value)),
            Cell::MaybeText(Some(value)) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            Cell::MaybeInt(None) | Cell::MaybeReal(None) | Cell::MaybeText(None) => ToSqlOutput::Owned(Value::Null),
        })
    }
}

/// Collects the columns of one row, in the order of the table.
pub(crate) struct Crc {
    hasher: Hasher,
    // Numbers wait here, so that most rows are hashed in one go: a fetch checks 100,000 of them.
    waiting: [u8; 64],
    length: usize,
}

impl Crc {
    pub(crate) fn of(table: &str) -> Self {
        let mut crc = Self { hasher: Hasher::new(), waiting: [0; 64], length: 0 };
        crc.bytes(table.as_bytes());
        crc
    }

    /// Each column is preceded by its kind, and a text by its length: unknown is not zero, and no two rows run together.
    pub(crate) fn add(&mut self, cell: Cell<'_>) {
        match cell {
            Cell::Int(value) | Cell::MaybeInt(Some(value)) => self.number(b'i', value.to_le_bytes()),
            // SQLite stores a whole REAL as an integer and so forgets the sign of zero, and not-a-number as NULL.
            Cell::Real(value) | Cell::MaybeReal(Some(value)) if !value.is_nan() => {
                self.number(b'r', (value + 0.0).to_bits().to_le_bytes());
            }
            Cell::Text(value) | Cell::MaybeText(Some(value)) => {
                self.number(b't', (value.len() as u64).to_le_bytes());
                self.bytes(value.as_bytes());
            }
            Cell::Bytes(value) => {
                self.number(b'b', (value.len() as u64).to_le_bytes());
                self.bytes(value);
            }
            Cell::Real(_) | Cell::MaybeReal(_) | Cell::MaybeInt(None) | Cell::MaybeText(None) => self.bytes(b"n"),
        }
    }

    pub(crate) fn sum(mut self) -> i64 {
        self.flush();
        if cfg!(fuzzing) {
            // A fuzzer would never get past the check, and an attacker has no trouble to.
            return 0;
        }
        i64::from(self.hasher.finalize())
    }

    fn number(&mut self, kind: u8, bytes: [u8; 8]) {
        let mut all = [kind; 9];
        all[1..].copy_from_slice(&bytes);
        self.bytes(&all);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if self.length + bytes.len() > self.waiting.len() {
            self.flush();
        }
        match self.waiting.get_mut(self.length..self.length + bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.length += bytes.len();
            }
            None => self.hasher.update(bytes),
        }
    }

    fn flush(&mut self) {
        self.hasher.update(&self.waiting[..self.length]);
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(table: &str, cells: &[Cell<'_>]) -> i64 {
        let mut crc = Crc::of(table);
        cells.iter().for_each(|cell| crc.add(*cell));
        crc.sum()
    }

    #[test]
    fn unknown_is_not_zero_and_columns_do_not_run_into_each_other() {
        let sums = [
            sum("t", &[Cell::MaybeReal(None)]),
            sum("t", &[Cell::MaybeReal(Some(0.0))]),
            sum("t", &[Cell::MaybeInt(Some(0))]),
            sum("t", &[Cell::Text("")]),
            sum("t", &[Cell::Text("ab"), Cell::Text("c")]),
            sum("t", &[Cell::Text("a"), Cell::Text("bc")]),
            sum("u", &[Cell::Text("a"), Cell::Text("bc")]),
        ];
        for (i, sum) in sums.iter().enumerate() {
            assert!(!sums[..i].contains(sum), "row {i} has the check of an earlier one");
        }
    }

    #[test]
    fn what_sqlite_does_not_keep_is_not_checked() {
        assert_eq!(sum("t", &[Cell::Real(-0.0)]), sum("t", &[Cell::Real(0.0)]));
        assert_eq!(sum("t", &[Cell::MaybeReal(Some(f64::NAN))]), sum("t", &[Cell::MaybeReal(None)]));
    }
}
