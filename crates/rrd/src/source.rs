//! What a data source is: its name, the meaning of its readings, and which of them are believed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::duration;
use crate::schema::{Heartbeat, SchemaError};
use crate::time::seconds;

/// The name of a data source: 1 to 19 of `[-A-Za-z0-9_]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(Box<str>);

impl SourceName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`SchemaError::Name`] when it is empty, too long or has other characters.
    pub fn new(text: &str) -> Result<SourceName, SchemaError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if (1..=19).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(SourceName(text.into()))
        } else {
            Err(SchemaError::Name { text: text.to_owned() })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SourceName {
    type Err = SchemaError;

    fn from_str(text: &str) -> Result<SourceName, SchemaError> {
        SourceName::new(text)
    }
}

/// What a reading means, and so how it becomes a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SourceType {
    /// The value itself, such as bytes in use.
    Gauge,
    /// A whole number that only grows; any decrease is a wrap at 2^32 or 2^64.
    Counter,
    /// A whole number whose change per second is wanted, up or down.
    Derive,
    /// A number with decimals that only grows; a decrease is a reset, and unknown.
    DCounter,
    /// A number with decimals whose change per second is wanted, up or down.
    DDerive,
    /// A count since the last reading: each reading resets the counter behind it.
    Absolute,
}

const TYPES: [(SourceType, &str); 6] = [
    (SourceType::Gauge, "GAUGE"),
    (SourceType::Counter, "COUNTER"),
    (SourceType::Derive, "DERIVE"),
    (SourceType::DCounter, "DCOUNTER"),
    (SourceType::DDerive, "DDERIVE"),
    (SourceType::Absolute, "ABSOLUTE"),
];

impl fmt::Display for SourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = TYPES.iter().find(|(kind, _)| kind == self).map_or("", |(_, name)| *name);
        f.write_str(name)
    }
}

impl FromStr for SourceType {
    type Err = SchemaError;

    fn from_str(text: &str) -> Result<SourceType, SchemaError> {
        let found = TYPES.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind);
        found.ok_or_else(|| SchemaError::SourceType { text: text.to_owned() })
    }
}

/// A data source: one named series.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Its name, unique in a schema.
    pub name: SourceName,
    /// What its readings mean.
    pub kind: SourceType,
    /// Two readings further apart than this leave the time between them unknown.
    pub heartbeat: Heartbeat,
    /// The lowest rate that is believed, in the source's unit (per second for all but gauges); `None`: no limit.
    pub min: Option<f64>,
    /// The highest rate that is believed; `None`: no limit.
    pub max: Option<f64>,
}

impl Source {
    /// Whether the limits are numbers in ascending order; [`crate::Schema::new`] asks it of every source.
    ///
    /// # Errors
    /// [`SchemaError::Limits`] when they are not.
    pub(crate) fn check(&self) -> Result<(), SchemaError> {
        let finite = [self.min, self.max].into_iter().flatten().all(f64::is_finite);
        let ascending = !matches!((self.min, self.max), (Some(min), Some(max)) if min >= max);
        if finite && ascending {
            return Ok(());
        }
        Err(SchemaError::Limits { name: self.name.clone(), min: limit(self.min), max: limit(self.max) })
    }
}

fn limit(value: Option<f64>) -> String {
    value.map_or_else(|| "U".to_owned(), |v| v.to_string())
}

impl fmt::Display for Source {
    /// `DS:name:TYPE:heartbeat:min:max`, heartbeat in seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heartbeat = seconds(self.heartbeat.micros());
        write!(f, "DS:{}:{}:{heartbeat}:{}:{}", self.name, self.kind, limit(self.min), limit(self.max))
    }
}

impl FromStr for Source {
    type Err = SchemaError;

    /// Reads `DS:name:TYPE:heartbeat:min:max`. The heartbeat is seconds, decimals allowed, or has a suffix
    /// (`50ms`, `5s`, `2m`); a limit is a number or `U`.
    fn from_str(text: &str) -> Result<Source, SchemaError> {
        let fields: Vec<&str> = text.split(':').collect();
        let &["DS", name, kind, heartbeat, min, max] = fields.as_slice() else {
            return Err(SchemaError::SourceForm { text: text.to_owned() });
        };
        let source = Source {
            name: name.parse()?,
            kind: kind.parse()?,
            heartbeat: Heartbeat::new(duration::parse(heartbeat)?)?,
            min: parse_limit(min)?,
            max: parse_limit(max)?,
        };
        source.check()?;
        Ok(source)
    }
}

fn parse_limit(text: &str) -> Result<Option<f64>, SchemaError> {
    if text == "U" {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Some(value)),
        _ => Err(SchemaError::Limit { text: text.to_owned() }),
    }
}
