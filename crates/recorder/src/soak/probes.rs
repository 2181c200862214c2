//! What is asked at each tick. Each probe answers for its own sources, in their order, by the deadline.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use heapsoak_probe::node::GcKind;
use heapsoak_probe::own;
use heapsoak_probe::page::{Page, PageGc, PageReading};
use heapsoak_probe::process::{ProcessTree, TreeReading};
use heapsoak_rrd::Reading;

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
pub(crate) struct Handover<T>(Arc<Mutex<Change<T>>>);

#[derive(Debug)]
enum Change<T> {
    None,
    Gone,
    New(T),
}

impl<T> Handover<T> {
    /// A place with nothing in it.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Change::None)))
    }

    /// Another handle to the same place.
    pub(crate) fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// Watch this from now on.
    pub(crate) fn give(&self, target: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Change::New(target);
    }

    /// There is nothing to watch until the next [`Handover::give`].
    pub(crate) fn withdraw(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Change::Gone;
    }

    fn take_into(&self, held: &mut Option<T>) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
            // The loop meets the same fault and tells it; here it is only the end of this page.
            tracing::debug!("the page is watched no more: {error}");
            self.page = None;
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

/// The browser's processes.
pub(crate) struct BrowserProbe {
    block: Block,
    handover: Handover<ProcessTree>,
    tree: Option<ProcessTree>,
}

impl BrowserProbe {
    pub(crate) fn new(block: Block, handover: Handover<ProcessTree>) -> Self {
        Self { block, handover, tree: None }
    }

    async fn ask(&mut self) -> Option<TreeReading> {
        self.handover.take_into(&mut self.tree);
        let mut tree = self.tree.take()?;
        // Reading /proc blocks for milliseconds: not on the thread that drives the page.
        let (tree, reading) = tokio::task::spawn_blocking(move || {
            let reading = tree.sample();
            (tree, reading)
        })
        .await
        .ok()?;
        self.tree = Some(tree);
        reading.inspect_err(|error| tracing::debug!("{error}")).ok()
    }
}

impl Probe for BrowserProbe {
    fn read(&mut self, _tick: Tick, _deadline: Duration) -> BoxFuture<'_, Sample> {
        async move {
            let now = self.ask().await;
            self.block.sample([now.and_then(|now| now.total_bytes), now.and_then(|now| now.renderer_bytes)])
        }
        .boxed()
    }
}

/// How often the scenario was passed through.
pub(crate) struct LoopProbe(pub(crate) Block, pub(crate) Progress);

impl Probe for LoopProbe {
    fn read(&mut self, _tick: Tick, _deadline: Duration) -> BoxFuture<'_, Sample> {
        ready(self.0.sample([self.1.iterations()])).boxed()
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
        other.withdraw();
        place.take_into(&mut held);
        assert_eq!(held, None);
    }

    #[tokio::test]
    async fn a_probe_with_nothing_to_watch_says_unknown_for_each_source() {
        let tick = Tick { time_us: 0, lag: Duration::ZERO, missed: 0, clock_step_us: None };
        let registry = Registry::default();
        let block = registry.add(None, sources::PAGE).unwrap();
        let mut probe = PageProbe::new(block, Handover::new(), Progress::default());
        let sample = probe.read(tick, Duration::from_secs(1)).await;
        assert_eq!(sample.len(), sources::PAGE.len());
        assert!(sample.iter().all(|(_, reading)| *reading == Reading::Unknown), "{sample:?}");
    }
}
