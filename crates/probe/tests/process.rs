//! The process probe against real processes: a browser's tree, a shell's, and ones that end while they are read.
#![allow(clippy::unwrap_used, reason = "a test that cannot start its processes has failed")]
#[path = "../../devtools/tests/support/mod.rs"]
mod support;

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use heapsoak_probe::process::{Kind, Measure, ProcessTree, memory, tree};
use support::{PATIENCE, chromium, page_target};
use tokio::time::sleep;

fn shell(script: &str) -> Child {
    Command::new("sh").args(["-c", script]).stdout(Stdio::null()).spawn().unwrap()
}

/// CPU time of this thread so far, from the scheduler.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_browser_is_summed_once_with_its_renderers_and_at_the_price_promised() {
    let (browser, address) = chromium("data:text/html,<p>hello").await;
    page_target(&address).await;
    let start = Instant::now();
    let mut listed = tree(browser.pid()).unwrap();
    while !listed.iter().any(|it| it.kind == Kind::Renderer) {
        assert!(start.elapsed() < PATIENCE, "{listed:?}");
        sleep(Duration::from_millis(20)).await;
        listed = tree(browser.pid()).unwrap();
    }
    assert_eq!((listed[0].pid, listed[0].kind), (browser.pid(), Kind::Main), "{listed:?}");

    let mut sampler = ProcessTree::new(browser.pid());
    let start = cpu();
    let first = sampler.sample().unwrap();
    let first_cost = cpu() - start;
    let resident: u64 = listed.iter().filter_map(|it| memory(it.pid).unwrap()).map(|it| it.rss_bytes).sum();
    println!("{first:?}, first {first_cost:?}, resident sum {resident}");
    let (total, own) = (first.total_bytes.unwrap(), first.renderer_bytes.unwrap());
    assert!(total > 50 << 20 && own > 5 << 20 && own < total, "{first:?}");
    if first.measure == Measure::Proportional {
        assert!(total < resident * 3 / 4, "shared pages are counted once: {total} of {resident}");
    }
    let (start, wall) = (cpu(), Instant::now());
    for _ in 0..50 {
        sampler.sample().unwrap();
    }
    println!("50 samples: {:?} CPU each, in {:?}", (cpu() - start) / 50, wall.elapsed());
    assert!((cpu() - start) / 50 < Duration::from_millis(5));

    browser.signal("-KILL");
    let start = Instant::now();
    while sampler.sample().unwrap().total_bytes.is_some() {
        assert!(start.elapsed() < PATIENCE);
    }
}

#[test]
fn children_that_come_and_go_are_followed_and_the_dead_are_unknown() {
    let mut root = shell("sleep 60 & sleep 60; wait");
    let mut sampler = ProcessTree::new(root.id());
    let start = Instant::now();
    while sampler.sample().unwrap().processes != 3 {
        assert!(start.elapsed() < PATIENCE);
    }
    let children: Vec<u32> = tree(root.id()).unwrap()[1..].iter().map(|child| child.pid).collect();
    let sum = sampler.sample().unwrap().total_bytes.unwrap();
    let parts: Vec<u64> =
        children.iter().chain([&root.id()]).map(|pid| memory(*pid).unwrap().unwrap().rss_bytes).collect();
    assert!(sum > 0 && sum <= parts.iter().sum(), "{sum} {parts:?}");

    Command::new("kill").arg("-KILL").arg(children[0].to_string()).status().unwrap();
    let start = Instant::now();
    while sampler.sample().unwrap().processes != 2 {
        assert!(start.elapsed() < PATIENCE);
    }
    root.kill().unwrap();
    // Not reaped yet: a zombie holds nothing, and nothing is what a dead target must never be recorded with.
    let start = Instant::now();
    while sampler.sample().unwrap().total_bytes.is_some() {
        assert!(start.elapsed() < PATIENCE);
    }
    root.wait().unwrap();
    Command::new("kill").arg("-KILL").arg(children[1].to_string()).status().unwrap();
    let after = sampler.sample().unwrap();
    assert_eq!((after.total_bytes, after.renderer_bytes, after.processes), (None, None, 0));
    assert_eq!(memory(root.id()).unwrap(), None);
    assert!(tree(root.id()).unwrap().is_empty());
}

#[test]
fn a_pid_that_cannot_be_is_no_process() {
    for pid in [0, u32::MAX, i32::MAX as u32] {
        assert_eq!(memory(pid).unwrap(), None);
        assert!(tree(pid).unwrap().is_empty());
        assert_eq!(ProcessTree::new(pid).sample().unwrap().total_bytes, None);
    }
}

#[test]
fn growth_shows_at_the_next_sample_though_pss_is_read_in_turn() {
    let mut sampler = ProcessTree::new(std::process::id());
    let before = sampler.sample().unwrap().total_bytes.unwrap();
    let block = vec![1_u8; 64 << 20];
    let after = sampler.sample().unwrap().total_bytes.unwrap();
    assert!(after >= before + (60 << 20), "{before} {after} {}", block.len());
}
