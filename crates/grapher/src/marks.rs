//! Which events of a run stand in the picture, and as what.

use heapsoak_chart::{Mark, MarkKind};
use heapsoak_cli::redact;
use heapsoak_store::Event;

/// Longest label, in characters: the rest of a detail is for `info` and the live page.
const LABEL: usize = 80;

/// The marks of `events`, in their order. A session says nothing that the start or restart beside it does not.
pub(crate) fn of_events(events: &[Event]) -> Vec<Mark> {
    events.iter().filter(|event| event.kind != "session").map(mark).collect()
}

fn mark(event: &Event) -> Mark {
    let words = event.kind.replace('_', " ");
    let label = if event.detail.is_empty() { words } else { format!("{words}: {}", redact::url(&event.detail)) };
    Mark { time: event.time.as_secs_f64(), kind: kind(&event.kind), label: label.chars().take(LABEL).collect() }
}

/// The kinds that a recorder writes, by their meaning; one that is not known here is still shown.
fn kind(kind: &str) -> MarkKind {
    let has = |part: &str| kind.contains(part);
    match kind {
        "start" => MarkKind::Start,
        "end" => MarkKind::End,
        "gap" => MarkKind::Gap,
        "gc" | "collection" => MarkKind::Collection,
        _ if has("oom") || has("out_of_memory") => MarkKind::OutOfMemory,
        _ if has("crash") || has("gone") || has("exit") => MarkKind::Crash,
        _ if has("restart") => MarkKind::Restart,
        _ if has("navigation") => MarkKind::Navigation,
        _ if has("snapshot") => MarkKind::Snapshot,
        _ => MarkKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use heapsoak_rrd::Time;
    use heapsoak_store::RunId;

    use super::*;

    #[test]
    fn deaths_are_told_apart_and_unknown_kinds_still_shown() {
        for (text, expected) in [
            ("renderer_crash", MarkKind::Crash),
            ("browser_gone", MarkKind::Crash),
            ("oom", MarkKind::OutOfMemory),
            ("restart", MarkKind::Restart),
            ("navigation", MarkKind::Navigation),
            ("gap", MarkKind::Gap),
            ("something_new", MarkKind::Other),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }

    #[test]
    fn a_label_holds_no_password_and_has_an_end() {
        let detail = format!("http://me:secret@host/{}", "x".repeat(500));
        let event = Event { id: 1, run: RunId(1), time: Time::from_secs(5), kind: "navigation".into(), detail };
        let label = mark(&event).label;
        assert!(label.starts_with("navigation: http://me:***@host/x"), "{label}");
        assert_eq!(label.chars().count(), LABEL);
    }
}
