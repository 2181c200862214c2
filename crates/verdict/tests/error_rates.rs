//! The error rates that the README states, in a short form: `cargo run --release --example rates` is the long one.

mod support;

use heapsoak_verdict::Word;
use support::simulation::{Line, MB, percent};

const FLAT: Line = Line { duration_s: 1800.0, count: 60, slope: 0.0, noise: 0.3 * MB, phi: 0.0 };
/// 1 MiB/h, the slope that matters, in bytes a second.
const MATTERS: f64 = 1_048_576.0 / 3600.0;

fn leaks(runs: usize, line: Line) -> f64 {
    percent(runs, 1, |random| line.floors(random), |v| v.verdict == Word::Leak)
}

fn steady(runs: usize, line: Line) -> f64 {
    percent(runs, 1, |random| line.floors(random), |v| v.verdict == Word::Steady)
}

#[test]
fn flat_autocorrelated_floors_are_called_a_leak_in_at_most_one_in_a_thousand() {
    for phi in [0.0, 0.5, 0.8] {
        for count in [9, 24, 60] {
            let rate = leaks(1000, Line { phi, count, ..FLAT });
            assert!(rate <= 0.1, "{count} floors, AR(1) {phi}: {rate} %");
        }
    }
}

#[test]
fn a_random_walk_is_called_a_leak_in_at_most_one_in_forty() {
    for count in [30, 60] {
        let rate = leaks(1000, Line { phi: 1.0, noise: MB, count, ..FLAT });
        assert!(rate <= 2.5, "{count} floors: {rate} %");
    }
}

#[test]
fn a_leak_half_above_what_matters_is_called_steady_in_at_most_one_in_a_hundred() {
    for noise in [0.01 * MB, 0.05 * MB] {
        let rate = steady(1000, Line { duration_s: 750.0, count: 38, slope: 1.5 * MATTERS, noise, phi: 0.0 });
        assert!(rate <= 1.0, "noise {noise}: {rate} %");
    }
}

#[test]
fn three_kilobytes_a_second_are_found_in_half_an_hour() {
    let line = Line { slope: 3e3, count: 120, ..FLAT };
    let rate = leaks(300, line);
    assert!(rate >= 98.0, "independent noise: {rate} %");
}

#[test]
fn a_steady_program_is_called_steady() {
    let rate = steady(300, Line { noise: 0.05 * MB, ..FLAT });
    assert!(rate >= 99.0, "{rate} %");
}

#[test]
fn without_a_collector_flat_series_are_no_leaks() {
    let hour = Line { duration_s: 3600.0, count: 1200, slope: 0.0, noise: MB, phi: 0.9 };
    let rate = |line: Line| percent(300, 2, |random| line.blocks(random), |v| v.verdict == Word::Leak);
    assert!(rate(hour) <= 0.1 && rate(Line { phi: 1.0, noise: 20.0 * MB, ..hour }) <= 2.5);
    assert!(rate(Line { slope: 10e3, ..hour }) >= 98.0);
}
