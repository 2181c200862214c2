//! The definition of a round-robin database, checked: step, data sources, archives.

use std::collections::HashSet;

use crate::archive::Archive;
use crate::source::{Source, SourceName};

/// The longest time that a step, a heartbeat or an archive may cover, in microseconds: 73 000 years. Sums of a time and
/// a few such spans then still fit, so that the arithmetic cannot wrap.
pub const MAX_SPAN_US: u64 = 1 << 61;

/// Why a definition was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// A step that is zero or too long.
    #[error("step of {micros} µs is out of range: give 1 µs to 73000 years, such as 1s")]
    Step {
        /// The step asked for.
        micros: u64,
    },
    /// A heartbeat that is zero or too long.
    #[error("heartbeat of {micros} µs is out of range: give 1 µs to 73000 years, such as 2s")]
    Heartbeat {
        /// The heartbeat asked for.
        micros: u64,
    },
    /// An xff that is no number in 0 ≤ xff < 1.
    #[error("xff `{text}` is not a number from 0 to below 1: give the part of a row that may be unknown, such as 0.5")]
    Xff {
        /// The xff as written.
        text: String,
    },
    /// A name that a source cannot have.
    #[error("source name `{text}` is not 1 to 19 of A-Z a-z 0-9 - _: choose another name")]
    Name {
        /// The name as written.
        text: String,
    },
    /// Two sources of the same name.
    #[error("source name `{name}` is used twice: give each source its own name")]
    NameTwice {
        /// The name.
        name: SourceName,
    },
    /// A type of source that does not exist.
    #[error("source type `{text}` is not known: use GAUGE, COUNTER, DERIVE, DCOUNTER, DDERIVE or ABSOLUTE")]
    SourceType {
        /// The type as written.
        text: String,
    },
    /// A consolidation function that does not exist.
    #[error("consolidation function `{text}` is not known: use AVERAGE, MIN, MAX or LAST")]
    Cf {
        /// The function as written.
        text: String,
    },
    /// A minimum or maximum that is neither a number nor `U`.
    #[error("limit `{text}` is not a finite number: give a number, or U for no limit")]
    Limit {
        /// The limit as written.
        text: String,
    },
    /// A minimum that is not below the maximum, or a limit that is not finite.
    #[error("limits of source `{name}` are not in order: minimum {min} must be below maximum {max}, or U for no limit")]
    Limits {
        /// The source.
        name: SourceName,
        /// The minimum as written, `U` for none.
        min: String,
        /// The maximum as written, `U` for none.
        max: String,
    },
    /// A duration that cannot be read.
    #[error(
        "duration `{text}` is not a number of seconds or a number with us, ms, s, m, h, d, w, M or y: write 0.05, 50ms or 5s"
    )]
    Duration {
        /// The duration as written.
        text: String,
    },
    /// A count that cannot be read.
    #[error("count `{text}` is not a whole number: write a number such as 2400, or a duration with a unit such as 2h")]
    Count {
        /// The count as written.
        text: String,
    },
    /// A duration that is no whole number of steps or rows.
    #[error("duration `{text}` is not a multiple of {unit} s: give a multiple, or a plain count")]
    NotAMultiple {
        /// The duration as written.
        text: String,
        /// What it should be a multiple of, in seconds.
        unit: String,
    },
    /// A source definition with the wrong number of fields.
    #[error(
        "source definition `{text}` has another form than DS:name:TYPE:heartbeat:min:max: write it like DS:heap_used:GAUGE:2:0:U"
    )]
    SourceForm {
        /// The definition as written.
        text: String,
    },
    /// An archive definition with the wrong number of fields.
    #[error(
        "archive definition `{text}` has another form than RRA:CF:xff:n:rows or CF:n:rows: write it like RRA:AVERAGE:0.5:3:2400"
    )]
    ArchiveForm {
        /// The definition as written.
        text: String,
    },
    /// An archive whose rows or PDPs per row are out of range.
    #[error("archive `{text}` needs at least 1 PDP per row and 1 to 100000000 rows: change the last two fields")]
    Rows {
        /// The archive.
        text: String,
    },
    /// An archive that covers more time than can be counted.
    #[error("archive `{text}` covers more than 73000 years: keep fewer rows or fewer PDPs per row")]
    TooLong {
        /// The archive.
        text: String,
    },
    /// No source at all.
    #[error("no data source is defined: give at least one, such as DS:heap_used:GAUGE:2:0:U")]
    NoSource,
    /// No archive at all.
    #[error("no archive is defined: give at least one, such as RRA:AVERAGE:0.5:3:2400")]
    NoArchive,
}

/// The primary interval of the archives: one PDP covers one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(u64);

impl Step {
    /// A step of `micros` microseconds.
    ///
    /// # Errors
    /// [`SchemaError::Step`] when it is 0 or longer than [`MAX_SPAN_US`].
    pub fn new(micros: u64) -> Result<Step, SchemaError> {
        if (1..=MAX_SPAN_US).contains(&micros) { Ok(Step(micros)) } else { Err(SchemaError::Step { micros }) }
    }

    /// The step in microseconds.
    pub fn micros(self) -> u64 {
        self.0
    }
}

/// The longest time between two readings of a source that still counts as known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Heartbeat(u64);

impl Heartbeat {
    /// A heartbeat of `micros` microseconds.
    ///
    /// # Errors
    /// [`SchemaError::Heartbeat`] when it is 0 or longer than [`MAX_SPAN_US`].
    pub fn new(micros: u64) -> Result<Heartbeat, SchemaError> {
        if (1..=MAX_SPAN_US).contains(&micros) { Ok(Heartbeat(micros)) } else { Err(SchemaError::Heartbeat { micros }) }
    }

    /// The heartbeat in microseconds.
    pub fn micros(self) -> u64 {
        self.0
    }
}

/// The x-files factor: the part of a row's PDPs that may be unknown while the row is known, 0 ≤ xff < 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Xff(f64);

impl Xff {
    /// Half of a row: what definitions without an xff get.
    pub const HALF: Xff = Xff(0.5);

    /// Checks a factor.
    ///
    /// # Errors
    /// [`SchemaError::Xff`] when it is not in 0 ≤ xff < 1.
    pub fn new(xff: f64) -> Result<Xff, SchemaError> {
        if (0.0..1.0).contains(&xff) { Ok(Xff(xff)) } else { Err(SchemaError::Xff { text: xff.to_string() }) }
    }

    /// The factor.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// A checked definition: at least one source and one archive, names unique, every archive countable.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    step: Step,
    sources: Vec<Source>,
    archives: Vec<Archive>,
}

impl Schema {
    /// Checks and keeps a definition; the order of sources and archives is theirs for good.
    ///
    /// # Errors
    /// A [`SchemaError`] that names the source or archive at fault.
    pub fn new(step: Step, sources: Vec<Source>, archives: Vec<Archive>) -> Result<Schema, SchemaError> {
        if sources.is_empty() {
            return Err(SchemaError::NoSource);
        }
        if archives.is_empty() {
            return Err(SchemaError::NoArchive);
        }
        let mut names = HashSet::new();
        for source in &sources {
            source.check()?;
            if !names.insert(&source.name) {
                return Err(SchemaError::NameTwice { name: source.name.clone() });
            }
        }
        archives.iter().try_for_each(|archive| archive.check(step))?;
        Ok(Schema { step, sources, archives })
    }

    /// The primary interval.
    pub fn step(&self) -> Step {
        self.step
    }

    /// The data sources, in the order of a sample's readings.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The archives, in the order of their numbers.
    pub fn archives(&self) -> &[Archive] {
        &self.archives
    }

    /// The time that a row of `archive` covers, in microseconds.
    pub fn row_us(&self, archive: &Archive) -> u64 {
        // Cannot saturate for an archive of this schema: `new` has checked rows × PDPs × step.
        self.step.0.saturating_mul(archive.pdps_per_row)
    }

    /// Appends a source.
    ///
    /// # Errors
    /// [`SchemaError::NameTwice`] or [`SchemaError::Limits`]; the schema is then as it was.
    pub(crate) fn add_source(&mut self, source: Source) -> Result<(), SchemaError> {
        source.check()?;
        if self.sources.iter().any(|s| s.name == source.name) {
            return Err(SchemaError::NameTwice { name: source.name });
        }
        self.sources.push(source);
        Ok(())
    }
}
