//! When to look at a running recording: doubling windows, and two leaks in a row before anything is stopped.
//!
//! Looking at every tick would raise a false alarm sooner or later. Windows of 5, 10, 20, 40 … minutes are at most nine
//! looks in a day, so at most 0.9 % by Bonferroni at 0.1 % a look.

use crate::verdict::{Verdict, Word};

/// The first look, in seconds.
const FIRST_S: f64 = 300.0;
/// Leaks in a row that are wanted.
const LEAKS_WANTED: u32 = 2;

/// The looks at one source of a running recording. Time is what the caller says has passed.
#[derive(Debug, Clone, PartialEq)]
pub struct Looks {
    next_s: f64,
    leaks_in_a_row: u32,
    last_to: Option<f64>,
}

impl Default for Looks {
    fn default() -> Self {
        Self { next_s: FIRST_S, leaks_in_a_row: 0, last_to: None }
    }
}

impl Looks {
    /// Looks that begin after `first_s` seconds instead of five minutes; twice that follows, and so on.
    pub fn starting_at(first_s: f64) -> Self {
        Self { next_s: if first_s > 0.0 { first_s } else { FIRST_S }, ..Self::default() }
    }

    /// Seconds after the start at which the next look is due.
    pub fn next_s(&self) -> f64 {
        self.next_s
    }

    /// Is a look due, `elapsed_s` after the start of the recording?
    pub fn is_due(&self, elapsed_s: f64) -> bool {
        elapsed_s >= self.next_s
    }

    /// Records what a look that was due has shown; true when the leak is decided: two looks in a row, the second of them
    /// with data that the first had not.
    pub fn record(&mut self, elapsed_s: f64, verdict: &Verdict) -> bool {
        while self.next_s <= elapsed_s {
            self.next_s *= 2.0;
        }
        let is_new = verdict.to.is_some() && verdict.to != self.last_to;
        match verdict.verdict {
            Word::Leak if is_new => self.leaks_in_a_row += 1,
            Word::Leak => {}
            Word::Steady | Word::Undecided => self.leaks_in_a_row = 0,
        }
        self.last_to = verdict.to;
        self.leaks_in_a_row >= LEAKS_WANTED
    }
}
