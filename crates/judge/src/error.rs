//! Why a store gives no verdict.

use std::path::PathBuf;

use heapsoak_store::StoreError;

/// Why there is no verdict over a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JudgeError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A source that was asked for is not in the store.
    #[error("{} has no source {name}; it has {}", path.display(), has.join(", "))]
    NoSuchSource {
        /// The store.
        path: PathBuf,
        /// The source that was asked for.
        name: String,
        /// The sources it has.
        has: Vec<String>,
    },
    /// None was asked for, and no source tells of memory.
    #[error("{} has no source that tells of memory; name one by --source", path.display())]
    NothingToJudge {
        /// The store.
        path: PathBuf,
    },
    /// The last run is shorter than the iteration to begin at.
    #[error("the last run has {done:.0} iterations: give --from-iteration a smaller number")]
    TooFewIterations {
        /// Iterations that it has.
        done: f64,
    },
}
