//! What a recorder does about a leak: checkpoints, `--fail-on-leak`, `--stop-on-leak`, and the test of itself.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::path::PathBuf;
use std::process::{Command, Output};

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
    assert_eq!(bench.sql("select ended - started < 100 from run"), "1", "two looks are enough");
}

#[test]
fn nothing_is_collected_that_was_not_asked_for() {
    let bench = Bench::new();
    let output = bench.recorder("--duration 6s --fail-on-leak");
    assert_eq!(output.status.code(), Some(0), "undecided is no leak: {}", stderr(&output));
    assert_eq!(bench.sql("select count(*) from gc where forced"), "0");
}

#[test]
fn a_process_alone_is_told_that_nobody_can_ask_it() {
    let bench = Bench::new();
    let output = bench.recorder(&format!("--pid {} --checkpoint-gc 60s", std::process::id()));
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("--checkpoint-gc") && said.contains("--attach") && !bench.db().exists(), "{said}");
}
