//! A tree of processes with Node programs in it: what is known of it at each tick, and how its programs end.
//!
//! The first Node program that is no launcher (npm, npx …) is *the* program and has plain names; others are labelled.
//! Everything here blocks for milliseconds (`/proc`): it runs on a blocking thread, never on the one that ticks.

use std::sync::Arc;

use heapsoak_probe::Error as ProbeError;
use heapsoak_probe::node::{
    Evidence, Gc, GcKind, Happening, KernelKills, Launch, NodeReading, Notice, Programs, Record, Seen, Status,
    classify, kernel_kills, observe,
};
use heapsoak_probe::process::{Memory, ProcessTree, TreeReading};
use heapsoak_rrd::{Reading, Time};
use heapsoak_store::{GcKind as StoredKind, NewGc};

use super::program_labels::{Labels, is_launcher};
use super::registry::{Block, Registry, Sample};
use super::sources;
use super::writer::Recording;

/// How long after the end of *the* program the end of its command is told by what was known of the program.
const SAME_END_US: i64 = 5_000_000;

/// What is watched, and what was said of it so far.
pub(crate) struct ProgramWatch {
    /// The process at the top, if it is one that we can look at.
    root: Option<u32>,
    label: Option<String>,
    launch: Option<Launch>,
    programs: Programs,
    tree: Option<ProcessTree>,
    kills: Option<u64>,
    registry: Registry,
    recording: Recording,
    process: Block,
    whole: Option<Block>,
    labels: Labels,
    shown: Vec<Shown>,
    /// The last words of *the* program, and when it was missed.
    last_words: Option<(i64, Evidence)>,
    /// Whether the programs are heard through an inspector that is open.
    connected: bool,
    /// A Node program that does not tell its heap, as of the last tick, and whether that was told.
    untold: Option<u32>,
    told_untold: bool,
    /// The preload is gone, and cannot be made again.
    without_preload: bool,
}

/// A Node program that has sources.
struct Shown {
    label: Arc<str>,
    pid: u32,
    block: Block,
    /// Its label in the store; none for *the* program.
    prefix: Option<String>,
}

/// The process to watch and where what is known of it goes.
pub(crate) struct Place {
    /// None: a program that is known by its inspector only.
    pub(crate) root: Option<u32>,
    pub(crate) label: Option<String>,
    pub(crate) registry: Registry,
    pub(crate) recording: Recording,
    pub(crate) process: Block,
    pub(crate) whole: Option<Block>,
}

impl ProgramWatch {
    /// Watches the tree under `place.root`; its Node programs tell by `launch`, if they were started with it.
    pub(crate) fn new(place: Place, launch: Option<Launch>) -> Self {
        let Place { root, label, registry, recording, process, whole } = place;
        Self {
            root,
            programs: Programs::new(None),
            tree: root.map(ProcessTree::new),
            kills: kernel_kills().ok().flatten(),
            labels: Labels::default(),
            shown: Vec::new(),
            last_words: None,
            connected: false,
            untold: None,
            told_untold: false,
            without_preload: false,
            label,
            launch,
            registry,
            recording,
            process,
            whole,
        }
    }

    /// What the programs said through an inspector.
    pub(crate) fn hear(&mut self, now: Time, records: Vec<Record>) {
        self.connected = true;
        records.into_iter().for_each(|record| self.programs.apply(now.as_micros(), record));
    }

    /// The inspector is closed: nothing can be heard through it any more.
    pub(crate) fn closed(&mut self) {
        self.connected = false;
        let pids: Vec<_> = self.programs.pids().collect();
        pids.into_iter().for_each(|pid| self.programs.closed(pid));
    }

    /// What is known at a tick.
    pub(crate) fn tick(&mut self, now: Time) -> Sample {
        let (programs, said) = self.programs_at(now);
        let tree =
            self.tree.as_mut().and_then(|tree| tree.sample().inspect_err(|error| tracing::debug!("{error}")).ok());
        self.tell_untold();
        if self.is_alive() {
            self.kills = kernel_kills().ok().flatten().or(self.kills);
        }
        let main = self.shown.iter().find(|shown| shown.prefix.is_none()).map(|shown| shown.pid).or(self.root);
        let memory = self.tree.as_ref().zip(main).and_then(|(tree, pid)| tree.process(pid));
        let mut sample = self.process.sample(of_process(memory, said));
        if let Some(whole) = self.whole {
            sample.extend(whole.sample(of_tree(tree)));
        }
        sample.extend(programs);
        sample
    }

    /// Whether what was to be watched is still there.
    pub(crate) fn is_alive(&self) -> bool {
        match self.root {
            // Its last words may still be on the way.
            Some(pid) => self.connected || !matches!(observe(pid), Ok(Seen::Gone)),
            None => self.last_words.is_none(),
        }
    }

    /// Whether there is a process whose end somebody has to tell.
    pub(crate) fn has_root(&self) -> bool {
        self.root.is_some()
    }

    /// Takes in the last words, and tells how the root ended: an event, and its sentence.
    pub(crate) fn end(&mut self, now: Time, status: Status) -> String {
        self.programs_at(now);
        let recent = self.last_words.filter(|(at, _)| now.as_micros() - at <= SAME_END_US);
        let evidence = recent.map(|(_, evidence)| evidence).unwrap_or_default();
        let kills = KernelKills { before: self.kills, after: kernel_kills().ok().flatten() };
        let end = classify(status, &evidence, kills);
        let (kind, sentence) = (kind_of(end.kind()), end.to_string());
        self.recording
            .event(kind, self.label.as_ref().map_or(sentence.clone(), |label| format!("{label}: {sentence}")));
        sentence
    }

    /// The readings of all Node programs, and the resident memory that *the* program says it has.
    fn programs_at(&mut self, now: Time) -> (Sample, Option<f64>) {
        let now_us = now.as_micros();
        if let Some(launch) = &mut self.launch {
            match launch.drain() {
                Ok(records) => records.into_iter().for_each(|record| self.programs.apply(now_us, record)),
                Err(error) => tracing::warn!("the programs are heard no more: {error}"),
            }
            let restored = launch.restore();
            self.tell_restored(restored);
        }
        let connected = self.connected;
        let tick = self.programs.tick(now_us, &mut |pid| match observe(pid) {
            // It speaks: then its pid is one of another machine or of a container.
            Ok(Seen::Gone) if connected => Seen::Unknowable,
            Ok(seen) => seen,
            Err(_) => Seen::Unknowable,
        });
        let (ended, others): (Vec<_>, Vec<_>) =
            tick.notices.into_iter().partition(|notice| matches!(notice.what, Happening::Ended(_)));
        others.into_iter().for_each(|notice| self.tell(&notice));
        self.store_collections(&tick.collections);
        let (mut sample, mut said) = (Sample::new(), None);
        for (label, reading) in &tick.readings {
            if let Some(shown) = self.shown.iter().find(|shown| shown.label == *label) {
                sample.extend(shown.block.sample(of_node(reading)));
                said = reading.rss.filter(|_| shown.prefix.is_none()).or(said);
            }
        }
        // After its last reading and collections, which still need to know where it stands.
        ended.into_iter().for_each(|notice| self.tell_end(now_us, &notice));
        (sample, said)
    }

    /// A Node program in the tree that cannot tell its heap is an event, once. Seen twice, it does not just start.
    fn tell_untold(&mut self) {
        let (Some(launch), Some(tree), false) = (&self.launch, &self.tree, self.told_untold) else { return };
        let heard: Vec<_> = self.programs.pids().collect();
        let untold = tree.pids().find(|pid| !heard.contains(pid) && launch.is_missing_in(*pid));
        let before = std::mem::replace(&mut self.untold, untold);
        if let Some(pid) = untold.filter(|pid| before == Some(*pid)) {
            self.told_untold = true;
            let detail = format!(
                "process {pid} runs Node, but does not tell its heap: it was started without the NODE_OPTIONS that its \
                 command was given; let what starts it (env, sudo, a service) pass them on"
            );
            self.recording.event("not_watched", detail);
        }
    }

    /// Somebody removed the preload of the programs: it is there again, or cannot be, which is told once.
    fn tell_restored(&mut self, restored: Result<bool, ProbeError>) {
        match restored {
            Ok(false) => self.without_preload = false,
            Ok(true) => {
                let detail = "a program or a cleaner removed the preload of Node programs; it is there again";
                self.recording.event("preload_restored", detail);
            }
            Err(error) if !std::mem::replace(&mut self.without_preload, true) => {
                tracing::warn!("Node programs cannot be started: {error}");
                self.recording.event("preload_lost", format!("Node programs cannot be started: {error}"));
            }
            Err(_) => {}
        }
    }

    fn tell(&mut self, notice: &Notice) {
        if let Happening::Appeared { script, .. } = &notice.what {
            self.show(notice, script.as_deref());
        }
        let detail = self.with_prefix(&notice.label, notice.what.to_string());
        self.recording.event(kind_of(notice.what.kind()), detail);
    }

    /// Gives a program that has appeared its sources; one that is started again gets those it had.
    fn show(&mut self, notice: &Notice, script: Option<&str>) {
        if let Some(shown) = self.shown.iter_mut().find(|shown| shown.label == notice.label) {
            shown.pid = notice.pid;
            return;
        }
        let main_is_known = self.shown.iter().any(|shown| shown.prefix.is_none());
        let prefix = if main_is_known || script.is_some_and(is_launcher) {
            Some(self.labels.short(&notice.label))
        } else {
            None
        };
        let label = match (&self.label, &prefix) {
            (Some(own), None) => Some(own.clone()),
            (_, prefix) => prefix.clone(),
        };
        match self.registry.add(label.as_deref(), sources::NODE) {
            Ok(block) => self.shown.push(Shown { label: Arc::clone(&notice.label), pid: notice.pid, block, prefix }),
            Err(error) => tracing::warn!("{} has no sources of its own: {error:#}", notice.label),
        }
    }

    fn tell_end(&mut self, now_us: i64, notice: &Notice) {
        let Happening::Ended(evidence) = notice.what else { return };
        let main = self.shown.iter().any(|shown| shown.label == notice.label && shown.prefix.is_none());
        if main {
            self.last_words = Some((now_us, evidence));
        }
        // How the root ended is told by who waits for it, with its status.
        if Some(notice.pid) != self.root {
            let kills = KernelKills { before: self.kills, after: kernel_kills().ok().flatten() };
            let end = classify(Status::Unknown, &evidence, kills);
            let detail = self.with_prefix(&notice.label, end.to_string());
            self.recording.event(kind_of(end.kind()), detail);
        }
    }

    fn with_prefix(&self, label: &Arc<str>, text: String) -> String {
        let shown = self.shown.iter().find(|shown| shown.label == *label);
        match shown.and_then(|shown| shown.prefix.as_ref()).or(self.label.as_ref()) {
            Some(prefix) => format!("{prefix}: {text}"),
            None => text,
        }
    }

    fn store_collections(&self, collections: &[(Arc<str>, Gc)]) {
        let of = |label: &Arc<str>| {
            let shown = self.shown.iter().find(|shown| shown.label == *label)?;
            Some(shown.prefix.clone().or_else(|| self.label.clone()).unwrap_or_default())
        };
        let stored = collections.iter().filter_map(|(label, gc)| Some(new_gc(of(label)?, gc))).collect();
        self.recording.collections(stored);
    }
}

/// A collection as the store takes it.
pub(super) fn new_gc(target: String, gc: &Gc) -> NewGc {
    NewGc {
        target,
        time: Time::from_micros(gc.time_us),
        kind: match gc.kind {
            GcKind::Minor => StoredKind::Minor,
            GcKind::Major => StoredKind::Major,
        },
        pause_ms: Some(gc.pause_ms),
        before_bytes: gc.before.map(whole_bytes),
        after_bytes: gc.after.map(whole_bytes),
        forced: gc.forced,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a heap has fewer than 2^53 bytes")]
fn whole_bytes(bytes: f64) -> u64 {
    bytes as u64
}

/// In the order of [`sources::NODE`].
fn of_node(now: &NodeReading) -> [Reading; 11] {
    [
        now.heap_used,
        now.heap_total,
        now.heap_limit,
        now.heap_floor,
        now.external,
        now.array_buffers,
        now.handles,
        now.loop_lag_ms,
        now.gc_minor,
        now.gc_major,
        now.gc_pause_ms,
    ]
    .map(Reading::from)
}

/// In the order of [`sources::PROCESS`]. `said` is the resident memory that the program itself says it has.
fn of_process(now: Option<Memory>, said: Option<f64>) -> [Reading; 3] {
    match now {
        Some(memory) => [Some(memory.rss_bytes), Some(memory.rss_anon_bytes), memory.pss_bytes].map(Reading::from),
        None => [said, None, None].map(Reading::from),
    }
}

/// In the order of [`sources::TREE`].
fn of_tree(now: Option<TreeReading>) -> [Reading; 3] {
    [now.and_then(|t| t.rss_bytes), now.and_then(|t| t.rss_anon_bytes), now.and_then(|t| t.total_bytes)]
        .map(Reading::from)
}

/// Kinds of events are written with `_`, like everything in the store.
fn kind_of(kind: &'static str) -> &'static str {
    match kind {
        "out-of-memory" => "out_of_memory",
        "kernel-oom" => "kernel_oom",
        "thrashing-end" => "thrashing_end",
        other => other,
    }
}
