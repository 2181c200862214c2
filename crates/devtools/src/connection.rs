//! The background task that owns one WebSocket, and the state it shares with the handles.
use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use serde_json::Value;
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot, watch},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message, error::ProtocolError},
};

use crate::{
    Ending,
    subscription::Subscribers,
    wire::{self, Head, Refusal},
};

/// How long the closing handshake may take once nobody holds the connection: a stopped peer never answers it.
const GOODBYE: Duration = Duration::from_millis(500);

type Reply = oneshot::Sender<Result<Value, Refusal>>;
type Socket = WebSocketStream<TcpStream>;

/// A command on its way out.
pub(crate) struct Outgoing {
    pub(crate) id: u64,
    pub(crate) text: String,
}

/// What the task and the handles share.
pub(crate) struct Shared {
    /// Commands that wait for an answer; none once the connection is over.
    pending: Mutex<Option<HashMap<u64, Reply>>>,
    next_id: AtomicU64,
    unclaimed: AtomicU64,
    ended: watch::Sender<Option<Ending>>,
    pub(crate) subscribers: Subscribers,
}

impl Shared {
    pub(crate) fn new() -> Shared {
        Shared {
            pending: Mutex::new(Some(HashMap::new())),
            next_id: AtomicU64::new(1),
            unclaimed: AtomicU64::new(0),
            ended: watch::Sender::new(None),
            subscribers: Subscribers::new(),
        }
    }

    /// Books a place for an answer. None when the connection is over.
    pub(crate) fn expect(&self) -> Option<(Expected<'_>, oneshot::Receiver<Result<Value, Refusal>>)> {
        let (sender, receiver) = oneshot::channel();
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        self.with_pending(|pending| pending.insert(id, sender))?;
        Some((Expected { id, shared: self }, receiver))
    }

    /// Why the connection is over, if it is.
    pub(crate) fn ending(&self) -> Option<Ending> {
        self.ended.borrow().clone()
    }

    pub(crate) fn watch_end(&self) -> watch::Receiver<Option<Ending>> {
        self.ended.subscribe()
    }

    /// Answers that nobody waited for any more.
    pub(crate) fn unclaimed(&self) -> u64 {
        self.unclaimed.load(Ordering::Relaxed)
    }

    fn with_pending<T>(&self, act: impl FnOnce(&mut HashMap<u64, Reply>) -> T) -> Option<T> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(act)
    }

    fn is_expected(&self, id: u64) -> bool {
        self.with_pending(|pending| pending.contains_key(&id)).unwrap_or(false)
    }

    fn end(&self, ending: Ending) {
        // The reason comes first: whoever sees the answers gone must find it.
        self.ended.send_if_modified(|ended| {
            let first = ended.is_none();
            ended.get_or_insert(ending);
            first
        });
        *self.pending.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.subscribers.end();
    }

    /// Takes one message of the peer to whoever waits for it.
    fn route(&self, text: &str) -> Result<(), wire::Malformed> {
        match wire::head(text)? {
            Head::Answer { id } => {
                let Some(Some(reply)) = self.with_pending(|pending| pending.remove(&id)) else {
                    self.unclaimed.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                };
                // The caller may have left in this very moment; then the answer is late like any other.
                if reply.send(wire::outcome(text)?).is_err() {
                    self.unclaimed.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            }
            Head::Event { method, session } => self.subscribers.publish(&method, session.as_deref(), text),
            Head::Complaint(refusal) => {
                tracing::debug!(code = refusal.code, message = refusal.message, "the peer could not read a command");
                Ok(())
            }
        }
    }
}

/// A booked answer. Dropping it gives the place back, so that a deadline or a cancelled call leaves nothing behind.
pub(crate) struct Expected<'a> {
    pub(crate) id: u64,
    shared: &'a Shared,
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        self.shared.with_pending(|pending| pending.remove(&self.id));
    }
}

/// Marks the connection as over even when the task is cut off with its runtime.
struct EndGuard<'a>(&'a Shared);

impl Drop for EndGuard<'_> {
    fn drop(&mut self) {
        self.0.end(Ending::Dropped);
    }
}

/// Carries messages both ways until the peer is gone or `handles` says that nobody holds the connection any more.
pub(crate) async fn run(
    socket: Socket,
    outbox: mpsc::Receiver<Outgoing>,
    handles: oneshot::Receiver<Infallible>,
    shared: std::sync::Arc<Shared>,
) {
    let guard = EndGuard(&shared);
    let (mut sink, mut stream) = socket.split();
    let ending = tokio::select! {
        ending = read(&mut stream, &shared) => ending,
        ending = write(&mut sink, outbox, &shared) => ending,
        _ = handles => Ending::Dropped,
    };
    tracing::debug!(%ending, "DevTools connection over");
    shared.end(ending);
    drop(guard);
    // Nothing hangs on the outcome: the socket is closed right after, handshake or not.
    let _ = timeout(GOODBYE, sink.close()).await;
}

async fn read(stream: &mut SplitStream<Socket>, shared: &Shared) -> Ending {
    loop {
        match stream.next().await {
            None | Some(Ok(Message::Close(_))) => return Ending::PeerClosed,
            Some(Ok(Message::Text(text))) => {
                if let Err(malformed) = shared.route(&text) {
                    return Ending::NotDevTools(malformed.to_string());
                }
            }
            Some(Ok(Message::Binary(_))) => return Ending::NotDevTools("a message is binary".to_owned()),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Err(error)) => return ending_of(&error),
        }
    }
}

async fn write(sink: &mut SplitSink<Socket, Message>, mut outbox: mpsc::Receiver<Outgoing>, shared: &Shared) -> Ending {
    while let Some(Outgoing { id, text }) = outbox.recv().await {
        // A command whose caller gave up while the peer did not read must not reach it late.
        if !shared.is_expected(id) {
            continue;
        }
        if let Err(error) = sink.send(Message::text(text)).await {
            return ending_of(&error);
        }
    }
    Ending::Dropped
}

/// A peer that died shows as any of several errors; what the caller must do is the same for all of them.
fn ending_of(error: &tungstenite::Error) -> Ending {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error {
        tungstenite::Error::ConnectionClosed
        | tungstenite::Error::AlreadyClosed
        | tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ending::PeerClosed,
        tungstenite::Error::Io(error)
            if matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof) =>
        {
            Ending::PeerClosed
        }
        other => Ending::Broken(other.to_string()),
    }
}
