//! Which events of a run stand in the picture, and as what.

use heapsoak_chart::{Mark, MarkKind};
use heapsoak_cli::redact;
use heapsoak_rrd::Time;
use heapsoak_store::Event;

use crate::notice::clock_time;

/// Longest label, in characters: the rest of a detail is for `info` and the live page.
const LABEL: usize = 80;

/// The marks of `events`, in their order. A session says nothing that the start or restart beside it does not.
pub(crate) fn of_events(events: &[Event]) -> Vec<Mark> {
    events.iter().filter(|event| event.kind != "session").map(mark).collect()
}

fn mark(event: &Event) -> Mark {
    let label = label(&event.kind, &redact::url(&event.detail), event.time);
    Mark { time: event.time.as_secs_f64(), kind: kind(&event.kind), label: label.chars().take(LABEL).collect() }
}

/// `navigation: http://…`. A detail that begins with the kind is a sentence of its own; that of a death for want of
/// memory tells its time, because it is what people quote.
fn label(kind: &str, detail: &str, time: Time) -> String {
    let words = kind.replace('_', " ");
    let sentence = detail.strip_prefix(words.as_str());
    if self::kind(kind) == MarkKind::OutOfMemory {
        let at = clock_time(time.as_micros(), time.as_micros());
        return match sentence {
            Some(rest) => format!("{words} {at}{rest}"),
            None if detail.is_empty() => format!("{words} {at}"),
            None => format!("{words} {at}, {detail}"),
        };
    }
    match sentence {
        Some(_) => detail.to_owned(),
        None if detail.is_empty() => words,
        None => format!("{words}: {detail}"),
    }
}

/// The kinds that a recorder writes, by their meaning; one that is not known here is still shown.
pub(crate) fn kind(kind: &str) -> MarkKind {
    let has = |part: &str| kind.contains(part);
    match kind {
        "start" => MarkKind::Start,
        "end" => MarkKind::End,
        "exit" => MarkKind::Exit,
        "signal" => MarkKind::Signal,
        "gap" => MarkKind::Gap,
        "gc" | "collection" => MarkKind::Collection,
        _ if has("oom") || has("out_of_memory") => MarkKind::OutOfMemory,
        _ if has("thrashing") => MarkKind::Thrashing,
        _ if has("unresponsive") => MarkKind::Unresponsive,
        _ if has("crash") || has("gone") => MarkKind::Crash,
        _ if has("restart") => MarkKind::Restart,
        _ if has("navigation") => MarkKind::Navigation,
        _ if has("snapshot") => MarkKind::Snapshot,
        _ => MarkKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use heapsoak_store::RunId;

    use super::*;

    #[test]
    fn deaths_are_told_apart_and_unknown_kinds_still_shown() {
        for (text, expected) in [
            ("renderer_crash", MarkKind::Crash),
            ("browser_gone", MarkKind::Crash),
            ("oom", MarkKind::OutOfMemory),
            ("out_of_memory", MarkKind::OutOfMemory),
            ("driver_crash", MarkKind::Crash),
            ("browser_crash", MarkKind::Crash),
            ("signal", MarkKind::Signal),
            ("exit", MarkKind::Exit),
            ("thrashing", MarkKind::Thrashing),
            ("unresponsive", MarkKind::Unresponsive),
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

    #[test]
    fn a_death_for_want_of_memory_says_when_and_how_much() {
        let time = Time::from_secs(1_700_000_000);
        let at = clock_time(time.as_micros(), time.as_micros());
        let said = |detail: &str| label("out_of_memory", detail, time);
        assert_eq!(said("out of memory, 59.8 of 60 MiB"), format!("out of memory {at}, 59.8 of 60 MiB"));
        assert_eq!(said("59.8 of 60 MiB"), format!("out of memory {at}, 59.8 of 60 MiB"));
        assert_eq!(said(""), format!("out of memory {at}"));
        assert_eq!(label("signal", "signal 9 (SIGKILL)", time), "signal 9 (SIGKILL)");
        assert_eq!(label("renderer_crash", "tab crashed", time), "renderer crash: tab crashed");
    }
}
