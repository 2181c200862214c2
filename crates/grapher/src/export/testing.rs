//! A small store for the tests of the formats.
#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure ends the test")]

use std::path::{Path, PathBuf};

use heapsoak_rrd::{Archive, Reading, Source, Step, Time};
use heapsoak_store::{Existing, Info, NewRun, NewSource, Reader, Writer};

use super::{Choice, Format};

/// A multiple of all rows.
pub(crate) const START_S: i64 = 1_700_000_040;

pub(crate) struct Store {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

/// `seconds` readings of two sources, one of them unknown at each seventh second; archives of 1 s and 10 s.
pub(crate) fn store(seconds: i64) -> Store {
    let source = |text: &str, unit: &str, description: &str| {
        let source: Source = text.parse().unwrap();
        NewSource { unit: unit.to_owned(), description: description.to_owned(), ..source.into() }
    };
    let sources = [
        source("DS:heap_used:GAUGE:2:0:U", "bytes", "of \"a\" test\n\\"),
        source("DS:hits-in:DERIVE:2:0:U", "per second", ""),
    ];
    let mut store = Store::with(&sources, &["AVERAGE:1:60", "AVERAGE:10:100", "MAX:10:100"]);
    let mut writer = Writer::open(&store.path).unwrap();
    writer.begin_run(NewRun {
        started: Time::from_secs(START_S),
        pid: 7,
        target: "node \"app.js\" <&>".to_owned(),
        command: String::new(),
        version: String::new(),
        time_zone: String::new(),
    });
    writer.event(Time::from_secs(START_S + 3), "restart", "of the browser").unwrap();
    for second in 1..=seconds {
        let heap = if second % 7 == 0 { Reading::Unknown } else { Reading::from(second.unsigned_abs() * 1000) };
        writer.update(Time::from_secs(START_S + second), &[heap, Reading::from(second.unsigned_abs() * 2)]).unwrap();
    }
    writer.close().unwrap();
    store.path = std::path::absolute(&store.path).unwrap();
    store
}

impl Store {
    pub(crate) fn with(sources: &[NewSource], archives: &[&str]) -> Store {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("soak.db");
        let step = Step::new(1_000_000).unwrap();
        let archives: Vec<_> = archives.iter().map(|text| Archive::parse(text, step).unwrap()).collect();
        let start = Time::from_secs(START_S);
        Writer::create(&path, step, sources, &archives, start, Existing::Refuse).unwrap().close().unwrap();
        Store { _folder: folder, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn info(&self) -> anyhow::Result<Info> {
        Ok(Reader::open(&self.path)?.info()?)
    }

    /// The text of an export.
    pub(crate) fn export(&self, format: Format, choice: &Choice) -> anyhow::Result<String> {
        let whole = Reader::open(&self.path)?.whole(|info| super::wanted(format, choice, info))?;
        let mut out = Vec::new();
        super::write(format, &mut out, &whole)?;
        Ok(String::from_utf8(out)?)
    }

    pub(crate) fn update(&self, micros: i64, readings: &[Reading]) {
        let mut writer = Writer::open(&self.path).unwrap();
        writer.update(Time::from_micros(micros), readings).unwrap();
        writer.close().unwrap();
    }
}
