//! A folder of its own for each test, a store in it, and the binary run beside them.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use heapsoak_rrd::{Archive, Reading, Source, Step, Time};
use heapsoak_store::{Existing, NewRun, NewSource, Writer};

/// A time that is a multiple of 3 s, so that rows of three seconds end at it.
pub(crate) const START_S: i64 = 1_700_000_001;

/// Longest time that a test waits for another process.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Makes a file, whole at once: who watches must not see a part of it.
    #[expect(clippy::disallowed_methods, reason = "a test makes the file that the program is to find")]
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let part = self.path("part");
        fs::write(&part, bytes).unwrap();
        fs::rename(&part, self.path(name)).unwrap();
    }

    /// The binary, in the scene's folder, in UTC.
    pub(crate) fn grapher(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grapher"));
        command.args(words).current_dir(self.folder.path()).env("TZ", "UTC").env_remove("HEAPSOAK_LOG");
        command
    }

    /// A store with two sources and archives of 3 s (AVERAGE, MIN, MAX) and 1 s (LAST), without any update.
    pub(crate) fn create(&self, name: &str) -> Writer {
        self.create_with(
            name,
            "1",
            &["RRA:AVERAGE:0.5:3:2400", "RRA:MIN:0.5:3:2400", "RRA:MAX:0.5:3:2400", "RRA:LAST:0.5:1:30"],
        )
    }

    pub(crate) fn create_with(&self, name: &str, step: &str, archives: &[&str]) -> Writer {
        let step_us = (step.parse::<f64>().unwrap() * 1e6).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "steps of tests are small")]
        let step = Step::new(step_us as u64).unwrap();
        let source = |definition: &str, unit: &str| {
            let source: Source = definition.parse().unwrap();
            NewSource { unit: unit.to_owned(), description: "of a test".to_owned(), ..source.into() }
        };
        let sources = [source("DS:heap_used:GAUGE:2:0:U", "bytes"), source("DS:dom_nodes:GAUGE:2:0:U", "count")];
        let archives: Vec<Archive> = archives.iter().map(|text| Archive::parse(text, step).unwrap()).collect();
        Writer::create(&self.path(name), step, &sources, &archives, Time::from_secs(START_S), Existing::Replace)
            .unwrap()
    }

    /// The store of [`Scene::create`] after `seconds` of a saw-tooth that rises, closed.
    pub(crate) fn soaked(&self, name: &str, seconds: i64) {
        let mut writer = self.create(name);
        writer.begin_run(run(START_S));
        update(&mut writer, START_S, 1..=seconds);
        writer.close().unwrap();
    }
}

pub(crate) fn run(started_s: i64) -> NewRun {
    NewRun {
        started: Time::from_secs(started_s),
        pid: 1,
        target: "http://user:secret@127.0.0.1/page".to_owned(),
        command: "recorder".to_owned(),
        version: "0.1.0".to_owned(),
        time_zone: "UTC".to_owned(),
    }
}

/// A reading a second, at `from_s` + each of `seconds`: a saw-tooth of 30 s on a rising floor, and a constant.
pub(crate) fn update(writer: &mut Writer, from_s: i64, seconds: std::ops::RangeInclusive<i64>) {
    for second in seconds {
        let heap = 20_000_000 + second * 2_000 + second % 30 * 250_000;
        let readings = [Reading::from(heap.unsigned_abs()), Reading::from(1234_u64)];
        writer.update(Time::from_secs(from_s + second), &readings).unwrap();
    }
    writer.commit().unwrap();
}

/// Runs it to its end; what it printed. It must succeed and say nothing on stderr.
#[track_caller]
pub(crate) fn printed(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(status.success() && stderr.is_empty(), "{command:?}: {status}: {stderr}");
    String::from_utf8(stdout).unwrap()
}

/// Runs it to its end; what it said on stderr. It must end with status 2 and print nothing.
#[track_caller]
pub(crate) fn said(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert_eq!(status.code(), Some(2), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    assert!(stdout.is_empty(), "{command:?} printed {}", String::from_utf8_lossy(&stdout));
    String::from_utf8(stderr).unwrap()
}

/// Asks again and again, until it is so or [`PATIENCE`] is over.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// A running `grapher --watch` and the lines of its stderr; killed when dropped.
pub(crate) struct Watcher {
    child: Child,
    lines: Receiver<String>,
}

impl Watcher {
    pub(crate) fn spawn(mut command: Command) -> Self {
        use std::io::{BufRead, BufReader};

        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).all(|line| send.send(line).is_ok()));
        Self { child, lines }
    }

    /// The next line on stderr holds `text`.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => assert!(line.contains(text), "said `{line}` instead of `{text}`"),
            Err(_) => panic!("`{text}` was never said"),
        }
    }

    /// Nothing more was said until now.
    #[track_caller]
    pub(crate) fn is_silent(&self) {
        assert_eq!(self.lines.try_recv().ok(), None);
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "signal {name} was not sent");
    }

    /// Its exit status; `None`: ended by a signal.
    #[track_caller]
    pub(crate) fn status(&mut self) -> Option<i32> {
        let mut status = None;
        wait_until("the end of grapher", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.and_then(|status| status.code())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
