//! `recorder import` of rrdtool's dump.

/// Feeds one input to it; panics where a promise is broken.
pub fn run(bytes: &[u8]) {
    recorder::fuzzing::xml(bytes);
}
