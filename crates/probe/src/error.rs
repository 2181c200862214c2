//! What makes a target unreadable for good, as opposed to a reading that is unknown this time.
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
}
