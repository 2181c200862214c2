//! Damage is found and named; a wrong value is never handed out.

use std::fs;

use heapsoak_rrd::Cf;
use heapsoak_store::{NewRun, Reader, Table};

use crate::help::{at, by_hand, closed, create, feed, folder, write};

#[test]
fn each_damaged_row_is_named() {
    let (_folder, path) = folder();
    for (sql, wanted) in [
        (
            "UPDATE point SET value = 1.5 WHERE archive = 0 AND slot = 3 AND source = 1",
            "point (archive 0, slot 3, source 1): its check fails",
        ),
        (
            "UPDATE point SET slot = 19 WHERE archive = 1 AND source = 1",
            "point (archive 1, slot 19, source 1): its check fails",
        ),
        ("UPDATE pdp SET value = 0 WHERE source = 0", "pdp (source 0): its check fails"),
        (
            "UPDATE cdp SET unknown_pdps = 1 WHERE archive = 1 AND source = 0",
            "cdp (archive 1, source 0): its check fails",
        ),
        ("UPDATE source SET unit = 'ms' WHERE id = 1", "source (id 1, name \"heap-total\"): its check fails"),
        ("UPDATE run SET exit_status = NULL, ended = NULL, reason = NULL", "run (id 1): its check fails"),
        ("UPDATE event SET detail = 'nothing'", "event (id 1): its check fails"),
        ("DROP VIEW latest; CREATE VIEW latest AS SELECT 1", "file: view latest is not as it was made"),
    ] {
        let mut writer = create(&path);
        feed(&mut writer, 1, 60);
        let text = String::new;
        writer.begin_run(NewRun {
            started: at(0),
            pid: 1,
            target: text(),
            command: text(),
            version: text(),
            time_zone: text(),
        });
        writer.event(at(1), "crash", "it did").unwrap();
        writer.end_run(at(2), "asked to", 0).unwrap();
        writer.close().unwrap();
        assert_eq!(Reader::open(&path).unwrap().verify().unwrap(), []);
        by_hand(&path, sql);
        let found: Vec<String> =
            Reader::open(&path).unwrap().verify().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(found, [wanted], "{sql}");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_damaged_value_is_unknown_and_counted() {
    let (_folder, path) = folder();
    closed(&path);
    let fetch = || Reader::open(&path).unwrap().fetch(Cf::Average, at(57), at(59), 1).unwrap();
    assert_eq!((fetch().rows, fetch().damaged), (vec![(at(60), vec![Some(59.0), Some(590.0)])], 0));
    by_hand(&path, "UPDATE point SET value = 60.0 WHERE archive = 0 AND source = 0 AND value = 59.0");
    assert_eq!((fetch().rows, fetch().damaged), (vec![(at(60), vec![None, Some(590.0)])], 1));
}

/// Everything that a reader tells of the archives; the first source alone, too.
fn told(path: &std::path::Path) -> Result<Vec<Table>, heapsoak_store::StoreError> {
    let reader = Reader::open(path)?;
    let mut all = Vec::new();
    for cf in [Cf::Average, Cf::Min, Cf::Max] {
        let table = reader.fetch(cf, at(0), at(60), 1)?;
        let column = reader.fetch_column("heap_used", cf, (at(0), at(60)), 1, |_, _| Vec::new())?;
        let known = |value: &f64| vec![(!value.is_nan()).then_some(*value)];
        let rows = column.window.times().zip(column.values.iter().map(known)).collect();
        all.push(Table { names: vec!["heap_used".to_owned()], rows, damaged: column.damaged, ..table.clone() });
        all.push(table);
    }
    Ok(all)
}

#[test]
fn no_flipped_bit_gives_a_wrong_value_and_none_that_matters_is_overlooked() {
    let (_folder, path) = folder();
    closed(&path);
    let bytes = fs::read(&path).unwrap();
    // Most of so small a file is empty: only bytes with something in them are worth a flip.
    let used: Vec<usize> = (0..bytes.len()).filter(|place| bytes[*place] != 0).collect();
    let sound = told(&path).unwrap();
    let mut random: u64 = 11;
    let (mut refused, mut found, mut harmless) = (0, 0, 0);
    for _ in 0..700 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let place = used[usize::try_from(random >> 20).unwrap() % used.len()];
        let bit = (random >> 17) % 8;
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << bit;
        write(&path, &flipped);
        let Ok(tables) = told(&path) else {
            refused += 1;
            continue;
        };
        let damages = Reader::open(&path).unwrap().verify().unwrap();
        for (table, whole) in tables.iter().zip(&sound) {
            let wrong = table.rows.iter().zip(&whole.rows).any(|((time, values), (right_time, right))| {
                time != right_time || values.iter().zip(right).any(|(value, right)| value.is_some() && value != right)
            });
            assert!(!wrong, "bit {bit} of byte {place} gives a wrong value");
            assert!(
                table == whole || !damages.is_empty(),
                "bit {bit} of byte {place} loses a value and nobody says so"
            );
        }
        if damages.is_empty() { harmless += 1 } else { found += 1 }
    }
    println!("{refused} refused, {found} found by verify, {harmless} harmless");
    assert!(found > 100);
}
