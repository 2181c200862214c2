//! What nobody else may see or reach while a page is soaked: passwords, files, ports. With the real browser.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use heapsoak_browser::find;
use procfs::net::{TcpState, tcp, tcp6};
use procfs::process::{FDTarget, Process, all_processes};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// A password that is written nowhere, this file included.
fn canary() -> String {
    format!("canary{:x}", u64::from(std::process::id()) * 7919)
}

/// Ends a process, and with it what it guards.
struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        // A guardian ends what it guards when its pipe does, unless it is killed before it can.
        if self.0.stdin.take().is_some() {
            let until = Instant::now() + PATIENCE;
            while Instant::now() < until && self.0.try_wait().is_ok_and(|ended| ended.is_none()) {
                std::thread::park_timeout(Duration::from_millis(50));
            }
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn recorder(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recorder"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// A driver that somebody else started, and its port.
fn driver() -> (Held, String) {
    let folder = TempDir::new().unwrap();
    let mut command = recorder(&["guardian", "--remove"]);
    command
        .arg(folder.keep())
        .arg("--")
        .arg(find::driver().unwrap())
        .arg("--port=0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    // It goes on reading what the driver says, which must not find its pipe closed.
    let (said, hears) = std::sync::mpsc::channel();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    std::thread::spawn(move || lines.for_each(|line| drop(said.send(line))));
    let lines = std::iter::from_fn(|| hears.recv_timeout(PATIENCE).ok());
    let port = lines
        .filter_map(|line| {
            line.split_once("successfully on port ").map(|(_, rest)| rest.trim_end_matches('.').to_owned())
        })
        .next()
        .unwrap();
    (Held(child), port)
}

/// Serves a page for as long as the test lives.
fn page() -> String {
    const PAGE: &str = "<!doctype html><title>page</title><input id=kw>";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n", PAGE.len());
                let _ = stream.write_all(format!("{head}connection: close\r\n\r\n{PAGE}").as_bytes());
            });
        }
    });
    address
}

/// The processes whose arguments hold `secret`, as every user of the machine can read them.
fn that_show(secret: &str) -> Vec<String> {
    let shown = all_processes().unwrap().flatten().filter_map(|process| process.cmdline().ok());
    shown.map(|arguments| arguments.join(" ")).filter(|line| line.contains(secret)).collect()
}

/// All files under a folder, with their modes and bytes; those that go while one looks are left out.
fn files(folder: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    fs::read_dir(folder)
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let mode = entry.metadata().ok()?.permissions().mode() & 0o777;
            Some((entry.file_name().into_string().unwrap(), (mode, fs::read(entry.path()).ok()?)))
        })
        .collect()
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

/// Waits until the store has samples of a page, or the recorder ended.
fn until_sampled(folder: &Path, child: &mut Child) {
    let began = Instant::now();
    let sampled = || {
        let asked = Command::new("sqlite3")
            .args(["-readonly", "-cmd", ".timeout 5000"])
            .arg(folder.join("soak.db"))
            .arg("select count(heap_used) >= 1 from average")
            .output()
            .unwrap();
        asked.stdout.starts_with(b"1")
    };
    while !sampled() && child.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < PATIENCE, "no samples");
        pause(Duration::from_millis(200));
    }
}

#[expect(clippy::disallowed_methods, reason = "a test waits for other processes and has no stop signal")]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// Soaks until it ends; meanwhile nobody may see the secret. What it said and the store's events.
fn soak_unseen(secret: &str, args: &[&str]) -> (Output, String) {
    let folder = TempDir::new().unwrap();
    let db = folder.path().join("soak.db");
    let mut command = recorder(args);
    command.arg("--db").arg(&db).args(["-vv", "--duration", "5s"]);
    command.env("CANARY_TOKEN", secret).env("HEAPSOAK_LOG", "trace");
    let mut child = Held(command.spawn().unwrap());
    // A pipe that is full would hold up what is to be watched.
    let mut stderr = child.0.stderr.take().unwrap();
    let said = std::thread::spawn(move || {
        let mut said = Vec::new();
        stderr.read_to_end(&mut said).map(|_| said)
    });
    let began = Instant::now();
    while !db.exists() && child.0.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < PATIENCE, "no store");
        pause(Duration::from_millis(20));
    }
    let status = loop {
        assert_eq!(that_show(secret), [""; 0]);
        for (name, (mode, bytes)) in files(folder.path()) {
            assert_eq!(mode, 0o600, "{name}");
            assert!(!holds(&bytes, secret), "{name}");
        }
        if let Some(status) = child.0.try_wait().unwrap() {
            break status;
        }
        assert!(began.elapsed() < PATIENCE, "it does not end");
        pause(Duration::from_millis(100));
    };
    let query = "select kind, detail from event; select command from run";
    let events = Command::new("sqlite3").arg(&db).arg(query).output().unwrap();
    let output = Output { status, stdout: Vec::new(), stderr: said.join().unwrap().unwrap() };
    (output, String::from_utf8(events.stdout).unwrap())
}

#[test]
fn a_password_is_in_no_store_no_log_and_no_process_list() {
    let secret = canary();
    let (_driver, port) = driver();
    let url = format!("http://me:{secret}@{}/?access_token={secret}", page());
    let webdriver = format!("http://user:{secret}@127.0.0.1:{port}");
    for args in
        [&["--webdriver", webdriver.as_str(), "--no-sandbox", "--url", &url][..], &["--no-sandbox", "--url", &url]]
    {
        let (output, kept) = soak_unseen(&secret, args);
        let said = String::from_utf8_lossy(&output.stderr);
        // The other is how `user:canary…` begins in a header.
        assert!(!said.contains(&secret) && !said.contains("dXNlcjpjYW5h"), "{said}");
        assert_eq!(output.status.code(), Some(0), "{said}");
        // It was this page, and it was asked for with the password.
        assert!(kept.contains("navigation|http://me:***@127.0.0.1:"), "{kept}");
        assert!(kept.contains("access_token=***") && kept.contains("no_sandbox|--no-sandbox"), "{kept}");
        assert!(said.contains("without its sandbox"), "{said}");
    }
}

#[test]
fn nothing_listens_to_other_machines_and_the_driver_is_told_its_port_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let mut command = recorder(&["--db"]);
    command.arg(folder.path().join("soak.db")).env("TMPDIR", folder.path()).stderr(Stdio::null());
    let mut child = Held(command.spawn().unwrap());
    until_sampled(folder.path(), &mut child.0);
    let family = family(child.0.id());
    let sockets: BTreeSet<u64> = family.iter().flat_map(sockets).collect();
    let listens = tcp().unwrap().into_iter().chain(tcp6().unwrap());
    let ours: Vec<_> = listens.filter(|it| it.state == TcpState::Listen && sockets.contains(&it.inode)).collect();
    assert!(ours.len() >= 3, "page, driver and browser listen: {ours:?}");
    assert!(ours.iter().all(|it| it.local_address.ip().to_canonical().is_loopback()), "{ours:?}");
    let told =
        family.iter().filter_map(|process| process.cmdline().ok()).find(|words| words[0].ends_with("chromedriver"));
    assert_eq!(told.unwrap()[1..], ["--port=0", "--enable-chrome-logs"]);
    let run = fs::read_dir(folder.path()).unwrap().flatten().find(|entry| entry.path().is_dir()).unwrap();
    assert_eq!(run.metadata().unwrap().permissions().mode() & 0o777, 0o700, "profile and temporary files");
}

/// A process and all that descends from it.
fn family(root: u32) -> Vec<Process> {
    let mut pids = BTreeSet::from([root.cast_signed()]);
    let all: Vec<_> = all_processes().unwrap().flatten().filter_map(|it| Some((it.stat().ok()?.ppid, it))).collect();
    let mut before = 0;
    while pids.len() > before {
        before = pids.len();
        pids.extend(all.iter().filter(|(parent, _)| pids.contains(parent)).map(|(_, it)| it.pid).collect::<Vec<_>>());
    }
    all.into_iter().map(|(_, it)| it).filter(|it| pids.contains(&it.pid)).collect()
}

fn sockets(process: &Process) -> Vec<u64> {
    let open = process.fd().into_iter().flatten().flatten();
    open.filter_map(|it| if let FDTarget::Socket(inode) = it.target { Some(inode) } else { None }).collect()
}

#[test]
fn what_could_harm_is_refused_before_anything_is_started() {
    let folder = TempDir::new().unwrap();
    let secret = canary();
    let far = format!("http://me:{secret}@192.0.2.1/");
    for (args, says) in [
        (&["--no-sandbox", "--url", &far][..], "--allow-remote-unsandboxed"),
        (&["--allow-remote-unsandboxed", "--url", &far], "--no-sandbox"),
        (&["--node", "192.0.2.1:9229"], "not on this machine"),
        (&["--node", "api=ws://192.0.2.1:9229/x"], "not on this machine"),
        (&["--url", &format!("http://me:{secret}@no host/")], "not a URL"),
    ] {
        let output = recorder(args).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(says) && !said.contains(&secret), "{said}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a store was made");
    }
}
