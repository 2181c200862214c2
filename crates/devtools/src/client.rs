//! The handle that callers hold: connect, call, sessions, events, the end.
use std::{convert::Infallible, fmt, future::Future, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_tungstenite::{
    client_async_with_config,
    tungstenite::{self, protocol::WebSocketConfig},
};

use crate::{
    Answer, Commands, Ending, Error, SocketUrl, Subscription,
    connection::{Outgoing, Shared, run},
    wire,
};

/// Commands that may wait for a peer that does not read. Each is sent only if its caller still waits.
const OUTBOX: usize = 64;

/// How to open a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectOptions {
    /// How long resolving, connecting and the handshake may take together. 5 s by default.
    pub deadline: Duration,
    /// Longest message taken from the peer, in bytes; a longer one ends the connection. 64 MiB by default. An answer that
    /// somebody waits for costs a multiple of its text in memory, so whoever only samples asks for less.
    pub max_message_bytes: usize,
}

impl Default for ConnectOptions {
    fn default() -> ConnectOptions {
        ConnectOptions { deadline: Duration::from_secs(5), max_message_bytes: 64 << 20 }
    }
}

/// A handle to one connection, or to one flattened session on it. Clones share the connection; it ends with the last.
#[derive(Clone)]
pub struct Client {
    link: Arc<Link>,
    session: Option<Arc<str>>,
}

struct Link {
    outbox: mpsc::Sender<Outgoing>,
    shared: Arc<Shared>,
    /// Nothing is ever sent: that it is dropped tells the task that the last handle is gone.
    _alive: oneshot::Sender<Infallible>,
}

impl Client {
    /// Connects to a `ws://` URL on this machine within `deadline`.
    ///
    /// # Errors
    /// As [`Client::connect_to`], and [`Error::Address`] or [`Error::NotLoopback`] for the URL itself.
    pub async fn connect(url: &str, deadline: Duration) -> Result<Client, Error> {
        Client::connect_to(&url.parse()?, &ConnectOptions { deadline, ..ConnectOptions::default() }).await
    }

    /// Connects to a target's socket. Must be called inside a tokio runtime, on which the connection then lives.
    ///
    /// # Errors
    /// [`Error::Connect`] when nothing listens, [`Error::Http`] when it does not speak WebSocket or refuses,
    /// [`Error::Deadline`] when it takes too long, [`Error::NotLoopback`] when a name leads off this machine.
    pub async fn connect_to(url: &SocketUrl, options: &ConnectOptions) -> Result<Client, Error> {
        let late = |_| Error::Deadline { what: format!("the connection to {url}"), after: options.deadline };
        timeout(options.deadline, Client::open(url, options.max_message_bytes)).await.map_err(late)?
    }

    async fn open(url: &SocketUrl, max_message_bytes: usize) -> Result<Client, Error> {
        let stream = url.address().dial().await?;
        let config = WebSocketConfig::default()
            // The default of 128 KiB each way is meant for bulk; answers here are a few KiB.
            .read_buffer_size(16 << 10)
            .write_buffer_size(4 << 10)
            .max_message_size(Some(max_message_bytes))
            .max_frame_size(Some(max_message_bytes));
        let (socket, _) = client_async_with_config(url.full(), stream, Some(config)).await.map_err(|error| {
            let reason = match error {
                tungstenite::Error::Http(response) => format!("HTTP status {}", response.status()),
                other => other.to_string(),
            };
            Error::Http { address: url.address().to_string(), path: "the WebSocket handshake".to_owned(), reason }
        })?;
        let (outbox, queue) = mpsc::channel(OUTBOX);
        let (alive, handles) = oneshot::channel();
        let shared = Arc::new(Shared::new());
        tokio::spawn(run(socket, queue, handles, Arc::clone(&shared)));
        Ok(Client { link: Arc::new(Link { outbox, shared, _alive: alive }), session: None })
    }

    /// Sends `method` with `params` (an object, or null for none) and waits for its result, `deadline` at the longest.
    ///
    /// # Errors
    /// [`Error::Deadline`] (the client stays usable and drops the late answer), [`Error::Protocol`] when the peer refuses,
    /// [`Error::Closed`] when the connection is over, at once if it already is.
    pub async fn call(&self, method: &str, params: Value, deadline: Duration) -> Result<Value, Error> {
        let late = |_| Error::Deadline { what: method.to_owned(), after: deadline };
        timeout(deadline, self.exchange(method, &params)).await.map_err(late)?
    }

    async fn exchange(&self, method: &str, params: &Value) -> Result<Value, Error> {
        let Link { outbox, shared, .. } = &*self.link;
        let closed = || {
            // The reason is always set before answers are given up; `PeerClosed` only stands in for it.
            Error::Closed { what: method.to_owned(), ending: shared.ending().unwrap_or(Ending::PeerClosed) }
        };
        let (expected, answer) = shared.expect().ok_or_else(closed)?;
        let text = wire::command(expected.id, method, params, self.session.as_deref())
            .map_err(|reason| Error::Answer { method: method.to_owned(), reason })?;
        outbox.send(Outgoing { id: expected.id, text }).await.map_err(|_| closed())?;
        let outcome = answer.await.map_err(|_| closed())?;
        outcome.map_err(|refusal| Error::Protocol {
            method: method.to_owned(),
            code: refusal.code,
            message: refusal.message,
        })
    }

    /// A handle to a flattened session of this connection, as `Target.attachToTarget` names it.
    pub fn session(&self, session_id: &str) -> Client {
        Client { link: Arc::clone(&self.link), session: Some(session_id.into()) }
    }

    /// Attaches to a target through a browser's own socket and returns its flattened session.
    ///
    /// # Errors
    /// Those of [`Client::call`]; [`Error::Answer`] when the browser names no session.
    pub async fn attach(&self, target_id: &str, deadline: Duration) -> Result<Client, Error> {
        let method = "Target.attachToTarget";
        let answer = self.call(method, json!({"targetId": target_id, "flatten": true}), deadline).await?;
        let session = answer
            .get("sessionId")
            .and_then(Value::as_str)
            .ok_or_else(|| Error::Answer { method: method.to_owned(), reason: "it names no sessionId".to_owned() })?;
        Ok(self.session(session))
    }

    /// Events of this handle's session (or of the connection's own target) from now on. A subscriber that does not keep
    /// up loses events and can ask how many; it never delays anybody else. Does not keep the connection alive.
    pub fn subscribe(&self) -> Subscription {
        self.link.shared.subscribers.add(self.session.as_deref().map(str::to_owned))
    }

    /// Resolves when the connection is over, with the reason. Does not keep the connection alive.
    pub fn closed(&self) -> impl Future<Output = Ending> + Send + 'static {
        let mut end = self.link.shared.watch_end();
        async move {
            match end.wait_for(Option::is_some).await {
                Ok(ending) => (*ending).clone().unwrap_or(Ending::Dropped),
                Err(_) => Ending::Dropped,
            }
        }
    }

    /// How many answers came that nobody waited for any more: the late ones, and ids that were never sent.
    pub fn unclaimed_answers(&self) -> u64 {
        self.link.shared.unclaimed()
    }
}

impl Commands for Client {
    fn call<'a>(&'a self, method: &'a str, params: Value, deadline: Duration) -> Answer<'a> {
        Box::pin(Client::call(self, method, params, deadline))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client").field("session", &self.session).field("ended", &self.link.shared.ending()).finish()
    }
}
