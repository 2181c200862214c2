//! What a service manager such as systemd is told: that sampling began, how it goes, that the end began, and, as often
//! as it asks, that ticks and writer are alive. Without `NOTIFY_SOCKET` nobody listens, and nothing is told.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use tokio::time::MissedTickBehavior;

use super::health::Health;
use super::status::{Progress, Rate};

/// How often the status is told where no watchdog asks for more.
const STATUS_EVERY: Duration = Duration::from_secs(30);
/// The end waits no longer than this for a manager that does not listen.
const PATIENCE: Duration = Duration::from_secs(1);
/// Ticks later than two steps and this come no more: a machine that stands still for seconds is not yet a fault.
const TICK_GRACE: Duration = Duration::from_secs(10);
/// The writer comes round every three seconds, and after a busy disk's five: later than this it hangs.
const WRITER_GRACE: Duration = Duration::from_secs(60);
/// A status is one line for people.
const STATUS_CHARS: usize = 200;

/// When ticks and writer last gave a sign of life; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Pulse(Arc<Mutex<Beats>>);

#[derive(Debug, Clone, Copy)]
struct Beats {
    tick: Instant,
    writer: Instant,
}

impl Pulse {
    /// Both are alive at `now`.
    pub(crate) fn new(now: Instant) -> Self {
        Self(Arc::new(Mutex::new(Beats { tick: now, writer: now })))
    }

    /// A tick's sample was handed on.
    pub(crate) fn ticked(&self, now: Instant) {
        self.beats().tick = now;
    }

    /// The writer came round once more, whether or not the disk took what it wrote.
    pub(crate) fn came_round(&self, now: Instant) {
        self.beats().writer = now;
    }

    fn is_alive(&self, now: Instant, step: Duration) -> bool {
        let beats = *self.beats();
        let ticks = now.duration_since(beats.tick) <= step.saturating_mul(2).saturating_add(TICK_GRACE);
        ticks && now.duration_since(beats.writer) <= WRITER_GRACE
    }

    fn beats(&self) -> MutexGuard<'_, Beats> {
        // Each beat is whole by itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The manager that started us, if one did.
#[derive(Debug)]
pub(crate) struct Manager {
    listens: bool,
    /// Without a sign of life for this long it ends us.
    watchdog: Option<Duration>,
}

impl Manager {
    /// As the environment says.
    pub(crate) fn of_environment() -> Self {
        let watchdog = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero());
        Self { listens: std::env::var_os("NOTIFY_SOCKET").is_some(), watchdog }
    }

    /// Tells that sampling began, and then how it goes, until dropped.
    pub(crate) async fn keep_told(
        &self,
        progress: &Progress,
        health: &Health,
        pulse: &Pulse,
        step: Duration,
    ) -> Infallible {
        if !self.listens {
            return std::future::pending().await;
        }
        if let Err(error) = say(vec![NotifyState::Ready], "recording".to_owned()).await {
            tracing::warn!("the service manager cannot be told that sampling began: NOTIFY_SOCKET: {error}");
        }
        // Half of the limit, so that one sign that comes late is no end.
        let every = self.watchdog.map_or(STATUS_EVERY, |limit| limit / 2).max(Duration::from_millis(1));
        let mut pace = tokio::time::interval(every);
        pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut rate = Rate::new(progress);
        loop {
            pace.tick().await;
            let alive = pulse.is_alive(Instant::now(), step);
            let status = if alive { rate.line(progress, health) } else { "ticks or writer hang".to_owned() };
            let sign = if alive && self.watchdog.is_some() { vec![NotifyState::Watchdog] } else { Vec::new() };
            if let Err(error) = say(sign, status).await {
                tracing::debug!("the service manager was not told: {error}");
            }
        }
    }

    /// Tells that the end began, and why.
    pub(crate) async fn stopping(&self, reason: &str) {
        if self.listens {
            // Who does not listen at the end misses nothing that the exit does not say.
            let _ = tokio::time::timeout(PATIENCE, say(vec![NotifyState::Stopping], format!("ending: {reason}"))).await;
        }
    }
}

/// Says it on a thread of its own: a manager that stands still must not hold up a tick.
async fn say(states: Vec<NotifyState<'static>>, status: String) -> Result<(), String> {
    let said = tokio::task::spawn_blocking(move || {
        let status = one_line(&status);
        let all: Vec<NotifyState<'_>> = states.into_iter().chain([NotifyState::Status(&status)]).collect();
        sd_notify::notify(&all)
    });
    said.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

/// A second line would be a message of its own, and a reason may quote what a page or a program said.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(STATUS_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_secs(1);

    #[test]
    fn a_watchdog_is_not_fed_when_either_ticks_or_writer_hang() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let pulse = Pulse::new(begun);
        pulse.ticked(at(50));
        assert!(pulse.is_alive(at(60), STEP));
        assert!(!pulse.is_alive(at(63), STEP), "no ticks");
        pulse.ticked(at(61));
        assert!(!pulse.is_alive(at(61), STEP), "the writer hangs");
        pulse.came_round(at(61));
        assert!(pulse.is_alive(at(61), STEP));
    }

    #[test]
    fn a_long_step_is_not_a_hanging_one() {
        let begun = Instant::now();
        let pulse = Pulse::new(begun);
        pulse.came_round(begun + Duration::from_secs(600));
        assert!(pulse.is_alive(begun + Duration::from_secs(600), Duration::from_secs(300)));
        assert!(!pulse.is_alive(begun + Duration::from_secs(620), Duration::from_secs(300)));
    }

    #[test]
    fn words_of_a_page_are_no_messages_to_the_manager() {
        assert_eq!(one_line("gone: a\nMAINPID=1\r\nREADY=1"), "gone: a MAINPID=1  READY=1");
        assert_eq!(one_line(&"é".repeat(500)).chars().count(), STATUS_CHARS);
    }
}
