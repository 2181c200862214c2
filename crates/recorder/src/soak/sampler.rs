//! Asks every probe at each tick and hands the sample to the writer. It waits for nobody but the clock.

use std::convert::Infallible;
use std::time::Duration;

use futures_util::future::join_all;
use heapsoak_rrd::Time;

use super::probes::Probe;
use super::registry::{Registry, Sample};
use super::tick::{Clock, Tick, Ticker};
use super::writer::Recording;

/// The ticker and what it asks.
pub(crate) struct Sampler {
    ticker: Ticker,
    probes: Vec<Box<dyn Probe>>,
    registry: Registry,
    /// How many sources of the registry the writer knows.
    known: usize,
    recording: Recording,
    /// A probe that has not answered by then is unknown at this tick.
    deadline: Duration,
}

impl Sampler {
    /// A sampler of `probes`, whose sources are in `registry`; the writer knows the first `known` of them.
    pub(crate) fn new(
        ticker: Ticker,
        probes: Vec<Box<dyn Probe>>,
        (registry, known): (Registry, usize),
        recording: Recording,
        step: Duration,
    ) -> Self {
        Self { ticker, probes, registry, known, recording, deadline: step.mul_f64(0.8) }
    }

    /// Samples for ever. Cancel it between ticks or in the middle of one: what was not handed on is not recorded.
    pub(crate) async fn run(&mut self) -> Infallible {
        loop {
            let tick = self.ticker.next().await;
            self.tell(tick);
            self.sample(tick).await;
        }
    }

    /// One more sample now, on the step or not: the last of a run.
    pub(crate) async fn last(&mut self) {
        if let Some(tick) = self.ticker.last() {
            self.sample(tick).await;
        }
    }

    async fn sample(&mut self, tick: Tick) {
        let deadline = self.deadline;
        let answers = join_all(self.probes.iter_mut().map(|probe| probe.read(tick, deadline))).await;
        let sample: Sample = answers.into_iter().flatten().collect();
        tracing::debug!("sample at {}: {sample:?}", tick.time_us);
        let more = self.registry.since(self.known);
        if !more.is_empty() {
            self.known += more.len();
            self.recording.sources(more);
        }
        self.recording.sample(Time::from_micros(tick.time_us), sample);
    }

    /// One event for one cause: ticks that are missed because the clock was set are no second one.
    fn tell(&self, tick: Tick) {
        let missed = match tick.missed {
            0 => String::new(),
            missed => format!("; {missed} ticks were missed"),
        };
        match tick.clock {
            Clock::Set(us) => {
                self.recording.event("clock_step", format!("the wall clock was set by {:+.1} s{missed}", seconds(us)));
            }
            Clock::Slept(us) => {
                self.recording.event("suspend", format!("the machine slept for {:.1} s{missed}", seconds(us)));
            }
            Clock::Even if tick.missed > 0 => {
                self.recording
                    .event("gap", format!("{} ticks were missed: the recorder was stopped or starved", tick.missed));
            }
            Clock::Even => {}
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds for the eye")]
fn seconds(us: i64) -> f64 {
    us as f64 / 1e6
}
