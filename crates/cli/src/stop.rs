//! The wish to stop: SIGINT or SIGTERM. The first one asks, the second one ends the process at once.
//!
//! Signals are taken by a thread of their own, so that a second Ctrl-C ends a program whose other threads hang.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::exit;

/// The signal that asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, as from Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Signal {
    /// The system's number for it.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }

    /// `SIGINT` or `SIGTERM`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

/// A handle to the wish to stop; clones share it.
#[derive(Debug, Clone)]
pub struct Stop {
    wish: watch::Receiver<Option<Signal>>,
    /// Held by the handle itself when no signal thread holds it, so that waiting never sees a closed channel.
    _keep: Option<std::sync::Arc<watch::Sender<Option<Signal>>>>,
}

impl Stop {
    /// Takes over SIGINT and SIGTERM for the whole process. Call it once, early.
    ///
    /// # Errors
    /// When the system refuses a thread or a signal handler.
    pub fn install() -> io::Result<Self> {
        let (sender, wish) = watch::channel(None);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let (mut interrupt, mut terminate) = {
            let _inside = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let take = move || {
            runtime.block_on(async move {
                loop {
                    let got = tokio::select! {
                        _ = interrupt.recv() => Signal::Interrupt,
                        _ = terminate.recv() => Signal::Terminate,
                    };
                    if sender.borrow().is_some() {
                        std::process::exit(i32::from(exit::signal(got.number())));
                    }
                    sender.send_replace(Some(got));
                }
            });
        };
        std::thread::Builder::new().name("signals".to_owned()).stack_size(128 * 1024).spawn(take)?;
        Ok(Self { wish, _keep: None })
    }

    /// A handle that no signal reaches, and the means to ask by hand: for tests and for parts that end themselves.
    #[must_use]
    pub fn by_hand() -> (Self, StopSender) {
        let (sender, wish) = watch::channel(None);
        let sender = std::sync::Arc::new(sender);
        (Self { wish, _keep: Some(sender.clone()) }, StopSender(sender))
    }

    /// The signal that asked, if one did.
    #[must_use]
    pub fn requested(&self) -> Option<Signal> {
        *self.wish.borrow()
    }

    /// Resolves when the stop is asked for; at once when it was. Safe to drop and call again (cancel safe).
    pub async fn wait(&self) -> Signal {
        let mut wish = self.wish.clone();
        loop {
            if let Some(got) = *wish.borrow_and_update() {
                return got;
            }
            // The signal thread lives as long as the process; without it nobody can ask any more.
            if wish.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Sleeps for `duration` unless the stop is asked for first; true when it was asked for.
    pub async fn sleep(&self, duration: Duration) -> bool {
        tokio::time::timeout(duration, self.wait()).await.is_ok()
    }
}

/// Asks the handles of [`Stop::by_hand`] to stop.
#[derive(Debug, Clone)]
pub struct StopSender(std::sync::Arc<watch::Sender<Option<Signal>>>);

impl StopSender {
    /// Asks, as `signal` would.
    pub fn ask(&self, signal: Signal) {
        self.0.send_replace(Some(signal));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    #[test]
    fn a_sleep_ends_when_the_stop_is_asked_for() {
        let (stop, sender) = Stop::by_hand();
        assert!(!run(stop.sleep(Duration::from_millis(1))));
        sender.ask(Signal::Terminate);
        assert!(run(stop.sleep(Duration::from_secs(3600))));
        assert_eq!(stop.requested(), Some(Signal::Terminate));
    }

    #[test]
    fn a_clone_made_before_the_wish_hears_it_too() {
        let (stop, sender) = Stop::by_hand();
        let clone = stop.clone();
        sender.ask(Signal::Interrupt);
        assert_eq!(run(clone.wait()), Signal::Interrupt);
    }
}
