//! Runs a real Node program under the preload, ticks it as a recorder would, and keeps all that came of it.
#![allow(clippy::unwrap_used, reason = "a test that cannot start its program has failed")]
#![allow(clippy::disallowed_methods, reason = "the tests stand in for the recorder, which has the clock")]
#![allow(dead_code, reason = "each test binary uses its own part of this file")]
use std::{
    ffi::OsString,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Output, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use heapsoak_probe::node::{
    End, Evidence, Gc, GcKind, Happening, KernelKills, Launch, NodeReading, Notice, Programs, Status, classify, observe,
};
use tokio::{io::AsyncReadExt, process::Command, time::sleep};

/// A program of ours, in the data folder.
pub(crate) fn program(name: &str) -> String {
    format!("{}/../../data/node/{name}", env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn now_us() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

/// All that a watched program did, and all that was heard of it.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) pid: u32,
    pub(crate) output: Output,
    pub(crate) readings: Vec<(String, NodeReading)>,
    pub(crate) collections: Vec<(String, Gc)>,
    pub(crate) notices: Vec<Notice>,
}

impl Watched {
    /// How the one program of this label ended, as a recorder would say it.
    pub(crate) fn end(&self, label: &str) -> End {
        let evidence: Vec<Evidence> = self
            .notices
            .iter()
            .filter(|notice| notice.label.as_ref() == label)
            .filter_map(|notice| if let Happening::Ended(evidence) = notice.what { Some(evidence) } else { None })
            .collect();
        assert_eq!(evidence.len(), 1, "{:?}", self.notices);
        classify(status(self.output.status), &evidence[0], KernelKills::default())
    }

    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.notices.iter().map(|notice| notice.what.kind()).collect()
    }

    /// What the program's own `--trace-gc` printed: minor and major collections, with the MiB left by each.
    pub(crate) fn traced(&self) -> Vec<(GcKind, f64)> {
        let text = String::from_utf8_lossy(&self.output.stdout);
        text.lines().filter_map(traced).collect()
    }
}

fn traced(line: &str) -> Option<(GcKind, f64)> {
    let (_, rest) = line.split_once(" ms: ")?;
    let kind = match rest.split([' ', '(']).next()? {
        "Scavenge" => GcKind::Minor,
        "Mark-Compact" => GcKind::Major,
        _ => return None,
    };
    let after = rest.split_once(" -> ")?.1.split(' ').next()?.parse().ok()?;
    Some((kind, after))
}

pub(crate) fn status(status: ExitStatus) -> Status {
    status.code().map_or_else(|| Status::Signal(status.signal().unwrap()), Status::Code)
}

/// The command, not watched.
pub(crate) async fn alone(words: &[&str]) -> Output {
    Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).output().await.unwrap()
}

/// The command, watched to its end with a tick each 100 ms.
pub(crate) async fn watch(words: &[&str]) -> Watched {
    watch_with(words, |script| script, None).await
}

/// The same with a changed preload, and with something done to the program after so many readings.
pub(crate) async fn watch_with(
    words: &[&str],
    change: fn(String) -> String,
    meddle: Option<(usize, fn(u32))>,
) -> Watched {
    let folder = tempfile::tempdir().unwrap();
    let mut launch = Launch::prepare(folder.path(), None).unwrap();
    let script = folder.path().join("watch.cjs");
    let changed = change(std::fs::read_to_string(&script).unwrap());
    std::fs::write(&script, changed).unwrap();
    let command: Vec<OsString> = words.iter().map(OsString::from).collect();
    let given = std::env::var_os("NODE_OPTIONS");
    let (name, value) = launch.environment(given.as_deref(), &command).unwrap();
    let mut child = Command::new(words[0])
        .args(&words[1..])
        .env(name, value)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let pid = child.id().unwrap();
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let out = tokio::spawn(async move {
        let mut text = Vec::new();
        stdout.read_to_end(&mut text).await.map(|_| text)
    });
    let err = tokio::spawn(async move {
        let mut text = Vec::new();
        stderr.read_to_end(&mut text).await.map(|_| text)
    });
    let mut programs = Programs::new(None);
    let (mut readings, mut collections, mut notices) = (vec![], vec![], vec![]);
    let mut tick = |launch: &mut Launch| {
        launch.drain().unwrap().into_iter().for_each(|record| programs.apply(now_us(), record));
        let tick = programs.tick(now_us(), &mut |pid| observe(pid).unwrap());
        readings.extend(tick.readings.into_iter().map(|(label, it)| (label.to_string(), it)));
        collections.extend(tick.collections.into_iter().map(|(label, it)| (label.to_string(), it)));
        notices.extend(tick.notices);
        readings.len()
    };
    let mut meddle = meddle;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.unwrap(),
            () = sleep(Duration::from_millis(100)) => {
                let heard = tick(&mut launch);
                meddle.take_if(|(readings, _)| heard >= *readings).into_iter().for_each(|(_, act)| act(pid));
            }
        }
    };
    tick(&mut launch);
    assert_eq!(launch.malformed(), 0);
    let output = Output { status, stdout: out.await.unwrap().unwrap(), stderr: err.await.unwrap().unwrap() };
    Watched { pid, output, readings, collections, notices }
}
