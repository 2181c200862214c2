//! The whole way with the real browser: soak our own page, read the file while it grows, end it in every way.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// One recorder in a folder of its own.
struct Soak {
    folder: TempDir,
    child: Child,
}

/// What is left when it has ended.
struct Ended {
    status: i32,
    stderr: String,
    took: Duration,
}

impl Soak {
    fn start(args: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let child = recorder(folder.path(), args).spawn().unwrap();
        Self { folder, child }
    }

    fn db(&self) -> PathBuf {
        self.folder.path().join("soak.db")
    }

    fn sql(&self, query: &str) -> String {
        sql(&self.db(), query)
    }

    /// Waits until a query answers `wanted`.
    fn until(&self, query: &str, wanted: &str) {
        let deadline = Instant::now() + Duration::from_secs(40);
        while !self.db().exists() || self.sql(query) != wanted {
            assert!(Instant::now() < deadline, "`{query}` did not become `{wanted}`");
            pause(Duration::from_millis(200));
        }
    }

    fn until_sampled(&self) {
        self.until("select count(*) >= 3 from average where heap_used is not null", "1");
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    fn wait(&mut self) -> Ended {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < Duration::from_secs(90), "the recorder does not end");
            pause(Duration::from_millis(20));
        };
        let took = began.elapsed();
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let status = status.code().unwrap_or(-1);
        Ended { status, stderr, took }
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Soak {
    fn drop(&mut self) {
        // A failed test must not leave a browser behind: the guardian ends it with the recorder.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn recorder(folder: &Path, args: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recorder"));
    command
        .current_dir(folder)
        .args(args.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Runs to the end and tells how.
fn outcome(args: &str) -> Ended {
    Soak::start(args).wait()
}

fn sql(db: &Path, query: &str) -> String {
    let output =
        Command::new("sqlite3").arg(db).arg(".timeout 5000").arg(query).output().expect("sqlite3 is installed");
    assert!(output.status.success(), "{query}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[expect(clippy::disallowed_methods, reason = "a test waits for other processes and has no stop signal")]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// The descendants of a process, itself included.
fn family(root: u32) -> BTreeSet<u32> {
    let mut family = BTreeSet::from([root]);
    loop {
        let before = family.len();
        for process in procfs::process::all_processes().unwrap().flatten() {
            let Ok(stat) = process.stat() else { continue };
            if u32::try_from(stat.ppid).is_ok_and(|parent| family.contains(&parent)) {
                family.insert(stat.pid.try_into().unwrap());
            }
        }
        if family.len() == before {
            return family;
        }
    }
}

/// Those of `pids` that still run; a zombie runs no more.
fn alive(pids: &BTreeSet<u32>) -> Vec<u32> {
    let runs = |pid: &u32| {
        procfs::process::Process::new(i32::try_from(*pid).unwrap())
            .and_then(|process| process.stat())
            .is_ok_and(|stat| stat.state != 'Z')
    };
    pids.iter().copied().filter(runs).collect()
}

/// Bytes per second by least squares over the rows that are known, after the first `skip` seconds.
fn slope(soak: &Soak, source: &str, skip: u32) -> f64 {
    let from = format!("(select min(time) + {skip} from average where {source} is not null)");
    let rows = soak.sql(&format!("select time, {source} from average where {source} is not null and time > {from}"));
    let points: Vec<(f64, f64)> = rows
        .lines()
        .map(|line| line.split_once('|').unwrap())
        .map(|(time, value)| (time.parse::<f64>().unwrap(), value.parse().unwrap()))
        .collect();
    assert!(points.len() >= 8, "{} rows are too few", points.len());
    let n = f64::from(u32::try_from(points.len()).unwrap());
    let (mean_x, mean_y) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let over: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    over / points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum::<f64>()
}

#[test]
fn a_leaking_page_rises_at_the_rate_asked_for_and_ends_as_asked() {
    // Collections keep the garbage that driving makes out of the rate.
    let mut soak = Soak::start("--leak 500KiB/s --checkpoint-gc 5s --duration 40s --rra AVERAGE:0.5:1:1000");
    soak.until_sampled();
    // The file answers while it is written.
    assert_eq!(soak.sql("select count(*) from latest where source = 'heap_used'"), "1");
    assert!(soak.sql("select at from average order by time desc limit 1").ends_with('Z'));
    let ended = soak.wait();
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let rate = slope(&soak, "heap_used", 5);
    assert!((rate / (500.0 * 1024.0) - 1.0).abs() < 0.1, "{rate} B/s is not 500 KiB/s");
    assert_eq!(soak.files(), ["soak.db"], "a clean end leaves one file");
    assert_eq!(soak.sql("select count(*), max(reason) from run where ended is not null"), "1|40s are over");
    // Root's browser has no sandbox, and that is told.
    let kinds = soak.sql("select group_concat(kind, ' ') from event where kind <> 'no_sandbox'");
    assert_eq!(kinds, "start session navigation end");
    // Hovering every 50 ms: 20 iterations a second, less what a busy machine takes.
    let rate: f64 = soak.sql("select avg(iterations) from average").parse().unwrap();
    assert!((5.0..=20.5).contains(&rate), "{rate} iterations per second");
}

#[test]
fn a_steady_page_does_not_rise_and_iterations_end_the_run() {
    let mut soak = Soak::start("--iterations 700 --interval 20ms --checkpoint-gc 3s --rra AVERAGE:0.5:1:1000");
    let ended = soak.wait();
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    // Between collections the heap holds the garbage of driving; what the page keeps is seen after them. A handle of
    // 100 bytes left by each iteration would be some 13 KiB from one collection to the next.
    let floors = soak.sql("select count(*) >= 3, max(after_bytes) - min(after_bytes) < 4096 from gc where forced");
    assert_eq!(floors, "1|1");
    assert_eq!(soak.sql("select reason from run"), "700 iterations are done");
    // The loop itself makes no nodes; the page's first rows may still see the browser tidy up after the navigation.
    let nodes = soak.sql("select count(distinct dom_nodes) from (select * from average where dom_nodes is not null order by time desc limit 8)");
    assert_eq!(nodes, "1");
    let ticks: i64 =
        soak.sql("select max(time) - min(time) from average where recorder_heap is not null").parse().unwrap();
    let unknown = soak.sql("select count(*) from average where recorder_heap is null");
    assert!(ticks > 6 && unknown == "0", "{unknown} rows without a tick in {ticks} s");
}

#[test]
fn a_page_and_a_node_program_share_one_file_and_one_time_axis() {
    let mut soak = Soak::start("--page -- node -e setTimeout(()=>process.exit(6),15000)");
    let ended = soak.wait();
    assert_eq!(ended.status, 6, "the command's own status: {}", ended.stderr);
    let both = "select count(*) > 0 from average where page_heap_used > 0 and heap_used > 0 and tree_rss > 0 and iterations > 0";
    assert_eq!(soak.sql(both), "1");
    assert_eq!(soak.sql("select reason from run"), "exit 6");
    assert_eq!(soak.files(), ["soak.db"], "the browser is gone, the file is whole");
}

#[test]
fn a_signal_ends_the_run_whole_within_two_seconds() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut soak = Soak::start("");
        soak.until_sampled();
        let family = family(soak.child.id());
        assert!(family.len() > 5, "only {family:?}");
        soak.signal(signal);
        let ended = soak.wait();
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        assert!(ended.took <= Duration::from_secs(2), "{signal} took {:?}", ended.took);
        assert_eq!(alive(&family), Vec::<u32>::new(), "processes are left");
        assert_eq!(soak.files(), ["soak.db"]);
        assert_eq!(soak.sql("select reason from run"), format!("stopped by {signal}"));
    }
}

#[test]
fn a_killed_recorder_leaves_no_browser_and_loses_no_sample_that_was_written() {
    let mut soak = Soak::start("");
    soak.until_sampled();
    let family = family(soak.child.id());
    let written = soak.sql("select max(time) from average where heap_used is not null");
    soak.signal(Signal::SIGKILL);
    soak.child.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(3);
    while !alive(&family).is_empty() {
        assert!(Instant::now() < deadline, "{:?} of {family:?} are left", alive(&family));
        pause(Duration::from_millis(50));
    }
    assert_eq!(soak.sql("pragma integrity_check"), "ok");
    assert_eq!(
        soak.sql(&format!("select count(*) from average where time = {written} and heap_used is not null")),
        "1"
    );
    // The same command goes on with the same file: a new run, a gap between.
    soak.child = recorder(soak.folder.path(), "--iterations 60").spawn().unwrap();
    let ended = soak.wait();
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert_eq!(soak.sql("select count(*), count(ended) from run"), "2|1");
}

#[test]
fn a_lost_renderer_and_a_lost_browser_are_events_and_the_run_goes_on() {
    let mut soak = Soak::start("");
    soak.until_sampled();
    for (count, kind) in [(2, "--type=renderer"), (3, "--remote-debugging-port")] {
        let victims: Vec<_> = family(soak.child.id())
            .into_iter()
            .filter(|pid| {
                std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
                    line.contains(kind)
                        && line.contains("chromium")
                        && (kind == "--type=renderer" || !line.contains("--type="))
                })
            })
            .collect();
        assert!(!victims.is_empty(), "nothing to kill for {kind}");
        for pid in victims {
            let _ = kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGKILL);
        }
        soak.until("select count(*) from event where kind = 'session'", &count.to_string());
        let after = soak.sql("select max(time) from event where kind = 'navigation'");
        soak.until(&format!("select count(*) > 2 from average where heap_used is not null and time > {after}"), "1");
    }
    let kinds = soak.sql("select group_concat(distinct kind) from event");
    assert!(kinds.contains("renderer_crash") && kinds.contains("browser_crash"), "{kinds}");
    soak.signal(Signal::SIGTERM);
    assert_eq!(soak.wait().status, 0);
}

#[test]
fn what_cannot_be_soaked_is_said_with_its_remedy() {
    let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cases = [
        ("--element #absent --iterations 5".to_owned(), "#absent"),
        (format!("--no-sandbox --url http://{refused}/ --iterations 5"), "http://127.0.0.1"),
        ("--url nonsense".to_owned(), "nonsense"),
        ("--browser /no/such/chromium".to_owned(), "/no/such/chromium"),
        (format!("--webdriver http://{refused}/ --iterations 5"), "127.0.0.1"),
        ("--rra AVERAGE:2:3:4".to_owned(), "--rra"),
        ("--step 0s".to_owned(), "step"),
    ];
    for (args, named) in cases {
        let ended = outcome(&args);
        assert_eq!(ended.status, 2, "{args}: {}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("recorder: ") && last.contains(named), "{args}: {}", ended.stderr);
    }
}

#[test]
fn a_run_in_which_no_page_was_ever_driven_does_not_end_as_if_all_were_well() {
    // It takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let driver = format!("--webdriver http://{}/", silent.local_addr().unwrap());
    let mut soak = Soak::start(&format!("{driver} --duration 3s --fail-on-leak"));
    let ended = soak.wait();
    assert_eq!(ended.status, 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("no iteration was done"), "{}", ended.stderr);
    assert!(soak.sql("select reason from run").contains("no iteration was done"));
}

#[test]
fn without_a_browser_the_package_to_install_is_named_and_no_file_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let output = recorder(folder.path(), "--browser no-such-browser").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("apt-get install chromium chromium-driver"), "{stderr}");
    assert!(!folder.path().join("soak.db").exists(), "a run that cannot begin makes no file");
}

#[test]
fn a_second_recorder_on_the_same_file_is_refused_with_the_pid_of_the_first() {
    let mut soak = Soak::start("");
    soak.until_sampled();
    let output = recorder(soak.folder.path(), "").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains(&soak.child.id().to_string()), "{stderr}");
    soak.signal(Signal::SIGTERM);
    assert_eq!(soak.wait().status, 0);
}

#[test]
fn another_step_or_other_archives_never_change_a_file_silently() {
    let mut soak = Soak::start("--iterations 20");
    assert_eq!(soak.wait().status, 0);
    for (args, named) in [("--step 2s", "step"), ("--rra AVERAGE:0.5:1:10", "archives")] {
        let output = recorder(soak.folder.path(), args).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(named) && stderr.contains("another file"), "{stderr}");
    }
}
