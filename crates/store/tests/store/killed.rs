//! A writer in a process of its own that is killed while it writes: nothing that it acknowledged is lost.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use heapsoak_rrd::Reading;
use heapsoak_store::{Existing, Reader, StoreError, Writer};

use crate::help::{archives, at, folder, gauges, names, second};

const PATH: &str = "HEAPSOAK_TEST_STORE";

/// The body of the child process: goes on with the store and acknowledges each commit, until it is killed.
#[test]
#[ignore = "started by other tests, as a process of its own"]
fn child_writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(PATH).map(PathBuf::from) else { return };
    let mut writer = match Writer::open(&path) {
        Err(StoreError::Absent { .. }) => {
            let (sources, rings) = (gauges(&["a", "b"]), archives(&["AVERAGE:1:500", "MAX:3:500"]));
            Writer::create(&path, second(), &sources, &rings, at(0), Existing::Refuse).unwrap()
        }
        opened => opened.unwrap(),
    };
    let mut out = std::io::stdout();
    for time in (writer.last().whole_secs() - at(0).whole_secs() + 1).. {
        writer.update(at(time), &[(); 2].map(|()| Reading::from(u64::try_from(time).unwrap()))).unwrap();
        writer.commit().unwrap();
        if time % 50 == 0 {
            writer.checkpoint().unwrap();
        }
        writeln!(out, "\nack {time}").unwrap();
        out.flush().unwrap();
    }
}

/// The child process, and what it acknowledges on a pipe.
pub(crate) struct Child {
    process: std::process::Child,
    lines: BufReader<ChildStdout>,
    acknowledged: i64,
}

impl Child {
    pub(crate) fn start(path: &Path) -> Child {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::child_writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env(PATH, path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        Child { process, lines, acknowledged: 0 }
    }

    pub(crate) fn acknowledged(&self) -> i64 {
        self.acknowledged
    }

    /// Reads until `count` more commits are acknowledged.
    pub(crate) fn wait_for(&mut self, count: usize) {
        for _ in 0..count {
            while !self.line() {}
        }
    }

    /// Reads one line; `true`: it was an acknowledgement.
    fn line(&mut self) -> bool {
        let mut line = String::new();
        assert!(self.lines.read_line(&mut line).unwrap() > 0, "the writer ended by itself");
        let time = line.strip_prefix("ack ").and_then(|time| time.trim().parse().ok());
        self.acknowledged = time.unwrap_or(self.acknowledged);
        time.is_some()
    }

    /// kill -9; then everything that was still in the pipe counts as acknowledged.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut self.lines, &mut rest).unwrap();
        let rest = String::from_utf8(rest).unwrap();
        // A last line without its end may have lost digits.
        let whole = rest.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let last =
            whole.lines().filter_map(|line| line.strip_prefix("ack ")).filter_map(|time| time.parse().ok()).next_back();
        self.acknowledged = last.unwrap_or(self.acknowledged);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn nothing_acknowledged_is_lost_however_often_the_writer_is_killed() {
    let (folder, path) = folder();
    let (begun, mut kills, mut commits) = (Instant::now(), 0, 0);
    while begun.elapsed() < Duration::from_secs(5) {
        let mut child = Child::start(&path);
        child.wait_for(1 + kills * 7 % 60);
        child.kill();
        let reader = Reader::open(&path).unwrap();
        let update = reader.lastupdate().unwrap();
        let stored = update.time.whole_secs() - at(0).whole_secs();
        let acknowledged = child.acknowledged();
        assert!((acknowledged..=acknowledged + 1).contains(&stored), "{acknowledged} acknowledged, {stored} stored");
        assert!(update.readings.iter().all(|(_, reading)| reading.as_text() == stored.to_string()));
        assert_eq!(reader.verify().unwrap(), []);
        (kills, commits) = (kills + 1, stored);
    }
    println!("{kills} kills, {commits} commits");
    assert!(kills >= 5, "only {kills} kills");
    Writer::open(&path).unwrap().close().unwrap();
    assert_eq!(names(folder.path()), ["soak.db"]);
}

#[test]
fn the_file_alone_holds_all_but_the_last_commits_of_a_killed_writer() {
    let (folder, path) = folder();
    let mut child = Child::start(&path);
    child.wait_for(275);
    child.kill();
    let copy = folder.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    let reader = Reader::open(&copy).unwrap();
    let missing = child.acknowledged() - (reader.last().unwrap().whole_secs() - at(0).whole_secs());
    assert!(missing <= 50, "{missing} commits are not in the file, though it was written back every 50");
    assert_eq!(reader.verify().unwrap(), []);
}

#[test]
fn a_second_process_is_refused_and_told_the_first_ones_pid() {
    let (_folder, path) = folder();
    let mut child = Child::start(&path);
    child.wait_for(1);
    let error = Writer::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Locked { pid: Some(pid), .. } if pid == child.process.id()), "{error}");
    child.wait_for(50);
    child.kill();
    drop(Writer::open(&path).unwrap());
}
