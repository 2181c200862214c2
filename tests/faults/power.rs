//! The power goes: what the recorder wrote is replayed up to some moment, without a part of what was not yet synced.
//!
//! strace notes each write and each sync of a real recording. A disk may have kept any of the writes since a file's last
//! sync, whole or in part, and in any order; so each moment is replayed with all, none and some of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::case::{Fault, Seen, seen};
use crate::stage::{Stage, binary, sql, stretched, verify};
use crate::store::plain;

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "power-lost",
        expected: "300 moments: never corrupt, newest sample at most 2 ticks old",
        quick: false,
        disk: None,
        play: often,
    },
    Fault {
        name: "power-lost-sampled",
        expected: "40 moments: never corrupt, newest sample at most 2 ticks old",
        quick: true,
        disk: None,
        play: sampled,
    },
];

/// What a disk keeps whole.
const SECTOR: usize = 512;
/// The recording under strace, in seconds; its step is a second.
const SECONDS: u32 = 24;

fn often(stage: &Stage) -> Result<Seen> {
    lost(stage, 300)
}

fn sampled(stage: &Stage) -> Result<Seen> {
    lost(stage, 40)
}

/// Something that was asked of the disk.
enum Deed {
    Write { at: usize, bytes: Vec<u8> },
    Cut { length: usize },
    Sync,
    Remove,
}

/// A deed, when it was done, and to which file.
struct Done {
    time: f64,
    file: String,
    deed: Deed,
}

fn lost(stage: &Stage, moments: u32) -> Result<Seen> {
    // A store that is there: how a new one is put in its place is another matter, and whole by a rename.
    let mut first = stage.recorder(&plain("--duration 2s"))?;
    ensure!(first.status()?.success(), "{}", stage.log("recorder"));
    let base = std::fs::read(stage.db())?;
    let deeds = record(stage)?;
    let syncs = deeds.iter().filter(|done| matches!(done.deed, Deed::Sync)).count();
    ensure!(syncs > SECONDS as usize, "only {syncs} syncs");
    let first_row = deeds.iter().position(|done| matches!(done.deed, Deed::Sync)).unwrap_or(0);
    let (mut oldest, mut began): (f64, f64) = (0.0, f64::MAX);
    for moment in 0..moments {
        let cut = fastrand::usize(first_row..deeds.len());
        let folder = stage.path(&format!("moment-{moment}"));
        replay(&base, &deeds[..cut], &folder)?;
        let db = folder.join("soak.db");
        verify(&db).with_context(|| format!("after {cut} of {} deeds, in {}", deeds.len(), folder.display()))?;
        let last: f64 = sql(&db, "select last_us / 1e6 from store")?.parse()?;
        began = began.min(sql(&db, "select max(started) from run")?.parse()?);
        // Before its first sample a run has none to lose.
        if deeds[cut].time - began > 3.0 {
            oldest = oldest.max(deeds[cut].time - last);
        }
        std::fs::remove_dir_all(&folder)?;
    }
    ensure!(oldest <= stretched(2.0), "the newest sample was {oldest:.1} s old");
    seen(
        format!("{moments} moments: all whole, newest sample at most {oldest:.1} s old"),
        format!("{} writes and {syncs} syncs in {SECONDS} s of recording", deeds.len() - syncs),
    )
}

/// A recording under strace, as deeds.
fn record(stage: &Stage) -> Result<Vec<Done>> {
    let log = stage.path("strace.log");
    let mut strace = stage.command("recorder", "strace")?;
    let status = strace
        .args(["-f", "-qq", "-y", "-xx", "-ttt", "-s", "1000000", "-o"])
        .arg(&log)
        .args(["-e", "trace=pwrite64,write,ftruncate,fsync,fdatasync,unlink"])
        .arg(binary("recorder"))
        .arg("--db")
        .arg(stage.db())
        .args(plain(&format!("--duration {SECONDS}s")).split_whitespace())
        .status()
        .context("strace is installed")?;
    ensure!(status.success(), "{status}: {}", stage.log("recorder"));
    let text = std::fs::read_to_string(&log)?;
    joined(&text).iter().filter_map(|line| parse(line).transpose()).collect()
}

/// The lines of the log, those of calls that another thread interrupted put together.
fn joined(text: &str) -> Vec<String> {
    let mut open: BTreeMap<&str, &str> = BTreeMap::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        let thread = line.split_whitespace().next().unwrap_or_default();
        if let Some(begun) = line.strip_suffix(" <unfinished ...>") {
            open.insert(thread, begun);
        } else if let Some((_, rest)) = line.split_once(" resumed>") {
            lines.extend(open.remove(thread).map(|begun| format!("{begun}{rest}")));
        } else {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// `PID TIME pwrite64(FD<\x2f…>, "\x..", LENGTH, OFFSET) = LENGTH`; none for what is not of the store's files.
fn parse(line: &str) -> Result<Option<Done>> {
    let Some(time) = line.split_whitespace().nth(1) else { return Ok(None) };
    let Some((call, rest)) = line.split_once(time).and_then(|(_, call)| call.trim_start().split_once('(')) else {
        return Ok(None);
    };
    let Some((arguments, answer)) = rest.rsplit_once(" = ") else { return Ok(None) };
    if answer.starts_with('-') {
        return Ok(None);
    }
    let path = if call == "unlink" { quoted(arguments) } else { between(arguments, '<', '>') };
    let path = PathBuf::from(String::from_utf8_lossy(&unescape(path.unwrap_or_default())?).into_owned());
    let Some(file) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else { return Ok(None) };
    if !["soak.db", "soak.db-wal", "soak.db-journal"].contains(&file.as_str()) {
        return Ok(None);
    }
    let last = || arguments.trim_end_matches(')').rsplit(", ").next().unwrap_or_default().parse::<usize>();
    let deed = match call {
        "pwrite64" => Deed::Write { at: last()?, bytes: unescape(quoted(arguments).context("no bytes")?)? },
        "ftruncate" => Deed::Cut { length: last()? },
        "fsync" | "fdatasync" => Deed::Sync,
        "unlink" => Deed::Remove,
        other => bail!("{other} to {file}: this test does not know what that does"),
    };
    Ok(Some(Done { time: time.parse()?, file, deed }))
}

fn between(text: &str, from: char, to: char) -> Option<&str> {
    text.split_once(from)?.1.split_once(to).map(|(inside, _)| inside)
}

fn quoted(text: &str) -> Option<&str> {
    text.split_once('"')?.1.split_once('"').map(|(inside, _)| inside)
}

/// `\x61\x62` as bytes.
fn unescape(text: &str) -> Result<Vec<u8>> {
    let hex = |part: &str| u8::from_str_radix(part, 16).with_context(|| format!("`{part}` is no byte"));
    text.split("\\x").skip(1).map(hex).collect()
}

/// A file on its way to the disk: what is surely there, and what came since.
#[derive(Default)]
struct OnDisk<'a> {
    synced: Option<Vec<u8>>,
    since: Vec<&'a Deed>,
}

/// Leaves the files as the disk may have them after these deeds.
fn replay(base: &[u8], deeds: &[Done], folder: &Path) -> Result<()> {
    let mut files: BTreeMap<&str, OnDisk<'_>> = BTreeMap::new();
    files.insert("soak.db", OnDisk { synced: Some(base.to_vec()), since: Vec::new() });
    for Done { file, deed, .. } in deeds {
        let on_disk = files.entry(file).or_default();
        match deed {
            Deed::Sync => {
                let bytes = on_disk.synced.get_or_insert_default();
                on_disk.since.drain(..).for_each(|deed| apply(bytes, deed, Luck::Kept));
            }
            // A name that went is gone: that it may come back is what a -wal's own salt is for.
            Deed::Remove => *on_disk = OnDisk::default(),
            Deed::Write { .. } | Deed::Cut { .. } => on_disk.since.push(deed),
        }
    }
    let manner = fastrand::u8(0..3);
    std::fs::create_dir(folder)?;
    for (name, OnDisk { synced, mut since }) in files {
        let Some(mut bytes) = synced.or_else(|| (!since.is_empty()).then(Vec::new)) else { continue };
        if manner == 2 {
            fastrand::shuffle(&mut since);
        }
        for deed in since {
            let luck = match (manner, fastrand::u8(0..3)) {
                (0, _) => Luck::Lost,
                (1, _) | (_, 0) => Luck::Kept,
                (_, 1) => Luck::Torn,
                _ => Luck::Lost,
            };
            apply(&mut bytes, deed, luck);
        }
        File::create(folder.join(name))?.write_all(&bytes)?;
    }
    Ok(())
}

/// What becomes of a write that was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Luck {
    Kept,
    Lost,
    /// Some of its sectors are there.
    Torn,
}

fn apply(file: &mut Vec<u8>, deed: &Deed, luck: Luck) {
    match deed {
        Deed::Cut { length } if luck == Luck::Kept => file.resize(*length, 0),
        Deed::Write { at, bytes } if luck != Luck::Lost => {
            if file.len() < at + bytes.len() {
                file.resize(at + bytes.len(), 0);
            }
            let first = at / SECTOR;
            for (place, byte) in (*at..).zip(bytes) {
                // One throw for each sector: its number decides, so that all its bytes share their luck.
                let kept = luck == Luck::Kept || (place / SECTOR - first + bytes.len()).is_multiple_of(2);
                if kept {
                    file[place] = *byte;
                }
            }
        }
        _ => {}
    }
}
