//! Made-up heaps from samples alone: undecided is allowed, wrong is not, at no quarter of a minute of ten.

mod support;

use support::heap::Heap;
use support::simulation::{MB, Random};
use support::wrong;

/// Six recordings of each heap, each judged every 15 s.
fn never_wrong(heap: &Heap, leak_from_s: Option<f64>) {
    for seed in 0..6 {
        let series = heap.record(600, &mut Random(seed));
        let wrong = wrong(&series, leak_from_s.is_some(), leak_from_s.unwrap_or(0.0));
        assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
    }
}

#[test]
fn an_idle_program_that_creeps_is_no_leak() {
    never_wrong(&Heap { promoted: 1.6e3, allocated: 0.0, ..Heap::of(|_| 3.5 * MB) }, None);
}

#[test]
fn a_steady_server_whose_scavenged_floor_rises_is_no_leak() {
    for promoted in [5e3, 12e3, 50e3, 150e3] {
        never_wrong(&Heap { promoted, ..Heap::of(|_| 6.0 * MB) }, None);
    }
}

#[test]
fn a_large_heap_that_is_rarely_compacted_is_no_leak() {
    // measured: 35 MB live rose to 88 MB before the first mark-compact, 73 MB to 118 MB
    let rare = |promoted, growing_step, live: f64| Heap { promoted, growing_step, ..Heap::of(move |_| live * MB) };
    never_wrong(&rare(200e3, 53.0 * MB, 35.0), None);
    never_wrong(&rare(120e3, 53.0 * MB, 35.0), None);
    never_wrong(&rare(300e3, 90.0 * MB, 73.0), None);
}

#[test]
fn a_saw_tooth_of_any_period_is_no_leak() {
    for period in [5.0, 13.0, 30.0, 47.0, 60.0, 90.0, 120.0] {
        never_wrong(&Heap::of(move |t| 5.0 * MB + 30.0 * MB * (t % period) / period), None);
    }
}

#[test]
fn a_cache_that_fills_for_up_to_five_minutes_is_no_leak() {
    for fill in [60.0, 120.0, 200.0, 300.0] {
        for size in [10.0, 25.0, 40.0, 80.0] {
            never_wrong(&Heap::of(move |t| 4.0 * MB + size * MB * (t / fill).min(1.0)), None);
            let garbage =
                Heap { promoted: size * MB / fill, ..Heap::of(move |t| 4.0 * MB + size * MB * (t / fill).min(1.0)) };
            never_wrong(&garbage, None);
        }
    }
}

#[test]
fn a_cache_that_fills_ever_slower_is_no_leak() {
    for tau in [30.0, 60.0, 120.0] {
        never_wrong(&Heap::of(move |t: f64| 4.0 * MB + 40.0 * MB * (1.0 - (-t / tau).exp())), None);
    }
}

#[test]
fn bursts_and_steps_are_no_leak() {
    never_wrong(&Heap::of(|t| 4.0 * MB + if t % 60.0 < 7.0 { 50.0 * MB } else { 0.0 }), None);
    for at in [70.0, 150.0, 400.0] {
        never_wrong(&Heap::of(move |t| 4.0 * MB + if t > at { 30.0 * MB } else { 0.0 }), None);
    }
    never_wrong(&Heap::of(|t: f64| 4.0 * MB + 20.0 * MB * (t / 200.0).floor().min(2.0)), None);
}

#[test]
fn a_leak_is_never_called_steady() {
    for rate in [1.5e3, 16e3, 100e3] {
        never_wrong(&Heap::of(move |t| 4.0 * MB + rate * t), Some(0.0));
        never_wrong(&Heap::of(move |t| 4.0 * MB + rate * t + 30.0 * MB * (t % 17.0) / 17.0), Some(0.0));
        never_wrong(&Heap::of(move |t: f64| 4.0 * MB + rate * (t - 250.0).max(0.0)), Some(250.0));
    }
}
