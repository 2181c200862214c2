//! What the system says of the process of a Node program, and of its own want of memory.
use std::path::PathBuf;

use procfs::ProcResult;

use crate::{
    Error,
    process::{open, present},
};

/// What the system says of a process now.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// When it started, in clock ticks since boot: with the pid it names this process and no later one.
    pub start_ticks: u64,
    /// What it is doing.
    pub state: State,
    /// The file it runs; none where that may not be read.
    pub executable: Option<PathBuf>,
    /// Its resident memory in bytes.
    pub resident_bytes: u64,
}

/// What a process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It has, or waits for, a processor.
    Running,
    /// It waits for something.
    Waiting,
    /// It was stopped, by SIGSTOP, a terminal or a debugger.
    Stopped,
}

/// What there is to be seen of a process.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// It lives.
    Alive(Observed),
    /// It has ended, or waits as a zombie for its parent to ask.
    Gone,
    /// Its pid says nothing here: a program on another machine or in a container.
    Unknowable,
}

/// Looks at a process. Takes about 0.1 ms.
///
/// # Errors
/// [`Error::Proc`] when `/proc` cannot be read.
pub fn observe(pid: u32) -> Result<Seen, Error> {
    look(pid).map_err(|source| Error::Proc { what: format!("process {pid}"), source })
}

fn look(pid: u32) -> ProcResult<Seen> {
    let Some(process) = present(open(pid))? else { return Ok(Seen::Gone) };
    let Some(stat) = present(process.stat())? else { return Ok(Seen::Gone) };
    let state = match stat.state {
        'Z' | 'X' | 'x' => return Ok(Seen::Gone),
        'T' | 't' => State::Stopped,
        'R' => State::Running,
        _ => State::Waiting,
    };
    let resident_bytes = stat.rss.saturating_mul(procfs::page_size());
    // Denied where we may not trace the process, and gone when it ended meanwhile: the next look will say so.
    let executable = process.exe().ok();
    Ok(Seen::Alive(Observed { start_ticks: stat.starttime, state, executable, resident_bytes }))
}

/// How many processes the kernel has killed for want of memory since boot; none where it does not say (before 4.13).
///
/// # Errors
/// [`Error::Proc`] when `/proc/vmstat` cannot be read.
pub fn kernel_kills() -> Result<Option<u64>, Error> {
    let all = procfs::vmstat().map_err(|source| Error::Proc { what: "/proc/vmstat".to_owned(), source })?;
    Ok(all.get("oom_kill").and_then(|count| u64::try_from(*count).ok()))
}
