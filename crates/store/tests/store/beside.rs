//! A reader beside a busy writer of another process: never busy, never torn.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use heapsoak_rrd::{Cf, Time};
use heapsoak_store::{Existing, Reader, Writer};

use crate::help::{ARCHIVES, archives, at, feed, folder, gauges, names, second};
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

#[test]
fn a_writer_that_ends_leaves_one_file_however_often_others_look() {
    let (folder, path) = folder();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                // Between two stores there is none.
                let _ = Reader::open(&path).and_then(|reader| reader.lastupdate());
            }
        });
        for round in 0..20 {
            let sources = gauges(&["heap_used", "heap-total"]);
            let archives = archives(&ARCHIVES);
            let mut writer = Writer::create(&path, second(), &sources, &archives, at(0), Existing::Replace).unwrap();
            feed(&mut writer, 1, 30);
            writer.close().unwrap();
            assert_eq!(names(folder.path()), ["soak.db"], "round {round}");
        }
        done.store(true, Ordering::Relaxed);
    });
}
