//! What is asked at each tick. Each probe answers for its own sources, in their order, by the deadline.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use heapsoak_probe::node::GcKind;
use heapsoak_probe::own;
use heapsoak_probe::page::{Page, PageGc, PageReading};
use heapsoak_probe::process::{ProcessTree, TreeReading};
use heapsoak_rrd::Reading;
use tokio::task::JoinHandle;

use super::axis::Axis;
use super::checkpoint::Asked;
use super::program_watch::new_gc;
use super::registry::{Block, Sample};
use super::status::Progress;
use super::tick::Tick;
use super::writer::Recording;
use crate::memory;

/// Something that is asked at each tick.
pub(crate) trait Probe: Send {
    /// The readings of its sources, in `deadline` at the longest; what is late or gone is unknown.
    fn read(&mut self, tick: Tick, deadline: Duration) -> BoxFuture<'_, Sample>;
}

/// Where the loop leaves what the probes shall watch from the next tick on: a page, a process tree.
#[derive(Debug)]
pub(crate) struct Handover<T>(Arc<Place<T>>);

#[derive(Debug)]
struct Place<T> {
    change: Mutex<Change<T>>,
    /// What was given last could not be watched any more.
    lost: AtomicBool,
}

#[derive(Debug)]
enum Change<T> {
    None,
    Gone,
    New(T),
}

impl<T> Handover<T> {
    /// A place with nothing in it.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Place { change: Mutex::new(Change::None), lost: AtomicBool::new(false) }))
    }

    /// Another handle to the same place.
    pub(crate) fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// Watch this from now on.
    pub(crate) fn give(&self, target: T) {
        self.change(Change::New(target));
    }

    /// There is nothing to watch until the next [`Handover::give`].
    pub(crate) fn withdraw(&self) {
        self.change(Change::Gone);
    }

    /// Whether what was given last cannot be watched any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.0.lost.load(Ordering::Relaxed)
    }

    fn lose(&self) {
        self.0.lost.store(true, Ordering::Relaxed);
    }

    fn change(&self, change: Change<T>) {
        self.0.lost.store(false, Ordering::Relaxed);
        *self.0.change.lock().unwrap_or_else(PoisonError::into_inner) = change;
    }

    fn take_into(&self, held: &mut Option<T>) {
        let mut place = self.0.change.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *place, Change::None) {
            Change::None => {}
            Change::Gone => *held = None,
            Change::New(target) => *held = Some(target),
        }
    }
}

/// The page in the browser.
pub(crate) struct PageProbe {
    block: Block,
    handover: Handover<Page>,
    page: Option<Page>,
    progress: Progress,
}

impl PageProbe {
    pub(crate) fn new(block: Block, handover: Handover<Page>, progress: Progress) -> Self {
        Self { block, handover, page: None, progress }
    }

    async fn ask(&mut self, deadline: Duration) -> PageReading {
        self.handover.take_into(&mut self.page);
        let Some(page) = &mut self.page else { return PageReading::default() };
        page.sample(deadline).await.unwrap_or_else(|error| {
            // The loop meets the same fault and tells it, or finds the page well and connects again.
            tracing::debug!("the page is watched no more: {error}");
            self.page = None;
            self.handover.lose();
            PageReading::default()
        })
    }
}

impl Probe for PageProbe {
    fn read(&mut self, _tick: Tick, deadline: Duration) -> BoxFuture<'_, Sample> {
        async move {
            let now = self.ask(deadline).await;
            self.progress.heap(now.heap_used);
            self.block.sample([
                now.heap_used,
                now.heap_total,
                now.embedder_heap,
                now.backing_store,
                now.dom_nodes,
                now.listeners,
                now.documents,
            ])
        }
        .boxed()
    }
}

/// The garbage collections of a page, and where they are stored.
pub(crate) struct Collections {
    pub(crate) watch: PageGc,
    pub(crate) recording: Recording,
    /// Those that were asked for are stored by who asked.
    pub(crate) asked: Asked,
}

/// The garbage collector of the page.
pub(crate) struct PageGcProbe {
    block: Block,
    label: &'static str,
    handover: Handover<Collections>,
    held: Option<Collections>,
    axis: Axis,
}

impl PageGcProbe {
    pub(crate) fn new(block: Block, label: Option<&'static str>, handover: Handover<Collections>, axis: Axis) -> Self {
        Self { block, label: label.unwrap_or_default(), handover, held: None, axis }
    }
}

impl Probe for PageGcProbe {
    fn read(&mut self, _tick: Tick, _deadline: Duration) -> BoxFuture<'_, Sample> {
        self.handover.take_into(&mut self.held);
        let Some(Collections { watch, recording, asked }) = &mut self.held else { return ready(Sample::new()).boxed() };
        let now = watch.read(self.axis.now().as_micros());
        let of_page = now.collections.iter().filter(|gc| gc.kind == GcKind::Minor || !asked.covers(gc.time_us));
        recording.collections(of_page.map(|gc| new_gc(self.label.to_owned(), gc)).collect());
        if let Some(reason) = now.refusal {
            recording.event("gc_not_watched", format!("the browser traces for somebody else: {reason}"));
        }
        ready(self.block.sample([now.heap_floor, now.gc_minor, now.gc_major, now.gc_pause_ms])).boxed()
    }
}

/// Work that blocks (`/proc` may, for as long as it likes), on another thread and never twice at a time. What is not done
/// in time is unknown at this tick and waited for at the next.
pub(crate) struct Aside<T>(Option<JoinHandle<T>>);

impl<T: Send + 'static> Aside<T> {
    pub(crate) fn new() -> Self {
        Self(None)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// Does `work` unless some is still under way; none when it is not done by `deadline`.
    pub(crate) async fn ask(&mut self, deadline: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let under_way = self.0.get_or_insert_with(|| tokio::task::spawn_blocking(work));
        let done = tokio::time::timeout(deadline, under_way).await.ok()?;
        self.0 = None;
        done.ok()
    }
}

/// The browser's processes.
pub(crate) struct BrowserProbe {
    block: Block,
    handover: Handover<ProcessTree>,
    tree: Arc<Mutex<Option<ProcessTree>>>,
    aside: Aside<Option<TreeReading>>,
}

impl BrowserProbe {
    pub(crate) fn new(block: Block, handover: Handover<ProcessTree>) -> Self {
        Self { block, handover, tree: Arc::default(), aside: Aside::new() }
    }
}

impl Probe for BrowserProbe {
    fn read(&mut self, _tick: Tick, deadline: Duration) -> BoxFuture<'_, Sample> {
        let (tree, handover) = (Arc::clone(&self.tree), self.handover.share());
        let work = move || {
            let mut tree = tree.lock().unwrap_or_else(PoisonError::into_inner);
            handover.take_into(&mut tree);
            tree.as_mut()?.sample().inspect_err(|error| tracing::debug!("{error}")).ok()
        };
        async move {
            let now = self.aside.ask(deadline, work).await.flatten();
            self.block.sample([now.and_then(|now| now.total_bytes), now.and_then(|now| now.renderer_bytes)])
        }
        .boxed()
    }
}

/// How often the scenario was passed through, and how often in vain.
pub(crate) struct LoopProbe(pub(crate) Block, pub(crate) Progress);

impl Probe for LoopProbe {
    fn read(&mut self, _tick: Tick, _deadline: Duration) -> BoxFuture<'_, Sample> {
        ready(self.0.sample([self.1.iterations(), self.1.failures()])).boxed()
    }
}

/// The recorder itself.
pub(crate) struct OwnProbe(pub(crate) Block);

impl Probe for OwnProbe {
    fn read(&mut self, tick: Tick, _deadline: Duration) -> BoxFuture<'_, Sample> {
        let heap = u64::try_from(memory::heap_bytes()).ok();
        let lag_ms = tick.lag.as_secs_f64() * 1e3;
        let readings = [Reading::from(heap), Reading::from(own::rss_bytes().ok()), Reading::from(lag_ms)];
        ready(self.0.sample(readings)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::Registry;
    use super::super::sources;
    use super::super::tick::Clock;
    use super::*;

    #[test]
    fn a_probe_watches_what_was_given_last_and_nothing_after_it_was_withdrawn() {
        let place = Handover::new();
        let other = place.share();
        let mut held = None;
        place.take_into(&mut held);
        assert_eq!(held, None);
        other.give(1);
        other.give(2);
        place.take_into(&mut held);
        place.take_into(&mut held);
        assert_eq!(held, Some(2));
        place.lose();
        assert!(other.is_lost());
        other.withdraw();
        place.take_into(&mut held);
        assert_eq!((held, other.is_lost()), (None, false));
    }

    #[tokio::test]
    async fn a_probe_with_nothing_to_watch_says_unknown_for_each_source() {
        let tick = Tick { time_us: 0, lag: Duration::ZERO, missed: 0, clock: Clock::Even };
        let registry = Registry::default();
        let block = registry.add(None, sources::PAGE).unwrap();
        let mut probe = PageProbe::new(block, Handover::new(), Progress::default());
        let sample = probe.read(tick, Duration::from_secs(1)).await;
        assert_eq!(sample.len(), sources::PAGE.len());
        assert!(sample.iter().all(|(_, reading)| *reading == Reading::Unknown), "{sample:?}");
    }

    #[tokio::test]
    async fn work_that_hangs_delays_no_tick_and_is_not_begun_a_second_time() {
        let (mut aside, (go, wait)) = (Aside::new(), std::sync::mpsc::sync_channel::<()>(0));
        let short = Duration::from_millis(20);
        let hangs = move || {
            let _ = wait.recv();
            1
        };
        assert_eq!(aside.ask(short, hangs).await, None);
        assert_eq!(aside.ask(short, || 2).await, None, "the first is still under way");
        drop(go);
        assert_eq!(aside.ask(Duration::from_secs(20), || 3).await, Some(1));
        assert_eq!(aside.ask(Duration::from_secs(20), || 4).await, Some(4));
    }
}
