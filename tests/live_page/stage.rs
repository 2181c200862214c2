//! A folder, stores in it, and `grapher serve` over them.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use heapsoak_cli::clock;
use heapsoak_rrd::{Archive, Reading, Source, Step, Time};
use heapsoak_store::{Existing, NewRun, NewSource, Writer};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(crate) struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Serves `words`, in UTC, on a free port.
    pub(crate) fn serve(&self, words: &[&str]) -> Server {
        let mut command = self.grapher(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Server { url: line.trim_end().to_owned(), child }
    }

    pub(crate) fn grapher(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grapher"));
        command
            .args(["serve"])
            .args(if words.contains(&"--listen") { &[][..] } else { &["--listen", "127.0.0.1:0"][..] })
            .args(words);
        command.current_dir(self.folder.path()).env("TZ", "UTC").env_remove("HEAPSOAK_LOG");
        command
    }

    /// A store of four sources that has been written for `past_s` seconds until now, and its writer.
    pub(crate) fn store(&self, name: &str, past_s: i64) -> Feed {
        Feed::new(self, name, past_s, "http://user:canary@127.0.0.1:8080/page")
    }

    pub(crate) fn store_of(&self, name: &str, past_s: i64, target: &str) -> Feed {
        Feed::new(self, name, past_s, target)
    }
}

/// A running `grapher serve`; killed when dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    child: Child,
}

impl Server {
    /// `127.0.0.1:PORT`
    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://").trim_end_matches('/')
    }

    /// Asks it to end: its status, what it said on stderr, and how long it took.
    pub(crate) fn terminate(mut self) -> (Option<i32>, String, Duration) {
        let begun = Instant::now();
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM).unwrap();
        let status = self.child.wait().unwrap().code();
        let took = begun.elapsed();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status, said, took)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A writer of a store, a second for each sample.
pub(crate) struct Feed {
    pub(crate) writer: Writer,
    second: i64,
}

/// Rises 2 kB a second, in teeth of half a minute.
fn heap(second: i64) -> u64 {
    (20_000_000 + second % 100_000 * 2_000 + second % 30 * 250_000).unsigned_abs()
}

impl Feed {
    fn new(stage: &Stage, name: &str, past_s: i64, target: &str) -> Self {
        let step = Step::new(1_000_000).unwrap();
        let start = clock::now_us() / 1_000_000 - past_s;
        let source = |name: &str, unit: &str| {
            let source: Source = format!("DS:{name}:GAUGE:2:0:U").parse().unwrap();
            NewSource { unit: unit.to_owned(), description: format!("{name} of <b>a test</b>"), ..source.into() }
        };
        let sources =
            [source("heap_used", "bytes"), source("rss", "bytes"), source("dom_nodes", "count"), source("lag", "ms")];
        let archives: Vec<Archive> = ["AVERAGE", "MIN", "MAX"]
            .iter()
            .flat_map(|cf| [format!("RRA:{cf}:0.5:1:4000"), format!("RRA:{cf}:0.5:60:1000")])
            .map(|text| Archive::parse(&text, step).unwrap())
            .collect();
        let path = stage.path(name);
        let mut writer =
            Writer::create(&path, step, &sources, &archives, Time::from_secs(start), Existing::Replace).unwrap();
        writer.begin_run(NewRun {
            started: Time::from_secs(start),
            pid: std::process::id(),
            target: target.to_owned(),
            command: "recorder".to_owned(),
            version: "0.1.0".to_owned(),
            time_zone: "UTC".to_owned(),
        });
        let mut feed = Self { writer, second: start };
        for _ in 0..past_s {
            feed.sample(None);
        }
        feed.writer.commit().unwrap();
        feed
    }

    /// The next second's sample, not committed.
    pub(crate) fn sample(&mut self, heap_used: Option<u64>) {
        self.second += 1;
        let second = self.second;
        let heap = heap_used.unwrap_or_else(|| heap(second));
        let rss = 180_000_000 + (second % 400) * 60_000;
        let readings =
            [heap, rss.unsigned_abs(), 1_200 + (second / 40 % 7).unsigned_abs(), (second % 9).unsigned_abs()];
        self.writer.update(Time::from_secs(second), &readings.map(Reading::from)).unwrap();
    }

    /// Waits for the next whole second, and commits a sample of it, and of each that has passed since the last.
    pub(crate) async fn commit(&mut self, heap_used: Option<u64>) -> Instant {
        while self.second + 1 < clock::now_us() / 1_000_000 {
            self.sample(None);
        }
        let ahead_us = (self.second + 1) * 1_000_000 - clock::now_us();
        tokio::time::sleep(Duration::from_micros(ahead_us.max(0).unsigned_abs())).await;
        self.sample(heap_used);
        self.writer.commit().unwrap();
        Instant::now()
    }

    pub(crate) fn event(&mut self, ago_s: i64, kind: &str, detail: &str) {
        self.writer.event(Time::from_secs(self.second - ago_s), kind, detail).unwrap();
    }
}
