//! A store whose default archives are all full: a week of twelve sources, with a full collection every ten minutes.

use std::path::Path;

use heapsoak_rrd::{Archive, RoundRobin, Schema, Source, Step, Time};
use heapsoak_store::{Contents, Existing, GcKind, NewGc, NewRun, NewSource, Writer};

const START_S: i64 = 1_700_000_040;
const WEEK_S: i64 = 7 * 86_400;
const ARCHIVES: [&str; 6] = [
    "RRA:AVERAGE:0.5:3:2400",
    "RRA:MIN:0.5:3:2400",
    "RRA:MAX:0.5:3:2400",
    "RRA:AVERAGE:0.5:60:10080",
    "RRA:MIN:0.5:60:10080",
    "RRA:MAX:0.5:60:10080",
];
const NAMES: [&str; 12] = [
    "heap_used",
    "heap_total",
    "embedder_heap",
    "backing_store",
    "dom_nodes",
    "listeners",
    "documents",
    "rss",
    "browser_rss",
    "renderer_rss",
    "iterations",
    "recorder_rss",
];

/// Makes it at `path`.
pub(crate) fn make(path: &Path) {
    let step = Step::new(1_000_000).unwrap();
    let source = |name: &&str| NewSource::from(format!("DS:{name}:GAUGE:2:U:U").parse::<Source>().unwrap());
    let sources: Vec<NewSource> = NAMES.iter().map(source).collect();
    let archives: Vec<Archive> = ARCHIVES.iter().map(|text| Archive::parse(text, step).unwrap()).collect();
    let schema = Schema::new(step, sources.iter().map(|s| s.source.clone()).collect(), archives.clone()).unwrap();
    let (start, end) = (Time::from_secs(START_S), Time::from_secs(START_S + WEEK_S));
    let contents = Contents {
        step,
        start,
        state: RoundRobin::new(schema, end).state().clone(),
        rows: archives.iter().map(rows).collect(),
        sources,
        archives,
    };
    let mut writer = Writer::restore(path, &contents, Existing::Replace).unwrap();
    let text = String::new;
    writer.begin_run(NewRun {
        started: start,
        pid: 1,
        target: text(),
        command: text(),
        version: text(),
        time_zone: text(),
    });
    writer.gc(&(1..1008).map(collection).collect::<Vec<_>>()).unwrap();
    writer.close().unwrap();
}

fn rows(archive: &Archive) -> Vec<(Time, Vec<Option<f64>>)> {
    let row_s = i64::try_from(archive.pdps_per_row).unwrap();
    let rows = i64::try_from(archive.rows).unwrap();
    let row = |back: i64| {
        let time = START_S + WEEK_S - back * row_s;
        let value = |source: usize| 1e7 + (time * 37 % 1013) as f64 * 1e3 + source as f64;
        (Time::from_secs(time), (0..NAMES.len()).map(|source| Some(value(source))).collect())
    };
    (0..rows).rev().map(row).collect()
}

fn collection(number: i64) -> NewGc {
    NewGc {
        target: String::new(),
        time: Time::from_secs(START_S + number * 600),
        kind: GcKind::Major,
        pause_ms: Some(4.0),
        before_bytes: None,
        after_bytes: Some(10_000_000 + (number * 7919 % 20_011).unsigned_abs()),
        forced: false,
    }
}
