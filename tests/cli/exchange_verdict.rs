//! The whole way of evidence that others recorded: a CSV is imported, and judged.

use crate::bench::Bench;

fn judged(bench: &Bench, file: &str) -> (String, Option<i32>) {
    let path = format!("{}/../../data/series/{file}", env!("CARGO_MANIFEST_DIR"));
    let (said, status) = bench.import(&["--db", "t.db", "--overwrite", "--start", "1700000040", &path], "");
    assert_eq!(status, 0, "{said}");
    let words = ["verdict", "--db", "t.db", "--format", "json"];
    let output = bench.command(&crate::bench::grapher()).args(words).output().unwrap();
    let all: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(all[0]["source"], "heap_used");
    (all[0]["verdict"].as_str().unwrap().to_owned(), output.status.code())
}

#[test]
fn a_csv_of_a_loop_that_died_is_a_leak_and_no_steady_one_is() {
    let bench = Bench::new();
    for file in ["blog1_call_node4.4_50ms.csv", "sw253_call_node20_50ms.csv"] {
        assert_eq!(judged(&bench, file), ("leak".to_owned(), Some(1)), "{file}");
    }
    for file in ["blog3_bluebird_node4.4_50ms.csv", "modern_sw4_50ms.csv", "shape_idle.csv", "shape_http_steady.csv"] {
        let (word, status) = judged(&bench, file);
        assert!(word != "leak" && status != Some(1), "{file} is called a leak");
    }
}

#[test]
fn two_columns_of_another_tool_are_enough() {
    let bench = Bench::new();
    let lines: String = (0..90).map(|second| format!("{},{}\n", 1_700_000_040 + second, 5_000_000 + second)).collect();
    bench.write("t.csv", &format!("time,heap_used\n{lines}"));
    let (said, status) = bench.import(&["--db", "t.db", "t.csv"], "");
    assert_eq!(status, 0, "{said}");
    let output = bench.command(&crate::bench::grapher()).args(["verdict", "--db", "t.db"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("Record at least ") && text.contains(" more"), "{text}");
}
