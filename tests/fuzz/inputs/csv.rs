//! `recorder import` of CSV.

/// Feeds one input to it; panics where a promise is broken.
pub fn run(bytes: &[u8]) {
    recorder::fuzzing::csv(bytes, 1_700_000_000_000_000);
}
