//! `recorder create` and `recorder update` as a script that speaks rrdtool uses them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::path::PathBuf;
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

/// A folder with a store in it, and the recorder to run on it.
struct Shell {
    folder: TempDir,
}

impl Shell {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A store with two sources, step 1, started at 1,000,000,000.
    fn with_store() -> Self {
        let shell = Self::new();
        let args = "--start 1000000000 --step 1 DS:used:GAUGE:2:0:U DS:count:DERIVE:2:0:U RRA:AVERAGE:0.5:1:10";
        assert_eq!(shell.create(args), (0, String::new()));
        shell
    }

    fn db(&self) -> PathBuf {
        self.folder.path().join("t.db")
    }

    fn recorder(&self, subcommand: &str, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recorder"));
        command.arg(subcommand).arg("--db").arg(self.db()).args(args.split_whitespace());
        command
    }

    fn create(&self, args: &str) -> (i32, String) {
        outcome(&self.recorder("create", args).output().unwrap())
    }

    fn update(&self, args: &str) -> (i32, String) {
        outcome(&self.recorder("update", args).output().unwrap())
    }

    fn update_lines(&self, args: &str, lines: &str) -> (i32, String) {
        outcome(&self.recorder("update", args).write_stdin(lines).output().unwrap())
    }

    /// `time|used|count` for each row.
    fn rows(&self) -> String {
        let output = std::process::Command::new("sqlite3")
            .arg(self.db())
            .arg(".timeout 5000")
            .arg("select time, used, count from average")
            .output()
            .expect("sqlite3 is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Status and stderr; stdout is for data, of which these commands have none.
fn outcome(output: &Output) -> (i32, String) {
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn readings_become_rows() {
    let shell = Shell::with_store();
    assert_eq!(shell.update("1000000001:10:0 1000000002:20:5 1000000003:U:15"), (0, String::new()));
    assert_eq!(shell.rows(), "1000000001|10.0|\n1000000002|20.0|5.0\n1000000003||10.0\n");
}

#[test]
fn a_template_names_the_sources_and_the_others_are_unknown() {
    let shell = Shell::with_store();
    assert_eq!(shell.update("--template count 1000000001:1"), (0, String::new()));
    assert_eq!(shell.update("--template count:used 1000000002:3:7"), (0, String::new()));
    assert_eq!(shell.rows(), "1000000001||\n1000000002|7.0|2.0\n");
    let (status, stderr) = shell.update("--template heap 1000000003:1");
    assert_eq!(status, 2);
    assert!(stderr.contains("`heap`") && stderr.contains("used, count"), "{stderr}");
}

#[test]
fn a_refused_line_is_named_and_stops_the_rest() {
    let shell = Shell::with_store();
    let (status, stderr) = shell.update_lines("-", "1000000001:1:1\n1000000001:2:2\n1000000002:3:3\n");
    assert_eq!(status, 1);
    assert!(stderr.starts_with("line 2: ") && stderr.lines().count() == 1, "{stderr}");
    assert_eq!(shell.rows(), "1000000001|1.0|\n");
}

#[test]
fn with_keep_going_the_other_lines_are_applied_and_the_status_still_tells() {
    let shell = Shell::with_store();
    let lines = "1000000001:1:1\nrubbish\n1000000002:2\n\n1000000003:4:x\n1000000003:3:3\n";
    let (status, stderr) = shell.update_lines("--keep-going -", lines);
    assert_eq!(status, 1);
    let named: Vec<_> = stderr.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(named, ["line 2", "line 3", "line 5"], "{stderr}");
    assert_eq!(shell.rows(), "1000000001|1.0|\n1000000002|3.0|1.0\n1000000003|3.0|1.0\n");
}

#[test]
fn readings_of_the_past_are_passed_over_on_request() {
    let shell = Shell::with_store();
    assert_eq!(shell.update("1000000005:1:1"), (0, String::new()));
    let (status, stderr) = shell.update("1000000005:2:2");
    assert_eq!(status, 1);
    assert!(stderr.contains("1000000005"), "{stderr}");
    assert_eq!(shell.update("--skip-past-updates 1000000004:2:2 1000000006:3:3"), (0, String::new()));
}

#[test]
fn a_store_that_is_there_is_not_overwritten_by_mistake() {
    let shell = Shell::with_store();
    shell.update("1000000001:10:0");
    let (status, stderr) = shell.create("DS:a:GAUGE:2:U:U RRA:LAST:0.5:1:1");
    assert_eq!(status, 2);
    assert!(stderr.contains("exists already"), "{stderr}");
    assert_eq!(shell.rows(), "1000000001|10.0|\n");
    let (status, _) = shell.create("--overwrite --start 5e8 DS:a:GAUGE:2:U:U RRA:LAST:0.5:1:1");
    assert_eq!(status, 2, "an unreadable time must not cost the file");
    assert_eq!(shell.rows(), "1000000001|10.0|\n");
}

#[test]
fn wrong_definitions_are_named() {
    let shell = Shell::new();
    for (args, named) in [
        ("DS:a:GAUGE:2:U:U", "archive"),
        ("RRA:AVERAGE:0.5:1:10", "source"),
        ("DS:a b:GAUGE:2:U:U RRA:AVERAGE:0.5:1:10", "DS:a"),
        ("DS:a:GAUGE:2:U:U DS:a:GAUGE:2:U:U RRA:AVERAGE:0.5:1:10", "a"),
        ("DS:a:GAUGE:2:U:U RRA:MEDIAN:0.5:1:10", "MEDIAN"),
        ("DS:a:GAUGE:2:U:U RRA:AVERAGE:1.5:1:10", "1.5"),
        ("CDEF:x=1", "CDEF:x=1"),
    ] {
        let (status, stderr) = shell.create(args);
        assert_eq!(status, 2, "{args}");
        assert!(stderr.starts_with("recorder: ") || stderr.starts_with("error: "), "{stderr}");
        assert!(stderr.contains(named), "{args}: {stderr}");
        assert!(!shell.db().exists(), "{args} left a file");
    }
}

#[test]
fn an_absent_store_is_trouble_and_not_made() {
    let shell = Shell::new();
    let (status, stderr) = shell.update("N:1");
    assert_eq!(status, 2);
    assert!(stderr.contains("t.db does not exist"), "{stderr}");
    assert!(!shell.db().exists());
}

#[test]
fn a_pipe_that_pauses_is_written_at_the_pause() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let shell = Shell::with_store();
    let mut child = Command::new(env!("CARGO_BIN_EXE_recorder"))
        .args(["update", "--db"])
        .arg(shell.db())
        .arg("-")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"1000000001:10:0\n").unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while shell.rows() != "1000000001|10.0|\n" {
        assert!(std::time::Instant::now() < deadline, "not written while the pipe is open");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    let left: Vec<_> = std::fs::read_dir(shell.folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["t.db"], "a clean end leaves one file");
}

#[test]
fn a_pipe_that_never_pauses_is_written_each_second_and_when_it_is_asked_to_end() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    let shell = Shell::with_store();
    let mut command = Command::new(env!("CARGO_BIN_EXE_recorder"));
    let mut child = command.args(["update", "--db"]).arg(shell.db()).arg("-").stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut lines = (1_000_000_001..).map(|second| format!("{second}:10:0\n"));
    while shell.rows().is_empty() {
        assert!(Instant::now() < deadline, "nothing is written of a pipe that goes on");
        stdin.write_all(lines.next().unwrap().as_bytes()).unwrap();
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let seen = shell.rows().len();
    let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(shell.rows().len() >= seen);
    let left: Vec<_> = std::fs::read_dir(shell.folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["t.db"], "an end that was asked for leaves one file");
}
