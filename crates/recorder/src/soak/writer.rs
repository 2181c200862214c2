//! The one writer: a thread of its own behind a bounded queue, so that neither a tick nor the loop waits for the disk.
//!
//! It commits what has come, checkpoints on a timer, and looks whether the file is still the one at its path. What cannot
//! be written now is kept and tried again with what comes next; only a file that is gone, or is another one, ends it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use heapsoak_rrd::Time;
use heapsoak_store::{Guardian, NewGc, Writer};
use tokio::sync::{oneshot, watch};

use super::axis::Axis;
use super::health::Health;
use super::layout::Layout;
use super::registry::{Registered, Sample};
use super::service::Pulse;

/// Messages that may wait while the disk is slow: ten minutes of samples at one a second.
const QUEUE: usize = 600;
/// A file copied alone lacks at most what was written since the last checkpoint.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);
/// A deleted or replaced file is silent for SQLite: only the path tells.
const LOOK_AT_PATH_EVERY: Duration = Duration::from_secs(3);
/// How long a slow disk is waited for before the run is judged by what is written.
const FLUSH: Duration = Duration::from_secs(10);

#[derive(Debug)]
enum Message {
    Sources(Vec<Registered>),
    Sample { time: Time, sample: Sample },
    Collections(Vec<NewGc>),
    Event { time: Time, kind: &'static str, detail: String },
    Flush(oneshot::Sender<()>),
    Guardians(Vec<Guardian>),
    End { time: Time, reason: String, status: u8 },
}

/// A handle to the writer; clones share it. Nothing sent through it blocks.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    queue: SyncSender<Message>,
    health: Health,
    axis: Axis,
    pulse: Pulse,
}

impl Recording {
    /// Sources that a target brought with it; their samples follow.
    pub(crate) fn sources(&self, more: Vec<Registered>) {
        self.send(Message::Sources(more));
    }

    /// All readings of one tick.
    pub(crate) fn sample(&self, time: Time, sample: Sample) {
        self.pulse.ticked(Instant::now());
        self.send(Message::Sample { time, sample });
    }

    /// The signs of life of ticks and writer.
    pub(crate) fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Garbage collections of a target.
    pub(crate) fn collections(&self, collections: Vec<NewGc>) {
        if !collections.is_empty() {
            self.send(Message::Collections(collections));
        }
    }

    /// Something that happened just now.
    pub(crate) fn event(&self, kind: &'static str, detail: impl Into<String>) {
        let detail = detail.into();
        tracing::info!("{kind}: {detail}");
        self.event_untold(kind, detail);
    }

    /// The same, of which nothing needs to be told on stderr.
    pub(crate) fn event_untold(&self, kind: &'static str, detail: impl Into<String>) {
        self.send(Message::Event { time: self.axis.now(), kind, detail: detail.into() });
    }

    /// All guardians that we have now: should we be killed, the next recorder sweeps what they leave.
    pub(crate) fn guardians(&self, guardians: Vec<Guardian>) {
        self.send(Message::Guardians(guardians));
    }

    fn send(&self, message: Message) {
        match self.queue.try_send(message) {
            Ok(()) => self.health.handed_over(Instant::now()),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => self.health.dropped(),
        }
    }
}

/// The thread, held by the run.
pub(crate) struct WriterThread {
    thread: JoinHandle<anyhow::Result<()>>,
    queue: SyncSender<Message>,
    failed: watch::Receiver<Option<String>>,
}

/// Starts the thread that owns `store`, whose run has begun.
pub(crate) fn start(
    store: Writer,
    layout: Layout,
    axis: Axis,
    health: Health,
) -> anyhow::Result<(Recording, WriterThread)> {
    let (queue, messages) = sync_channel(QUEUE);
    let (fail, failed) = watch::channel(None);
    let pulse = Pulse::new(Instant::now());
    let beat = pulse.clone();
    let work =
        Work { store, messages, health: health.clone(), layout, axis: axis.clone(), pulse: beat, wal_grows: false };
    let thread = std::thread::Builder::new()
        .name("store".into())
        .spawn(move || {
            let result = work.run();
            if let Err(error) = &result {
                fail.send_replace(Some(format!("{error:#}")));
            }
            result
        })
        .context("no thread for the store")?;
    Ok((Recording { queue: queue.clone(), health, axis, pulse }, WriterThread { thread, queue, failed }))
}

impl WriterThread {
    /// Resolves when the store can be written no more; the text is the reason.
    pub(crate) async fn failed(&mut self) -> String {
        match self.failed.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => "the thread of the store ended".into(),
        }
    }

    /// Waits until what was sent so far can be read.
    pub(crate) async fn flushed(&self) {
        let (done, flushed) = oneshot::channel();
        if self.queue.try_send(Message::Flush(done)).is_ok() {
            let _ = tokio::time::timeout(FLUSH, flushed).await;
        }
    }

    /// Ends the run, writes everything and leaves one file.
    ///
    /// # Errors
    /// When the last commit fails.
    pub(crate) fn end(self, time: Time, reason: String, status: u8) -> anyhow::Result<()> {
        // A full queue is emptied by the thread; when the thread is gone its own error is the one to tell.
        let _ = self.queue.send(Message::End { time, reason, status });
        self.thread.join().map_err(|_| anyhow!("the thread of the store panicked"))?
    }
}

struct Work {
    store: Writer,
    messages: Receiver<Message>,
    health: Health,
    layout: Layout,
    axis: Axis,
    pulse: Pulse,
    /// Whether the last checkpoint could not do its work, which is told once.
    wal_grows: bool,
}

impl Work {
    fn run(mut self) -> anyhow::Result<()> {
        let mut checkpoint_at = Instant::now() + CHECKPOINT_EVERY;
        let mut look_at = Instant::now() + LOOK_AT_PATH_EVERY;
        loop {
            self.pulse.came_round(Instant::now());
            let wait = checkpoint_at.min(look_at).saturating_duration_since(Instant::now());
            match self.messages.recv_timeout(wait) {
                Ok(first) => {
                    if self.take(first)? {
                        return self.finish();
                    }
                    self.commit()?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.finish(),
            }
            if Instant::now() >= look_at {
                match self.store.check_path() {
                    Err(error) if error.is_final() => {
                        // A -wal that was deleted is still ours: what is in it goes into the file before it is let go.
                        let _ = self.store.checkpoint();
                        return Err(error.into());
                    }
                    Err(error) => tracing::warn!("{error}"),
                    Ok(()) => {}
                }
                look_at = Instant::now() + LOOK_AT_PATH_EVERY;
            }
            if Instant::now() >= checkpoint_at {
                self.checkpoint()?;
                checkpoint_at = Instant::now() + CHECKPOINT_EVERY;
            }
        }
    }

    /// Applies `first` and whatever else waits; true when the end was among it.
    fn take(&mut self, first: Message) -> anyhow::Result<bool> {
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Sources(more) => self.layout.extend(&more, &mut self.store)?,
                Message::Sample { time, sample } => {
                    if let Err(error) = self.store.update(time, &self.layout.spread(sample)) {
                        tracing::warn!("a sample was refused: {error}");
                    }
                }
                Message::Collections(collections) => self.store.gc(&collections)?,
                Message::Event { time, kind, detail } => self.store.event(time, kind, &detail)?,
                Message::Flush(done) => {
                    self.commit()?;
                    // Who asked has waited long enough.
                    let _ = done.send(());
                }
                Message::Guardians(guardians) => self.store.set_guardians(guardians),
                Message::End { time, reason, status } => {
                    let dropped = self.health.drops();
                    if dropped > 0 {
                        self.store.event(
                            time,
                            "dropped",
                            &format!("{dropped} messages found no room in memory: the disk was too slow"),
                        )?;
                    }
                    self.store.event(time, "end", &reason)?;
                    self.store.end_run(time, &reason, status.into())?;
                    return Ok(true);
                }
            }
            next = self.messages.try_recv().ok();
        }
        Ok(false)
    }

    /// What cannot be written now stays pending in the store and is written with what comes next.
    fn commit(&mut self) -> anyhow::Result<()> {
        match self.store.commit() {
            Ok(()) => self.health.written(),
            Err(error) if error.is_final() => return Err(error.into()),
            Err(error) => self.health.failed(Instant::now(), error.to_string()),
        }
        Ok(())
    }

    fn checkpoint(&mut self) -> anyhow::Result<()> {
        let trouble = match self.store.checkpoint() {
            Ok(None) => None,
            Ok(Some(bytes)) => {
                Some(format!("it has {} MiB: a program keeps reading an old state of the store; end it", bytes >> 20))
            }
            Err(error) if error.is_final() => return Err(error.into()),
            Err(error) => Some(error.to_string()),
        };
        if let (Some(text), false) = (&trouble, self.wal_grows) {
            tracing::error!("the -wal grows and cannot be written back: {text}");
            self.store.event(self.axis.now(), "wal_grows", text)?;
        }
        self.wal_grows = trouble.is_some();
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        self.store.close().context("the end of the run is not written")
    }
}
