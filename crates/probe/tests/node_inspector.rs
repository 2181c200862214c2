//! Real Node programs that already run, watched through their inspector.
#![allow(clippy::unwrap_used, reason = "a test that cannot start its program has failed")]
mod node_support;

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use heapsoak_devtools::Reach;
use heapsoak_probe::{
    Error,
    node::{Inspector, Place, Programs, Record, Said, Seen, open_inspector},
};
use node_support::{now_us, program};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::sleep,
};

/// Generous: the tests may share two cores with a build.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts Node and, where it has an inspector, says where it listens.
async fn start(words: &[&str]) -> (Child, Option<Place>) {
    let mut command = Command::new("node");
    command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    if !words[0].starts_with("--inspect") {
        return (child, None);
    }
    let mut lines = BufReader::new(child.stderr.as_mut().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let url = line.split_once("listening on ").unwrap().1;
    (child, Some(Place::parse(url.trim(), Reach::Loopback).unwrap()))
}

async fn attached(words: &[&str]) -> (Child, Inspector, Place) {
    let (child, place) = start(words).await;
    let place = place.unwrap();
    let inspector = Inspector::attach(&place, PATIENCE, None).await.unwrap();
    (child, inspector, place)
}

/// All that is said up to a record that `last` accepts.
async fn until(inspector: &mut Inspector, last: fn(&Said) -> bool) -> Vec<Record> {
    let (start, mut all) = (Instant::now(), Vec::new());
    while !all.iter().any(|record: &Record| last(&record.said)) {
        assert!(start.elapsed() < PATIENCE, "{all:?}");
        sleep(Duration::from_millis(30)).await;
        all.extend(inspector.sample(PATIENCE).await.unwrap());
    }
    all
}

fn is_collections(said: &Said) -> bool {
    matches!(said, Said::Collections(_))
}

fn is_end(said: &Said) -> bool {
    matches!(said, Said::End(_))
}

fn is_heap(said: &Said) -> bool {
    matches!(said, Said::Heap(_))
}

#[tokio::test]
async fn a_running_program_says_the_same_as_one_that_we_start() {
    for name in ["churn.cjs", "churn.mjs"] {
        let (child, mut inspector, place) = attached(&["--inspect=127.0.0.1:0", &program(name), "1e9"]).await;
        let all = until(&mut inspector, is_collections).await;
        let Said::Hello { version, script, .. } = &all[0].said else { panic!("{all:?}") };
        assert!(version.starts_with('v') && script.as_ref().unwrap().ends_with(name), "{all:?}");
        assert_eq!(all[0].pid, child.id().unwrap());
        assert!(all.iter().enumerate().all(|(at, record)| record.seq == at as u64 + 1), "{all:?}");
        let mut programs = Programs::new(None);
        all.into_iter().for_each(|record| programs.apply(now_us(), record));
        let tick = programs.tick(now_us(), &mut |_| Seen::Unknowable);
        let reading = tick.readings[0].1;
        assert!(reading.heap_used > Some(1e6) && reading.gc_minor > Some(0.0), "{reading:?}");
        // The listing leads to the same program as its own URL.
        let listing = Place::parse(&place.to_string(), Reach::Loopback).unwrap();
        inspector.detach(false, PATIENCE).await;
        let mut again = Inspector::attach(&listing, PATIENCE, None).await.unwrap();
        assert!(matches!(until(&mut again, is_heap).await[0].said, Said::Hello { .. }), "a new sampler begins anew");
    }
}

#[tokio::test]
async fn an_exit_is_told_with_its_code_and_not_delayed() {
    for (script, code) in [
        ("setTimeout(() => process.exit(3), 1200)", 3),
        ("setTimeout(() => {}, 1200)", 0),
        ("setTimeout(() => { throw new Error('x'); }, 1200)", 1),
    ] {
        let (mut child, mut inspector, _) = attached(&["--inspect=127.0.0.1:0", "-e", script]).await;
        until(&mut inspector, is_heap).await;
        // Nobody asks any more: the program must still be let go.
        let status = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(code), "{script}");
        let last = inspector.sample(PATIENCE).await.unwrap();
        assert!(last.iter().any(|record| record.said == Said::End(Some(code))), "{script}: {last:?}");
        let over = inspector.sample(PATIENCE).await.unwrap_err();
        assert!(matches!(&over, Error::DevTools(error) if error.is_closed()), "{over}");
    }
}

#[tokio::test]
async fn a_wait_for_us_to_leave_is_not_taken_for_life() {
    // Without listeners no last words come: only that the program waits.
    let script = "setTimeout(() => { process.removeAllListeners('exit'); process.exit(3); }, 1000)";
    let (mut child, mut inspector, _) = attached(&["--inspect=127.0.0.1:0", "-e", script]).await;
    let start = Instant::now();
    let all = until(&mut inspector, is_end).await;
    assert_eq!(all.last().map(|record| &record.said), Some(&Said::End(None)));
    assert_eq!(child.wait().await.unwrap().code(), Some(3));
    assert!(start.elapsed() < PATIENCE / 2, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_busy_loop_shows_as_lag_and_its_heap_is_still_known() {
    let (_child, mut inspector, _) = attached(&["--inspect=127.0.0.1:0", &program("block.cjs"), "2000", "busy"]).await;
    let start = Instant::now();
    let mut most = 0.0_f64;
    while most < 1000.0 {
        assert!(start.elapsed() < PATIENCE);
        sleep(Duration::from_millis(100)).await;
        for record in inspector.sample(PATIENCE).await.unwrap() {
            if let Said::Heap(heap) = record.said {
                assert!(heap.used > 1e6);
                most = most.max(heap.lag_ms);
            }
        }
    }
}

#[tokio::test]
async fn a_stopped_program_holds_up_nobody_and_a_killed_one_is_over() {
    let (mut child, mut inspector, _) = attached(&["--inspect=127.0.0.1:0", "-e", "setInterval(() => {}, 50)"]).await;
    until(&mut inspector, is_heap).await;
    let signal = |name: &str| {
        let pid = child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([name, &pid]).status().unwrap().success());
    };
    signal("-STOP");
    let short = Duration::from_millis(100);
    for _ in 0..3 {
        assert_eq!(inspector.sample(short).await.unwrap(), []);
    }
    signal("-CONT");
    until(&mut inspector, is_heap).await;
    signal("-KILL");
    child.wait().await.unwrap();
    // What it said before may still be on its way.
    let start = Instant::now();
    while inspector.sample(PATIENCE).await.is_ok() {
        assert!(start.elapsed() < PATIENCE, "a killed program is over");
    }
}

#[tokio::test]
async fn two_recorders_at_one_program_take_nothing_from_each_other_and_leave_nothing() {
    let count = "setInterval(() => { const own = Object.getOwnPropertyNames(globalThis).filter(s => /heapsoak/.test(s)); \
        console.log(own.length, process.listenerCount('exit'), Object.getOwnPropertySymbols(globalThis).length) }, 100)";
    let (mut child, mut first, place) = attached(&["--inspect=127.0.0.1:0", "-e", count]).await;
    until(&mut first, is_heap).await;
    let mut second = Inspector::attach(&place, PATIENCE, None).await.unwrap();
    let all = until(&mut second, is_heap).await;
    assert!(matches!(all[0].said, Said::Hello { .. }), "{all:?}");
    let heard = until(&mut first, is_heap).await;
    assert!(!heard.iter().any(|record| matches!(record.said, Said::Hello { .. })), "{heard:?}");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut wait_for = async |expected: &str| {
        let start = Instant::now();
        while lines.next_line().await.unwrap().unwrap() != expected {
            assert!(start.elapsed() < PATIENCE, "never {expected}");
        }
    };
    wait_for("0 2 2").await;
    second.detach(false, PATIENCE).await;
    wait_for("0 1 2").await;
    until(&mut first, is_heap).await;
    first.detach(false, PATIENCE).await;
    wait_for("0 0 1").await;
}

#[tokio::test]
async fn each_of_two_recorders_hears_the_end_once_and_its_own_records_only() {
    let script = "setTimeout(() => process.exit(3), 1500)";
    let (mut child, mut first, place) = attached(&["--inspect=127.0.0.1:0", "-e", script]).await;
    let mut second = Inspector::attach(&place, PATIENCE, None).await.unwrap();
    let (one, two) = tokio::join!(until(&mut first, is_end), until(&mut second, is_end));
    for all in [one, two] {
        assert!(all.iter().zip(1..).all(|(record, seq)| record.seq == seq), "{all:?}");
        let ends: Vec<_> = all.iter().filter(|record| is_end(&record.said)).collect();
        assert_eq!((ends.len(), &ends[0].said), (1, &Said::End(Some(3))));
    }
    assert_eq!(child.wait().await.unwrap().code(), Some(3));
}

#[tokio::test]
async fn a_sampler_that_nobody_asked_for_a_minute_rests_and_goes_on_when_asked_again() {
    let sampler = include_str!("../src/node/script/sampler.js").replace("ALONE_MS = 60000", "ALONE_MS = 300");
    let common = include_str!("../src/node/script/common.js");
    let script = format!(
        "var CHECKPOINT_MS = 0;\n{common}\nvar ask = ({sampler})(require, function () {{}});
         function kinds() {{ return JSON.parse(ask()).map(function (it) {{ return it[3]; }}).join(); }}
         console.log(kinds(), process.listenerCount('exit'));
         setTimeout(function () {{
             console.log(process.listenerCount('exit'));
             var said = kinds();
             console.log(/hello/.test(said), /blind.*heap$/.test(said), process.listenerCount('exit'));
         }}, 1200);"
    );
    let output = Command::new("node").args(["-e", &script]).output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text, "hello,heap,heap 1\n0\nfalse true 1\n", "{output:?}");
}

#[tokio::test]
async fn a_program_without_an_inspector_gets_one_for_as_long_as_we_stay() {
    let (child, _) = start(&["-e", "setInterval(() => {}, 50); console.log('up')"]).await;
    let pid = child.id().unwrap();
    let opened = loop {
        match open_inspector(pid, PATIENCE).await {
            Err(Error::NoInspector { reason, .. }) if reason.contains("starting") => {
                sleep(Duration::from_millis(20)).await
            }
            other => break other.unwrap(),
        }
    };
    assert!(opened.by_us);
    let again = open_inspector(pid, PATIENCE).await.unwrap();
    assert_eq!((again.address.to_string(), again.by_us), (opened.address.to_string(), false));
    let place = Place::Listing(opened.address);
    let mut inspector = Inspector::attach(&place, PATIENCE, None).await.unwrap();
    assert_eq!(until(&mut inspector, is_heap).await[0].pid, pid);
    let mut other = Inspector::attach(&place, PATIENCE, None).await.unwrap();
    inspector.detach(true, PATIENCE).await;
    sleep(Duration::from_millis(200)).await;
    until(&mut other, is_heap).await;
    other.detach(false, PATIENCE).await;
    let start = Instant::now();
    while Inspector::attach(&place, Duration::from_secs(1), None).await.is_ok() {
        assert!(start.elapsed() < PATIENCE, "the inspector is still open");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_process_that_the_signal_would_kill_gets_none() {
    let mut sleeper = Command::new("sleep").arg("60").kill_on_drop(true).spawn().unwrap();
    let refused = open_inspector(sleeper.id().unwrap(), PATIENCE).await.unwrap_err().to_string();
    assert!(refused.contains("runs sleep and not node"), "{refused}");
    assert!(sleeper.try_wait().unwrap().is_none(), "it lives");
    let gone = open_inspector(u32::MAX, PATIENCE).await.unwrap_err().to_string();
    assert!(gone.contains("no such process"), "{gone}");
}

#[tokio::test]
async fn what_is_no_inspector_is_refused_with_its_reason() {
    let far = Place::parse("192.0.2.1:9229", Reach::Loopback).unwrap_err().to_string();
    assert!(far.contains("not on this machine"), "{far}");
    assert!(Place::parse("ws://192.0.2.1:9229/x", Reach::Loopback).is_err());
    let nothing = Place::parse("127.0.0.1:1", Reach::Loopback).unwrap();
    let refused = Inspector::attach(&nothing, PATIENCE, None).await.err().unwrap().to_string();
    assert!(refused.contains("cannot connect to 127.0.0.1:1"), "{refused}");
}
