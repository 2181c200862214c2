//! What is judged: sources, times, limits, two recordings; how little is enough, and what cannot be answered.

use std::path::Path;

use heapsoak_rrd::{Reading, Time};
use heapsoak_store::Writer;

use super::place;
use super::store::{START_S, at, begun, collection, create, grapher, judged, recording, run, verdict};

/// A heap whose floor rises by `rate` B/s from `from_s` on, one sample and 10 iterations a second, collected once a minute.
fn rising(path: &Path, seconds: i64, rate: i64, from_s: i64) -> Writer {
    let mut writer = create(path, &["heap_used", "iterations"]);
    for second in 1..=seconds {
        let floor = 10_000_000 + rate * (second - from_s).max(0);
        let heap = floor + second % 30 * 100_000;
        let readings = [Reading::from(heap.unsigned_abs()), Reading::from((second * 10).unsigned_abs())];
        writer.update(Time::from_secs(START_S + second), &readings).unwrap();
        if second % 60 == 0 {
            // Floors are never quite the same.
            let left = (floor + second * 7919 % 20_011).unsigned_abs();
            writer.gc(&[collection("", second as f64, left)]).unwrap();
        }
    }
    writer.commit().unwrap();
    writer
}

#[test]
fn a_known_leak_is_found_with_its_rate_its_iterations_and_its_end() {
    let (_folder, path) = place();
    rising(&path, 1800, 20_000, 0).close().unwrap();
    let said = judged(&path, &["--limit", "100MB"]);
    let verdict = said.of("heap_used");
    assert_eq!(
        (said.status, verdict["verdict"].as_str(), verdict["shape"].as_str()),
        (1, Some("leak"), Some("linear"))
    );
    let number = |key: &str| verdict[key].as_f64().unwrap_or(f64::NAN);
    assert!((number("slope_per_hour") - 72e6).abs() < 1e6, "{verdict}");
    assert!((number("slope_per_iteration") - 2000.0).abs() < 30.0, "{verdict}");
    assert!((number("iterations") - 13_800.0).abs() < 1.0, "{verdict}");
    // 46 MB after 30 minutes: the other 54 MB take 2,700 s.
    assert!((number("limit_reached_in_s") - 2700.0).abs() < 60.0, "{verdict}");
    assert!(number("limit_low_s") < 2700.0 && number("limit_high_s") > 2700.0, "{verdict}");
    assert_eq!(number("limit"), 1e8);
}

#[test]
fn the_limit_that_was_recorded_is_used_unless_another_is_given() {
    let (_folder, path) = place();
    let mut writer = create(&path, &["heap_used", "heap_limit"]);
    for second in 1..=1200_i64 {
        let readings = [10_000_000 + second * 20_000, 62_914_560].map(|value| Reading::from(value.unsigned_abs()));
        writer.update(at(second as f64), &readings).unwrap();
        if second % 30 == 0 {
            writer.gc(&[collection("", second as f64, (10_000_000 + second * 20_000).unsigned_abs())]).unwrap();
        }
    }
    writer.close().unwrap();
    let limit = |words: &[&str]| judged(&path, words).of("heap_used")["limit"].as_f64();
    assert_eq!(limit(&[]), Some(62_914_560.0));
    assert_eq!(limit(&["--limit", "1GiB"]), Some(1_073_741_824.0));
}

#[test]
fn a_slope_that_one_accepts_is_no_leak() {
    let (_folder, path) = place();
    rising(&path, 1800, 1000, 0).close().unwrap();
    assert_eq!(judged(&path, &[]).status, 1);
    assert_eq!(judged(&path, &["--max-slope", "5MiB/h"]).status, 0);
    // The slope that is named is the one that is meant: no share of the heap beside it.
    assert_eq!(judged(&path, &["--max-slope", "10KiB/h"]).status, 1);
}

#[test]
fn a_part_of_the_recording_is_judged_by_itself() {
    let (_folder, path) = place();
    // Flat for half an hour, then a leak.
    rising(&path, 3600, 20_000, 1800).close().unwrap();
    let start = START_S.to_string();
    let flat = judged(&path, &["--start", &start, "--end", "start+30m"]);
    assert_eq!((flat.status, flat.of("heap_used")["verdict"].as_str()), (0, Some("steady")), "{}", flat.stdout);
    let last = judged(&path, &["--last", "25m"]);
    assert_eq!((last.status, last.of("heap_used")["verdict"].as_str()), (1, Some("leak")), "{}", last.stdout);
    let from = last.of("heap_used")["from"].as_f64().unwrap();
    assert!((from - at(2100.0).as_secs_f64()).abs() <= 61.0, "the first minutes of a chosen time are left out: {from}");
    let late = judged(&path, &["--from-iteration", "20900"]);
    assert_eq!((late.status, late.of("heap_used")["from"].as_f64()), (1, Some(from)), "{}", late.stdout);
    let whole = judged(&path, &[]).of("heap_used");
    let onset = whole["onset"].as_f64().unwrap_or(0.0);
    assert!((onset - at(1800.0).as_secs_f64()).abs() < 120.0, "{whole}");
}

#[test]
fn too_short_a_recording_says_how_much_longer() {
    let (_folder, path) = place();
    rising(&path, 120, 20_000, 0).close().unwrap();
    let said = verdict(&path, &[]);
    assert_eq!(said.status, 3, "{}", said.stdout);
    assert!(said.stdout.contains("Record at least 2 min more"), "{}", said.stdout);
    create(&path, &["heap_used"]).close().unwrap();
    let said = verdict(&path, &[]);
    assert_eq!(said.status, 3, "{}", said.stdout);
    assert!(
        said.stdout.contains("no known value") && said.stdout.contains("Record at least 5 min more"),
        "{}",
        said.stdout
    );
}

#[test]
fn a_second_run_in_the_same_file_is_not_joined_to_the_first() {
    let (_folder, path) = place();
    // The first run ends at 46 MB; the second is flat at 10 MB, and that is what is running now.
    let mut writer = rising(&path, 1800, 20_000, 0);
    writer.end_run(at(1800.0), "30m are over", 0).unwrap();
    writer.begin_run(begun(at(2000.0)));
    for second in 2001..=3800_i64 {
        let heap = 10_000_000 + second % 30 * 100_000;
        let readings = [heap, second * 10].map(|value| Reading::from(value.unsigned_abs()));
        writer.update(at(second as f64), &readings).unwrap();
        if second % 60 == 0 {
            let left = (10_000_000 + second * 7919 % 20_011).unsigned_abs();
            writer.gc(&[collection("", second as f64, left)]).unwrap();
        }
    }
    writer.close().unwrap();
    let said = judged(&path, &[]);
    assert_eq!((said.status, said.of("heap_used")["verdict"].as_str()), (0, Some("steady")), "{}", said.stdout);
    // Iterations are those of the last run: it has 18,000.
    let far = verdict(&path, &["--from-iteration", "20000"]);
    assert_eq!(far.status, 2);
    assert!(far.stderr.contains("the last run has 1") && far.stderr.contains("smaller number"), "{}", far.stderr);
    assert_eq!(judged(&path, &["--from-iteration", "5000"]).status, 0);
}

#[test]
fn two_recordings_are_compared_and_the_later_one_decides() {
    let (folder, before) = place();
    let after = folder.path().join("after.db");
    rising(&before, 1800, 20_000, 0).close().unwrap();
    rising(&after, 1800, 0, 0).close().unwrap();
    let compare = |a: &Path, b: &Path, format: &str| {
        run(&mut grapher(&["verdict", "--compare", a.to_str().unwrap(), b.to_str().unwrap(), "--format", format]))
    };
    let fixed = compare(&before, &after, "json");
    let heap = fixed.of("heap_used");
    assert_eq!((fixed.status, heap["change"].as_str()), (0, Some("less")), "{}", fixed.stdout);
    let number = |key: &str| heap[key].as_f64().unwrap();
    assert!(number("difference_low") < -72e6 && number("difference_high") > -72e6, "{heap}");
    assert!((number("difference_per_iteration") + 2000.0).abs() < 30.0, "{heap}");
    assert_eq!(heap["before"]["verdict"], "leak");
    let broken = compare(&after, &before, "text");
    assert_eq!(broken.status, 1);
    assert!(broken.stdout.starts_with("heap_used: grows more than before."), "{}", broken.stdout);
    let same = compare(&before, &before, "text");
    assert_eq!(same.status, 1, "a leak that is still there is no success: {}", same.stdout);
    assert!(same.stdout.contains("no difference that matters"), "{}", same.stdout);
}

#[test]
fn a_leak_beside_a_steady_heap_counts_only_where_collections_show_it() {
    let (_folder, path) = place();
    let mut writer = create(&path, &["heap_used", "dom_nodes", "rss"]);
    for second in 1..=3600_i64 {
        let readings = [10_000_000 + second % 30 * 100_000, 1000 + second / 2, 100_000_000 + second * 20_000];
        writer.update(at(second as f64), &readings.map(|value| Reading::from(value.unsigned_abs()))).unwrap();
    }
    writer.commit().unwrap();
    let without = judged(&path, &["--source", "heap_used", "--source", "dom_nodes"]);
    assert_eq!(without.of("dom_nodes")["basis"], "blocks");
    let collected: Vec<_> = (1..=60_u32)
        .map(|minute| collection("", f64::from(minute) * 60.0, 10_000_000 + u64::from(minute) * 7919 % 20_011))
        .collect();
    assert!(verdict(&path, &[]).stdout.contains("rss: leak (does not decide)"));
    writer.gc(&collected).unwrap();
    writer.close().unwrap();
    let said = judged(&path, &[]);
    assert_eq!(said.of("heap_used")["verdict"], "steady", "{}", said.stdout);
    assert_eq!((said.of("rss")["verdict"].as_str(), said.of("rss")["basis"].as_str()), (Some("leak"), Some("blocks")));
    assert_eq!(
        (said.of("dom_nodes")["verdict"].as_str(), said.of("dom_nodes")["basis"].as_str()),
        (Some("leak"), Some("checkpoint_gc"))
    );
    assert_eq!(said.status, 1);
    let heap_only = judged(&path, &["--source", "heap_used"]);
    assert_eq!(heap_only.status, 0, "{}", heap_only.stdout);
}

#[test]
fn a_process_that_grows_beside_its_steady_heap_is_a_failure_when_it_has_grown_by_half() {
    let (_folder, path) = place();
    for (rate, status) in [(20_000, 0), (40_000, 1)] {
        let mut writer = create(&path, &["heap_used", "rss"]);
        for second in 1..=3600_i64 {
            let readings = [10_000_000 + second % 30 * 100_000, 100_000_000 + second * rate];
            writer.update(at(second as f64), &readings.map(|value| Reading::from(value.unsigned_abs()))).unwrap();
        }
        writer.close().unwrap();
        let said = judged(&path, &[]);
        assert_eq!(said.of("rss")["verdict"], "leak", "{}", said.stdout);
        assert_eq!(said.status, status, "{rate} B/s: {}", said.stdout);
    }
}

#[test]
fn what_cannot_be_answered_is_status_2_and_named() {
    let (_folder, path) = place();
    recording("series", "shape_idle.csv").store(&path).close().unwrap();
    let refused = |words: &[&str]| {
        let said = verdict(&path, words);
        assert_eq!((said.status, said.stdout.as_str()), (2, ""), "{words:?}: {}", said.stderr);
        said.stderr
    };
    assert!(refused(&["--source", "heap_usde"]).contains("no source heap_usde; it has heap_used"));
    assert!(refused(&["--from-iteration", "99999999"]).contains("iterations"));
    refused(&["--limit", "big"]);
    refused(&["--max-slope", "1MiB"]);
    refused(&["--compare", "one.db"]);
    refused(&["--last", "1h", "--start", "now-2h"]);
    create(&path, &["iterations", "tick_lag_ms"]).close().unwrap();
    assert!(refused(&[]).contains("no source that tells of memory"));
    std::fs::remove_file(&path).unwrap();
    assert!(refused(&[]).contains("does not exist"));
}
