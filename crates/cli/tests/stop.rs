//! The stop signal in a real process: asked for once, and insisted on.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use heapsoak_cli::output;
use heapsoak_cli::stop::Stop;

/// Set for the copy of this program that hangs.
const HANGS: &str = "HEAPSOAK_TEST_HANGS";

#[test]
fn a_second_signal_ends_a_program_that_hangs() {
    if std::env::var_os(HANGS).is_some() {
        hang();
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_second_signal_ends_a_program_that_hangs", "--nocapture"])
        .env(HANGS, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut hear = |word: &str| assert!(lines.any(|line| line.unwrap().contains(word)), "`{word}` was never said");
    let pid = child.id().to_string();
    let signal = |name: &str| assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());

    hear("installed");
    signal("TERM");
    hear("asked by SIGTERM");
    assert_eq!(child.try_wait().unwrap(), None, "one signal asks, it does not end");
    signal("INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// Takes over the signals, says so, and never ends by itself.
fn hang() -> ! {
    let Ok(stop) = Stop::install() else { std::process::exit(1) };
    say("installed");
    let mut told = false;
    loop {
        if let (Some(signal), false) = (stop.requested(), told) {
            say(&format!("asked by {}", signal.name()));
            told = true;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
}

fn say(line: &str) {
    if output::stdout(|out| writeln!(out, "{line}")).is_err() {
        std::process::exit(1);
    }
}
