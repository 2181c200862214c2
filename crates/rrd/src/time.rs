//! An instant as whole microseconds, and where it lies on a grid of equal intervals.
//!
//! There is no clock here: times are handed in.

use std::fmt;

use serde::{Deserialize, Serialize};

const MICROS_PER_SEC: u64 = 1_000_000;

/// An instant: microseconds since the unix epoch, negative before 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(i64);

impl Time {
    /// The instant `micros` microseconds after the unix epoch.
    pub const fn from_micros(micros: i64) -> Time {
        Time(micros)
    }

    /// The instant `secs` seconds after the unix epoch; what an `i64` of microseconds cannot hold (292 000 years) stays at its end.
    pub const fn from_secs(secs: i64) -> Time {
        Time(secs.saturating_mul(MICROS_PER_SEC.cast_signed()))
    }

    /// Microseconds since the unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Seconds since the unix epoch, for display and statistics: a double holds microseconds until the year 2255 only.
    #[expect(clippy::cast_precision_loss, reason = "documented")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / MICROS_PER_SEC as f64
    }

    /// Whole seconds since the unix epoch, rounded down (also before 1970).
    pub const fn whole_secs(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SEC.cast_signed())
    }

    /// Microseconds from the last multiple of `width_us` to here. `width_us` is at most [`crate::MAX_SPAN_US`].
    pub(crate) const fn past(self, width_us: u64) -> u64 {
        self.0.rem_euclid(width_us.cast_signed()).cast_unsigned()
    }

    /// The number of the interval of `width_us` that lies behind or around this instant, counted from the epoch.
    pub(crate) const fn index(self, width_us: u64) -> i64 {
        self.0.div_euclid(width_us.cast_signed())
    }
}

impl fmt::Display for Time {
    /// Unix seconds in decimals, exact: `1234567890.5`, `-0.25`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let text = seconds(self.0.unsigned_abs());
        write!(f, "{sign}{text}")
    }
}

/// A duration as decimal seconds without trailing zeros: `0.05`, `300`.
pub(crate) fn seconds(micros: u64) -> String {
    let (whole, part) = (micros / MICROS_PER_SEC, micros % MICROS_PER_SEC);
    if part == 0 { whole.to_string() } else { format!("{whole}.{part:06}").trim_end_matches('0').to_owned() }
}

/// Microseconds as seconds for the arithmetic of rates.
#[expect(
    clippy::cast_precision_loss,
    reason = "an interval over 285 years is exact to 1e-16 of itself only, as is any double"
)]
pub(crate) fn secs(micros: u64) -> f64 {
    micros as f64 / MICROS_PER_SEC as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_round_down_and_not_towards_zero() {
        let time = Time::from_micros(-250_000);
        assert_eq!(time.whole_secs(), -1);
        assert_eq!(time.past(1_000_000), 750_000);
        assert_eq!(time.index(1_000_000), -1);
        assert_eq!(time.to_string(), "-0.25");
    }

    #[test]
    fn a_time_prints_its_microseconds_exactly_and_nothing_more() {
        assert_eq!(Time::from_micros(1_234_567_893_401_999).to_string(), "1234567893.401999");
        assert_eq!(Time::from_secs(1_234_567_890).to_string(), "1234567890");
        assert_eq!(Time::from_micros(i64::MIN).to_string(), "-9223372036854.775808");
    }

    #[test]
    fn seconds_beyond_the_range_stay_at_its_end() {
        assert_eq!(Time::from_secs(i64::MAX), Time::from_micros(i64::MAX));
        assert_eq!(Time::from_secs(i64::MIN), Time::from_micros(i64::MIN));
    }
}
