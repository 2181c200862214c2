//! Real rrdtool is the judge: 126 scenarios with its answers, replayed one by one, and counted so that none is skipped.
//!
//! Where rrdtool is knowingly wrong (four quirks, tagged in the data), the judge is a second implementation in
//! `support/reference.rs`, which itself has to agree with rrdtool everywhere else.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "tests: the data is ours and small")]

#[path = "support/reference.rs"]
mod reference;
#[path = "support/vectors.rs"]
mod vectors;

use std::collections::BTreeMap;

use heapsoak_rrd::fetch::{self, FetchError, Window};
use heapsoak_rrd::{Archive, Reading, Rings, RoundRobin, Schema, Step, Time, UpdateError};
use reference::{ArchiveRules, Reference, SourceRules};
use vectors::{Fetch, Rows, Scenario, same, scenarios};

#[derive(Debug, Default, PartialEq)]
struct Tally {
    scenarios: usize,
    declined: usize,
    updates: usize,
    refused: usize,
    fetches: usize,
    no_archive: usize,
    values: usize,
}

/// One scenario under way: the machine under test, and the second implementation beside it.
struct Replay<'a> {
    scenario: &'a Scenario,
    machine: RoundRobin,
    rings: Rings,
    reference: Reference,
}

impl Replay<'_> {
    fn new(scenario: &Scenario) -> Replay<'_> {
        let schema = schema(scenario);
        let rings = Rings::new(&schema);
        let machine = RoundRobin::new(schema, Time::from_secs(scenario.create.start));
        Replay { scenario, machine, rings, reference: reference_for(scenario) }
    }

    fn update(&mut self, index: usize) -> Result<(), &'static str> {
        let (_, texts, us) = &self.scenario.updates[index];
        let readings: Vec<Reading> = texts.iter().map(|text| Reading::from_text(text)).collect();
        let (before, rings) = (self.machine.state().clone(), &mut self.rings);
        let mut rows = 0;
        let result = self.machine.update(Time::from_micros(*us), &readings, &mut |row| {
            rows += 1;
            rings.apply(row);
        });
        match result {
            Ok(()) => self.reference.update(*us, texts),
            Err(_) => assert_eq!((self.machine.state(), rows), (&before, 0), "a refused update left a trace"),
        }
        result.map_err(|error| match error {
            UpdateError::NotLater { .. } => "time",
            UpdateError::Count { .. } => "count",
            UpdateError::NotANumber { .. } => "parse",
            other => panic!("{other}"),
        })
    }

    fn window(&self, ask: &Fetch) -> Result<Window, FetchError> {
        let (start, end) = (Time::from_secs(ask.start), Time::from_secs(ask.end));
        let cf = ask.cf.parse().unwrap();
        fetch::window(self.machine.schema(), self.machine.last(), cf, start, end, ask.resolution * 1_000_000)
    }

    /// The frame of the answer is rrdtool's in every scenario; returns the rows of the crate.
    fn fetch(&self, ask: &Fetch) -> Option<Rows> {
        let window = match self.window(ask) {
            Err(FetchError::NoArchive { .. }) if ask.error.is_some() => return None,
            other => other.unwrap(),
        };
        assert_eq!(Some(window.archive), ask.rra);
        assert_eq!(Some((window.start.whole_secs(), window.end.whole_secs(), window.row_us / 1_000_000)), ask.got);
        let rows = self.rings.fetch(&window);
        Some(rows.into_iter().map(|(time, values)| (time.whole_secs(), values)).collect())
    }

    /// The rows of the second implementation, for the times of `rows`.
    fn referred(&self, archive: usize, rows: &Rows) -> Rows {
        let sources = 0..self.scenario.create.ds.len();
        let row = |t: i64| sources.clone().map(|s| self.reference.row(archive, s, t * 1_000_000)).collect();
        rows.iter().map(|(t, _)| (*t, row(*t))).collect()
    }

    fn check_end(&self) {
        let (machine, scenario) = (&self.machine, self.scenario);
        let last = machine.last().whole_secs();
        assert_eq!((last, last), (scenario.last, scenario.lastupdate.t));
        let names = machine.schema().sources().iter().map(|source| source.name.to_string());
        let texts = machine.state().sources.iter().map(|source| source.last_reading.to_string());
        assert_eq!(names.zip(texts).collect::<BTreeMap<_, _>>(), scenario.lastupdate.ds);
        let archives = 0..scenario.create.rra.len();
        let first: Vec<i64> =
            archives.map(|i| fetch::first(machine.schema(), machine.last(), i).whole_secs()).collect();
        assert_eq!(first, scenario.first);
    }
}

/// The definition as the command line gives it; it must say the same as the definition in fields.
fn schema(scenario: &Scenario) -> Schema {
    let step = Step::new(scenario.create.step * 1_000_000).unwrap();
    let given = |prefix: &'static str| scenario.argv.iter().filter(move |text| text.starts_with(prefix));
    let sources: Vec<_> = given("DS:").map(|text| text.parse::<heapsoak_rrd::Source>().unwrap()).collect();
    let archives: Vec<_> = given("RRA:").map(|text| Archive::parse(text, step).unwrap()).collect();
    let fields = scenario
        .create
        .ds
        .iter()
        .map(|ds| (ds.name.as_str(), ds.kind.clone(), ds.heartbeat * 1_000_000, ds.min, ds.max));
    assert!(fields.eq(sources.iter().map(|s| (
        s.name.as_str(),
        s.kind.to_string(),
        s.heartbeat.micros(),
        s.min,
        s.max
    ))));
    let fields = scenario.create.rra.iter().map(|a| (a.cf.clone(), a.xff, a.pdp_per_row, a.rows));
    assert!(fields.eq(archives.iter().map(|a| (a.cf.to_string(), a.xff.get(), a.pdps_per_row, a.rows))));
    Schema::new(step, sources, archives).unwrap()
}

fn reference_for(scenario: &Scenario) -> Reference {
    let us = |seconds: u64| i64::try_from(seconds * 1_000_000).unwrap();
    let count = |number: u64| i64::try_from(number).unwrap();
    let create = &scenario.create;
    let sources = create.ds.iter();
    let archives = create.rra.iter();
    Reference::new(
        us(create.step),
        create.start * 1_000_000,
        sources
            .map(|ds| SourceRules { kind: ds.kind.clone(), heartbeat: us(ds.heartbeat), min: ds.min, max: ds.max })
            .collect(),
        archives
            .map(|a| ArchiveRules { cf: a.cf.clone(), xff: a.xff, n: count(a.pdp_per_row), rows: count(a.rows) })
            .collect(),
    )
}

fn assert_rows(got: &Rows, want: &Rows, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}: number of rows");
    for ((t, got), (want_t, want)) in got.iter().zip(want) {
        assert_eq!((t, got.len()), (want_t, want.len()), "{what}: time and width of a row");
        for (source, (a, b)) in got.iter().zip(want).enumerate() {
            assert!(same(*a, *b), "{what}: at {t}, source {source}: {a:?}, should be {b:?}");
        }
    }
}

/// Walks through a scenario; `judge` gets the fetch's name, the crate's rows, the second implementation's and the stored ones.
fn replay(scenario: &Scenario, tally: &mut Tally, judge: &mut dyn FnMut(&str, &Rows, &Rows, &Rows)) {
    let mut replay = Replay::new(scenario);
    let mut errors = scenario.errors.iter().peekable();
    for after in 0..=scenario.updates.len() {
        if let Some(index) = after.checked_sub(1) {
            let wanted = errors.next_if(|error| error.0 == index).map(|error| error.1.as_str());
            assert_eq!(replay.update(index).err(), wanted, "{} update {index}", scenario.id);
            tally.updates += 1;
            tally.refused += usize::from(wanted.is_some());
        }
        for ask in scenario.fetch.iter().filter(|ask| ask.after == after) {
            let what = format!("{} after {after}: {} {}..{}", scenario.id, ask.cf, ask.start, ask.end);
            tally.fetches += 1;
            let Some(rows) = replay.fetch(ask) else {
                tally.no_archive += 1;
                continue;
            };
            judge(&what, &rows, &replay.referred(ask.rra.unwrap(), &rows), ask.rows());
            tally.values += rows.iter().map(|(_, values)| values.len()).sum::<usize>();
        }
    }
    assert!(errors.next().is_none(), "{}: an error was expected of no update", scenario.id);
    replay.check_end();
    tally.scenarios += 1;
    tally.declined += usize::from(scenario.declined().is_some());
}

#[test]
fn every_scenario_gives_rrdtools_answer_or_the_right_one_where_rrdtool_is_known_to_be_wrong() {
    let mut tally = Tally::default();
    for scenario in scenarios() {
        if let Some(why) = scenario.declined() {
            println!("{}: judged by the second implementation, because in rrdtool {why}", scenario.id);
        }
        replay(&scenario, &mut tally, &mut |what, rows, referred, stored| {
            assert_rows(rows, if scenario.declined().is_some() { referred } else { stored }, what);
        });
    }
    let counted_in_the_data =
        Tally { scenarios: 126, declined: 9, updates: 8966, refused: 102, fetches: 823, no_archive: 5, values: 20452 };
    assert_eq!(tally, counted_in_the_data, "a scenario, an update or a fetch was skipped");
}

#[test]
fn the_second_implementation_is_a_fit_judge_it_agrees_with_rrdtool_wherever_rrdtool_is_right() {
    let mut tally = Tally::default();
    for scenario in scenarios().iter().filter(|scenario| scenario.declined().is_none()) {
        replay(scenario, &mut tally, &mut |what, _, referred, stored| assert_rows(referred, stored, what));
    }
    assert_eq!((tally.scenarios, tally.declined), (117, 0));
}

#[test]
fn a_declined_quirk_shows_in_every_scenario_that_is_tagged_with_it() {
    for scenario in scenarios().iter().filter(|scenario| scenario.declined().is_some()) {
        let mut differing = 0;
        replay(scenario, &mut Tally::default(), &mut |_, rows, _, stored| {
            let values = |rows: &Rows| rows.iter().flat_map(|(_, values)| values.clone()).collect::<Vec<_>>();
            differing += values(rows).iter().zip(values(stored)).filter(|(a, b)| !same(**a, *b)).count();
        });
        assert!(differing > 0, "{}: {:?} makes no difference", scenario.id, scenario.tags);
    }
}
