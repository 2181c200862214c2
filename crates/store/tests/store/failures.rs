//! A commit that cannot be done loses nothing.

use std::time::{Duration, Instant};

use heapsoak_rrd::Cf;
use heapsoak_store::{NewRun, Reader, StoreError};

use crate::help::{at, create, feed, folder, known};

#[test]
fn a_commit_that_finds_the_file_locked_stays_pending_and_a_later_one_brings_all() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    writer.set_busy_timeout(Duration::from_millis(50)).unwrap();
    let text = String::new;
    let run = NewRun { started: at(0), pid: 1, target: text(), command: text(), version: text(), time_zone: text() };
    writer.begin_run(run);
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = Instant::now();
    for minute in 0..3 {
        feed(&mut writer, minute * 10 + 1, minute * 10 + 10);
        writer.event(at(minute), "gap", "locked").unwrap();
        assert!(matches!(writer.commit(), Err(StoreError::Busy { .. })));
    }
    assert!(begun.elapsed() < Duration::from_secs(3), "the timeout was not kept");
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.last().unwrap(), at(0));
    other.execute_batch("ROLLBACK").unwrap();
    writer.commit().unwrap();
    assert_eq!(reader.last().unwrap(), at(30));
    assert_eq!(known(&reader.fetch(Cf::Average, at(0), at(29), 1).unwrap()), 20);
    assert_eq!((reader.runs().unwrap().len(), reader.events(at(0), at(30)).unwrap().len()), (1, 3));
    assert_eq!(reader.verify().unwrap(), []);
}

#[test]
fn a_checkpoint_waits_for_no_reader() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 10);
    writer.commit().unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN; SELECT * FROM store").unwrap();
    feed(&mut writer, 11, 20);
    writer.commit().unwrap();
    let begun = Instant::now();
    writer.checkpoint().unwrap();
    writer.close().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "the reader held up the writer");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(Reader::open(&path).unwrap().last().unwrap(), at(20));
}
