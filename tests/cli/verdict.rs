//! `grapher verdict` from outside: right on real recordings, never wrong, and what it says in each format.
#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure ends the test")]

#[path = "verdict_formats.rs"]
mod formats;
#[path = "verdict_questions.rs"]
mod questions;
#[path = "verdict_store.rs"]
mod store;
#[path = "verdict_week.rs"]
mod week;

use std::path::PathBuf;

use serde_json::Value;
use store::{Recording, at, judged, recording, recordings};

/// A folder and the path of a store in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("soak.db");
    (folder, path)
}

fn all() -> Vec<Recording> {
    recordings("series").into_iter().chain(recordings("verdict")).collect()
}

#[test]
fn no_real_recording_is_judged_wrong_by_any_of_its_sources() {
    let (_folder, path) = place();
    let mut right = 0;
    for recording in all() {
        recording.store(&path).close().unwrap();
        let said = judged(&path, &[]);
        let of_heap = said.of("heap_used");
        let right_word = if recording.is_leak { "leak" } else { "steady" };
        let word = of_heap["verdict"].as_str().unwrap();
        assert!(word == right_word || word == "undecided", "{}: {of_heap}", recording.file);
        right += usize::from(word == right_word);
        if !recording.is_leak {
            assert_ne!(said.status, 1, "{}: {}", recording.file, said.stdout);
            let leaks: Vec<Value> = said.all().into_iter().filter(|one| one["verdict"] == "leak").collect();
            assert!(leaks.is_empty(), "{}: {leaks:?}", recording.file);
        }
    }
    assert!(right >= 3, "only {right} of the recordings are decided from samples alone");
}

#[test]
fn no_part_of_a_real_recording_is_judged_wrong() {
    /// Nobody can see a leak that has just begun.
    const TO_BE_SEEN_S: f64 = 60.0;
    let (_folder, path) = place();
    let start = store::START_S.to_string();
    for recording in all() {
        recording.store(&path).close().unwrap();
        for seconds in [90.0, 150.0, 210.0, 270.0, 330.0, 450.0] {
            let end = format!("start+{seconds}s");
            let said = judged(&path, &["--source", "heap_used", "--start", &start, "--end", &end]);
            let verdict = said.of("heap_used");
            let is_wrong = match verdict["verdict"].as_str().unwrap() {
                "leak" => !recording.is_leak || seconds < recording.leak_from_s,
                "steady" => recording.is_leak && seconds > recording.leak_from_s + TO_BE_SEEN_S,
                _ => false,
            };
            assert!(!is_wrong, "{} after {seconds} s: {verdict}", recording.file);
        }
    }
}

#[test]
fn the_loops_that_died_of_out_of_memory_are_leaks_from_their_samples_alone() {
    let (_folder, path) = place();
    let died: Vec<Recording> = recordings("series").into_iter().filter(|one| one.ends.starts_with("OOM")).collect();
    assert_eq!(died.len(), 2);
    for recording in died {
        recording.store(&path).close().unwrap();
        let said = judged(&path, &["--limit", "60MiB"]);
        let verdict = said.of("heap_used");
        assert_eq!(
            (said.status, verdict["verdict"].as_str(), verdict["basis"].as_str()),
            (1, Some("leak"), Some("raw"))
        );
        let each = verdict["slope_per_iteration"].as_f64().unwrap();
        assert!((5e3..11e3).contains(&each), "{}: {each} B per iteration", recording.file);
    }
}

#[test]
fn a_death_by_out_of_memory_makes_a_leak_of_a_rise_that_is_too_short() {
    let (_folder, path) = place();
    let died = all().into_iter().filter(|one| one.ends.starts_with("OOM"));
    for recording in died {
        let mut writer = recording.store(&path);
        let time = heapsoak_rrd::Time::from_micros(writer.last().as_micros() + 200_000);
        writer.event(time, "out_of_memory", "out of memory, 59.8 of 60 MiB").unwrap();
        writer.close().unwrap();
        let verdict = judged(&path, &[]).of("heap_used");
        assert_eq!(verdict["verdict"], "leak", "{}: {verdict}", recording.file);
    }
}

#[test]
fn with_checkpoints_every_recording_is_right() {
    let (_folder, path) = place();
    let mut count = 0;
    for recording in recordings("verdict") {
        let collections = recording.collections();
        if collections.is_empty() {
            continue;
        }
        let mut writer = recording.store(&path);
        writer.gc(&collections).unwrap();
        writer.close().unwrap();
        let said = judged(&path, &[]);
        let verdict = said.of("heap_used");
        assert_eq!(verdict["basis"], "checkpoint_gc", "{}", recording.file);
        assert_eq!(verdict["verdict"] == "leak", recording.is_leak, "{}: {verdict}", recording.file);
        assert_eq!(said.status, i32::from(recording.is_leak), "{}: {}", recording.file, said.stdout);
        count += 1;
    }
    assert!(count >= 8, "only {count} recordings with checkpoints");
}

#[test]
fn what_happened_before_a_restart_is_another_life() {
    let (_folder, path) = place();
    let leak = recording("series", "sw253_call_node20_50ms.csv");
    let mut writer = leak.store(&path);
    // In the middle of the leak the page is loaded again: neither half is long enough to be called one.
    writer.event(at(210.0), "navigation", "http://127.0.0.1/").unwrap();
    writer.close().unwrap();
    let cut = judged(&path, &[]).of("heap_used");
    assert_eq!(cut["verdict"], "undecided", "{cut}");
}
