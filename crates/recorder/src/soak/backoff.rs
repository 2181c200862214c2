//! How long to wait before the browser is started once more, and when to give up.

use std::time::Duration;

/// A session that lasted this long was healthy: the budget begins anew.
const HEALTHY: Duration = Duration::from_secs(600);
/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(60);

/// Counts restarts in a row.
#[derive(Debug)]
pub(crate) struct Backoff {
    in_a_row: u32,
    budget: u32,
}

impl Backoff {
    /// At most `budget` restarts in a row without a healthy session between them.
    pub(crate) fn new(budget: u32) -> Self {
        Self { in_a_row: 0, budget }
    }

    /// The wait before the next restart, after a session that lasted `lived`: none, 1 s, 2 s, 4 s … 60 s.
    /// `None` when the budget is spent.
    pub(crate) fn next(&mut self, lived: Duration) -> Option<Duration> {
        if lived >= HEALTHY {
            self.in_a_row = 0;
        }
        if self.in_a_row >= self.budget {
            return None;
        }
        self.in_a_row += 1;
        let wait = match self.in_a_row {
            1 => Duration::ZERO,
            n => Duration::from_secs(1) * 2_u32.saturating_pow(n - 2),
        };
        Some(wait.min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_restart_is_at_once_and_later_ones_wait_longer() {
        let mut backoff = Backoff::new(10);
        let waits: Vec<_> = (0..10).filter_map(|_| backoff.next(Duration::ZERO)).map(|wait| wait.as_secs()).collect();
        assert_eq!(waits, [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(backoff.next(Duration::ZERO), None);
    }

    #[test]
    fn a_crash_a_day_never_spends_the_budget() {
        let mut backoff = Backoff::new(3);
        for _ in 0..100 {
            assert_eq!(backoff.next(Duration::from_secs(86_400)), Some(Duration::ZERO));
        }
    }

    #[test]
    fn a_browser_that_never_gets_up_ends_the_run() {
        let mut backoff = Backoff::new(2);
        assert!(backoff.next(Duration::from_secs(5)).is_some());
        assert!(backoff.next(Duration::from_secs(5)).is_some());
        assert!(backoff.next(Duration::from_secs(5)).is_none());
    }
}
