//! A reader beside a busy writer of another process: never busy, never torn.

use std::time::{Duration, Instant};

use heapsoak_rrd::{Cf, Time};
use heapsoak_store::Reader;

use crate::help::{at, folder};
use crate::killed::Child;

#[test]
fn a_reader_beside_a_busy_writer_sees_whole_commits_only() {
    let (_folder, path) = folder();
    let mut child = Child::start(&path);
    child.wait_for(20);
    let begun = Instant::now();
    let (mut snapshots, mut changes, mut before) = (0, 0, 0);
    let kept = Reader::open(&path).unwrap();
    while begun.elapsed() < Duration::from_secs(2) {
        let fresh = Reader::open(&path).unwrap();
        for reader in [&kept, &fresh] {
            let update = reader.lastupdate().unwrap();
            let text = update.readings[0].1.as_text().to_owned();
            assert_eq!(update.readings[1].1.as_text(), text, "two sources of one sample differ");
            assert_eq!(update.time, at(text.parse().unwrap()), "time and reading of one commit differ");
            let start = Time::from_micros(update.time.as_micros() - 400_000_000);
            let table = reader.fetch(Cf::Average, start, update.time, 1).unwrap();
            assert!(table.rows.iter().all(|(_, values)| values[0] == values[1]), "a torn row");
            assert_eq!(table.damaged, 0);
            snapshots += 1;
        }
        let marker = kept.change_marker().unwrap();
        changes += usize::from(marker != before);
        before = marker;
    }
    child.kill();
    println!("{snapshots} snapshots, {changes} of them new, beside {} commits", child.acknowledged());
    assert!(changes > 10 && child.acknowledged() > 100, "the writer was not busy");
    assert_eq!(kept.verify().unwrap(), []);
}
