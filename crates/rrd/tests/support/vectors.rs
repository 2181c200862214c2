//! The stored answers of real rrdtool: how a line of `data/rrd/vectors-dev.jsonl` is laid out.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Values of a row, `None` where rrdtool says unknown.
pub(crate) type Rows = Vec<(i64, Vec<Option<f64>>)>;

#[derive(Deserialize)]
pub(crate) struct Scenario {
    pub(crate) id: String,
    pub(crate) tags: Vec<String>,
    pub(crate) create: Create,
    pub(crate) argv: Vec<String>,
    /// Time as text, readings as text, time in microseconds.
    pub(crate) updates: Vec<(String, Vec<String>, i64)>,
    /// Index into `updates`, kind, rrdtool's message.
    pub(crate) errors: Vec<(usize, String, String)>,
    pub(crate) fetch: Vec<Fetch>,
    pub(crate) last: i64,
    pub(crate) lastupdate: LastUpdate,
    pub(crate) first: Vec<i64>,
}

#[derive(Deserialize)]
pub(crate) struct Create {
    pub(crate) start: i64,
    pub(crate) step: u64,
    pub(crate) ds: Vec<Ds>,
    pub(crate) rra: Vec<Rra>,
}

#[derive(Deserialize)]
pub(crate) struct Ds {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) heartbeat: u64,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
}

#[derive(Deserialize)]
pub(crate) struct Rra {
    pub(crate) cf: String,
    pub(crate) xff: f64,
    pub(crate) pdp_per_row: u64,
    pub(crate) rows: u64,
}

#[derive(Deserialize)]
pub(crate) struct Fetch {
    /// Asked after so many updates, counting refused ones.
    pub(crate) after: usize,
    pub(crate) cf: String,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) resolution: u64,
    pub(crate) error: Option<String>,
    pub(crate) rra: Option<usize>,
    pub(crate) got: Option<(i64, i64, u64)>,
    #[serde(default)]
    rows: Rows,
    rows_us: Option<Rows>,
}

impl Fetch {
    /// The rows with unknown time in microseconds: where times have fractions they differ from rrdtool's own.
    pub(crate) fn rows(&self) -> &Rows {
        self.rows_us.as_ref().unwrap_or(&self.rows)
    }
}

#[derive(Deserialize)]
pub(crate) struct LastUpdate {
    pub(crate) t: i64,
    /// The last reading as text, by the name of the source.
    pub(crate) ds: BTreeMap<String, String>,
}

/// Quirks of rrdtool that this crate deliberately does not have; the value is why it would be wrong.
const DECLINED: [(&str, &str); 4] = [
    ("quirk:oldest-row-after-gap", "the oldest row after a long gap shows a value from before the gap"),
    ("quirk:counter32-wrap", "a 32-bit wrap counts one too few"),
    ("quirk:counter64-wrap", "a 64-bit wrap is off by thousands"),
    ("quirk:dcounter-zero", "a reset to 0 is taken for a step down"),
];

impl Scenario {
    /// Why rrdtool's rows are not the right answer here, if they are not.
    pub(crate) fn declined(&self) -> Option<&'static str> {
        DECLINED.iter().find(|(tag, _)| self.tags.iter().any(|t| t == tag)).map(|(_, why)| *why)
    }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/rrd/vectors-dev.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Equal to 1e-9 of the larger one; unknown equals unknown only.
pub(crate) fn same(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
        _ => false,
    }
}
