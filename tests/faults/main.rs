//! The fault suite: each fault of the catalogue on the real thing, and what came of it. `scripts/faults` builds and starts
//! it; `scripts/soak-with-faults` plays faults into one long soak.
//!
//! There is one file for each kind of fault; a fault is a function that plays it on a [`stage::Stage`] and says what it saw.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own: what it prints is its answer")]

mod acknowledged;
mod browser;
mod case;
mod clock;
mod end;
mod long_soak;
mod node;
mod ourselves;
mod page;
mod picture;
mod power;
mod processes;
mod site;
mod stage;
mod store;
mod writes;

use std::process::ExitCode;

use case::Fault;

const USAGE: &str = "\
usage: faults [--quick] [--list] [--jobs N] [NAME…]     plays the whole catalogue, or the faults whose names begin so
       faults --soak MINUTES FOLDER                     one soak into FOLDER with a fault each minute";

/// Played side by side unless told otherwise: most of a fault's time is waiting.
const SIDE_BY_SIDE: usize = 4;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--soak", minutes, folder] => match minutes.parse() {
            Ok(minutes) => long_soak::run(minutes, folder.as_ref()),
            Err(_) => usage(),
        },
        ["--write", db] => acknowledged::write(db.as_ref()),
        ["--apart", name] => match all().into_iter().find(|fault| fault.name == *name) {
            Some(fault) => case::play_apart(fault),
            None => usage(),
        },
        words => catalogue(words),
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

fn all() -> Vec<Fault> {
    [
        browser::FAULTS,
        page::FAULTS,
        node::FAULTS,
        end::FAULTS,
        clock::FAULTS,
        store::FAULTS,
        acknowledged::FAULTS,
        writes::FAULTS,
        power::FAULTS,
        picture::FAULTS,
        ourselves::FAULTS,
    ]
    .concat()
}

fn catalogue(words: &[&str]) -> ExitCode {
    let (mut quick, mut list, mut jobs, mut names) = (false, false, SIDE_BY_SIDE, Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--quick" => quick = true,
            "--list" => list = true,
            "--jobs" => match words.next().and_then(|number| number.parse().ok()) {
                Some(number) => jobs = number,
                None => return usage(),
            },
            name if name.starts_with('-') => return usage(),
            name => names.push(name),
        }
    }
    let named = |fault: &Fault| names.is_empty() || names.iter().any(|name| fault.name.starts_with(name));
    let chosen: Vec<Fault> = all().into_iter().filter(|fault| named(fault) && (fault.quick || !quick)).collect();
    if chosen.is_empty() {
        return usage();
    }
    if list {
        chosen.iter().for_each(|fault| println!("{:<26}{}", fault.name, fault.expected));
        return ExitCode::SUCCESS;
    }
    let outcomes = case::play_all(chosen, jobs);
    case::print(&outcomes);
    ExitCode::from(u8::from(outcomes.iter().any(case::Outcome::is_miss)))
}
