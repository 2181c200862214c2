//! Full collections of a page that are asked for on a timer, at the end of an iteration: `--checkpoint-gc`, and nowhere
//! else. Programs do it by themselves, as they are told when they are watched.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use heapsoak_probe::page::{Collected, Collector};
use heapsoak_rrd::Time;
use heapsoak_store::{GcKind, NewGc};

use super::axis::Axis;
use super::writer::Recording;

/// A heap of 315 MB takes 0.7 s; a page that is busy answers when it is done.
const DEADLINE: Duration = Duration::from_secs(10);
/// The browser tells of a collection within seconds.
const KEPT: usize = 64;
/// The clocks of the browser's trace and ours agree to a millisecond.
const SLACK_US: i64 = 20_000;

/// When collections were asked for, the newest of them; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked(Arc<Mutex<VecDeque<(i64, i64)>>>);

impl Asked {
    fn add(&self, from: Time, to: Time) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == KEPT {
            all.pop_front();
        }
        all.push_back((from.as_micros() - SLACK_US, to.as_micros() + SLACK_US));
    }

    /// Whether a collection that was seen at `time_us` is one that was asked for.
    pub(crate) fn covers(&self, time_us: i64) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|(from, to)| (*from..=*to).contains(&time_us))
    }
}

/// The checkpoints of one page.
pub(crate) struct Checkpoints {
    every: Duration,
    next: Instant,
    label: String,
    axis: Axis,
    asked: Asked,
    collector: Option<Collector>,
}

impl Checkpoints {
    /// One at the end of the first iteration after each `every`, of the target `label`.
    pub(crate) fn new(every: Duration, label: Option<&str>, axis: Axis) -> Self {
        let label = label.unwrap_or_default().to_owned();
        Self { every, next: Instant::now() + every, label, axis, asked: Asked::default(), collector: None }
    }

    /// The page to ask from now on, if there is one; tells when it was asked.
    pub(crate) fn watch(&mut self, collector: Option<Collector>) -> Asked {
        self.collector = collector;
        self.asked.clone()
    }

    /// An iteration has ended: collects if it is time.
    pub(crate) async fn iterated(&mut self, recording: &Recording) {
        let now = Instant::now();
        let Some(collector) = self.collector.as_ref().filter(|_| now >= self.next) else { return };
        // One that was late puts off those after it: two in a row would tell the same twice.
        self.next = now + self.every;
        let begun = self.axis.now();
        let answer = collector.collect(DEADLINE).await;
        let time = self.axis.now();
        self.asked.add(begun, time);
        match answer {
            Ok(collected) => recording.collections(vec![stored(&self.label, time, collected)]),
            // A page that is gone is told by the loop, which meets the same fault.
            Err(error) => tracing::warn!("a checkpoint could not be had: {error}"),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a heap has fewer than 2^53 bytes")]
fn stored(label: &str, time: Time, collected: Collected) -> NewGc {
    NewGc {
        target: label.to_owned(),
        time,
        kind: GcKind::Major,
        pause_ms: Some(collected.took.as_secs_f64() * 1e3),
        before_bytes: Some(collected.before as u64),
        after_bytes: Some(collected.after as u64),
        forced: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collections_of_a_checkpoint_are_told_from_those_of_the_page_itself() {
        let asked = Asked::default();
        assert!(!asked.covers(0));
        for second in 0..100 {
            asked.add(Time::from_secs(second), Time::from_secs(second));
        }
        assert!(asked.covers(99_000_000) && asked.covers(99_019_000) && asked.covers(50_000_000));
        assert!(!asked.covers(99_500_000) && !asked.covers(98_900_000));
        assert!(!asked.covers(1_000_000), "the oldest give way");
    }
}
