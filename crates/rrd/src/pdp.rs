//! The open PDP of one source: known time adds to it, unknown time is counted, the end of the step closes it.

use crate::state::SourceState;
use crate::time::secs;

/// One stretch of time that ends one or more PDPs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closing {
    /// The step.
    pub(crate) step_us: u64,
    /// How many PDPs end in it; all of them get the same value.
    pub(crate) pdps: u64,
    /// From the last update to the end of the last of these PDPs.
    pub(crate) before_us: u64,
    /// From there to the update.
    pub(crate) after_us: u64,
}

/// A sum that is not a number (infinity minus infinity) is unknown.
pub(crate) fn known(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

fn add(state: &mut SourceState, rate: f64, micros: u64) {
    state.value = known(state.value.unwrap_or(0.0) + rate * secs(micros));
}

/// A stretch inside the open PDP.
pub(crate) fn extend(state: &mut SourceState, rate: Option<f64>, interval_us: u64) {
    match rate {
        Some(rate) => add(state, rate, interval_us),
        None => state.unknown_us += interval_us,
    }
}

/// Ends the PDPs of `closing` and opens the next one; returns the value they get.
///
/// The PDP is unknown if more than half of a step was unknown before this stretch, or if the stretch is longer than the
/// heartbeat. Else it is the average of its known part.
pub(crate) fn close(state: &mut SourceState, rate: Option<f64>, heartbeat_us: u64, closing: Closing) -> Option<f64> {
    let Closing { step_us, pdps, before_us, after_us } = closing;
    let mut known_us = (pdps * step_us).saturating_sub(state.unknown_us);
    match rate {
        Some(rate) => add(state, rate, before_us),
        None => known_us = known_us.saturating_sub(before_us),
    }
    let trusted = before_us + after_us <= heartbeat_us && state.unknown_us * 2 <= step_us && known_us > 0;
    let value = state.value.filter(|_| trusted).and_then(|sum| known(sum / secs(known_us)));
    (state.value, state.unknown_us) = (None, 0);
    if after_us > 0 {
        extend(state, rate, after_us);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Reading;

    /// A 10 s step that began with `unknown_s` unknown and 3 for the rest, ended by one update that closes it.
    fn closed(unknown_s: u64, rest_s: u64, rate: Option<f64>, heartbeat_s: u64) -> (Option<f64>, SourceState) {
        let s = 1_000_000;
        let mut state = SourceState { last_reading: Reading::Unknown, value: None, unknown_us: unknown_s * s };
        extend(&mut state, Some(3.0), (10 - unknown_s - rest_s) * s);
        let closing = Closing { step_us: 10 * s, pdps: 1, before_us: rest_s * s, after_us: 2 * s };
        let value = close(&mut state, rate, heartbeat_s * s, closing);
        (value, state)
    }

    #[test]
    fn exactly_half_unknown_at_the_start_is_still_known() {
        assert_eq!(closed(5, 1, Some(3.0), 20).0, Some(3.0));
        assert_eq!(closed(6, 1, Some(3.0), 20).0, None);
    }

    #[test]
    fn unknown_time_at_the_end_is_left_out_of_the_average_and_of_the_half_rule() {
        assert_eq!(closed(0, 9, None, 20).0, Some(3.0));
    }

    #[test]
    fn a_stretch_longer_than_the_heartbeat_makes_its_pdp_unknown() {
        assert_eq!(closed(0, 6, None, 8).0, Some(3.0));
        assert_eq!(closed(0, 6, None, 7).0, None);
    }

    #[test]
    fn the_next_pdp_starts_with_what_is_left_of_the_update() {
        let next = closed(0, 4, Some(3.0), 20).1;
        assert_eq!((next.value, next.unknown_us), (Some(6.0), 0));
        let next = closed(0, 4, None, 20).1;
        assert_eq!((next.value, next.unknown_us), (None, 2_000_000));
    }

    #[test]
    fn infinities_of_both_signs_are_unknown_and_not_nan() {
        let mut state = SourceState { last_reading: Reading::Unknown, value: Some(f64::INFINITY), unknown_us: 0 };
        extend(&mut state, Some(f64::NEG_INFINITY), 1);
        assert_eq!(state.value, None);
    }
}
