//! The old master beside us: real rrdtool and heapsoak are given the same recorded series and must give the same rows.
//!
//! Times are whole seconds, where the two agree by design; at sub-second times heapsoak is deliberately better.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::path::Path;
use std::process::{Command, Output};

const BEGIN: u64 = 1_700_000_000;

/// As both programs take them.
const DEFINITIONS: [&str; 9] = [
    "DS:heap_used:GAUGE:2:0:U",
    "DS:heap_total:GAUGE:5:0:60000000",
    "DS:rss:GAUGE:2:U:U",
    "DS:count:DERIVE:3:0:U",
    "RRA:AVERAGE:0.5:1:500",
    "RRA:AVERAGE:0.5:3:2400",
    "RRA:MIN:0.3:7:100",
    "RRA:MAX:0.5:10:40",
    "RRA:LAST:0.9:60:20",
];

#[test]
fn three_recorded_series_agree_to_1e_9() {
    for series in ["blog1_call_node4.4_50ms", "shape_saw30", "sw253_call_node20_50ms"] {
        let folder = tempfile::tempdir().unwrap();
        let updates = updates(series);
        assert!(updates.len() > 250, "{series}: only {} samples", updates.len());
        record(folder.path(), &updates);
        let end: u64 = updates.last().unwrap().split(':').next().unwrap().parse().unwrap();
        for (cf, resolution) in [("AVERAGE", 1), ("AVERAGE", 3), ("MIN", 7), ("MAX", 10), ("LAST", 60)] {
            for start in [BEGIN, end - 100] {
                compare(
                    folder.path(),
                    series,
                    &[cf, "--start", &start.to_string(), "--end", &end.to_string()],
                    resolution,
                );
            }
        }
        for command in ["last", "first", "lastupdate"] {
            let rrdtool = run(Command::new("rrdtool").arg(command).arg(folder.path().join("t.rrd")));
            let ours = run(grapher().arg(command).arg("--db").arg(folder.path().join("t.db")));
            assert_eq!(
                ours.split_whitespace().collect::<Vec<_>>(),
                rrdtool.split_whitespace().collect::<Vec<_>>(),
                "{command}"
            );
        }
    }
}

/// `time:value:…` for each second that has a sample.
fn updates(series: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/series").join(format!("{series}.csv"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut updates: Vec<String> = Vec::new();
    let mut last = BEGIN;
    for line in text.lines().skip(1) {
        let mut fields = line.split(',');
        let seconds: f64 = fields.next().unwrap().parse().unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred seconds")]
        let time = BEGIN + 1 + seconds.round() as u64;
        if time > last {
            let values: Vec<_> = fields.take(3).collect();
            let count = line.rsplit(',').next().unwrap().split('.').next().unwrap();
            updates.push(format!("{time}:{}:{count}", values.join(":")));
            last = time;
        }
    }
    updates
}

fn record(folder: &Path, updates: &[String]) {
    let start = BEGIN.to_string();
    let created = ["--start", start.as_str(), "--step", "1"];
    run(Command::new("rrdtool").arg("create").arg(folder.join("t.rrd")).args(created).args(DEFINITIONS));
    run(Command::new(env!("CARGO_BIN_EXE_recorder"))
        .args(["create", "--db"])
        .arg(folder.join("t.db"))
        .args(created)
        .args(DEFINITIONS));
    for some in updates.chunks(500) {
        run(Command::new("rrdtool").arg("update").arg(folder.join("t.rrd")).args(some));
        run(Command::new(env!("CARGO_BIN_EXE_recorder")).args(["update", "--db"]).arg(folder.join("t.db")).args(some));
    }
}

fn compare(folder: &Path, series: &str, args: &[&str], resolution: u64) {
    let resolution = resolution.to_string();
    let theirs =
        run(Command::new("rrdtool").arg("fetch").arg(folder.join("t.rrd")).args(args).args(["-r", &resolution]));
    let ours =
        run(grapher().args(["fetch", "--db"]).arg(folder.join("t.db")).args(args).args(["--resolution", &resolution]));
    let (theirs, ours) = (rows(&theirs), rows(&ours));
    assert!(theirs.len() > 1, "{series} {args:?}: rrdtool gave no rows");
    assert_eq!(ours.len(), theirs.len(), "{series} {args:?}");
    for (our, their) in ours.iter().zip(&theirs) {
        assert_eq!(our.0, their.0, "{series} {args:?}");
        for (a, b) in our.1.iter().zip(&their.1) {
            let equal = (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * b.abs().max(1.0);
            assert!(equal, "{series} {args:?} at {}: {a} is not {b}", our.0);
        }
    }
}

/// The rows of `fetch` as both print them: a line of names, an empty line, `time: value value …`.
fn rows(text: &str) -> Vec<(u64, Vec<f64>)> {
    text.lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(time, values)| {
            let values = values.split_whitespace().map(value).collect();
            (time.trim().parse().unwrap(), values)
        })
        .collect()
}

/// glibc prints the sign of a NaN, which means nothing.
fn value(text: &str) -> f64 {
    if text.ends_with("nan") { f64::NAN } else { text.parse().unwrap() }
}

/// Built beside the recorder when the whole workspace is.
fn grapher() -> Command {
    let path = Path::new(env!("CARGO_BIN_EXE_recorder")).with_file_name("grapher");
    assert!(path.exists(), "{} is not built: run the tests of the whole workspace", path.display());
    Command::new(path)
}

fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}
