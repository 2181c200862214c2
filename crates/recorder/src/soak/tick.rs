//! When to sample: on the step, from the monotonic clock; missed ticks are skipped, never replayed.
//!
//! A tick's time is the anchored wall time, a whole multiple of the step, so that rows are whole too. A step of the wall
//! clock does not move the ticks: forward, the ticks follow it at once and leave a gap; backward, they go on from where
//! they were, for a slot that is written stays as it was.

use std::time::Duration;

use super::axis::Axis;

/// One tick that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tick {
    /// Its nominal time, a multiple of the step, in microseconds since the unix epoch.
    pub(crate) time_us: i64,
    /// How late we noticed it.
    pub(crate) lag: Duration,
    /// Ticks between the one before and this one that nobody saw.
    pub(crate) missed: u64,
    /// What the clocks have done since the tick before.
    pub(crate) clock: Clock,
}

/// What became of the clocks between two ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// They went on together.
    Even,
    /// The wall clock was set, by so many microseconds.
    Set(i64),
    /// The machine slept, for so many microseconds.
    Slept(i64),
}

/// A wall clock that leaves the monotonic one by more than this was set.
const CLOCK_STEP_US: i64 = 1_500_000;

/// Counts ticks for one run.
#[derive(Debug)]
pub(crate) struct Ticker {
    axis: Axis,
    step_us: i64,
    last_us: i64,
    told_behind_us: i64,
}

impl Ticker {
    /// Ticks at multiples of `step`, the first after now.
    pub(crate) fn new(axis: Axis, step_us: u64) -> Self {
        let step_us = i64::try_from(step_us).unwrap_or(i64::MAX).max(1);
        let last_us = axis.now().as_micros().div_euclid(step_us) * step_us;
        Self { axis, step_us, last_us, told_behind_us: 0 }
    }

    /// Waits for the next tick. Cancel safe: a tick that was not returned comes again.
    pub(crate) async fn next(&mut self) -> Tick {
        tokio::time::sleep_until(self.axis.instant_of(self.last_us + self.step_us).into()).await;
        self.arrive(self.axis.now().as_micros(), self.axis.wall_ahead_us(), self.axis.slept_us())
    }

    /// A tick now, off the step, to end a run with; none when the last one has only just been.
    pub(crate) fn last(&mut self) -> Option<Tick> {
        let time_us = self.axis.now().as_micros();
        (time_us > self.last_us).then(|| {
            self.last_us = time_us;
            Tick { time_us, lag: Duration::ZERO, missed: 0, clock: Clock::Even }
        })
    }

    fn arrive(&mut self, mut now_us: i64, wall_ahead_us: i64, slept_us: i64) -> Tick {
        let mut clock = Clock::Even;
        if wall_ahead_us > CLOCK_STEP_US {
            let set_us = wall_ahead_us - slept_us;
            clock = if set_us.abs() > CLOCK_STEP_US { Clock::Set(set_us) } else { Clock::Slept(slept_us) };
            self.axis.follow_wall();
            self.told_behind_us = 0;
            now_us += wall_ahead_us;
        } else if (wall_ahead_us - self.told_behind_us).abs() > CLOCK_STEP_US {
            clock = Clock::Set(wall_ahead_us - self.told_behind_us);
            self.told_behind_us = wall_ahead_us;
        }
        let time_us = (now_us.div_euclid(self.step_us) * self.step_us).max(self.last_us + self.step_us);
        let missed = u64::try_from((time_us - self.last_us) / self.step_us - 1).unwrap_or(0);
        self.last_us = time_us;
        let lag = Duration::from_micros(u64::try_from(now_us - time_us).unwrap_or(0));
        Tick { time_us, lag, missed, clock }
    }
}

#[cfg(test)]
mod tests {
    use heapsoak_cli::clock::Anchor;

    use super::*;

    fn ticker(step_us: u64) -> Ticker {
        Ticker::new(Axis::new(Anchor::now()), step_us)
    }

    #[test]
    fn ticks_fall_on_multiples_of_the_step() {
        let mut ticker = ticker(50_000);
        let last = ticker.last_us;
        assert_eq!(last % 50_000, 0);
        assert_eq!(ticker.arrive(last + 50_700, 0, 0).time_us, last + 50_000);
        assert_eq!(ticker.arrive(last + 149_999, 0, 0).time_us, last + 100_000);
    }

    #[test]
    fn an_early_wake_up_does_not_repeat_a_tick() {
        let mut ticker = ticker(1_000_000);
        let last = ticker.last_us;
        assert_eq!(ticker.arrive(last + 1_000_000, 0, 0).time_us, last + 1_000_000);
        assert_eq!(ticker.arrive(last + 1_999_999, 0, 0).time_us, last + 2_000_000);
    }

    #[test]
    fn a_stall_is_one_gap_and_no_burst() {
        let mut ticker = ticker(1_000_000);
        let last = ticker.last_us;
        let tick = ticker.arrive(last + 5_200_000, 0, 0);
        assert_eq!((tick.time_us - last, tick.missed), (5_000_000, 4));
        assert_eq!(tick.lag, Duration::from_millis(200));
        let next = ticker.arrive(last + 6_001_000, 0, 0);
        assert_eq!((next.time_us - last, next.missed), (6_000_000, 0));
    }

    #[test]
    fn a_clock_set_back_overwrites_nothing_and_is_told_once() {
        let mut ticker = ticker(1_000_000);
        let last = ticker.last_us;
        let tick = ticker.arrive(last + 1_000_100, -3_600_000_000, 0);
        assert_eq!((tick.time_us - last, tick.clock), (1_000_000, Clock::Set(-3_600_000_000)));
        assert_eq!(ticker.arrive(last + 2_000_100, -3_600_000_000, 0).clock, Clock::Even);
    }

    #[test]
    fn a_clock_set_forward_leaves_one_gap() {
        let mut ticker = ticker(1_000_000);
        let last = ticker.last_us;
        let tick = ticker.arrive(last + 1_000_100, 3_600_000_000, 0);
        assert_eq!((tick.time_us - last, tick.missed), (3_601_000_000, 3600));
        assert_eq!(tick.clock, Clock::Set(3_600_000_000));
    }

    #[test]
    fn a_machine_that_slept_leaves_one_gap_and_nobody_is_blamed_for_the_clock() {
        let mut ticker = ticker(1_000_000);
        let last = ticker.last_us;
        let tick = ticker.arrive(last + 1_000_100, 600_000_000, 599_700_000);
        assert_eq!((tick.time_us - last, tick.missed), (601_000_000, 600));
        assert_eq!(tick.clock, Clock::Slept(599_700_000));
    }
}
