//! rrdtool's XML: what it dumps is imported, what is exported it restores, and both sides go on alike.

use std::process::Stdio;

use crate::bench::{BEGIN, Bench, DEFINITIONS, grapher, recorder, time_of, updates};

/// Digits that are lost on the way of a dump, which has eleven of them.
const DUMPED: f64 = 2e-9;

fn create(bench: &Bench) {
    let start = BEGIN.to_string();
    let created = ["--start", start.as_str(), "--step", "1"];
    bench.rrdtool(&[&["create", "t.rrd"], created.as_slice(), DEFINITIONS.as_slice()].concat());
}

fn rrd_of(bench: &Bench, updates: &[String]) {
    create(bench);
    for some in updates.chunks(500) {
        let some: Vec<&str> = some.iter().map(String::as_str).collect();
        bench.rrdtool(&[&["update", "t.rrd"], some.as_slice()].concat());
    }
}

fn store_of(bench: &Bench, updates: &[String]) {
    let start = BEGIN.to_string();
    let created = ["create", "--db", "t.db", "--start", start.as_str(), "--step", "1"];
    bench.recorder(&[created.as_slice(), DEFINITIONS.as_slice()].concat());
    for some in updates.chunks(500) {
        let some: Vec<&str> = some.iter().map(String::as_str).collect();
        bench.recorder(&[&["update", "--db", "t.db"], some.as_slice()].concat());
    }
}

#[test]
fn an_rrd_that_is_imported_goes_on_as_it_would_have() {
    for series in ["blog1_call_node4.4_50ms", "shape_saw30"] {
        let (bench, updates) = (Bench::new(), updates(series));
        // Not on a border of any archive, so that every row is open.
        let (before, after) = updates.split_at(updates.len() * 2 / 3);
        rrd_of(&bench, before);
        bench.write("t.xml", &bench.rrdtool(&["dump", "t.rrd"]));
        assert_eq!(bench.import(&["--db", "t.db", "t.xml"], ""), (String::new(), 0));
        bench.compare("t.db", time_of(before.last().unwrap()), DUMPED);
        assert_eq!(bench.grapher(&["info", "--verify", "--db", "t.db"]).matches("damaged_rows = 0").count(), 1);
        for command in ["last", "first", "lastupdate"] {
            let theirs = bench.rrdtool(&[command, "t.rrd"]);
            let ours = bench.grapher(&[command, "--db", "t.db"]);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&ours), words(&theirs), "{command}");
        }
        bench.update("t.db", after);
        bench.compare("t.db", time_of(after.last().unwrap()), DUMPED);
    }
}

#[test]
fn a_store_that_is_restored_by_rrdtool_goes_on_as_it_would_have() {
    for series in ["blog1_call_node4.4_50ms", "sw253_call_node20_50ms"] {
        let (bench, updates) = (Bench::new(), updates(series));
        let (before, after) = updates.split_at(updates.len() * 2 / 3);
        store_of(&bench, before);
        bench.grapher(&["export", "--db", "t.db", "--format", "xml", "--out", "t.xml"]);
        bench.rrdtool(&["restore", "--range-check", "t.xml", "t.rrd"]);
        bench.compare("t.db", time_of(before.last().unwrap()), 1e-12);
        bench.update("t.db", after);
        bench.compare("t.db", time_of(after.last().unwrap()), 1e-12);
    }
}

#[test]
fn rrdtool_draws_a_restored_store_as_it_draws_its_own_recording() {
    let (bench, updates) = (Bench::new(), updates("blog1_call_node4.4_50ms"));
    rrd_of(&bench, &updates);
    store_of(&bench, &updates);
    bench.grapher(&["export", "--db", "t.db", "--format", "xml", "--out", "t.xml"]);
    bench.rrdtool(&["restore", "t.xml", "ours.rrd"]);
    let picture = |rrd: &str, name: &str| {
        let end = time_of(updates.last().unwrap());
        let (start, end) = ((end - 400).to_string(), end.to_string());
        let (used, most) = (format!("DEF:a={rrd}:heap_used:AVERAGE"), format!("DEF:b={rrd}:heap_total:MAX"));
        let elements = ["AREA:a#ff0000:used", "LINE2:b#0000ff:total", "GPRINT:a:MAX:%12.3lf", "GPRINT:b:LAST:%12.3lf"];
        let words =
            ["graph", name, "--start", &start, "--end", &end, "--width", "800", "--height", "600", &used, &most];
        bench.rrdtool(&[words.as_slice(), elements.as_slice()].concat());
        std::fs::read(bench.path(name)).unwrap()
    };
    let (theirs, ours) = (picture("t.rrd", "theirs.png"), picture("ours.rrd", "ours.png"));
    assert!(theirs.len() > 5000);
    assert!(ours == theirs, "the two pictures differ");
}

#[test]
fn a_dump_comes_back_from_a_store_as_the_same_dump() {
    let (bench, updates) = (Bench::new(), updates("shape_saw30"));
    rrd_of(&bench, &updates);
    let dump = bench.rrdtool(&["dump", "t.rrd"]);
    bench.import(&["--db", "t.db", "-"], &dump);
    bench.write("t.xml", &bench.grapher(&["export", "--db", "t.db", "--format", "xml"]));
    bench.rrdtool(&["restore", "t.xml", "again.rrd"]);
    // What the row before left behind says nothing of the data, and rrdtool writes what it happened to have there.
    let data = |dump: &str| {
        let left_behind = ["primary_value", "secondary_value", "<value>"];
        dump.lines().filter(|line| !left_behind.iter().any(|name| line.contains(name))).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(data(&bench.rrdtool(&["dump", "again.rrd"])), data(&dump));
}

#[test]
fn predictions_are_left_out_and_that_is_said() {
    let bench = Bench::new();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/exchange/mixed.xml");
    let (said, status) = bench.import(&["--db", "t.db", file], "");
    assert_eq!((said.matches("left out: heapsoak does not predict").count(), status), (5, 0), "{said}");
    assert!(said.contains("archive of HWPREDICT left out"), "{said}");
    bench.rrdtool(&["restore", file, "t.rrd"]);
    for (cf, row) in [("AVERAGE", "10"), ("MIN", "30"), ("MAX", "40"), ("LAST", "70")] {
        let words = [cf, "--start", "1700000000", "--end", "1700000127", "-r", row];
        let theirs = bench.rrdtool(&[&["fetch", "t.rrd"], words.as_slice()].concat());
        let ours = bench.grapher(&[&["fetch", "--db", "t.db"], words.as_slice()].concat());
        assert!(crate::bench::same(&crate::bench::rows(&ours), &crate::bench::rows(&theirs), 1e-9, cf) > 4);
    }
}

#[test]
fn a_store_of_parts_of_seconds_is_not_given_to_rrdtool_as_something_else() {
    let bench = Bench::new();
    let created = ["create", "--db", "t.db", "--start", "1700000000", "--step", "50ms"];
    bench.recorder(&[created.as_slice(), &["DS:a:GAUGE:1:U:U", "RRA:LAST:0.5:1:9"]].concat());
    let output = bench.command(&grapher()).args(["export", "--db", "t.db", "--format", "xml"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("rrdtool counts in whole seconds"));
}

#[test]
fn a_last_update_within_a_second_leaves_no_bump_in_a_constant() {
    let bench = Bench::new();
    let created = ["create", "--db", "t.db", "--start", "1700000000", "--step", "10"];
    bench.recorder(&[created.as_slice(), &["DS:a:GAUGE:30:U:U", "RRA:LAST:0.5:1:50", "RRA:AVERAGE:0.5:4:50"]].concat());
    let updates: Vec<String> = (1..60).map(|n| format!("{}.402:100", 1_700_000_000 + n * 7)).collect();
    let words = |some: &[String]| some.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let (before, after) = (words(&updates[..30]), words(&updates[30..]));
    bench.recorder(&format!("update --db t.db {before}").split(' ').collect::<Vec<_>>());
    bench.grapher(&["export", "--db", "t.db", "--format", "xml", "--out", "t.xml"]);
    bench.rrdtool(&["restore", "t.xml", "t.rrd"]);
    bench.rrdtool(&format!("update t.rrd {after}").split(' ').collect::<Vec<_>>());
    for cf in ["LAST", "AVERAGE"] {
        let fetched = bench.rrdtool(&["fetch", "t.rrd", cf, "-s", "1700000080", "-e", "1700000360"]);
        let rows = crate::bench::rows(&fetched);
        assert!(rows.len() > 5 && rows.iter().all(|(_, values)| (values[0] - 100.0).abs() < 1e-9), "{fetched}");
    }
}

#[test]
fn hostile_dumps_end_in_an_error_and_leave_no_store() {
    let bench = Bench::new();
    let good = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/exchange/mixed.xml")).unwrap();
    let bomb = "<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]><rrd><step>&b;</step></rrd>";
    let many = format!("<rrd>{}", "<rra><cf>FAILURES</cf></rra>".repeat(200));
    for (what, xml, said) in [
        ("an entity bomb", bomb.to_owned(), "declares something of its own"),
        ("an entity of a file", good.replace("22.5", "&file;"), "none of XML's own"),
        ("nesting", "<rrd><rra><cf>FAILURES</cf>".to_owned() + &"<a>".repeat(100_000), "more than 16 deep"),
        ("an endless comment", format!("<rrd><!--{}", "x".repeat(1 << 20)), "too long"),
        ("archives without end", many, "more than 100 archives"),
        ("a huge number", good.replace("<step>10", &format!("<step>{}", "9".repeat(3000))), "not a whole number"),
        ("a cut", good[..good.len() / 2].to_owned(), "cut off"),
        ("no end", good.replace("</rrd>", ""), "cut off"),
        ("no XML", "<rrd><<a>".to_owned(), "none of rrdtool's dump"),
        ("wrong ends", "<rrd><step>1</ds>".to_owned(), "this is not XML"),
        ("no UTF-8 in the name", good.replace(" gauge ", " g\u{e4}uge "), "source name"),
        ("another XML", "<svg xmlns=\"x\"/>".to_owned(), "begins with element `svg`"),
    ] {
        let (text, status) = bench.import(&["--db", "t.db", "-"], &xml);
        assert!(text.contains(said) && text.contains("stdin: line "), "{what}: {text}");
        assert_eq!((status, text.lines().count()), (2, 1), "{what}: {text}");
        assert!(!bench.path("t.db").exists(), "{what} left a store");
    }
}

#[test]
fn an_endless_dump_is_given_up_within_little_memory() {
    let bench = Bench::new();
    for endless in ["'<!-- x'", "'<rrd><ds>'", "'1700000000,1'"] {
        // 300 MB of address space: what the program takes up by itself, and room for one piece.
        let script = format!("ulimit -v 300000; yes {endless} | tr -d '\\n' | \"$0\" import --db t.db -");
        let output = bench.command("bash".as_ref()).args(["-c", &script]).arg(recorder()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{endless}: {said}");
        assert!(said.contains("line 1: "), "{endless}: {said}");
    }
}

#[test]
fn what_is_no_dump_is_told_what_it_is_and_what_to_do() {
    let bench = Bench::new();
    create(&bench);
    let (said, status) = bench.import(&["--db", "t.db", "t.rrd"], "");
    assert!(said.contains("rrdtool dump t.rrd | recorder import --db t.db -"), "{said}");
    assert_eq!(status, 2);
    bench.import(&["--db", "t.db", "-"], &bench.rrdtool(&["dump", "t.rrd"]));
    let before = std::fs::read(bench.path("t.db")).unwrap();
    for (words, text) in [
        (&["--db", "u.db", "t.db"][..], "is a store already"),
        (&["--db", "u.db", "absent.xml"], "absent.xml cannot be read"),
        (&["--db", "u.db", "/dev/null"], "is empty"),
        (&["--db", "t.db", "-"], "t.db exists already, and a dump makes a new store"),
        (&["--db", "u.db", "--step", "5s", "-"], "leave out --step"),
    ] {
        let (said, status) = bench.import(words, &bench.rrdtool(&["dump", "t.rrd"]));
        assert!(said.contains(text) && status == 2, "{words:?}: {status}: {said}");
    }
    assert_eq!(std::fs::read(bench.path("t.db")).unwrap(), before);
    let (said, status) = bench.import(&["--db", "t.db", "--overwrite", "-"], &bench.rrdtool(&["dump", "t.rrd"]));
    assert_eq!((said.as_str(), status), ("", 0));
}

#[test]
fn a_reader_that_leaves_early_is_no_error_and_a_file_is_replaced_whole() {
    let bench = Bench::new();
    store_of(&bench, &updates("shape_saw30"));
    for format in ["xml", "csv", "json", "openmetrics"] {
        let words = ["export", "--db", "t.db", "--format", format];
        let mut child =
            bench.command(&grapher()).args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{format}: {output:?}");
        bench.write("out", "old");
        bench.grapher(&[words.as_slice(), &["--out", "out"]].concat());
        assert_eq!(bench.read("out"), bench.grapher(&words), "{format}");
    }
    bench.write("out", "old");
    let refused =
        bench.command(&grapher()).args(["export", "--db", "absent.db", "--format", "csv", "--out", "out"]).output();
    assert_eq!(refused.unwrap().status.code(), Some(2));
    assert_eq!(bench.read("out"), "old");
}
