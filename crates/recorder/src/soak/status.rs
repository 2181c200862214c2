//! What a person sees while a run goes on: one line on a terminal, a line a minute elsewhere.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use heapsoak_cli::{duration, size};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::health::Health;

/// The sparkline's samples.
const SPARKS: usize = 60;
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Off a terminal a line is written this often.
const LINE_EVERY: Duration = Duration::from_secs(60);
/// Lines that wait while stderr is slow.
const WAITING: usize = 256;
/// How long the end waits for a slow stderr.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What the loop and the sampler tell of the run so far; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    iterations: AtomicU64,
    failures: AtomicU64,
    restarts: AtomicU64,
    heaps: Mutex<VecDeque<Option<f64>>>,
}

impl Progress {
    /// One more pass through the scenario.
    pub(crate) fn iterated(&self) {
        self.0.iterations.fetch_add(1, Ordering::Relaxed);
    }

    /// Passes so far.
    pub(crate) fn iterations(&self) -> u64 {
        self.0.iterations.load(Ordering::Relaxed)
    }

    /// A pass through the scenario that failed.
    pub(crate) fn failed(&self) {
        self.0.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Failed passes so far.
    pub(crate) fn failures(&self) -> u64 {
        self.0.failures.load(Ordering::Relaxed)
    }

    /// The browser was started once more.
    pub(crate) fn restarted(&self) {
        self.0.restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// The heap at a tick, in bytes.
    pub(crate) fn heap(&self, bytes: Option<f64>) {
        let mut heaps = self.0.heaps.lock().unwrap_or_else(PoisonError::into_inner);
        if heaps.len() == SPARKS {
            heaps.pop_front();
        }
        heaps.push_back(bytes);
    }

    /// The last heap that is known.
    pub(crate) fn last_heap(&self) -> Option<f64> {
        let heaps = self.0.heaps.lock().unwrap_or_else(PoisonError::into_inner);
        heaps.iter().rev().copied().find_map(|heap| heap)
    }

    /// `00:01:05  1,234 iterations  19.8/s  heap 12.3 MiB ▁▂▃  0 restarts`, and what is wrong with the store.
    fn line(&self, elapsed: Duration, rate: f64, trouble: Option<&str>) -> String {
        let heaps = self.0.heaps.lock().unwrap_or_else(PoisonError::into_inner);
        let now = heaps.back().copied().flatten().map_or_else(|| "unknown".to_owned(), size::format_size);
        format!(
            "{}  {} iterations  {rate:.1}/s  heap {now} {}  {} restarts{}{}",
            clock(elapsed),
            self.iterations(),
            sparkline(heaps.iter().copied()),
            self.0.restarts.load(Ordering::Relaxed),
            if trouble.is_some() { "  " } else { "" },
            trouble.unwrap_or_default(),
        )
    }
}

/// Iterations a second, from one line to the next.
#[derive(Debug)]
pub(crate) struct Rate {
    began: Instant,
    last: (u64, Instant),
}

impl Rate {
    /// Counts from now on.
    pub(crate) fn new(progress: &Progress) -> Self {
        let now = Instant::now();
        Self { began: now, last: (progress.iterations(), now) }
    }

    /// How it goes, and what is wrong with the store, in one line.
    pub(crate) fn line(&mut self, progress: &Progress, health: &Health) -> String {
        let (iterations, now) = (progress.iterations(), Instant::now());
        #[expect(clippy::cast_precision_loss, reason = "a rate for the eye")]
        let rate = (iterations - self.last.0) as f64 / now.duration_since(self.last.1).as_secs_f64().max(1e-3);
        self.last = (iterations, now);
        progress.line(self.began.elapsed(), rate, health.words(now).as_deref())
    }
}

fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// One character for each value, from the least to the most; unknown is a space.
fn sparkline(values: impl Iterator<Item = Option<f64>> + Clone) -> String {
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.clone().flatten() {
        (least, most) = (least.min(value), most.max(value));
    }
    values.map(|value| value.map_or(' ', |value| level((value - least) / (most - least)))).collect()
}

fn level(share: f64) -> char {
    // A flat line divides nothing by nothing: it lies at the bottom.
    let share = if share.is_finite() { share } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 7 by the clamp")]
    let index = (share * 7.0).round().clamp(0.0, 7.0) as usize;
    LEVELS[index]
}

/// What goes to stderr, in its order.
enum Out {
    Line(Vec<u8>),
    Status(String),
    /// Take the line away, and say so.
    Clear(SyncSender<()>),
}

/// Stderr: a status line, and log lines that are written through it and do not tear it.
///
/// A thread of its own writes it: a terminal that was stopped by Ctrl-S, or a pager that is not scrolled on, must not stop
/// the recording. What finds no room meanwhile is not told.
#[derive(Debug, Clone)]
pub(crate) struct StatusLine {
    out: SyncSender<Out>,
    terminal: bool,
}

impl StatusLine {
    /// A line on stderr, if that is a terminal.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(crate) fn new() -> io::Result<Self> {
        let (out, coming) = sync_channel(WAITING);
        std::thread::Builder::new().name("stderr".to_owned()).spawn(move || write_all(&coming))?;
        Ok(Self { out, terminal: io::stderr().is_terminal() })
    }

    /// Shows `progress`, and what is wrong with the store, until dropped.
    pub(crate) async fn show(&self, progress: &Progress, health: &Health) -> Infallible {
        let every = if self.terminal { Duration::from_secs(1) } else { LINE_EVERY };
        let mut ticks = tokio::time::interval_at((Instant::now() + every).into(), every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut rate = Rate::new(progress);
        loop {
            ticks.tick().await;
            let line = rate.line(progress, health);
            if self.terminal {
                self.send(Out::Status(line));
            } else {
                tracing::info!("{line}");
            }
        }
    }

    /// Takes the line away, after all that was to be told; waits a moment for it.
    pub(crate) fn clear(&self) {
        let (cleared, done) = sync_channel(1);
        self.send(Out::Clear(cleared));
        // A stderr that takes nothing is not worth waiting for.
        let _ = done.recv_timeout(LAST_WORDS);
    }

    fn send(&self, out: Out) {
        // Full: stderr takes nothing now, and what is recorded is more than what is told.
        let _ = self.out.try_send(out);
    }
}

impl Write for StatusLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send(Out::Line(bytes.to_vec()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes what comes, until nobody is left who could send.
fn write_all(coming: &Receiver<Out>) {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
    while let Ok(out) = coming.recv() {
        match out {
            // A stderr that is gone is no reason to end.
            Out::Line(bytes) => drop(bar.suspend(|| io::stderr().write_all(&bytes))),
            Out::Status(line) => {
                bar.set_message(line);
                bar.tick();
            }
            Out::Clear(cleared) => {
                bar.finish_and_clear();
                let _ = cleared.try_send(());
            }
        }
    }
}

/// `10m`, or what was asked for when nothing was.
pub(crate) fn span(length: Option<Duration>) -> String {
    length.map_or_else(|| "until stopped".to_owned(), duration::format_duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_heap_is_a_gap_and_never_zero() {
        assert_eq!(sparkline([Some(0.0), None, Some(70.0), Some(35.0)].into_iter()), "▁ █▅");
    }

    #[test]
    fn a_flat_heap_is_a_flat_line() {
        assert_eq!(sparkline([Some(5.0); 3].into_iter()), "▁▁▁");
        assert_eq!(sparkline(std::iter::empty()), "");
    }

    #[test]
    fn the_line_says_unknown_before_the_first_sample() {
        let progress = Progress::default();
        assert_eq!(
            progress.line(Duration::from_secs(3725), 0.0, Some("NOT WRITTEN for 6 s")),
            "01:02:05  0 iterations  0.0/s  heap unknown   0 restarts  NOT WRITTEN for 6 s"
        );
    }

    #[test]
    fn the_sparkline_keeps_the_last_minute_only() {
        let progress = Progress::default();
        for value in 0..200 {
            progress.heap(Some(f64::from(value)));
        }
        assert_eq!(progress.0.heaps.lock().unwrap().len(), SPARKS);
    }
}
