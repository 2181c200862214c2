//! A reader beside a busy writer of another process: never busy, never torn.

use std::time::{Duration, Instant};

use heapsoak_rrd::{Cf, Time};
use heapsoak_store::{Reader, StoreError, Writer};

use crate::help::{at, closed, feed, folder, names};
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
    closed(&path);
    std::thread::scope(|scope| {
        let writes = scope.spawn(|| {
            for round in 1..20 {
                let mut writer = Writer::open(&path).unwrap();
                feed(&mut writer, 60 * round + 1, 60 * round + 60);
                writer.close().unwrap();
                assert_eq!(names(folder.path()), ["soak.db"], "round {round}");
            }
        });
        while !writes.is_finished() {
            Reader::open(&path).unwrap().lastupdate().unwrap();
        }
    });
}

#[test]
fn a_file_that_is_taken_away_while_it_is_opened_is_said_to_be_gone_and_nothing_else() {
    let (folder, path) = folder();
    let (kept, aside) = (folder.path().join("kept.db"), folder.path().join("aside.db"));
    closed(&kept);
    std::thread::scope(|scope| {
        let comes_and_goes = scope.spawn(|| {
            // Held open, so that no two files have the same inode.
            let mut held = Vec::new();
            for _ in 0..300 {
                std::fs::copy(&kept, &aside).unwrap();
                held.push(std::fs::File::open(&aside).unwrap());
                std::fs::rename(&aside, &path).unwrap();
                std::fs::remove_file(&path).unwrap();
            }
        });
        while !comes_and_goes.is_finished() {
            match Reader::open(&path) {
                Ok(_) | Err(StoreError::Absent { .. } | StoreError::Lost { .. } | StoreError::Replaced { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    });
}
