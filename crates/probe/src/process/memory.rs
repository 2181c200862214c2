//! The memory of one process.
use std::io;

use procfs::{ProcError, ProcResult, process::Process};

use crate::Error;

/// What a process holds, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Resident set: pages in memory, shared ones counted in full. The kernel's counters, exact to a few hundred KiB.
    pub rss_bytes: u64,
    /// The part of it that is no file and not shared memory: heaps and stacks.
    pub rss_anon_bytes: u64,
    /// Proportional set size: private pages, and of each shared page this process's share. None where we may not read it.
    pub pss_bytes: Option<u64>,
}

/// The memory of the process `pid`; none when there is no such process any more.
///
/// # Errors
/// [`Error::Proc`] when `/proc` cannot be read.
pub fn memory(pid: u32) -> Result<Option<Memory>, Error> {
    let failed = |source| Error::Proc { what: format!("the memory of process {pid}"), source };
    let Some(process) = present(open(pid)).map_err(failed)? else { return Ok(None) };
    let Some(counters) = counters(&process).map_err(failed)? else { return Ok(None) };
    Ok(match pss(&process).map_err(failed)? {
        Pss::Gone => None,
        Pss::Denied => Some(Memory { pss_bytes: None, ..counters }),
        Pss::Bytes(bytes) => Some(Memory { pss_bytes: Some(bytes), ..counters }),
    })
}

/// Holds on to a process: what is read through it later is never another process that got the same pid.
pub(crate) fn open(pid: u32) -> ProcResult<Process> {
    Process::new(i32::try_from(pid).map_err(|_| ProcError::NotFound(None))?)
}

/// The cheap counters of `statm`, without PSS; none when the process is gone. A zombie holds nothing and counts as gone.
pub(super) fn counters(process: &Process) -> ProcResult<Option<Memory>> {
    let page = procfs::page_size();
    Ok(present(process.statm())?.filter(|pages| pages.resident > 0).map(|pages| Memory {
        rss_bytes: pages.resident.saturating_mul(page),
        rss_anon_bytes: pages.resident.saturating_sub(pages.shared).saturating_mul(page),
        pss_bytes: None,
    }))
}

/// An attempt to read the proportional set size.
pub(super) enum Pss {
    Bytes(u64),
    Denied,
    Gone,
}

/// Walks all page tables of the process: costs milliseconds.
pub(super) fn pss(process: &Process) -> ProcResult<Pss> {
    let rollup = match process.smaps_rollup() {
        Err(ProcError::PermissionDenied(_)) => return Ok(Pss::Denied),
        other => present(other)?,
    };
    let bytes = rollup.and_then(|rollup| rollup.memory_map_rollup.0.first()?.extension.map.get("Pss").copied());
    Ok(bytes.map_or(Pss::Gone, Pss::Bytes))
}

/// The one place where "that process is gone" becomes none; real errors pass through.
pub(crate) fn present<T>(read: ProcResult<T>) -> ProcResult<Option<T>> {
    /// No such process: what the kernel says when it ends while one of its files is open.
    const ESRCH: i32 = 3;
    match read {
        Ok(value) => Ok(Some(value)),
        Err(ProcError::NotFound(_) | ProcError::Incomplete(_)) => Ok(None),
        Err(ProcError::Io(error, path)) if is(&error, ESRCH) => {
            tracing::trace!(?path, "process ended while it was read");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn is(error: &io::Error, code: i32) -> bool {
    error.raw_os_error() == Some(code)
}
