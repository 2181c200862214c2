//! Why a file could not be imported: always which line of it.

use heapsoak_rrd::SchemaError;

/// A file that is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// One line of it.
    #[error("line {line}: {what}")]
    Line {
        /// Which, from 1.
        line: u64,
        /// What is wrong with it, and what would be right.
        what: String,
    },
    /// All of it together.
    #[error("{0}")]
    Whole(String),
    /// Step, sources and archives do not fit together.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

impl ImportError {
    pub(super) fn at(line: u64, what: impl Into<String>) -> Self {
        Self::Line { line, what: what.into() }
    }
}

/// The most values, and a few for each row, that are taken into memory: as many as the store gives out at once.
pub(super) const MAX_VALUES: usize = 20_000_000;

/// What a row takes up besides its values.
pub(super) const ROW_VALUES: usize = 4;

/// Text of a file for an error: the beginning of it, made visible.
pub(super) fn shown(text: &str) -> String {
    const SHOWN: usize = 40;
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let cut: String = text.chars().take(SHOWN).map(visible).collect();
    if text.chars().nth(SHOWN).is_some() { format!("`{cut}…`") } else { format!("`{cut}`") }
}
