//! The newest events of a store, as the page lists them.

use heapsoak_chart::Zone;
use heapsoak_cli::redact;
use heapsoak_rrd::Time;
use heapsoak_store::{Event, Reader, StoreError};
use serde_json::{Value, json};

use crate::marks;

/// As many as somebody looks through.
const MOST_SHOWN: usize = 200;
/// How far back is looked, until there are enough: a store may hold a hundred thousand.
const LOOK_BACK_S: [i64; 3] = [3_600, 86_400, 30 * 86_400];

/// The newest events, newest first, with the number of all that are kept.
pub(super) fn json(reader: &Reader) -> anyhow::Result<Value> {
    let info = reader.info()?;
    let newest = newest(reader, info.last)?;
    Ok(json!({ "kept": info.events, "events": newest.iter().rev().map(event_json).collect::<Value>() }))
}

/// Collections happen every few seconds and are in the picture: a list of them would hide all others.
fn listed(event: &Event) -> bool {
    !matches!(event.kind.as_str(), "gc" | "collection")
}

fn newest(reader: &Reader, last: Time) -> Result<Vec<Event>, StoreError> {
    let end = Time::from_micros(i64::MAX);
    for seconds in LOOK_BACK_S {
        let start = Time::from_micros(last.as_micros().saturating_sub(seconds.saturating_mul(1_000_000)));
        let found: Vec<Event> = reader.events(start, end)?.into_iter().filter(listed).collect();
        if found.len() >= MOST_SHOWN {
            return Ok(tail(found));
        }
    }
    let all = reader.events(Time::from_micros(i64::MIN), end)?;
    Ok(tail(all.into_iter().filter(listed).collect()))
}

fn tail(mut events: Vec<Event>) -> Vec<Event> {
    events.drain(..events.len().saturating_sub(MOST_SHOWN));
    events
}

fn event_json(event: &Event) -> Value {
    let time = event.time.as_secs_f64();
    json!({
        "id": event.id,
        "run": event.run.0,
        "time": time,
        "clock": Zone::Local.format(time, "%a %-d %b %H:%M:%S"),
        "glyph": marks::kind(&event.kind).glyph(),
        "kind": event.kind.replace('_', " "),
        "detail": redact::url(&event.detail),
    })
}
