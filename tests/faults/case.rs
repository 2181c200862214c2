//! One fault of the catalogue, and the table of all.

use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::stage::Stage;

/// Between what was seen and its evidence.
const APART: &str = " <> ";

/// What a fault showed when all went as expected.
pub(crate) struct Seen {
    /// In a few words.
    pub(crate) seen: String,
    /// By what it is known: events, counts, times.
    pub(crate) evidence: String,
}

/// Words and their evidence.
pub(crate) fn seen(seen: impl Into<String>, evidence: impl Into<String>) -> Result<Seen> {
    Ok(Seen { seen: seen.into(), evidence: evidence.into() })
}

/// A fault, what it must lead to, and how it is played.
#[derive(Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) expected: &'static str,
    /// Whether it is part of the quick half.
    pub(crate) quick: bool,
    /// The size of the disk of its own on which its store lies, if it needs one: a tmpfs in a namespace of our own.
    pub(crate) disk: Option<&'static str>,
    pub(crate) play: fn(&Stage) -> Result<Seen>,
}

/// How a fault went.
pub(crate) struct Outcome {
    fault: Fault,
    result: Result<Seen>,
    took: Duration,
}

impl Outcome {
    pub(crate) fn is_miss(&self) -> bool {
        self.result.is_err()
    }
}

/// Plays all, some side by side; most of the time they wait.
pub(crate) fn play_all(faults: Vec<Fault>, side_by_side: usize) -> Vec<Outcome> {
    let count = faults.len();
    // Those that take longest are not among the quick ones, and go first.
    let mut order: Vec<(usize, Fault)> = faults.into_iter().enumerate().collect();
    order.sort_by_key(|(_, fault)| fault.quick);
    let waiting = Mutex::new(order.into_iter());
    let done = Mutex::new(Vec::with_capacity(count));
    std::thread::scope(|scope| {
        for _ in 0..side_by_side {
            scope.spawn(|| {
                while let Some((number, fault)) = next(&waiting) {
                    let outcome = play(fault);
                    let mark = if outcome.is_miss() { "MISS" } else { "ok" };
                    println!("{mark:5}{:<28}{:>4} s", fault.name, outcome.took.as_secs());
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((number, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

fn next<T>(waiting: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next()
}

fn play(fault: Fault) -> Outcome {
    let began = Instant::now();
    let result = match fault.disk {
        None => Stage::new().and_then(|stage| (fault.play)(&stage)),
        Some(_) => apart(fault),
    };
    Outcome { fault, result, took: began.elapsed() }
}

/// Plays a fault that needs a disk of its own: in a process that may mount one.
fn apart(fault: Fault) -> Result<Seen> {
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount"])
        .arg(std::env::current_exe()?)
        .args(["--apart", fault.name])
        .output()
        .context("unshare (util-linux) is installed")?;
    let said = String::from_utf8(output.stdout)?;
    ensure!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let (seen, evidence) = said.trim_end().split_once(APART).with_context(|| said.clone())?;
    self::seen(seen, evidence)
}

/// The process of [`apart`].
pub(crate) fn play_apart(fault: Fault) -> ExitCode {
    let played = Stage::with_disk(fault.disk.unwrap_or_default()).and_then(|stage| (fault.play)(&stage));
    match played {
        Ok(Seen { seen, evidence }) => {
            println!("{seen}{APART}{evidence}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The table: fault, expected, seen, evidence.
pub(crate) fn print(outcomes: &[Outcome]) {
    println!("\n{:<26}| {:<62}| {:<52}| evidence", "fault", "expected", "seen");
    println!("{}|{}|{}|{}", "-".repeat(26), "-".repeat(63), "-".repeat(53), "-".repeat(60));
    for Outcome { fault, result, .. } in outcomes {
        let (seen, evidence) = match result {
            Ok(seen) => (seen.seen.clone(), seen.evidence.clone()),
            Err(error) => ("MISS".to_owned(), format!("{error:#}").replace('\n', " ")),
        };
        println!("{:<26}| {:<62}| {seen:<52}| {evidence}", fault.name, fault.expected);
    }
    let missed = outcomes.iter().filter(|outcome| outcome.is_miss()).count();
    println!("\n{} faults, {missed} missed", outcomes.len());
}
