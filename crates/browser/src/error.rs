//! What can go wrong before and after a session: finding, starting and ending the driver.
use std::{io, path::PathBuf, time::Duration};

/// An error of starting or ending a driver. What goes wrong inside a session is a [`Fault`](crate::Fault).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrowserError {
    /// No such program on this machine.
    #[error("no {what} found (looked for {tried}); install it with `{install}`, or name the program by its path")]
    NotFound {
        /// `browser` or `driver`.
        what: &'static str,
        /// The names and places that were tried.
        tried: String,
        /// The command that installs it.
        install: &'static str,
    },
    /// The folder of the run could not be made.
    #[error("cannot make a folder for the run in {}: {source}; point TMPDIR to a folder that can be written to", path.display())]
    RunFolder {
        /// The folder in which it was to be made.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("cannot start {}: {source}; check that the file is there and may be executed", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The driver, or the guardian above it, is no more.
    #[error("the driver ended ({status}){}", said(tail))]
    DriverEnded {
        /// Exit status in words.
        status: String,
        /// The last lines that it wrote.
        tail: String,
    },
    /// The driver found the ports that it chose taken, again and again.
    #[error("the driver found no free port{}; too many programs may be listening on this machine", said(tail))]
    PortTaken {
        /// The last lines that it wrote.
        tail: String,
    },
    /// The driver did not say in time that it is ready.
    #[error("the driver was not ready within {} ms{}; the machine may be overloaded, or it is no chromedriver", after.as_millis(), said(tail))]
    DriverSilent {
        /// How long was waited.
        after: Duration,
        /// The last lines that it wrote.
        tail: String,
    },
    /// Processes of the run are still there after all that could be done.
    #[error("{} of the browser's processes are left after {} ms: {pids:?}; end them with `kill -9`", pids.len(), after.as_millis())]
    Leftover {
        /// Their process ids.
        pids: Vec<i32>,
        /// How long it was tried.
        after: Duration,
    },
    /// A driver's URL that cannot be used. Holds no password.
    #[error("the driver's URL {url} cannot be used: {reason}")]
    RemoteUrl {
        /// The URL without credentials.
        url: String,
        /// What is wrong, and what to do.
        reason: &'static str,
    },
}

fn said(tail: &str) -> String {
    if tail.is_empty() { String::new() } else { format!("; it said: {tail}") }
}
