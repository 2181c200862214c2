//! Node programs that end, hang, are stopped or give way to another: each told apart.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use crate::case::{Fault, Seen, seen};
use crate::processes::{family, signal};
use crate::stage::{PATIENCE, Stage, now, pause, stretched, until};

pub(crate) const FAULTS: &[Fault] = &[
    Fault { name: "node-exits", expected: "event exit, the command's status", quick: true, disk: None, play: exits },
    Fault { name: "node-killed", expected: "event signal 9, status 137", quick: true, disk: None, play: killed },
    Fault {
        name: "node-out-of-memory",
        expected: "event out_of_memory with heap and limit, status 134",
        quick: true,
        disk: None,
        play: out_of_memory,
    },
    Fault {
        name: "node-spins",
        expected: "unresponsive: busy, within 5 s; responsive again",
        quick: true,
        disk: None,
        play: spins,
    },
    Fault {
        name: "node-blocks",
        expected: "unresponsive: waits, within 5 s; responsive again",
        quick: false,
        disk: None,
        play: blocks,
    },
    Fault {
        name: "node-stopped",
        expected: "unresponsive: stopped, within 5 s; responsive again",
        quick: true,
        disk: None,
        play: stopped,
    },
    Fault {
        name: "node-replaced",
        expected: "told that another program runs in its process",
        quick: false,
        disk: None,
        play: replaced,
    },
];

/// How late the probe says that an event loop does not turn, and one tick.
const TOLD: f64 = 5.0;

/// Runs a script to its end; its status, and the events.
fn run(stage: &Stage, command: &[&str], script: &str) -> Result<(i32, Vec<String>)> {
    let mut recorder = stage.recorder("--rra AVERAGE:0.5:1:20000 --")?;
    let script = stage.file("script.js", script)?;
    let mut running = recorder.args(command).arg(script).spawn()?;
    let status = until(PATIENCE, "the end of the command", || Ok(running.try_wait()?))?;
    stage.verify()?;
    Ok((status.code().context("the recorder was killed")?, stage.events(0.0)?))
}

fn ended(stage: &Stage, command: &[&str], script: &str, status: i32, event: &str) -> Result<Seen> {
    let (found, events) = run(stage, command, script)?;
    let told = events.iter().find(|text| text.starts_with(event));
    ensure!(found == status, "status {found}: {events:?}");
    seen(format!("status {status}"), told.with_context(|| format!("{events:?}"))?.clone())
}

fn exits(stage: &Stage) -> Result<Seen> {
    ended(stage, &["node"], "setTimeout(() => process.exit(3), 4000)", 3, "exit: exit 3")
}

fn killed(stage: &Stage) -> Result<Seen> {
    ended(stage, &["node"], "setTimeout(() => process.kill(process.pid, 'SIGKILL'), 4000)", 137, "signal: ")
}

fn out_of_memory(stage: &Stage) -> Result<Seen> {
    let script = "const kept = []; setInterval(() => kept.push(new Array(65536).fill(0.5)), 20)";
    ended(stage, &["node", "--max-old-space-size=60"], script, 134, "out_of_memory: ")
}

fn replaced(stage: &Stage) -> Result<Seen> {
    // What `exec` in a shell does, from within a Node program.
    let script = "setTimeout(() => process.execve ? process.execve('/bin/sleep', ['sleep', '6'], process.env) : process.exit(44), 4000)";
    let (status, events) = run(stage, &["node"], script)?;
    if status == 44 {
        return seen("not to be played with this Node", "it cannot exec: process.execve is missing");
    }
    let told = events.iter().find(|text| text.starts_with("replaced"));
    seen("told", told.with_context(|| format!("{events:?}"))?.clone())
}

/// A program that turns again later: how late it was told, and as what.
fn hangs(stage: &Stage, script: &str, strike: impl FnOnce(i32) -> Result<()>, words: &str) -> Result<Seen> {
    let mut command = stage.recorder("--rra AVERAGE:0.5:1:20000 --")?;
    command.arg("node").arg(stage.file("script.js", script)?);
    let mut recorder = stage.run(command)?;
    stage.until_event(&["appeared"], 0.0)?;
    pause(Duration::from_secs(4));
    let node = family(recorder.pid()).into_iter().find(|pid| *pid != recorder.pid()).context("no program")?;
    let at = now();
    strike(node)?;
    let (told_at, told) = stage.until_event(&["unresponsive"], 0.0)?;
    ensure!(told.contains(words), "{told}");
    ensure!(told_at - at <= stretched(TOLD), "told after {:.1} s", told_at - at);
    signal(node, Signal::SIGCONT)?;
    let (_, again) = stage.until_event(&["responsive"], told_at)?;
    let ticks = stage.gaps("recorder_rss")?;
    ensure!(ticks.is_empty(), "ticks were missed: {ticks:?}");
    recorder.signal(Signal::SIGTERM)?;
    recorder.wait(PATIENCE)?;
    seen(format!("told {:.1} s after; {}", told_at - at, again.trim_start_matches("responsive: ")), told)
}

fn spins(stage: &Stage) -> Result<Seen> {
    let script = "setInterval(() => 0, 1000); process.on('SIGUSR2', () => { const end = Date.now() + 9000; while (Date.now() < end); })";
    hangs(stage, script, |node| signal(node, Signal::SIGUSR2), "it is busy")
}

fn blocks(stage: &Stage) -> Result<Seen> {
    let script = "setInterval(() => 0, 1000); const cell = new Int32Array(new SharedArrayBuffer(4));
        process.on('SIGUSR2', () => Atomics.wait(cell, 0, 0, 9000))";
    hangs(stage, script, |node| signal(node, Signal::SIGUSR2), "it waits in a blocking call")
}

fn stopped(stage: &Stage) -> Result<Seen> {
    hangs(stage, "setInterval(() => 0, 1000)", |node| signal(node, Signal::SIGSTOP), "it was stopped")
}
