//! What the tests of this crate share: pages of our own, processes, a driver in one line.
#![allow(clippy::unwrap_used, dead_code, reason = "helpers of tests; not every test uses all of them")]
use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use heapsoak_browser::{Driver, DriverOptions, Session, SessionOptions, find};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};
use url::Url;

pub(crate) const STEADY: &str = "<!doctype html><title>steady</title><input id=kw style='width:300px;height:30px'>";
pub(crate) const TALL: &str = "<!doctype html><title>tall</title><p style='height:5000px'>far<p><input id=kw>";
/// Opens one dialog, soon after the pointer first came by.
pub(crate) const ALERT: &str = "<!doctype html><input id=kw><script>
    kw.addEventListener('mousemove', () => setTimeout(() => alert('hello'), 100), {once: true})</script>";

/// Serves one page at every path for as long as the test lives.
pub(crate) fn serve(page: &'static str) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer(stream.unwrap(), "text/html", |_| page.to_owned()));
        }
    });
    url
}

/// Answers the requests of one connection; `page` sees the whole request.
pub(crate) fn answer(mut stream: TcpStream, kind: &str, mut page: impl FnMut(&str) -> String) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            if reader.read_line(&mut request).ok()? == 0 {
                return None;
            }
        }
        let length =
            request.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).ok()?;
        request.push_str(&String::from_utf8_lossy(&body));
        let page = page(&request);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", page.len());
        stream.write_all(format!("{head}{page}").as_bytes()).ok()?;
    }
}

/// The example program, which cargo builds beside the tests.
pub(crate) fn stub() -> PathBuf {
    let me = std::env::current_exe().unwrap();
    me.parent().unwrap().parent().unwrap().join("examples/recorder_stub")
}

pub(crate) async fn driver() -> Driver {
    Driver::start(&DriverOptions::new(stub(), &["guardian"], find::driver().unwrap())).await.unwrap()
}

pub(crate) fn options() -> SessionOptions {
    SessionOptions {
        browser: Some(find::browser(None).unwrap()),
        no_sandbox: geteuid().is_root(),
        command_deadline: Duration::from_secs(5),
        ..Default::default()
    }
}

pub(crate) async fn session(driver: &Driver, page: &'static str) -> Session {
    let mut session = Session::open(driver, &options()).await.unwrap();
    session.goto(&serve(page)).await.unwrap();
    session
}

/// Ends a driver that may be in any state, and proves that nothing of it is left.
pub(crate) async fn end(driver: Driver) {
    let (guardian, folder) = (driver.guardian_pid().unwrap(), driver.run_dir().unwrap().to_owned());
    driver.end(Duration::from_secs(4)).await.unwrap();
    assert_eq!(of_run(guardian, &folder), Vec::<String>::new());
    assert!(!folder.exists(), "{} is left", folder.display());
}

pub(crate) fn descendants(root: i32) -> Vec<i32> {
    let all: Vec<(i32, i32)> = procfs::process::all_processes()
        .unwrap()
        .filter_map(|process| process.ok()?.stat().ok())
        .filter(|stat| stat.state != 'Z')
        .map(|stat| (stat.pid, stat.ppid))
        .collect();
    let mut family = HashSet::from([root]);
    for _ in 0..16 {
        family
            .extend(all.iter().filter(|(_, parent)| family.contains(parent)).map(|(pid, _)| *pid).collect::<Vec<_>>());
    }
    family.remove(&root);
    family.into_iter().collect()
}

/// Command lines of what belongs to a run, found by other means than the library's: the run folder's name in the
/// environment or on the command line, and descent.
pub(crate) fn of_run(guardian: i32, folder: &Path) -> Vec<String> {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let family = descendants(guardian);
    let read = |pid: i32, what: &str| std::fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
    let has = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(&name);
    let mine = std::process::id().cast_signed();
    procfs::process::all_processes()
        .unwrap()
        .filter_map(|process| Some(process.ok()?.pid))
        .filter(|pid| *pid != mine)
        .map(|pid| (pid, read(pid, "cmdline"), read(pid, "environ")))
        .filter(|(pid, line, environ)| family.contains(pid) || has(line) || has(environ))
        .map(|(pid, line, _)| format!("{pid} {}", String::from_utf8_lossy(&line).replace('\0', " ")))
        .collect()
}

/// Signals those descendants of the driver whose command line holds `mark`.
pub(crate) fn strike(driver: &Driver, mark: &str, signal: Signal) {
    let struck = descendants(driver.guardian_pid().unwrap()).into_iter().filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(mark)
    });
    let struck: Vec<i32> = struck.collect();
    assert!(!struck.is_empty(), "nothing is called {mark}");
    for pid in struck {
        // Some end by themselves when another does.
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

/// Waits until `done`, at most `deadline`; gives how long it took.
pub(crate) fn wait_until(deadline: Duration, mut done: impl FnMut() -> bool) -> Option<Duration> {
    let start = Instant::now();
    while start.elapsed() < deadline {
        if done() {
            return Some(start.elapsed());
        }
        thread::park_timeout(Duration::from_millis(20));
    }
    None
}
