//! The one door to the time of day and to elapsed time.
//!
//! Rules take `now` as an argument; only the outermost layer asks here.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Local, Utc};
use nix::time::{ClockId, clock_gettime};

/// The time of day, in microseconds since the unix epoch.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn now_us() -> i64 {
    let us = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_micros()),
        Err(before) => i64::try_from(before.duration().as_micros()).map(|us| -us),
    };
    us.unwrap_or(i64::MAX)
}

/// The local time zone's offset at `time_us`, as `UTC+01:00`.
#[must_use]
pub fn zone_at(time_us: i64) -> String {
    let time = DateTime::<Utc>::from_timestamp_micros(time_us).unwrap_or_default();
    format!("UTC{}", time.with_timezone(&Local).format("%:z"))
}

/// Both clocks read at one instant, so that later times are that time of day plus what the monotonic clock counted.
///
/// A step of the wall clock moves [`Anchor::wall_ahead_us`] and nothing else.
#[derive(Debug, Clone, Copy)]
pub struct Anchor {
    wall_us: i64,
    monotonic: Instant,
    /// What counts on while the machine sleeps, which the monotonic clock does not.
    since_boot: Duration,
}

impl Anchor {
    /// Reads both clocks.
    #[must_use]
    pub fn now() -> Self {
        Self { wall_us: now_us(), monotonic: Instant::now(), since_boot: since_boot() }
    }

    /// The same instant under a later time of day: for a wall clock that was set back before.
    #[must_use]
    pub fn not_before(self, wall_us: i64) -> Self {
        Self { wall_us: self.wall_us.max(wall_us), ..self }
    }

    /// When it was taken, in microseconds since the unix epoch.
    #[must_use]
    pub fn wall_us(&self) -> i64 {
        self.wall_us
    }

    /// The monotonic instant at which it was taken.
    #[must_use]
    pub fn instant(&self) -> Instant {
        self.monotonic
    }

    /// The anchored time of `instant`, in microseconds since the unix epoch; never goes back.
    #[must_use]
    pub fn at_us(&self, instant: Instant) -> i64 {
        let since = instant.saturating_duration_since(self.monotonic);
        self.wall_us.saturating_add(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// The anchored time now, in microseconds since the unix epoch.
    #[must_use]
    pub fn now_us(&self) -> i64 {
        self.at_us(Instant::now())
    }

    /// How far the time of day has left the anchored time: positive when the wall clock was set forward.
    #[must_use]
    pub fn wall_ahead_us(&self) -> i64 {
        now_us().saturating_sub(self.now_us())
    }

    /// How long the machine has slept since, in microseconds.
    #[must_use]
    pub fn slept_us(&self) -> i64 {
        let slept = since_boot().saturating_sub(self.since_boot).saturating_sub(self.monotonic.elapsed());
        i64::try_from(slept.as_micros()).unwrap_or(i64::MAX)
    }
}

fn since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchored_time_counts_with_the_monotonic_clock_only() {
        let anchor = Anchor { wall_us: 1_000_000, ..Anchor::now() };
        assert_eq!(anchor.at_us(anchor.instant() + Duration::from_millis(1500)), 2_500_000);
        assert!(anchor.wall_ahead_us() > 0, "the wall clock is far ahead of 1970");
    }

    #[test]
    fn an_instant_before_the_anchor_saturates_to_it() {
        let earlier = Instant::now();
        let anchor = Anchor { wall_us: 5, monotonic: earlier + Duration::from_secs(1), ..Anchor::now() };
        assert_eq!(anchor.at_us(earlier), 5);
    }
}
