//! `recorder -- COMMAND`: the command behaves as without us, and what happened to it stands in the store.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// A folder with a store, and scripts beside it.
struct Shell {
    folder: TempDir,
}

impl Shell {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        path
    }

    fn recorder(&self, flags: &str, command: &[&str]) -> Command {
        let mut recorder = Command::new(env!("CARGO_BIN_EXE_recorder"));
        recorder.current_dir(self.folder.path()).args(flags.split_whitespace()).arg("--").args(command);
        recorder
    }

    fn run(&self, command: &[&str]) -> Output {
        self.recorder("", command).stdin(Stdio::null()).output().unwrap()
    }

    fn status(&self, command: &[&str]) -> i32 {
        self.run(command).status.code().unwrap()
    }

    fn sql(&self, query: &str) -> String {
        let output = Command::new("sqlite3")
            .arg(self.path("soak.db"))
            .arg(".timeout 5000")
            .arg(query)
            .output()
            .expect("sqlite3 is installed");
        assert!(output.status.success(), "{query}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    fn until(&self, query: &str, wanted: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.path("soak.db").exists() || self.sql(query) != wanted {
            assert!(Instant::now() < deadline, "`{query}` did not become `{wanted}`");
            pause(Duration::from_millis(100));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a test waits for other processes and has no stop signal")]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}

#[test]
fn exit_statuses_come_through() {
    let shell = Shell::new();
    assert_eq!(shell.status(&["true"]), 0);
    assert_eq!(shell.status(&["sh", "-c", "exit 3"]), 3);
    assert_eq!(shell.status(&["sh", "-c", "kill -9 $$"]), 137);
    assert_eq!(shell.status(&["sh", "-c", "kill -ABRT $$"]), 134);
    assert_eq!(shell.status(&["no-such-command"]), 127);
    assert_eq!(shell.status(&["/etc/passwd"]), 126);
    assert_eq!(
        shell.sql("select group_concat(reason || ' ' || exit_status, ', ') from run"),
        "exit 0 0, exit 3 3, killed by signal 9 137, aborted 134, \
         `no-such-command` is not found; write the command's path, or check PATH 127, \
         `/etc/passwd` cannot be run: Permission denied (os error 13) 126"
    );
    let output = shell.recorder("--rra AVERAGE:2:3:4", &["true"]).output().unwrap();
    assert_eq!(output.status.code(), Some(125), "the recorder's own failure");
    assert_eq!(shell.recorder("--no-such-flag", &["true"]).output().unwrap().status.code(), Some(125));
}

#[test]
fn not_a_byte_is_added_or_lost() {
    let shell = Shell::new();
    let mut child = shell
        .recorder("", &["cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let bytes: Vec<u8> = (0..2_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    let mut stdin = child.stdin.take().unwrap();
    let sent = bytes.clone();
    let writer = std::thread::spawn(move || stdin.write_all(&sent).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.stdout == bytes, "{} bytes came back of {}", output.stdout.len(), bytes.len());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_node_program_says_just_what_it_says_without_us() {
    let shell = Shell::new();
    let script = shell.script(
        "say.js",
        "console.log('out', process.argv.slice(2), process.env.NODE_OPTIONS, process.execArgv, process.stdout.isTTY);
         console.error('err'); process.stdin.on('data', d => process.stdout.write(d)).on('end', () => process.exitCode = 5);",
    );
    let command = ["node", "--no-warnings", script.to_str().unwrap(), "a b", "*"];
    let with = shell.recorder("", &command).stdin(Stdio::null()).output().unwrap();
    let without = Command::new("node").args(&command[1..]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(with, without);
    assert_eq!(with.status.code(), Some(5));
}

#[test]
fn signals_reach_the_command_and_it_decides() {
    let shell = Shell::new();
    let handles = "trap 'echo got; exit 7' TERM; echo ready; while :; do sleep 0.05; done";
    for (script, sent, status) in
        [(handles, Signal::SIGTERM, 7), ("echo ready; sleep 30 2>/dev/null", Signal::SIGTERM, 143)]
    {
        let mut child =
            shell.recorder("", &["sh", "-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut ready = [0; 6];
        stdout.read_exact(&mut ready).unwrap();
        signal(&child, sent);
        let mut rest = String::new();
        if status == 143 {
            // The sleep that the shell leaves behind holds the pipe: it is not ours to end.
            drop(stdout);
        } else {
            stdout.read_to_string(&mut rest).unwrap();
            assert_eq!(rest, "got\n");
        }
        assert_eq!(child.wait().unwrap().code(), Some(status), "{script}");
    }
}

#[test]
fn what_nohup_has_ignored_stays_ignored_by_recorder_and_command() {
    let shell = Shell::new();
    let ignoring = r#"trap '' HUP INT; exec "$@""#;
    let mut recorder = Command::new("sh");
    recorder.current_dir(shell.folder.path()).args(["-c", ignoring, "sh", env!("CARGO_BIN_EXE_recorder"), "--"]);
    recorder.args(["sh", "-c", "grep SigIgn /proc/self/status; sleep 1; exit 3"]);
    let mut child = recorder.stdout(Stdio::piped()).spawn().unwrap();
    let mut ignored = [0; 25];
    let stdout = child.stdout.as_mut().unwrap();
    stdout.read_exact(&mut ignored).unwrap();
    let mask = std::str::from_utf8(&ignored).unwrap().trim_start_matches("SigIgn:").trim();
    assert_eq!(u64::from_str_radix(mask, 16).unwrap() & 0b11, 0b11, "the command would die of what nohup keeps away");
    signal(&child, Signal::SIGHUP);
    signal(&child, Signal::SIGINT);
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[test]
fn a_store_that_is_lost_ends_no_command() {
    let shell = Shell::new();
    // It goes on until the test has seen that nothing is recorded any more.
    let script = "trap 'exit 9' TERM; while [ ! -e enough ]; do sleep 0.05; done; exit 4";
    let mut recorder = shell.recorder("", &["sh", "-c", script]);
    let mut child = recorder.stderr(Stdio::piped()).spawn().unwrap();
    shell.until("select count(*) > 0 from average where rss > 0", "1");
    std::fs::rename(shell.path("soak.db"), shell.path("away.db")).unwrap();
    let mut lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
    let told = lines.find(|line| line.as_ref().unwrap().contains("the command goes on unrecorded"));
    assert!(told.is_some(), "nobody is told");
    shell.script("enough", "");
    assert_eq!(child.wait().unwrap().code(), Some(4), "the command's own status");
}

#[test]
fn the_log_of_a_store_that_was_moved_away_is_kept_when_another_takes_its_name() {
    let shell = Shell::new();
    let mut killed = shell.recorder("", &["sleep", "6"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    shell.until("select count(*) > 0 from average where rss > 0", "1");
    killed.kill().unwrap();
    killed.wait().unwrap();
    std::fs::rename(shell.path("soak.db"), shell.path("moved.db")).unwrap();
    assert_eq!(shell.status(&["true"]), 0);
    let told = shell.sql("select detail from event where kind = 'log_kept'");
    assert!(told.contains("soak.db.left-1-wal may hold"), "{told}");
    // As it says: the log plays back into the database that it is of.
    std::fs::rename(shell.path("soak.db.left-1-wal"), shell.path("moved.db-wal")).unwrap();
    std::fs::rename(shell.path("moved.db"), shell.path("soak.db")).unwrap();
    std::fs::rename(shell.path("moved.db-wal"), shell.path("soak.db-wal")).unwrap();
    assert_eq!(shell.sql("select count(*) > 0 from average where rss > 0"), "1");
}

#[test]
fn death_by_out_of_memory_is_told_with_the_last_heap_and_the_limit() {
    let shell = Shell::new();
    let script = shell.script(
        "leak.js",
        "const keep = []; setInterval(() => { for (let i = 0; i < 400; i++) keep.push({ a: new Array(60).fill(i) }); }, 10);",
    );
    let output = shell.run(&["node", "--max-old-space-size=60", script.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(134), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("heap limit"), "V8's own words come through");
    let detail = shell.sql("select detail from event where kind = 'out_of_memory'");
    let used: f64 = detail.strip_prefix("out of memory, ").unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(detail.ends_with(" of 60 MiB") && (40.0..=64.0).contains(&used), "{detail}");
    assert_eq!(shell.sql("select reason from run"), detail);
    assert_eq!(shell.sql("select count(*) > 3 from gc where kind = 'major'"), "1");
    // Never 0 and never a flat line: what is not known any more is NULL.
    assert_eq!(shell.sql("select count(*) from average where heap_used = 0"), "0");
}

#[test]
fn collections_are_counted_to_the_last_one_as_trace_gc_counts_them() {
    let shell = Shell::new();
    let churn = "let n = 0; const t = setInterval(() => { let a = []; for (let i = 0; i < 60000; i++) a.push({ i, s: 'x' + i });
                 if (++n === 60) { clearInterval(t); globalThis.gc(); } }, 5);";
    for name in ["churn.cjs", "churn.mjs"] {
        let script = shell.script(name, churn);
        let output = shell.run(&["node", "--expose-gc", "--trace-gc", script.to_str().unwrap()]);
        assert!(output.status.success());
        let trace = String::from_utf8_lossy(&output.stdout).into_owned();
        let count = |word: &str| trace.lines().filter(|line| line.contains(word)).count().to_string();
        let run = "(select max(id) from run)";
        assert!(trace.lines().count() > 10, "{trace}");
        assert_eq!(
            shell.sql(&format!("select count(*) from gc where kind = 'minor' and run = {run}")),
            count(" Scavenge "),
            "{name}"
        );
        assert_eq!(
            shell.sql(&format!("select count(*) from gc where kind = 'major' and run = {run}")),
            count(" Mark-Compact "),
            "{name}"
        );
        let last = trace.lines().rev().find(|line| line.contains(" Mark-Compact ")).unwrap();
        let after: f64 = last.split(" -> ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        let stored: f64 = shell
            .sql(&format!(
                "select after_bytes / 1048576.0 from gc where kind = 'major' and run = {run} order by time desc limit 1"
            ))
            .parse()
            .unwrap();
        assert!((stored - after).abs() < 0.11, "{name}: {stored} MiB is not {after}");
    }
}

#[test]
fn the_program_behind_a_shell_and_npm_is_the_one_that_is_meant() {
    let shell = Shell::new();
    shell.script("app.js", "setTimeout(() => {}, 2500);");
    shell.script("package.json", r#"{ "name": "x", "scripts": { "start": "node app.js" } }"#);
    let output = shell.run(&["npm", "start", "--silent"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let appeared = shell.sql(
        "select group_concat(detail, ', ') from (select detail from event where kind = 'appeared' order by detail)",
    );
    assert!(appeared.contains("/app.js") && appeared.contains("npm: "), "{appeared}");
    let names = shell.sql("select group_concat(source) from latest where source like '%heap_used'");
    assert_eq!(names, "npm_heap_used,heap_used", "npm is labelled, the program is plain");
}

#[test]
fn a_process_that_already_runs_is_watched_until_it_is_gone() {
    let shell = Shell::new();
    let mut sleeper = Command::new("sleep").arg("30").spawn().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_recorder"))
        .current_dir(shell.folder.path())
        .args(["--pid", &sleeper.id().to_string()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    shell.until("select count(*) > 0 from average where rss > 0 and tree_rss > 0", "1");
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "the run ended by itself");
    assert_eq!(shell.sql("select kind from event where kind = 'gone'"), "gone");
    let absent = Command::new(env!("CARGO_BIN_EXE_recorder"))
        .current_dir(shell.folder.path())
        .args(["--pid", "4194303"])
        .output()
        .unwrap();
    assert_eq!(absent.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&absent.stderr).contains("4194303"));
}

/// What tells the place of the preload.
const TELL: &str = "echo \"${NODE_OPTIONS##* }\"; ";

/// The folder of the preload, by what such a command said.
fn run_folder(said: &[u8]) -> PathBuf {
    let path = String::from_utf8_lossy(said).trim_end().to_owned();
    assert!(path.ends_with("/watch.cjs"), "{path}");
    Path::new(&path).parent().unwrap().to_owned()
}

#[test]
fn the_run_folder_is_gone_after_the_run_but_not_under_a_daemon() {
    let shell = Shell::new();
    let folder = run_folder(&shell.run(&["sh", "-c", TELL]).stdout);
    assert!(!folder.exists());
    let daemon = format!("{TELL} setsid sleep 3 >/dev/null 2>&1 & ");
    let folder = run_folder(&shell.run(&["sh", "-c", &daemon]).stdout);
    assert!(folder.exists(), "a daemon could not start Node without the preload");
}

#[test]
fn what_a_killed_recorder_left_is_removed_by_the_next_one_once_its_command_has_ended() {
    let shell = Shell::new();
    let next = || assert!(shell.run(&["true"]).status.success());
    let mut killed = shell.recorder("", &["sh", "-c", &format!("{TELL} exec sleep 60")]);
    let mut killed = killed.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    std::io::BufReader::new(killed.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let folder = run_folder(said.as_bytes());
    let command = procfs::process::Process::new(i32::try_from(killed.id()).unwrap())
        .and_then(|process| process.task_main_thread()?.children())
        .unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    next();
    assert!(folder.exists(), "the command runs on, and may start Node programs");
    for pid in command {
        kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGKILL).unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    while folder.exists() {
        assert!(Instant::now() < deadline, "its folder stays");
        next();
    }
}

#[test]
fn a_program_that_empties_its_temp_dir_and_one_that_has_no_good_one_still_start_node_and_are_watched() {
    let shell = Shell::new();
    for name in ["tmp", "two words", "absent"] {
        let temp = shell.path(name);
        if name != "absent" {
            std::fs::create_dir(&temp).unwrap();
        }
        let command = ["sh", "-c", "rm -rf \"$TMPDIR\"/*; node -p 1+1"];
        let output = shell.recorder("", &command).env("TMPDIR", &temp).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), b"2\n".as_slice()), "{output:?}");
        let heard = "select count(*) from event where kind = 'appeared' and run = (select max(id) from run)";
        assert_eq!(shell.sql(heard), "1", "{name}");
    }
}

#[test]
fn a_node_program_that_gets_no_preload_is_told_once_and_one_that_does_is_not() {
    let shell = Shell::new();
    let count = "select count(*) || (max(detail) like 'process % runs Node, but does not tell its heap%') \
        from event where kind = 'not_watched'";
    shell.run(&["sh", "-c", "node -e 'setTimeout(() => 0, 2500)'"]);
    assert_eq!(shell.sql("select count(*) from event where kind = 'not_watched'"), "0");
    shell.run(&["sh", "-c", "env -i \"$(command -v node)\" -e 'setTimeout(() => 0, 3500)'"]);
    assert_eq!(shell.sql(count), "11");
}

#[test]
fn a_preload_that_is_removed_is_there_again_and_a_program_that_runs_is_not_lost() {
    let shell = Shell::new();
    let script = "node -e 'setTimeout(() => 0, 8000)' & sleep 1.5; gone=${NODE_OPTIONS##* --require }; \
        rm -r \"${gone%/watch.cjs}\"; until [ -e \"$gone\" ]; do sleep 0.1; done; echo \"$gone\"; node -e ''; wait";
    let output = shell.run(&["sh", "-c", script]);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert!(!run_folder(&output.stdout).exists(), "a clean end leaves one file");
    let kinds = shell.sql("select group_concat(kind) from (select distinct kind from event order by kind)");
    assert_eq!(kinds, "appeared,end,exit,preload_restored,start");
    let restored = "(select time from event where kind = 'preload_restored' order by time desc limit 1)";
    assert_eq!(shell.sql(&format!("select count(*) > 0 from average where heap_used > 0 and time > {restored}")), "1");
}

/// A program that ends by itself with status 4, its inspector open on a port of its own.
fn inspected(shell: &Shell, seconds: u32) -> (Child, String) {
    let script = shell.script("app.js", &format!("setTimeout(() => process.exit(4), {});", seconds * 1000));
    let mut child =
        Command::new("node").arg("--inspect=127.0.0.1:0").arg(script).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    let mut stderr = child.stderr.take().unwrap();
    while !said.contains('\n') {
        let mut byte = [0];
        stderr.read_exact(&mut byte).unwrap();
        said.push(char::from(byte[0]));
    }
    std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
    let address = said.split("ws://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    (child, address)
}

fn attach(shell: &Shell, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_recorder")).current_dir(shell.folder.path()).args(args).output().unwrap()
}

#[test]
fn a_node_that_already_runs_is_watched_by_its_inspector_and_its_exit_is_told() {
    let shell = Shell::new();
    let (mut child, address) = inspected(&shell, 6);
    let output = attach(&shell, &["--node", &address]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(child.wait().unwrap().code(), Some(4), "its end is its own");
    assert_eq!(shell.sql("select kind || ' ' || detail from event where kind = 'exit'"), "exit exit 4");
    assert_eq!(shell.sql("select count(*) > 0 from average where heap_used > 1000000 and rss > 1000000"), "1");
}

#[test]
fn several_targets_share_one_time_axis_under_their_labels() {
    let shell = Shell::new();
    let (mut one, address) = inspected(&shell, 8);
    let mut two = Command::new("node")
        .args(["-e", "setTimeout(() => process.exit(4), 9000)"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    pause(Duration::from_millis(700));
    let output =
        attach(&shell, &["--node", &format!("api={address}"), "--pid", &format!("job={}", two.id()), "--attach"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((one.wait().unwrap().code(), two.wait().unwrap().code()), (Some(4), Some(4)));
    assert_eq!(
        shell
            .sql("select count(*) > 0 from average where api_heap_used > 0 and job_heap_used > 0 and job_tree_rss > 0"),
        "1"
    );
    assert_eq!(
        shell.sql("select group_concat(detail) from (select detail from event where kind = 'exit' order by detail)"),
        "api: exit 4,job: exit 4"
    );
}

#[test]
fn what_cannot_be_attached_to_is_refused_with_the_remedy_and_makes_no_file() {
    let shell = Shell::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut sleeper = Command::new("sleep").arg("30").spawn().unwrap();
    let pid = sleeper.id().to_string();
    for (args, named) in [
        (vec!["--node", "192.0.2.1:9229"], "--allow-remote-inspector"),
        (vec!["--node", "ws://192.0.2.1:9229/x"], "--allow-remote-inspector"),
        (vec!["--node", "localhost"], "--node localhost: 'localhost' is not a DevTools address"),
        (vec!["--node", &closed], "127.0.0.1"),
        (vec!["--node", "toolong=127.0.0.1:9229"], "`toolong` is not a label"),
        (vec!["--pid", "x"], "`x` is not a process id"),
        (vec!["--pid", &pid, "--iterations", "5"], "--iterations: no page is driven"),
        (vec!["--node", &closed, "--no-sandbox"], "--no-sandbox: no page is driven"),
        (vec!["--headed", "--", "true"], "--headed: no page is driven"),
        (vec!["--pid", &pid, "--attach"], "it runs sleep and not node"),
        (vec!["--pid", &pid, "--pid", "1", "--pid", "pid1=1"], "--pid 1 is given twice"),
        (vec!["--pid", &pid, "--pid", &format!("pid1={}", std::process::id())], "pid1_rss"),
        (vec!["--node", "a=127.0.0.1:9335", "--node", "b=localhost:9335"], "--node 127.0.0.1:9335 is given twice"),
    ] {
        let output = attach(&shell, &args);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(named), "{args:?}: {stderr}");
        assert!(!shell.path("soak.db").exists(), "{args:?}");
    }
    assert!(sleeper.try_wait().unwrap().is_none(), "a process that is no Node gets no signal");
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
}
