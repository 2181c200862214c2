//! Times as at-style texts, ISO 8601 and unix seconds, and two of them as a span.

use heapsoak_cli::time::{Span, TimeSpec, iso_local, iso_utc, parse_time};

const NOW_US: i64 = 1_700_000_000_000_000;

/// Feeds one input to it; panics where a promise is broken.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(us) = parse_time(text, NOW_US) {
        let _ = (iso_local(us), iso_utc(us));
    }
    let (start, end) = text.split_once('|').unwrap_or((text, "now"));
    if let (Ok(start), Ok(end)) = (start.parse::<TimeSpec>(), end.parse::<TimeSpec>()) {
        let _ = (start.moves(), end.moves());
        if let Ok(span) = Span::resolve(&start, &end, NOW_US) {
            assert!(span.start_us <= span.end_us);
        }
    }
}
