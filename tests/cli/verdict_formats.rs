//! How the verdict is told: the keys of the JSON, valid XML, annotations, the words for people, and closed pipes.

use std::io::Read;
use std::process::Stdio;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::place;
use super::store::{grapher, judged, recording, run, verdict};

/// The keys: others read them.
const KEYS: [&str; 19] = [
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

#[test]
fn json_has_exactly_the_documented_keys_in_their_order() {
    let (_folder, path) = place();
    for file in ["blog1_call_node4.4_50ms.csv", "shape_idle.csv"] {
        recording("series", file).store(&path).close().unwrap();
        let said = judged(&path, &[]);
        let all = said.all();
        assert_eq!(all[0]["source"], "heap_used", "what decides comes first");
        for one in &all {
            let mut keys: Vec<&str> = one.as_object().unwrap().keys().map(String::as_str).collect();
            let mut expected = KEYS;
            keys.sort_unstable();
            expected.sort_unstable();
            assert_eq!(keys, expected);
        }
        let places: Vec<usize> = KEYS.iter().map(|key| said.stdout.find(&format!("\"{key}\":")).unwrap()).collect();
        assert!(places.is_sorted(), "{}", said.stdout);
    }
}

#[test]
fn junit_is_well_formed_with_a_case_for_each_source() {
    let (_folder, path) = place();
    recording("series", "blog1_call_node4.4_50ms.csv").store(&path).close().unwrap();
    let said = verdict(&path, &["--format", "junit"]);
    assert_eq!(said.status, 1, "{}", said.stderr);
    let (mut cases, mut failures) = (Vec::new(), 0);
    let mut reader = Reader::from_str(&said.stdout);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(tag) if tag.name().as_ref() == "testcase" => {
                cases.push(tag.attributes().next().unwrap().unwrap().value.into_owned());
            }
            Event::Start(tag) if tag.name().as_ref() == "failure" => failures += 1,
            _ => {}
        }
    }
    assert_eq!((cases.join(" ").as_str(), failures), ("heap_used heap_total rss", 1), "{}", said.stdout);
}

#[test]
fn github_gets_annotations_and_a_summary_beside_what_others_wrote() {
    let (folder, path) = place();
    recording("series", "blog1_call_node4.4_50ms.csv").store(&path).close().unwrap();
    let summary = folder.path().join("summary.md");
    let mut command = grapher(&["verdict", "--format", "github", "--db", path.to_str().unwrap()]);
    for _ in 0..2 {
        let said = run(command.env("GITHUB_STEP_SUMMARY", &summary));
        assert_eq!((said.status, said.stderr.as_str()), (1, ""));
        assert!(said.stdout.starts_with("::error title=heap_used%3A leak"), "{}", said.stdout);
        assert!(said.stdout.lines().skip(1).all(|line| line.starts_with("::notice title=")), "{}", said.stdout);
    }
    let text = std::fs::read_to_string(&summary).unwrap();
    assert_eq!(text.matches("### soak.db: leak\n").count(), 2, "{text}");
    // A summary that cannot be written changes nothing of the verdict.
    let said = run(command.env("GITHUB_STEP_SUMMARY", folder.path()));
    assert_eq!(said.status, 1);
    assert!(said.stderr.contains("summary"), "{}", said.stderr);
    // Other formats leave it alone.
    let said = run(grapher(&["verdict", "--db", path.to_str().unwrap()]).env("GITHUB_STEP_SUMMARY", &summary));
    assert_eq!(said.status, 1);
    assert_eq!(std::fs::read_to_string(&summary).unwrap(), text);
}

#[test]
fn people_read_the_word_the_line_the_numbers_and_what_to_do_without_colour() {
    let (_folder, path) = place();
    recording("series", "sw253_call_node20_50ms.csv").store(&path).close().unwrap();
    let said = verdict(&path, &["--limit", "60MiB"]);
    let first: Vec<&str> = said.stdout.lines().take(6).collect();
    assert!(
        first[0].starts_with("heap_used: leak, early. The lowest size between collections grows by "),
        "{}",
        first[0]
    );
    assert!(first[1].contains('▁') && first[1].contains('█') && first[1].contains("MiB to "), "{}", first[1]);
    assert!(first[2].starts_with("    since "), "{}", first[2]);
    assert!(first[3].contains("per iteration"), "{}", first[3]);
    assert!(first[4].contains("limit 60.0 MiB: reached in ") && first[4].contains("95 %"), "{}", first[4]);
    assert!(first[5].contains("two heap snapshots"), "{}", first[5]);
    assert!(said.stdout.ends_with("\nverdict: leak (heap_used)\n"), "{}", said.stdout);
    assert!(!said.stdout.contains('\u{1b}'));
}

#[test]
fn a_reader_that_has_gone_and_a_closed_stdout_keep_the_verdict() {
    let (_folder, path) = place();
    recording("series", "blog1_call_node4.4_50ms.csv").store(&path).close().unwrap();
    let db = path.to_str().unwrap();
    for format in ["text", "json", "junit", "github"] {
        let mut child = grapher(&["verdict", "--db", db, "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(1), ""), "{format}");
    }
    let mut closed = std::process::Command::new("sh");
    closed.args(["-c", "exec \"$0\" verdict --db \"$1\" >&-", env!("CARGO_BIN_EXE_grapher"), db]);
    assert_eq!(closed.status().unwrap().code(), Some(1));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert_eq!(grapher(&["verdict", "--db", db]).stdout(full).stderr(Stdio::null()).status().unwrap().code(), Some(2));
}

#[test]
fn the_picture_says_the_verdict_when_it_is_asked_for_the_trend() {
    let (folder, path) = place();
    recording("series", "sw253_call_node20_50ms.csv").store(&path).close().unwrap();
    let start = super::store::START_S.to_string();
    let draw = |words: &[&str]| {
        let usual = ["--db", path.to_str().unwrap(), "--start", &start, "--end", "start+8m", "--out", "t.svg"];
        let said = run(grapher(&[&usual, words].concat()).current_dir(folder.path()));
        assert_eq!((said.status, said.stderr.as_str()), (0, ""));
        std::fs::read_to_string(folder.path().join("t.svg")).unwrap()
    };
    assert!(!draw(&[]).contains("heap_used: leak"));
    assert!(draw(&["--trend"]).contains("heap_used: leak, early, 31"));
    // A source that is no memory has no trend.
    assert!(!draw(&["--trend", "--source", "iterations"]).contains("iterations: "));
}
