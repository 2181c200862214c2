//! A grapher that is killed while it writes, or that is not the only one: whoever looks sees a whole picture.

use std::fs::File;
use std::io::BufReader;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::case::{Fault, Seen, seen};
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

const KILLS: u32 = 200;

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

fn temp_files(stage: &Stage) -> Result<usize> {
    Ok(std::fs::read_dir(stage.path("out"))?.count() - usize::from(stage.path("out/heap.png").exists()))
}

fn killed(stage: &Stage) -> Result<Seen> {
    store(stage)?;
    std::fs::create_dir(stage.path("out"))?;
    let began = Instant::now();
    ensure!(grapher(stage, &[])?.status()?.success(), "{}", stage.log("grapher"));
    let whole = began.elapsed();
    let (mut most, mut cut_short) = (0, 0);
    for _ in 0..KILLS {
        let mut child = grapher(stage, &[])?.spawn()?;
        // The writing is the last part of its work.
        pause(whole.mul_f64(0.3 + fastrand::f64() * 0.8));
        cut_short += u32::from(child.try_wait()?.is_none());
        kill(&mut child)?;
        look(stage)?.context("the picture is gone")?;
        most = most.max(temp_files(stage)?);
    }
    ensure!(most <= 1, "{most} temp files");
    ensure!(cut_short > KILLS / 4, "only {cut_short} were killed at work");
    seen(format!("{KILLS} runs, {cut_short} killed at work: no cut picture"), format!("at most {most} temp file"))
}

fn two(stage: &Stage) -> Result<Seen> {
    store(stage)?;
    std::fs::create_dir(stage.path("out"))?;
    let start =
        |width: &str| -> Result<Child> { Ok(grapher(stage, &["--watch", "100ms", "--width", width])?.spawn()?) };
    let (mut one, mut other) = (start("700")?, start("900")?);
    let (began, mut looks, mut widths) = (Instant::now(), 0, std::collections::BTreeSet::new());
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
