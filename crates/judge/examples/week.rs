//! How long a verdict over a week of full archives takes, all sources: opens the store and judges it, again and again.
//!
//! `cargo run --release -p heapsoak-judge --example week`
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and may fail")]

#[path = "support/week.rs"]
mod week;

use std::time::{Duration, Instant};

use heapsoak_judge::{Question, judge, word};
use heapsoak_store::Reader;

const TIMES: usize = 51;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("week.db");
    week::make(&path);
    let mut took: Vec<Duration> = (0..TIMES).map(|_| once(&path)).collect();
    took.sort_unstable();
    println!(
        "a week of archives: {:?} at best, {:?} in the middle, {:?} at worst",
        took[0],
        took[TIMES / 2],
        took[TIMES - 1]
    );
}

fn once(path: &std::path::Path) -> Duration {
    let begun = Instant::now();
    let reader = Reader::open(path).unwrap();
    let answer = judge(&reader, &reader.info().unwrap(), &Question::default()).unwrap();
    assert_eq!(word(&answer.judged).as_str(), "steady");
    begun.elapsed()
}
