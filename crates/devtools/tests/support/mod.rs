//! Real targets for the tests: a headless Chromium and a Node program, each on a port of its own, gone with their handle.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot start its target has failed")]
#![allow(dead_code, reason = "each test binary uses its own part of this file")]
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use heapsoak_devtools::{Address, Target, targets};
use tokio::time::sleep;

/// Generous: the tests may share two cores with a build.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A process of a test, in a process group of its own that is killed whole.
pub(crate) struct Victim {
    child: Child,
    _profile: Option<tempfile::TempDir>,
}

impl Victim {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal (`-STOP`, `-KILL` …) to the process alone.
    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.pid().to_string()]).status().unwrap().success());
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let group = format!("-{}", self.pid());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

/// Starts a headless Chromium that shows `url` and waits until it listens.
pub(crate) async fn chromium(url: &str) -> (Victim, Address) {
    chromium_with(url, &[], None).await
}

/// The same with more arguments; what it prints is in the file `out` line by line, at once.
pub(crate) async fn chromium_with(url: &str, arguments: &[&str], out: Option<&Path>) -> (Victim, Address) {
    let profile = tempfile::tempdir().unwrap();
    let port_file: PathBuf = profile.path().join("DevToolsActivePort");
    let stdout = out.map_or_else(Stdio::null, |path| fs::File::create(path).unwrap().into());
    let child = Command::new("stdbuf")
        .args(["-oL", "chromium"])
        .args(["--headless", "--no-sandbox", "--remote-debugging-port=0", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .arg(url)
        .process_group(0)
        .stdout(stdout)
        .stderr(Stdio::null())
        .spawn()
        .expect("chromium is installed");
    let victim = Victim { child, _profile: Some(profile) };
    let start = Instant::now();
    loop {
        let text = fs::read_to_string(&port_file).unwrap_or_default();
        if let Some(port) = text.lines().next() {
            return (victim, format!("127.0.0.1:{port}").parse().unwrap());
        }
        assert!(start.elapsed() < PATIENCE, "chromium does not listen");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The browser's one page.
pub(crate) async fn page_target(address: &Address) -> Target {
    let start = Instant::now();
    loop {
        if let Some(page) = targets(address, PATIENCE).await.unwrap().into_iter().find(|target| target.kind == "page") {
            return page;
        }
        assert!(start.elapsed() < PATIENCE, "chromium shows no page");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Starts a Node program under its inspector, and says the inspector's URL.
pub(crate) async fn node(script: &str) -> (Victim, String) {
    let mut child = Command::new("node")
        .args(["--inspect=127.0.0.1:0", "-e", script])
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node is installed");
    // Node writes two lines to the pipe, which is then simply left: it need not stay open.
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let url = lines.find_map(|line| line.unwrap().split_once("listening on ").map(|(_, url)| url.trim().to_owned()));
    (Victim { child, _profile: None }, url.expect("node says its URL"))
}
