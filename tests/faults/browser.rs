//! Browser, driver, guardian and renderer: killed, stopped, taken away.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use crate::case::{Fault, Seen, seen};
use crate::processes::{Role, alive, family, of_role, signal, strike};
use crate::stage::{PATIENCE, Recorder, Stage, now, pause, stretched, until};

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "renderer-killed",
        expected: "restart within 5 s, a gap of at most 5 samples",
        quick: true,
        disk: None,
        play: renderer_killed,
    },
    Fault {
        name: "browser-killed",
        expected: "restart within 5 s, nothing of the old browser left",
        quick: true,
        disk: None,
        play: browser_killed,
    },
    Fault {
        name: "driver-killed",
        expected: "a new driver; old browser and profile gone",
        quick: false,
        disk: None,
        play: driver_killed,
    },
    Fault {
        name: "driver-stopped",
        expected: "told as such at the deadline, a new driver",
        quick: false,
        disk: None,
        play: driver_stopped,
    },
    Fault {
        name: "driver-stopped-briefly",
        expected: "one slow iteration, no restart, no gap",
        quick: false,
        disk: None,
        play: driver_stopped_briefly,
    },
    Fault {
        name: "renderer-stopped",
        expected: "told as such at the deadline; ticks go on",
        quick: false,
        disk: None,
        play: renderer_stopped,
    },
    Fault {
        name: "browser-stopped",
        expected: "told as such at the deadline; all of it ended",
        quick: false,
        disk: None,
        play: browser_stopped,
    },
    Fault {
        name: "guardian-killed",
        expected: "noticed, its tree killed, a new one",
        quick: true,
        disk: None,
        play: guardian_killed,
    },
    Fault { name: "session-deleted", expected: "a new session", quick: false, disk: None, play: session_deleted },
    Fault {
        name: "budget-spent",
        expected: "the run ends by itself, exit 1, and says why",
        quick: false,
        disk: None,
        play: budget_spent,
    },
];

/// A restart that takes longer is a miss; it needs 1.5 s on an idle machine.
const RESTART: Duration = Duration::from_secs(5);

/// Plays `fault` on a soak and wants an event of `kinds`, a restart, samples again, and nothing left of the old browser.
/// Gives the event's text, how long it took until the page was there again, and the samples that are missing.
fn restarted(stage: &Stage, kinds: &[&str], fault: impl FnOnce(&Recorder<'_>) -> Result<()>) -> Result<Restart> {
    let soak = stage.soak("")?;
    let old: Vec<i32> = family(soak.pid()).into_iter().filter(|pid| *pid != soak.pid()).collect();
    let at = now();
    fault(&soak)?;
    let (told_at, told) = stage.until_event(kinds, at)?;
    let (again, _) = stage.until_event(&["navigation"], told_at)?;
    soak.until_sampled(again)?;
    let left = until(PATIENCE, "the end of the old browser", || Ok(alive(&old).is_empty().then_some(old.len())))?;
    let folders = stage.run_folders()?;
    ensure!(folders.len() == 1, "run folders are left: {folders:?}");
    let missing = stage.gaps("heap_used")?.iter().map(|(from, to)| to - from + 1.0).sum();
    let ticks = stage.gaps("recorder_rss")?;
    ensure!(ticks.is_empty(), "the sampler missed ticks: {ticks:?}");
    soak.end()?;
    ensure!(stage.run_folders()?.is_empty(), "the end leaves {:?}", stage.run_folders()?);
    Ok(Restart { told, told_after: told_at - at, restarted_after: again - told_at, missing, gone: left })
}

struct Restart {
    told: String,
    told_after: f64,
    restarted_after: f64,
    missing: f64,
    gone: usize,
}

impl Restart {
    fn within(self, restart: Duration, missing: f64) -> Result<Seen> {
        let Self { told, told_after, restarted_after, missing: lost, gone } = self;
        ensure!(restarted_after <= stretched(restart.as_secs_f64()), "the restart took {restarted_after:.1} s: {told}");
        ensure!(lost <= stretched(missing), "{lost} samples are missing");
        let short: String = told.chars().take(90).collect();
        seen(
            format!("told after {told_after:.1} s, again after {restarted_after:.1} s, {lost} missing"),
            format!("{short}; {gone} old processes gone"),
        )
    }
}

fn renderer_killed(stage: &Stage) -> Result<Seen> {
    let strike = |soak: &Recorder<'_>| strike(soak.pid(), Role::Renderer, Signal::SIGKILL);
    restarted(stage, &["renderer_crash"], strike)?.within(RESTART, 5.0)
}

fn browser_killed(stage: &Stage) -> Result<Seen> {
    let strike = |soak: &Recorder<'_>| strike(soak.pid(), Role::Browser, Signal::SIGKILL);
    restarted(stage, &["browser_crash"], strike)?.within(RESTART, 5.0)
}

fn driver_killed(stage: &Stage) -> Result<Seen> {
    let strike = |soak: &Recorder<'_>| strike(soak.pid(), Role::Driver, Signal::SIGKILL);
    restarted(stage, &["driver_crash"], strike)?.within(RESTART, 5.0)
}

fn guardian_killed(stage: &Stage) -> Result<Seen> {
    let strike = |soak: &Recorder<'_>| strike(soak.pid(), Role::Guardian, Signal::SIGKILL);
    restarted(stage, &["driver_crash"], strike)?.within(RESTART, 5.0)
}

/// A command's deadline is 10 s.
fn unresponsive(stage: &Stage, role: Role, culprit: &str) -> Result<Seen> {
    let restart = restarted(stage, &["unresponsive"], |soak| strike(soak.pid(), role, Signal::SIGSTOP))?;
    ensure!(restart.told.contains(culprit), "`{}` does not say that {culprit}", restart.told);
    ensure!(restart.told_after < 10.0 + stretched(1.0), "told after {:.1} s", restart.told_after);
    restart.within(RESTART, 17.0)
}

fn driver_stopped(stage: &Stage) -> Result<Seen> {
    unresponsive(stage, Role::Driver, "the driver's process is stopped")
}

fn renderer_stopped(stage: &Stage) -> Result<Seen> {
    unresponsive(stage, Role::Renderer, "the page's process is stopped")
}

fn browser_stopped(stage: &Stage) -> Result<Seen> {
    unresponsive(stage, Role::Browser, "the browser's process is stopped")
}

fn driver_stopped_briefly(stage: &Stage) -> Result<Seen> {
    let soak = stage.soak("")?;
    let at = now();
    strike(soak.pid(), Role::Driver, Signal::SIGSTOP)?;
    pause(Duration::from_secs(6));
    strike(soak.pid(), Role::Driver, Signal::SIGCONT)?;
    let again = now();
    soak.until_sampled(again)?;
    let iterations = stage.number(&format!("select sum(iterations) from average where time > {again} + 1"))?;
    ensure!(iterations > 1.0, "the loop does not go on");
    ensure!(stage.events(at)?.is_empty(), "{:?}", stage.events(at)?);
    let gaps = stage.gaps("heap_used")?;
    ensure!(gaps.is_empty(), "{gaps:?}");
    soak.end()?;
    seen("no event, no gap", format!("{iterations:.0} iterations since"))
}

/// As another program would that finds the driver's port: `DELETE /session/ID`.
fn session_deleted(stage: &Stage) -> Result<Seen> {
    let delete = |soak: &Recorder<'_>| -> Result<()> {
        let driver = of_role(soak.pid(), Role::Driver).first().copied().context("no driver")?;
        let port = listening_port(driver).context("the driver listens nowhere")?;
        let sessions = http(port, "GET", "/sessions")?;
        let answer: serde_json::Value = serde_json::from_str(&sessions)?;
        let id = answer["value"][0]["id"].as_str().with_context(|| sessions.clone())?;
        http(port, "DELETE", &format!("/session/{id}")).map(drop)
    };
    restarted(stage, &["browser_crash"], delete)?.within(RESTART, 5.0)
}

/// The port of 127.0.0.1 on which a process listens, as the kernel has it.
fn listening_port(pid: i32) -> Option<u16> {
    let process = procfs::process::Process::new(pid).ok()?;
    let sockets: Vec<u64> = process
        .fd()
        .ok()?
        .flatten()
        .filter_map(|fd| match fd.target {
            procfs::process::FDTarget::Socket(inode) => Some(inode),
            _ => None,
        })
        .collect();
    let listens = |entry: &&procfs::net::TcpNetEntry| {
        entry.state == procfs::net::TcpState::Listen && sockets.contains(&entry.inode)
    };
    let all = process.tcp().ok()?;
    all.iter().find(listens).map(|entry| entry.local_address.port())
}

fn http(port: u16, method: &str, path: &str) -> Result<String> {
    let output = std::process::Command::new("curl")
        .args(["--silent", "--max-time", "10", "-X", method, &format!("http://127.0.0.1:{port}{path}")])
        .output()
        .context("curl is installed")?;
    Ok(String::from_utf8(output.stdout)?)
}

/// A browser that dies each time ends the run once the budget is spent; it never goes on for ever.
fn budget_spent(stage: &Stage) -> Result<Seen> {
    let mut soak = stage.soak("--restarts 2")?;
    let began = Instant::now();
    while soak.is_alive()? && began.elapsed() < PATIENCE {
        of_role(soak.pid(), Role::Browser).into_iter().try_for_each(|pid| signal(pid, Signal::SIGKILL))?;
        pause(Duration::from_millis(100));
    }
    let status = soak.wait(PATIENCE)?;
    ensure!(status.code() == Some(1), "{status}");
    let reason = stage.sql("select reason from run")?;
    ensure!(reason.contains("2 restarts in a row did not help"), "{reason}");
    stage.verify()?;
    seen("exit 1", reason.chars().take(90).collect::<String>())
}
