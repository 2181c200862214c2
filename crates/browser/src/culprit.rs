//! Who keeps a session from answering, as far as the process list tells: deciding is pure, looking is apart from it.
use std::{collections::HashMap, fmt, time::Duration};

use procfs::process::Process;
use tokio::time::sleep;

use crate::tree;

/// How long the processes are looked at; a page that spins takes a core all the time.
const LOOK: Duration = Duration::from_millis(300);
/// The share of a core from which on a page's process counts as busy. On a machine with more work than cores it gets less,
/// and wants to run whenever it is looked at.
const BUSY: f64 = 0.3;

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Culprit {
    /// The driver was stopped, as by SIGSTOP.
    DriverStopped,
    /// The browser's main process was stopped.
    BrowserStopped,
    /// The page's process was stopped.
    PageStopped,
    /// The page computes without end.
    PageBusy,
    /// All live and none is busy: something waits for something.
    Unknown,
}

impl fmt::Display for Culprit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Culprit::DriverStopped => "the driver's process is stopped",
            Culprit::BrowserStopped => "the browser's process is stopped",
            Culprit::PageStopped => "the page's process is stopped",
            Culprit::PageBusy => "the page computes without end",
            Culprit::Unknown => "no process is stopped or busy",
        })
    }
}

/// What a process is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Driver,
    Browser,
    Page,
}

/// A process, looked at twice.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    role: Role,
    stopped: bool,
    /// It computes, or waits for a core to do so.
    runs: bool,
    /// The part of a core that it took.
    share: f64,
}

/// Looks at the processes that descend from `guardian`. Takes 0.3 s.
pub(crate) async fn look(guardian: i32, driver: Option<i32>) -> Culprit {
    let before: HashMap<i32, (u64, bool)> =
        processes(guardian).iter().filter_map(|p| Some((p.pid, ticks(p)?))).collect();
    sleep(LOOK).await;
    let per_look = LOOK.as_secs_f64() * procfs_ticks();
    let seen = processes(guardian).into_iter().filter_map(|process| {
        let role = role(&process, driver)?;
        let stopped = matches!(process.stat().ok()?.state, 'T' | 't');
        let (now, runs) = ticks(&process)?;
        let (then, ran) = *before.get(&process.pid)?;
        let took = now.saturating_sub(then);
        Some(Seen {
            role,
            stopped,
            runs: runs && ran,
            share: f64::from(u32::try_from(took).unwrap_or(u32::MAX)) / per_look,
        })
    });
    judge(&seen.collect::<Vec<_>>())
}

fn judge(seen: &[Seen]) -> Culprit {
    let stopped = |role| seen.iter().any(|process| process.role == role && process.stopped);
    if stopped(Role::Driver) {
        Culprit::DriverStopped
    } else if stopped(Role::Browser) {
        Culprit::BrowserStopped
    } else if stopped(Role::Page) {
        Culprit::PageStopped
    } else if seen.iter().any(|process| process.role == Role::Page && (process.runs || process.share >= BUSY)) {
        Culprit::PageBusy
    } else {
        Culprit::Unknown
    }
}

fn processes(guardian: i32) -> Vec<Process> {
    let all = tree::with_descendants(&tree::living(), [guardian], guardian);
    all.into_iter().filter_map(|pid| Process::new(pid).ok()).collect()
}

fn role(process: &Process, driver: Option<i32>) -> Option<Role> {
    if Some(process.pid) == driver {
        return Some(Role::Driver);
    }
    // A page's process writes its command line anew, as one word.
    let line = process.cmdline().ok()?.join(" ");
    if line.contains(" --type=renderer") {
        Some(Role::Page)
    } else {
        (line.contains(" --user-data-dir=") && !line.contains(" --type=")).then_some(Role::Browser)
    }
}

/// Time on a core so far, in clock ticks, and whether it wants to run now.
fn ticks(process: &Process) -> Option<(u64, bool)> {
    let stat = process.stat().ok()?;
    Some((stat.utime + stat.stime, stat.state == 'R'))
}

/// Clock ticks in a second.
fn procfs_ticks() -> f64 {
    f64::from(u32::try_from(procfs::ticks_per_second()).unwrap_or(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_driver_is_not_blamed_on_a_page_that_happens_to_be_busy() {
        let seen = |role, stopped, share| Seen { role, stopped, runs: false, share };
        let (driver, browser) = (seen(Role::Driver, true, 0.0), seen(Role::Browser, false, 0.1));
        let (busy, idle) = (seen(Role::Page, false, 0.9), seen(Role::Page, false, 0.0));
        assert_eq!(judge(&[driver, browser, busy]), Culprit::DriverStopped);
        assert_eq!(judge(&[browser, idle, busy]), Culprit::PageBusy);
        assert_eq!(judge(&[browser, Seen { stopped: true, ..idle }]), Culprit::PageStopped);
        assert_eq!(judge(&[Seen { stopped: true, ..browser }, idle]), Culprit::BrowserStopped);
        assert_eq!(judge(&[browser, Seen { runs: true, share: 0.05, ..idle }]), Culprit::PageBusy, "a loaded machine");
        assert_eq!(judge(&[browser, idle]), Culprit::Unknown);
    }
}
