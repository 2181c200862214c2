//! Real recordings: never wrong from samples alone, right with checkpoints. `data/*/TRUTH.csv` says what is true.

mod support;

use heapsoak_verdict::{Basis, Settings, Word, decide};
use support::{Recording, recordings, wrong};

fn all() -> Vec<Recording> {
    recordings("series").into_iter().chain(recordings("verdict")).collect()
}

#[test]
fn heap_samples_alone_are_never_judged_wrong_at_any_time_of_a_recording() {
    for recording in all() {
        let Some(series) = recording.samples("heap_used") else { continue };
        let wrong = wrong(&series, recording.is_leak, recording.leak_from_s);
        assert!(wrong.is_empty(), "{}: {wrong:#?}", recording.file);
    }
}

#[test]
fn no_source_of_a_steady_program_that_warms_up_is_ever_called_a_leak() {
    for recording in all().iter().filter(|r| !r.is_leak) {
        for source in
            ["rss", "heap_total", "external", "array_buffers", "page_heap_used", "chromium_rss", "renderer_rss"]
        {
            let Some(series) = recording.samples(source) else { continue };
            let wrong = wrong(&series, false, 0.0);
            assert!(wrong.is_empty(), "{} {source}: {wrong:#?}", recording.file);
        }
    }
}

#[test]
fn loops_that_died_of_out_of_memory_are_leaks_from_samples_alone() {
    for recording in recordings("series").iter().filter(|r| r.ends.starts_with("OOM")) {
        let verdict = decide(&recording.samples("heap_used").unwrap(), &Settings::default());
        assert_eq!(
            (verdict.verdict, verdict.basis),
            (Word::Leak, Some(Basis::Raw)),
            "{}: {}",
            recording.file,
            verdict.reason
        );
        assert!(
            verdict.slope_per_iteration.is_some_and(|b| (5e3..11e3).contains(&b)),
            "{:?}",
            verdict.slope_per_iteration
        );
    }
}

#[test]
fn a_recorded_death_answers_a_rise_that_is_too_short_by_itself() {
    let all = recordings("verdict");
    let died: Vec<_> = all.iter().filter(|r| r.ends.starts_with("OOM")).collect();
    assert!(!died.is_empty());
    for recording in died {
        let mut series = recording.samples("heap_used").unwrap();
        series.out_of_memory = series.samples.last().map(|s| s.time).into_iter().collect();
        let verdict = decide(&series, &Settings::default());
        assert_eq!(verdict.verdict, Word::Leak, "{}: {}", recording.file, verdict.reason);
    }
}

#[test]
fn with_checkpoints_every_recording_is_right_at_its_end() {
    let mut judged = 0;
    for recording in recordings("verdict") {
        let Some(series) = recording.floors() else { continue };
        let verdict = decide(&series, &Settings::default());
        let truth = if recording.is_leak { Word::Leak } else { Word::Steady };
        assert_eq!(
            (verdict.verdict, verdict.basis),
            (truth, Some(Basis::CheckpointGc)),
            "{}: {}",
            recording.file,
            verdict.reason
        );
        if recording.is_leak {
            let off = verdict.onset.unwrap() - recording.leak_from_s;
            assert!(off.abs() < 30.0, "{}: onset {off} s off", recording.file);
        }
        judged += 1;
    }
    assert!(judged >= 8, "only {judged} recordings with checkpoints");
}
