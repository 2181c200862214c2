//! Thrashing: a program that spends most of its time in major collections which free next to nothing. Some Nodes never die
//! of it; they crawl at a hundredth of their speed, and whoever waits for an exit misses it.
use std::collections::VecDeque;

use super::reading::{Gc, GcKind};

/// The time looked at, in µs: long enough for one collection of a large heap to be no thrashing.
const WINDOW_US: i64 = 10_000_000;
/// Begins above this share of the time in major collections: seen at 95 % in Node 8 and 12, while a program that is only
/// busy spends below 10 % in them.
const BEGINS: f64 = 0.5;
/// Ends below this share: the gap keeps one that wavers from beginning again and again.
const ENDS: f64 = 0.25;
/// What is left near the limit is hopeless, and so is what a collection leaves nearly as it was: Node 20 with an old space of
/// 60 MiB and young ones of 16 or 30 collects nine times a second from 30 or 12 MiB on, and frees 1 % each time. A program
/// that collects much and frees much is not in danger.
const NEAR_LIMIT: f64 = 0.85;
const LEFT: f64 = 0.95;
/// Most collections remembered: in 10 s of nothing else, one takes 1 ms at least.
const MOST: usize = 10_000;

/// The major collections of the last 10 s.
#[derive(Debug, Default)]
pub(super) struct Thrash {
    majors: VecDeque<Gc>,
    active: bool,
}

/// A change of the state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Change {
    Begins { share: f64, after: f64 },
    Ends,
}

impl Thrash {
    pub(super) fn is_active(&self) -> bool {
        self.active
    }

    pub(super) fn add(&mut self, gc: Gc) {
        if gc.kind == GcKind::Major {
            self.majors.push_back(gc);
            if self.majors.len() > MOST {
                self.majors.pop_front();
            }
        }
    }

    /// Looks at the last 10 s. A program that is silent is left in the state that it was in.
    pub(super) fn judge(&mut self, now_us: i64, limit: Option<f64>) -> Option<Change> {
        self.majors.retain(|gc| now_us.saturating_sub(gc.time_us) < WINDOW_US);
        let pauses_us = self.majors.iter().map(|gc| gc.pause_ms * 1e3).sum::<f64>();
        #[expect(clippy::cast_precision_loss, reason = "a constant of 8 digits")]
        let share = (pauses_us / WINDOW_US as f64).min(1.0);
        let after = self.majors.back().and_then(|gc| gc.after);
        let near = after.zip(limit).is_some_and(|(after, limit)| after > NEAR_LIMIT * limit);
        if !self.active && share > BEGINS && (near || self.in_vain()) {
            self.active = true;
            return Some(Change::Begins { share, after: after.unwrap_or_default() });
        }
        if self.active && share < ENDS {
            self.active = false;
            return Some(Change::Ends);
        }
        None
    }

    /// The collections, taken together, left nearly all they met.
    fn in_vain(&self) -> bool {
        let sizes = self.majors.iter().filter_map(|gc| gc.before.zip(gc.after));
        let (met, left) = sizes.fold((0.0, 0.0), |sum, (before, after)| (sum.0 + before, sum.1 + after));
        met > 0.0 && left > LEFT * met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: f64 = 60.0;

    /// Collections of 100 ms, `per_second` of them for `seconds`, that leave `after`; when thrashing began and ended.
    fn run(phases: &[(i64, i64, f64)]) -> Vec<(i64, bool)> {
        met(LIMIT, phases)
    }

    fn met(before: f64, phases: &[(i64, i64, f64)]) -> Vec<(i64, bool)> {
        let (mut thrash, mut now, mut found) = (Thrash::default(), 0, Vec::new());
        for (seconds, per_second, after) in phases {
            for _ in 0..*seconds {
                for _ in 0..*per_second {
                    let (kind, before, after) = (GcKind::Major, Some(before), Some(*after));
                    thrash.add(Gc { time_us: now, kind, pause_ms: 100.0, before, after, forced: false });
                    now += 1_000_000 / per_second.max(&1);
                }
                if *per_second == 0 {
                    now += 1_000_000;
                }
                if let Some(change) = thrash.judge(now, Some(LIMIT)) {
                    found.push((now / 1_000_000, matches!(change, Change::Begins { .. })));
                }
            }
        }
        found
    }

    #[test]
    fn a_crawl_at_the_limit_begins_within_seconds_and_ends_once() {
        assert_eq!(run(&[(20, 10, 58.0), (20, 0, 0.0)]), [(6, true), (28, false)]);
    }

    #[test]
    fn a_crawl_far_below_the_limit_is_one_when_next_to_nothing_is_freed() {
        assert_eq!(met(30.2, &[(20, 8, 29.9), (20, 1, 29.9)]), [(7, true), (28, false)]);
    }

    #[test]
    fn a_busy_program_below_its_limit_and_one_that_wavers_are_not_reported_again_and_again() {
        assert_eq!(run(&[(30, 8, 40.0)]), [], "much collected, much freed");
        assert_eq!(run(&[(30, 4, 58.0)]), [], "full, but it gets its work done");
        assert_eq!(run(&[(10, 9, 58.0), (5, 3, 58.0), (10, 9, 58.0), (5, 3, 58.0)]), [(5, true)]);
    }
}
