//! Measures how often the verdict is wrong, and how long it needs to find a leak, by simulation with fixed random numbers;
//! prints the two tables of the README.
//!
//! `cargo run --release --example rates [RUNS]` (default 10000 runs a line).
#![allow(clippy::print_stdout, reason = "printing the table is what it is for")]

#[path = "../tests/support/simulation.rs"]
mod simulation;

use heapsoak_verdict::{Verdict, Word};
use simulation::{Line, MB, percent};

/// One line of the table.
struct Case {
    what: &'static str,
    wanted: Word,
    target: &'static str,
    line: Line,
}

const FLAT: Line = Line { duration_s: 1800.0, count: 120, slope: 0.0, noise: 0.3 * MB, phi: 0.0 };
/// 1 MiB/h in bytes a second.
const MATTERS: f64 = 1_048_576.0 / 3600.0;

fn main() {
    let runs = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10_000);
    println!("| series ({runs} runs each) | verdict counted | measured | required |\n| --- | --- | --- | --- |");
    for case in floors() {
        print(&case, percent(runs, 1, |r| case.line.floors(r), |v| is(v, case.wanted)));
    }
    for case in blocks() {
        print(&case, percent(runs, 2, |r| case.line.blocks(r), |v| is(v, case.wanted)));
    }
    how_long((runs / 20).max(1));
}

/// Minutes of recording, a checkpoint in each, after which a leak is found in 95 of 100 runs.
fn how_long(runs: usize) {
    const MINUTES: [u32; 10] = [15, 20, 30, 45, 60, 90, 120, 240, 480, 1440];
    println!("\n| leak | floors quiet (10 KB) | noise of 50 KB | noise of 0.3 MB |\n| --- | --- | --- | --- |");
    for slope in [0.5e3, 1e3, 3e3, 10e3, 30e3, 100e3] {
        let needed = |noise: f64| {
            let is_found = |minutes: &&u32| {
                let count = **minutes as usize;
                let line = Line { duration_s: f64::from(**minutes) * 60.0, count, slope, noise, phi: 0.5 };
                percent(runs, 3, |r| line.floors(r), |v| is(v, Word::Leak)) >= 95.0
            };
            MINUTES.iter().find(is_found).map_or("more than a day".to_owned(), |minutes| match minutes {
                0..120 => format!("{minutes} min"),
                _ => format!("{} h", minutes / 60),
            })
        };
        println!("| {} KB/s | {} | {} | {} |", slope / 1e3, needed(0.01 * MB), needed(0.05 * MB), needed(0.3 * MB));
    }
}

fn is(verdict: &Verdict, wanted: Word) -> bool {
    verdict.verdict == wanted
}

fn print(case: &Case, percent: f64) {
    println!("| {} | {} | {percent:.2} % | {} |", case.what, case.wanted.as_str(), case.target);
}

fn floors() -> Vec<Case> {
    let leak = |what, target, line| Case { what, wanted: Word::Leak, target, line };
    let steady = |what, target, line| Case { what, wanted: Word::Steady, target, line };
    let short = Line { duration_s: 600.0, count: 30, ..FLAT };
    let slow = |noise| Line { duration_s: 750.0, count: 38, slope: 1.5 * MATTERS, noise, phi: 0.0 };
    vec![
        leak("flat floors, 120 in 30 min, independent noise of 0.3 MB", "≤ 0.1 %", FLAT),
        leak("the same, AR(1) 0.5", "≤ 0.1 %", Line { phi: 0.5, ..FLAT }),
        leak("the same, AR(1) 0.8", "≤ 0.1 %", Line { phi: 0.8, ..FLAT }),
        leak("the same, AR(1) 0.95", "", Line { phi: 0.95, ..FLAT }),
        leak("flat floors, 30 in 10 min, independent", "≤ 0.1 %", short),
        leak("the same, AR(1) 0.8", "≤ 0.1 %", Line { phi: 0.8, ..short }),
        leak("flat floors, 40 in 10 min, AR(1) 0.8", "≤ 0.1 %", Line { phi: 0.8, count: 40, ..short }),
        leak("flat floors, 20 in 10 min, AR(1) 0.8", "≤ 0.1 %", Line { phi: 0.8, count: 20, ..short }),
        leak("flat floors, 15 in 10 min, AR(1) 0.8", "≤ 0.1 %", Line { phi: 0.8, count: 15, ..short }),
        leak("flat floors, 9 in 10 min, AR(1) 0.8", "≤ 0.1 %", Line { phi: 0.8, count: 9, ..short }),
        leak("flat floors, 12 in 10 min, AR(1) 0.8", "≤ 0.1 %", Line { phi: 0.8, count: 12, ..short }),
        leak("random walk, 120 in 30 min", "≤ 2.5 %", Line { phi: 1.0, noise: MB, ..FLAT }),
        leak("random walk, 30 in 10 min", "≤ 2.5 %", Line { phi: 1.0, noise: MB, ..short }),
        leak(
            "random walk, 480 in 2 h",
            "≤ 2.5 %",
            Line { phi: 1.0, noise: 4.0 * MB, count: 480, duration_s: 7200.0, slope: 0.0 },
        ),
        steady("leak of 1.5 x 1 MiB/h, 30 floors in 10 min after the warm-up, noise 10 KB", "≤ 1 %", slow(0.01 * MB)),
        steady("the same, noise 50 KB", "≤ 1 %", slow(0.05 * MB)),
        steady(
            "the same, 30 floors in 10 min with the warm-up",
            "≤ 1 %",
            Line { duration_s: 600.0, count: 30, ..slow(0.05 * MB) },
        ),
        steady("the same, AR(1) 0.5", "≤ 1 %", Line { phi: 0.5, ..slow(0.05 * MB) }),
        steady("the same, 120 floors in 30 min", "≤ 1 %", Line { duration_s: 1800.0, count: 120, ..slow(0.05 * MB) }),
        steady("the same, noise 150 KB", "", slow(0.15 * MB)),
        steady(
            "no leak, 30 floors in 10 min after the warm-up, noise 10 KB",
            "",
            Line { slope: 0.0, ..slow(0.01 * MB) },
        ),
        steady("the same, noise 50 KB", "", Line { slope: 0.0, ..slow(0.05 * MB) }),
        steady("no leak, 120 floors in 30 min, noise 50 KB", "", Line { noise: 0.05 * MB, ..FLAT }),
        leak(
            "leak of 3 KB/s, 120 floors in 30 min, independent noise of 0.3 MB",
            "≥ 98 %",
            Line { slope: 3e3, ..FLAT },
        ),
        leak("the same, AR(1) 0.5", "≥ 98 %", Line { slope: 3e3, phi: 0.5, ..FLAT }),
        leak("the same, AR(1) 0.8", "", Line { slope: 3e3, phi: 0.8, ..FLAT }),
        leak("leak of 1 KB/s, 120 floors in 30 min", "", Line { slope: 1e3, ..FLAT }),
        leak("leak of 10 KB/s, 40 floors in 10 min", "", Line { slope: 1e4, count: 40, duration_s: 600.0, ..FLAT }),
        leak("leak of 30 KB/s, 20 floors in 5 min", "", Line { slope: 3e4, count: 20, duration_s: 300.0, ..FLAT }),
    ]
}

fn blocks() -> Vec<Case> {
    let leak = |what, line| Case { what, wanted: Word::Leak, target: "", line };
    let hour = Line { duration_s: 3600.0, count: 3600, slope: 0.0, noise: MB, phi: 0.9 };
    vec![
        leak("no collector (rss), flat, 1 h at 1 Hz, AR(1) 0.9, noise 1 MB", hour),
        leak("the same, AR(1) 0.999", Line { phi: 0.999, ..hour }),
        leak("the same, random walk of 20 MB", Line { phi: 1.0, noise: 20.0 * MB, ..hour }),
        leak("the same, leak of 3 KB/s, AR(1) 0.9", Line { slope: 3e3, ..hour }),
        leak("the same, leak of 10 KB/s, AR(1) 0.999", Line { slope: 1e4, phi: 0.999, ..hour }),
        Case {
            what: "the same, leak of 1.5 x 1 MiB/h, noise 50 KB",
            wanted: Word::Steady,
            target: "≤ 1 %",
            line: Line { slope: 1.5 * MATTERS, noise: 0.05 * MB, ..hour },
        },
        Case {
            what: "the same, no leak, noise 50 KB",
            wanted: Word::Steady,
            target: "",
            line: Line { noise: 0.05 * MB, ..hour },
        },
    ]
}
