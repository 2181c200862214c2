//! The recorder itself asked to end, killed, broken: nothing of the browser stays, nothing that was committed is lost, and the
//! next one goes on.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use procfs::process::Process;

use crate::case::{Fault, Seen, seen};
use crate::processes::{Role, alive, family, of_role, signal, until_gone};
use crate::stage::{PATIENCE, Recorder, Stage, now, pause, sql, stretched, until, verify};
use crate::store::plain;

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "asked-to-end",
        expected: "SIGTERM, SIGINT: last sample, run's end, one file, exit 0 within 5 s",
        quick: true,
        disk: None,
        play: asked,
    },
    Fault {
        name: "asked-twice",
        expected: "the second signal ends it at once, also when it hangs",
        quick: true,
        disk: None,
        play: twice,
    },
    Fault {
        name: "recorder-killed",
        expected: "3 kills: no orphan, nothing committed lost, resumed",
        quick: false,
        disk: None,
        play: killed_thrice,
    },
    Fault {
        name: "recorder-killed-50",
        expected: "50 kills: no orphan after 3 s, nothing committed lost, resumed",
        quick: false,
        disk: None,
        play: killed_often,
    },
    Fault {
        name: "copied-while-recording",
        expected: "soak.db alone, from 60 s on: whole, but for the last seconds",
        quick: false,
        disk: None,
        play: copied,
    },
    Fault {
        name: "both-killed",
        expected: "recorder and guardian: the next run sweeps, others untouched",
        quick: true,
        disk: None,
        play: both,
    },
    Fault {
        name: "thread-panics",
        expected: "ends with a status, never goes on in silence; resumed",
        quick: true,
        disk: None,
        play: panics,
    },
    Fault {
        name: "stderr-blocked",
        expected: "a pager that is not scrolled on: ticks go on",
        quick: true,
        disk: None,
        play: stderr_blocked,
    },
    Fault {
        name: "stderr-gone",
        expected: "a reader of the log that has gone: ticks go on",
        quick: false,
        disk: None,
        play: stderr_gone,
    },
];

/// Seconds between two checkpoints of the recorder.
const CHECKPOINT_S: f64 = 10.0;
/// One a second, for longer than that.
const COPIES: usize = 12;

fn asked(stage: &Stage) -> Result<Seen> {
    let mut took = Vec::new();
    for with in [Signal::SIGTERM, Signal::SIGINT] {
        let mut soak = stage.soak("")?;
        let family = family(soak.pid());
        let began = Instant::now();
        soak.signal(with)?;
        let status = soak.wait(PATIENCE)?;
        took.push(began.elapsed().as_secs_f64());
        ensure!(status.success(), "{with}: {status}");
        ensure!(alive(&family).is_empty(), "{with} leaves {:?}", alive(&family));
        ensure!(!stage.path("soak.db-wal").exists(), "{with} leaves a -wal");
        let reason = stage.sql("select reason || ' ' || exit_status from run order by id desc limit 1")?;
        ensure!(reason == format!("stopped by {with} 0"), "{reason}");
        stage.verify()?;
        std::fs::remove_file(stage.db())?;
    }
    let longest = took.iter().copied().fold(0.0, f64::max);
    ensure!(longest <= stretched(5.0), "{took:?}");
    seen(format!("exit 0 after {longest:.1} s at most"), "run row has its end, no -wal, no process left")
}

/// The browser is stopped, so that an orderly end takes its time; the second signal does not wait for it.
fn twice(stage: &Stage) -> Result<Seen> {
    let mut soak = stage.soak("")?;
    let family = family(soak.pid());
    of_role(soak.pid(), Role::Guardian).into_iter().try_for_each(|pid| signal(pid, Signal::SIGSTOP))?;
    soak.signal(Signal::SIGTERM)?;
    pause(Duration::from_millis(300));
    let began = Instant::now();
    soak.signal(Signal::SIGTERM)?;
    let status = soak.wait(PATIENCE)?;
    let took = began.elapsed().as_secs_f64();
    ensure!(took <= stretched(1.0), "ended after {took:.1} s");
    ensure!(status.code() == Some(143) || status.success(), "{status}");
    family.iter().try_for_each(|pid| signal(*pid, Signal::SIGCONT))?;
    until_gone(&family, PATIENCE)?;
    stage.verify()?;
    seen(format!("ended {:.0} ms after the second", took * 1e3), status.to_string())
}

fn killed_thrice(stage: &Stage) -> Result<Seen> {
    killed(stage, 3)
}

fn killed_often(stage: &Stage) -> Result<Seen> {
    killed(stage, 50)
}

/// What one kill showed.
struct Kill {
    gone_after: f64,
    /// How many seconds the file copied alone lacks; none: it fell into a write-back, and the copy needs its `-wal`.
    lacks: Option<f64>,
}

fn killed(stage: &Stage, times: u32) -> Result<Seen> {
    let mut kills = Vec::new();
    for number in 1..=times {
        kills.push(kill_once(stage, number).with_context(|| format!("kill {number}"))?);
    }
    stage.soak("")?.end()?;
    let runs = stage.number("select count(*) from run")?;
    ensure!((runs - f64::from(times) - 1.0).abs() < 0.5, "{runs} runs");
    ensure!(stage.run_folders()?.is_empty(), "{:?}", stage.run_folders()?);
    let rows = stage.number("select count(recorder_rss) from average")?;
    let most = |of: fn(&Kill) -> f64| kills.iter().map(of).fold(0.0, f64::max);
    let (gone, lacks) = (most(|kill| kill.gone_after), most(|kill| kill.lacks.unwrap_or(0.0)));
    let within = kills.iter().filter(|kill| kill.lacks.is_none()).count();
    ensure!(within <= 1 + kills.len() / 25, "{within} copies of the file alone cannot be read");
    ensure!(gone <= stretched(3.0), "processes of the browser were there for {gone:.1} s");
    ensure!(lacks <= CHECKPOINT_S + stretched(3.0), "a copy lacks {lacks:.0} s");
    seen(
        format!("{times} kills: no orphan after {gone:.1} s, nothing lost"),
        format!(
            "{times} resumes, {rows:.0} rows good, a copy of the file alone lacks at most {lacks:.0} s; {within} needed its -wal"
        ),
    )
}

/// One kill at some moment, of a start as well as of a soak.
fn kill_once(stage: &Stage, number: u32) -> Result<Kill> {
    let mut soak = stage.start("")?;
    if number.is_multiple_of(5) {
        pause(Duration::from_secs_f64(fastrand::f64() * 3.0));
    } else {
        soak.until_sampled(now())?;
        pause(Duration::from_secs_f64(fastrand::f64() * 2.0));
    }
    let family = family(soak.pid());
    let committed = || -> Result<String> { stage.sql("select last_us from store") };
    let before = committed()?;
    let began = Instant::now();
    soak.signal(Signal::SIGKILL)?;
    soak.wait(PATIENCE)?;
    let killed_at = now();
    let (copy, both) = (stage.path("copy.db"), stage.path("both.db"));
    if stage.db().exists() {
        std::fs::copy(stage.db(), &copy)?;
        std::fs::copy(stage.db(), &both)?;
    }
    if stage.path("soak.db-wal").exists() {
        std::fs::copy(stage.path("soak.db-wal"), stage.path("both.db-wal"))?;
    }
    until_gone(&family, PATIENCE)?;
    let gone_after = began.elapsed().as_secs_f64();
    if before.is_empty() {
        return Ok(Kill { gone_after, lacks: Some(0.0) });
    }
    stage.verify()?;
    let after: i64 = committed()?.parse()?;
    ensure!(after >= before.parse()?, "{before} was committed, {after} is there");
    let lacks = alone(&copy, killed_at).ok();
    if lacks.is_none() {
        verify(&both).context("the copy with its -wal")?;
    }
    [&copy, &both].into_iter().for_each(|copy| clean(copy));
    Ok(Kill { gone_after, lacks })
}

/// How many seconds a file lacks that was copied without what lies beside it.
fn alone(copy: &Path, killed_at: f64) -> Result<f64> {
    verify(copy)?;
    let last: f64 = sql(copy, "select last_us / 1e6 from store")?.parse()?;
    Ok(killed_at - last)
}

fn clean(copy: &Path) {
    ["", "-wal", "-shm"]
        .iter()
        .for_each(|suffix| drop(std::fs::remove_file(copy.with_extension(format!("db{suffix}")))));
}

/// Copies of the file alone, as somebody makes who knows of no `-wal`, over more than the time between two checkpoints.
fn copied(stage: &Stage) -> Result<Seen> {
    let soak = stage.soak("")?;
    pause(Duration::from_secs(60));
    let copy = stage.path("copy.db");
    let (mut lacks, mut rows, mut torn) = (Vec::new(), String::new(), 0);
    for _ in 0..COPIES {
        std::fs::copy(stage.db(), &copy)?;
        let copied_at = now();
        match alone(&copy, copied_at) {
            Ok(age) => {
                let newest = sql(&copy, "select max(time) from average")?;
                let all =
                    format!("select count(*), count(heap_used), total(heap_used) from average where time <= {newest}");
                rows = sql(&copy, &all)?;
                let live = stage.sql(&all)?;
                ensure!(rows == live, "the copy has {rows} until {newest}, the store {live}");
                let row: f64 = newest.parse()?;
                lacks.push(age.max(copied_at - row));
            }
            // A copy is not made at once: a checkpoint may write meanwhile.
            Err(_) => torn += 1,
        }
        clean(&copy);
        pause(Duration::from_secs(1));
    }
    ensure!(torn <= 1, "{torn} of {COPIES} copies cannot be read");
    let (least, most) = (lacks.iter().copied().fold(f64::MAX, f64::min), lacks.iter().copied().fold(0.0, f64::max));
    ensure!(most <= CHECKPOINT_S + stretched(3.0), "a copy lacks {most:.1} s");
    soak.end()?;
    let rows = rows.split('|').next().unwrap_or_default();
    seen(
        format!("{} of {COPIES} whole, they lack {least:.1} to {most:.1} s", lacks.len()),
        format!("all {rows} rows as in the store; {torn} fell into a checkpoint"),
    )
}

/// Nobody is left who could clear up; another soak on the same machine goes on meanwhile.
fn both(stage: &Stage) -> Result<Seen> {
    let others_place = Stage::new()?;
    let other = others_place.soak("")?;
    let theirs = family(other.pid());
    let mut soak = stage.soak("")?;
    let (ours, me) = (family(soak.pid()), soak.pid());
    let guardian = of_role(me, Role::Guardian);
    soak.signal(Signal::SIGSTOP)?;
    guardian.iter().try_for_each(|pid| signal(*pid, Signal::SIGKILL))?;
    soak.signal(Signal::SIGKILL)?;
    soak.wait(PATIENCE)?;
    pause(Duration::from_secs(1));
    let orphans = alive(&ours).len();
    ensure!(orphans > 0, "there is nothing to sweep");
    let again = stage.soak("")?;
    let (_, told) = stage.until_event(&["swept"], 0.0)?;
    ensure!(alive(&ours).is_empty(), "{:?} are left", alive(&ours));
    ensure!(stage.run_folders()?.len() == 1, "{:?}", stage.run_folders()?);
    let missing: Vec<i32> = theirs.iter().copied().filter(|pid| !alive(&[*pid]).contains(pid)).collect();
    let role_is_missing = missing.iter().any(|pid| of_role(other.pid(), Role::Browser).contains(pid));
    ensure!(!role_is_missing && of_role(other.pid(), Role::Browser).len() == 1, "the other soak lost {missing:?}");
    other.until_sampled(now())?;
    ensure!(others_place.events(0.0)?.iter().all(|event| !event.starts_with("restart")), "the other soak was hit");
    again.end()?;
    other.end()?;
    seen(
        format!("{orphans} orphans swept, the other soak untouched"),
        told.split(" and ").next().unwrap_or_default().to_owned(),
    )
}

/// The system refuses what no program expects it to refuse: a thread of the recorder panics.
fn panics(stage: &Stage) -> Result<Seen> {
    let mut told = Vec::new();
    for thread in ["recorder", "signals"] {
        let mut soak = stage.soak("")?;
        let family = family(soak.pid());
        let process = Process::new(soak.pid())?;
        let mut tasks = process.tasks()?.flatten();
        let task = tasks.find(|task| task.stat().is_ok_and(|stat| stat.comm == thread)).context("no such thread")?;
        let mut strace = Command::new("strace")
            .args(["-qq", "-o", "/dev/null", "-p", &task.tid.to_string(), "-e", "inject=epoll_wait:error=EBADF"])
            .spawn()
            .context("strace is installed")?;
        pause(Duration::from_secs(1));
        // The signals' thread wakes only for a signal.
        if thread == "signals" {
            soak.signal(Signal::SIGINT)?;
        }
        let status = soak.wait(PATIENCE)?;
        strace.wait()?;
        ensure!(!status.success(), "{thread}: {status}");
        until_gone(&family, PATIENCE)?;
        stage.verify()?;
        told.push(format!("{thread}: {status}"));
    }
    stage.soak("")?.end()?;
    seen("2 of 2 threads: the process ends, no browser left", told.join(", "))
}

fn ticks_go_on(stage: &Stage, mut recorder: Recorder<'_>) -> Result<f64> {
    let rows = || stage.number("select count(recorder_rss) from average");
    until(PATIENCE, "rows", || Ok(rows().is_ok_and(|rows| rows > 3.0).then_some(())))?;
    let before = rows()?;
    let began = Instant::now();
    pause(Duration::from_secs(8));
    let (more, wanted) = (rows()? - before, began.elapsed().as_secs_f64() * 10.0);
    ensure!(recorder.is_alive()?, "it died");
    ensure!(more > wanted / 2.0, "{more} rows instead of {wanted:.0}");
    recorder.signal(Signal::SIGTERM)?;
    let status = recorder.wait(PATIENCE)?;
    ensure!(status.success(), "{status}");
    stage.verify()?;
    Ok(more)
}

/// More lines than a pipe holds, and nobody who reads them.
fn stderr_blocked(stage: &Stage) -> Result<Seen> {
    let (reader, writer) = std::io::pipe()?;
    let mut command = stage.recorder(&plain("--step 100ms -vv"))?;
    command.stderr(Stdio::from(writer));
    let recorder = stage.run(command)?;
    // The command holds the pipe's end too: it goes before the recorder is waited for.
    let rows = ticks_go_on(stage, recorder)?;
    drop(reader);
    seen("ticks go on, orderly end", format!("{rows:.0} rows in 8 s"))
}

fn stderr_gone(stage: &Stage) -> Result<Seen> {
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    let mut command = stage.recorder(&plain("--step 100ms -vv"))?;
    command.stderr(Stdio::from(writer));
    let rows = ticks_go_on(stage, stage.run(command)?)?;
    seen("ticks go on, orderly end", format!("{rows:.0} rows in 8 s"))
}
