//! One long soak with a fault each minute: each is told, each leaves its gap, nothing else is missing, the store is whole,
//! and the recorder itself does not grow.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use crate::processes::{self, Role, family, strike, until_gone};
use crate::stage::{PATIENCE, binary, now, pause, sql, until, verify};

/// What is done to the soak, and what must come of it.
#[derive(Debug, Clone, Copy)]
struct Blow {
    name: &'static str,
    /// Kinds of events of which one must be told.
    told: &'static [&'static str],
    /// For how long the page may be unknown, in seconds; none: not at all.
    page: Option<f64>,
    /// For how long the recorder itself may be unknown.
    ticks: Option<f64>,
    strike: fn(&mut Soak) -> Result<()>,
}

const KILLED: Option<f64> = Some(15.0);
/// A command's deadline is 10 s.
const STOPPED: Option<f64> = Some(26.0);

const BLOWS: &[Blow] = &[
    Blow {
        name: "renderer killed",
        told: &["renderer_crash"],
        page: KILLED,
        ticks: None,
        strike: |s| s.hit(Role::Renderer, Signal::SIGKILL),
    },
    Blow { name: "recorder stopped 5 s", told: &["gap"], page: Some(9.0), ticks: Some(9.0), strike: stop_recorder },
    Blow {
        name: "browser killed",
        told: &["browser_crash"],
        page: KILLED,
        ticks: None,
        strike: |s| s.hit(Role::Browser, Signal::SIGKILL),
    },
    Blow {
        name: "renderer stopped",
        told: &["unresponsive"],
        page: STOPPED,
        ticks: None,
        strike: |s| s.hit(Role::Renderer, Signal::SIGSTOP),
    },
    Blow {
        name: "driver killed",
        told: &["driver_crash"],
        page: KILLED,
        ticks: None,
        strike: |s| s.hit(Role::Driver, Signal::SIGKILL),
    },
    Blow { name: "no room in the file 10 s", told: &["store_failing"], page: None, ticks: None, strike: fill_file },
    Blow {
        name: "guardian killed",
        told: &["driver_crash"],
        page: KILLED,
        ticks: None,
        strike: |s| s.hit(Role::Guardian, Signal::SIGKILL),
    },
    Blow {
        name: "driver stopped",
        told: &["unresponsive"],
        page: STOPPED,
        ticks: None,
        strike: |s| s.hit(Role::Driver, Signal::SIGSTOP),
    },
];

/// Its memory begins anew with it: only in the first third, so that the rest shows whether it grows.
const KILL: Blow =
    Blow { name: "recorder killed", told: &["start"], page: Some(25.0), ticks: Some(15.0), strike: kill_recorder };

struct Soak {
    folder: PathBuf,
    /// Not in `folder`: nothing may be left in it, and the names of a browser's sockets must be short.
    tmp: tempfile::TempDir,
    child: Child,
}

impl Soak {
    fn start(folder: &Path, tmp: &Path) -> Result<Child> {
        let log = File::options().create(true).append(true).open(folder.join("recorder.log"))?;
        // Rows of a second, of which none of 2 hours is forgotten; a fault a minute is never healthy for 10 minutes.
        let archives = ["--rra", "AVERAGE:0.5:1:10800", "--rra", "MAX:0.5:3:3600", "--rra", "MIN:0.5:3:3600"];
        let child = Command::new(binary("recorder"))
            .current_dir(folder)
            .args(archives)
            .args(["--restarts", "1000000"])
            .env("TMPDIR", tmp)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        Ok(child)
    }

    fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    fn db(&self) -> PathBuf {
        self.folder.join("soak.db")
    }

    fn hit(&mut self, role: Role, signal: Signal) -> Result<()> {
        strike(self.pid(), role, signal)
    }

    fn until_sampled(&self, after: f64) -> Result<()> {
        let query = format!("select count(*) >= 3 from average where heap_used is not null and time > {after}");
        until(PATIENCE, "samples of the page", || Ok((sql(&self.db(), &query)? == "1").then_some(())))
    }
}

impl Drop for Soak {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn stop_recorder(soak: &mut Soak) -> Result<()> {
    processes::signal(soak.pid(), Signal::SIGSTOP)?;
    pause(Duration::from_secs(5));
    processes::signal(soak.pid(), Signal::SIGCONT)
}

/// The file's size is limited to what it has, as a full disk does.
fn fill_file(soak: &mut Soak) -> Result<()> {
    let limit = |size: &str| -> Result<()> {
        let status =
            Command::new("prlimit").args(["--pid", &soak.pid().to_string(), &format!("--fsize={size}:")]).status()?;
        ensure!(status.success(), "prlimit: {status}");
        Ok(())
    };
    limit("4096")?;
    pause(Duration::from_secs(10));
    limit("unlimited")
}

fn kill_recorder(soak: &mut Soak) -> Result<()> {
    let family = family(soak.pid());
    soak.child.kill()?;
    soak.child.wait()?;
    until_gone(&family, Duration::from_secs(10))?;
    soak.child = Soak::start(&soak.folder, soak.tmp.path())?;
    Ok(())
}

/// A blow that was dealt.
struct Dealt {
    blow: Blow,
    from: f64,
    /// When the strike itself was over; a recorder that is stopped, for instance, goes on then.
    to: f64,
}

/// Soaks for so many minutes into `folder`, draws it, and judges.
pub(crate) fn run(minutes: u32, folder: &Path) -> ExitCode {
    match soak(minutes, folder).and_then(|(soak, dealt)| judge(soak, &dealt)) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(misses) => {
            println!("{misses} misses");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("MISS {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn soak(minutes: u32, folder: &Path) -> Result<(Soak, Vec<Dealt>)> {
    let folder = std::path::absolute(folder)?;
    std::fs::create_dir_all(&folder)?;
    ensure!(!folder.join("soak.db").exists(), "{} has a soak.db already; name another folder", folder.display());
    let tmp = tempfile::tempdir()?;
    let mut soak = Soak { child: Soak::start(&folder, tmp.path())?, folder, tmp };
    soak.until_sampled(0.0)?;
    let began = Instant::now();
    let kills = [minutes / 6, minutes / 3];
    let mut blows = BLOWS.iter().cycle();
    let mut dealt = Vec::new();
    for minute in 1..minutes {
        pause((Duration::from_secs(60) * minute).saturating_sub(began.elapsed()));
        let blow = if kills.contains(&minute) { KILL } else { *blows.next().unwrap_or(&KILL) };
        let from = now();
        (blow.strike)(&mut soak).with_context(|| blow.name)?;
        let to = now();
        println!("{minute:4} min  {}", blow.name);
        std::io::stdout().flush()?;
        dealt.push(Dealt { blow, from, to });
    }
    pause((Duration::from_secs(60) * minutes).saturating_sub(began.elapsed()));
    soak.until_sampled(now() - 10.0)?;
    Ok((soak, dealt))
}

/// Ends the run, draws the picture, and counts what is not as it should be.
fn judge(mut soak: Soak, dealt: &[Dealt]) -> Result<usize> {
    let db = soak.db();
    processes::signal(soak.pid(), Signal::SIGTERM)?;
    let status = until(PATIENCE, "the end of the recorder", || Ok(soak.child.try_wait()?))?;
    let mut misses = Vec::new();
    if !status.success() {
        misses.push(format!("the recorder ended with {status}"));
    }
    verify(&db)?;
    for dealt in dealt {
        misses.extend(told(&db, dealt)?);
    }
    let page = unknown(&db, "heap_used")?;
    let ticks = unknown(&db, "recorder_rss")?;
    misses.extend(unexplained("heap_used", &page, dealt, |blow| blow.page));
    misses.extend(unexplained("recorder_rss", &ticks, dealt, |blow| blow.ticks));
    misses.extend(without_gap(&db, &page, dealt)?);
    misses.extend(grown(&db)?);
    let folders = std::fs::read_dir(soak.tmp.path())?.count();
    if folders > 0 {
        misses.push(format!("{folders} folders are left in its TMPDIR"));
    }
    draw(&soak.folder)?;
    println!("\n{} faults; page unknown for {} s, recorder for {} s", dealt.len(), page.len(), ticks.len());
    println!("{}", summary(&db)?);
    println!("the picture is {}", soak.folder.join("soak.png").display());
    misses.iter().for_each(|miss| println!("MISS {miss}"));
    Ok(misses.len())
}

/// An event of the right kind, within the minute.
fn told(db: &Path, dealt: &Dealt) -> Result<Option<String>> {
    let Dealt { blow, from, to } = dealt;
    let kinds = blow.told.iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(",");
    let query = format!("select count(*) from event where kind in ({kinds}) and time between {from} - 1 and {to} + 45");
    let count: u32 = sql(db, &query)?.parse()?;
    Ok((count != 1).then(|| format!("{}: {count} events of {:?}, not one", blow.name, blow.told)))
}

/// The times of a source's unknown rows, between known ones.
fn unknown(db: &Path, source: &str) -> Result<Vec<f64>> {
    let known = format!("(select {{}}(time) from average where {source} is not null)");
    let (first, last) = (known.replace("{}", "min"), known.replace("{}", "max"));
    let query =
        format!("select time from average where {source} is null and time between {first} and {last} order by time");
    sql(db, &query)?.lines().map(|line| Ok(line.parse()?)).collect()
}

/// Unknown rows that no fault explains.
fn unexplained(source: &str, rows: &[f64], dealt: &[Dealt], may: impl Fn(&Blow) -> Option<f64>) -> Vec<String> {
    let explains =
        |time: f64, dealt: &Dealt| may(&dealt.blow).is_some_and(|s| time >= dealt.from - 1.0 && time <= dealt.from + s);
    let lost: Vec<f64> =
        rows.iter().copied().filter(|time| !dealt.iter().any(|dealt| explains(*time, dealt))).collect();
    if lost.is_empty() { Vec::new() } else { vec![format!("{source} is unknown without a reason at {lost:?}")] }
}

/// Faults that take the page away and left no gap, though the page was not there again within a second.
fn without_gap(db: &Path, rows: &[f64], dealt: &[Dealt]) -> Result<Vec<String>> {
    let mut lacking = Vec::new();
    for Dealt { blow, from, .. } in dealt {
        let Some(most) = blow.page else { continue };
        let gap = rows.iter().any(|time| *time >= from - 1.0 && *time <= from + most);
        let back =
            format!("select count(*) from event where kind = 'navigation' and time between {from} and {from} + 1");
        if !gap && sql(db, &back)? == "0" {
            lacking.push(format!("{} at {from} left no gap", blow.name));
        }
    }
    Ok(lacking)
}

/// The recorder's own memory in the second half of its last life, against the quarter before.
fn grown(db: &Path) -> Result<Vec<String>> {
    let mut misses = Vec::new();
    let started: f64 = sql(db, "select max(started) from run")?.parse()?;
    let ended: f64 = sql(db, "select max(ended) from run")?.parse()?;
    for (source, slack) in [("recorder_heap", 262_144.0), ("recorder_rss", 1_048_576.0)] {
        let mean = |from: f64, to: f64| -> Result<f64> {
            let (from, to) = (started + (ended - started) * from, started + (ended - started) * to);
            Ok(sql(db, &format!("select avg({source}) from average where time between {from} and {to}"))?.parse()?)
        };
        let (before, after) = (mean(0.25, 0.5)?, mean(0.75, 1.0)?);
        println!(
            "{source}: {:.2} MiB in its second quarter, {:.2} MiB in its last",
            before / 1048576.0,
            after / 1048576.0
        );
        if after > before * 1.05 + slack {
            misses.push(format!("{source} grew from {before:.0} to {after:.0}"));
        }
    }
    Ok(misses)
}

fn summary(db: &Path) -> Result<String> {
    let mut text = String::new();
    for line in sql(db, "select kind, count(*) from event group by kind order by kind")?.lines() {
        let _ = write!(text, "{}  ", line.replace('|', " "));
    }
    Ok(text)
}

fn draw(folder: &Path) -> Result<()> {
    let panels =
        ["--panel", "heap_used", "--panel", "iterations", "--panel", "recorder_heap", "--panel", "recorder_rss"];
    let span = sql(&folder.join("soak.db"), "select cast(max(ended) - min(started) as integer) + 10 from run")?;
    let status = Command::new(binary("grapher"))
        .current_dir(folder)
        .args([
            "--db",
            "soak.db",
            "--out",
            "soak.png",
            "--last",
            &format!("{span}s"),
            "--width",
            "1600",
            "--height",
            "1200",
        ])
        .args(panels)
        .status()?;
    ensure!(status.success(), "grapher: {status}");
    Ok(())
}
