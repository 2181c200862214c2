//! How a run ends, in words for the store and as an exit status.

use std::time::Duration;

use heapsoak_cli::{duration, exit, stop::Signal};

use super::command::StartError;

/// Why the run is over.
#[derive(Debug)]
pub(crate) enum Ending {
    /// A person or a supervisor asked.
    Stopped(Signal),
    /// `--duration` is over.
    Duration(Duration),
    /// `--duration` is over, and in all of it no iteration of the page was done.
    NeverDriven(Duration),
    /// `--iterations` are done.
    Iterations(u64),
    /// The browser did not get up any more.
    GaveUp(String),
    /// Nothing was ever sampled: the browser or the page could not be had.
    CannotStart(anyhow::Error),
    /// `--stop-on-leak`: a leak is decided.
    Leak(String),
    /// The command ended, with this status.
    Command {
        /// How, in words.
        reason: String,
        /// As the shell has it.
        status: u8,
    },
    /// The command could not be started.
    CommandNotStarted(StartError),
    /// All that was attached to is gone.
    TargetsGone(String),
    /// The store can be written no more.
    StoreFailed {
        /// Why.
        reason: String,
        /// The status of the command, which went on unrecorded.
        command: Option<u8>,
    },
}

impl Ending {
    /// One line for people.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Stopped(signal) => format!("stopped by {}", signal.name()),
            Self::Duration(length) => format!("{} are over", duration::format_duration(*length)),
            Self::NeverDriven(length) => format!(
                "{} are over, and no iteration was done: driver, browser or page did not answer in that time",
                duration::format_duration(*length)
            ),
            Self::Iterations(count) => format!("{count} iterations are done"),
            Self::GaveUp(reason) => format!("gave up: {reason}"),
            Self::CannotStart(error) => format!("could not start: {error:#}"),
            Self::Leak(sentence) => format!("leak: {sentence}"),
            Self::Command { reason, .. } => reason.clone(),
            Self::CommandNotStarted(error) => error.to_string(),
            Self::TargetsGone(names) => format!("gone: {names}"),
            Self::StoreFailed { reason, .. } => format!("the store failed: {reason}"),
        }
    }

    /// Whether there was something to sample, of which a last sample may be taken.
    pub(crate) fn has_sampled(&self) -> bool {
        !matches!(self, Self::CannotStart(_) | Self::CommandNotStarted(_) | Self::StoreFailed { .. })
    }

    /// The recorder's exit status.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Stopped(_) | Self::Duration(_) | Self::Iterations(_) => exit::OK,
            Self::GaveUp(_) | Self::TargetsGone(_) | Self::NeverDriven(_) => exit::ENDED,
            Self::Leak(_) => exit::LEAK,
            Self::Command { status, .. } => *status,
            Self::CommandNotStarted(error) => error.status(),
            Self::StoreFailed { command: Some(status), .. } if *status != exit::OK => *status,
            Self::CannotStart(_) | Self::StoreFailed { .. } => exit::TROUBLE,
        }
    }
}
