//! A page's garbage collections, by the browser's own trace (DevTools `Tracing`, category `v8` only).
//!
//! A trace is recorded for 5 s, ended, read, and begun anew, on a connection of its own to the page's target. The browser
//! then traces the processes of this page alone, and follows it when a navigation changes its process; of these processes
//! the one that shows the page's main frame is told by the browser, and of its threads only the main one counts: workers
//! and frames of other sites have heaps of their own. Collections between two traces are not seen: the gap is 10 to 100 ms
//! in 5 s, more on a machine that is out of breath.
use std::{collections::VecDeque, time::Duration};

use heapsoak_devtools::{Address, Client, ConnectOptions, Ending, Error as DevToolsError, Subscription};
use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel, error::TryRecvError},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{
    socket,
    trace::{Trace, Traced},
};
use crate::{
    Error,
    node::{Gc, GcKind},
};

/// How long one trace lasts.
const CYCLE: Duration = Duration::from_secs(5);
/// Counters are told this much late, so that the collections of a trace, which come all at once, are spread again over the
/// seconds in which they took place.
const LATE_US: i64 = 6_500_000;
/// Each command is answered within 0.1 s, on a machine with four times more work than cores within 0.4 s.
const DEADLINE: Duration = Duration::from_secs(10);
/// Without a trace for so long the counters are unknown.
const STALE: Duration = Duration::from_secs(15);
/// After an answer that was late: on a new connection, because a trace may still run on the old one.
const AGAIN: Duration = Duration::from_secs(5);
/// After a refusal: somebody else traces, perhaps for hours.
const AFTER_REFUSAL: Duration = Duration::from_secs(60);
/// Traces that wait to be read; more means that nobody samples.
const QUEUE: usize = 16;
/// Pieces of a trace are below 1 MiB.
const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// What is known of a page's collections at a tick. Counts are those since the start of watching, told 6.5 s late.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PageGcReading {
    /// Minor collections; none as long as nothing is known.
    pub gc_minor: Option<f64>,
    /// Major collections.
    pub gc_major: Option<f64>,
    /// How long collections have stopped the page's main thread, in ms.
    pub gc_pause_ms: Option<f64>,
    /// Bytes in use after the last major collection; none before the first. As new as the last trace.
    pub heap_floor: Option<f64>,
    /// Those that were not told before, up to 5 s old and good to 1 ms.
    pub collections: Vec<Gc>,
    /// Why the browser does not trace, told once.
    pub refusal: Option<String>,
}

/// The collections of a page, being watched by a task that ends when this is dropped.
pub struct PageGc {
    told: Receiver<Told>,
    late: VecDeque<Traced>,
    counted: Counted,
    process: Option<i64>,
    floor: Option<f64>,
    heard: Option<Instant>,
    refused: bool,
    _task: JoinSet<()>,
}

/// What the task tells.
enum Told {
    Collections { process: Option<i64>, collections: Vec<Traced> },
    Refused(String),
}

#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    minor: f64,
    major: f64,
    pause_ms: f64,
}

impl PageGc {
    /// Watches the page of this id, which is its WebDriver window handle, in the browser at `address`. Connects by itself and
    /// never makes anybody wait; must be called inside a tokio runtime.
    #[must_use]
    pub fn watch(address: Address, window: String) -> PageGc {
        let (tell, told) = channel(QUEUE);
        let mut task = JoinSet::new();
        task.spawn(watch(address, window, tell));
        PageGc::new(told, task)
    }

    fn new(told: Receiver<Told>, task: JoinSet<()>) -> PageGc {
        PageGc {
            told,
            late: VecDeque::new(),
            counted: Counted::default(),
            process: None,
            floor: None,
            heard: None,
            refused: false,
            _task: task,
        }
    }

    /// What is known now, which is `now_us` in µs since the unix epoch. Waits for nothing.
    pub fn read(&mut self, now_us: i64) -> PageGcReading {
        self.read_at(now_us, monotonic_us())
    }

    fn read_at(&mut self, now_us: i64, monotonic_us: Option<i64>) -> PageGcReading {
        let mut reading = PageGcReading::default();
        let Some(monotonic_us) = monotonic_us else { return reading };
        loop {
            match self.told.try_recv() {
                Ok(Told::Collections { process, collections }) => {
                    reading.collections.extend(collections.iter().map(|gc| dated(gc, now_us - monotonic_us)));
                    self.take(process, collections);
                }
                Ok(Told::Refused(reason)) => {
                    self.heard = None;
                    reading.refusal = Some(reason).filter(|_| !std::mem::replace(&mut self.refused, true));
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.heard = None;
                    break;
                }
            }
        }
        while let Some(gc) = self.late.pop_front_if(|gc| gc.end_us <= monotonic_us - LATE_US) {
            self.counted.add(&gc);
        }
        if self.heard.is_some_and(|heard| heard.elapsed() < STALE) {
            reading.gc_minor = Some(self.counted.minor);
            reading.gc_major = Some(self.counted.major);
            reading.gc_pause_ms = Some(self.counted.pause_ms);
            reading.heap_floor = self.floor;
        }
        reading
    }

    fn take(&mut self, process: Option<i64>, collections: Vec<Traced>) {
        if process.is_some() && process != self.process {
            // The floor of a page in another process is none of this one's.
            self.floor = None;
            self.process = process;
        }
        let majors = collections.iter().rev().filter(|gc| gc.kind == GcKind::Major);
        self.floor = majors.filter_map(|gc| gc.after).next().or(self.floor);
        self.late.extend(collections);
        self.heard = Some(Instant::now());
    }
}

impl Counted {
    fn add(&mut self, gc: &Traced) {
        match gc.kind {
            GcKind::Minor => self.minor += 1.0,
            GcKind::Major => self.major += 1.0,
        }
        self.pause_ms += gc.pause_ms;
    }
}

fn dated(gc: &Traced, unix_minus_monotonic_us: i64) -> Gc {
    Gc {
        time_us: gc.end_us.saturating_add(unix_minus_monotonic_us),
        kind: gc.kind,
        pause_ms: gc.pause_ms,
        before: gc.before,
        after: gc.after,
        forced: false,
    }
}

/// The clock of traces: on Linux `CLOCK_MONOTONIC`, for all processes alike.
fn monotonic_us() -> Option<i64> {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).ok()?;
    now.tv_sec().checked_mul(1_000_000)?.checked_add(now.tv_nsec() / 1000)
}

async fn watch(address: Address, window: String, tell: Sender<Told>) {
    loop {
        let wait = match attend(&address, &window, &tell).await {
            Error::DevTools(DevToolsError::Protocol { message, .. }) => {
                // A full queue is not read, and a refusal is soon told again.
                let _ = tell.try_send(Told::Refused(message));
                AFTER_REFUSAL
            }
            Error::DevTools(error) if error.is_deadline() => {
                tracing::debug!("the trace is begun anew: {error}");
                AGAIN
            }
            // The page is gone; whoever drives it meets the same fault.
            error => return tracing::debug!("collections are watched no more: {error}"),
        };
        sleep(wait).await;
    }
}

/// Traces on one connection until that fails.
async fn attend(address: &Address, window: &str, tell: &Sender<Told>) -> Error {
    let connect = async {
        let socket = socket(address, window, DEADLINE).await?;
        let options = ConnectOptions { deadline: DEADLINE, max_message_bytes: MAX_MESSAGE_BYTES };
        Ok(Client::connect_to(&socket, &options).await?)
    };
    let client = match connect.await {
        Ok(client) => client,
        Err(error) => return error,
    };
    let mut decided = Decided::default();
    loop {
        let told = async {
            let trace = record(&client, "v8", CYCLE).await?;
            let process = decided.process(&client, window, trace.processes()).await?;
            let collections = process.map(|process| trace.collections_of(process)).unwrap_or_default();
            Ok(Told::Collections { process, collections })
        };
        match told.await {
            Ok(told) => {
                if tell.try_send(told).is_err() {
                    tracing::debug!("nobody reads the collections: those of one trace are lost");
                }
            }
            Err(error) => return Error::DevTools(error),
        }
    }
}

/// Which of several processes shows the page.
#[derive(Default)]
struct Decided {
    among: Vec<i64>,
    process: Option<i64>,
}

impl Decided {
    /// The one of `processes` with the page's main frame; the browser is asked only when there are several, not seen before.
    async fn process(
        &mut self,
        client: &Client,
        window: &str,
        processes: Vec<i64>,
    ) -> Result<Option<i64>, DevToolsError> {
        if let [only] = *processes {
            return Ok(Some(only));
        }
        if processes != self.among {
            // The main frame has the target's id. Ended at once, as this category tells of every task.
            let trace = record(client, "disabled-by-default-devtools.timeline", Duration::ZERO).await?;
            *self = Decided { process: trace.process_of(window), among: processes };
        }
        Ok(self.process)
    }
}

/// One trace, from its start until its last event has come.
async fn record(client: &Client, category: &str, length: Duration) -> Result<Trace, DevToolsError> {
    let mut events = client.subscribe();
    let config = json!({
        "recordMode": "recordContinuously", "includedCategories": [category], "excludedCategories": ["*"],
    });
    let params = json!({"transferMode": "ReportEvents", "traceConfig": config});
    client.call("Tracing.start", params, DEADLINE).await?;
    sleep(length).await;
    client.call("Tracing.end", json!({}), DEADLINE).await?;
    let late = |_| DevToolsError::Deadline { what: "the events of a trace".to_owned(), after: DEADLINE };
    timeout(DEADLINE, collect(&mut events)).await.map_err(late)?
}

async fn collect(events: &mut Subscription) -> Result<Trace, DevToolsError> {
    let mut trace = Trace::default();
    while let Some(event) = events.recv().await {
        match event.method.as_str() {
            "Tracing.dataCollected" => trace.take(event.params["value"].as_array().map_or(&[], Vec::as_slice)),
            "Tracing.tracingComplete" => {
                if events.dropped() > 0 || event.params["dataLossOccurred"] == Value::Bool(true) {
                    tracing::debug!("a part of a trace is lost");
                }
                return Ok(trace);
            }
            _ => {}
        }
    }
    Err(DevToolsError::Closed { what: "Tracing.end".to_owned(), ending: Ending::PeerClosed })
}
