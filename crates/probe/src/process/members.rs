//! Which processes belong to a tree.
use std::collections::{HashMap, HashSet};

use procfs::{ProcResult, process::Process};

use super::{
    Kind,
    memory::{open, present},
};
use crate::Error;

/// One process of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Its id.
    pub pid: u32,
    /// Its parent's id.
    pub parent: u32,
    /// When it started, in clock ticks since boot: with the pid it names this process and no later one.
    pub start_ticks: u64,
    /// Its part in a browser.
    pub kind: Kind,
}

/// The process `root` and all its descendants, root first, zombies included; empty when `root` is gone.
///
/// # Errors
/// [`Error::Proc`] when `/proc` cannot be read.
pub fn tree(root: u32) -> Result<Vec<ProcessInfo>, Error> {
    let failed = |source| Error::Proc { what: format!("the processes under {root}"), source };
    let mut members = Members::new(root);
    members.refresh().map_err(failed)?;
    for member in members.known.values_mut() {
        member.refresh_kind(root).map_err(failed)?;
    }
    let mut infos: Vec<ProcessInfo> = members.known.into_values().map(|member| member.info).collect();
    infos.sort_by_key(|info| (info.pid != root, info.start_ticks, info.pid));
    Ok(infos)
}

/// A process of the tree, held open.
pub(super) struct Member {
    pub(super) info: ProcessInfo,
    pub(super) process: Process,
}

/// A tree that is followed from tick to tick. A process that was once seen outside the tree is not looked at again:
/// nothing is adopted into a tree but by its own dead, so only new pids cost more than their directory entry.
pub(super) struct Members {
    root: u32,
    pub(super) known: HashMap<u32, Member>,
    strangers: HashSet<u32>,
}

impl Members {
    pub(super) fn new(root: u32) -> Members {
        Members { root, known: HashMap::new(), strangers: HashSet::new() }
    }

    /// Finds new members, and says whether there are any. Those that ended are dropped by [`Members::forget`], by whoever
    /// finds that out.
    pub(super) fn refresh(&mut self) -> ProcResult<bool> {
        let listed = pids()?;
        self.strangers.retain(|pid| listed.contains(pid));
        let unseen: Vec<u32> =
            listed.into_iter().filter(|pid| !self.known.contains_key(pid) && !self.strangers.contains(pid)).collect();
        let mut candidates = Vec::with_capacity(unseen.len());
        for pid in unseen {
            if let Some(member) = look(pid)? {
                candidates.push(member);
            }
        }
        let before = self.known.len();
        self.admit(candidates);
        Ok(self.known.len() > before)
    }

    pub(super) fn forget(&mut self, pid: u32) {
        self.known.remove(&pid);
    }

    /// Takes in the candidates that descend from a member, children of candidates included; the others are strangers.
    fn admit(&mut self, mut candidates: Vec<Member>) {
        loop {
            let (found, rest): (Vec<Member>, Vec<Member>) = candidates
                .into_iter()
                .partition(|it| it.info.pid == self.root || self.known.contains_key(&it.info.parent));
            candidates = rest;
            if found.is_empty() {
                break;
            }
            self.known.extend(found.into_iter().map(|member| (member.info.pid, member)));
        }
        self.strangers.extend(candidates.into_iter().map(|stranger| stranger.info.pid));
    }
}

impl Member {
    /// Reads the command line again: between fork and exec, or before it wrote its title, a process shows its parent's.
    ///
    /// The root is the main process whatever it was told: its arguments may hold a URL of any text.
    pub(super) fn refresh_kind(&mut self, root: u32) -> ProcResult<()> {
        if self.info.pid == root {
            return Ok(());
        }
        if let Some(cmdline) = present(self.process.cmdline())? {
            self.info.kind = Kind::of(&cmdline.join("\0"));
        }
        Ok(())
    }
}

fn pids() -> ProcResult<HashSet<u32>> {
    let entries = std::fs::read_dir("/proc").map_err(|error| procfs::ProcError::Io(error, Some("/proc".into())))?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
}

/// A process as it is now; none when it ended meanwhile.
fn look(pid: u32) -> ProcResult<Option<Member>> {
    let Some(process) = present(open(pid))? else { return Ok(None) };
    let Some(stat) = present(process.stat())? else { return Ok(None) };
    let parent = u32::try_from(stat.ppid).unwrap_or(0);
    let info = ProcessInfo { pid, parent, start_ticks: stat.starttime, kind: Kind::Main };
    Ok(Some(Member { info, process }))
}
