//! What makes a target unreadable for good, as opposed to a reading that is unknown this time.
use std::path::PathBuf;

use procfs::ProcError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The DevTools peer is gone, refuses, or is none.
    #[error(transparent)]
    DevTools(#[from] heapsoak_devtools::Error),
    /// The browser lists no page of this id.
    #[error(
        "no page {id} among the {listed} targets of {address}; its window was closed, or it belongs to another browser"
    )]
    NoSuchPage {
        /// Target id, which is the WebDriver window handle.
        id: String,
        /// The DevTools server that was asked.
        address: String,
        /// How many targets it listed.
        listed: usize,
    },
    /// The system does not let us read what every process may normally read.
    #[error("cannot read {what}: {source}; is /proc mounted, and without hidepid")]
    Proc {
        /// What was to be read.
        what: String,
        /// What the system said.
        source: ProcError,
    },
    /// The folder of a run cannot hold what watches Node programs.
    #[error("cannot watch Node programs from {}: {reason}; point TMPDIR to a folder of ours whose path has no spaces", path.display())]
    RunFolder {
        /// The folder, or the file in it.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The process is no Node program, or does not open its inspector.
    #[error("process {pid} cannot be attached to: {reason}")]
    NoInspector {
        /// Its process id.
        pid: u32,
        /// Why, and what to do.
        reason: String,
    },
}
