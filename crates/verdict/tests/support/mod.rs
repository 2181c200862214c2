//! What the tests of the verdict share: recordings from `data/`, made-up heaps, and the rule "never wrong, at no time".
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its own part; a broken fixture must fail loudly"
)]

pub(crate) mod heap;
pub(crate) mod simulation;

use std::path::PathBuf;

use heapsoak_verdict::{Collection, Floor, Kind, Progress, Sample, Series, Settings, Unit, Verdict, Word, decide};

/// A recording with its truth.
pub(crate) struct Recording {
    pub(crate) file: String,
    pub(crate) is_leak: bool,
    /// Seconds at which the leak begins.
    pub(crate) leak_from_s: f64,
    pub(crate) ends: String,
    folder: PathBuf,
}

fn data(folder: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../data").join(folder)
}

/// The recordings that `TRUTH.csv` of a folder lists.
pub(crate) fn recordings(folder: &str) -> Vec<Recording> {
    let mut reader = csv::Reader::from_path(data(folder).join("TRUTH.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|h| h == name).unwrap();
    let (file, leak, from, ends) = (column("file"), column("leak"), column("leak_from_s"), column("ends"));
    let recording = |row: csv::StringRecord| Recording {
        file: row[file].to_owned(),
        is_leak: &row[leak] == "1",
        leak_from_s: row[from].parse().unwrap_or(0.0),
        ends: row[ends].to_owned(),
        folder: data(folder),
    };
    reader.records().map(|row| recording(row.unwrap())).collect()
}

impl Recording {
    /// One column as a series, without floors; `None` when the recording has no such column.
    pub(crate) fn samples(&self, source: &str) -> Option<Series> {
        let mut reader = csv::Reader::from_path(self.folder.join(&self.file)).unwrap();
        let header = reader.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|h| h == name);
        let value = column(source)?;
        let kind = if source.contains("heap") { Kind::Heap } else { Kind::Plain };
        let mut series = Series::new(source, kind, Unit::Bytes);
        for row in reader.records().map(Result::unwrap) {
            let time = row[0].parse().unwrap();
            series.samples.push(Sample { time, value: row[value].parse().ok() });
            if let Some(iterations) = column("iterations").or(column("ops")).and_then(|i| row[i].parse().ok()) {
                series.progress.push(Progress { time, iterations });
            }
        }
        Some(series)
    }

    /// The heap with its floors, where there is a file of them.
    pub(crate) fn floors(&self) -> Option<Series> {
        let file = self.folder.join(self.file.replace(".csv", ".floors.csv"));
        let mut reader = csv::Reader::from_path(file).ok()?;
        let mut series = self.samples("heap_used")?;
        for row in reader.records().map(Result::unwrap) {
            let (time, value) = (row[0].parse().unwrap(), row[1].parse().unwrap());
            series.floors.push(Floor { time, value, collection: Collection::Forced });
        }
        Some(series)
    }
}

/// The series as it was after `seconds`.
pub(crate) fn prefix(series: &Series, seconds: f64) -> Series {
    let mut short = series.clone();
    short.samples.retain(|s| s.time <= seconds);
    short.floors.retain(|f| f.time <= seconds);
    short.progress.retain(|p| p.time <= seconds);
    short
}

/// A verdict at each quarter of a minute and at the end, with the seconds after which it was given.
pub(crate) fn looks(series: &Series) -> Vec<(f64, Verdict)> {
    let end = series.samples.last().map_or(0.0, |s| s.time);
    let times = (4..).map(|i| f64::from(i) * 15.0).take_while(|t| *t < end).chain([end]);
    times.map(|t| (t, decide(&prefix(series, t), &Settings::default()))).collect()
}

/// The looks at which the word was wrong. While a late leak has not begun, or only just, "steady" is right.
pub(crate) fn wrong(series: &Series, is_leak: bool, leak_from_s: f64) -> Vec<String> {
    const TO_BE_SEEN_S: f64 = 60.0;
    let is_wrong = |after: f64, word: Word| match word {
        Word::Undecided => false,
        Word::Leak => !is_leak || after < leak_from_s,
        Word::Steady => is_leak && after > leak_from_s + TO_BE_SEEN_S,
    };
    let all = looks(series).into_iter().filter(|(after, verdict)| is_wrong(*after, verdict.verdict));
    all.map(|(after, verdict)| format!("after {after} s: {} ({})", verdict.verdict.as_str(), verdict.reason)).collect()
}
