//! Tests with files that are wrong on purpose and whose checks hold all the same, as only an attacker makes them.

use std::path::PathBuf;

use heapsoak_rrd::{Archive, Cf, Source, Step, Time};
use rusqlite::Connection;

use crate::block::Block;
use crate::gc::{Gc, GcKind, NewGc};
use crate::model::{Event, Existing, RunId};
use crate::records::{ArchiveRow, CdpRow, Head, PdpRow, Point, Record, SourceRow, put};
use crate::{Reader, Writer};

const START: i64 = 1_700_000_040;

/// A small store with so many samples.
fn store(samples: i64) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("soak.db");
    let step = Step::new(1_000_000).unwrap();
    let source = "DS:a:GAUGE:2:U:U".parse::<Source>().unwrap();
    let archive = Archive::parse("AVERAGE:1:50", step).unwrap();
    let mut writer =
        Writer::create(&path, step, &[source.into()], &[archive], Time::from_secs(START), Existing::Refuse).unwrap();
    for second in START + 1..=START + samples {
        writer.update(Time::from_secs(second), &[1.0.into()]).unwrap();
    }
    writer.close().unwrap();
    (folder, path)
}

/// Opens a small store after `tamper`, asks it everything, and answers whether a writer took it.
fn survives(tamper: impl Fn(&Connection) -> rusqlite::Result<()>) -> bool {
    let (_folder, path) = store(29);
    tamper(&Connection::open(&path).unwrap()).unwrap();
    if let Ok(reader) = Reader::open(&path) {
        let (start, end) = (Time::from_secs(START), Time::from_secs(START + 60));
        let _ = (reader.info(), reader.lastupdate(), reader.runs(), reader.first(0), reader.change_marker());
        let _ = (reader.fetch(Cf::Average, start, end, 1), reader.fetch(Cf::Last, start, start, u64::MAX));
        let _ = reader.fetch_column("a", Cf::Average, (start, end), 1, |_, _| Vec::new());
        let _ = reader.fetch(Cf::Average, Time::from_micros(i64::MIN), Time::from_micros(i64::MAX), 1);
        let always = (Time::from_micros(i64::MIN), Time::from_micros(i64::MAX));
        let _ = reader.fetch_column("a", Cf::Average, always, 1, |_, _| Vec::new());
        let _ = (reader.events(always.0, always.1), reader.gc(always.0, always.1, None, None), reader.verify());
    }
    let Ok(mut writer) = Writer::open(&path) else { return false };
    let _ = writer.update(Time::from_secs(START + 90), &[2.0.into()]);
    let _ = (writer.commit(), writer.checkpoint(), writer.close());
    true
}

fn row<R: Record + Clone>(row: R) -> impl Fn(&Connection) -> rusqlite::Result<()> {
    move |conn| put(conn, [row.clone()])
}

#[test]
fn a_row_as_it_should_be_is_taken() {
    let head =
        Head { step_us: 1_000_000, start_us: 0, last_us: (START + 29) * 1_000_000, commits: 0, events_dropped: 0 };
    assert!(survives(row(head)), "the other tests prove nothing");
}

#[test]
fn a_store_that_ends_before_it_begins_is_refused() {
    let head = Head { step_us: 1_000_000, start_us: 10, last_us: 9, commits: 0, events_dropped: 0 };
    assert!(!survives(row(head.clone())));
    let (_folder, path) = store(9);
    put(&Connection::open(&path).unwrap(), [head]).unwrap();
    let error = Reader::open(&path).unwrap().info().unwrap_err();
    assert!(error.to_string().contains("its last update lies before its start"), "{error}");
}

#[test]
fn numbers_at_the_end_of_their_range_overflow_nothing() {
    for extreme in [i64::MIN, -1, 0, i64::MAX] {
        let head =
            Head { step_us: 1_000_000, start_us: extreme, last_us: START, commits: extreme, events_dropped: extreme };
        survives(row(head.clone()));
        survives(row(Head { last_us: extreme, ..head.clone() }));
        survives(row(Head { step_us: extreme, ..head }));
        survives(row(ArchiveRow { id: 0, cf: "AVERAGE".to_owned(), xff: 0.5, pdps_per_row: extreme, rows: 50 }));
        survives(row(ArchiveRow { id: 0, cf: "AVERAGE".to_owned(), xff: 0.5, pdps_per_row: 1, rows: extreme }));
        survives(row(PdpRow { source: 0, reading: None, value: None, unknown_us: extreme }));
        survives(row(CdpRow { archive: 0, source: 0, value: Some(f64::INFINITY), unknown_pdps: extreme }));
        for time in [f64::INFINITY, -1e300, 0.0] {
            survives(row(Point { archive: extreme, slot: 1, source: 0, time, value: Some(f64::MAX) }));
            survives(row(Point { archive: 0, slot: extreme, source: extreme, time, value: None }));
            let event = Event {
                id: extreme,
                run: RunId(extreme),
                time: Time::from_micros(extreme),
                kind: String::new(),
                detail: String::new(),
            };
            survives(row(event));
            for (block, numbers) in [(extreme, vec![1; 960]), (0, vec![1; 400]), (0, Vec::new()), (0, vec![0; 1 << 19])]
            {
                survives(row(Block { archive: 0, source: 0, block, time, numbers: numbers.clone() }));
                survives(row(Block { archive: extreme, source: extreme, block, time, numbers }));
            }
            let seen = NewGc {
                target: String::new(),
                time: Time::from_micros(extreme),
                kind: GcKind::Major,
                pause_ms: Some(time),
                before_bytes: Some(extreme.unsigned_abs()),
                after_bytes: None,
                forced: true,
            };
            survives(row(Gc { id: extreme, run: RunId(extreme), seen }));
        }
    }
}

#[test]
fn a_block_that_says_something_else_than_its_rows_is_named() {
    let found = |second: f64, values: [f64; 50]| {
        // The ring has its slot 49 at the ninth second.
        let (_folder, path) = store(9);
        let numbers = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let block = Block { archive: 0, source: 0, block: 0, time: 1_700_000_040.0 + second, numbers };
        put(&Connection::open(&path).unwrap(), [block]).unwrap();
        let found = Reader::open(&path).unwrap().verify().unwrap();
        found.into_iter().map(|damage| damage.what).collect::<Vec<_>>()
    };
    let as_it_is = std::array::from_fn(|slot| if slot > 40 { 1.0 } else { f64::NAN });
    assert_eq!(found(9.0, as_it_is), [""; 0]);
    assert_eq!(found(9.0, [1.0; 50]), ["it says something else than its rows"]);
    assert_eq!(found(8.0, as_it_is), ["its time belongs into another block"]);
}

#[test]
fn texts_that_are_not_what_they_should_be_are_refused() {
    let source = |name: &str, kind: &str, min, max| SourceRow {
        id: 0,
        name: name.to_owned(),
        kind: kind.to_owned(),
        heartbeat_us: 1,
        min,
        max,
        unit: "\u{0}".repeat(100_000),
        description: String::new(),
    };
    assert!(!survives(row(source("a\"; DROP TABLE point; --", "GAUGE", None, None))));
    assert!(!survives(row(source("a", "gauge", None, None))));
    assert!(!survives(row(source("a", "GAUGE", Some(f64::INFINITY), None))));
    assert!(!survives(row(source("a", "GAUGE", Some(2.0), Some(1.0)))));
    assert!(!survives(row(ArchiveRow { id: 0, cf: "MEDIAN".to_owned(), xff: 0.5, pdps_per_row: 1, rows: 50 })));
    assert!(!survives(row(ArchiveRow { id: 0, cf: "AVERAGE".to_owned(), xff: 1e300, pdps_per_row: 1, rows: 50 })));
    assert!(!survives(row(PdpRow { source: 7, reading: Some("1".to_owned()), value: None, unknown_us: 0 })));
}

#[test]
fn more_text_than_anything_of_ours_has_is_not_taken_into_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("soak.db");
    let step = Step::new(1_000_000).unwrap();
    let (source, archive) =
        ("DS:a:GAUGE:2:U:U".parse::<Source>().unwrap(), Archive::parse("AVERAGE:1:50", step).unwrap());
    let start = Time::from_secs(START);
    Writer::create(&path, step, &[source.into()], &[archive], start, Existing::Refuse).unwrap().close().unwrap();
    let conn = Connection::open(&path).unwrap();
    let detail = "x".repeat(1_000_000);
    let transaction = conn.unchecked_transaction().unwrap();
    let events =
        (1..=200).map(|id| Event { id, run: RunId(1), time: start, kind: String::new(), detail: detail.clone() });
    put(&transaction, events).unwrap();
    transaction.commit().unwrap();
    let reader = Reader::open(&path).unwrap();
    assert!(reader.events(start, start).is_err());
    assert_eq!(reader.verify().unwrap(), []);
}
