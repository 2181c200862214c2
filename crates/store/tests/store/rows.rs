//! What goes in comes out: rows, state, sources, runs, events.

use heapsoak_rrd::{Cf, Reading, Rings, RoundRobin, Schema, Time};
use heapsoak_store::{Existing, NewRun, Reader, Writer};

use crate::help::{ARCHIVES, archives, at, create, feed, folder, gauges, known, reading, second, source};

const CFS: [Cf; 3] = [Cf::Average, Cf::Min, Cf::Max];

/// Updates with stalls, gaps longer than the fine archive, unknown readings and fractions of seconds.
fn irregular() -> Vec<(Time, Vec<Reading>)> {
    let mut random: u64 = 7;
    let mut micros = at(0).as_micros();
    let mut updates = Vec::new();
    for step in 0..900 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let jump = random >> 33;
        micros += match jump % 300 {
            0 => 70_000_000,
            1..=4 => 3_500_000,
            _ => i64::try_from(jump % 1_900_000).unwrap() + 1,
        };
        let second = if jump.is_multiple_of(17) { Reading::Unknown } else { reading(-step) };
        updates.push((Time::from_micros(micros), vec![reading(step * 3), second]));
    }
    updates
}

#[test]
fn a_file_closed_and_opened_again_and_again_holds_the_rows_of_one_that_never_was() {
    let (_folder, path) = folder();
    let sources = gauges(&["heap_used", "heap-total"]);
    let plain = sources.iter().map(|new| new.source.clone()).collect();
    let schema = Schema::new(second(), plain, archives(&ARCHIVES)).unwrap();
    let mut memory = RoundRobin::new(schema.clone(), at(0));
    let mut rings = Rings::new(&schema);
    let mut writer = create(&path);
    for (count, (time, readings)) in irregular().into_iter().enumerate() {
        memory.update(time, &readings, &mut |row| rings.apply(row)).unwrap();
        writer.update(time, &readings).unwrap();
        match count % 97 {
            0 => writer.commit().unwrap(),
            1 => {
                writer.close().unwrap();
                writer = Writer::open(&path).unwrap();
            }
            2 => {
                writer.commit().unwrap();
                drop(writer);
                writer = Writer::open(&path).unwrap();
            }
            _ => {}
        }
    }
    writer.close().unwrap();
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.last().unwrap(), memory.last());
    let start = Time::from_micros(memory.last().as_micros() - 700_000_000);
    for (cf, resolution_us) in CFS.into_iter().flat_map(|cf| [(cf, 1), (cf, 60_000_000)]) {
        let table = reader.fetch(cf, start, memory.last(), resolution_us).unwrap();
        assert_eq!(table.rows, rings.fetch(&table.window), "{cf} {resolution_us}");
        assert!(known(&table) > 3, "{cf} {resolution_us}: nothing to compare");
    }
    assert_eq!(reader.verify().unwrap(), []);
}

#[test]
fn a_gap_longer_than_an_archive_leaves_no_old_row_and_no_more_rows_than_there_are_slots() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 200);
    writer.commit().unwrap();
    feed(&mut writer, 100_000, 100_001);
    writer.close().unwrap();
    let reader = Reader::open(&path).unwrap();
    let table = reader.fetch(Cf::Average, at(99_900), at(100_001), 1).unwrap();
    assert_eq!(known(&table), 0);
    let conn = rusqlite::Connection::open(&path).unwrap();
    let counts: Vec<i64> = ["min(time)", "count(*)", "count(value)"]
        .map(|what| format!("SELECT CAST({what} AS INTEGER) FROM point WHERE archive = 0"))
        .map(|sql| conn.query_row(&sql, [], |row| row.get(0)).unwrap())
        .into();
    assert!(counts[0] > at(99_900).whole_secs(), "a row of the time before the gap is left");
    assert_eq!(counts[1..], [40, 0]);
}

#[test]
fn unknown_is_null_and_never_zero() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    for second in 1..=9 {
        writer.update(at(second), &[reading(0), Reading::Unknown]).unwrap();
    }
    writer.commit().unwrap();
    let table = Reader::open(&path).unwrap().fetch(Cf::Average, at(0), at(8), 1).unwrap();
    assert_eq!(table.rows.iter().map(|(_, values)| values.clone()).collect::<Vec<_>>(), vec![vec![Some(0.0), None]; 3]);
}

#[test]
fn sources_that_come_later_do_not_disturb_those_that_are_there() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 30);
    writer.commit().unwrap();
    let reader = Reader::open(&path).unwrap();
    writer.add_sources(&[source("DS:rss:COUNTER:2:0:U")]).unwrap();
    assert!(writer.add_sources(&[source("DS:x:GAUGE:2:U:U"), source("DS:rss:GAUGE:2:U:U")]).is_err());
    assert_eq!(writer.sources().len(), 3);
    for second in 31..=60 {
        let readings = [reading(second), reading(second * 10), reading(second * 100)];
        writer.update(at(second), &readings).unwrap();
    }
    writer.commit().unwrap();
    // A reader that has been open all the time sees them too.
    let table = reader.fetch(Cf::Average, at(0), at(59), 1).unwrap();
    assert_eq!(table.names, ["heap_used", "heap-total", "rss"]);
    let row = |end| table.rows.iter().find(|(time, _)| *time == at(end)).unwrap().1.clone();
    assert_eq!(row(30), [Some(29.0), Some(290.0), None]);
    assert_eq!(row(60), [Some(59.0), Some(590.0), Some(100.0)]);
    writer.close().unwrap();
    let writer = Writer::open(&path).unwrap();
    assert_eq!(writer.sources()[2], source("DS:rss:COUNTER:2:0:U"));
}

#[test]
fn sources_are_fetched_by_name_in_the_order_asked_for() {
    let (_folder, path) = folder();
    crate::help::closed(&path);
    let reader = Reader::open(&path).unwrap();
    let table = reader.fetch_sources(&["heap-total", "heap_used"], Cf::Max, at(3), at(4), 1).unwrap();
    assert_eq!(table.names, ["heap-total", "heap_used"]);
    assert_eq!(table.rows, [(at(6), vec![Some(60.0), Some(6.0)])]);
    let error = reader.fetch_sources(&["rss"], Cf::Max, at(3), at(4), 1).unwrap_err().to_string();
    assert!(error.ends_with("has no source \"rss\": it has heap_used, heap-total"), "{error}");
}

fn run() -> NewRun {
    let text = |text: &str| text.to_owned();
    NewRun {
        started: Time::from_micros(1_700_000_000_123_457),
        pid: 42,
        target: text("https://example.org/"),
        command: text("recorder --url https://example.org/"),
        version: text("0.1.0"),
        time_zone: text("Europe/Berlin"),
    }
}

#[test]
fn runs_and_events_come_back_as_they_went_in() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    assert!(writer.event(at(1), "crash", "no run").is_err());
    let first = writer.begin_run(run());
    writer.event(at(1), "navigation", "https://example.org/").unwrap();
    writer.end_run(at(2), "asked to", 0).unwrap();
    writer.commit().unwrap();
    drop(writer);
    let mut writer = Writer::open(&path).unwrap();
    let second = writer.begin_run(run());
    writer.event(at(3), "crash", "it's \"gone\"").unwrap();
    writer.commit().unwrap();
    let reader = Reader::open(&path).unwrap();
    let runs = reader.runs().unwrap();
    assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), [first, second]);
    assert_eq!(runs[0].begun, run());
    assert_eq!(
        runs[0].ended.as_ref().map(|end| (end.time, end.reason.as_str(), end.exit_status)),
        Some((at(2), "asked to", 0))
    );
    assert_eq!(runs[1].ended, None);
    let events = reader.events(at(2), at(3)).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].id, events[0].run, events[0].detail.as_str()), (2, second, "it's \"gone\""));
}

#[test]
fn more_events_than_are_kept_are_counted_and_the_newest_stay() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    writer.begin_run(run());
    for second in 0..12_000 {
        writer.event(at(second), "gc", "").unwrap();
    }
    writer.commit().unwrap();
    let reader = Reader::open(&path).unwrap();
    let info = reader.info().unwrap();
    assert_eq!((info.events, info.events_dropped), (10_000, 2_000));
    assert_eq!(reader.events(at(0), at(20_000)).unwrap().last().unwrap().time, at(11_999));
}

#[test]
fn info_tells_what_was_asked_for_and_what_is_covered() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 61);
    writer.commit().unwrap();
    let reader = Reader::open(&path).unwrap();
    let info = reader.info().unwrap();
    assert_eq!((info.start, info.last, info.writer), (at(0), at(61), Some(std::process::id())));
    assert_eq!(info.schema.archives(), archives(&ARCHIVES));
    assert_eq!(info.sources, gauges(&["heap_used", "heap-total"]));
    let (fine, coarse) = (&info.archives[0], &info.archives[1]);
    assert_eq!((fine.row_us, fine.first, fine.last), (3_000_000, at(3), at(60)));
    assert_eq!((coarse.row_us, coarse.first, coarse.last), (60_000_000, at(60 - 540), at(60)));
    let update = reader.lastupdate().unwrap();
    assert_eq!(
        (update.time, update.readings[1].0.as_str(), update.readings[1].1.as_text()),
        (at(61), "heap-total", "610")
    );
    assert_eq!(reader.first(1).unwrap(), at(60 - 540));
    assert!(reader.first(4).is_err());
}

#[test]
fn the_change_marker_moves_with_commits_and_with_nothing_else() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 1);
    writer.commit().unwrap();
    let reader = Reader::open(&path).unwrap();
    let marker = reader.change_marker().unwrap();
    writer.commit().unwrap();
    writer.checkpoint().unwrap();
    feed(&mut writer, 2, 2);
    assert_eq!(reader.change_marker().unwrap(), marker);
    writer.commit().unwrap();
    assert!(reader.change_marker().unwrap() > marker);
}

#[test]
fn a_definition_that_does_not_fit_makes_no_file() {
    let (folder, path) = folder();
    let twice = gauges(&["a", "a"]);
    assert!(Writer::create(&path, second(), &twice, &archives(&ARCHIVES), at(0), Existing::Refuse).is_err());
    let many: Vec<_> = (0..1_001).map(|n| source(&format!("DS:s{n}:GAUGE:2:U:U"))).collect();
    assert!(Writer::create(&path, second(), &many, &archives(&ARCHIVES), at(0), Existing::Refuse).is_err());
    assert_eq!(crate::help::names(folder.path()), [""; 0]);
    let most = Writer::create(&path, second(), &many[..1_000], &archives(&ARCHIVES), at(0), Existing::Refuse).unwrap();
    most.close().unwrap();
    assert_eq!(Reader::open(&path).unwrap().verify().unwrap(), []);
}
