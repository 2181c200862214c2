//! A reading: one value of one source, kept as the text it came as.
//!
//! Text, because a counter near 2^64 does not fit a double, and because the last reading is shown to people as they gave it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One value of one source at one instant, or unknown.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reading {
    /// No value: the time up to this reading is unknown.
    Unknown,
    /// A number as text; whether it is one that the source takes is decided by the update.
    Value(Box<str>),
}

impl Reading {
    /// A field of an update line: unknown if it starts with `U`, else the text as it is.
    pub fn from_text(text: &str) -> Reading {
        if text.starts_with('U') { Reading::Unknown } else { Reading::Value(text.into()) }
    }

    /// The text as it came, `U` for unknown.
    pub fn as_text(&self) -> &str {
        match self {
            Reading::Unknown => "U",
            Reading::Value(text) => text,
        }
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_text())
    }
}

impl From<f64> for Reading {
    /// The shortest text that reads back as the same double; not-a-number is unknown.
    fn from(value: f64) -> Reading {
        if value.is_nan() { Reading::Unknown } else { Reading::Value(shortest(value).into()) }
    }
}

/// Plain digits where they are short, else with an exponent; both read back as the same double.
pub(crate) fn shortest(value: f64) -> String {
    let plain = value == 0.0 || !value.is_finite() || (1e-5..1e16).contains(&value.abs());
    if plain { format!("{value}") } else { format!("{value:e}") }
}

impl From<u64> for Reading {
    fn from(value: u64) -> Reading {
        Reading::Value(value.to_string().into())
    }
}

impl From<Option<f64>> for Reading {
    fn from(value: Option<f64>) -> Reading {
        value.map_or(Reading::Unknown, Reading::from)
    }
}

impl From<Option<u64>> for Reading {
    fn from(value: Option<u64>) -> Reading {
        value.map_or(Reading::Unknown, Reading::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_survives_the_way_through_text() {
        for value in [0.0, -0.0, 0.1, 1e-300, 5e-324, 1e16, f64::MAX, f64::MIN, 123_456_789.125, f64::INFINITY] {
            let Reading::Value(text) = Reading::from(value) else { panic!("{value} became unknown") };
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits(), "{text}");
            assert!(text.len() <= 24, "{text}");
        }
    }

    #[test]
    fn not_a_number_is_unknown_and_not_a_text() {
        assert_eq!(Reading::from(f64::NAN), Reading::Unknown);
        assert_eq!(Reading::from(None::<f64>), Reading::Unknown);
        assert_eq!(Reading::from_text("U"), Reading::Unknown);
        assert_eq!(Reading::from_text("42").as_text(), "42");
    }
}
