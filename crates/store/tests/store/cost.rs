//! What it costs: bounds that hold on a slow machine, and figures to look at (`--no-capture`).

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use heapsoak_rrd::{Cf, Reading};
use heapsoak_store::{Existing, Reader, Writer};

use crate::help::{archives, at, folder, gauges, second};

const DEFAULT: [&str; 6] =
    ["AVERAGE:3:2400", "AVERAGE:60:10080", "MIN:3:2400", "MIN:60:10080", "MAX:3:2400", "MAX:60:10080"];

const NAMES: [&str; 15] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o"];

fn create(path: &Path) -> Writer {
    Writer::create(path, second(), &gauges(&NAMES), &archives(&DEFAULT), at(0), Existing::Refuse).unwrap()
}

fn sample(time: i64) -> [Reading; 15] {
    std::array::from_fn(|source| Reading::from(u64::try_from(time * 4096 + i64::try_from(source).unwrap()).unwrap()))
}

/// User and system time of this process, from the kernel, in ticks of 10 ms.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

#[test]
fn a_batch_of_updates_costs_its_rows_and_a_full_file_stops_growing() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    let commit = |writer: &mut Writer| {
        let begun = Instant::now();
        writer.commit().unwrap();
        begun.elapsed()
    };
    let begun = Instant::now();
    (1..=100_000).for_each(|time| writer.update(at(time), &sample(time)).unwrap());
    let updates = begun.elapsed();
    let first = commit(&mut writer);
    (100_001..=700_000).step_by(2).for_each(|time| writer.update(at(time), &sample(time)).unwrap());
    let filled = commit(&mut writer);
    writer.checkpoint().unwrap();
    let size = fs::metadata(&path).unwrap().len();
    (700_001..=800_000).for_each(|time| writer.update(at(time), &sample(time)).unwrap());
    let last = commit(&mut writer);
    writer.checkpoint().unwrap();
    let grown = fs::metadata(&path).unwrap().len();
    println!("100,000 updates {updates:?}, commit {first:?}; fill {filled:?}; 100,000 more, commit {last:?}");
    println!("full file {size} bytes, later {grown}");
    let conn = rusqlite::Connection::open(&path).unwrap();
    let points: i64 = conn.query_row("SELECT count(*) FROM point", [], |row| row.get(0)).unwrap();
    assert_eq!(points, 3 * (2_400 + 10_080) * 15);
    assert!(grown <= size + size / 20, "a full file grew from {size} to {grown}");
    drop(writer);

    let reader = Reader::open(&path).unwrap();
    let begun = Instant::now();
    let table = reader.fetch(Cf::Average, at(800_000 - 604_000), at(800_000), 60_000_000).unwrap();
    let all = begun.elapsed();
    assert!(table.rows.len() > 10_000);
    let begun = Instant::now();
    reader.fetch_sources(&["h"], Cf::Average, at(800_000 - 604_000), at(800_000), 60_000_000).unwrap();
    println!("7 days of 15 sources {all:?}, of one {:?}", begun.elapsed());
    let begun = Instant::now();
    assert_eq!(reader.verify().unwrap(), []);
    println!("verify {:?}", begun.elapsed());
    assert!(all < Duration::from_secs(2));
}

#[test]
fn a_tick_costs_little() {
    const TICKS: i64 = 600;
    let (_folder, path) = folder();
    let mut writer = create(&path);
    let (begun, used) = (Instant::now(), cpu());
    for time in 1..=TICKS {
        writer.update(at(time), &sample(time)).unwrap();
        writer.commit().unwrap();
        if time % 20 == 0 {
            writer.checkpoint().unwrap();
        }
    }
    let (wall, cpu) = (begun.elapsed() / 600, (cpu() - used) / 600);
    println!("one tick of 15 sources and 6 archives: {wall:?}, of which CPU {cpu:?}");
    assert!(cpu < Duration::from_millis(20));
}
