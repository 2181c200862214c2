//! Time that is not what it seems: the recorder stopped, the wall clock set.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use crate::case::{Fault, Seen, seen};
use crate::stage::{PATIENCE, Recorder, Stage, binary, now, pause, until};
use crate::store::plain;

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "recorder-stopped",
        expected: "one gap, one event, no burst, no restart",
        quick: true,
        disk: None,
        play: stopped,
    },
    Fault {
        name: "recorder-stopped-long",
        expected: "beyond all deadlines: one gap, one event, no restart",
        quick: false,
        disk: None,
        play: stopped_long,
    },
    Fault {
        name: "clock-set-forward",
        expected: "one event and one gap; ticks go on",
        quick: true,
        disk: None,
        play: forward,
    },
    Fault {
        name: "clock-set-back",
        expected: "one event, no gap, no row overwritten",
        quick: true,
        disk: None,
        play: back,
    },
    Fault {
        name: "clock-set-back-before",
        expected: "a run goes on after the last one's rows, and says so",
        quick: false,
        disk: None,
        play: back_before,
    },
];

/// Longer than the deadline of a command that was under way: that is nobody's fault.
fn stopped(stage: &Stage) -> Result<Seen> {
    stopped_for(stage, Duration::from_secs(12))
}

/// Longer than the time limit of the connection, too.
fn stopped_long(stage: &Stage) -> Result<Seen> {
    stopped_for(stage, Duration::from_secs(50))
}

fn stopped_for(stage: &Stage, length: Duration) -> Result<Seen> {
    let soak = stage.soak("-v")?;
    let at = now();
    soak.signal(Signal::SIGSTOP)?;
    pause(length);
    soak.signal(Signal::SIGCONT)?;
    soak.until_sampled(now())?;
    pause(Duration::from_secs(3));
    let events = stage.events(at)?;
    ensure!(events.len() == 1 && events[0].starts_with("gap: "), "{events:?}");
    let gaps = stage.gaps("recorder_rss")?;
    let [(from, to)] = gaps.as_slice() else { anyhow::bail!("{gaps:?}") };
    ensure!((to - from + 1.0 - length.as_secs_f64()).abs() <= 2.5, "{gaps:?}");
    let most = busiest_second(&stage.log("recorder"));
    ensure!(most <= 2, "{most} ticks in one second");
    soak.end()?;
    seen(format!("one gap of {:.0} s, at most {most} ticks in a second", to - from + 1.0), events[0].clone())
}

/// The most samples that the log tells of within one second of the wall clock.
fn busiest_second(log: &str) -> usize {
    let seconds: Vec<&str> =
        log.lines().filter(|line| line.contains("sample at ")).filter_map(|line| line.get(..19)).collect();
    seconds.iter().map(|second| seconds.iter().filter(|other| other == &second).count()).max().unwrap_or(0)
}

/// A recorder whose wall clock is set by the text of a file.
fn with_clock<'a>(stage: &'a Stage, offset: &str) -> Result<Recorder<'a>> {
    set(stage, offset)?;
    let library = until(PATIENCE, "libfaketime", || Ok(Some(library()?)))?;
    let mut command = stage.command("recorder", binary("recorder"))?;
    command
        .arg("--db")
        .arg(stage.db())
        .args(plain("").split_whitespace())
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", stage.path("clock"))
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    stage.run(command)
}

fn set(stage: &Stage, offset: &str) -> Result<()> {
    let next = stage.path("clock.next");
    std::fs::File::create(&next)?.write_all(format!("{offset}\n").as_bytes())?;
    Ok(std::fs::rename(next, stage.path("clock"))?)
}

fn library() -> Result<String> {
    let listed = std::process::Command::new("dpkg").args(["-L", "libfaketime"]).output()?;
    let listed = String::from_utf8(listed.stdout)?;
    let library = listed.lines().find(|line| line.ends_with("/libfaketime.so.1"));
    Ok(library.context("libfaketime is installed")?.to_owned())
}

fn until_rows(stage: &Stage, count: f64) -> Result<()> {
    let query = format!("select count(recorder_rss) >= {count} from average");
    until(PATIENCE, "rows", || Ok((stage.sql(&query)? == "1").then_some(())))
}

/// Plays one step of the clock in the middle of a run; the event, and the gaps.
fn step(stage: &Stage, offset: &str) -> Result<(String, Vec<(f64, f64)>)> {
    let recorder = with_clock(stage, "+0")?;
    until_rows(stage, 5.0)?;
    let before = stage.sql("select group_concat(time || ' ' || recorder_rss) from (select * from average where recorder_rss is not null order by time limit 5)")?;
    set(stage, offset)?;
    let (_, told) = stage.until_event(&["clock_step"], 0.0)?;
    let rows = stage.number("select count(recorder_rss) from average")?;
    until_rows(stage, 5.0 + rows)?;
    let after = stage.sql("select group_concat(time || ' ' || recorder_rss) from (select * from average where recorder_rss is not null order by time limit 5)")?;
    ensure!(before == after, "rows were overwritten: {before} became {after}");
    let events = stage.events(0.0)?;
    ensure!(events.len() == 2, "{events:?}");
    let gaps = stage.gaps("recorder_rss")?;
    recorder.end()?;
    Ok((told, gaps))
}

fn forward(stage: &Stage) -> Result<Seen> {
    let (told, gaps) = step(stage, "+3600")?;
    let [(from, to)] = gaps.as_slice() else { anyhow::bail!("{gaps:?}") };
    ensure!((3590.0..=3605.0).contains(&(to - from + 1.0)), "{gaps:?}");
    seen(format!("one gap of {:.0} s", to - from + 1.0), told)
}

fn back(stage: &Stage) -> Result<Seen> {
    let (told, gaps) = step(stage, "-3600")?;
    ensure!(gaps.is_empty(), "{gaps:?}");
    seen("no gap", told)
}

fn back_before(stage: &Stage) -> Result<Seen> {
    let first = with_clock(stage, "+0")?;
    until_rows(stage, 5.0)?;
    first.end()?;
    let last = stage.number("select max(time) from average")?;
    let second = with_clock(stage, "-600")?;
    let rows = format!("select count(recorder_rss) >= 5 from average where time > {last}");
    until(PATIENCE, "rows of the second run", || Ok((stage.sql(&rows)? == "1").then_some(())))?;
    let (_, told) = stage.until_event(&["clock_step"], 0.0)?;
    second.end()?;
    set(stage, "-7200")?;
    let mut third = with_clock(stage, "-7200")?;
    let status = third.wait(PATIENCE)?;
    ensure!(status.code() == Some(2) && stage.log("recorder").contains("the clock went back"), "{status}");
    seen("went on; two hours back are refused", told)
}
