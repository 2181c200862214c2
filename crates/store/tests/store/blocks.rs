//! A column is read from blocks and from rows, and says what the rows alone say.

use std::path::Path;

use heapsoak_rrd::{Cf, Reading, Time};
use heapsoak_store::{Contents, Existing, Reader, StoreError, Wanted, Writer};

use crate::help::{archives, at, by_hand, feed, folder, gauges, reading, second};

/// Rings of blocks and a rest, of two blocks, and of less than one.
const RINGS: [&str; 4] = ["AVERAGE:1:500", "AVERAGE:60:50", "MAX:3:240", "LAST:2:130"];
const CFS: [Cf; 3] = [Cf::Average, Cf::Max, Cf::Last];

fn create(path: &Path) -> Writer {
    Writer::create(path, second(), &gauges(&["a", "b"]), &archives(&RINGS), at(0), Existing::Refuse).unwrap()
}

fn blocks(path: &Path) -> i64 {
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.query_row("SELECT count(*) FROM block", [], |row| row.get(0)).unwrap()
}

/// Compares each source's column with the table; answers how many known values there were.
fn compare(reader: &Reader, start: Time, end: Time, resolution_us: u64) -> usize {
    let names: Vec<String> = reader.info().unwrap().sources.iter().map(|new| new.source.name.to_string()).collect();
    let mut known = 0;
    for cf in CFS {
        for name in &names {
            let table = reader.fetch_sources(&[name], cf, start, end, resolution_us).unwrap();
            let column = reader.fetch_column(name, cf, (start, end), resolution_us, |_, _| Vec::new()).unwrap();
            let value = |value: &f64| (!value.is_nan()).then_some(*value);
            let held: Vec<_> = column.window.times().zip(column.values.iter().map(value)).collect();
            let all = table.rows.iter().map(|(time, values)| (*time, values[0]));
            let (within, outside): (Vec<_>, Vec<_>) =
                all.partition(|(time, _)| column.window.start < *time && *time <= column.window.end);
            assert_eq!(held, within, "{cf} of {name}");
            assert!(outside.iter().all(|(_, value)| value.is_none()), "{cf} of {name}: {outside:?}");
            assert_eq!((column.frame, column.damaged), (table.window, 0));
            known += held.iter().filter(|(_, value)| value.is_some()).count();
        }
    }
    known
}

#[test]
fn a_column_is_what_the_table_has_of_it_through_gaps_rounds_and_new_sources() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    let mut random: u64 = 3;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        i64::try_from((random >> 33) % below).unwrap()
    };
    let mut micros = at(0).as_micros();
    for step in 0..4_000 {
        micros += match next(600) {
            0 => 700_000_000,
            1 => 200_000_000,
            2..=9 => 3_500_000,
            _ => next(1_900_000) + 1,
        };
        if step == 1_500 {
            writer.add_sources(&gauges(&["c"])).unwrap();
        }
        let one = if next(17) == 0 { Reading::Unknown } else { reading(step) };
        let readings = vec![one; writer.schema().sources().len()];
        writer.update(Time::from_micros(micros), &readings).unwrap();
        match next(120) {
            0 => writer.commit().unwrap(),
            1 => {
                writer.commit().unwrap();
                drop(writer);
                writer = Writer::open(&path).unwrap();
            }
            _ => continue,
        }
        let end = Time::from_micros(micros - next(50_000_000));
        let start = Time::from_micros(end.as_micros() - next(600_000_000));
        compare(&Reader::open(&path).unwrap(), start, end, if next(2) == 0 { 1 } else { 60_000_000 });
        assert_eq!(Reader::open(&path).unwrap().verify().unwrap(), []);
    }
    writer.close().unwrap();
}

/// A question costs what is stored, not what is asked.
#[test]
fn of_all_time_only_the_rows_that_are_held_are_handed_on() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 700);
    writer.close().unwrap();
    let reader = Reader::open(&path).unwrap();
    let always = (Time::from_micros(i64::MIN), Time::from_micros(i64::MAX));
    let column = |span| reader.fetch_column("a", Cf::Max, span, 1, |_, _| Vec::new()).unwrap();
    let all = column(always);
    assert!(all.frame.rows() > 1 << 40, "{:?}", all.frame);
    assert_eq!((all.window.start, all.window.end), (at(0), at(699)));
    assert_eq!(all.values, (1..=233).map(|row| f64::from(3 * row)).collect::<Vec<_>>());
    assert_eq!(column((at(9_000), always.1)).values, [0.0; 0]);
}

/// What would make all the other tests say nothing.
#[test]
fn whole_blocks_are_read_in_place_of_their_rows() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 700);
    writer.close().unwrap();
    // The others have rows of two rounds, because all was committed at once.
    assert_eq!(blocks(&path), 2 * (4 + 1 + 1));
    by_hand(&path, "DELETE FROM point WHERE archive = 0");
    let column = Reader::open(&path).unwrap().fetch_column("a", Cf::Average, (at(300), at(700)), 1, |_, _| Vec::new());
    let known: Vec<f64> = column.unwrap().values.into_iter().filter(|value| !value.is_nan()).collect();
    assert_eq!(known, (320..=699).map(f64::from).collect::<Vec<_>>());
}

#[test]
fn a_damaged_block_is_named_and_its_rows_are_read() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 700);
    writer.close().unwrap();
    for (sql, wanted) in [
        (
            "UPDATE block SET time = time + 500 WHERE archive = 0 AND source = 1",
            "block (archive 0, source 1, block 0): its check fails",
        ),
        ("UPDATE block SET numbers = zeroblob(960)", "block (archive 0, source 0, block 0): its check fails"),
        ("UPDATE block SET numbers = x''", "block (archive 0, source 0, block 0): its check fails"),
    ] {
        by_hand(&path, sql);
        let reader = Reader::open(&path).unwrap();
        assert_eq!(reader.verify().unwrap()[0].to_string(), wanted);
        assert!(compare(&reader, at(250), at(700), 1) > 400);
    }
}

#[test]
fn many_rows_without_a_block_are_read_in_their_order() {
    let (_folder, path) = folder();
    let ring = archives(&["AVERAGE:1:10000"]);
    let mut writer = Writer::create(&path, second(), &gauges(&["a", "b"]), &ring, at(0), Existing::Refuse).unwrap();
    feed(&mut writer, 1, 9_000);
    writer.close().unwrap();
    by_hand(&path, "DELETE FROM block");
    let reader = Reader::open(&path).unwrap();
    let column = reader.fetch_column("a", Cf::Average, (at(0), at(8_999)), 1, |_, _| Vec::new()).unwrap();
    assert_eq!(column.values, (1..=9_000).map(f64::from).collect::<Vec<_>>());
}

/// Of a block with a damaged row none is made, and the one of the last round is not taken for it.
#[test]
fn a_block_of_the_last_round_is_not_read() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    // The ring's first block begins with second 460, and then with 960.
    for (start, end) in [(1, 500), (501, 600), (601, 1_000)] {
        feed(&mut writer, start, end);
        writer.commit().unwrap();
    }
    writer.close().unwrap();
    by_hand(&path, "UPDATE point SET value = 7 WHERE archive = 0 AND slot = 10");
    let mut writer = Writer::open(&path).unwrap();
    feed(&mut writer, 1_001, 1_100);
    writer.close().unwrap();
    let reader = Reader::open(&path).unwrap();
    let column = reader.fetch_column("a", Cf::Average, (at(950), at(1_089)), 1, |_, _| Vec::new()).unwrap();
    let expected: Vec<_> = (951..=1_090).map(|second| (second != 970).then(|| f64::from(second))).collect();
    assert_eq!(column.values.into_iter().map(|value| (!value.is_nan()).then_some(value)).collect::<Vec<_>>(), expected);
    assert_eq!(column.damaged, 1);
}

/// A bit in a row's header makes a number of a text, which STRICT keeps nobody from reading.
#[test]
fn a_row_of_another_type_is_one_unknown_value_and_stops_nobody() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 30);
    writer.close().unwrap();
    let table = |from: &str, to: &str| {
        let text = format!("replace(sql, '{from}', '{to}')");
        by_hand(
            &path,
            &format!("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = {text} WHERE name = 'point'"),
        );
    };
    table(") STRICT, ", ") ");
    by_hand(&path, "UPDATE point SET time = 'later' WHERE archive = 0 AND slot = 50 AND source = 1");
    table(") WITHOUT", ") STRICT, WITHOUT");
    let mut writer = Writer::open(&path).unwrap();
    // Past the end of the block that has the row.
    feed(&mut writer, 31, 200);
    writer.commit().unwrap();
    let reader = Reader::open(&path).unwrap();
    let unknown = |values: Vec<Option<f64>>| {
        let places = values.iter().enumerate().filter(|(_, value)| value.is_none());
        places.map(|(place, _)| place).collect::<Vec<_>>()
    };
    let span = (at(0), at(199));
    for (name, expected, damaged) in [("a", vec![], 0), ("b", vec![9], 1)] {
        let column = reader.fetch_column(name, Cf::Average, span, 1, |_, _| Vec::new()).unwrap();
        let values = column.values.into_iter().map(|value| (!value.is_nan()).then_some(value)).collect();
        assert_eq!((unknown(values), column.damaged), (expected.clone(), damaged), "column {name}");
        let table = reader.fetch_sources(&[name], Cf::Average, span.0, span.1, 1).unwrap();
        let values = table.rows.into_iter().map(|(_, values)| values[0]).collect();
        assert_eq!((unknown(values), table.damaged), (expected, damaged), "table of {name}");
    }
    let found = reader.verify().unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().any(|damage| damage.table == "point"), "{found:?}");
}

#[test]
fn a_store_made_with_a_past_has_the_blocks_of_it() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 3_000);
    writer.close().unwrap();
    let reader = Reader::open(&path).unwrap();
    let info = reader.info().unwrap();
    let rows = |cf, resolution_us, start| reader.fetch(cf, at(start), at(3_000), resolution_us).unwrap().rows;
    let (fine, coarse) = (rows(Cf::Average, 1, 2_850), rows(Cf::Average, 60_000_000, 60));
    let rows = vec![fine, coarse, rows(Cf::Max, 1, 2_400), rows(Cf::Last, 1, 2_800)];
    let contents = Contents {
        step: info.schema.step(),
        sources: info.sources,
        archives: info.schema.archives().to_vec(),
        start: info.start,
        state: reader.whole(|_| Ok::<_, StoreError>(Wanted::default())).unwrap().state,
        rows,
    };
    let copy = path.with_file_name("copy.db");
    Writer::restore(&copy, &contents, Existing::Refuse).unwrap().close().unwrap();
    assert!(blocks(&copy) >= 2 * (1 + 1), "{}", blocks(&copy));
    let copied = Reader::open(&copy).unwrap();
    assert_eq!(copied.verify().unwrap(), []);
    let known = compare(&copied, at(2_860), at(3_000), 1);
    assert_eq!(known, compare(&reader, at(2_860), at(3_000), 1));
    assert!(known > 500, "{known}");
    // The newest block was not whole yet.
    let mut writer = Writer::open(&copy).unwrap();
    feed(&mut writer, 3_001, 3_010);
    writer.close().unwrap();
    assert_eq!(Reader::open(&copy).unwrap().verify().unwrap(), []);
}
