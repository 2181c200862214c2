//! The processes under a recorder, told by their command lines.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procfs::process::{Process, all_processes};

use crate::stage::until;

/// What a process under the recorder is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Guardian,
    Driver,
    Browser,
    Renderer,
}

/// A process and all that descends from it; zombies are none.
pub(crate) fn family(root: i32) -> Vec<i32> {
    let all: Vec<(i32, i32)> = all_processes()
        .into_iter()
        .flatten()
        .filter_map(|process| process.ok()?.stat().ok())
        .filter(|stat| stat.state != 'Z')
        .map(|stat| (stat.pid, stat.ppid))
        .collect();
    let mut family = BTreeSet::from([root]);
    let mut before = 0;
    while family.len() > before {
        before = family.len();
        let more: Vec<i32> = all.iter().filter(|(_, parent)| family.contains(parent)).map(|(pid, _)| *pid).collect();
        family.extend(more);
    }
    all.iter().map(|(pid, _)| *pid).filter(|pid| family.contains(pid)).collect()
}

/// Those of `pids` that still run.
pub(crate) fn alive(pids: &[i32]) -> Vec<i32> {
    let runs = |pid: &&i32| Process::new(**pid).and_then(|process| process.stat()).is_ok_and(|stat| stat.state != 'Z');
    pids.iter().filter(runs).copied().collect()
}

/// The processes of a role under `root`.
pub(crate) fn of_role(root: i32, role: Role) -> Vec<i32> {
    family(root).into_iter().filter(|pid| *pid != root && self::role(*pid) == Some(role)).collect()
}

fn role(pid: i32) -> Option<Role> {
    let line = Process::new(pid).and_then(|process| process.cmdline()).ok()?;
    // A renderer writes its command line anew, as one word.
    let whole = line.join(" ");
    let has = |text: &str| whole.contains(text);
    if line.get(1).is_some_and(|word| word == "guardian") {
        Some(Role::Guardian)
    } else if line.first().is_some_and(|word| word.ends_with("chromedriver")) {
        Some(Role::Driver)
    } else if has(" --type=renderer") {
        Some(Role::Renderer)
    } else if has(" --user-data-dir=") && !has(" --type=") {
        Some(Role::Browser)
    } else {
        None
    }
}

/// Sends a signal; that a process has ended meanwhile is as good.
pub(crate) fn signal(pid: i32, signal: Signal) -> Result<()> {
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Signals all processes of a role.
pub(crate) fn strike(root: i32, role: Role, with: Signal) -> Result<()> {
    let struck = of_role(root, role);
    ensure!(!struck.is_empty(), "there is no {role:?} under {root}");
    struck.into_iter().try_for_each(|pid| signal(pid, with))
}

/// Waits until none of `pids` runs.
pub(crate) fn until_gone(pids: &[i32], limit: Duration) -> Result<()> {
    until(limit, "the end of all processes", || Ok(alive(pids).is_empty().then_some(())))
}
