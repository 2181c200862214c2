//! Stores made of the recordings in `data/`, and the binary asked about them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use heapsoak_rrd::{Archive, Reading, Source, Step, Time};
use heapsoak_store::{Existing, GcKind, NewGc, NewRun, NewSource, Writer};
use serde_json::Value;

/// When the recordings begin: a multiple of a minute.
pub(crate) const START_S: i64 = 1_700_000_040;

/// The archives that a recorder makes.
pub(crate) const ARCHIVES: [&str; 6] = [
    "RRA:AVERAGE:0.5:3:2400",
    "RRA:MIN:0.5:3:2400",
    "RRA:MAX:0.5:3:2400",
    "RRA:AVERAGE:0.5:60:10080",
    "RRA:MIN:0.5:60:10080",
    "RRA:MAX:0.5:60:10080",
];

/// A recording of `data/` with its truth.
pub(crate) struct Recording {
    pub(crate) file: String,
    pub(crate) is_leak: bool,
    /// Seconds after the beginning at which the leak begins.
    pub(crate) leak_from_s: f64,
    pub(crate) ends: String,
    folder: PathBuf,
}

fn data(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data").join(folder)
}

/// The recordings that `TRUTH.csv` of a folder lists.
pub(crate) fn recordings(folder: &str) -> Vec<Recording> {
    let (names, rows) = table(&data(folder).join("TRUTH.csv"));
    let column = |name: &str| names.iter().position(|known| known == name).unwrap();
    let (file, leak, from, ends) = (column("file"), column("leak"), column("leak_from_s"), column("ends"));
    let recording = |row: Vec<String>| Recording {
        file: row[file].clone(),
        is_leak: row[leak] == "1",
        leak_from_s: row[from].parse().unwrap_or(0.0),
        ends: row[ends].clone(),
        folder: data(folder),
    };
    rows.into_iter().map(recording).collect()
}

/// The recording of this file.
pub(crate) fn recording(folder: &str, file: &str) -> Recording {
    recordings(folder).into_iter().find(|recording| recording.file == file).unwrap()
}

fn table(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let words = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let names = words(reader.headers().unwrap());
    let rows = reader.records().map(|record| words(&record.unwrap())).collect();
    (names, rows)
}

impl Recording {
    /// A store at `path` with all columns as sources, as the recorder would have made it, still open.
    pub(crate) fn store(&self, path: &Path) -> Writer {
        let (names, rows) = table(&self.folder.join(&self.file));
        let names: Vec<&str> = names[1..].iter().map(|name| if name == "ops" { "iterations" } else { name }).collect();
        let mut writer = create(path, &names);
        for row in &rows {
            let readings: Vec<Reading> = row[1..].iter().map(|text| Reading::from(text.parse::<f64>().ok())).collect();
            let time = at(row[0].parse().unwrap());
            if time > writer.last() {
                writer.update(time, &readings).unwrap();
            }
        }
        writer.commit().unwrap();
        writer
    }

    /// Sizes after the collections that were asked for; empty where none were.
    pub(crate) fn collections(&self) -> Vec<NewGc> {
        let path = self.folder.join(self.file.replace(".csv", ".floors.csv"));
        if !path.exists() {
            return Vec::new();
        }
        table(&path).1.iter().map(|row| collection("", row[0].parse().unwrap(), row[1].parse().unwrap())).collect()
    }
}

/// A full collection that was asked for, `seconds` after the beginning.
pub(crate) fn collection(target: &str, seconds: f64, left: u64) -> NewGc {
    let kind = GcKind::Major;
    let time = at(seconds);
    NewGc {
        target: target.to_owned(),
        time,
        kind,
        pause_ms: Some(3.0),
        before_bytes: None,
        after_bytes: Some(left),
        forced: true,
    }
}

/// `seconds` after the beginning.
pub(crate) fn at(seconds: f64) -> Time {
    #[expect(clippy::cast_possible_truncation, reason = "recordings last minutes")]
    Time::from_micros(START_S * 1_000_000 + (seconds * 1e6).round() as i64)
}

/// Sources of these names, as a recorder makes them.
pub(crate) fn sources(names: &[&str]) -> Vec<NewSource> {
    let source = |name: &&str| {
        let (kind, unit) = match *name {
            "iterations" => ("DERIVE", "per second"),
            name if name.contains("heap") || name.contains("rss") || name.contains("pss") => ("GAUGE", "bytes"),
            "external" | "array_buffers" => ("GAUGE", "bytes"),
            _ => ("GAUGE", "count"),
        };
        let source: Source = format!("DS:{name}:{kind}:3:0:U").parse().unwrap();
        NewSource { unit: unit.to_owned(), ..source.into() }
    };
    names.iter().map(source).collect()
}

/// A store of these sources, with a run that began with it.
pub(crate) fn create(path: &Path, names: &[&str]) -> Writer {
    let step = Step::new(1_000_000).unwrap();
    let archives: Vec<Archive> = ARCHIVES.iter().map(|text| Archive::parse(text, step).unwrap()).collect();
    let start = Time::from_secs(START_S);
    let mut writer = Writer::create(path, step, &sources(names), &archives, start, Existing::Replace).unwrap();
    writer.begin_run(begun(start));
    writer
}

/// A run that begins at `started`.
pub(crate) fn begun(started: Time) -> NewRun {
    NewRun {
        started,
        pid: 1,
        target: "node test.js".to_owned(),
        command: "recorder -- node test.js".to_owned(),
        version: "0.1.0".to_owned(),
        time_zone: "UTC".to_owned(),
    }
}

/// What `grapher verdict` said.
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// The verdict over a source, from `--format json`.
    #[track_caller]
    pub(crate) fn of(&self, source: &str) -> Value {
        let all: Vec<Value> = serde_json::from_str(&self.stdout).expect(&self.stderr);
        all.into_iter().find(|one| one["source"] == source).unwrap_or_else(|| panic!("{source} is not judged"))
    }

    #[track_caller]
    pub(crate) fn all(&self) -> Vec<Value> {
        serde_json::from_str(&self.stdout).expect(&self.stderr)
    }
}

/// The binary, in UTC, outside of any build server.
pub(crate) fn grapher(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grapher"));
    command.args(words).env("TZ", "UTC").env_remove("HEAPSOAK_LOG").env_remove("GITHUB_STEP_SUMMARY");
    command
}

pub(crate) fn run(command: &mut Command) -> Said {
    let Output { status, stdout, stderr } = command.output().unwrap();
    Said {
        status: status.code().unwrap(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// `grapher verdict --db PATH` and more words.
pub(crate) fn verdict(path: &Path, words: &[&str]) -> Said {
    let path = path.to_str().unwrap();
    run(&mut grapher(&[&["verdict", "--db", path], words].concat()))
}

/// The same, as JSON.
pub(crate) fn judged(path: &Path, words: &[&str]) -> Said {
    verdict(path, &[&["--format", "json"], words].concat())
}
