//! rrdtool's expressions, worked out, and the formats of PRINT.

/// Feeds one input to it; panics where a promise is broken.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    grapher::fuzzing::rpn(text);
}
