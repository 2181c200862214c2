//! What can happen to a watched Node program, and how it is told.
use std::{fmt, path::PathBuf, sync::Arc};

use super::super::{end::Evidence, observe::State, record::Mode};

/// Something that happened to a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The program's label.
    pub label: Arc<str>,
    /// Its process id.
    pub pid: u32,
    /// What happened.
    pub what: Happening,
}

/// What happened. Its text is a detail for an event: it does not repeat the label.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// It is being watched from now on.
    Appeared {
        /// Its parent's process id, where its Node knows that.
        parent: Option<u32>,
        /// Node's version: `v20.20.2`.
        version: String,
        /// The end of the path of its script.
        script: Option<String>,
    },
    /// How its collections are seen, when that is not the best way; and when it is the best again.
    Collector(Mode),
    /// Its event loop has not turned for 3 s.
    UnresponsiveBegins {
        /// What its process is doing, where that can be seen: running is a busy loop, waiting a blocking call.
        state: Option<State>,
    },
    /// Its event loop turns again.
    UnresponsiveEnds {
        /// How long it did not, in ms.
        after_ms: f64,
    },
    /// It spends most of its time in major collections near its limit.
    ThrashingBegins {
        /// Share of the last 10 s that it spent in them.
        share: f64,
        /// Bytes left after the last of them.
        after: f64,
        /// Its limit in bytes.
        limit: f64,
    },
    /// It spends less than a quarter of its time in major collections again.
    ThrashingEnds,
    /// Another program took its place in the same process.
    Replaced {
        /// The file that runs there now; none where that may not be read.
        by: Option<PathBuf>,
    },
    /// For so many ms its collections were not seen: too many to be read after a long block, or nobody asked for a minute.
    Blind {
        /// For how long.
        for_ms: f64,
    },
    /// The way to it was closed 3 s ago, and it lives: nothing more will be known but what the system says.
    Unheard,
    /// So many of its records were lost on the way: this side did not keep up.
    Lost {
        /// How many.
        records: u64,
    },
    /// Its process is gone. [`classify`](super::super::classify) says how it ended.
    Ended(Evidence),
}

impl Happening {
    /// One word for events.
    pub fn kind(&self) -> &'static str {
        match self {
            Happening::Appeared { .. } => "appeared",
            Happening::Collector(_) => "collector",
            Happening::UnresponsiveBegins { .. } => "unresponsive",
            Happening::UnresponsiveEnds { .. } => "responsive",
            Happening::ThrashingBegins { .. } => "thrashing",
            Happening::ThrashingEnds => "thrashing-end",
            Happening::Replaced { .. } => "replaced",
            Happening::Blind { .. } => "blind",
            Happening::Unheard => "unheard",
            Happening::Lost { .. } => "lost",
            Happening::Ended(_) => "ended",
        }
    }
}

impl fmt::Display for Happening {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Happening::Appeared { version, script: Some(script), .. } => write!(out, "{script}, Node {version}"),
            Happening::Appeared { version, script: None, .. } => write!(out, "Node {version}"),
            Happening::Collector(Mode::Profiler) => write!(out, "collections are seen with their sizes"),
            Happening::Collector(Mode::Observer) => {
                write!(out, "collections are seen by PerformanceObserver: sizes are read late")
            }
            Happening::Collector(Mode::Unseen) => write!(out, "this Node does not show its collections"),
            Happening::UnresponsiveBegins { state } => {
                let why = match state {
                    Some(State::Running) => "it is busy",
                    Some(State::Waiting) => "it waits in a blocking call",
                    Some(State::Stopped) => "it was stopped",
                    None => "why cannot be seen",
                };
                write!(out, "the event loop does not turn: {why}")
            }
            Happening::UnresponsiveEnds { after_ms } => {
                write!(out, "the event loop turns again after {:.1} s", after_ms / 1e3)
            }
            Happening::ThrashingBegins { share, after, limit } => write!(
                out,
                "{:.0} % of the time in collections that leave {:.1} of {:.0} MiB",
                share * 100.0,
                after / 1_048_576.0,
                limit / 1_048_576.0
            ),
            Happening::ThrashingEnds => write!(out, "collections let the program work again"),
            Happening::Replaced { by: Some(by) } => write!(out, "the process now runs {}", by.display()),
            Happening::Replaced { by: None } => write!(out, "the process now runs another program"),
            Happening::Blind { for_ms } => {
                write!(out, "collections of {:.1} s were not seen: too many at a time, or nobody asked", for_ms / 1e3)
            }
            Happening::Unheard => write!(
                out,
                "the inspector was closed, by the program or by who opened it: its heap is unknown from now on; \
                 record it anew"
            ),
            Happening::Lost { records } => write!(out, "{records} records were lost: the recorder did not keep up"),
            Happening::Ended(_) => write!(out, "the process is gone"),
        }
    }
}
