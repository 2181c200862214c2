//! The `grapher` binary from outside: what it prints, where it writes, how it ends.
//!
//! The stores are made by the store's own writer; the pictures are decoded, not compared.
#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure ends the test")]

#[path = "grapher_scene.rs"]
mod scene;

#[path = "graph_language.rs"]
mod language;
#[path = "grapher_numbers.rs"]
mod numbers;
#[path = "grapher_panels.rs"]
mod panels;
#[path = "grapher_picture.rs"]
mod picture;
#[path = "graph_rrdtool.rs"]
mod rrdtool;
#[path = "grapher_text.rs"]
mod text;
#[path = "grapher_watch.rs"]
mod watch;

use scene::{Scene, printed, said};

#[test]
fn help_names_every_flag_and_shows_how_it_is_used() {
    let scene = Scene::new();
    let help = printed(&mut scene.grapher(&["--help"]));
    for word in [
        "--db",
        "--out",
        "--watch",
        "--last",
        "--start",
        "--full-size",
        "--panel",
        "--limit",
        "--gc",
        "Examples:",
        "Exit status:",
        "fetch",
    ] {
        assert!(help.contains(word), "{word} is not in the help:\n{help}");
    }
    let help = printed(&mut scene.grapher(&["fetch", "--help"]));
    assert!(help.contains("--resolution") && help.contains("Examples:"), "{help}");
    assert!(printed(&mut scene.grapher(&["--version"])).starts_with("grapher 0."));
}

#[test]
fn wrong_usage_is_status_2_and_stdout_stays_clean() {
    let scene = Scene::new();
    for words in [
        &["--no-such-flag"][..],
        &["fetch"],
        &["fetch", "MEDIAN"],
        &["--last", "0s"],
        &["--watch", "5x"],
        &["--out", "heap.jpg"],
        &["graph", "heap.png", "DEF:a=soak.db:heap_used:AVERAGE", "AREA:a#ff0000"],
    ] {
        let output = scene.grapher(words).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(output.stdout.is_empty(), "{words:?}");
        assert!(!output.stderr.is_empty(), "{words:?}");
    }
    assert!(scene.names().is_empty(), "wrong usage left files: {:?}", scene.names());
}

#[test]
fn an_absent_store_is_named_with_the_remedy_by_every_subcommand() {
    let scene = Scene::new();
    for words in [&["graph"][..], &["fetch", "AVERAGE"], &["info"], &["last"], &["first"], &["lastupdate"]] {
        let words = [words, &["--db", "nofile.db"]].concat();
        let text = said(&mut scene.grapher(&words));
        assert!(text.starts_with("grapher: ") && text.contains("nofile.db does not exist"), "{words:?}: {text}");
        assert_eq!(text.lines().count(), 1, "said more than once: {text}");
    }
    assert!(scene.names().is_empty(), "left behind: {:?}", scene.names());
}

#[test]
fn a_foreign_file_is_refused_and_left_as_it_was() {
    let scene = Scene::new();
    scene.write("soak.db", b"not a database, but long enough to be one: ".repeat(100).as_slice());
    let before = scene.read("soak.db");
    let text = said(&mut scene.grapher(&["info"]));
    assert!(text.contains("soak.db is not a heapsoak store"), "{text}");
    assert_eq!(scene.read("soak.db"), before);
}
