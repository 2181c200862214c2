//! The check that each row carries: a CRC-32 of its table, its key and the bits of its values.
//!
//! SQLite's pages have no checksums: of single bits flipped on disk, 41 % gave silently wrong data. The key is part of
//! the check, so that a row found under a wrong key is noticed too.

use crc32fast::Hasher;

/// Collects the columns of one row, in the order of the table.
pub(crate) struct Crc(Hasher);

impl Crc {
    pub(crate) fn of(table: &str) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(table.as_bytes());
        Self(hasher)
    }

    pub(crate) fn int(mut self, value: i64) -> Self {
        self.0.update(&value.to_le_bytes());
        self
    }

    pub(crate) fn maybe_int(self, value: Option<i64>) -> Self {
        match value {
            Some(value) => self.known(true).int(value),
            None => self.known(false),
        }
    }

    /// SQLite stores a whole REAL as an integer and so forgets the sign of zero: it is no part of the check.
    pub(crate) fn real(mut self, value: f64) -> Self {
        self.0.update(&(value + 0.0).to_bits().to_le_bytes());
        self
    }

    pub(crate) fn maybe_real(self, value: Option<f64>) -> Self {
        match value {
            Some(value) => self.known(true).real(value),
            None => self.known(false),
        }
    }

    /// The length goes first: `ab`, `c` and `a`, `bc` are different rows.
    pub(crate) fn text(self, value: &str) -> Self {
        let mut next = self.int(i64::try_from(value.len()).unwrap_or(i64::MAX));
        next.0.update(value.as_bytes());
        next
    }

    pub(crate) fn maybe_text(self, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.known(true).text(value),
            None => self.known(false),
        }
    }

    pub(crate) fn sum(self) -> i64 {
        i64::from(self.0.finalize())
    }

    fn known(mut self, known: bool) -> Self {
        self.0.update(&[u8::from(known)]);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_not_zero_and_columns_do_not_run_into_each_other() {
        let sums = [
            Crc::of("t").maybe_real(None).sum(),
            Crc::of("t").maybe_real(Some(0.0)).sum(),
            Crc::of("t").real(0.0).sum(),
            Crc::of("t").text("ab").text("c").sum(),
            Crc::of("t").text("a").text("bc").sum(),
            Crc::of("u").text("a").text("bc").sum(),
        ];
        for (i, sum) in sums.iter().enumerate() {
            assert!(!sums[..i].contains(sum), "row {i} has the check of an earlier one");
        }
    }

    #[test]
    fn minus_zero_comes_back_as_zero() {
        assert_eq!(Crc::of("t").real(-0.0).sum(), Crc::of("t").real(0.0).sum());
    }
}
