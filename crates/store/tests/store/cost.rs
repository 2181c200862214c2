//! What it costs in processor time: bounds that hold without optimisation, and figures to look at (`--no-capture`).

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use heapsoak_rrd::{Cf, Reading};
use heapsoak_store::{Existing, GcKind, NewGc, NewRun, Reader, Writer};

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

/// The time that this thread has had a processor, from the kernel: other programs on the machine do not count.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split_whitespace().next().unwrap().parse().unwrap())
}

#[test]
fn a_batch_of_updates_costs_its_rows() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    let begun = cpu();
    (1..=100_000).for_each(|time| writer.update(at(time), &sample(time)).unwrap());
    let updates = cpu() - begun;
    let begun = cpu();
    writer.commit().unwrap();
    println!("100,000 updates {updates:?}, their commit {:?}", cpu() - begun);
    let wal = fs::metadata(path.with_extension("db-wal")).unwrap().len();
    let conn = rusqlite::Connection::open(&path).unwrap();
    let points: u32 = conn.query_row("SELECT count(*) FROM point", [], |row| row.get(0)).unwrap();
    assert_eq!(points, 3 * (2_400 + 100_000 / 60) * 15);
    // Eight of them for the copy of the value in its block.
    assert!(wal < u64::from(points) * 48, "{wal} bytes were written for {points} points");
}

#[test]
fn a_full_file_stops_growing_and_a_week_of_it_is_read_at_once() {
    const WEEK: i64 = 604_800;
    let (_folder, path) = folder();
    let mut writer = create(&path);
    let mut fill = |from: i64, to: i64| {
        (from + 60..=to).step_by(60).for_each(|time| writer.update(at(time), &sample(time)).unwrap());
        writer.commit().unwrap();
        writer.checkpoint().unwrap();
        fs::metadata(&path).unwrap().len()
    };
    let (size, grown) = (fill(0, WEEK), fill(WEEK, WEEK + WEEK / 7));
    println!("{size} bytes when full, {grown} a day later");
    assert!(grown <= size + size / 20, "a full file grew from {size} to {grown}");

    let reader = Reader::open(&path).unwrap();
    for names in [&NAMES[..], &NAMES[7..8]] {
        let begun = cpu();
        let table =
            reader.fetch_sources(names, Cf::Average, at(WEEK / 7), at(WEEK + WEEK / 7 - 1), 60_000_000).unwrap();
        println!("7 days of {} sources: {:?}", names.len(), cpu() - begun);
        assert_eq!(crate::help::known(&table), 10_080 * names.len());
        assert!(cpu() - begun < Duration::from_secs(4));
    }
    let begun = cpu();
    assert_eq!(reader.verify().unwrap(), []);
    println!("verify: {:?}", cpu() - begun);
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
    assert!(cpu < Duration::from_millis(10));
}

#[test]
fn a_thousand_collections_a_second_cost_little() {
    const SECONDS: i64 = 130;
    let (_folder, path) = folder();
    let mut writer = create(&path);
    let text = String::new;
    let run = NewRun { started: at(0), pid: 1, target: text(), command: text(), version: text(), time_zone: text() };
    writer.begin_run(run);
    let mut spent = Vec::new();
    for second in 0..SECONDS {
        let minor = |ms: i64| NewGc {
            target: text(),
            time: heapsoak_rrd::Time::from_micros(at(second).as_micros() + ms * 1_000),
            kind: GcKind::Minor,
            pause_ms: Some(0.5),
            before_bytes: Some(40 << 20),
            after_bytes: Some(39 << 20),
            forced: false,
        };
        let begun = cpu();
        writer.gc(&(0..1_000).map(minor).collect::<Vec<_>>()).unwrap();
        writer.commit().unwrap();
        spent.push(cpu() - begun);
    }
    // The ring is full for the last of them: each commit writes a thousand rows and deletes as many.
    let mut last = spent.split_off(spent.len() - 20);
    last.sort();
    println!("1,000 collections: {:?} while the ring fills, {:?} when it is full", spent[spent.len() / 2], last[10]);
    assert!(last[10] < Duration::from_millis(50));
    let begun = cpu();
    let reader = Reader::open(&path).unwrap();
    let found = reader.gc(at(0), at(SECONDS), None, None).unwrap().len();
    println!("{found} collections read in {:?}", cpu() - begun);
    let begun = cpu();
    reader.gc(at(0), at(SECONDS), Some(GcKind::Major), None).unwrap();
    println!("and the majors among them in {:?}", cpu() - begun);
    assert!(cpu() - begun < Duration::from_millis(20), "majors were looked for among the minors");
}
