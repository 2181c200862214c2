//! A grapher that is killed while it writes, or that is not the only one: whoever looks sees a whole picture.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::BufReader;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use crate::case::{Fault, Seen, seen};
use crate::processes::{family, signal};
use crate::stage::{Stage, binary, pause};
use crate::store::plain;

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "grapher-killed",
        expected: "200 kills: never a cut picture, at most one temp file",
        quick: false,
        disk: None,
        play: killed,
    },
    Fault {
        name: "graphers-two",
        expected: "two to one file: every look finds a whole picture",
        quick: true,
        disk: None,
        play: two,
    },
];

const KILLS: usize = 200;

/// A store with something to draw.
fn store(stage: &Stage) -> Result<()> {
    let mut recorder = stage.recorder(&plain("--step 100ms --duration 3s"))?;
    ensure!(recorder.status()?.success(), "{}", stage.log("recorder"));
    Ok(())
}

fn grapher(stage: &Stage, more: &[&str]) -> Result<Command> {
    let mut grapher = stage.command("grapher", binary("grapher"))?;
    grapher
        .arg("--db")
        .arg(stage.db())
        .args(["--out", "out/heap.png", "--last", "10s", "--series", "recorder_rss"])
        .args(more);
    Ok(grapher)
}

/// Decodes the whole picture, each check of its pieces included; none while there is none.
fn look(stage: &Stage) -> Result<Option<(u32, u32)>> {
    let file = match File::open(stage.path("out/heap.png")) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut reader = png::Decoder::new(BufReader::new(file)).read_info().context("a cut picture")?;
    let mut pixels = vec![0; reader.output_buffer_size().context("a picture too large")?];
    let frame = reader.next_frame(&mut pixels).context("a cut picture")?;
    reader.finish().context("a cut picture")?;
    Ok(Some((frame.width, frame.height)))
}

/// The files beside the picture.
fn temp_files(stage: &Stage) -> Result<BTreeSet<OsString>> {
    let names = std::fs::read_dir(stage.path("out"))?.map(|entry| Ok(entry?.file_name()));
    names.filter(|name: &Result<OsString>| name.as_ref().map_or(true, |name| name != "heap.png")).collect()
}

/// Kills while a picture is written. That takes a millisecond: strace makes each step of it take thirty.
fn killed(stage: &Stage) -> Result<Seen> {
    store(stage)?;
    std::fs::create_dir(stage.path("out"))?;
    ensure!(grapher(stage, &[])?.status()?.success(), "{}", stage.log("grapher"));
    let (mut most, mut left) = (0, 0);
    for _ in 0..KILLS {
        let before = temp_files(stage)?;
        let mut strace = slowed(stage)?.spawn().context("strace is installed")?;
        // One that is gone again at the next look only tried whether there is room.
        let mut last = before.clone();
        while strace.try_wait()?.is_none() {
            let now = temp_files(stage)?;
            if now.intersection(&last).any(|name| !before.contains(name)) {
                break;
            }
            last = now;
            pause(Duration::from_millis(3));
        }
        pause(Duration::from_micros(fastrand::u64(0..60_000)));
        for pid in family(strace.id().cast_signed()).into_iter().filter(|pid| *pid != strace.id().cast_signed()) {
            signal(pid, Signal::SIGKILL)?;
        }
        strace.wait()?;
        look(stage)?.context("the picture is gone")?;
        let now = temp_files(stage)?.len();
        (most, left) = (most.max(now), left + usize::from(now > 0));
    }
    ensure!(most <= 1, "{most} temp files");
    ensure!(left >= KILLS / 4, "only {left} were killed while they wrote");
    ensure!(grapher(stage, &[])?.status()?.success(), "{}", stage.log("grapher"));
    ensure!(temp_files(stage)?.is_empty(), "the next one does not sweep");
    seen(
        format!("{KILLS} kills, {left} within the writing: no cut picture"),
        format!("at most {most} temp file, swept by the next"),
    )
}

/// The grapher, whose writes, syncs and renames take 30 ms each.
fn slowed(stage: &Stage) -> Result<Command> {
    let plain = grapher(stage, &[])?;
    let mut strace = stage.command("grapher", "strace")?;
    strace
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=write,fsync,rename,renameat,renameat2"])
        .args(["-e", "inject=write,fsync,rename,renameat,renameat2:delay_enter=30000"])
        .arg(plain.get_program())
        .args(plain.get_args());
    Ok(strace)
}

fn two(stage: &Stage) -> Result<Seen> {
    store(stage)?;
    std::fs::create_dir(stage.path("out"))?;
    let start =
        |width: &str| -> Result<Child> { Ok(grapher(stage, &["--watch", "100ms", "--width", width])?.spawn()?) };
    let (mut one, mut other) = (start("700")?, start("900")?);
    let (began, mut looks, mut widths) = (Instant::now(), 0, BTreeSet::new());
    while began.elapsed() < Duration::from_secs(8) {
        if let Some(size) = look(stage)? {
            looks += 1;
            widths.insert(size.0);
        }
        pause(Duration::from_millis(5));
    }
    let alive = one.try_wait()?.is_none() && other.try_wait()?.is_none();
    kill(&mut one)?;
    kill(&mut other)?;
    ensure!(alive, "{}", stage.log("grapher"));
    ensure!(widths.len() == 2 && looks > 50, "{looks} looks saw {widths:?}");
    seen(format!("{looks} looks, all whole, both graphers live"), format!("widths {widths:?}"))
}

fn kill(child: &mut Child) -> Result<()> {
    child.kill()?;
    child.wait()?;
    Ok(())
}
