//! Events for those who asked for them, without ever making the socket wait.
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use serde_json::Value;
use tokio::sync::mpsc;

use crate::wire::{self, Malformed};

/// Most events that wait for one subscriber. A second of tracing is some hundred; more means nobody reads.
const QUEUE_EVENTS: usize = 1024;
/// Most bytes of event text that wait for one subscriber. Heap snapshots come in pieces of about 100 kB.
const QUEUE_BYTES: usize = 16 << 20;

/// Something that happened in a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `Domain.name`.
    pub method: String,
    /// The event's parameters, null when it has none.
    pub params: Value,
    /// The flattened session it happened in; none for the connection's own target.
    pub session: Option<String>,
}

/// The receiving end of [`crate::Client::subscribe`]. It does not keep the connection alive.
#[derive(Debug)]
pub struct Subscription {
    queue: mpsc::Receiver<(Event, usize)>,
    meter: Arc<Meter>,
}

#[derive(Debug, Default)]
struct Meter {
    dropped: AtomicU64,
    queued_bytes: AtomicUsize,
}

impl Subscription {
    /// The next event; none when the connection is over and all events were read. Cancel safe. Waits without a limit.
    pub async fn recv(&mut self) -> Option<Event> {
        let (event, bytes) = self.queue.recv().await?;
        self.meter.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
        Some(event)
    }

    /// An event that has already come, if any.
    pub fn try_recv(&mut self) -> Option<Event> {
        let (event, bytes) = self.queue.try_recv().ok()?;
        self.meter.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
        Some(event)
    }

    /// How many events were lost so far because this subscriber did not keep up.
    pub fn dropped(&self) -> u64 {
        self.meter.dropped.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
struct Subscriber {
    session: Option<String>,
    queue: mpsc::Sender<(Event, usize)>,
    meter: Arc<Meter>,
}

/// All subscribers of one connection; none once it is over.
#[derive(Debug)]
pub(crate) struct Subscribers(Mutex<Option<Vec<Subscriber>>>);

impl Subscribers {
    pub(crate) fn new() -> Subscribers {
        Subscribers(Mutex::new(Some(Vec::new())))
    }

    /// A subscription to the events of one session, or of the connection's own target.
    pub(crate) fn add(&self, session: Option<String>) -> Subscription {
        let (sender, queue) = mpsc::channel(QUEUE_EVENTS);
        let meter = Arc::new(Meter::default());
        if let Some(all) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            all.retain(|subscriber| !subscriber.queue.is_closed());
            all.push(Subscriber { session, queue: sender, meter: Arc::clone(&meter) });
        }
        Subscription { queue, meter }
    }

    /// Hands the event in `text` to those who want it. Its parameters are read only when there is somebody.
    pub(crate) fn publish(&self, method: &str, session: Option<&str>, text: &str) -> Result<(), Malformed> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(all) = guard.as_mut() else { return Ok(()) };
        all.retain(|subscriber| !subscriber.queue.is_closed());
        let mut wanted = all.iter().filter(|subscriber| subscriber.session.as_deref() == session).peekable();
        if wanted.peek().is_none() {
            return Ok(());
        }
        let params = wire::params(text)?;
        for subscriber in wanted {
            let event =
                Event { method: method.to_owned(), params: params.clone(), session: session.map(str::to_owned) };
            subscriber.offer(event, text.len());
        }
        Ok(())
    }

    /// Ends every subscription: what is queued can still be read.
    pub(crate) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Subscriber {
    fn offer(&self, event: Event, bytes: usize) {
        let waiting = self.meter.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        // One event larger than the whole budget still gets through to a subscriber that keeps up.
        let fits = waiting == 0 || waiting.saturating_add(bytes) <= QUEUE_BYTES;
        if !fits || self.queue.try_send((event, bytes)).is_err() {
            self.meter.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.meter.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeping_subscriber_loses_events_and_is_told_how_many() {
        let all = Subscribers::new();
        let mut slow = all.add(None);
        for _ in 0..QUEUE_EVENTS + 7 {
            all.publish("A.b", None, r#"{"method":"A.b","params":{"n":1}}"#).unwrap();
        }
        assert_eq!(slow.dropped(), 7);
        assert_eq!(std::iter::from_fn(|| slow.try_recv()).count(), QUEUE_EVENTS);
    }

    #[test]
    fn large_events_do_not_pile_up_to_more_than_the_byte_budget() {
        let all = Subscribers::new();
        let mut slow = all.add(None);
        let text = format!(r#"{{"method":"A.b","params":{{"chunk":"{}"}}}}"#, "x".repeat(QUEUE_BYTES / 4));
        for _ in 0..10 {
            all.publish("A.b", None, &text).unwrap();
        }
        assert_eq!((slow.dropped(), std::iter::from_fn(|| slow.try_recv()).count()), (7, 3));
        all.publish("A.b", None, &text).unwrap();
        assert!(slow.try_recv().is_some(), "room is given back when events are read");
    }

    #[test]
    fn events_of_another_session_do_not_come() {
        let all = Subscribers::new();
        let (mut own, mut other) = (all.add(None), all.add(Some("S".into())));
        all.publish("A.b", Some("S"), r#"{"method":"A.b","sessionId":"S"}"#).unwrap();
        assert_eq!(own.try_recv(), None);
        assert_eq!(other.try_recv().and_then(|event| event.session), Some("S".into()));
    }
}
