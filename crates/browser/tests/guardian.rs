//! The guardian: nothing that descends from it outlives the one who holds its pipe. Shell scripts stand for the browser,
//! but for the one test that kills a whole recorder.
#![allow(clippy::unwrap_used, reason = "helper functions of tests")]
mod support;

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use support::{STEADY, descendants, of_run, serve, stub, wait_until};

fn guard(folder: &Path, program: &[&str]) -> Child {
    Command::new(stub())
        .args(["guardian", "--remove"])
        .arg(folder)
        .arg("--")
        .args(program)
        .env("TMPDIR", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A family that is hard to get rid of: one ignores SIGTERM, one left the session and lost its parent.
const FAMILY: &str = "trap '' TERM; (setsid sleep 300 &) ; sleep 300 & echo ready; wait; wait; sleep 300";

fn family() -> (tempfile::TempDir, Child) {
    let folder = tempfile::tempdir().unwrap();
    let mut guardian = guard(folder.path(), &["sh", "-c", FAMILY]);
    let mut line = String::new();
    BufReader::new(guardian.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let pid = guardian.id().cast_signed();
    assert!(wait_until(Duration::from_secs(2), || descendants(pid).len() == 3).is_some());
    (folder, guardian)
}

#[test]
fn when_the_pipe_ends_the_stubborn_and_the_runaways_end_too() {
    let (folder, mut guardian) = family();
    let start = Instant::now();
    drop(guardian.stdin.take());
    guardian.wait().unwrap();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(of_run(guardian.id().cast_signed(), folder.path()), Vec::<String>::new());
    assert!(!folder.path().exists());
}

#[test]
fn a_guardian_that_is_asked_to_end_takes_all_with_it() {
    let (folder, mut guardian) = family();
    kill(Pid::from_raw(guardian.id().cast_signed()), Signal::SIGTERM).unwrap();
    guardian.wait().unwrap();
    assert_eq!(of_run(guardian.id().cast_signed(), folder.path()), Vec::<String>::new());
}

#[test]
fn when_the_program_ends_its_children_do_not_stay_and_its_status_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut guardian = guard(folder.path(), &["sh", "-c", "sleep 300 & exit 7"]);
    let pipe = guardian.stdin.take();
    assert_eq!(guardian.wait().unwrap().code(), Some(7));
    drop(pipe);
    assert_eq!(of_run(guardian.id().cast_signed(), folder.path()), Vec::<String>::new());
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut guardian = guard(folder.path(), &["/nonexistent/driver"]);
    assert_eq!(guardian.wait().unwrap().code(), Some(127));
    let mut said = String::new();
    guardian.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("cannot start /nonexistent/driver"), "{said}");
    assert!(!folder.path().exists());
}

#[test]
fn a_program_starts_with_no_signal_blocked() {
    let folder = tempfile::tempdir().unwrap();
    let mut guardian = guard(folder.path(), &["grep", "SigBlk", "/proc/self/status"]);
    let mut said = String::new();
    guardian.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    guardian.wait().unwrap();
    assert_eq!(said.split_whitespace().last(), Some("0000000000000000"), "{said}");
}

#[test]
fn kill_9_of_the_recorder_leaves_no_browser_and_no_folder_three_times_of_three() {
    let url = serve(STEADY);
    for _ in 0..3 {
        let mut recorder = Command::new(stub()).arg(url.as_str()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(recorder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (guardian, folder) = line.trim().split_once(' ').unwrap();
        let (guardian, folder) = (guardian.parse().unwrap(), Path::new(folder));
        assert!(of_run(guardian, folder).len() > 5, "the browser is not where it is looked for");
        recorder.kill().unwrap();
        recorder.wait().unwrap();
        let gone = wait_until(Duration::from_secs(3), || of_run(guardian, folder).is_empty() && !folder.exists());
        assert!(gone.is_some(), "{:?} {}", of_run(guardian, folder), folder.exists());
        println!("gone after {gone:?}");
    }
}
