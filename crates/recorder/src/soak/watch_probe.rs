//! Asks a [`ProgramWatch`] at each tick, and the inspector through which its program is heard, if it is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use heapsoak_probe::node::Inspector;

use super::axis::Axis;
use super::probes::{Aside, Probe};
use super::program_watch::ProgramWatch;
use super::registry::Sample;
use super::tick::Tick;

/// What the probe and the end of a target both need; none before the start and after the end.
pub(crate) type SharedWatch = Arc<Mutex<Option<ProgramWatch>>>;

/// The inspector of a program, until it is closed.
pub(crate) type SharedInspector = Arc<tokio::sync::Mutex<Option<Inspector>>>;

/// Samples what is being watched.
pub(crate) struct WatchProbe {
    watch: SharedWatch,
    inspector: Option<SharedInspector>,
    axis: Axis,
    aside: Aside<Sample>,
}

impl WatchProbe {
    /// A probe of `watch`, which hears its program through `inspector`, if there is one.
    pub(crate) fn new(watch: SharedWatch, inspector: Option<SharedInspector>, axis: Axis) -> Self {
        Self { watch, inspector, axis, aside: Aside::new() }
    }

    async fn listen(&self, deadline: Duration) {
        let Some(shared) = &self.inspector else { return };
        let mut place = shared.lock().await;
        let Some(inspector) = place.as_mut() else { return };
        let heard = inspector.sample(deadline).await;
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        match (heard, watch.as_mut()) {
            (Ok(records), Some(watch)) => watch.hear(self.axis.now(), records),
            (Err(error), Some(watch)) => {
                tracing::debug!("the inspector is closed: {error}");
                watch.closed();
                *place = None;
            }
            (_, None) => {}
        }
    }
}

impl Probe for WatchProbe {
    fn read(&mut self, _tick: Tick, deadline: Duration) -> BoxFuture<'_, Sample> {
        async move {
            let begun = Instant::now();
            // What is still under way holds what the listening needs.
            if self.aside.is_idle() {
                self.listen(deadline).await;
            }
            let (watch, axis) = (Arc::clone(&self.watch), self.axis.clone());
            let ask = move || {
                let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
                watch.as_mut().map(|watch| watch.tick(axis.now())).unwrap_or_default()
            };
            self.aside.ask(deadline.saturating_sub(begun.elapsed()), ask).await.unwrap_or_default()
        }
        .boxed()
    }
}
