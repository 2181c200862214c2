//! `fetch`, `info`, `last`, `first`, `lastupdate`: what a script reads.

use std::process::Command;

use heapsoak_rrd::{Reading, Time};
use serde_json::Value;

use crate::scene::{START_S, Scene, printed, run, said, update};

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_table_is_rrdtools_own_byte_for_byte() {
    let scene = Scene::new();
    scene.soaked("soak.db", 60);
    let rrdtool = |words: &[&str]| {
        let output = Command::new("rrdtool").args(words).current_dir(scene.path("")).output();
        let output = output.expect("rrdtool is needed to compare with: apt-get install rrdtool");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // The sign of not-a-number is an accident of the processor.
        String::from_utf8(output.stdout).unwrap().replace("-nan", "nan")
    };
    let start = START_S.to_string();
    let definition = "DS:heap_used:GAUGE:2:0:U DS:dom_nodes:GAUGE:2:0:U RRA:AVERAGE:0.5:3:2400 RRA:LAST:0.5:1:30";
    let words: Vec<&str> =
        ["create", "t.rrd", "--step", "1", "--start", &start].into_iter().chain(definition.split(' ')).collect();
    rrdtool(&words);
    let readings: Vec<String> = (1..=60)
        .map(|second| format!("{}:{}:1234", START_S + second, 20_000_000 + second * 2_000 + second % 30 * 250_000))
        .collect();
    rrdtool(&["update", "t.rrd"].into_iter().chain(readings.iter().map(String::as_str)).collect::<Vec<_>>());

    let end = (START_S + 70).to_string();
    for options in [
        &["AVERAGE", "--start", &start, "--end", &end][..],
        &["LAST", "--start", "end-20s", "--end", &end],
        &["AVERAGE", "--start", "end-1h", "--end", &end, "-r", "60"],
        &["AVERAGE", "--end", &end],
    ] {
        let ours = printed(&mut scene.grapher(&[&["fetch"], options].concat()));
        assert!(ours == rrdtool(&[&["fetch", "t.rrd"], options].concat()), "{options:?}:\n{ours}");
    }
    for verb in ["last", "first", "lastupdate"] {
        assert_eq!(printed(&mut scene.grapher(&[verb])), rrdtool(&[verb, "t.rrd"]), "{verb}");
    }
}

#[test]
fn each_format_shows_the_same_rows_and_unknown_in_its_own_way() {
    let scene = Scene::new();
    let mut writer = scene.create("soak.db");
    update(&mut writer, START_S, 1..=3);
    writer.update(Time::from_secs(START_S + 6), &[Reading::Unknown, Reading::from(7.0)]).unwrap();
    writer.close().unwrap();
    let fetch = |format| {
        let (start, end) = (START_S.to_string(), (START_S + 5).to_string());
        printed(
            &mut scene.grapher(&["fetch", "average", "--start", &start, "--end", &end, "-r", "3", "--format", format]),
        )
    };
    assert_eq!(lines(&fetch("csv")), ["time,heap_used,dom_nodes", "1700000004,20504000,1234", "1700000007,,"]);
    assert_eq!(lines(&fetch("table"))[2..], ["1700000004: 2.0504000000e+07 1.2340000000e+03", "1700000007: nan nan"]);
    let answer = json(&fetch("json"));
    assert_eq!(answer["start"], START_S);
    assert_eq!((&answer["end"], &answer["step"]), (&Value::from(START_S + 6), &Value::from(3)));
    assert_eq!(
        answer["rows"],
        serde_json::json!([[1_700_000_004, [20_504_000.0, 1234.0]], [1_700_000_007, [null, null]]])
    );
}

#[test]
fn a_list_that_is_too_long_is_refused_in_peoples_times_with_what_to_do() {
    let scene = Scene::new();
    scene.soaked("soak.db", 60);
    let text = said(&mut scene.grapher(&["fetch", "AVERAGE", "--start", "0", "--end", "1700000001"]));
    let expected = "grapher: 1970-01-01T00:00:00Z to 2023-11-14T22:13:21Z: 566666668 rows of 3s are too many to list: give a \
                    later --start (the recording begins 2023-11-14T22:13:21Z), longer rows by --resolution, or fewer \
                    sources by --source\n";
    assert_eq!(text, expected);
}

#[test]
fn only_the_sources_asked_for_are_fetched_and_an_unknown_one_is_named() {
    let scene = Scene::new();
    scene.soaked("soak.db", 10);
    let start = START_S.to_string();
    let csv = printed(&mut scene.grapher(&[
        "fetch",
        "MAX",
        "-s",
        &start,
        "-e",
        "start+5s",
        "--source",
        "dom_nodes",
        "--format",
        "csv",
    ]));
    assert_eq!(lines(&csv)[0], "time,dom_nodes");
    let text = said(&mut scene.grapher(&["fetch", "MAX", "--source", "heap"]));
    assert!(text.contains("has no source \"heap\"") && text.contains("heap_used"), "{text}");
}

#[test]
fn rows_of_parts_of_a_second_are_stamped_exactly() {
    let scene = Scene::new();
    let mut writer = scene.create_with("soak.db", "0.05", &["RRA:AVERAGE:0.5:1:100", "RRA:AVERAGE:0.5:20:100"]);
    for tick in 1..=40 {
        let time = Time::from_micros(START_S * 1_000_000 + tick * 50_000);
        writer.update(time, &[Reading::from(1.5), Reading::Unknown]).unwrap();
    }
    writer.close().unwrap();
    let start = (START_S + 1).to_string();
    let table = printed(&mut scene.grapher(&["fetch", "AVERAGE", "--start", &start, "--end", "start+100ms"]));
    assert_eq!(
        lines(&table)[2..],
        [
            "1700000002.05: 1.5000000000e+00 nan",
            "1700000002.1: 1.5000000000e+00 nan",
            "1700000002.15: 1.5000000000e+00 nan"
        ]
    );
    let first = printed(&mut scene.grapher(&["first"]));
    assert_eq!(first, "1699999998.05\n");
}

#[test]
fn a_reader_that_goes_away_is_success() {
    let scene = Scene::new();
    scene.soaked("soak.db", 6000);
    let grapher = env!("CARGO_BIN_EXE_grapher");
    for format in ["table", "csv", "json"] {
        let line = format!(
            "set -o pipefail; '{grapher}' fetch AVERAGE --start {START_S} --end start+2h --format {format} | head -1"
        );
        let output = Command::new("bash").args(["-c", &line]).current_dir(scene.path("")).output().unwrap();
        assert!(output.status.success(), "{format}: {:?}", output.status);
        assert!(output.stderr.is_empty(), "{format}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1, "{format}");
    }
}

#[test]
fn reversed_times_and_archives_that_are_not_there_are_refused() {
    let scene = Scene::new();
    scene.soaked("soak.db", 10);
    let text = said(&mut scene.grapher(&["fetch", "AVERAGE", "--start", "now", "--end", "now-1h"]));
    assert!(text.contains("is after end"), "{text}");
    let text = said(&mut scene.grapher(&["first", "--rraindex", "9"]));
    assert!(text.contains('9') && text.contains("soak.db"), "{text}");
    assert_eq!(printed(&mut scene.grapher(&["first", "--rraindex", "3"])), format!("{}\n", START_S + 10 - 29));
}

#[test]
fn info_tells_what_rrdtool_tells_and_what_only_we_know() {
    let scene = Scene::new();
    scene.soaked("soak.db", 10);
    let text = printed(&mut scene.grapher(&["info"]));
    for line in [
        "step = 1",
        "last_update = 1700000011",
        "ds[heap_used].index = 0",
        "ds[heap_used].type = \"GAUGE\"",
        "ds[heap_used].minimal_heartbeat = 2",
        "ds[heap_used].min = 0.0000000000e+00",
        "ds[heap_used].max = NaN",
        "ds[heap_used].last_ds = \"22520000\"",
        "ds[dom_nodes].unit = \"count\"",
        "rra[1].cf = \"MIN\"",
        "rra[0].pdp_per_row = 3",
        "rra[0].xff = 5.0000000000e-01",
        "run[1].ended = none",
    ] {
        assert!(text.lines().any(|found| found == line), "`{line}` is not in:\n{text}");
    }
    let info = json(&printed(&mut scene.grapher(&["info", "--format", "json"])));
    assert_eq!(info["sources"][1]["name"], "dom_nodes");
    assert_eq!(info["archives"][0]["row_seconds"], 3);
    assert_eq!(info["runs"][0]["ended"], Value::Null);
    assert_eq!(info["damage"], Value::Null);
}

#[test]
fn text_of_the_store_cannot_steer_the_terminal() {
    let scene = Scene::new();
    let mut writer = scene.create("soak.db");
    let mut hostile = run(START_S);
    hostile.target = "\u{1b}[2Jpage\nstep = 7".to_owned();
    writer.begin_run(hostile);
    update(&mut writer, START_S, 1..=3);
    writer.close().unwrap();
    let text = printed(&mut scene.grapher(&["info"]));
    assert!(!text.contains('\u{1b}') && !text.contains("\nstep = 7"), "{text}");
}

#[test]
fn a_flipped_bit_is_found_and_named() {
    let scene = Scene::new();
    let mut writer = scene.create("soak.db");
    // A value that stands in one place of the file only: the row's MIN, MAX and AVERAGE differ.
    for (second, value) in [(1, 1.0e6), (2, 2.0e6), (3, 3.1234567e6)] {
        writer.update(Time::from_secs(START_S + second), &[Reading::from(value), Reading::from(5.0)]).unwrap();
    }
    writer.close().unwrap();
    let verified = printed(&mut scene.grapher(&["info", "--verify"]));
    assert!(verified.ends_with("damaged_rows = 0\n"), "{verified}");

    let mut bytes = scene.read("soak.db");
    let average = ((1.0e6 + 2.0e6 + 3.1234567e6) / 3.0_f64).to_be_bytes();
    let at = bytes.windows(8).position(|eight| eight == average).expect("the average stands in the file");
    bytes[at + 3] ^= 1;
    scene.write("soak.db", &bytes);

    let output = scene.grapher(&["info", "--verify"]).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{stdout}{stderr}");
    assert!(stdout.contains("damaged_rows = 1\ndamage[0] = \"point"), "{stdout}");
    assert!(stderr.starts_with("grapher: ") && stderr.contains("has a damaged row"), "{stderr}");

    let start = START_S.to_string();
    let output = scene
        .grapher(&["fetch", "AVERAGE", "-s", &start, "-e", "start+1s", "-r", "3", "--format", "csv"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "time,heap_used,dom_nodes\n1700000004,,5\n");
    assert!(String::from_utf8_lossy(&output.stderr).contains("--verify"), "damage must be said");
}

#[test]
fn a_store_is_read_while_it_is_written() {
    let scene = Scene::new();
    let mut writer = scene.create("soak.db");
    let path = scene.path("");
    let readers = std::thread::spawn(move || {
        for _ in 0..20 {
            let mut command = Command::new(env!("CARGO_BIN_EXE_grapher"));
            let start = START_S.to_string();
            printed(
                command
                    .args(["fetch", "AVERAGE", "--start", &start, "--end", "start+1h", "--format", "json"])
                    .current_dir(&path),
            );
        }
    });
    let mut second = 0;
    while !readers.is_finished() {
        update(&mut writer, START_S, second + 1..=second + 5);
        second += 5;
    }
    readers.join().unwrap();
    writer.close().unwrap();
    assert_eq!(printed(&mut scene.grapher(&["last"])), format!("{}\n", START_S + second));
}
