//! What it costs: bounds that hold on a slow machine, and figures to look at (`--no-capture`).

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use heapsoak_rrd::{Cf, Reading};
use heapsoak_store::{Existing, Reader, Writer};

use crate::help::{archives, at, folder, second, source};

const DEFAULT: [&str; 6] =
    ["AVERAGE:3:2400", "AVERAGE:60:10080", "MIN:3:2400", "MIN:60:10080", "MAX:3:2400", "MAX:60:10080"];

const NAMES: [&str; 15] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o"];

fn create(path: &Path) -> Writer {
    let sources = NAMES.map(|name| source(&format!("DS:{name}:GAUGE:120:U:U")));
    Writer::create(path, second(), &sources, &archives(&DEFAULT), at(0), Existing::Refuse).unwrap()
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
fn a_batch_of_updates_costs_its_rows() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    let begun = Instant::now();
    (1..=100_000).for_each(|time| writer.update(at(time), &sample(time)).unwrap());
    let updates = begun.elapsed();
    let begun = Instant::now();
    writer.commit().unwrap();
    println!("100,000 updates {updates:?}, their commit {:?}", begun.elapsed());
    let wal = fs::metadata(path.with_extension("db-wal")).unwrap().len();
    let conn = rusqlite::Connection::open(&path).unwrap();
    let points: u32 = conn.query_row("SELECT count(*) FROM point", [], |row| row.get(0)).unwrap();
    assert_eq!(points, 3 * (2_400 + 100_000 / 60) * 15);
    assert!(wal < u64::from(points) * 40, "{wal} bytes were written for {points} points");
}

#[test]
fn a_full_file_stops_growing_and_a_week_of_it_is_read_at_once() {
    const WEEK: i64 = 604_800;
    let (_folder, path) = folder();
    let mut writer = create(&path);
    let mut fill = |from: i64| {
        (from + 60..=from + WEEK).step_by(60).for_each(|time| writer.update(at(time), &sample(time)).unwrap());
        writer.commit().unwrap();
        writer.checkpoint().unwrap();
        fs::metadata(&path).unwrap().len()
    };
    let (size, grown) = (fill(0), fill(WEEK));
    println!("{size} bytes when full, {grown} a week later");
    assert!(grown <= size + size / 20, "a full file grew from {size} to {grown}");

    let reader = Reader::open(&path).unwrap();
    for names in [&NAMES[..], &NAMES[7..8]] {
        let begun = Instant::now();
        let table = reader.fetch_sources(names, Cf::Average, at(WEEK), at(2 * WEEK - 1), 60_000_000).unwrap();
        println!("7 days of {} sources: {:?}", names.len(), begun.elapsed());
        assert_eq!(crate::help::known(&table), 10_080 * names.len());
        assert!(begun.elapsed() < Duration::from_secs(4));
    }
    let begun = Instant::now();
    assert_eq!(reader.verify().unwrap(), []);
    println!("verify: {:?}", begun.elapsed());
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
