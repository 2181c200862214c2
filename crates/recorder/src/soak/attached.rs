//! Programs and processes that already run and are watched from outside, until all of them are gone.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use heapsoak_devtools::Reach;
use heapsoak_probe::node::{Inspector, Place as InspectorPlace, Seen, Status, observe, open_inspector};

use super::axis::Axis;
use super::ending::Ending;
use super::program_watch::{Place, ProgramWatch};
use super::registry::{Block, Registry};
use super::sources;
use super::watch_probe::{SharedInspector, SharedWatch, WatchProbe};
use super::writer::Recording;
use crate::settings::{Node, Process};

/// How often is looked whether a target is still there.
const LOOK: Duration = Duration::from_secs(1);
/// Each step of attaching; a program that is busy answers late.
const ATTACH: Duration = Duration::from_secs(5);
/// A program that does not let go is left as it is.
const DETACH: Duration = Duration::from_millis(500);

/// A target of `--node` or `--pid`.
pub(crate) struct Attached {
    name: String,
    root: Option<u32>,
    label: Option<String>,
    process: Block,
    whole: Option<Block>,
    watch: SharedWatch,
    inspector: Option<SharedInspector>,
    /// The inspector was opened for us, and is closed when we go.
    close_inspector: bool,
}

impl Attached {
    /// Attaches to a Node program by its inspector.
    ///
    /// # Errors
    /// When nothing listens there, it is no Node, or it is on another machine and that was not allowed.
    pub(crate) async fn node(
        node: &Node,
        label: Option<String>,
        registry: &Registry,
        checkpoint: Option<Duration>,
    ) -> anyhow::Result<Self> {
        let reach = if node.remote { Reach::Anywhere } else { Reach::Loopback };
        let place = InspectorPlace::parse(&node.place, reach).with_context(|| remedy(node))?;
        let inspector =
            Inspector::attach(&place, ATTACH, checkpoint).await.with_context(|| format!("--node {place}"))?;
        Ok(Self {
            name: format!("Node at {place}"),
            root: None,
            process: registry.add(label.as_deref(), sources::PROCESS)?,
            whole: None,
            label,
            watch: SharedWatch::default(),
            inspector: Some(share(inspector)),
            close_inspector: false,
        })
    }

    /// Makes ready to watch a process; with `attach` its Node's inspector is opened and attached to.
    ///
    /// # Errors
    /// When there is no such process, or it opens no inspector.
    pub(crate) async fn process(
        target: &Process,
        label: Option<String>,
        registry: &Registry,
        checkpoint: Option<Duration>,
    ) -> anyhow::Result<Self> {
        if matches!(observe(target.pid)?, Seen::Gone) {
            bail!("there is no process {}; look for it with pgrep", target.pid);
        }
        let opened = if target.attach { Some(open_inspector(target.pid, ATTACH).await?) } else { None };
        let inspector = match &opened {
            Some(opened) => {
                Some(Inspector::attach(&InspectorPlace::Listing(opened.address.clone()), ATTACH, checkpoint).await?)
            }
            None => None,
        };
        Ok(Self {
            name: format!("process {}", target.pid),
            root: Some(target.pid),
            process: registry.add(label.as_deref(), sources::PROCESS)?,
            whole: Some(registry.add(label.as_deref(), sources::TREE)?),
            label,
            watch: SharedWatch::default(),
            inspector: inspector.map(share),
            close_inspector: opened.is_some_and(|opened| opened.by_us),
        })
    }

    /// For people.
    pub(crate) fn target(&self) -> &str {
        &self.name
    }

    /// Its probe.
    pub(crate) fn probe(&self, axis: Axis) -> WatchProbe {
        WatchProbe::new(Arc::clone(&self.watch), self.inspector.clone(), axis)
    }

    /// Begins to watch.
    pub(crate) fn start(&self, registry: &Registry, recording: &Recording) {
        let place = Place {
            root: self.root,
            label: self.label.clone(),
            registry: registry.clone(),
            recording: recording.clone(),
            process: self.process,
            whole: self.whole,
        };
        *self.watch() = Some(ProgramWatch::new(place, None));
    }

    /// Lets go of the program: it is as it was before.
    pub(crate) async fn close(&self) {
        if let Some(shared) = &self.inspector
            && let Some(inspector) = shared.lock().await.take()
        {
            inspector.detach(self.close_inspector, DETACH).await;
        }
    }

    /// Whether it is still there; its end is told once.
    fn look(&self, axis: &Axis) -> bool {
        let mut watch = self.watch();
        match watch.as_ref().map(ProgramWatch::is_alive) {
            Some(true) => true,
            Some(false) => {
                // It is no child of ours: nobody tells us its status. A program without a process has told its end itself.
                watch.take().filter(ProgramWatch::has_root).map(|mut watch| watch.end(axis.now(), Status::Unknown));
                false
            }
            None => false,
        }
    }

    fn watch(&self) -> MutexGuard<'_, Option<ProgramWatch>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn share(inspector: Inspector) -> SharedInspector {
    Arc::new(tokio::sync::Mutex::new(Some(inspector)))
}

/// Where an address cannot be used: what it is an argument of, and the flag that it lacks, if it lacks one.
fn remedy(node: &Node) -> String {
    let is_remote = InspectorPlace::parse(&node.place, Reach::Anywhere).is_ok();
    let lacks = if is_remote { ": an inspector on another machine needs --allow-remote-inspector" } else { "" };
    format!("--node {}{lacks}", node.place)
}

/// Waits until all of `targets` are gone; for ever when there are none.
pub(crate) async fn all_gone(targets: &[Attached], axis: &Axis) -> Ending {
    if targets.is_empty() {
        return std::future::pending().await;
    }
    loop {
        tokio::time::sleep(LOOK).await;
        let alive = targets.iter().filter(|target| target.look(axis)).count();
        if alive == 0 {
            let names: Vec<_> = targets.iter().map(Attached::target).collect();
            return Ending::TargetsGone(names.join(", "));
        }
    }
}
