//! A store read as a whole and made from what was read is the same store, and goes on the same way.

use heapsoak_rrd::fetch::Window;
use heapsoak_rrd::{Cf, Reading, State, Time};
use heapsoak_store::{Contents, Existing, Info, Reader, StoreError, Wanted, Whole, Writer};

use crate::help::{archives, at, create, feed, folder, gauges, second};

/// Every row of every archive.
fn everything(info: &Info) -> Result<Wanted, StoreError> {
    let window = |(archive, about): (usize, &heapsoak_store::ArchiveInfo)| {
        let start = Time::from_micros(about.first.as_micros().saturating_sub_unsigned(about.row_us));
        Window { archive, start, end: about.last, row_us: about.row_us }
    };
    Ok(Wanted { windows: info.archives.iter().enumerate().map(window).collect(), ..Wanted::default() })
}

fn contents(whole: Whole) -> Contents {
    let Whole { info, state, tables, .. } = whole;
    Contents {
        step: info.schema.step(),
        archives: info.schema.archives().to_vec(),
        sources: info.sources,
        start: info.start,
        state,
        rows: tables.into_iter().map(|table| table.rows).collect(),
    }
}

#[test]
fn a_copy_made_of_the_whole_is_sound_and_goes_on_as_the_first_would() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 100);
    writer
        .update(Time::from_micros(at(100).as_micros() + 402_017), &[Reading::from_text("7"), Reading::Unknown])
        .unwrap();
    writer.commit().unwrap();
    let copy = path.with_file_name("copy.db");
    let read = |path: &std::path::Path| Reader::open(path).unwrap().whole(everything).unwrap();
    let mut copied = Writer::restore(&copy, &contents(read(&path)), Existing::Refuse).unwrap();
    for writer in [&mut writer, &mut copied] {
        feed(writer, 101, 400);
        writer.commit().unwrap();
    }
    let (first, second) = (read(&path), read(&copy));
    assert_eq!(second.tables, first.tables);
    assert_eq!(second.state, first.state);
    assert_eq!(second.info.start, first.info.start);
    copied.close().unwrap();
    assert_eq!(Reader::open(&copy).unwrap().verify().unwrap(), []);
}

#[test]
fn only_what_is_wanted_is_read() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 30);
    writer.commit().unwrap();
    let reader = Reader::open(&path).unwrap();
    let none = reader.whole(|_| Ok::<_, StoreError>(Wanted::default())).unwrap();
    assert!(none.tables.is_empty() && none.events.is_empty());
    let sources = vec!["heap-total".to_owned()];
    let one = reader.whole(|info| Ok::<_, StoreError>(Wanted { sources, ..everything(info)? })).unwrap();
    assert_eq!(one.tables[0].names, ["heap-total"]);
    let (cf, start, end) = (Cf::Average, at(0), at(27));
    assert_eq!(one.tables[0].rows[10..], reader.fetch_sources(&["heap-total"], cf, start, end, 1).unwrap().rows);
}

#[test]
fn windows_that_are_small_one_by_one_but_not_together_are_refused() {
    let (_folder, path) = folder();
    create(&path).close().unwrap();
    let window = Window { archive: 0, start: at(0), end: at(3_000_000 * 3), row_us: 3_000_000 };
    let wanted = Wanted { windows: vec![window; 2], ..Wanted::default() };
    let error = Reader::open(&path).unwrap().whole(|_| Ok::<_, StoreError>(wanted)).unwrap_err();
    assert!(matches!(error, StoreError::TooMany { found: 36_000_000, .. }), "{error}");
}

#[test]
fn a_state_of_another_definition_makes_no_file() {
    let (_folder, path) = folder();
    let sources = gauges(&["a"]);
    let archives = archives(&["AVERAGE:3:20"]);
    let state = State { last: at(0), sources: Vec::new(), cdps: Vec::new() };
    let contents = Contents { step: second(), sources, archives, start: at(0), state, rows: Vec::new() };
    let error = Writer::restore(&path, &contents, Existing::Refuse).unwrap_err();
    assert!(matches!(error, StoreError::State(_)), "{error}");
    assert!(!path.exists());
}
