//! Several sources, panels, a limit, and the collector's work: what the picture says of them.

use heapsoak_rrd::{Archive, Reading, Source, Step, Time};
use heapsoak_store::{Existing, GcKind, NewGc, NewSource, Writer};

use crate::scene::{START_S, Scene, printed, run, said};

const MIB: u64 = 1 << 20;

fn gc(target: &str, second: i64, kind: GcKind, left: u64) -> NewGc {
    NewGc {
        target: target.to_owned(),
        time: Time::from_secs(START_S + second),
        kind,
        pause_ms: Some(12.5),
        before_bytes: Some(left + MIB),
        after_bytes: Some(left),
        forced: false,
    }
}

/// Ten minutes of a page (majors in the table only) and of a Node program (with a source for its floor).
fn page_and_node(scene: &Scene) -> Writer {
    let step = Step::new(1_000_000).unwrap();
    let source = |name: &str, unit: &str| {
        let source: Source = format!("DS:{name}:GAUGE:2:0:U").parse().unwrap();
        NewSource { unit: unit.to_owned(), ..source.into() }
    };
    let sources = [
        source("page_heap_used", "bytes"),
        source("page_dom_nodes", "count"),
        source("api_heap_used", "bytes"),
        source("api_heap_floor", "bytes"),
    ];
    let archive = Archive::parse("AVERAGE:3:2400", step).unwrap();
    let start = Time::from_secs(START_S);
    let mut writer =
        Writer::create(&scene.path("soak.db"), step, &sources, &[archive], start, Existing::Replace).unwrap();
    writer.begin_run(run(START_S));
    for second in 1..=599_i64 {
        let rise = second.unsigned_abs() % 100 * MIB / 10;
        let readings = [20 * MIB + rise, 300, 40 * MIB + rise, 40 * MIB].map(Reading::from);
        writer.update(Time::from_secs(START_S + second), &readings).unwrap();
        if second % 100 == 0 {
            writer.gc(&[gc("page", second, GcKind::Major, 20 * MIB), gc("page", second, GcKind::Minor, 1)]).unwrap();
        }
    }
    writer.gc(&[gc("api", 300, GcKind::Major, 40 * MIB)]).unwrap();
    writer.commit().unwrap();
    writer
}

/// The picture of these ten minutes, as text.
fn svg(scene: &Scene, words: &[&str]) -> String {
    let start = START_S.to_string();
    let whole = ["--out", "-", "--format", "svg", "--start", &start, "--end", "start+10m"];
    printed(&mut scene.grapher(&[&whole, words].concat()))
}

/// Whether a text stands in it, whole.
fn written(svg: &str, text: &str) -> bool {
    svg.lines().any(|line| line.trim() == text)
}

/// How often a text, a series or a collection is in it.
fn count(svg: &str, text: &str) -> usize {
    svg.matches(text).count()
}

#[test]
fn each_panel_has_the_floor_and_the_ticks_of_its_own_target() {
    let scene = Scene::new();
    page_and_node(&scene).close().unwrap();
    let panels = ["--panel", "page_heap_used", "--panel", "api_heap_used"];
    let with = svg(&scene, &[&panels[..], &["--gc"]].concat());
    assert!(with.contains("page: 5 major collections, paused for up to 12.5"), "{with}");
    assert!(with.contains("api: 1 major collection, paused"), "{with}");
    for series in ["page_heap_used", "page_heap_floor", "api_heap_used", "api_heap_floor"] {
        assert_eq!(count(&with, &format!("<title>{series}</title>")), 1, "{series}");
    }
    assert_eq!(count(&with, "<title>collection at "), 6);
    let without = svg(&scene, &panels);
    assert_eq!((count(&without, "heap_floor"), count(&without, "collection")), (0, 0), "not asked for");
}

#[test]
fn the_floor_of_the_one_heap_is_drawn_unasked_and_its_ticks_are_not() {
    let scene = Scene::new();
    page_and_node(&scene).close().unwrap();
    for source in ["page_heap_used", "api_heap_used"] {
        let svg = svg(&scene, &["--source", source]);
        assert_eq!(count(&svg, "heap_floor</title>"), 1, "{source}");
        assert_eq!(count(&svg, "collection"), 0, "{source}");
    }
    assert_eq!(count(&svg(&scene, &["--source", "page_dom_nodes"]), "floor"), 0);
    scene.soaked("soak.db", 60);
    assert_eq!(count(&svg(&scene, &[]), "floor"), 0, "nothing was collected");
    assert!(svg(&scene, &["--gc"]).contains("no major collection in this time"));
}

#[test]
fn series_of_one_unit_share_a_panel_and_others_are_refused_with_the_remedy() {
    let scene = Scene::new();
    page_and_node(&scene).close().unwrap();
    let both = svg(&scene, &["--series", "page_heap_used,api_heap_used"]);
    assert!(both.contains("page_heap_used, api_heap_used of http"), "the title names them");
    let text = said(&mut scene.grapher(&["--series", "page_heap_used,page_dom_nodes"]));
    assert!(text.contains("page_heap_used is in bytes and page_dom_nodes in counts"), "{text}");
    assert!(text.contains("--panel"), "{text}");
    let text = said(&mut scene.grapher(&["--panel", "page_heap_used", "--panel", "rss"]));
    assert!(text.contains("has no source \"rss\""), "{text}");
    for words in [
        &["--series", "a,,b"][..],
        &["--series", "a", "--panel", "b"],
        &["--source", "a", "--series", "b"],
        &["--limit", "0"],
        &["--limit", "much"],
    ] {
        said(&mut scene.grapher(words));
    }
    assert!(!scene.names().contains(&"heap.png".to_owned()));
}

#[test]
fn a_limit_says_how_near_it_was_come_to_and_on_which_side() {
    let scene = Scene::new();
    page_and_node(&scene).close().unwrap();
    let near = svg(&scene, &["--source", "api_heap_used", "--limit", "60MiB"]);
    assert!(written(&near, "limit 60 MiB"));
    assert!(written(&near, "api_heap_used came to 49.80 MiB: 83.0 % of the limit, 10.20 MiB below it"), "{near}");
    let over = svg(&scene, &["--panel", "page_dom_nodes", "--panel", "api_heap_used", "--limit", "45MiB"]);
    assert!(over.contains("of the limit, 4.80 MiB above it"), "the first panel in bytes is the second: {over}");
    let text = said(&mut scene.grapher(&["--source", "page_dom_nodes", "--limit", "60MiB"]));
    assert!(text.contains("no panel is in bytes"), "{text}");
}

#[test]
fn each_kind_of_end_is_told_in_the_picture() {
    let scene = Scene::new();
    let mut writer = page_and_node(&scene);
    let at = |second| Time::from_secs(START_S + second);
    writer.event(at(100), "thrashing", "thrashing, 93 % of the time in collections").unwrap();
    writer.event(at(200), "unresponsive", "no answer for 5 s").unwrap();
    writer.event(at(300), "signal", "SIGTERM").unwrap();
    writer.event(at(400), "exit", "status 3").unwrap();
    writer.event(at(590), "out_of_memory", "out of memory, 59.8 of 60 MiB").unwrap();
    writer.close().unwrap();
    let svg = svg(&scene, &["--source", "api_heap_used"]);
    assert!(written(&svg, "out of memory 22:23:11, 59.8 of 60 MiB"), "the sentence is not written");
    for title in ["thrashing at ", "unresponsive at ", "signal at ", "exit at ", "out of memory at "] {
        assert_eq!(count(&svg, &format!("<title>{title}")), 1, "{title}");
    }
}
