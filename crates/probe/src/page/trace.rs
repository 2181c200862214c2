//! What a browser's trace says, read without asking anybody: collections, main threads, frames.

use serde_json::Value;

use crate::node::GcKind;

/// The main thread of a renderer is called so in every Chromium; workers of the page have other names and own heaps.
const MAIN_THREAD: &str = "CrRendererMain";

/// A garbage collection, as traced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Traced {
    thread: Thread,
    pub(super) kind: GcKind,
    /// When it ended, in µs of the monotonic clock.
    pub(super) end_us: i64,
    pub(super) pause_ms: f64,
    pub(super) before: Option<f64>,
    pub(super) after: Option<f64>,
}

/// Process and thread id, as the browser numbers them.
type Thread = (i64, i64);

/// What is of use in a trace.
#[derive(Debug, Default)]
pub(super) struct Trace {
    collections: Vec<Traced>,
    mains: Vec<Thread>,
    /// Frames of the page and their processes.
    frames: Vec<(String, i64)>,
}

impl Trace {
    /// Takes in some events. What is not understood is left out.
    pub(super) fn take(&mut self, events: &[Value]) {
        events.iter().for_each(|event| self.event(event));
    }

    /// The processes with a main thread in this trace, sorted.
    pub(super) fn processes(&self) -> Vec<i64> {
        let mut all: Vec<i64> = self.mains.iter().map(|(pid, _)| *pid).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The process of a frame, where the trace names it.
    pub(super) fn process_of(&self, frame: &str) -> Option<i64> {
        self.frames.iter().find(|(id, _)| id == frame).map(|(_, pid)| *pid)
    }

    /// The collections of the main thread of `process`, in the order of their ends.
    pub(super) fn collections_of(&self, process: i64) -> Vec<Traced> {
        let of_main = |traced: &&Traced| traced.thread.0 == process && self.mains.contains(&traced.thread);
        let mut found: Vec<Traced> = self.collections.iter().filter(of_main).copied().collect();
        found.sort_by_key(|traced| traced.end_us);
        found
    }

    fn event(&mut self, event: &Value) {
        match event["name"].as_str() {
            Some("MinorGC") => self.collections.extend(collection(event, GcKind::Minor)),
            Some("MajorGC") => self.collections.extend(collection(event, GcKind::Major)),
            Some("thread_name") if event.pointer("/args/name").is_some_and(|name| name == MAIN_THREAD) => {
                self.mains.extend(thread(event));
            }
            Some("TracingStartedInBrowser") => {
                let frames = event.pointer("/args/data/frames").and_then(Value::as_array);
                self.frames.extend(
                    frames
                        .into_iter()
                        .flatten()
                        .filter_map(|frame| Some((frame["frame"].as_str()?.to_owned(), frame["processId"].as_i64()?))),
                );
            }
            _ => {}
        }
    }
}

fn thread(event: &Value) -> Option<Thread> {
    Some((event["pid"].as_i64()?, event["tid"].as_i64()?))
}

fn collection(event: &Value, kind: GcKind) -> Option<Traced> {
    let size = |name| event["args"][name].as_f64().filter(|size| *size >= 0.0);
    // Without a duration it is one that had not ended with the trace.
    let duration_us = event["dur"].as_u64()?;
    #[expect(clippy::cast_precision_loss, reason = "a pause is far below 2^53 µs")]
    let pause_ms = duration_us as f64 / 1e3;
    Some(Traced {
        thread: thread(event)?,
        kind,
        end_us: event["ts"].as_i64()?.checked_add_unsigned(duration_us)?,
        pause_ms,
        before: size("usedHeapSizeBefore"),
        after: size("usedHeapSizeAfter"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn gc(name: &str, pid: i64, tid: i64, ts: i64) -> Value {
        json!({"name": name, "ph": "X", "cat": "devtools.timeline,v8", "pid": pid, "tid": tid, "ts": ts, "dur": 1911,
            "args": {"type": "allocation failure", "usedHeapSizeBefore": 7_417_756, "usedHeapSizeAfter": 3_396_972}})
    }

    fn main_of(pid: i64) -> Value {
        json!({"name": "thread_name", "cat": "__metadata", "ph": "M", "pid": pid, "tid": pid, "args": {"name": MAIN_THREAD}})
    }

    #[test]
    fn a_worker_or_a_frame_of_another_site_is_not_taken_for_the_page() {
        let mut trace = Trace::default();
        trace.take(&[gc("MinorGC", 7, 7, 900), gc("MajorGC", 7, 7, 100), gc("MinorGC", 7, 8, 100)]);
        trace.take(&[gc("MinorGC", 9, 9, 100), main_of(9), main_of(7), main_of(7)]);
        assert_eq!(trace.processes(), [7, 9]);
        let page = trace.collections_of(7);
        let seen: Vec<_> = page.iter().map(|gc| (gc.kind, gc.end_us, gc.pause_ms)).collect();
        assert_eq!(seen, [(GcKind::Major, 2011, 1.911), (GcKind::Minor, 2811, 1.911)]);
        assert_eq!((page[0].before, page[0].after), (Some(7_417_756.0), Some(3_396_972.0)));
    }

    #[test]
    fn the_process_of_the_page_is_that_of_its_own_frame() {
        let mut trace = Trace::default();
        let frames = json!([{"frame": "AA", "processId": 9}, {"frame": "BB", "processId": 7}, {"frame": "CC"}]);
        trace.take(&[json!({"name": "TracingStartedInBrowser", "args": {"data": {"frames": frames}}})]);
        assert_eq!((trace.process_of("BB"), trace.process_of("CC")), (Some(7), None));
    }

    #[test]
    fn what_is_no_collection_is_left_out_and_never_0() {
        let mut trace = Trace::default();
        let mut endless = gc("MajorGC", 7, 7, 100);
        endless["dur"] = Value::Null;
        let mut sizeless = gc("MajorGC", 7, 7, i64::MAX - 5000);
        sizeless["args"] = json!({"usedHeapSizeAfter": -1});
        trace.take(&[main_of(7), endless, sizeless, gc("MajorGC", 7, 7, i64::MAX), json!(null), json!({"name": 1})]);
        let seen: Vec<_> = trace.collections_of(7).iter().map(|gc| (gc.before, gc.after)).collect();
        assert_eq!(seen, [(None, None)]);
    }
}
