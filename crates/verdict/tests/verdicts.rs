//! What callers rely on: the fixed keys, segments, what is missing, the limit, comparing, looking, and time.

mod support;

use heapsoak_verdict::{
    Basis, Change, Collection, Floor, Kind, Limit, Looks, Materiality, Progress, Sample, Series, Settings, Trim, Unit,
    Verdict, Word, compare, decide,
};
use proptest::prelude::*;

const MB: f64 = 1e6;

/// Floors every `pace` seconds at `rate` bytes a second with a little regular noise, ten iterations a second.
fn floors(count: u32, pace: f64, rate: f64) -> Series {
    let mut series = Series::new("heap_used", Kind::Heap, Unit::Bytes);
    for i in 0..count {
        let time = 1_700_000_000.0 + pace * f64::from(i);
        let value = 10.0 * MB + rate * pace * f64::from(i) + f64::from(i * 7919 % 13) * 2e3;
        series.floors.push(Floor { time, value, collection: Collection::Forced });
        series.progress.push(Progress { time, iterations: 10.0 * pace * f64::from(i) });
    }
    series
}

fn judged(series: &Series) -> Verdict {
    decide(series, &Settings::default())
}

#[test]
fn the_json_keys_stay_as_they_are_documented() {
    let value = serde_json::to_value(judged(&floors(40, 30.0, 20e3))).unwrap();
    let keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let mut wanted = vec![
        "source",
        "verdict",
        "shape",
        "reason",
        "basis",
        "n",
        "from",
        "to",
        "slope_per_hour",
        "slope_low",
        "slope_high",
        "slope_per_iteration",
        "iterations",
        "level",
        "limit",
        "limit_reached_in_s",
        "limit_low_s",
        "limit_high_s",
        "onset",
    ];
    wanted.sort_unstable();
    let mut found = keys;
    found.sort_unstable();
    assert_eq!(found, wanted);
    assert_eq!((value["verdict"].as_str(), value["basis"].as_str()), (Some("leak"), Some("checkpoint_gc")));
    assert!(value["limit_reached_in_s"].is_null());
}

#[test]
fn a_series_without_a_single_value_is_undecided_and_unknown_not_zero() {
    let verdict = judged(&Series::new("heap_used", Kind::Heap, Unit::Bytes));
    assert_eq!((verdict.verdict, verdict.basis, verdict.level), (Word::Undecided, None, None));
    assert!(verdict.needed_s.is_some() && verdict.advice.contains("record at least"), "{}", verdict.advice);
}

#[test]
fn a_short_import_says_how_much_longer_to_record() {
    let mut series = Series::new("heap_used", Kind::Heap, Unit::Bytes);
    series.samples = (0..90).map(|i| Sample { time: f64::from(i), value: Some(5.0 * MB) }).collect();
    let verdict = judged(&series);
    assert_eq!(verdict.verdict, Word::Undecided);
    assert!(
        verdict.advice.contains("record at least 4 min more") || verdict.advice.contains("min more"),
        "{}",
        verdict.advice
    );
}

#[test]
fn bytes_per_iteration_are_right_within_a_tenth() {
    let verdict = judged(&floors(90, 20.0, 1000.0));
    assert!((verdict.slope_per_iteration.unwrap() - 100.0).abs() < 10.0);
    assert!(verdict.iterations.is_some_and(|n| n > 10_000.0));
}

#[test]
fn the_end_of_one_life_and_the_start_of_the_next_are_no_line() {
    let mut series = floors(60, 20.0, 0.0);
    for floor in &mut series.floors[30..] {
        floor.value += 30.0 * MB;
    }
    series.restarts = vec![series.floors[30].time];
    let verdict = judged(&series);
    assert_eq!(verdict.verdict, Word::Steady, "{}", verdict.reason);
    assert!(verdict.from >= Some(series.floors[30].time));
}

#[test]
fn a_restart_a_moment_ago_does_not_hide_the_leak_before_it() {
    let mut series = floors(60, 20.0, 20e3);
    series.restarts = vec![series.floors[57].time];
    assert_eq!(judged(&series).verdict, Word::Leak);
}

#[test]
fn a_death_is_not_forgotten_when_the_next_life_has_just_begun() {
    let mut series = Series::new("heap_used", Kind::Heap, Unit::Bytes);
    series.samples =
        (0..500).map(|i| Sample { time: f64::from(i), value: Some(5.0 * MB + f64::from(i % 250) * 2e5) }).collect();
    series.restarts = vec![250.0, 440.0];
    series.out_of_memory = vec![249.5];
    let verdict = judged(&series);
    assert_eq!(verdict.verdict, Word::Leak, "{}", verdict.reason);
    assert!(verdict.to < Some(250.0) && verdict.is_early);
}

#[test]
fn a_program_that_died_within_a_minute_had_no_minute_to_warm_up() {
    let mut series = floors(24, 2.0, 900e3);
    assert_eq!(judged(&series).verdict, Word::Undecided);
    series.out_of_memory = vec![series.floors[23].time + 1.0];
    assert_eq!(judged(&series).verdict, Word::Leak, "{}", judged(&series).reason);
}

#[test]
fn a_loop_that_died_is_a_leak_though_it_crawled_at_the_end() {
    // As recorded of two loops: straight for 10 minutes, then ever more collections that find ever less new.
    let mut series = Series::new("heap_used", Kind::Heap, Unit::Bytes);
    let climb = (0..50).map(|i| (f64::from(i) * 12.0, 8.0 * MB + f64::from(i) * MB));
    let crawl = (0..80).map(|i| (600.0 + f64::from(i), 58.0 * MB + f64::from(i) * 0.01 * MB));
    let of = |(time, value)| Floor { time, value, collection: Collection::Natural };
    series.floors = climb.chain(crawl).map(of).collect();
    series.samples = (0..680).map(|i| Sample { time: f64::from(i), value: Some(60.0 * MB) }).collect();
    series.out_of_memory = vec![679.5];
    let settings = Settings { limit: Some(Limit::exact(66.0 * MB)), ..Settings::default() };
    let verdict = decide(&series, &settings);
    assert_eq!((verdict.verdict, verdict.limit_reached_in_s), (Word::Leak, None), "{}", verdict.reason);
}

#[test]
fn a_creep_of_a_few_percent_is_no_leak_before_half_an_hour() {
    // A steady loop that warmed up: 3 % in 7 minutes.
    let warm = floors(34, 12.0, 600.0);
    let verdict = judged(&warm);
    assert!(verdict.verdict == Word::Undecided && verdict.is_suspect, "{}", verdict.reason);
    assert!(verdict.needed_s.is_some_and(|s| (1300.0..1500.0).contains(&s)), "{:?}", verdict.needed_s);
    assert_eq!(judged(&floors(34, 60.0, 600.0)).verdict, Word::Leak, "the same in 34 minutes");
}

#[test]
fn a_slope_too_small_to_matter_is_steady_and_what_matters_can_be_changed() {
    let series = floors(100, 20.0, 150.0);
    assert_eq!(judged(&series).verdict, Word::Steady);
    let strict = Materiality { per_hour: Some(100e3), share_per_hour: 0.0 };
    assert_eq!(decide(&series, &Settings { materiality: strict, ..Settings::default() }).verdict, Word::Leak);
}

#[test]
fn the_limit_is_dated_with_both_intervals() {
    let settings = Settings { limit: Some(Limit::exact(60.0 * MB)), ..Settings::default() };
    let verdict = decide(&floors(40, 30.0, 20e3), &settings);
    let (at, low, high) =
        (verdict.limit_reached_in_s.unwrap(), verdict.limit_low_s.unwrap(), verdict.limit_high_s.unwrap());
    assert!((at - 1330.0).abs() < 20.0 && low < at && at < high, "{at} {low} {high}");
    let (low_80, high_80) = verdict.limit_80_s.unwrap();
    assert!(low < low_80 && high_80.unwrap() < high);
    let far = Settings { limit: Some(Limit::exact(1e12)), ..Settings::default() };
    let verdict = decide(&floors(40, 30.0, 20e3), &far);
    assert!(verdict.is_limit_beyond && verdict.limit_reached_in_s.is_none());
}

#[test]
fn a_leak_that_began_late_is_dated_and_its_rate_is_not_thinned_by_the_calm_before() {
    let mut series = floors(90, 20.0, 0.0);
    let start = series.floors[45].time;
    for floor in &mut series.floors[45..] {
        floor.value += (floor.time - start) * 20e3;
    }
    let verdict = judged(&series);
    assert_eq!(verdict.verdict, Word::Leak);
    assert!((verdict.onset.unwrap() - start).abs() < 40.0, "{:?} {start}", verdict.onset);
    assert!((verdict.slope_per_hour.unwrap() / 3600.0 - 20e3).abs() < 1e3);
}

#[test]
fn two_minutes_are_enough_when_nothing_is_left_out() {
    let settings = Settings { trim: Trim::NOTHING, ..Settings::default() };
    assert_eq!(decide(&floors(20, 3.0, 50e3), &settings).verdict, Word::Leak);
    assert_eq!(
        decide(&floors(20, 3.0, 0.0), &settings).verdict,
        Word::Undecided,
        "2 KB of noise are 50 MB/h of doubt in a minute"
    );
}

#[test]
fn natural_collections_that_ended_long_ago_say_nothing_of_now() {
    let mut series = floors(30, 10.0, 100e3);
    series.floors.iter_mut().for_each(|f| f.collection = Collection::Natural);
    let (first, last) = (series.floors[0].time, series.floors[29].time);
    series.samples = (0..900).map(|i| Sample { time: first + f64::from(i), value: Some(40.0 * MB) }).collect();
    let verdict = judged(&series);
    assert_eq!((verdict.verdict, verdict.basis), (Word::Undecided, Some(Basis::NaturalGc)), "{}", verdict.reason);
    series.samples.retain(|s| s.time <= last + 20.0);
    assert_eq!(judged(&series).verdict, Word::Leak);
}

#[test]
fn a_fix_shows_as_a_difference_with_its_interval() {
    let (leaky, fixed) = (judged(&floors(60, 20.0, 20e3)), judged(&floors(60, 20.0, 0.0)));
    let comparison = compare(leaky.clone(), fixed.clone(), Unit::Bytes);
    assert_eq!(comparison.change, Change::Less, "{}", comparison.reason);
    let difference = comparison.difference_per_hour.unwrap();
    assert!(comparison.difference_low.unwrap() <= difference && difference <= comparison.difference_high.unwrap());
    assert_eq!(compare(fixed.clone(), leaky, Unit::Bytes).change, Change::More);
    assert_eq!(compare(fixed.clone(), fixed.clone(), Unit::Bytes).change, Change::Same);
    let nothing = judged(&Series::new("heap_used", Kind::Heap, Unit::Bytes));
    assert_eq!(compare(nothing, fixed, Unit::Bytes).change, Change::Unclear);
}

#[test]
fn a_leak_stops_a_recording_only_at_the_second_look_with_new_data() {
    let (leak, calm) = (judged(&floors(40, 30.0, 20e3)), judged(&floors(60, 20.0, 0.0)));
    let longer = judged(&floors(60, 30.0, 20e3));
    let mut looks = Looks::default();
    assert!(!looks.is_due(299.0) && looks.is_due(300.0));
    assert!(!looks.record(300.0, &leak));
    assert!(!looks.is_due(599.0), "windows double");
    assert!(!looks.record(600.0, &leak), "nothing new was seen");
    assert!(looks.record(1200.0, &longer));
    let mut looks = Looks::default();
    assert!(!looks.record(300.0, &leak) && !looks.record(600.0, &calm) && !looks.record(1200.0, &longer));
}

#[test]
fn seven_days_of_archives_are_judged_whole() {
    let mut week = Series::new("heap_used", Kind::Heap, Unit::Bytes);
    week.samples = (0..12_480)
        .map(|i| Sample { time: f64::from(i) * 60.0, value: Some(20.0 * MB + f64::from(i % 97) * 1e4) })
        .collect();
    week.floors = floors(10_080, 60.0, 0.0).floors;
    let verdict = judged(&week);
    assert_eq!(verdict.verdict, Word::Steady, "{}", verdict.reason);
    let (from, to) = (verdict.from.unwrap(), verdict.to.unwrap());
    assert!(to - from > 0.7 * 604_800.0, "{from} to {to}");
}

proptest! {
    #[test]
    fn no_series_whatever_makes_it_panic_or_invent_a_number(
        times in prop::collection::vec(prop_oneof![-1e3..1e4, Just(f64::NAN), Just(f64::INFINITY), Just(7.0)], 0..120),
        values in prop::collection::vec(prop_oneof![-1e9..1e9, Just(f64::NAN), Just(f64::MAX), Just(0.0)], 0..120),
        plain in any::<bool>(),
    ) {
        let kind = if plain { Kind::Plain } else { Kind::Heap };
        let mut series = Series::new("anything", kind, Unit::Count);
        let points: Vec<(f64, f64)> = times.iter().copied().zip(values.iter().copied()).collect();
        series.samples = points.iter().map(|&(time, value)| Sample { time, value: Some(value) }).collect();
        series.floors = points.iter().step_by(3).map(|&(time, value)| Floor { time, value, collection: Collection::Natural }).collect();
        series.progress = points.iter().step_by(5).map(|&(time, iterations)| Progress { time, iterations }).collect();
        series.restarts = times.iter().copied().step_by(40).collect();
        let verdict = decide(&series, &Settings { limit: Some(Limit::of_heap(1e10)), ..Settings::default() });
        prop_assert!(!verdict.reason.is_empty() && !verdict.advice.is_empty());
        prop_assert!(serde_json::to_string(&verdict).is_ok());
    }
}
