//! What the tests share: small stores, and bytes of files.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use heapsoak_rrd::{Archive, Reading, Source, Step, Time};
use heapsoak_store::{Existing, NewSource, Table, Writer};
use tempfile::TempDir;

/// A start on a multiple of every row length used here.
pub(crate) const START: i64 = 1_700_000_040;

pub(crate) fn at(seconds: i64) -> Time {
    Time::from_secs(START + seconds)
}

pub(crate) fn source(text: &str) -> NewSource {
    NewSource { source: text.parse::<Source>().unwrap(), unit: "bytes".to_owned(), description: "a test".to_owned() }
}

pub(crate) fn gauges(names: &[&str]) -> Vec<NewSource> {
    names.iter().map(|name| source(&format!("DS:{name}:GAUGE:2:U:U"))).collect()
}

pub(crate) fn second() -> Step {
    Step::new(1_000_000).unwrap()
}

pub(crate) fn archives(texts: &[&str]) -> Vec<Archive> {
    texts.iter().map(|text| Archive::parse(text, second()).unwrap()).collect()
}

/// Two sources, a fine and a coarse average, a minimum and a maximum.
pub(crate) const ARCHIVES: [&str; 4] = ["AVERAGE:3:20", "AVERAGE:60:10", "MIN:3:20", "MAX:3:20"];

pub(crate) fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("soak.db");
    (folder, path)
}

pub(crate) fn create(path: &Path) -> Writer {
    let sources = gauges(&["heap_used", "heap-total"]);
    Writer::create(path, second(), &sources, &archives(&ARCHIVES), at(0), Existing::Refuse).unwrap()
}

/// One sample a second, from `from` to `to`: the second and ten times the second.
pub(crate) fn feed(writer: &mut Writer, from: i64, to: i64) {
    for second in from..=to {
        writer.update(at(second), &[reading(second), reading(second * 10)]).unwrap();
    }
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
pub(crate) fn reading(value: i64) -> Reading {
    Reading::from(value as f64)
}

/// A store with a minute of samples, closed.
pub(crate) fn closed(path: &Path) {
    let mut writer = create(path);
    feed(&mut writer, 1, 60);
    writer.close().unwrap();
}

pub(crate) fn known(table: &Table) -> usize {
    table.rows.iter().flat_map(|(_, values)| values).filter(|value| value.is_some()).count()
}

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub(crate) fn write(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

/// SQL by hand, as with the `sqlite3` shell.
pub(crate) fn by_hand(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}
