//! A running Node program, watched through its inspector.
//!
//! An attached inspector is no secret: the program's stderr gets "Debugger attached." and, when it ends, "Waiting for the
//! debugger to disconnect...". That wait is kept short: we disconnect as soon as we are told. The sampler that is
//! installed once is called by its handle and answers by value, so nothing is left behind by a call; detaching removes it,
//! and a minute without a call puts it to rest.
use std::{
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use heapsoak_devtools::{
    Address, Client, ConnectOptions, Ending, Error as DevToolsError, Event, Reach, SocketUrl, Subscription, targets,
};
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout},
};

use super::{
    launch::checkpoint_line,
    record::{Record, Said, record},
};
use crate::Error;

const COMMON: &str = include_str!("script/common.js");
const SAMPLER: &str = include_str!("script/sampler.js");
/// How the name begins of the way for the program's last words. It is gone from the program as soon as the sampler holds it.
const BINDING: &str = "heapsoakLastWords";
/// Node numbers contexts from 1, the program's own. In it alone, or every context made later would get the binding, too.
const MAIN_CONTEXT: u32 = 1;
/// 500 records of 4 KB at most: what a sampler keeps that was not asked for a minute.
const MAX_MESSAGE_BYTES: usize = 16 << 20;
/// How long a call may stay unanswered before it is given up: a program that is stopped for an hour gets 60 calls.
const GIVE_UP: Duration = Duration::from_secs(60);
/// How long Node may take to start; on a machine with eight times more work than cores it took 1 s.
const STARTS_WITHIN: Duration = Duration::from_secs(2);
/// What a call gets whose context is being taken down: the program ends, and waits for us to go.
const NO_CONTEXT: i64 = -32000;

/// Where a program's inspector listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Its `HOST:PORT`; the listing there names the socket.
    Listing(Address),
    /// Its socket.
    Socket(SocketUrl),
}

impl Place {
    /// Understands `HOST:PORT` and `ws://HOST:PORT/ID`.
    ///
    /// # Errors
    /// Those of [`Address::parse`] and [`SocketUrl::parse`]: not an address, or not on this machine with [`Reach::Loopback`].
    pub fn parse(text: &str, reach: Reach) -> Result<Place, Error> {
        if text.contains("://") {
            return Ok(Place::Socket(SocketUrl::parse(text, reach)?));
        }
        Ok(Place::Listing(Address::parse(text, reach)?))
    }

    /// The server, without the secret path.
    pub fn address(&self) -> &Address {
        match self {
            Place::Listing(address) => address,
            Place::Socket(url) => url.address(),
        }
    }

    async fn socket(&self, deadline: Duration) -> Result<SocketUrl, Error> {
        let address = match self {
            Place::Socket(url) => return Ok(url.clone()),
            Place::Listing(address) => address,
        };
        let listed = targets(address, deadline).await?;
        let target = listed.iter().find(|target| target.kind == "node").ok_or_else(|| DevToolsError::Http {
            address: address.to_string(),
            path: "/json/list".to_owned(),
            reason: "it lists no Node program".to_owned(),
        })?;
        Ok(target.socket(address)?)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address().fmt(out)
    }
}

/// A Node program that is watched through its inspector. Dropping it disconnects at once and leaves the sampler, which rests
/// after a minute; [`Inspector::detach`] removes it now.
pub struct Inspector {
    requests: mpsc::Sender<Request>,
    waiting: Option<oneshot::Receiver<Outcome>>,
}

type Outcome = Result<Vec<Record>, Error>;

enum Request {
    Sample(oneshot::Sender<Outcome>),
    Detach { close: bool, deadline: Duration, done: oneshot::Sender<()> },
}

impl Inspector {
    /// Connects and installs a sampler; those of other recorders go on beside it. Each step may take `deadline`. With
    /// `checkpoint` the program forces a full collection so often, which **disturbs what is measured**: only where the
    /// user asked for it.
    ///
    /// # Errors
    /// [`Error::DevTools`] when nothing listens there, or it is no Node, or it does not answer in time.
    pub async fn attach(place: &Place, deadline: Duration, checkpoint: Option<Duration>) -> Result<Inspector, Error> {
        let url = place.socket(deadline).await?;
        let options = ConnectOptions { deadline, max_message_bytes: MAX_MESSAGE_BYTES };
        let client = Client::connect_to(&url, &options).await?;
        let events = client.subscribe();
        // What one recorder's sampler says comes to all who wait for that name: each has its own.
        let binding = format!("{BINDING}{:x}", RandomState::new().build_hasher().finish());
        // Nodes before 12 do not know these; then the end is told by the calls that fail.
        for (method, params) in [
            ("NodeRuntime.enable", json!({})),
            ("NodeRuntime.notifyWhenWaitingForDisconnect", json!({"enabled": true})),
            ("Runtime.addBinding", json!({"name": binding, "executionContextId": MAIN_CONTEXT})),
        ] {
            match client.call(method, params, deadline).await {
                Ok(_) | Err(DevToolsError::Protocol { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let sampler = install(&client, deadline, checkpoint, &binding).await?;
        let (requests, queue) = mpsc::channel(1);
        let link = Link { client, events, sampler, binding, said: Vec::new(), last: None };
        tokio::spawn(serve(link, queue));
        Ok(Inspector { requests, waiting: None })
    }

    /// What the program has said since the last call, in `deadline` at the longest; nothing when it does not answer in
    /// time. A late answer comes with a later call. The first call brings the hello, the last one the end.
    ///
    /// # Errors
    /// [`Error::DevTools`] when the connection is over.
    pub async fn sample(&mut self, deadline: Duration) -> Result<Vec<Record>, Error> {
        let mut waiting = match self.waiting.take() {
            Some(waiting) => waiting,
            None => {
                let (reply, waiting) = oneshot::channel();
                self.requests.send(Request::Sample(reply)).await.map_err(|_| closed())?;
                waiting
            }
        };
        match timeout(deadline, &mut waiting).await {
            Ok(outcome) => outcome.map_err(|_| closed())?,
            Err(_) => {
                self.waiting = Some(waiting);
                Ok(Vec::new())
            }
        }
    }

    /// Removes the sampler and disconnects, within `deadline`; closes the program's inspector, too, if `close` says so
    /// (because it was [opened](super::open_inspector) for us: whoever reaches its port can run code in the program). While
    /// other recorders use it, it stays open, until the last of them leaves.
    pub async fn detach(self, close: bool, deadline: Duration) {
        let (done, finished) = oneshot::channel();
        // A program that does not answer, or is gone, has nothing left to be removed that does not go by itself.
        if self.requests.send(Request::Detach { close, deadline, done }).await.is_ok() {
            let _ = timeout(deadline, finished).await;
        }
    }
}

fn closed() -> Error {
    Error::DevTools(DevToolsError::Closed { what: METHOD.to_owned(), ending: Ending::PeerClosed })
}

const METHOD: &str = "Runtime.callFunctionOn";

/// The handle of the sampler. A program that still starts has an inspector before it has modules: it is asked again.
async fn install(
    client: &Client,
    deadline: Duration,
    checkpoint: Option<Duration>,
    binding: &str,
) -> Result<String, Error> {
    let first = checkpoint_line(checkpoint);
    // `require` is there by the command-line API, in ES modules too; the others are for embedders that lack it. The
    // binding is taken last, because it is there only once.
    let expression = format!(
        "(function (load) {{ load('v8'); load('perf_hooks'); var tell = global.{binding}; delete global.{binding}; {first}{COMMON}\n\
         return ({SAMPLER})(load, typeof tell === 'function' ? tell : null); }})(\
         typeof require === 'function' ? require : process.getBuiltinModule \
         ? function (id) {{ return process.getBuiltinModule(id); }} : function (id) {{ return process.mainModule.require(id); }})"
    );
    let start = Instant::now();
    loop {
        let params = json!({"expression": expression, "includeCommandLineAPI": true, "silent": true});
        let method = "Runtime.evaluate";
        let answer = client.call(method, params, deadline).await?;
        let handle = answer.pointer("/result/objectId").and_then(Value::as_str);
        if let Some(handle) = handle.filter(|_| answer.get("exceptionDetails").is_none()) {
            return Ok(handle.to_owned());
        }
        if start.elapsed() > STARTS_WITHIN.min(deadline) {
            return Err(misunderstood(method, &answer));
        }
        sleep(STARTS_WITHIN / 40).await;
    }
}

fn misunderstood(method: &str, answer: &Value) -> Error {
    let words =
        answer.pointer("/exceptionDetails/exception/description").or_else(|| answer.pointer("/result/description"));
    let words = words.and_then(Value::as_str).unwrap_or("it has no value");
    let reason = words.chars().filter(|c| !c.is_control()).take(200).collect();
    Error::DevTools(DevToolsError::Answer { method: method.to_owned(), reason })
}

/// The connection. It lives in a task of its own: when the program waits for us to go, a second until the next tick would
/// be a second that its exit is delayed.
struct Link {
    client: Client,
    events: Subscription,
    sampler: String,
    /// Its name.
    binding: String,
    said: Vec<Record>,
    /// The pid and number of the last record.
    last: Option<(u32, u64, i64)>,
}

/// Why the connection is over.
struct Over;

async fn serve(mut link: Link, mut requests: mpsc::Receiver<Request>) {
    let mut asked = None;
    loop {
        tokio::select! {
            request = requests.recv() => match request {
                None => return,
                Some(Request::Detach { close, deadline, done }) => {
                    link.remove(close, deadline).await;
                    drop(link);
                    let _ = done.send(());
                    return;
                }
                Some(Request::Sample(reply)) => match link.ask(&mut requests).await {
                    Ok(outcome) => { let _ = reply.send(outcome); }
                    Err(Over) => { asked = Some(reply); break }
                },
            },
            event = link.events.recv() => if link.hear(event).is_err() { break },
        }
    }
    let Link { client, events, mut said, .. } = link;
    drop((client, events));
    if let Some(reply) = asked {
        let _ = reply.send(Ok(std::mem::take(&mut said)));
    }
    while let Some(request) = requests.recv().await {
        match request {
            Request::Sample(reply) if said.is_empty() => {
                let _ = reply.send(Err(closed()));
            }
            Request::Sample(reply) => {
                let _ = reply.send(Ok(std::mem::take(&mut said)));
            }
            Request::Detach { done, .. } => {
                let _ = done.send(());
            }
        }
    }
}

impl Link {
    /// Calls the sampler, with an ear on the program's end.
    async fn ask(&mut self, requests: &mut mpsc::Receiver<Request>) -> Result<Outcome, Over> {
        let (client, sampler) = (self.client.clone(), self.sampler.clone());
        let mut call = Box::pin(call(&client, &sampler, ASK, GIVE_UP));
        let answer = loop {
            tokio::select! {
                answer = &mut call => break answer,
                event = self.events.recv() => self.hear(event)?,
                // Nothing but a wish to leave comes while a sample is under way; it need not wait for the program.
                _ = requests.recv() => return Err(Over),
            }
        };
        match answer {
            Ok(answer) => match answer.pointer("/result/value") {
                Some(Value::String(text)) => {
                    self.take(text);
                    Ok(Ok(std::mem::take(&mut self.said)))
                }
                _ => Ok(Err(misunderstood(METHOD, &answer))),
            },
            Err(error) if error.is_deadline() => Ok(Ok(std::mem::take(&mut self.said))),
            Err(error) if error.is_closed() => Err(Over),
            Err(DevToolsError::Protocol { code: NO_CONTEXT, message, .. }) if message.contains("context") => {
                self.has_ended();
                Err(Over)
            }
            Err(error) => Ok(Err(error.into())),
        }
    }

    /// An event of the program.
    fn hear(&mut self, event: Option<Event>) -> Result<(), Over> {
        let Some(event) = event else { return Err(Over) };
        match event.method.as_str() {
            "Runtime.bindingCalled" if event.params["name"] == self.binding.as_str() => {
                if let Some(text) = event.params["payload"].as_str() {
                    self.take(text);
                }
            }
            "NodeRuntime.waitingForDisconnect" => {
                self.has_ended();
                return Err(Over);
            }
            _ => {}
        }
        Ok(())
    }

    fn take(&mut self, text: &str) {
        let Ok(list) = serde_json::from_str::<Vec<Value>>(text) else { return };
        for value in &list {
            match record(value) {
                Ok(record) => {
                    self.last = Some((record.pid, record.seq, record.wall_us));
                    self.said.push(record);
                }
                Err(error) => tracing::debug!(%error, "a record of the sampler was dropped"),
            }
        }
    }

    /// The program waits for us to go: it has ended, whatever else it could say.
    fn has_ended(&mut self) {
        if self.said.iter().any(|record| matches!(record.said, Said::End(_))) {
            return;
        }
        if let Some((pid, seq, wall_us)) = self.last {
            self.said.push(Record { pid, seq: seq + 1, wall_us, said: Said::End(None) });
        }
    }

    async fn remove(&self, close: bool, deadline: Duration) {
        let last = if close { LAST_AND_CLOSE } else { LAST };
        let _ = call(&self.client, &self.sampler, last, deadline).await;
        let _ = self.client.call("Runtime.releaseObject", json!({"objectId": self.sampler}), deadline).await;
    }
}

const ASK: &str = "function () { return this(); }";
const LAST: &str = "function () { return this(true, false); }";
const LAST_AND_CLOSE: &str = "function () { return this(true, true); }";

async fn call(client: &Client, sampler: &str, function: &str, deadline: Duration) -> Result<Value, DevToolsError> {
    let params = json!({"functionDeclaration": function, "objectId": sampler, "returnByValue": true, "silent": true});
    client.call(METHOD, params, deadline).await
}
