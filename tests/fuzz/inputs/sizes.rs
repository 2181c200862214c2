//! Sizes, rates and durations of the command line. What is written reads back.

use heapsoak_cli::{duration, redact, size};

/// Feeds one input to it; panics where a promise is broken.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(bytes) = size::parse_size(text) {
        let _ = size::format_size(bytes as f64);
    }
    let _ = (size::parse_rate(text), duration::parse_period(text));
    if let Ok(length) = duration::parse_duration(text) {
        // Cut below the second unit, and so never longer.
        let again = duration::parse_duration(&duration::format_duration(length));
        assert!(again.as_ref().is_ok_and(|again| *again <= length), "{length:?} is read back as {again:?}");
    }
    let hidden = redact::url(&format!("http://me:canary@{text}"));
    assert!(text.contains("canary") || !hidden.starts_with("http://me:canary@"), "{hidden}");
}
