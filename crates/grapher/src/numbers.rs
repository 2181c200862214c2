//! Times and values as rrdtool prints them, so that a script which reads it can read us.

use std::fmt;

use heapsoak_rrd::{Step, Time};

/// A value as C's `%0.10e` writes it; unknown is `nan`.
pub(crate) struct Exponent(pub(crate) Option<f64>);

impl fmt::Display for Exponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("nan"),
            Some(value) if !value.is_finite() => write!(f, "{value}"),
            Some(value) => {
                let text = format!("{value:.10e}");
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let (sign, digits_of_exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
                write!(f, "{digits}e{sign}{digits_of_exponent:0>2}")
            }
        }
    }
}

/// A time as rrdtool prints it: whole seconds, unless the store's step is a part of a second.
pub(crate) fn stamp(time: Time, step: Step) -> Time {
    if step.micros().is_multiple_of(1_000_000) { Time::from_secs(time.whole_secs()) } else { time }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_printed_as_by_c() {
        for (value, text) in [
            (Some(3.0), "3.0000000000e+00"),
            (Some(1_000_000.5), "1.0000005000e+06"),
            (Some(-1e300), "-1.0000000000e+300"),
            (Some(2.5e-7), "2.5000000000e-07"),
            (Some(0.0), "0.0000000000e+00"),
            (Some(f64::NEG_INFINITY), "-inf"),
            (None, "nan"),
        ] {
            assert_eq!(Exponent(value).to_string(), text);
        }
    }

    #[test]
    fn a_fraction_is_printed_only_where_steps_are_parts_of_a_second() {
        let time = Time::from_micros(1_700_000_000_400_000);
        assert_eq!(stamp(time, Step::new(1_000_000).unwrap()).to_string(), "1700000000");
        assert_eq!(stamp(time, Step::new(50_000).unwrap()).to_string(), "1700000000.4");
    }
}
