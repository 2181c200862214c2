//! How the store does, and the alarm when what is recorded does not get into it: an event, a line on stderr, the status
//! line. It ends by itself when the store is written again.
//!
//! The writer's thread says what it achieves; whether that is too little is decided outside of it, because a thread that
//! a disk holds up says nothing.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::writer::Recording;

/// A commit takes milliseconds, on a busy disk a second; after this the alarm is raised.
const PATIENCE: Duration = Duration::from_secs(5);
/// On a full disk a commit succeeds now and then; an alarm is over when all of them did for so long.
const CALM: Duration = Duration::from_secs(5);
/// How often is looked.
const LOOK: Duration = Duration::from_secs(1);
/// An alarm that lasts is told again at this pace.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// What the writer's thread achieved last; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health(Arc<Mutex<State>>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct State {
    /// When the oldest of what is not yet written was handed over.
    waiting: Option<Instant>,
    /// When the first of the failed commits failed, and why the last one did.
    failing: Option<(Instant, String)>,
    dropped: u64,
}

impl Health {
    /// Something was handed to the writer.
    pub(crate) fn handed_over(&self, now: Instant) {
        self.state().waiting.get_or_insert(now);
    }

    /// Something could not be handed over: the queue is full.
    pub(crate) fn dropped(&self) {
        self.state().dropped += 1;
    }

    /// All that was handed over is written.
    pub(crate) fn written(&self) {
        let mut state = self.state();
        (state.waiting, state.failing) = (None, None);
    }

    /// It could not be written.
    pub(crate) fn failed(&self, now: Instant, reason: String) {
        let mut state = self.state();
        let since = state.failing.as_ref().map_or(now, |(since, _)| *since);
        state.failing = Some((since, reason));
    }

    /// What was dropped so far.
    pub(crate) fn drops(&self) -> u64 {
        self.state().dropped
    }

    /// For the status line: nothing as long as all is well.
    pub(crate) fn words(&self, now: Instant) -> Option<String> {
        let (since, _) = self.state().trouble(now)?;
        Some(format!("NOT WRITTEN for {} s", now.duration_since(since).as_secs()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each field is whole by itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Since when nothing is written, and why.
    fn trouble(&self, now: Instant) -> Option<(Instant, String)> {
        let stuck = || {
            let since = self.waiting.filter(|since| now.duration_since(*since) >= PATIENCE)?;
            Some((since, "the disk does not answer".to_owned()))
        };
        self.failing.clone().or_else(stuck)
    }
}

/// Raises the alarm and ends it, until it is dropped.
pub(crate) async fn watch(health: Health, recording: Recording) -> Infallible {
    let mut alarm = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let state = health.state().clone();
        let (next, said) = look(alarm, &state, Instant::now());
        alarm = next;
        match said {
            Said::Nothing => {}
            Said::Begins(reason) => {
                tracing::error!("the store cannot be written, and it is tried again: {reason}");
                recording.event_untold("store_failing", reason);
            }
            Said::Lasts(text) => tracing::error!("{text}"),
            Said::Over(text) => {
                tracing::warn!("the store is written again {text}");
                recording.event_untold("store_written", text);
            }
        }
    }
}

/// An alarm that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Alarm {
    since: Instant,
    told: Instant,
    /// When all was well again.
    calm: Option<Instant>,
    /// What had been dropped before.
    dropped: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Begins(String),
    Lasts(String),
    Over(String),
}

fn look(alarm: Option<Alarm>, state: &State, now: Instant) -> (Option<Alarm>, Said) {
    match (alarm, state.trouble(now)) {
        (None, None) => (None, Said::Nothing),
        (None, Some((since, reason))) => {
            (Some(Alarm { since, told: now, calm: None, dropped: state.dropped }), Said::Begins(reason))
        }
        (Some(alarm), Some((_, reason))) if now.duration_since(alarm.told) >= TELL_AGAIN => {
            let seconds = now.duration_since(alarm.since).as_secs();
            let text = format!("still nothing is written, for {seconds} s: {reason}");
            (Some(Alarm { told: now, calm: None, ..alarm }), Said::Lasts(text))
        }
        (Some(alarm), Some(_)) => (Some(Alarm { calm: None, ..alarm }), Said::Nothing),
        (Some(alarm), None) => {
            let calm = alarm.calm.unwrap_or(now);
            if now.duration_since(calm) < CALM {
                return (Some(Alarm { calm: Some(calm), ..alarm }), Said::Nothing);
            }
            let seconds = calm.duration_since(alarm.since).as_secs();
            let lost = match state.dropped - alarm.dropped {
                0 => "nothing is lost".to_owned(),
                dropped => format!("{dropped} messages found no room in memory and are lost"),
            };
            (None, Said::Over(format!("after {seconds} s; {lost}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(begun: Instant, seconds: u64) -> Instant {
        begun + Duration::from_secs(seconds)
    }

    #[test]
    fn an_alarm_is_raised_once_told_again_each_minute_and_ends_by_itself() {
        let (health, begun) = (Health::default(), Instant::now());
        health.failed(begun, "no room".to_owned());
        let (alarm, said) = look(None, &health.state(), after(begun, 1));
        assert_eq!(said, Said::Begins("no room".to_owned()));
        health.failed(after(begun, 30), "no room".to_owned());
        let (alarm, said) = look(alarm, &health.state(), after(begun, 30));
        assert_eq!(said, Said::Nothing);
        let (alarm, said) = look(alarm, &health.state(), after(begun, 61));
        assert!(matches!(said, Said::Lasts(text) if text.contains("61 s: no room")));
        health.written();
        let (alarm, said) = look(alarm, &health.state(), after(begun, 66));
        assert_eq!(said, Said::Nothing, "one commit that fits does not end it");
        health.failed(after(begun, 67), "no room".to_owned());
        let (alarm, _) = look(alarm, &health.state(), after(begun, 68));
        health.written();
        let (alarm, _) = look(alarm, &health.state(), after(begun, 70));
        let (alarm, said) = look(alarm, &health.state(), after(begun, 75));
        assert_eq!((alarm, said), (None, Said::Over("after 70 s; nothing is lost".to_owned())));
    }

    #[test]
    fn a_disk_that_holds_the_writer_up_is_noticed_though_it_says_nothing() {
        let (health, begun) = (Health::default(), Instant::now());
        for second in 0..9 {
            health.handed_over(after(begun, second));
        }
        assert_eq!(health.words(after(begun, 4)), None);
        assert_eq!(health.words(after(begun, 9)).as_deref(), Some("NOT WRITTEN for 9 s"));
        let (alarm, said) = look(None, &health.state(), after(begun, 9));
        assert_eq!(said, Said::Begins("the disk does not answer".to_owned()));
        (0..3).for_each(|_| health.dropped());
        health.written();
        let (alarm, _) = look(alarm, &health.state(), after(begun, 20));
        let (_, said) = look(alarm, &health.state(), after(begun, 25));
        assert!(matches!(said, Said::Over(text) if text.contains("3 messages")));
    }

    #[test]
    fn a_long_step_with_nothing_to_write_is_no_alarm() {
        let (health, begun) = (Health::default(), Instant::now());
        health.handed_over(begun);
        health.written();
        assert_eq!(health.words(after(begun, 3600)), None);
    }
}
