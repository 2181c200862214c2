//! The parsers of what comes from outside, for the fuzzers and the kept inputs of `tests/fuzz`; the program calls none of this.

use heapsoak_rrd::Reading;

use crate::commands::{import, update};
use crate::soak::DEFAULT_ARCHIVES;

/// A line of `recorder update -`: its time in microseconds and its readings, if it is one.
pub fn update(line: &str, now_us: i64) -> Option<(i64, Vec<Reading>)> {
    let (time, values) = update::split(line).ok()?;
    let time_us = update::parse_time(time, now_us).ok()?;
    Some((time_us, values.split(':').map(Reading::from_text).collect()))
}

/// `recorder import` of rrdtool's dump, up to what would be stored.
pub fn xml(bytes: &[u8]) {
    let _ = import::dump::read(bytes).and_then(import::restore::contents);
}

/// `recorder import` of CSV, up to what would be stored.
pub fn csv(bytes: &[u8], now_us: i64) {
    let Ok(mut samples) = import::table::read(bytes, &[]) else { return };
    let Ok(step) = import::feed::usual_step(&samples) else { return };
    let zero_us = import::feed::zero_before(&samples, now_us, step);
    import::feed::anchor(&mut samples, zero_us);
    let shape = import::feed::Shape { step: Some(step), heartbeat: None, archives: Vec::new() };
    let _ = import::feed::contents(&samples, &shape, &DEFAULT_ARCHIVES);
}
