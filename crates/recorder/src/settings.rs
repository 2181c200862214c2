//! What a run was asked to do, in plain words.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// A soak: what is driven and watched, for how long, into which store.
#[derive(Debug, Clone)]
pub(crate) struct Soak {
    pub(crate) db: PathBuf,
    /// The page that is driven, if one is.
    pub(crate) page: Option<Page>,
    /// The command to start and watch, with its arguments; empty: none.
    pub(crate) command: Vec<OsString>,
    /// Node programs to attach to.
    pub(crate) nodes: Vec<Node>,
    /// Processes to watch.
    pub(crate) pids: Vec<Process>,
    pub(crate) how_long: HowLong,
    pub(crate) judging: Judging,
    pub(crate) shape: StoreShape,
}

/// The page that the loop drives.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// `None`: the page of our own.
    pub(crate) url: Option<String>,
    /// What the page of our own retains each second.
    pub(crate) leak_bytes_per_s: u64,
    /// CSS of the element to hover over.
    pub(crate) element: String,
    /// Between the starts of two iterations.
    pub(crate) interval: Duration,
    /// A driver that is running already.
    pub(crate) webdriver: Option<String>,
    /// The browser to start, by name or path.
    pub(crate) browser: Option<String>,
    /// Its further arguments.
    pub(crate) browser_args: Vec<String>,
    pub(crate) headed: bool,
    pub(crate) no_sandbox: bool,
    /// Whether a page of another machine may be shown without a sandbox.
    pub(crate) allow_remote_unsandboxed: bool,
    /// Unhealthy restarts in a row before the run gives up.
    pub(crate) restarts: u32,
}

/// A running Node program.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) label: Option<String>,
    /// `HOST:PORT` or `ws://…`
    pub(crate) place: String,
    /// Whether its inspector may be on another machine.
    pub(crate) remote: bool,
}

/// A running process.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) label: Option<String>,
    pub(crate) pid: u32,
    /// Whether to ask a Node program to open its inspector.
    pub(crate) attach: bool,
}

/// When a run ends by itself; neither: when it is stopped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HowLong {
    pub(crate) duration: Option<Duration>,
    pub(crate) iterations: Option<u64>,
}

/// What is done for the verdict, and what it does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Judging {
    /// Between two full collections that are asked for; none: never.
    pub(crate) checkpoint_gc: Option<Duration>,
    /// Whether a leak makes the run fail.
    pub(crate) fail_on_leak: bool,
    /// When to look for a leak first that stops the run; none: never.
    pub(crate) stop_on_leak: Option<Duration>,
    /// What the verdict leaves out at the beginning; none: as `grapher verdict` does.
    pub(crate) warm_up: Option<Duration>,
}

/// What the store is made with; `None` and empty: the defaults, or what an existing store has.
#[derive(Debug, Clone)]
pub(crate) struct StoreShape {
    pub(crate) step: Option<Duration>,
    pub(crate) heartbeat: Option<Duration>,
    pub(crate) rras: Vec<String>,
}
