//! CSV: what is exported is taken back, and what other tools write is taken.

use crate::bench::{Bench, rows, same};

const ROW: [&str; 2] = ["--rra", "AVERAGE:0.5:1:5000"];

fn csv_of(bench: &Bench, db: &str) -> String {
    bench.grapher(&["export", "--db", db, "--format", "csv"])
}

#[test]
fn an_export_that_is_imported_is_the_same_export() {
    let bench = Bench::new();
    let lines: String = (1..=900)
        .map(|second| {
            let heap =
                if (300..330).contains(&second) { "U".to_owned() } else { format!("{}.125", second * 7919 % 5000) };
            format!("{}:{heap}:{}\n", 1_700_000_040 + second, second * 3)
        })
        .collect();
    let definitions = ["DS:heap_used:GAUGE:2:0:U", "DS:at-x:DERIVE:2:0:U", "RRA:AVERAGE:0.5:3:2400"];
    let created = ["create", "--db", "t.db", "--start", "1700000040", "--step", "1"];
    bench.recorder(&[created.as_slice(), definitions.as_slice()].concat());
    bench.write("updates", &lines);
    let script = "\"$0\" update --db t.db - < updates";
    assert!(
        bench.command("bash".as_ref()).args(["-c", script]).arg(crate::bench::recorder()).status().unwrap().success()
    );
    let first = csv_of(&bench, "t.db");
    assert_eq!(first.lines().count(), 301);
    assert!(first.starts_with("time,at,heap_used,at-x\n1700000043,2023-11-14T22:14:03Z,"), "{}", &first[..200]);
    bench.write("t.csv", &first);
    // By default nothing is lost either; here to have the same archives as at first.
    for rra in [&ROW[..], &[]] {
        let (said, status) = bench.import(&[&["--db", "back.db", "--overwrite", "t.csv"], rra].concat(), "");
        assert_eq!((said.as_str(), status), ("", 0));
        assert_eq!(csv_of(&bench, "back.db"), first, "{rra:?}");
    }
}

#[test]
fn a_source_that_is_named_like_a_formula_keeps_its_name_and_no_spreadsheet_computes_it() {
    let bench = Bench::new();
    let definitions = ["DS:-2-3:GAUGE:2:U:U", "RRA:AVERAGE:0.5:1:10"];
    bench.recorder(&[&["create", "--db", "t.db", "--start", "1700000040", "--step", "1"][..], &definitions].concat());
    bench.recorder(&["update", "--db", "t.db", "1700000041:-5", "1700000042:7"]);
    let first = csv_of(&bench, "t.db");
    assert_eq!(first, "time,at,'-2-3\n1700000041,2023-11-14T22:14:01Z,-5\n1700000042,2023-11-14T22:14:02Z,7\n");
    let times = ["--db", "t.db", "--start", "1700000040", "--end", "1700000041", "--format", "csv"];
    let fetched = bench.grapher(&[&["fetch", "AVERAGE"], &times[..]].concat());
    assert_eq!(fetched.lines().take(2).collect::<Vec<_>>(), ["time,'-2-3", "1700000041,-5"]);
    let drawn = bench.grapher(&[&times[..], &["--source=-2-3"]].concat());
    assert!(drawn.contains("\npoint,'-2-3,'-2-3,1700000041,,-5,-5,-5,\n"), "{drawn}");
    for (text, from) in [(&first, "export"), (&fetched, "fetch")] {
        let (said, status) = bench.import(&["--db", "back.db", "--overwrite", "-"], text);
        assert_eq!((said.as_str(), status), ("", 0), "{from}");
        assert_eq!(csv_of(&bench, "back.db"), first, "{from}");
    }
}

#[test]
fn a_file_of_another_tool_is_taken_as_it_is() {
    let bench = Bench::new();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/series/blog1_call_node4.4_50ms.csv");
    let (said, status) = bench.import(&["--db", "t.db", "--start", "1700000000", file], "");
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("its times count from 0, which is taken as 2023-11-14T22:13:20Z"), "{said}");
    let info = bench.grapher(&["info", "--db", "t.db"]);
    for line in [
        "step = 1\n",
        "ds[heap_used].minimal_heartbeat = 2\n",
        "ds[heap_used].unit = \"bytes\"\n",
        "run[1].target = \"blog1_call_node4.4_50ms.csv\"\n",
        "run[1].reason = \"imported\"\n",
    ] {
        assert!(info.contains(line), "{line} is not in\n{info}");
    }
    // rrdtool, given the same readings at whole seconds, has the same averages of a minute but for what lies between seconds.
    let fetched =
        bench.grapher(&["fetch", "--db", "t.db", "AVERAGE", "-s", "1700000010", "-e", "1700000100", "-r", "60"]);
    assert!(rows(&fetched).iter().all(|(_, values)| values[0] > 10e6 && values[0] < 60e6), "{fetched}");
    // The same by `update`, reading for reading.
    let text = std::fs::read_to_string(file).unwrap();
    let updates: Vec<String> = text
        .lines()
        .skip(1)
        .map(|line| {
            let (time, values) = line.split_once(',').unwrap();
            let micros = (time.parse::<f64>().unwrap() * 1e6).round() / 1e6 + 1_700_000_000.0;
            format!("{micros:.3}:{}", values.replace(',', ":"))
        })
        .collect();
    let sources = ["heap_used", "heap_total", "rss", "iterations"].map(|name| format!("DS:{name}:GAUGE:2:U:U"));
    let mut created = vec!["create", "--db", "u.db", "--step", "1", "--start", "1699999999.001"];
    created.extend(sources.iter().map(String::as_str));
    created.extend(["RRA:AVERAGE:0.5:3:2400", "RRA:AVERAGE:0.5:1:475"]);
    bench.recorder(&created);
    let updates: Vec<&str> = updates.iter().map(String::as_str).collect();
    bench.recorder(&[&["update", "--db", "u.db"], updates.as_slice()].concat());
    for row in ["1", "3"] {
        let fetch = |db| {
            let words = ["AVERAGE", "-s", "1700000000", "-e", "1700000473", "-r", row];
            rows(&bench.grapher(&[&["fetch", "--db", db], words.as_slice()].concat()))
        };
        assert!(same(&fetch("t.db"), &fetch("u.db"), 1e-12, row) > 500);
    }
}

#[test]
fn samples_are_appended_only_after_those_that_are_there() {
    let bench = Bench::new();
    bench.import(&["--db", "t.db", "-"], "time,a,b\n1700000001,1,10\n1700000002,2,20\n1700000003,3,30\n");
    for (text, said) in [
        ("time,a\n1700000003,1\n", "stdin: line 2: time 1700000003 is not after 1700000003, the last update of t.db"),
        ("time,c\n1700000004,1\n", "the store has no source c: it has a, b; choose columns by --source"),
        ("t_s,a\n1,1\n", "say by --start where 0 is"),
        ("time,a\n1700000004,x\n", "line 2: `x` of a is not a number"),
    ] {
        let before = std::fs::read(bench.path("t.db")).unwrap();
        let (text, status) = bench.import(&["--db", "t.db", "-"], text);
        assert!(text.contains(said) && status == 2, "{said}: {text}");
        let info = bench.grapher(&["info", "--db", "t.db"]);
        assert!(info.contains("last_update = 1700000003\n") && !info.contains("run[2]"), "{said}: {info}");
        assert_eq!(std::fs::read(bench.path("t.db")).unwrap().len(), before.len());
    }
    let (said, status) = bench.import(&["--db", "t.db", "--step", "2s", "-"], "time,a\n1700000004,1\n");
    assert!(said.contains("leave out --step") && status == 2, "{said}");
    let (said, status) = bench.import(&["--db", "t.db", "-"], "time,b\n1700000004,40\n1700000005,50\n");
    assert_eq!((said.as_str(), status), ("", 0));
    let text = csv_of(&bench, "t.db");
    let values: Vec<&str> = text.lines().skip(1).map(|line| line.splitn(3, ',').nth(2).unwrap()).collect();
    assert_eq!(values, ["1,10", "2,20", "3,30", ",40", ",50"]);
    assert!(bench.grapher(&["info", "--db", "t.db"]).contains("run[2].reason = \"imported\""));
}

#[test]
fn seconds_from_zero_end_now_unless_told_otherwise() {
    let bench = Bench::new();
    let (said, status) = bench.import(&["--db", "t.db", "-"], "time,heap_used\n0,1\n1,2\n2,3\n3,4\n");
    assert!(said.contains("stdin: its times count from 0, which is taken as 20") && status == 0, "{said}");
    let text = csv_of(&bench, "t.db");
    assert_eq!(text.lines().count(), 5, "{text}");
    let last: i64 = text.lines().last().unwrap().split(',').next().unwrap().parse().unwrap();
    let now = std::process::Command::new("date").arg("+%s").output().unwrap();
    let now: i64 = String::from_utf8(now.stdout).unwrap().trim().parse().unwrap();
    assert!((0..60).contains(&(now - last)), "{last} is not about {now}");
    let (said, status) = bench.import(&["--db", "u.db", "--start", "now", "-"], "time,a\n1700000000,1\n");
    assert!(said.contains("leave it out") && status == 2, "{said}");
}
