//! The processes of a run: who descends from whom, who carries the run's mark, and ending them.
use std::{collections::HashSet, ffi::OsString, path::Path};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// One living process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) session: i32,
    /// In clock ticks since the machine started.
    pub(crate) started: u64,
}

/// All processes of this machine but zombies, which are as good as gone.
pub(crate) fn living() -> Vec<Process> {
    let Ok(all) = procfs::process::all_processes() else { return Vec::new() };
    all.filter_map(|process| process.ok()?.stat().ok())
        .filter(|stat| !matches!(stat.state, 'Z' | 'X'))
        .map(|stat| Process { pid: stat.pid, parent: stat.ppid, session: stat.session, started: stat.starttime })
        .collect()
}

/// `roots` and all that descends from them, without `but`.
pub(crate) fn with_descendants(all: &[Process], roots: impl IntoIterator<Item = i32>, but: i32) -> Vec<i32> {
    let mut family: HashSet<i32> = roots.into_iter().collect();
    let mut before = 0;
    while family.len() > before {
        before = family.len();
        family.extend(all.iter().filter(|process| family.contains(&process.parent)).map(|p| p.pid).collect::<Vec<_>>());
    }
    all.iter().map(|process| process.pid).filter(|pid| family.contains(pid) && *pid != but).collect()
}

/// What belongs to the run of `guardian`, even after it has died and its children have been given away.
///
/// The guardian leads a session of its own, which all but the crash handlers stay in; those carry the run folder as
/// their TMPDIR (a page's process does not: it overwrites its environment). Without a guardian only that mark counts.
pub(crate) fn of_run(guardian: Option<i32>, folder: &Path) -> Vec<i32> {
    let all = living();
    let roots = all.iter().filter(|p| Some(p.session) == guardian || carries(p.pid, folder)).map(|p| p.pid);
    with_descendants(&all, roots.collect::<Vec<_>>(), std::process::id().cast_signed())
}

fn carries(pid: i32, folder: &Path) -> bool {
    let environ = procfs::process::Process::new(pid).and_then(|process| process.environ());
    environ.is_ok_and(|environ| environ.get(&OsString::from("TMPDIR")).is_some_and(|value| Path::new(value) == folder))
}

/// Sends `signal` to each of `pids`; one that is gone already is what was wanted.
pub(crate) fn signal(pids: &[i32], signal: Signal) {
    for pid in pids {
        if let Err(error) = kill(Pid::from_raw(*pid), signal) {
            tracing::debug!(pid, %error, "a process could not be signalled");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process((pid, parent): (i32, i32)) -> Process {
        Process { pid, parent, session: 1, started: 0 }
    }

    #[test]
    fn grandchildren_listed_before_their_parents_are_not_missed_and_strangers_are_spared() {
        let all: Vec<Process> = [(9, 8), (8, 7), (7, 5), (5, 1), (6, 1), (1, 0)].map(process).to_vec();
        assert_eq!(with_descendants(&all, [5], 5), [9, 8, 7]);
        assert_eq!(with_descendants(&all, [6], 0), [6]);
        assert_eq!(with_descendants(&all, [], 0), [] as [i32; 0]);
    }
}
