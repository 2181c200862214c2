//! The garbage collections: two bounded rings that survive whatever the rows survive.

use std::time::Duration;

use heapsoak_rrd::Time;
use heapsoak_store::{Gc, GcKind, MAX_GC, NewGc, NewRun, Reader, StoreError, Writer};

use crate::help::{at, by_hand, closed, create, folder};

fn run(writer: &mut Writer) {
    let text = String::new;
    let run = NewRun { started: at(0), pid: 1, target: text(), command: text(), version: text(), time_zone: text() };
    writer.begin_run(run);
}

fn gc(kind: GcKind, time: Time) -> NewGc {
    NewGc {
        target: String::new(),
        time,
        kind,
        pause_ms: Some(1.25),
        before_bytes: Some(40 << 20),
        after_bytes: Some(30 << 20),
        forced: false,
    }
}

fn minors(from_ms: i64, count: i64) -> Vec<NewGc> {
    (0..count).map(|ms| gc(GcKind::Minor, Time::from_micros(at(0).as_micros() + (from_ms + ms) * 1_000))).collect()
}

fn ids(found: &[Gc]) -> Vec<i64> {
    found.iter().map(|gc| gc.id).collect()
}

fn all(reader: &Reader, kind: Option<GcKind>) -> Vec<Gc> {
    reader.gc(at(0), at(10_000_000), kind, None).unwrap()
}

#[test]
fn what_was_seen_is_told_again_by_time_kind_and_target() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    run(&mut writer);
    let major = NewGc { target: "api".to_owned(), forced: true, ..gc(GcKind::Major, at(5)) };
    let unknown = NewGc { pause_ms: None, before_bytes: None, after_bytes: None, ..gc(GcKind::Minor, at(6)) };
    let seen = [gc(GcKind::Minor, at(4)), major.clone(), unknown.clone()];
    writer.gc(&seen).unwrap();
    let reader = Reader::open(&path).unwrap();
    assert_eq!(all(&reader, None), [], "written before the commit");
    writer.commit().unwrap();
    let found = all(&reader, None);
    assert_eq!(found.iter().map(|gc| gc.seen.clone()).collect::<Vec<_>>(), seen);
    assert_eq!(ids(&found), [1, 1, 2]);
    assert_eq!(all(&reader, Some(GcKind::Major))[0].seen, major);
    let of = |target| reader.gc(at(0), at(60), None, Some(target)).unwrap().len();
    assert_eq!((of("api"), of(""), of("web")), (1, 2, 0));
    assert_eq!(reader.gc(at(5), at(5), None, None).unwrap().len(), 1, "both ends are included");
    let info = reader.info().unwrap();
    assert_eq!((info.gc_minor, info.gc_major), (2, 1));
    assert_eq!(reader.verify().unwrap(), []);
}

#[test]
fn thousands_of_minors_push_out_no_major_and_the_file_stops_growing() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    run(&mut writer);
    writer.gc(&[gc(GcKind::Major, at(1))]).unwrap();
    let most = i64::try_from(MAX_GC).unwrap();
    let mut sizes = Vec::new();
    for batch in 0..14 {
        writer.gc(&minors(batch * 10_000, 10_000)).unwrap();
        writer.commit().unwrap();
        writer.checkpoint().unwrap();
        sizes.push(std::fs::metadata(&path).unwrap().len());
    }
    let reader = Reader::open(&path).unwrap();
    let found = all(&reader, Some(GcKind::Minor));
    assert_eq!(found.len(), MAX_GC);
    assert_eq!((found[0].id, found[MAX_GC - 1].id), (140_000 - most + 1, 140_000));
    assert_eq!(ids(&all(&reader, Some(GcKind::Major))), [1]);
    assert_eq!(reader.info().unwrap().gc_minor, 140_000);
    assert!(sizes[13] <= sizes[10] + (64 << 10), "a full ring grew: {sizes:?}");
}

#[test]
fn numbers_go_on_after_the_writer_was_killed() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    run(&mut writer);
    writer.gc(&minors(0, 3)).unwrap();
    writer.commit().unwrap();
    writer.gc(&minors(3, 2)).unwrap();
    drop(writer);
    let mut writer = Writer::open(&path).unwrap();
    assert!(matches!(writer.gc(&minors(5, 1)), Err(StoreError::NoRun)));
    run(&mut writer);
    writer.gc(&minors(5, 1)).unwrap();
    writer.close().unwrap();
    let found = all(&Reader::open(&path).unwrap(), None);
    assert_eq!(found.iter().map(|gc| (gc.id, gc.run.0)).collect::<Vec<_>>(), [(1, 1), (2, 1), (3, 1), (4, 2)]);
}

#[test]
fn collections_wait_for_a_locked_file_within_bounded_memory() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    run(&mut writer);
    writer.set_busy_timeout(Duration::from_millis(10)).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    writer.gc(&[gc(GcKind::Major, at(1))]).unwrap();
    for batch in 0..3 {
        writer.gc(&minors(batch * 5_000, 5_000)).unwrap();
        assert!(matches!(writer.commit(), Err(StoreError::Busy { .. })));
    }
    other.execute_batch("ROLLBACK").unwrap();
    writer.commit().unwrap();
    let reader = Reader::open(&path).unwrap();
    let minors = all(&reader, Some(GcKind::Minor));
    assert_eq!((minors.len(), minors[0].id, minors[9_999].id), (10_000, 5_001, 15_000));
    assert_eq!(all(&reader, Some(GcKind::Major)).len(), 1);
}

#[test]
fn a_pause_that_is_no_number_does_not_keep_a_commit_from_succeeding() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    run(&mut writer);
    let told = [f64::NAN, f64::INFINITY, -1.0].map(|ms| NewGc { pause_ms: Some(ms), ..gc(GcKind::Minor, at(1)) });
    writer.gc(&told).unwrap();
    let huge = NewGc { target: "ü".repeat(1_000), after_bytes: Some(u64::MAX), ..gc(GcKind::Major, at(1)) };
    writer.gc(&[huge]).unwrap();
    writer.close().unwrap();
    let reader = Reader::open(&path).unwrap();
    assert!(all(&reader, Some(GcKind::Minor)).iter().all(|gc| gc.seen.pause_ms.is_none()));
    assert_eq!(all(&reader, Some(GcKind::Major))[0].seen.target.len(), 64);
    assert_eq!(reader.verify().unwrap(), []);
}

#[test]
fn a_damaged_collection_is_left_out_and_hides_no_other() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    run(&mut writer);
    writer.gc(&minors(0, 3)).unwrap();
    writer.close().unwrap();
    by_hand(&path, "UPDATE gc SET after_bytes = 1 WHERE id = 2");
    let reader = Reader::open(&path).unwrap();
    assert_eq!(ids(&all(&reader, None)), [1, 3]);
    let found: Vec<String> = reader.verify().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(found, ["gc (kind minor, id 2): its check fails"]);
}

#[test]
fn a_file_without_the_table_is_refused_and_left_as_it_was() {
    let (_folder, path) = folder();
    closed(&path);
    by_hand(&path, "DROP TABLE gc");
    let before = std::fs::read(&path).unwrap();
    for error in [Reader::open(&path).map(drop).unwrap_err(), Writer::open(&path).map(drop).unwrap_err()] {
        assert!(error.to_string().contains("table gc is not as version 1 defines it"), "{error}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
