//! A reader that counts lines and gives out no more than a budget: however a file is made, one piece of it (a tag, a text,
//! a row) takes up no more memory than that.

use std::io::{self, BufRead, Read};

/// Counts what is consumed of the reader within.
#[derive(Debug)]
pub(super) struct Bounded<R> {
    inner: R,
    /// What may still be consumed before the next [`Bounded::renew`].
    left: usize,
    newlines: u64,
    /// Whether the byte consumed last ended a line.
    at_end: bool,
}

impl<R: BufRead> Bounded<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, left: 0, newlines: 0, at_end: false }
    }

    /// Lets `budget` bytes pass from now on.
    pub(super) fn renew(&mut self, budget: usize) {
        self.left = budget;
    }

    /// The line of the byte consumed last, from 1.
    pub(super) fn line(&self) -> u64 {
        self.newlines + u64::from(!self.at_end)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let available = self.inner.fill_buf()?;
        if self.left == 0 && !available.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a piece of it is too long: is this the right file?",
            ));
        }
        Ok(&available[..available.len().min(self.left)])
    }

    fn consume(&mut self, amount: usize) {
        // What was filled is still there, so that this reads nothing and cannot fail.
        let consumed = self.inner.fill_buf().unwrap_or_default();
        let consumed = &consumed[..amount.min(consumed.len())];
        self.newlines += consumed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at_end = consumed.last().map_or(self.at_end, |byte| *byte == b'\n');
        self.left = self.left.saturating_sub(amount);
        self.inner.consume(amount);
    }
}

impl<R: BufRead> Read for Bounded<R> {
    /// At most to the end of a line: whoever keeps a buffer of its own has then not read on beyond what it tells of.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let line = available.iter().position(|byte| *byte == b'\n').map_or(available.len(), |end| end + 1);
        let amount = line.min(into.len());
        into[..amount].copy_from_slice(&available[..amount]);
        self.consume(amount);
        Ok(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_budget_is_an_error_and_not_an_end() {
        let mut bounded = Bounded::new(&b"one\ntwo\nthree"[..]);
        bounded.renew(6);
        let mut text = String::new();
        assert!(bounded.read_to_string(&mut text).is_err());
        assert_eq!(bounded.line(), 2);
        bounded.renew(100);
        text.clear();
        assert_eq!(bounded.read_to_string(&mut text).unwrap(), 7);
        assert_eq!((text.as_str(), bounded.line()), ("o\nthree", 3));
    }

    #[test]
    fn an_end_within_the_budget_is_an_end() {
        let mut bounded = Bounded::new(&b"abc"[..]);
        bounded.renew(3);
        assert_eq!(bounded.read_to_string(&mut String::new()).unwrap(), 3);
    }
}
