//! The Node programs that are being watched: what they said, made into readings, collections and happenings. Pure.
mod happening;
mod program;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use happening::{Happening, Notice};
use program::{Fate, Program};

use super::{
    observe::Seen,
    reading::{Gc, NodeReading},
    record::{Record, Said},
};

/// Most programs watched at a time: each has sources of its own, and a store is not for thousands.
const MOST_PROGRAMS: usize = 256;
/// Longest label, in bytes.
const LONGEST_LABEL: usize = 16;

/// All Node programs of one tree of processes, or the one at the other end of an inspector.
///
/// At each tick the caller first hands in all records that have come ([`Programs::apply`]), then asks
/// ([`Programs::tick`]). Times are µs since the unix epoch, by a clock that is not set back; a step of it looks like silence.
#[derive(Debug, Default)]
pub struct Programs {
    label: Option<String>,
    known: Vec<Program>,
    refused: u64,
}

/// What there is to be stored at a tick. Labels name programs: two that live at the same time never have the same, and
/// one that is started again after its end gets the same again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tick {
    /// A reading of each living program.
    pub readings: Vec<(Arc<str>, NodeReading)>,
    /// The collections that became known since the tick before, in the order of time for each program.
    pub collections: Vec<(Arc<str>, Gc)>,
    /// What happened since the tick before.
    pub notices: Vec<Notice>,
}

impl Programs {
    /// Programs that are labelled by `label`, or else by the names of their scripts. The second of a name gets `-2`.
    pub fn new(label: Option<String>) -> Programs {
        Programs { label, ..Programs::default() }
    }

    /// Takes in one record, at the time it came.
    pub fn apply(&mut self, now_us: i64, record: Record) {
        let at = self.known.iter().position(|program| program.pid == record.pid);
        let (pid, seq, wall_us) = (record.pid, record.seq, record.wall_us);
        match (record.said, at) {
            (Said::Hello { parent, version, script, mode, flag_limit }, at) => {
                let greeting = program::Greeting { parent, version, script, mode, flag_limit };
                let program = Program::new(pid, seq, now_us, greeting);
                match at {
                    Some(at) => self.known[at].succeed(program),
                    None if self.known.len() < MOST_PROGRAMS => self.known.push(program),
                    None => self.refused += 1,
                }
            }
            (said, Some(at)) => self.known[at].hear(now_us, seq, wall_us, said),
            // Whoever did not say hello is unknown: its first record cannot be lost before the others.
            (_, None) => {}
        }
    }

    /// That the way to a program is closed, so that nothing can be heard from it any more. The next tick reports its end;
    /// needed only for programs whose process cannot be looked at ([`Seen::Unknowable`]).
    pub fn closed(&mut self, pid: u32) {
        self.known.iter_mut().filter(|program| program.pid == pid).for_each(Program::close);
    }

    /// Makes up one tick. `look` says what there is to be seen of a process; it is asked once for each program.
    pub fn tick(&mut self, now_us: i64, look: &mut dyn FnMut(u32) -> Seen) -> Tick {
        let mut tick = Tick::default();
        for at in 0..self.known.len() {
            let seen = look(self.known[at].pid);
            if self.known[at].is_new() {
                let label = self.free_label(at);
                self.known[at].appear(label, &seen, &mut tick);
            }
            self.known[at].tick(now_us, seen, &mut tick);
        }
        self.known.retain(|program| program.fate == Fate::Lives);
        tick
    }

    /// The pids of the programs that live as far as is known.
    pub fn pids(&self) -> impl Iterator<Item = u32> {
        self.known.iter().map(|program| program.pid)
    }

    /// How many programs were not watched because there were too many at a time (256).
    pub fn refused(&self) -> u64 {
        self.refused
    }

    fn free_label(&self, at: usize) -> Arc<str> {
        let wanted = self.label.clone().unwrap_or_else(|| name_of(self.known[at].script()));
        let taken = |label: &str| {
            self.known.iter().any(|other| other.fate == Fate::Lives && other.label.as_deref() == Some(label))
        };
        let mut label = wanted.clone();
        let mut number = 2_u32;
        while taken(&label) {
            label = format!("{wanted}-{number}");
            number += 1;
        }
        label.into()
    }
}

/// The name of a script without folder and ending, in letters that a source's name may have; `node` for none.
fn name_of(script: Option<&str>) -> String {
    let file = script.and_then(|path| path.rsplit(['/', '\\']).next()).unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let fit = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    let name: String = stem.chars().take(LONGEST_LABEL).map(fit).collect();
    if name.is_empty() { "node".to_owned() } else { name }
}
