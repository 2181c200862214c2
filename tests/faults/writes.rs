//! Each write to the disk in its turn fails: by strace, which makes the system say so, and by libfiu at random.

use std::process::{Command, ExitStatus};

use anyhow::{Context, Result, ensure};

use crate::case::{Fault, Seen, seen};
use crate::stage::{PATIENCE, Stage, binary, sql, verify};

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "write-fails-once",
        expected: "each of the first writes: no corruption, at most 1 row lost",
        quick: false,
        disk: None,
        play: once,
    },
    Fault {
        name: "write-fails-sampled",
        expected: "some of the writes: no corruption, at most 1 row lost",
        quick: true,
        disk: None,
        play: sampled,
    },
    Fault {
        name: "sync-fails-once",
        expected: "each of the first syncs: no corruption, at most 1 row lost",
        quick: false,
        disk: None,
        play: syncs,
    },
    Fault {
        name: "disk-full-for-21-writes",
        expected: "no corruption, nothing lost once there is room",
        quick: true,
        disk: None,
        play: twenty_one,
    },
    Fault {
        name: "writes-fail-at-random",
        expected: "one in 500 fails: no corruption, the run ends in order",
        quick: true,
        disk: None,
        play: random,
    },
];

/// Tried side by side.
const SIDE_BY_SIDE: usize = 4;

/// How a run went of which a system call failed.
#[derive(Debug, PartialEq)]
enum Run {
    /// Refused to begin, and left nothing.
    Refused,
    /// Went to its end with so many rows unknown.
    Through(usize),
}

fn once(stage: &Stage) -> Result<Seen> {
    each(stage, &["pwrite64:error=EIO", "pwrite64:error=ENOSPC"], (1..=60).chain((65..=250).step_by(5)).collect())
}

fn sampled(stage: &Stage) -> Result<Seen> {
    each(stage, &["pwrite64:error=EIO"], vec![1, 60, 75, 90, 110, 130, 150, 180])
}

fn syncs(stage: &Stage) -> Result<Seen> {
    each(stage, &["fsync:error=EIO"], (1..=24).collect())
}

fn twenty_one(stage: &Stage) -> Result<Seen> {
    match run(stage, "all", "pwrite64:error=ENOSPC:when=60..80")? {
        Run::Through(lost) if lost <= 1 => seen("ended in order", format!("{lost} rows unknown")),
        other => anyhow::bail!("{other:?}"),
    }
}

/// Plays the failure of the n-th call for each n.
fn each(stage: &Stage, injections: &[&str], numbers: Vec<u32>) -> Result<Seen> {
    let cases: Vec<String> =
        injections.iter().flat_map(|what| numbers.iter().map(move |n| format!("{what}:when={n}"))).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let runs: Vec<Result<Run>> = std::thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            while let Some(case) = cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                done.push(run(stage, &case.replace([':', '='], "-"), case).with_context(|| case.clone()));
            }
            done
        };
        let threads: Vec<_> = (0..SIDE_BY_SIDE).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    let (mut refused, mut lost) = (0, 0);
    for run in runs {
        match run? {
            Run::Refused => refused += 1,
            Run::Through(rows) => lost = lost.max(rows),
        }
    }
    ensure!(lost <= 1, "a run lost {lost} rows");
    seen(
        format!("{} runs: none corrupt, at most {lost} row lost", cases.len()),
        format!("{refused} refused to begin and left no file"),
    )
}

/// A short recording under strace.
fn run(stage: &Stage, name: &str, injection: &str) -> Result<Run> {
    let db = stage.path(&format!("{name}.db"));
    let output = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64,fsync", "-e"])
        .arg(format!("inject={injection}"))
        .arg(binary("recorder"))
        .arg("--db")
        .arg(&db)
        .args(["--step", "100ms", "--rra", "AVERAGE:0.5:1:1000", "--duration", "2500ms"])
        .args(["--pid", &std::process::id().to_string()])
        .output()
        .context("strace is installed")?;
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => {
            verify(&db)?;
            Ok(Run::Through(unknown(&db)?))
        }
        Some(2) if !db.exists() => Ok(Run::Refused),
        // The very last commit failed: what came before is whole.
        Some(2) => {
            verify(&db)?;
            Ok(Run::Through(unknown(&db)?))
        }
        _ => anyhow::bail!("{}: {said}", output.status),
    }
}

/// Rows that are unknown between known ones, but for those of ticks that a busy machine has missed.
fn unknown(db: &std::path::Path) -> Result<usize> {
    let known = |of: &str| format!("(select {of}(time) from average where recorder_rss is not null)");
    let query = format!(
        "select count(*) from average where recorder_rss is null and time between {} and {}",
        known("min"),
        known("max")
    );
    let unknown: usize = sql(db, &query)?.parse()?;
    let late = sql(db, "select detail from event where kind = 'gap'")?;
    // Beside the missed ones the heartbeat, two steps, may run out.
    let excused = |line: &str| line.split(' ').next().and_then(|count| count.parse::<usize>().ok()).unwrap_or(0) + 2;
    Ok(unknown.saturating_sub(late.lines().map(excused).sum()))
}

fn random(stage: &Stage) -> Result<Seen> {
    // One of the writes that make the file may be the one that fails: then no file is there, and none is begun.
    let begun = (0..5).map(|_| failing_at_random(stage)).find(|ended| ended.is_err() || stage.db().exists());
    let status = begun.context("no run of five began")??;
    ensure!(status.success(), "{status}: {}", stage.log("fiu"));
    stage.verify()?;
    let rows = stage.number("select count(*) from average where recorder_rss is not null")?;
    let lost = unknown(&stage.db())?;
    let failed = stage.number("select count(*) from event where kind in ('store_failing', 'wal_grows')")?;
    seen(
        format!("integrity good, {lost} of {rows:.0} rows unknown"),
        format!("{failed:.0} failures lasted long enough to be told"),
    )
}

fn failing_at_random(stage: &Stage) -> Result<ExitStatus> {
    let log = std::fs::File::create(stage.path("fiu.log"))?;
    let mut child = Command::new("fiu-run")
        .args(["-x", "-c", "enable_random name=posix/io/rw/pwrite,probability=0.002"])
        .arg(binary("recorder"))
        .arg("--db")
        .arg(stage.db())
        .args(["--step", "50ms", "--rra", "AVERAGE:0.5:1:1000", "--duration", "15s", "-v"])
        .args(["--pid", &std::process::id().to_string()])
        .stderr(log)
        .spawn()
        .context("fiu-run is installed")?;
    crate::stage::until(PATIENCE, "the end of the recorder", || Ok(child.try_wait()?))
}
