//! The lives of a target in one file: where one ends and the next begins, and where one died of out-of-memory.

use heapsoak_store::{Event, Run};

use super::limits;
use super::names::{Known, Role};

/// Events of the browser loop after which the page is another one.
const NEW_PAGE: [&str; 7] =
    ["navigation", "session", "restart", "renderer_crash", "browser_crash", "driver_crash", "window_closed"];
/// Events of a program that is another one from then on.
const NEW_PROGRAM: [&str; 2] = ["appeared", "replaced"];

/// The lives of one target; unix seconds, ascending.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Lives {
    /// Where a run began.
    pub(crate) runs: Vec<f64>,
    /// Where a new life begins, also by a new run.
    pub(crate) cuts: Vec<f64>,
    /// Where one ended by out-of-memory.
    pub(crate) deaths: Vec<f64>,
    /// The size at which its heap gives up, where that is told beside the samples.
    pub(crate) limit: Option<f64>,
}

/// The lives of the target `label` among all sources of the store.
pub(crate) fn of(label: &str, all: &[Known], runs: &[Run], events: &[Event]) -> Lives {
    let target = Target { label, all };
    let began: Vec<f64> = runs.iter().map(|run| run.begun.started.as_secs_f64()).collect();
    let mut lives = Lives { cuts: began.clone(), runs: began, deaths: Vec::new(), limit: None };
    for event in events {
        let time = event.time.as_secs_f64();
        let kind = event.kind.as_str();
        if NEW_PAGE.contains(&kind) && target.may_be_page() || NEW_PROGRAM.contains(&kind) && target.may_be_meant(event)
        {
            lives.cuts.push(time);
        }
        if is_out_of_memory(kind) && target.is_meant(event) {
            lives.deaths.push(time);
        }
    }
    // What one program of several was given, or died of, is not said of the others.
    let is_alone = all.iter().filter(|known| known.role == Role::Heap).count() == 1;
    lives.limit = limits::told(runs, events).filter(|_| is_alone);
    lives.cuts.sort_by(f64::total_cmp);
    lives
}

/// V8 gave up at its limit. That the kernel killed a process for want of memory proves nothing of its heap.
pub(super) fn is_out_of_memory(kind: &str) -> bool {
    !kind.contains("kernel") && (kind.contains("oom") || kind.contains("out_of_memory"))
}

struct Target<'a> {
    label: &'a str,
    all: &'a [Known],
}

impl Target<'_> {
    /// It is a page, or nobody is known to be one.
    fn may_be_page(&self) -> bool {
        let pages = || self.all.iter().filter(|known| known.is_of_page());
        pages().next().is_none() || pages().any(|known| known.label == self.label)
    }

    /// The label that an event's detail begins with.
    fn named<'e>(&self, event: &'e Event) -> Option<&'e str> {
        let (label, _) = event.detail.split_once(": ")?;
        self.all.iter().any(|known| known.label == label && !label.is_empty()).then_some(label)
    }

    /// A cut too many costs data, one too few makes one line of two lives: in doubt it is meant.
    fn may_be_meant(&self, event: &Event) -> bool {
        self.named(event).is_none_or(|label| label == self.label)
    }

    /// A death makes a leak of a rise: in doubt it is not meant.
    fn is_meant(&self, event: &Event) -> bool {
        match self.named(event) {
            Some(label) => label == self.label,
            None => {
                self.label.is_empty()
                    || self.all.iter().all(|known| known.label.is_empty() || known.label == self.label)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use heapsoak_rrd::{Source, Time};
    use heapsoak_store::RunId;

    use super::*;

    fn lives(label: &str, names: &[&str], events: &[(i64, &str, &str)]) -> Lives {
        let source = |name: &&str| format!("DS:{name}:GAUGE:2:U:U").parse::<Source>().unwrap();
        let all: Vec<Known> = names.iter().map(|name| Known::of(&source(name).into())).collect();
        let event = |(time, kind, detail): &(i64, &str, &str)| Event {
            id: 1,
            run: RunId(1),
            time: Time::from_secs(*time),
            kind: (*kind).to_owned(),
            detail: (*detail).to_owned(),
        };
        of(label, &all, &[], &events.iter().map(event).collect::<Vec<_>>())
    }

    #[test]
    fn a_navigation_of_the_page_does_not_cut_the_line_of_a_program_beside_it() {
        let names = ["heap_used", "dom_nodes", "api_heap_used"];
        let events = [(5, "navigation", "http://a/"), (7, "appeared", "api: Node v20"), (9, "gap", "3 ticks")];
        assert_eq!(lives("", &names, &events).cuts, [5.0]);
        assert_eq!(lives("api", &names, &events).cuts, [7.0]);
    }

    #[test]
    fn a_death_is_of_the_target_that_it_names_and_in_doubt_of_none() {
        let names = ["api_heap_used", "web_heap_used"];
        let named = [(5, "out_of_memory", "api: out of memory, 59.8 of 60 MiB")];
        assert_eq!(lives("api", &names, &named).deaths, [5.0]);
        assert_eq!(lives("web", &names, &named).deaths, [0.0; 0]);
        let unnamed = [(5, "out_of_memory", "out of memory, 59.8 of 60 MiB")];
        assert_eq!(lives("web", &names, &unnamed).deaths, [0.0; 0]);
        assert_eq!(lives("", &["heap_used"], &unnamed).deaths, [5.0]);
        assert_eq!(lives("", &["heap_used"], &[(5, "kernel_oom", "")]).deaths, [0.0; 0]);
    }
}
