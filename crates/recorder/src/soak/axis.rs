//! The time axis of a run: samples and events are stamped on it alike.
//!
//! It is the wall clock at the start plus what the monotonic clock counted since, so it never goes back and never
//! jumps by itself. The ticker moves it forward when the wall clock was set forward.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use heapsoak_cli::clock::Anchor;
use heapsoak_rrd::Time;

/// Clones share the axis.
#[derive(Debug, Clone)]
pub(crate) struct Axis(Arc<Mutex<Anchor>>);

impl Axis {
    /// An axis that begins at `anchor`.
    pub(crate) fn new(anchor: Anchor) -> Self {
        Self(Arc::new(Mutex::new(anchor)))
    }

    /// Now, on this axis.
    pub(crate) fn now(&self) -> Time {
        Time::from_micros(self.anchor().now_us())
    }

    /// When the axis comes to `time_us`.
    pub(crate) fn instant_of(&self, time_us: i64) -> Instant {
        let anchor = *self.anchor();
        anchor.instant() + Duration::from_micros(u64::try_from(time_us - anchor.wall_us()).unwrap_or(0))
    }

    /// How far the wall clock was set away from the axis, in microseconds.
    pub(crate) fn wall_ahead_us(&self) -> i64 {
        self.anchor().wall_ahead_us()
    }

    /// How long the machine has slept since the axis began, in microseconds.
    pub(crate) fn slept_us(&self) -> i64 {
        self.anchor().slept_us()
    }

    /// Goes on from `time` if the wall clock is not there yet.
    pub(crate) fn not_before(&self, time: Time) {
        let mut anchor = self.anchor();
        *anchor = anchor.not_before(time.as_micros());
    }

    /// Begins anew at the wall clock. Only for a clock that was set forward: an axis never goes back.
    pub(crate) fn follow_wall(&self) {
        *self.anchor() = Anchor::now();
    }

    fn anchor(&self) -> MutexGuard<'_, Anchor> {
        // An anchor is replaced whole: a panic elsewhere cannot have left half of one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
