//! A page's heap and DOM counts by the DevTools protocol.
//!
//! `Performance.getMetrics` is the reading of each tick: it is answered while the page's own thread is busy (17 ms in a
//! page that blocked for 2 s). `Runtime.getHeapUsage` knows more, but waits for the page, so it gets a short deadline.
//! Both leave 0 bytes in the page's heap and start no garbage collection, measured over 300 calls; nothing else is
//! asked while sampling.
mod collector;
mod gc;
mod trace;

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use heapsoak_devtools::{
    Address, Client, Commands, ConnectOptions, Ending, Error as DevToolsError, SocketUrl, targets,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::Error;

pub use collector::{Collected, Collector};
pub use gc::{PageGc, PageGcReading};

/// Reads the events of a browser's trace as a tick does, and forgets them: the fuzzers' way in.
pub fn read_trace(events: &[Value]) {
    let mut trace = trace::Trace::default();
    trace.take(events);
    trace.processes().into_iter().for_each(|process| drop(trace.collections_of(process)));
}

/// How long a tick waits for `Runtime.getHeapUsage`: an idle page answers in 0.3 ms, on a machine with eight times more
/// work than cores in up to 300 ms, a busy page not before it is done.
const HEAP_USAGE_WAIT: Duration = Duration::from_millis(500);
/// How long a command may stay unanswered before it is given up and sent anew: a page that hangs for an hour collects
/// at most 60 of them, and an answer lost by the browser costs one minute of readings.
const GIVE_UP: Duration = Duration::from_secs(60);
/// The code of "Inspected target navigated or closed": what a command gets whose page changes its process meanwhile, or
/// that waited for a page which crashed.
const BETWEEN_DOCUMENTS: i64 = -32000;
/// The answers are below 4 KiB.
const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// One sample of a page. Bytes and counts; none where the value was late or the browser does not give it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PageReading {
    /// Bytes of the JavaScript heap in use (`JSHeapUsedSize`): live objects and garbage not yet collected.
    pub heap_used: Option<f64>,
    /// Bytes of the JavaScript heap held from the system (`JSHeapTotalSize`).
    pub heap_total: Option<f64>,
    /// Bytes of the engine's own heap in use: DOM nodes, CSS and the like (`embedderHeapUsedSize`). Moves in steps of some
    /// 100 KiB, as the engine counts whole pages of memory.
    pub embedder_heap: Option<f64>,
    /// Bytes of array buffers and other memory behind JavaScript objects (`backingStorageSize`).
    pub backing_store: Option<f64>,
    /// DOM nodes, attached or not (`Nodes`).
    pub dom_nodes: Option<f64>,
    /// Event listeners (`JSEventListeners`).
    pub listeners: Option<f64>,
    /// Documents, those of frames and leaked ones included (`Documents`).
    pub documents: Option<f64>,
}

/// A page that is being watched.
pub struct Page {
    commands: Arc<dyn Commands>,
    metrics: Outstanding,
    heap_usage: Outstanding,
}

impl Page {
    /// Watches the page that `commands` leads to. Survives navigations, also those that change the process.
    ///
    /// # Errors
    /// [`Error::DevTools`] when the browser does not answer within `deadline` or refuses.
    pub async fn attach(commands: Arc<dyn Commands>, deadline: Duration) -> Result<Page, Error> {
        commands.call("Performance.enable", json!({}), deadline).await?;
        Ok(Page { commands, metrics: Outstanding::default(), heap_usage: Outstanding::default() })
    }

    /// Watches a window of the browser whose `debuggerAddress` this is, by a connection of our own beside the driver's.
    /// `window` is the WebDriver window handle, which is the id of the page's target. Each step may take `deadline`.
    ///
    /// The [`Client`] is the connection: [`lost`] tells by it when the page crashes or is closed.
    ///
    /// # Errors
    /// [`Error::NoSuchPage`], and [`Error::DevTools`] when the browser does not answer in time or refuses.
    pub async fn connect(address: &Address, window: &str, deadline: Duration) -> Result<(Page, Client), Error> {
        let options = ConnectOptions { deadline, max_message_bytes: MAX_MESSAGE_BYTES };
        let client = Client::connect_to(&socket(address, window, deadline).await?, &options).await?;
        let page = Page::attach(Arc::new(client.clone()), deadline).await?;
        Ok((page, client))
    }

    /// Takes one sample, in `deadline` at the longest. What is late is unknown, and stays so until the late answer is in,
    /// which is not used: it is of an earlier tick. A page that navigates or has crashed meanwhile is unknown, too ([`lost`] tells).
    ///
    /// # Errors
    /// [`Error::DevTools`] when the connection is over or the browser refuses `Performance.getMetrics`: the page is gone.
    pub async fn sample(&mut self, deadline: Duration) -> Result<PageReading, Error> {
        let Page { commands, metrics, heap_usage } = self;
        let (metrics, heap_usage) = tokio::join!(
            metrics.ask(commands, "Performance.getMetrics", deadline),
            heap_usage.ask(commands, "Runtime.getHeapUsage", deadline.min(HEAP_USAGE_WAIT)),
        );
        let metrics = match metrics {
            Some(Err(DevToolsError::Protocol { code: BETWEEN_DOCUMENTS, .. })) => None,
            other => in_time(other)?,
        };
        // A browser that does not know this command still has a heap to watch.
        let heap_usage = match heap_usage {
            Some(Err(DevToolsError::Protocol { .. })) => None,
            other => in_time(other)?,
        };
        Ok(reading(metrics.as_ref(), heap_usage.as_ref()))
    }

    /// The URL of the document that is really shown: an error page says `chrome-error://chromewebdata/`, whatever was
    /// asked for. Runs in the page and returns by value, so nothing is left there; meant for after a navigation.
    ///
    /// # Errors
    /// [`Error::DevTools`], a deadline included: a page that is busy does not answer.
    pub async fn document_url(&self, deadline: Duration) -> Result<String, Error> {
        let method = "Runtime.evaluate";
        let params = json!({"expression": "document.URL", "returnByValue": true, "silent": true});
        let answer = self.commands.call(method, params, deadline).await?;
        let url = answer.pointer("/result/value").and_then(Value::as_str).ok_or_else(|| DevToolsError::Answer {
            method: method.to_owned(),
            reason: "document.URL is no string".to_owned(),
        })?;
        Ok(url.to_owned())
    }

    /// What asks this page for full collections, on the user's wish alone.
    pub fn collector(&self) -> Collector {
        Collector::new(Arc::clone(&self.commands))
    }
}

/// The socket of the page's target.
async fn socket(address: &Address, window: &str, deadline: Duration) -> Result<SocketUrl, Error> {
    let listed = targets(address, deadline).await?;
    let target = listed.iter().find(|target| target.id == window).ok_or_else(|| Error::NoSuchPage {
        id: window.to_owned(),
        address: address.to_string(),
        listed: listed.len(),
    })?;
    Ok(target.socket(address)?)
}

/// How a page was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// Its renderer died: killed, out of memory or crashed. The window stays, and answers no command.
    Crashed,
    /// Its window was closed, the browser ended, or the connection broke.
    Closed(Ending),
}

/// Resolves when the page at the other end of `client` (as [`Page::connect`] gives it) is lost, some milliseconds after
/// it happened. Watches from the call on, not from the first poll; does not keep the connection alive.
pub fn lost(client: &Client) -> impl Future<Output = Loss> + Send + 'static {
    let (mut events, closed) = (client.subscribe(), client.closed());
    async move {
        while let Some(event) = events.recv().await {
            if event.method == "Inspector.targetCrashed" {
                return Loss::Crashed;
            }
        }
        Loss::Closed(closed.await)
    }
}

/// A command of which at most one is unanswered. Dropping the wait keeps the command, so that the next tick knows.
#[derive(Default)]
struct Outstanding(Option<BoxFuture<'static, Result<Value, DevToolsError>>>);

impl Outstanding {
    /// The answer to a command sent now; none when it is not in after `wait`. An earlier one is waited for first.
    async fn ask(
        &mut self,
        commands: &Arc<dyn Commands>,
        method: &'static str,
        wait: Duration,
    ) -> Option<Result<Value, DevToolsError>> {
        timeout(wait, self.exchange(commands, method)).await.ok()
    }

    async fn exchange(&mut self, commands: &Arc<dyn Commands>, method: &'static str) -> Result<Value, DevToolsError> {
        if let Some(earlier) = &mut self.0 {
            let answer = earlier.await;
            self.0 = None;
            // Its numbers are of an earlier tick, but that the connection is over is still true.
            if let Err(error) = answer
                && error.is_closed()
            {
                return Err(error);
            }
        }
        let commands = Arc::clone(commands);
        let answer = self.0.insert(async move { commands.call(method, json!({}), GIVE_UP).await }.boxed()).await;
        self.0 = None;
        answer
    }
}

/// Late is unknown; everything else that is no answer is an error.
fn in_time(answer: Option<Result<Value, DevToolsError>>) -> Result<Option<Value>, DevToolsError> {
    match answer {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(error)) if error.is_deadline() => Ok(None),
        Some(Err(error)) => Err(error),
    }
}

fn reading(metrics: Option<&Value>, heap_usage: Option<&Value>) -> PageReading {
    let metric = |name: &str| {
        let all = metrics?.get("metrics")?.as_array()?;
        quantity(all.iter().find(|metric| metric["name"] == name)?.get("value")?)
    };
    let usage = |name: &str| quantity(heap_usage?.get(name)?);
    PageReading {
        heap_used: metric("JSHeapUsedSize"),
        heap_total: metric("JSHeapTotalSize"),
        embedder_heap: usage("embedderHeapUsedSize"),
        backing_store: usage("backingStorageSize"),
        dom_nodes: metric("Nodes"),
        listeners: metric("JSEventListeners"),
        documents: metric("Documents"),
    }
}

/// A size or count; none for what cannot be one.
fn quantity(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.is_finite() && *number >= 0.0)
}
