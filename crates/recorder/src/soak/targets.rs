//! What a run watches: a page, a command, processes, or several of them on one time axis.

use std::collections::HashSet;

use anyhow::bail;

use super::attached::{self, Attached};
use super::axis::Axis;
use super::checkpoint::Checkpoints;
use super::command::StartError;
use super::command_target::CommandTarget;
use super::ending::Ending;
use super::page_loop::PageLoop;
use super::probes::{BrowserProbe, LoopProbe, OwnProbe, PageGcProbe, PageProbe, Probe};
use super::registry::Registry;
use super::sources;
use super::status::Progress;
use super::writer::Recording;
use crate::settings::Soak;

/// The targets of a run.
pub(crate) struct Targets {
    page: Option<PageLoop>,
    command: Option<CommandTarget>,
    attached: Vec<Attached>,
    probes: Vec<Box<dyn Probe>>,
    registry: Registry,
}

impl Targets {
    /// Finds out what there is to watch and enters its sources; starts nothing yet.
    ///
    /// # Errors
    /// When a target cannot be had.
    pub(crate) async fn prepare(settings: &Soak, progress: &Progress, axis: &Axis) -> anyhow::Result<Self> {
        let registry = Registry::default();
        can_be_collected(settings)?;
        let several = several(settings);
        let label = several.then_some("page");
        let mut probes: Vec<Box<dyn Probe>> = Vec::new();
        let page = match &settings.page {
            None => None,
            Some(page) => {
                let checkpoints =
                    settings.judging.checkpoint_gc.map(|every| Checkpoints::new(every, label, axis.clone()));
                Some(PageLoop::prepare(page, progress.clone(), checkpoints).await?)
            }
        };
        if let Some(page) = &page {
            let block = registry.add(label, sources::PAGE)?;
            probes.push(Box::new(PageProbe::new(block, page.page(), progress.clone())));
            let block = registry.add(label, sources::PAGE_GC)?;
            probes.push(Box::new(PageGcProbe::new(block, label, page.collections(), axis.clone())));
            probes.push(Box::new(BrowserProbe::new(registry.add(None, sources::BROWSER)?, page.processes())));
            probes.push(Box::new(LoopProbe(registry.add(None, sources::LOOP)?, progress.clone())));
        }
        let command = match settings.command.as_slice() {
            [] => None,
            command => Some(CommandTarget::prepare(command, &registry, settings.judging.checkpoint_gc)?),
        };
        if let Some(command) = &command {
            probes.push(Box::new(command.probe(axis.clone())));
        }
        let attached = attach(settings, several, &registry).await?;
        for target in &attached {
            probes.push(Box::new(target.probe(axis.clone())));
        }
        probes.push(Box::new(OwnProbe(registry.add(None, sources::OWN)?)));
        Ok(Self { page, command, attached, probes, registry })
    }

    /// The sources so far.
    pub(crate) fn registry(&self) -> Registry {
        self.registry.clone()
    }

    /// What is to be asked at each tick; once.
    pub(crate) fn probes(&mut self) -> Vec<Box<dyn Probe>> {
        std::mem::take(&mut self.probes)
    }

    /// For people: a URL, a command line, processes.
    pub(crate) fn names(&self) -> String {
        let page = self.page.iter().map(PageLoop::target);
        let command = self.command.iter().map(CommandTarget::target);
        let attached = self.attached.iter().map(|target| target.target().to_owned());
        page.chain(command).chain(attached).collect::<Vec<_>>().join(", ")
    }

    /// Starts the command, and begins to watch what already runs.
    ///
    /// # Errors
    /// When the command cannot be started.
    pub(crate) fn start(&mut self, recording: &Recording) -> Result<(), StartError> {
        self.attached.iter().for_each(|target| target.start(&self.registry, recording));
        self.command.as_mut().map_or(Ok(()), |command| command.start(recording))
    }

    /// Drives the page and waits for the others, until one of them ends the run.
    pub(crate) async fn run(&mut self, recording: &Recording, axis: &Axis, iterations: Option<u64>) -> Ending {
        let Self { page, command, attached, .. } = self;
        let page = async {
            match page {
                Some(page) => page.run(recording, iterations).await,
                None => std::future::pending().await,
            }
        };
        let command = async {
            match command {
                Some(command) => command.run(axis).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            ending = command => ending,
            ending = page => ending,
            ending = attached::all_gone(attached, axis) => ending,
        }
    }

    /// Where nothing can be recorded any more: lets the command run to its end all the same, which is not ours to hasten.
    /// Gives its status.
    pub(crate) async fn outlast(&mut self, reason: &str, recording: &Recording) -> Option<u8> {
        let command = self.command.as_mut()?;
        if let Some(page) = &mut self.page {
            page.close(recording).await;
        }
        command.outlast(reason).await
    }

    /// Ends what we started: browser, driver, command. What already ran goes on, without us.
    pub(crate) async fn close(&mut self, recording: &Recording, axis: &Axis) {
        let Self { page, command, attached, .. } = self;
        let page = async {
            if let Some(page) = page {
                page.close(recording).await;
            }
        };
        let command = async {
            if let Some(command) = command {
                command.close(axis).await;
            }
        };
        let attached = async {
            for target in attached.iter() {
                target.close().await;
            }
        };
        tokio::join!(page, command, attached);
    }
}

async fn attach(settings: &Soak, several: bool, registry: &Registry) -> anyhow::Result<Vec<Attached>> {
    let label = |own: &Option<String>, kind: &str, number: usize| {
        own.clone().or_else(|| several.then(|| format!("{kind}{number}")))
    };
    let checkpoint = settings.judging.checkpoint_gc;
    each_once(settings)?;
    let mut attached = Vec::new();
    for (number, node) in (1..).zip(&settings.nodes) {
        attached.push(Attached::node(node, label(&node.label, "node", number), registry, checkpoint).await?);
    }
    for (number, process) in (1..).zip(&settings.pids) {
        attached.push(Attached::process(process, label(&process.label, "pid", number), registry, checkpoint).await?);
    }
    Ok(attached)
}

/// A target that is named twice would be two series of one program.
fn each_once(settings: &Soak) -> anyhow::Result<()> {
    let nodes = settings.nodes.iter().map(|node| format!("--node {}", server_of(&node.place)));
    let pids = settings.pids.iter().map(|process| format!("--pid {}", process.pid));
    let mut seen = HashSet::new();
    match nodes.chain(pids).find(|name| !seen.insert(name.clone())) {
        Some(twice) => bail!("{twice} is given twice; leave one out"),
        None => Ok(()),
    }
}

/// `HOST:PORT` of a place: one inspector serves one program.
fn server_of(place: &str) -> String {
    let server = place.split_once("://").map_or(place, |(_, rest)| rest.split('/').next().unwrap_or(rest));
    server.replace("localhost:", "127.0.0.1:")
}

/// `--checkpoint-gc` needs a target that can be asked.
fn can_be_collected(settings: &Soak) -> anyhow::Result<()> {
    let asks = settings.page.is_some() || !settings.command.is_empty() || !settings.nodes.is_empty();
    if settings.judging.checkpoint_gc.is_some() && !asks && !settings.pids.iter().any(|process| process.attach) {
        bail!(
            "--checkpoint-gc: nobody can ask a process from outside for a collection; \
             add --attach if it is a Node program, or leave it out"
        );
    }
    Ok(())
}

/// With several targets each has a label before its sources.
fn several(settings: &Soak) -> bool {
    let command = usize::from(!settings.command.is_empty());
    let page = usize::from(settings.page.is_some());
    page + command + settings.nodes.len() + settings.pids.len() > 1
}
