//! The disk and the file: full, limited, failing, locked, lost, replaced, not ours.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use crate::case::{Fault, Seen, seen};
use crate::stage::{PATIENCE, Recorder, Stage, binary, now, pause, stretched, until};

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "disk-full",
        expected: "alarm; goes on within 2 s of room, and nothing is lost",
        quick: true,
        disk: Some("4m"),
        play: disk_full,
    },
    Fault {
        name: "disk-full-before",
        expected: "exit 2, says so, leaves no half file",
        quick: true,
        disk: Some("64k"),
        play: disk_full_before,
    },
    Fault {
        name: "file-size-limit",
        expected: "no death by SIGXFSZ; alarm; goes on by itself",
        quick: true,
        disk: None,
        play: file_size_limit,
    },
    Fault {
        name: "store-locked",
        expected: "alarm while another program holds it; nothing is lost",
        quick: true,
        disk: None,
        play: locked,
    },
    Fault {
        name: "disk-hangs",
        expected: "alarm; ticks go on, and nothing is lost",
        quick: false,
        disk: None,
        play: hangs,
    },
    Fault {
        name: "reader-stuck",
        expected: "told that the -wal grows; cut again afterwards",
        quick: false,
        disk: None,
        play: reader_stuck,
    },
    Fault {
        name: "network-filesystem",
        expected: "exit 2, says so, leaves no file",
        quick: true,
        disk: None,
        play: network,
    },
    Fault { name: "file-lost", expected: "exit 2 within 6 s, says so", quick: true, disk: None, play: lost },
    Fault {
        name: "file-replaced",
        expected: "exit 2 within 6 s, says so; the other file untouched",
        quick: true,
        disk: None,
        play: replaced,
    },
    Fault {
        name: "wal-lost",
        expected: "exit 2, says so; what was committed is in the file",
        quick: true,
        disk: None,
        play: wal_lost,
    },
    Fault {
        name: "shm-truncated",
        expected: "may die; the next goes on, and nothing committed is lost",
        quick: true,
        disk: None,
        play: shm_truncated,
    },
    Fault {
        name: "file-refused",
        expected: "cut, foreign, newer: exit 2, file untouched",
        quick: true,
        disk: None,
        play: refused,
    },
];

/// A process to watch that needs no browser: ourselves.
pub(crate) fn plain(more: &str) -> String {
    format!("--rra AVERAGE:0.5:1:20000 --pid {} {more}", std::process::id())
}

/// A recorder that watches a process, once it has recorded some rows.
fn recording<'a>(stage: &'a Stage, more: &str) -> Result<Recorder<'a>> {
    let recorder = stage.run(stage.recorder(&plain(more))?)?;
    until_rows(stage, 0.0)?;
    Ok(recorder)
}

fn until_rows(stage: &Stage, after: f64) -> Result<()> {
    let query = format!("select count(*) >= 3 from average where recorder_rss is not null and time > {after}");
    until(PATIENCE, "rows", || Ok((stage.sql(&query)? == "1").then_some(())))
}

fn until_log(stage: &Stage, words: &str) -> Result<()> {
    let told = until(PATIENCE, words, || Ok(stage.log("recorder").contains(words).then_some(())));
    told.with_context(|| stage.log("recorder"))
}

/// The alarm was raised and ended, no row is missing, and the store is whole.
fn recovered(stage: &Stage, recorder: Recorder<'_>, freed: f64) -> Result<Seen> {
    let newest = || stage.number("select max(time) from average where recorder_rss is not null");
    let again = until(PATIENCE, "rows after the fault", || {
        let fresh = newest().is_ok_and(|time| time > freed);
        Ok(fresh.then(|| now() - freed))
    })?;
    ensure!(again <= stretched(2.0), "written again after {again:.1} s");
    let (_, told) = stage.until_event(&["store_failing"], 0.0)?;
    let (_, over) = stage.until_event(&["store_written"], 0.0)?;
    let gaps = stage.gaps("recorder_rss")?;
    ensure!(gaps.is_empty() && over.contains("nothing is lost"), "{over}, gaps {gaps:?}");
    recorder.end()?;
    let told: String = told.rsplit(": ").next().unwrap_or_default().to_owned();
    seen(format!("alarm; written {again:.1} s after, no row missing"), format!("{over} ({told})"))
}

fn disk_full(stage: &Stage) -> Result<Seen> {
    let mut recorder = recording(stage, "")?;
    let ballast = stage.disk().join("ballast");
    let mut file = File::create(&ballast)?;
    let full = loop {
        if let Err(error) = file.write_all(&[b'x'; 4096]) {
            break error;
        }
    };
    ensure!(full.kind() == ErrorKind::StorageFull, "{full}");
    until_log(stage, "the store cannot be written")?;
    pause(Duration::from_secs(5));
    ensure!(recorder.is_alive()?, "{}", stage.log("recorder"));
    std::fs::remove_file(&ballast)?;
    recovered(stage, recorder, now())
}

fn disk_full_before(stage: &Stage) -> Result<Seen> {
    let mut recorder = stage.run(stage.recorder(&plain(""))?)?;
    let status = recorder.wait(PATIENCE)?;
    ensure!(status.code() == Some(2), "{status}");
    let log = stage.log("recorder");
    let said = log.lines().last().unwrap_or_default();
    ensure!(said.contains("no room"), "{log}");
    let left = std::fs::read_dir(stage.disk())?.count();
    ensure!(left == 0, "{left} files are left");
    seen("exit 2, no file", said.to_owned())
}

/// Limits what any file of the recorder may grow to, and takes the limit away again.
pub(crate) fn limit_files(pid: i32, bytes: Option<u32>) -> Result<()> {
    let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
    let status = Command::new("prlimit").args(["--pid", &pid.to_string(), &format!("--fsize={limit}:")]).status()?;
    ensure!(status.success(), "prlimit: {status}");
    Ok(())
}

/// The log lies on the same full disk: its lines are lost, and that must not matter either.
fn file_size_limit(stage: &Stage) -> Result<Seen> {
    let mut recorder = recording(stage, "-v")?;
    limit_files(recorder.pid(), Some(4096))?;
    pause(Duration::from_secs(12));
    ensure!(recorder.is_alive()?, "it died: {}", stage.log("recorder"));
    limit_files(recorder.pid(), None)?;
    recovered(stage, recorder, now())
}

/// Another program begins to write by hand and goes to lunch.
fn locked(stage: &Stage) -> Result<Seen> {
    let recorder = recording(stage, "")?;
    let mut other = Command::new("sqlite3").arg(stage.db()).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let mut orders = other.stdin.take().context("stdin of sqlite3")?;
    orders.write_all(b".timeout 5000\nbegin immediate;\n")?;
    orders.flush()?;
    until_log(stage, "the store cannot be written")?;
    pause(Duration::from_secs(4));
    drop(orders);
    other.wait()?;
    recovered(stage, recorder, now())
}

/// A sync takes 12 s: the thread that writes hangs in the system, and says nothing.
fn hangs(stage: &Stage) -> Result<Seen> {
    let recorder = recording(stage, "")?;
    let mut strace = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-p", &recorder.pid().to_string()])
        .args(["-e", "inject=fsync:delay_enter=12000000:when=1"])
        .spawn()
        .context("strace is installed")?;
    until_log(stage, "the disk does not answer")?;
    until_log(stage, "the store is written again")?;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(strace.id().cast_signed()), Signal::SIGINT)?;
    strace.wait()?;
    recovered(stage, recorder, now())
}

fn reader_stuck(stage: &Stage) -> Result<Seen> {
    // Small steps write much in a short time.
    let recorder = recording(stage, "--step 20ms")?;
    let mut other = Command::new("sqlite3").arg(stage.db()).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let mut orders = other.stdin.take().context("stdin of sqlite3")?;
    orders.write_all(b".timeout 5000\nbegin;\nselect count(*) from store;\n")?;
    orders.flush()?;
    let wal = || std::fs::metadata(stage.path("soak.db-wal")).map_or(0, |found| found.len());
    let limit = Duration::from_secs(300);
    let told = until(limit, "an event that the -wal grows", || {
        Ok(Some(stage.events(0.0)?.join(" ")).filter(|events| events.contains("wal_grows")))
    })?;
    let longest = wal();
    drop(orders);
    other.wait()?;
    until(PATIENCE, "a -wal that is short again", || Ok((wal() <= 16 << 20).then_some(())))?;
    recorder.end()?;
    let told = told.split("wal_grows: ").nth(1).unwrap_or_default().chars().take(60).collect::<String>();
    seen(format!("told at {} MiB, cut again", longest >> 20), told)
}

/// strace makes the system say that the file lies on NFS.
fn network(stage: &Stage) -> Result<Seen> {
    let mut strace = stage.command("recorder", "strace")?;
    let status = strace
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=statfs"])
        .args(["-e", "inject=statfs:poke_exit=@arg2=6969000000000000"])
        .arg(binary("recorder"))
        .arg("--db")
        .arg(stage.db())
        .args(plain("").split_whitespace())
        .status()
        .context("strace is installed")?;
    let log = stage.log("recorder");
    ensure!(status.code() == Some(2) && log.contains("lies on nfs"), "{status}: {log}");
    ensure!(!stage.db().exists(), "a file was made");
    seen("exit 2, no file", log.lines().last().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned())
}

/// Ends by itself with status 2 and these words.
fn ends(stage: &Stage, mut recorder: Recorder<'_>, words: &str) -> Result<Seen> {
    let began = Instant::now();
    let status = recorder.wait(PATIENCE)?;
    let took = began.elapsed().as_secs_f64();
    let log = stage.log("recorder");
    ensure!(status.code() == Some(2) && log.contains(words), "{status}: {log}");
    ensure!(took <= stretched(6.0), "ended after {took:.1} s");
    let said = log.lines().last().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
    seen(format!("exit 2 after {took:.1} s"), said)
}

fn lost(stage: &Stage) -> Result<Seen> {
    let recorder = recording(stage, "")?;
    std::fs::rename(stage.db(), stage.path("moved.db"))?;
    ends(stage, recorder, "was deleted or moved")
}

fn replaced(stage: &Stage) -> Result<Seen> {
    let recorder = recording(stage, "")?;
    std::fs::rename(stage.db(), stage.path("moved.db"))?;
    let other = b"another file";
    File::create(stage.db())?.write_all(other)?;
    let outcome = ends(stage, recorder, "was replaced")?;
    ensure!(std::fs::read(stage.db())? == other, "the other file was written");
    Ok(outcome)
}

fn wal_lost(stage: &Stage) -> Result<Seen> {
    let recorder = recording(stage, "")?;
    let committed = stage.number("select max(time) from average where recorder_rss is not null")?;
    std::fs::remove_file(stage.path("soak.db-wal"))?;
    let outcome = ends(stage, recorder, "soak.db-wal was deleted or moved")?;
    stage.verify()?;
    let kept = stage.number("select max(time) from average where recorder_rss is not null")?;
    ensure!(kept >= committed, "rows until {committed} were committed, those until {kept} are there");
    Ok(outcome)
}

/// What SQLite shares between processes is a mapped file: cut by somebody, it can kill whoever looks.
fn shm_truncated(stage: &Stage) -> Result<Seen> {
    let mut recorder = recording(stage, "")?;
    let committed = stage.number("select max(time) from average where recorder_rss is not null")?;
    File::options().write(true).open(stage.path("soak.db-shm"))?.set_len(0)?;
    pause(Duration::from_secs(3));
    let died = !recorder.is_alive()?;
    let how = if died { recorder.wait(PATIENCE)?.to_string() } else { "lives on".to_owned() };
    if !died {
        recorder.signal(Signal::SIGKILL)?;
        recorder.wait(PATIENCE)?;
    }
    let again = recording(stage, "")?;
    let rows =
        stage.number(&format!("select count(*) from average where time = {committed} and recorder_rss is not null"))?;
    ensure!(rows > 0.5, "the row of {committed} is lost");
    again.end()?;
    seen(how, "the next run went on; integrity and row checks good")
}

fn refused(stage: &Stage) -> Result<Seen> {
    recording(stage, "")?.end()?;
    let whole = std::fs::read(stage.db())?;
    let cut = whole[..whole.len() * 2 / 3].to_vec();
    let changed = |place: usize, bytes: &[u8]| {
        let mut copy = whole.clone();
        copy[place..place + bytes.len()].copy_from_slice(bytes);
        copy
    };
    // Where SQLite's header has the application id and the user version.
    let cases = [
        ("cut", cut, "damaged"),
        ("foreign", changed(68, &[0, 0, 0, 7]), "not a heapsoak store"),
        ("newer", changed(60, &[0, 0, 0, 2]), "version 2"),
        ("a letter", b"Dear Sir or Madam, ".repeat(500), "not a heapsoak store"),
    ];
    for (name, bytes, words) in cases {
        refuses(stage, &bytes, words).with_context(|| name)?;
    }
    seen("4 of 4 refused with exit 2, bytes unchanged", "cut, foreign, newer, a letter")
}

fn refuses(stage: &Stage, bytes: &[u8], words: &str) -> Result<()> {
    let path = stage.path("other.db");
    File::create(&path)?.write_all(bytes)?;
    let output = Command::new(binary("recorder"))
        .arg("--db")
        .arg(&path)
        .args(["--pid", &std::process::id().to_string()])
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(2) && said.contains(words), "{}: {said}", output.status);
    ensure!(std::fs::read(&path)? == bytes, "the file was changed");
    ensure!(!beside(&path), "something was left beside the file");
    Ok(())
}

fn beside(path: &Path) -> bool {
    ["-wal", "-shm", "-journal"].iter().any(|suffix| path.with_extension(format!("db{suffix}")).exists())
}
