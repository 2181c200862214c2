//! The memory of a tree of processes, tick by tick, at a price that is known.
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use procfs::ProcResult;

use super::{
    Kind,
    members::Members,
    memory::{Memory, Pss, counters, pss},
};
use crate::Error;

/// Share of one core that reading PSS may take in the long run. The whole recorder is to stay below 1 %.
const PSS_SHARE: f64 = 0.002;
/// Most time that may be owed, in seconds: a read that was slow only because the machine was busy must not silence PSS
/// for minutes.
const MOST_DEBT: f64 = 0.030;
/// Most time that may be saved up, in seconds: the price of one dear read.
const MOST_CREDIT: f64 = 0.004;

/// What a sum of memory is made of. The two are not comparable: a tree keeps to one of them, and only ever changes from
/// the first to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Proportional set sizes: each page counted once.
    Proportional,
    /// Resident sets: shared pages counted once for each process. For want of permission to read PSS.
    Resident,
}

/// One sample of a tree, in bytes. None where the processes are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeReading {
    /// All processes of the tree; none when the root is gone.
    pub total_bytes: Option<u64>,
    /// Its renderers; none when there are none.
    pub renderer_bytes: Option<u64>,
    /// Resident sets added up: shared pages counted once for each process.
    pub rss_bytes: Option<u64>,
    /// The anonymous parts of them: heaps and stacks.
    pub rss_anon_bytes: Option<u64>,
    /// How many processes the tree has.
    pub processes: usize,
    /// What the sums are made of.
    pub measure: Measure,
}

/// A process and its descendants, followed from tick to tick. Blocks while it reads `/proc`.
pub struct ProcessTree {
    root: u32,
    members: Members,
    shares: HashMap<u32, Share>,
    present: HashMap<u32, Memory>,
    budget: Budget,
    measure: Measure,
    sampled: Option<Instant>,
    ended: bool,
}

/// The last PSS that was read of a process, and its anonymous memory at that time.
#[derive(Debug, Clone, Copy)]
struct Share {
    pss_bytes: u64,
    rss_anon_bytes: u64,
    read_at: Instant,
}

impl ProcessTree {
    /// Follows the process `root` and its descendants. Reads nothing yet.
    pub fn new(root: u32) -> ProcessTree {
        ProcessTree {
            root,
            members: Members::new(root),
            shares: HashMap::new(),
            present: HashMap::new(),
            budget: Budget::default(),
            measure: Measure::Proportional,
            sampled: None,
            ended: false,
        }
    }

    /// Takes one sample. New processes cost one PSS read each (1 to 4 ms for a browser's), so the first sample of a
    /// browser costs about 20 ms of CPU; later ones follow the budget.
    ///
    /// A process that ends meanwhile leaves the sums. Once the root has ended all is unknown for good, even if its pid
    /// is given to another process.
    ///
    /// # Errors
    /// [`Error::Proc`] when `/proc` cannot be read.
    pub fn sample(&mut self) -> Result<TreeReading, Error> {
        let root = self.root;
        self.read().map_err(|source| Error::Proc { what: format!("the processes under {root}"), source })
    }

    fn read(&mut self) -> ProcResult<TreeReading> {
        let now = Instant::now();
        self.budget.earn(self.sampled.map_or(Duration::ZERO, |before| now - before));
        self.sampled = Some(now);
        // The dead are dropped before new pids are looked at, so that a pid given anew is a new process.
        let mut present = self.counters()?;
        if !self.ended && self.members.refresh()? {
            present = self.counters()?;
        }
        if !present.contains_key(&self.root) {
            self.ended = true;
            self.present.clear();
            return Ok(TreeReading {
                total_bytes: None,
                renderer_bytes: None,
                rss_bytes: None,
                rss_anon_bytes: None,
                processes: 0,
                measure: self.measure,
            });
        }
        self.shares.retain(|pid, _| present.contains_key(pid));
        self.read_shares(&present, now)?;
        let reading = self.sum(&present);
        self.present = present;
        Ok(reading)
    }

    /// The processes of the tree, as of the last sample.
    pub fn pids(&self) -> impl Iterator<Item = u32> {
        self.present.keys().copied()
    }

    /// One process of the tree, as of the last sample; none when it was not there.
    pub fn process(&self, pid: u32) -> Option<Memory> {
        let memory = *self.present.get(&pid)?;
        let shares = self.shares.get(&pid).filter(|_| self.measure == Measure::Proportional);
        Some(Memory { pss_bytes: shares.map(|share| proportional(*share, memory)), ..memory })
    }

    /// The counters of all members that still live; forgets the others.
    fn counters(&mut self) -> ProcResult<HashMap<u32, Memory>> {
        let mut present = HashMap::with_capacity(self.members.known.len());
        let mut gone = Vec::new();
        for (pid, member) in &mut self.members.known {
            match counters(&member.process)? {
                Some(memory) => {
                    present.insert(*pid, memory);
                }
                None => gone.push(*pid),
            }
        }
        gone.into_iter().for_each(|pid| self.members.forget(pid));
        Ok(present)
    }

    /// Reads PSS of the new processes, then of those whose reading is oldest, while the budget lasts.
    fn read_shares(&mut self, present: &HashMap<u32, Memory>, now: Instant) -> ProcResult<()> {
        for member in self.members.known.values_mut() {
            member.refresh_kind(self.root)?;
        }
        let mut turn: Vec<(Option<Instant>, u32)> =
            present.keys().map(|pid| (self.shares.get(pid).map(|share| share.read_at), *pid)).collect();
        turn.sort_unstable();
        for (read_at, pid) in turn {
            let new = read_at.is_none();
            if self.measure == Measure::Resident || !(new || self.budget.is_left()) {
                break;
            }
            let (Some(member), Some(memory)) = (self.members.known.get(&pid), present.get(&pid)) else { continue };
            let start = Instant::now();
            match pss(&member.process)? {
                Pss::Bytes(pss_bytes) => {
                    let share = Share { pss_bytes, rss_anon_bytes: memory.rss_anon_bytes, read_at: now };
                    self.shares.insert(pid, share);
                }
                Pss::Denied => self.measure = Measure::Resident,
                Pss::Gone => {}
            }
            self.budget.spend(start.elapsed());
        }
        Ok(())
    }

    fn sum(&self, present: &HashMap<u32, Memory>) -> TreeReading {
        let mut total = 0_u64;
        let mut renderers = None;
        for (pid, member) in &self.members.known {
            let Some(memory) = present.get(pid) else { continue };
            let bytes = match self.measure {
                Measure::Resident => memory.rss_bytes,
                Measure::Proportional => self.shares.get(pid).map_or(0, |share| proportional(*share, *memory)),
            };
            total = total.saturating_add(bytes);
            if member.info.kind == Kind::Renderer {
                renderers = Some(renderers.unwrap_or(0_u64).saturating_add(bytes));
            }
        }
        let add = |of: fn(&Memory) -> u64| present.values().map(of).fold(0, u64::saturating_add);
        TreeReading {
            total_bytes: Some(total),
            renderer_bytes: renderers,
            rss_bytes: Some(add(|memory| memory.rss_bytes)),
            rss_anon_bytes: Some(add(|memory| memory.rss_anon_bytes)),
            processes: present.len(),
            measure: self.measure,
        }
    }
}

/// The PSS of a process now: what it was, and what its anonymous memory has changed by since. Never more than is resident.
fn proportional(share: Share, memory: Memory) -> u64 {
    let grown = memory.rss_anon_bytes.saturating_sub(share.rss_anon_bytes);
    let shrunk = share.rss_anon_bytes.saturating_sub(memory.rss_anon_bytes);
    share.pss_bytes.saturating_add(grown).saturating_sub(shrunk).min(memory.rss_bytes)
}

/// Time that may be spent on dear reads, in seconds; negative when it was overspent.
#[derive(Debug, Default)]
struct Budget(f64);

impl Budget {
    fn earn(&mut self, elapsed: Duration) {
        self.0 = (self.0 + elapsed.as_secs_f64() * PSS_SHARE).min(MOST_CREDIT);
    }

    fn spend(&mut self, cost: Duration) {
        self.0 = (self.0 - cost.as_secs_f64()).max(-MOST_DEBT);
    }

    fn is_left(&self) -> bool {
        self.0 > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(rss_bytes: u64, rss_anon_bytes: u64) -> Memory {
        Memory { rss_bytes, rss_anon_bytes, pss_bytes: None }
    }

    #[test]
    fn a_leak_shows_at_once_between_two_readings_of_pss() {
        let share = Share { pss_bytes: 70, rss_anon_bytes: 50, read_at: Instant::now() };
        assert_eq!(proportional(share, memory(200, 50)), 70);
        assert_eq!(proportional(share, memory(200, 90)), 110);
        assert_eq!(proportional(share, memory(200, 20)), 40);
        assert_eq!(proportional(share, memory(60, 0)), 20);
        assert_eq!(proportional(share, memory(90, 90)), 90, "never more than is resident");
        assert_eq!(proportional(Share { pss_bytes: 10, ..share }, memory(60, 0)), 0, "and never below nothing");
    }

    #[test]
    fn dear_reads_stay_within_their_share_of_a_core() {
        let mut budget = Budget::default();
        let (mut spent, cost) = (Duration::ZERO, Duration::from_millis(4));
        for _ in 0..1000 {
            budget.earn(Duration::from_secs(1));
            while budget.is_left() {
                budget.spend(cost);
                spent += cost;
            }
        }
        assert!((Duration::from_millis(1990)..Duration::from_millis(2010)).contains(&spent), "{spent:?}");
    }

    #[test]
    fn neither_a_long_sleep_nor_one_slow_read_counts_for_long() {
        let mut budget = Budget::default();
        budget.earn(Duration::from_secs(86_400));
        budget.spend(Duration::from_millis(5));
        assert!(!budget.is_left(), "a day asleep is not a day of credit");
        budget.spend(Duration::from_secs(60));
        budget.earn(Duration::from_secs(16));
        assert!(budget.is_left(), "a read that hung for a minute is not a day of debt");
    }
}
