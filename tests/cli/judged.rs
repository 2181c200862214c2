//! What a recorder does about a leak: checkpoints, `--fail-on-leak`, `--stop-on-leak`, and the test of itself.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on must fail, and writes its own files"
)]

use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder to record in.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn db(&self) -> PathBuf {
        self.0.path().join("soak.db")
    }

    fn recorder(&self, args: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recorder"));
        command.current_dir(self.0.path()).args(args.split_whitespace()).output().unwrap()
    }

    fn sql(&self, query: &str) -> String {
        let output = Command::new("sqlite3").arg(self.db()).arg(query).output().expect("sqlite3 is installed");
        assert!(output.status.success(), "{query}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_detector_detects() {
    let output = Bench::new().recorder("selftest");
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}{}", stderr(&output));
    assert!(said.contains(": leak, which is right") && said.contains(": steady, which is right"), "{said}");
}

#[test]
fn a_leak_fails_the_run_that_was_asked_to_and_no_other() {
    let bench = Bench::new();
    let leaking = "--leak 200KiB/s --checkpoint-gc 1s --warm-up 5s --duration 25s";
    let output = bench.recorder(&format!("{leaking} --fail-on-leak"));
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("25s are over; leak: heap_used: the size after full collections grows"));
    assert_eq!(bench.sql("select exit_status, reason like '25s are over; leak: heap_used%' from run"), "1|1");
    let asked_for = bench.sql("select count(*) > 15 from gc where forced");
    let of_its_own = bench.sql("select count(*) from gc where kind = 'major' and not forced");
    assert_eq!((asked_for.as_str(), of_its_own.as_str()), ("1", "0"), "each checkpoint is one row");
}

#[test]
fn a_leak_that_is_decided_stops_the_run() {
    let bench = Bench::new();
    let output = bench.recorder("--leak 200KiB/s --checkpoint-gc 1s --warm-up 5s --stop-on-leak=15s --duration 3m");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(bench.sql("select exit_status, reason like 'leak: heap_used: %' from run"), "1|1");
    assert_eq!(bench.sql("select ended - started < 170 from run"), "1", "two looks in a row are enough");
}

#[test]
fn nothing_is_collected_that_was_not_asked_for() {
    let bench = Bench::new();
    let output = bench.recorder("--duration 6s --fail-on-leak");
    assert_eq!(output.status.code(), Some(0), "undecided is no leak: {}", stderr(&output));
    assert_eq!(bench.sql("select count(*) from gc where forced"), "0");
}

/// Keeps 300 KB each second in small pieces, makes garbage beside it, and ends by itself after 25 s with the status given.
const LEAK_JS: &str = "
    const kept = [], began = Date.now();
    setInterval(() => {
        for (let i = 0; i < 300; i++) { kept.push({ a: [i + 0.5, i, i, i] }); JSON.parse('[1,2,{\"a\":3}]'); }
        if (Date.now() - began > 25e3) process.exit(Number(process.argv[2]));
    }, 100);";

#[test]
fn a_program_is_collected_by_itself_and_its_own_status_wins_unless_it_is_0() {
    let bench = Bench::new();
    std::fs::write(bench.0.path().join("leak.js"), LEAK_JS).unwrap();
    let flags = "--checkpoint-gc 1s --warm-up 5s --fail-on-leak";
    let output = bench.recorder(&format!("{flags} -- node leak.js 0"));
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let checkpoints =
        bench.sql("select count(*) > 15 and min(after_bytes) > 1e6 from gc where forced and kind = 'major'");
    assert_eq!(checkpoints, "1");
    let output = bench.recorder(&format!("{flags} -- node leak.js 7"));
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    assert_eq!(bench.sql("select group_concat(exit_status) from run"), "1,7");
}

#[test]
fn a_program_that_runs_already_is_collected_through_its_inspector() {
    let bench = Bench::new();
    let mut program = Command::new("node")
        .args(["-e", "console.log('up'); setInterval(() => {}, 50)"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Before it is up a program would die of the signal that opens its inspector.
    program.stdout.as_mut().unwrap().read_exact(&mut [0; 2]).unwrap();
    let output = bench.recorder(&format!("--pid {} --attach --checkpoint-gc 1s --duration 7s", program.id()));
    program.kill().unwrap();
    program.wait().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(bench.sql("select count(*) >= 4 from gc where forced and kind = 'major' and after_bytes > 1e6"), "1");
}

#[test]
fn a_process_alone_is_told_that_nobody_can_ask_it() {
    let bench = Bench::new();
    let output = bench.recorder(&format!("--pid {} --checkpoint-gc 60s", std::process::id()));
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("--checkpoint-gc") && said.contains("--attach") && !bench.db().exists(), "{said}");
}
