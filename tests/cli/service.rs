//! The recorder as a service: what it tells systemd, over a socket of our own, and the unit that comes with it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// On a busy machine a start takes seconds.
const PATIENCE: Duration = Duration::from_secs(40);

/// A recorder that watches this test, and the manager's end of its socket.
struct Service {
    folder: TempDir,
    socket: UnixDatagram,
    recorder: Child,
}

impl Service {
    fn start(watchdog: Option<Duration>, how: impl FnOnce(&mut Command)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_recorder"));
        command.arg("--db").arg(folder.path().join("soak.db")).args(["--step", "200ms", "--pid"]);
        command.arg(std::process::id().to_string()).env("NOTIFY_SOCKET", &path).env_remove("WATCHDOG_PID");
        command.stderr(Stdio::piped());
        if let Some(watchdog) = watchdog {
            command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        }
        how(&mut command);
        let recorder = command.spawn().unwrap();
        Self { folder, socket, recorder }
    }

    /// The next message: a line for each state.
    fn hears(&self) -> Vec<String> {
        let mut bytes = [0; 4096];
        let length = self.socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap().lines().map(str::to_owned).collect()
    }

    /// Everything until a message that has `state`, and that one.
    fn hears_until(&self, state: &str) -> Vec<Vec<String>> {
        let began = Instant::now();
        let mut all = Vec::new();
        while began.elapsed() < PATIENCE {
            all.push(self.hears());
            if all.last().unwrap().iter().any(|line| line == state) {
                return all;
            }
        }
        panic!("no {state} in {all:?}")
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.recorder.id().cast_signed()), signal).unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.recorder.kill();
        let _ = self.recorder.wait();
    }
}

#[test]
fn a_manager_hears_of_the_beginning_of_life_and_of_the_end() {
    let mut service = Service::start(Some(Duration::from_millis(800)), |_| ());
    assert_eq!(service.hears(), ["READY=1", "STATUS=recording"]);
    for _ in 0..4 {
        let message = service.hears();
        assert_eq!(message[0], "WATCHDOG=1", "{message:?}");
        assert!(message[1].starts_with("STATUS=00:00:"), "{message:?}");
    }
    service.signal(Signal::SIGTERM);
    let all = service.hears_until("STOPPING=1");
    assert_eq!(all.last().unwrap()[1], "STATUS=ending: stopped by SIGTERM");
    assert_eq!(service.recorder.wait().unwrap().code(), Some(0));
}

#[test]
fn a_recorder_that_stands_still_gives_no_sign_of_life() {
    let service = Service::start(Some(Duration::from_millis(400)), |_| ());
    service.hears_until("WATCHDOG=1");
    service.signal(Signal::SIGSTOP);
    service.socket.set_read_timeout(Some(Duration::from_millis(1500))).unwrap();
    // What was on its way when it stopped may still come.
    while service.socket.recv(&mut [0; 4096]).is_ok() {}
    assert!(service.socket.recv(&mut [0; 4096]).is_err());
    service.signal(Signal::SIGCONT);
    service.socket.set_read_timeout(Some(PATIENCE)).unwrap();
    service.hears_until("WATCHDOG=1");
}

#[test]
fn a_watchdog_that_is_not_for_us_or_not_there_is_not_fed_and_the_status_is_told_all_the_same() {
    let service = Service::start(None, |command| {
        command.env("WATCHDOG_USEC", "100000").env("WATCHDOG_PID", "1");
    });
    assert_eq!(service.hears(), ["READY=1", "STATUS=recording"]);
    let message = service.hears();
    assert!(message.len() == 1 && message[0].starts_with("STATUS=00:00:"), "{message:?}");
    service.socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(service.socket.recv(&mut [0; 4096]).is_err());
}

#[test]
fn a_store_that_cannot_be_had_is_never_ready() {
    let mut service = Service::start(None, |command| {
        command.args(["--rra", "AVERAGE:0.5:0:10"]);
    });
    assert_eq!(service.recorder.wait().unwrap().code(), Some(2));
    service.socket.set_nonblocking(true).unwrap();
    assert!(service.socket.recv(&mut [0; 4096]).is_err());
}

#[test]
fn a_socket_that_is_gone_is_told_once_and_hinders_nothing() {
    let mut service = Service::start(Some(Duration::from_millis(200)), |command| {
        command.env("NOTIFY_SOCKET", "/nowhere/notify").args(["--duration", "1s"]);
    });
    assert_eq!(service.recorder.wait().unwrap().code(), Some(0));
    let mut said = String::new();
    std::io::Read::read_to_string(service.recorder.stderr.as_mut().unwrap(), &mut said).unwrap();
    assert_eq!(said.matches("NOTIFY_SOCKET").count(), 1, "{said}");
    assert!(service.folder.path().join("soak.db").exists());
}

#[test]
fn systemd_understands_the_unit() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/heapsoak-recorder.service");
    let folder = tempfile::tempdir().unwrap();
    // The check wants the program to be there.
    let text = fs::read_to_string(unit).unwrap().replace("/usr/local/bin/recorder", env!("CARGO_BIN_EXE_recorder"));
    assert!(text.contains(env!("CARGO_BIN_EXE_recorder")));
    let copy = folder.path().join("heapsoak-recorder.service");
    fs::File::create(&copy).and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes())).unwrap();
    let Ok(output) = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy).output() else {
        eprintln!("not checked: there is no systemd-analyze here");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}
