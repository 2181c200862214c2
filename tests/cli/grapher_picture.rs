//! One picture: what kind of file, how large, where it goes, and where it does not.

use std::io::Cursor;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::scene::{START_S, Scene, printed, said, update};

/// Decodes the whole PNG, checksums too; its width and height.
#[track_caller]
pub(crate) fn decoded(bytes: &[u8]) -> (u32, u32) {
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let frame = reader.next_frame(&mut pixels).expect("a whole PNG");
    reader.finish().expect("an end");
    (frame.width, frame.height)
}

/// The store's whole time, whatever the present is.
fn whole() -> [String; 4] {
    ["--start".to_owned(), START_S.to_string(), "--end".to_owned(), "start+10m".to_owned()]
}

fn draw(scene: &Scene, words: &[&str]) -> String {
    let whole = whole();
    let words: Vec<&str> = words.iter().copied().chain(whole.iter().map(String::as_str)).collect();
    printed(&mut scene.grapher(&words))
}

#[test]
fn without_any_flag_there_is_a_picture_and_nothing_else() {
    let scene = Scene::new();
    scene.soaked("soak.db", 600);
    assert_eq!(printed(&mut scene.grapher(&[])), "");
    assert_eq!(scene.names(), ["heap.png", "soak.db"]);
    let (width, height) = decoded(&scene.read("heap.png"));
    assert!(width > 800 && height > 600, "800 × 600 is the canvas, the image was {width} × {height}");
    let mode = std::fs::metadata(scene.path("heap.png")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it says whose page it is of: {mode:o}");
}

/// Rows of 3 s since 1970 are 600 million: those that no archive holds are not made.
#[test]
fn any_time_is_drawn_however_long_and_however_old_the_recording() {
    let scene = Scene::new();
    scene.soaked("soak.db", 600);
    let end = (START_S + 600).to_string();
    for words in [
        &["--start", "0"][..],
        &["--start", "2023-11-14"],
        &["--start", "0", "--end", "99999999999", "--trend", "--gc"],
        &["--last", "5000d", "--end", &end, "--panel", "heap_used", "--panel", "dom_nodes"],
    ] {
        assert_eq!(printed(&mut scene.grapher(words)), "");
        decoded(&scene.read("heap.png"));
    }
    printed(&mut scene.grapher(&["--start", "0", "--out", "all.json"]));
    let drawn: serde_json::Value = serde_json::from_slice(&scene.read("all.json")).unwrap();
    assert_eq!(drawn["panels"][0]["series"][0]["points"].as_array().unwrap().len(), 200);
    let elements = ["DEF:a=soak.db:heap_used:AVERAGE", "VDEF:top=a,MAXIMUM", "PRINT:top:%.0lf", "AREA:a#ff0000"];
    let printed = printed(&mut scene.grapher(&[&["graph", "def.png", "--start", "0"], &elements[..]].concat()));
    assert!(printed.lines().nth(1).is_some_and(|top| top.len() == 8), "{printed}");
}

/// Rows of a minute go with a week, and the first of them is not over.
#[test]
fn a_recording_of_some_seconds_is_seen_in_a_picture_of_days() {
    let scene = Scene::new();
    let mut writer = scene.create_with("soak.db", "1", &["AVERAGE:3:2400", "MAX:3:2400", "AVERAGE:60:10080"]);
    update(&mut writer, START_S, 1..=20);
    writer.close().unwrap();
    let end = (START_S + 21).to_string();
    printed(&mut scene.grapher(&["--last", "7d", "--end", &end, "--out", "week.json"]));
    let drawn: serde_json::Value = serde_json::from_slice(&scene.read("week.json")).unwrap();
    let series = &drawn["panels"][0]["series"][0];
    assert_eq!((&series["row"], series["points"].as_array().unwrap().len()), (&serde_json::json!(3.0), 6));
    assert!(series["points"][5][3].is_number(), "the greatest value of the row: {series}");
}

#[test]
fn other_users_may_read_it_if_asked_for() {
    let scene = Scene::new();
    scene.soaked("soak.db", 600);
    draw(&scene, &["--public"]);
    printed(&mut scene.grapher(&["export", "--format", "json", "--out", "a.json"]));
    printed(&mut scene.grapher(&["export", "--format", "json", "--out", "b.json", "--public"]));
    let mode = |name| std::fs::metadata(scene.path(name)).unwrap().permissions().mode() & 0o777;
    // The umask takes away what it takes away everywhere.
    assert!([0o644, 0o640, 0o600].contains(&mode("heap.png")) && mode("heap.png") == mode("b.json"));
    assert_eq!(mode("a.json"), 0o600);
}

#[test]
fn full_size_is_the_size_of_the_image() {
    let scene = Scene::new();
    scene.soaked("soak.db", 600);
    draw(&scene, &["--full-size", "--width", "640", "--height", "480", "--out", "a.png"]);
    assert_eq!(decoded(&scene.read("a.png")), (640, 480));
    draw(&scene, &["graph", "b.png", "--full-size", "--width", "640", "--height", "480", "--scale", "2"]);
    assert_eq!(decoded(&scene.read("b.png")), (1280, 960));
}

#[test]
fn an_svg_says_the_title_the_target_without_password_and_the_zone() {
    let scene = Scene::new();
    scene.soaked("soak.db", 600);
    draw(&scene, &["--out", "heap.svg"]);
    let svg = String::from_utf8(scene.read("heap.svg")).unwrap();
    assert!(svg.trim_end().ends_with("</svg>"));
    assert!(svg.contains("heap_used of http://user:***@127.0.0.1/page"), "the title is not there");
    assert!(svg.contains("UTC+00:00") && svg.contains("run 1"), "zone and run are not there");
    assert!(!svg.contains("secret"));
    draw(&scene, &["--out", "heap.svg", "--title", "Used <Heap> Size"]);
    let svg = String::from_utf8(scene.read("heap.svg")).unwrap();
    assert!(svg.contains("Used &lt;Heap&gt; Size"));
}

#[test]
fn old_data_are_called_old_and_an_empty_store_empty() {
    let scene = Scene::new();
    scene.soaked("soak.db", 600);
    let svg = |words: &[&str]| printed(&mut scene.grapher(&[&["--out", "-", "--format", "svg"], words].concat()));
    assert!(svg(&[]).contains("no data since 2023-11-14 22:23:21"));
    let start = START_S.to_string();
    assert!(svg(&["--start", &start, "--end", "start+15m"]).contains("no data since 22:23:21"));
    assert!(!svg(&["--start", &start, "--end", "start+10m"]).contains("no data"));
    scene.create("soak.db").close().unwrap();
    assert!(svg(&[]).contains("no data yet"));
}

#[test]
fn a_dash_is_stdout() {
    let scene = Scene::new();
    scene.soaked("soak.db", 60);
    let output = scene.grapher(&["--out", "-"]).output().unwrap();
    assert!(output.status.success());
    decoded(&output.stdout);
    assert_eq!(scene.names(), ["soak.db"]);
}

#[test]
fn another_source_can_be_drawn_and_an_unknown_one_is_named() {
    let scene = Scene::new();
    scene.soaked("soak.db", 60);
    draw(&scene, &["--source", "dom_nodes", "--out", "nodes.svg"]);
    assert!(String::from_utf8(scene.read("nodes.svg")).unwrap().contains("dom_nodes of http"));
    let text = said(&mut scene.grapher(&["--source", "rss"]));
    assert!(text.contains("has no source \"rss\": it has heap_used, dom_nodes"), "{text}");
    assert!(!scene.names().contains(&"heap.png".to_owned()));
}

#[test]
fn the_store_is_never_replaced_by_its_picture_or_export() {
    let scene = Scene::new();
    drop(scene.create("soak.db"));
    let whole = scene.read("soak.db");
    for args in [
        &["--format", "png", "--out", "soak.db"][..],
        &["export", "--db", "soak.db", "--format", "csv", "--out", "soak.db"],
        &["graph", "soak.db", "--format", "svg", "DEF:a=soak.db:heap_used:AVERAGE", "LINE:a#f00"],
    ] {
        let text = said(&mut scene.grapher(args));
        assert!(text.contains("soak.db is a database"), "{text}");
    }
    assert_eq!(scene.read("soak.db"), whole);
}

#[test]
fn a_place_that_cannot_be_written_is_said_at_once() {
    let scene = Scene::new();
    let text = said(&mut scene.grapher(&["--out", "no/such/heap.png"]));
    assert!(text.contains("no/such/heap.png cannot be written"), "{text}");
    let text = said(&mut scene.grapher(&["--watch", "1h", "--out", "/dev/null"]));
    assert!(text.contains("/dev/null is a device"), "{text}");
    scene.write("precious", b"precious");
    symlink(scene.path("precious"), scene.path("heap.png")).unwrap();
    let text = said(&mut scene.grapher(&[]));
    assert!(text.contains("heap.png is a symbolic link"), "{text}");
    assert_eq!(scene.read("precious"), b"precious");
}

#[test]
fn a_size_that_cannot_be_drawn_is_refused_and_the_old_picture_stays() {
    let scene = Scene::new();
    scene.soaked("soak.db", 60);
    printed(&mut scene.grapher(&[]));
    let before = scene.read("heap.png");
    let text = said(&mut scene.grapher(&["--width", "1000000"]));
    assert!(text.contains("width"), "{text}");
    assert_eq!(scene.read("heap.png"), before);
    assert_eq!(scene.names(), ["heap.png", "soak.db"]);
}
