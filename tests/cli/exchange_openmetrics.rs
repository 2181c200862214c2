//! OpenMetrics: a strict reader of our own takes the export, and promtool where there is one.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::bench::Bench;

/// A store of two runs whose target needs every escape there is.
fn export(bench: &Bench) -> String {
    bench.import(&["--db", "t.db", "-"], &lines(1_700_000_001, 90));
    bench.write("a \"b\"\\c.csv", &lines(1_700_000_100, 200));
    assert_eq!(bench.import(&["--db", "t.db", "a \"b\"\\c.csv"], ""), (String::new(), 0));
    bench.grapher(&["export", "--db", "t.db", "--format", "openmetrics", "--cf", "average", "--cf", "max"])
}

fn lines(from: u64, seconds: u64) -> String {
    let line = |second: u64| {
        let heap = if second % 9 == 4 { String::new() } else { (second * 1_048_576).to_string() };
        format!("{},{heap},{}.5,{second}\n", from + second, second % 3)
    };
    format!("time,heap_used,gc-pause_ms,ops\n{}", (0..seconds).map(line).collect::<String>())
}

/// Reads OpenMetrics by the letter of its grammar, as far as gauges go: series → its samples.
fn read(text: &str) -> Result<BTreeMap<String, Vec<(f64, f64)>>, String> {
    let body = text.strip_suffix("# EOF\n").ok_or("it does not end in # EOF")?;
    let mut series: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    let (mut families, mut current, mut last) = (BTreeSet::new(), String::new(), String::new());
    for line in body.split_terminator('\n') {
        let fail = |what: &str| Err(format!("{what}: {line}"));
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (Some(kind), Some(name), Some(value)) = (words.next(), words.next(), words.next()) else {
                return fail("a comment");
            };
            match kind {
                "TYPE" if value != "gauge" || !families.insert(name.to_owned()) => return fail("a family twice"),
                "TYPE" => name.clone_into(&mut current),
                "UNIT" if !name.ends_with(&format!("_{value}")) => return fail("a unit that is not in the name"),
                "UNIT" | "HELP" if name == current => {}
                _ => return fail("metadata of another family"),
            }
            continue;
        }
        let (name, rest) = line.split_once('{').ok_or(format!("no labels: {line}"))?;
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name != current || !name.chars().all(valid) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return fail("a name that is not the family's");
        }
        let (labels, rest) = rest.split_at(labels_end(rest).ok_or(format!("labels: {line}"))?);
        let numbers: Vec<f64> =
            rest[2..].split(' ').map(str::parse).collect::<Result<_, _>>().map_err(|e| format!("{e}: {line}"))?;
        let [value, time] = numbers[..] else { return fail("not a value and a time") };
        let key = format!("{name}{{{labels}}}");
        if key != last && series.contains_key(&key) {
            return fail("a series in two parts");
        }
        let samples = series.entry(key.clone()).or_default();
        if samples.last().is_some_and(|(before, _)| *before >= time) {
            return fail("not ascending");
        }
        samples.push((time, value));
        last = key;
    }
    Ok(series)
}

/// Where the labels end, each `name="value"` with escapes.
fn labels_end(text: &str) -> Option<usize> {
    let mut place = 0;
    loop {
        let name = text[place..].find("=\"")?;
        if !text[place..place + name].chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return None;
        }
        place += name + 2;
        loop {
            match text.as_bytes().get(place)? {
                b'\\' if matches!(text.as_bytes().get(place + 1)?, b'\\' | b'"' | b'n') => place += 2,
                b'\\' | b'\n' => return None,
                b'"' => break,
                _ => place += 1,
            }
        }
        match &text[place + 1..] {
            rest if rest.starts_with("} ") => return Some(place + 1),
            rest if rest.starts_with(',') => place += 2,
            _ => return None,
        }
    }
}

#[test]
fn a_strict_reader_takes_every_line() {
    let bench = Bench::new();
    let series = read(&export(&bench)).unwrap();
    let names: BTreeSet<_> = series.keys().map(|key| key.split('{').next().unwrap()).collect();
    let expected = ["heapsoak_gc_pause_ms_milliseconds", "heapsoak_heap_used_bytes", "heapsoak_ops"];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), expected);
    // Two functions, two runs, three sources.
    assert_eq!(series.len(), 12);
    let key = r#"heapsoak_heap_used_bytes{source="heap_used",cf="average",run="2",target="a \"b\"\\c.csv"}"#;
    let samples = &series[key];
    assert_eq!(samples[4], (1_700_000_106.0, 6.0 * 1_048_576.0), "{samples:?}");
    assert!(samples.len() < 200 && samples.len() > 150, "unknown is left out: {}", samples.len());
}

#[test]
fn promtool_makes_blocks_of_it_with_every_sample() {
    let bench = Bench::new();
    let text = export(&bench);
    bench.write("t.om", &text);
    let Ok(output) =
        bench.command("promtool".as_ref()).args("tsdb create-blocks-from openmetrics t.om data".split(' ')).output()
    else {
        println!("promtool is not installed: only the reader above has judged");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let samples: usize = read(&text).unwrap().values().map(Vec::len).sum();
    // A server keeps one beside its blocks, and the dump looks for it.
    std::fs::create_dir(bench.path("data/wal")).unwrap();
    let dumped = Command::new("promtool").args(["tsdb", "dump"]).arg(bench.path("data")).output().unwrap();
    let listed = String::from_utf8(dumped.stdout).unwrap();
    assert_eq!(listed.lines().count(), samples, "{}", String::from_utf8_lossy(&dumped.stderr));
}
