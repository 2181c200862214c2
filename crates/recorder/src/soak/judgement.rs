//! The verdict over a run, while it goes on and at its end: what `--stop-on-leak` and `--fail-on-leak` act on.
//!
//! The store is read by a reader of its own on a blocking thread: neither a tick nor the writer waits for it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use heapsoak_judge::{Judged, Question, judge, word};
use heapsoak_rrd::Time;
use heapsoak_store::Reader;
use heapsoak_verdict::{Looks, Verdict, Word};

use super::ending::Ending;
use crate::settings::Soak;

/// What judges a run.
#[derive(Debug, Clone)]
pub(crate) struct Judgement {
    db: PathBuf,
    question: Question,
}

impl Judgement {
    /// Judges the run that began at `started`, and none before it in the same store.
    pub(crate) fn new(settings: &Soak, started: Time) -> Self {
        let warm_up_s = settings.judging.warm_up.map(|warm_up| warm_up.as_secs_f64());
        let question = Question { start: Some(started), warm_up_s, ..Question::default() };
        Self { db: settings.db.clone(), question }
    }

    /// Resolves when a leak is decided, by looks at doubling windows of which the first is after `first`; never when
    /// that is none.
    pub(crate) async fn decided(&self, first: Option<Duration>) -> Ending {
        let Some(first) = first else { return std::future::pending().await };
        let began = Instant::now();
        let mut series = Series::new(first);
        loop {
            tokio::time::sleep_until((began + series.next()).into()).await;
            match self.look().await {
                Ok(judged) => {
                    if let Some(leak) = series.record(began.elapsed(), &judged) {
                        return Ending::Leak(sentence(leak));
                    }
                }
                Err(error) => {
                    tracing::warn!("no verdict could be had after {} s: {error:#}", began.elapsed().as_secs());
                    series.record(began.elapsed(), &[]);
                }
            }
        }
    }

    /// The verdict at the end: the sentence of a leak, or none.
    ///
    /// # Errors
    /// When the store cannot be judged.
    pub(crate) async fn leak(&self) -> anyhow::Result<Option<String>> {
        let judged = self.look().await.context("--fail-on-leak: no verdict can be had")?;
        tracing::info!("verdict: {}", word(&judged).as_str());
        Ok(judged.iter().find(|one| is_leak(one)).map(|one| sentence(&one.verdict)))
    }

    /// What is known by now of each source.
    async fn look(&self) -> anyhow::Result<Vec<Judged>> {
        let Self { db, question } = self.clone();
        let read = move || {
            let reader = Reader::open(&db)?;
            anyhow::Ok(judge(&reader, &reader.info()?, &question)?.judged)
        };
        tokio::task::spawn_blocking(read).await?
    }
}

/// `heap_used: the size after full collections grows …`
pub(crate) fn sentence(verdict: &Verdict) -> String {
    format!("{}: {}", verdict.source, verdict.reason)
}

fn is_leak(judged: &Judged) -> bool {
    judged.verdict.verdict == Word::Leak && judged.counts()
}

/// The looks at all sources, at the same instants.
struct Series {
    first: Duration,
    next: Duration,
    looks: HashMap<String, Looks>,
}

impl Series {
    fn new(first: Duration) -> Self {
        Self { first, next: first, looks: HashMap::new() }
    }

    /// When to look, counted from the start.
    fn next(&self) -> Duration {
        self.next
    }

    /// Records a look; the leak that it decides, if it does.
    fn record<'a>(&mut self, elapsed: Duration, judged: &'a [Judged]) -> Option<&'a Verdict> {
        while self.next <= elapsed {
            self.next *= 2;
        }
        let first_s = self.first.as_secs_f64();
        let mut decided = None;
        for one in judged {
            let looks = self.looks.entry(one.verdict.source.clone()).or_insert_with(|| Looks::starting_at(first_s));
            let is_decided = looks.record(elapsed.as_secs_f64(), &one.verdict);
            decided = decided.or(Some(&one.verdict).filter(|_| is_decided && is_leak(one)));
        }
        decided
    }
}

#[cfg(test)]
mod tests {
    use heapsoak_verdict::{Collection, Floor, Kind, Settings, Unit, decide};

    use super::*;

    /// A heap that keeps `rate` bytes a second, as it is known after `seconds`.
    fn after(seconds: u32, rate: f64) -> Judged {
        let mut series = heapsoak_verdict::Series::new("heap_used", Kind::Heap, Unit::Bytes);
        let floor =
            |time: f64| Floor { time, value: 1e7 + rate * time + time % 7.0 * 1e3, collection: Collection::Forced };
        series.floors = (0..seconds).step_by(10).map(|second| floor(f64::from(second))).collect();
        let verdict = decide(&series, &Settings::default());
        Judged { verdict, unit: Unit::Bytes, decides: true, is_process: false }
    }

    fn looks(rates: &[f64]) -> Vec<bool> {
        let mut series = Series::new(Duration::from_secs(300));
        let mut look = |rate: &f64| {
            let elapsed = series.next();
            let seconds = u32::try_from(elapsed.as_secs()).unwrap();
            series.record(elapsed, &[after(seconds, *rate)]).is_some()
        };
        rates.iter().map(&mut look).collect()
    }

    #[test]
    fn one_look_stops_nothing_and_two_in_a_row_do() {
        assert_eq!(looks(&[20e3, 20e3]), [false, true]);
        assert_eq!(looks(&[20e3, 0.0, 20e3, 20e3]), [false, false, false, true]);
    }

    #[test]
    fn windows_double_also_after_a_look_that_came_late() {
        let mut series = Series::new(Duration::from_secs(60));
        series.record(Duration::from_secs(61), &[]);
        assert_eq!(series.next(), Duration::from_secs(120));
        series.record(Duration::from_secs(1000), &[]);
        assert_eq!(series.next(), Duration::from_secs(1920));
    }
}
