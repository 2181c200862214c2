//! How long to wait before the browser is started once more, and when to give up.

use std::time::Duration;

/// A session that lasted this long was healthy: the budget begins anew.
const HEALTHY: Duration = Duration::from_secs(600);
/// One that lasted this long was worth its start: the next one follows at once. Only what dies young is waited for.
const WORTH_IT: Duration = Duration::from_secs(30);
/// No wait is longer, but for its jitter.
const LONGEST: Duration = Duration::from_secs(60);
/// The part of a wait that differs from run to run, so that many runs do not come back to one server all at once.
const JITTER: f64 = 0.2;

/// Counts restarts in a row.
#[derive(Debug)]
pub(crate) struct Backoff {
    in_a_row: u32,
    died_young: u32,
    budget: u32,
}

impl Backoff {
    /// At most `budget` restarts in a row without a healthy session between them.
    pub(crate) fn new(budget: u32) -> Self {
        Self { in_a_row: 0, died_young: 0, budget }
    }

    /// The wait before the next restart, after a session that lasted `lived`: none, 1 s, 2 s, 4 s … 60 s, and up to a
    /// fifth more by `chance`, which is from 0 to 1. `None` when the budget is spent.
    pub(crate) fn next(&mut self, lived: Duration, chance: f64) -> Option<Duration> {
        if lived >= HEALTHY {
            self.in_a_row = 0;
        }
        if self.in_a_row >= self.budget {
            return None;
        }
        self.in_a_row += 1;
        self.died_young = if lived >= WORTH_IT { 1 } else { self.died_young + 1 };
        let wait = match self.died_young {
            1 => Duration::ZERO,
            n => Duration::from_secs(1) * 2_u32.saturating_pow(n - 2),
        };
        Some(wait.min(LONGEST).mul_f64(1.0 + JITTER * chance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(lives: &[u64], chance: f64) -> Vec<u64> {
        let mut backoff = Backoff::new(1000);
        let wait = |lived: &u64| backoff.next(Duration::from_secs(*lived), chance);
        lives.iter().filter_map(wait).map(|wait| u64::try_from(wait.as_millis()).unwrap()).collect()
    }

    #[test]
    fn the_first_restart_is_at_once_and_later_ones_wait_longer() {
        assert_eq!(waits(&[0; 10], 0.0), [0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000]);
    }

    #[test]
    fn a_page_that_dies_each_minute_is_soaked_nearly_all_the_time() {
        assert_eq!(waits(&[60; 5], 0.0), [0; 5]);
        assert_eq!(waits(&[2, 2, 2, 45, 2], 0.0), [0, 1000, 2000, 0, 1000]);
    }

    #[test]
    fn runs_that_lost_the_same_server_do_not_all_come_back_at_once() {
        assert_eq!(waits(&[0; 3], 1.0), [0, 1200, 2400]);
    }

    #[test]
    fn a_crash_a_day_never_spends_the_budget() {
        let mut backoff = Backoff::new(3);
        for _ in 0..100 {
            assert_eq!(backoff.next(Duration::from_secs(86_400), 1.0), Some(Duration::ZERO));
        }
    }

    #[test]
    fn a_browser_that_never_gets_up_ends_the_run() {
        let mut backoff = Backoff::new(2);
        assert!(backoff.next(Duration::from_secs(5), 1.0).is_some());
        assert!(backoff.next(Duration::from_secs(45), 1.0).is_some());
        assert!(backoff.next(Duration::from_secs(45), 1.0).is_none());
    }
}
