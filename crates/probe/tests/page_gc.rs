//! A page's garbage collections against a real Chromium: each one that V8 itself prints, with its sizes.
#![allow(clippy::unwrap_used, reason = "a test that cannot reach its browser has failed")]
#[path = "../../devtools/tests/support/mod.rs"]
mod support;

use std::{fs, path::Path, time::Duration};

use heapsoak_devtools::Client;
use heapsoak_probe::{
    node::{Gc, GcKind},
    page::{PageGc, PageGcReading},
};
use serde_json::json;
use support::{PATIENCE, chromium, chromium_with, page_target};
use tokio::time::{Instant, sleep};

/// Any date.
const NOW_US: i64 = 1_000_000_000_000_000;
const CHURN: &str = "data:text/html,<script>let kept = []; setInterval(() => {
    for (let n = 0; n < 20000; n++) { const it = {n, b: [n, n]}; if (n % 50 == 0) kept.push(it); }
    if (kept.length > 20000) kept = []; }, 20)</script>";

/// Reads until `enough`, keeping all collections.
async fn read_until(gc: &mut PageGc, now_us: i64, enough: impl Fn(&PageGcReading) -> bool) -> PageGcReading {
    let start = Instant::now();
    let mut all = Vec::new();
    loop {
        assert!(start.elapsed() < 2 * PATIENCE, "after {} collections", all.len());
        sleep(Duration::from_millis(50)).await;
        let mut reading = gc.read(now_us);
        all.append(&mut reading.collections);
        reading.collections = all;
        if enough(&reading) {
            return reading;
        }
        all = reading.collections;
    }
}

/// What V8 prints of the heap with most collections: kind and MB after. `[4391:0x…:0] 5000 ms: Scavenge 7.1 (8.0) -> 3.2 (8.1) MB`
fn printed(path: &Path) -> Vec<(GcKind, String)> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter_map(|line| {
        let (_, said) = line.split_once(" ms: ")?;
        let kind = if said.starts_with("Scavenge") { GcKind::Minor } else { GcKind::Major };
        let after = said.split_once(" -> ")?.1.split_once(' ')?.0;
        Some((line.split(']').next()?.to_owned(), kind, after.to_owned()))
    });
    let lines: Vec<_> = lines.collect();
    let most =
        lines.iter().max_by_key(|line| lines.iter().filter(|other| other.0 == line.0).count()).unwrap().0.clone();
    lines.into_iter().filter(|line| line.0 == most).map(|(_, kind, after)| (kind, after)).collect()
}

fn seen(collections: &[Gc]) -> Vec<(GcKind, String)> {
    collections.iter().map(|gc| (gc.kind, format!("{:.1}", gc.after.unwrap() / f64::from(1 << 20)))).collect()
}

#[tokio::test]
async fn within_a_trace_each_collection_that_v8_prints_is_seen_with_its_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("trace-gc");
    let (_browser, address) = chromium_with(CHURN, &["--js-flags=--trace-gc"], Some(&out)).await;
    let page = page_target(&address).await;
    let client = Client::connect_to(&page.socket(&address).unwrap(), &Default::default()).await.unwrap();
    let mut gc = PageGc::watch(address, page.id);
    // Tracing has begun for sure once a first trace is in; the forced collections then fall into one of the next.
    read_until(&mut gc, NOW_US, |reading| reading.gc_minor.is_some()).await;
    let reading = loop {
        sleep(Duration::from_secs(1)).await;
        client.call("HeapProfiler.collectGarbage", json!({}), PATIENCE).await.unwrap();
        let trace = read_until(&mut gc, NOW_US, |reading| !reading.collections.is_empty()).await;
        if trace.collections.iter().any(|gc| gc.kind == GcKind::Major) {
            break trace;
        }
    };
    let (ours, theirs) = (seen(&reading.collections), printed(&out));
    assert!(ours.len() > 10, "{ours:?}");
    assert!(theirs.windows(ours.len()).any(|part| part == ours), "{ours:?}\n{theirs:?}");
    let floor = reading.collections.iter().rfind(|gc| gc.kind == GcKind::Major).unwrap().after;
    assert_eq!(reading.heap_floor, floor);
    assert!(reading.collections.iter().all(|gc| gc.before.unwrap() >= gc.after.unwrap() && gc.pause_ms > 0.0));
    // Dated by the clock of the reader, within the trace that has just ended.
    let age_us = |gc: &Gc| NOW_US - gc.time_us;
    assert!(reading.collections.iter().all(|gc| (0..20_000_000).contains(&age_us(gc))), "{:?}", reading.collections);
}

#[tokio::test]
async fn a_page_at_rest_is_known_to_collect_next_to_nothing() {
    let (_browser, address) = chromium("data:text/html,<p>rest</p>").await;
    let page = page_target(&address).await;
    let mut gc = PageGc::watch(address, page.id);
    let first = gc.read(0);
    assert_eq!(first, PageGcReading::default(), "nothing is known yet");
    let reading = read_until(&mut gc, 0, |reading| reading.gc_minor.is_some()).await;
    assert!(reading.collections.len() < 5, "{:?}", reading.collections);
}

#[tokio::test]
async fn a_browser_that_traces_for_somebody_else_is_told_once_and_is_unknown() {
    let (_browser, address) = chromium("about:blank").await;
    let page = page_target(&address).await;
    let other = Client::connect_to(&page.socket(&address).unwrap(), &Default::default()).await.unwrap();
    other.call("Tracing.start", json!({"transferMode": "ReportEvents"}), PATIENCE).await.unwrap();
    let mut gc = PageGc::watch(address, page.id);
    let reading = read_until(&mut gc, 0, |reading| reading.refusal.is_some()).await;
    assert!(reading.refusal.unwrap().contains("already"));
    assert_eq!((reading.gc_minor, reading.heap_floor, gc.read(0).refusal), (None, None, None));
}
