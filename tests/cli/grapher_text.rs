//! Pictures as text and as data, of two runs beside each other, and over iterations.

use heapsoak_rrd::{Archive, Reading, Source, Step, Time};
use heapsoak_store::{Existing, NewSource, Writer};

use crate::scene::{START_S, Scene, Watcher, printed, run, said, wait_until};

/// The scene's store over its own ten minutes.
fn words<'a>(start: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["--start", start, "--end", "start+10m"], more].concat()
}

#[test]
fn a_terminal_picture_goes_to_stdout_in_80_by_24_and_without_colour() {
    let scene = Scene::new();
    scene.soaked("soak.db", 600);
    let start = START_S.to_string();
    let text = printed(&mut scene.grapher(&words(&start, &["--format", "term"])));
    assert_eq!(text.lines().count(), 24, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
    assert!(text.starts_with("heap_used of http://user:***@127.0.0.1/page\nsoak.db · run 1 · 10m"), "{text}");
    assert!(text.contains(" MiB ┤") && text.contains("22:14"), "{text}");
    let wide = printed(&mut scene.grapher(&words(&start, &["--format", "term", "--width", "200", "--height", "50"])));
    assert_eq!((wide.lines().count(), wide.lines().map(|line| line.chars().count()).max()), (50, Some(200)), "{wide}");
    assert_eq!(scene.names(), ["soak.db"]);
}

#[test]
fn a_watched_pipe_gets_one_picture_after_the_other_and_its_end_is_no_trouble() {
    let scene = Scene::new();
    scene.soaked("soak.db", 60);
    let mut command = scene.grapher(&["--format", "term", "--watch", "20ms"]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    {
        use std::io::{BufRead, BufReader};
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let titles = lines.by_ref().take(24 * 3).filter(|line| line.as_ref().unwrap().starts_with("heap_used of"));
        assert_eq!(titles.count(), 3);
    }
    let mut status = None;
    wait_until("the end after the reader has gone", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert!(status.unwrap().success(), "{status:?}");
    let watcher = Watcher::spawn(scene.grapher(&["--format", "term", "--watch", "20ms"]));
    watcher.says("drawing soak.db to -");
}

#[test]
fn json_is_what_was_drawn_and_csv_the_same() {
    let scene = Scene::new();
    scene.soaked("soak.db", 600);
    let start = START_S.to_string();
    let text = printed(&mut scene.grapher(&words(&start, &["--format", "json", "--limit", "60MiB"])));
    let drawn: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(drawn["to"].as_f64().zip(drawn["from"].as_f64()).map(|(to, from)| to - from), Some(600.0));
    let panel = &drawn["panels"][0];
    let points = panel["series"][0]["points"].as_array().unwrap();
    assert_eq!((points.len(), panel["unit"].as_str()), (200, Some("bytes")));
    let point: Vec<f64> = points[10].as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect();
    assert!(point[2] < point[1] && point[1] < point[3], "lowest, value, highest: {point:?}");
    assert_eq!(panel["rules"][0]["value"], 62_914_560.0);
    assert!(panel["axis"]["top"].as_f64().unwrap() >= 62_914_560.0);
    printed(&mut scene.grapher(&words(&start, &["--out", "drawn.csv"])));
    let csv = String::from_utf8(scene.read("drawn.csv")).unwrap();
    assert!(csv.starts_with("what,panel,name,time,until,value,low,high,text\ntitle,,,"), "{csv}");
    assert_eq!(csv.lines().filter(|line| line.starts_with("point,heap_used,heap_used,")).count(), 200);
    let elements = ["graph", "--format", "json", "--start", &start, "--end", "start+10m"];
    let elements = [&elements[..], &["DEF:a=soak.db:heap_used:MAX", "LINE1:a#ff0000:most"]].concat();
    let drawn: serde_json::Value = serde_json::from_str(&printed(&mut scene.grapher(&elements))).unwrap();
    assert_eq!(drawn["comments"], serde_json::json!(["most"]));
}

/// A run of some seconds at this rate of iterations, which begins `late` after all others.
fn looped(scene: &Scene, name: &str, seconds: i64, per_second: u64, late: i64) {
    let step = Step::new(1_000_000).unwrap();
    let source = |definition: &str, unit: &str| {
        let source: Source = definition.parse().unwrap();
        NewSource { unit: unit.to_owned(), ..source.into() }
    };
    let sources = [source("DS:heap_used:GAUGE:2:0:U", "bytes"), source("DS:iterations:DERIVE:2:0:U", "count")];
    let archives: Vec<Archive> =
        ["AVERAGE:3:2400", "MIN:3:2400", "MAX:3:2400"].iter().map(|text| Archive::parse(text, step).unwrap()).collect();
    let begin = Time::from_secs(START_S + late);
    let mut writer = Writer::create(&scene.path(name), step, &sources, &archives, begin, Existing::Replace).unwrap();
    writer.begin_run(run(START_S + late));
    for second in 1..=seconds {
        let heap = 20_000_000 + second.unsigned_abs() * 10_000;
        let readings = [Reading::from(heap), Reading::from(second.unsigned_abs() * per_second)];
        writer.update(Time::from_secs(START_S + late + second), &readings).unwrap();
    }
    writer.event(Time::from_secs(START_S + late + 30), "renderer_crash", "tab crashed").unwrap();
    writer.close().unwrap();
}

/// A run in which all sources count up.
fn counted(scene: &Scene, name: &str, sources: &[(&str, &str)]) {
    let step = Step::new(1_000_000).unwrap();
    let sources: Vec<NewSource> = sources
        .iter()
        .map(|(name, unit)| {
            let source: Source = format!("DS:{name}:GAUGE:2:U:U").parse().unwrap();
            NewSource { unit: (*unit).to_owned(), description: String::new(), ..source.into() }
        })
        .collect();
    let archives = [Archive::parse("AVERAGE:3:2400", step).unwrap()];
    let begin = Time::from_secs(START_S);
    let mut writer = Writer::create(&scene.path(name), step, &sources, &archives, begin, Existing::Replace).unwrap();
    for second in 1..=30_u32 {
        let readings: Vec<Reading> = (1..=sources.len()).map(|_| Reading::from(f64::from(second))).collect();
        writer.update(Time::from_secs(START_S + i64::from(second)), &readings).unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn a_picture_over_a_change_of_summer_time_states_it_once_and_tells_the_repeated_hour() {
    let scene = Scene::new();
    scene.soaked("soak.db", 60);
    // Sun 25 Oct 2026: at 01:00 UTC central Europe's clocks go from 03:00 back to 02:00.
    let drawn = |hours: &str, format: &str| {
        let words = ["--start", "1792886400", "--end", hours, "--format", format, "--out", "-"];
        printed(scene.grapher(&words).env("TZ", "CET-1CEST,M3.5.0,M10.5.0/3"))
    };
    let svg = drawn("start+4h", "svg");
    let texts: Vec<&str> = svg.lines().map(str::trim).filter(|line| !line.starts_with('<')).collect();
    let of = |wanted: &str| texts.iter().filter(|text| text.ends_with(wanted)).count();
    assert_eq!((of("UTC+02:00 → +01:00"), of("UTC+02:00"), of("UTC+01:00")), (2, 0, 1), "{texts:?}");
    assert_eq!(of("02:30"), 2, "{texts:?}");
    let term = drawn("start+4h", "term");
    assert!(term.lines().nth(1).is_some_and(|line| line.ends_with("UTC+02:00 → +01:00")), "{term}");
    assert_eq!(term.matches("UTC+").count(), 3, "{term}");
    let json: serde_json::Value = serde_json::from_str(&drawn("start+4h", "json")).unwrap();
    assert_eq!(json["time_zone"], "UTC+02:00 → +01:00");
    let json: serde_json::Value = serde_json::from_str(&drawn("start+30m", "json")).unwrap();
    assert_eq!(json["time_zone"], "UTC+02:00");
}

#[test]
fn runs_that_record_other_things_are_not_laid_over_each_other() {
    let scene = Scene::new();
    counted(&scene, "heap.db", &[("heap_used", "bytes"), ("load", "%"), ("free", "")]);
    counted(&scene, "load.db", &[("load", "ms"), ("free", "count")]);
    counted(&scene, "other.db", &[("x", "")]);
    let refused =
        |words: &[&str]| said(&mut scene.grapher(&[&["--db", "heap.db", "--format", "json"], words].concat()));
    let text = refused(&["--compare", "load.db"]);
    assert!(text.contains("load.db has no heap_used") && text.contains("with --series: load, free"), "{text}");
    let text = refused(&["--compare", "other.db"]);
    assert!(text.contains("other.db has no heap_used") && text.contains("no source is in both"), "{text}");
    let text = refused(&["--compare", "load.db", "--series", "load"]);
    assert!(text.contains("load is in milliseconds in load.db, and in percent in the run beside it"), "{text}");
    let words = ["--db", "heap.db", "--compare", "load.db", "--series", "free", "--format", "json"];
    let drawn: serde_json::Value = serde_json::from_str(&printed(&mut scene.grapher(&words))).unwrap();
    assert_eq!(drawn["panels"][0]["unit"], "count", "a source without a unit goes with any");
}

#[test]
fn two_runs_begin_at_the_same_place_and_have_their_own_names() {
    let scene = Scene::new();
    looped(&scene, "before.db", 300, 10, 0);
    looped(&scene, "after.db", 150, 40, 86_400);
    let words = ["--db", "before.db", "--compare", "after.db", "--format", "json"];
    let drawn: serde_json::Value = serde_json::from_str(&printed(&mut scene.grapher(&words))).unwrap();
    assert_eq!((&drawn["across"], &drawn["from"], &drawn["to"]), (&"seconds".into(), &0.0.into(), &300.0.into()));
    let series = drawn["panels"][0]["series"].as_array().unwrap();
    let names: Vec<&str> = series.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["heap_used (before)", "heap_used (after)"]);
    for one in series {
        assert_eq!(one["points"][0][0], 3.0, "the first row ends three seconds after the start");
    }
    let labels: Vec<&str> = drawn["events"].as_array().unwrap().iter().map(|e| e["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["before: renderer crash: tab crashed", "after: renderer crash: tab crashed"]);
    assert!(drawn["events"].as_array().unwrap().iter().all(|event| event["time"] == 30.0));
    let svg =
        printed(&mut scene.grapher(&["--db", "before.db", "--compare", "after.db", "--out", "-", "--format", "svg"]));
    for text in ["heap_used: before beside after", "since the start", "2m"] {
        assert!(svg.contains(text), "{text} is not in the picture");
    }
    let text = said(&mut scene.grapher(&["--db", "before.db", "--compare", "none.db"]));
    assert!(text.contains("none.db does not exist"), "{text}");
    assert!(said(&mut scene.grapher(&["--compare", "a.db", "--last", "1h"])).contains("cannot be used with"));
}

#[test]
fn over_iterations_the_faster_run_is_the_longer_one() {
    let scene = Scene::new();
    looped(&scene, "slow.db", 300, 10, 0);
    looped(&scene, "fast.db", 150, 40, 0);
    let words = ["--db", "slow.db", "--compare", "fast.db", "--iterations", "--format", "json"];
    let drawn: serde_json::Value = serde_json::from_str(&printed(&mut scene.grapher(&words))).unwrap();
    assert_eq!(drawn["across"], "iterations");
    let to = drawn["to"].as_f64().unwrap();
    assert!((5_900.0..=6_000.0).contains(&to), "150 s at 40 a second: {to}");
    let ends = |index: usize| {
        let points = drawn["panels"][0]["series"][index]["points"].as_array().unwrap();
        points.iter().rev().find(|point| !point[1].is_null()).unwrap()[0].as_f64().unwrap()
    };
    assert!((2_900.0..=3_010.0).contains(&ends(0)), "300 s at 10 a second: {}", ends(0));
    let alone = printed(&mut scene.grapher(&["--db", "slow.db", "--iterations", "--out", "-", "--format", "svg"]));
    assert!(alone.contains("iterations") && alone.contains("1000"), "{alone}");
    scene.soaked("soak.db", 60);
    let text = said(&mut scene.grapher(&["--iterations"]));
    assert!(text.contains("no source `iterations`") && text.contains("leave it out"), "{text}");
}
