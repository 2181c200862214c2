//! `grapher graph` with rrdtool's elements: what it draws, prints and refuses.

use crate::picture::decoded;
use crate::scene::{START_S, Scene, Watcher, printed, said, update};

const DEF: &str = "DEF:heap_used=soak.db:heap_used:AVERAGE";

fn soaked() -> Scene {
    let scene = Scene::new();
    scene.soaked("soak.db", 600);
    scene
}

/// The words of a picture of all that was recorded.
fn graph<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["graph", "--start", "1700000001", "--end", "start+10m"], words].concat()
}

fn svg(scene: &Scene, words: &[&str]) -> String {
    printed(&mut scene.grapher(&graph(&[&["heap.svg"], words].concat())));
    String::from_utf8(scene.read("heap.svg")).unwrap().replace('\u{a0}', " ")
}

#[test]
fn the_original_command_line_gives_a_picture_and_its_size() {
    let scene = soaked();
    let words = [
        "graph",
        "heap.png",
        "--start",
        "now-10m",
        "--title",
        "Used Heap Size",
        "--width",
        "800",
        "--height",
        "600",
        "--font",
        "DEFAULT:14:monospace",
        DEF,
        "AREA:heap_used#ff0000",
    ];
    let size = printed(&mut scene.grapher(&words));
    let (width, height) = decoded(&scene.read("heap.png"));
    assert_eq!(size, format!("{width}x{height}\n"));
    assert!(width > 800 && height > 600, "800 × 600 is the canvas, the image was {width} × {height}");
    assert_eq!(scene.names(), ["heap.png", "soak.db"]);
}

#[test]
fn the_first_area_may_say_that_it_lies_on_another_and_lies_on_zero() {
    let scene = soaked();
    let alone = svg(&scene, &[DEF, "AREA:heap_used#f00:heap"]);
    assert_eq!(svg(&scene, &[DEF, "AREA:heap_used#f00:heap:STACK"]), alone);
    let text = said(&mut scene.grapher(&graph(&["heap.svg", DEF, "STACK:heap_used#f00:heap"])));
    assert!(text.contains("no LINE or AREA before it"), "{text}");
}

#[test]
fn data_and_characters_have_no_size_in_pixels_and_numbers_are_still_printed() {
    let scene = soaked();
    for file in ["heap.json", "heap.csv", "heap.txt"] {
        let words = [file, DEF, "LINE1:heap_used#f00"];
        assert_eq!(printed(&mut scene.grapher(&graph(&words))), "", "{file}");
        let words = [&words[..], &["PRINT:heap_used:MAX:%.1lf"]].concat();
        assert_eq!(printed(&mut scene.grapher(&graph(&words))), "27692000.0\n", "{file}");
        assert!(!scene.read(file).is_empty());
    }
}

#[test]
fn a_limit_that_keeps_out_the_zero_asked_for_is_refused_by_name() {
    let scene = soaked();
    let drawn = |limit, y| scene.grapher(&graph(&["heap.svg", "--y", y, limit, DEF, "LINE1:heap_used#f00"]));
    for (limit, refused) in [("-l50", "--lower-limit 50 is above it"), ("-u-5", "--upper-limit -5 is below it")] {
        let text = said(&mut drawn(limit, "zero"));
        assert!(text.contains("--y zero") && text.contains(refused), "{text}");
        printed(&mut drawn(limit, "auto"));
    }
    for limit in ["-l0", "-l-50", "-u50"] {
        printed(&mut drawn(limit, "zero"));
    }
}

#[test]
fn a_dash_is_the_picture_alone_and_numbers_alone_are_no_picture() {
    let scene = soaked();
    let output = scene.grapher(&graph(&["-", DEF, "LINE1:heap_used#f00", "PRINT:heap_used:MAX:%lf"])).output().unwrap();
    decoded(&output.stdout);
    assert!(String::from_utf8_lossy(&output.stderr).contains("PRINT is not printed"));
    let text = printed(&mut scene.grapher(&graph(&["/dev/null", DEF, "PRINT:heap_used:MAX:%.1lf"])));
    assert_eq!(text, "0x0\n27692000.0\n");
    assert_eq!(scene.names(), ["soak.db"]);
}

#[test]
fn what_is_said_is_in_the_picture() {
    let scene = soaked();
    let words = [
        "-t",
        "Heap & more",
        "-v",
        "bytes here",
        "-W",
        "kept",
        "--right-axis",
        "2:0",
        "--right-axis-label",
        "twice",
        "-l",
        "0",
        "-u",
        "60e6",
        "--rigid",
        "-c",
        "CANVAS#102030",
        "-E",
        DEF,
        "DEF:n=soak.db:dom_nodes:MAX",
        "CDEF:more=heap_used,1.5,*",
        "VDEF:top=heap_used,MAXIMUM",
        "AREA:heap_used#ff0000:heap\\:used",
        "STACK:n#00ff00:nodes",
        "LINE2:more#0000ff:more",
        "HRULE:5e7#101010:limit",
        "VRULE:top#202020:highest",
        "TICK:n#303030:0.05:ticks",
        "COMMENT:said   so\\l",
        "GPRINT:top:max %.0lf\\r",
    ];
    let svg = svg(&scene, &words);
    for text in [
        "Heap &amp; more",
        "bytes here",
        "kept",
        "twice",
        "heap:used",
        "nodes",
        "more",
        "limit",
        "highest",
        "ticks",
        "said   so",
        "max 27692000",
        "#102030",
        "#101010",
        "#202020",
        "#303030",
    ] {
        assert!(svg.contains(text), "`{text}` is not in the picture");
    }
    assert!(!svg.contains("average"), "whoever writes texts gets no other numbers");
}

#[test]
fn frames_and_formats_are_those_asked_for() {
    let scene = soaked();
    let base = [DEF, "LINE1:heap_used#ff0000:a legend"];
    let size = |words: &[&str]| printed(&mut scene.grapher(&graph(&[&["x.png"], words, &base].concat())));
    assert_eq!(size(&["-D", "-w", "640", "-h", "480"]), "640x480\n");
    assert_eq!(size(&["-j", "-w", "300", "-h", "90"]), "300x90\n");
    let height = |size: String| size.trim().split_once('x').unwrap().1.parse::<u32>().unwrap();
    assert!(height(size(&["-g"])) < height(size(&[])));
    printed(&mut scene.grapher(&graph(&[&["--imgformat", "SVG", "x.any"], &base[..]].concat())));
    assert!(scene.read("x.any").starts_with(b"<svg"));
}

#[test]
fn several_stores_make_one_picture() {
    let scene = soaked();
    let mut writer = scene.create("other.db");
    update(&mut writer, START_S, 1..=300);
    writer.close().unwrap();
    let words = [DEF, "DEF:o=other.db:heap_used:AVERAGE", "CDEF:d=heap_used,o,-", "PRINT:d:MAX:%lf", "PRINT:d:MIN:%lf"];
    assert_eq!(printed(&mut scene.grapher(&graph(&words))), "0x0\n0.000000\n0.000000\n");
}

#[test]
fn m_is_minutes_and_never_months() {
    let scene = soaked();
    let time = "CDEF:time=heap_used,POP,TIME";
    let words = ["graph", "--start", "now-5m", DEF, time, "PRINT:time:MIN:%.0lf", "PRINT:time:MAX:%.0lf"];
    let text = printed(&mut scene.grapher(&words));
    let times: Vec<i64> = text.lines().skip(1).map(|line| line.parse().unwrap()).collect();
    assert!((295..=310).contains(&(times[1] - times[0])), "{text}");
}

#[test]
fn an_rrd_file_is_refused_with_the_line_that_imports_it_whatever_its_name() {
    let scene = soaked();
    scene.write("old.db", b"RRD\x000003\0 and more of it, so that it is long enough for a header");
    for name in ["old.rrd", "old.db"] {
        let def = format!("DEF:a={name}:heap_used:AVERAGE");
        let text = said(&mut scene.grapher(&graph(&[&def, "AREA:a#f00"])));
        let line = format!("`rrdtool dump {name} | recorder import --db old.db -`");
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn what_rrdtool_has_and_we_have_not_is_refused_by_name() {
    let scene = soaked();
    for (option, name) in [
        ("--logarithmic", "--logarithmic"),
        ("-o", "--logarithmic"),
        ("--x-grid=HOUR:1", "--x-grid"),
        ("-A", "--alt-autoscale"),
        ("--zoom=2", "--zoom"),
        ("--daemon=x", "--daemon"),
        ("--border=0", "--border"),
    ] {
        let text = said(&mut scene.grapher(&graph(&["x.png", option, DEF, "AREA:heap_used#f00"])));
        assert!(text.contains(&format!("{name} is an option of rrdtool's that grapher does not have")), "{text}");
    }
    for words in [
        &["--imgformat", "PDF"][..],
        &["--font", "LEGEND:8"],
        &["--color", "ARROW#000000"],
        &["SHIFT:heap_used:60"],
        &["CDEF:x=heap_used,3,SORT"],
        &["AREA:heap_used#f00#0f0"],
    ] {
        let name = words.last().unwrap().split([':', '#', '=']).next().unwrap();
        let text = said(&mut scene.grapher(&graph(&[&[DEF][..], words].concat())));
        assert!(text.contains(name), "{text}");
    }
    assert_eq!(scene.names(), ["soak.db"]);
}

#[test]
fn hostile_words_end_in_one_line_and_no_picture() {
    let scene = soaked();
    let deep = format!("CDEF:x=heap_used{}", ",1,+".repeat(5_000));
    let long = format!("CDEF:x=heap_used,{}", "DUP,".repeat(4_000) + "POP");
    for words in [
        &[deep.as_str()][..],
        &[long.as_str()],
        &["CDEF:x=heap_used,+"],
        &["CDEF:x=heap_used,1e300,AVG"],
        &["CDEF:x=heap_used,-1,AVG"],
        &["CDEF:x=1,0,/"],
        &["VDEF:x=heap_used,101,PERCENT"],
        &["PRINT:heap_used:MAX:%99999lf"],
        &["LINE99999:heap_used#f00"],
        &["DEF:x=soak.db:nothing:AVERAGE"],
        &["DEF:x=nofile.db:heap_used:AVERAGE"],
        &["DEF:x=soak.db:heap_used:AVERAGE:start=0:end=9e18"],
        &["-w", "4000000000"],
        &["-w", "0"],
        &["--step", "0"],
        &["-X", "400"],
        &["-l", "nan"],
        &["-s", "99999999999999"],
    ] {
        let words = graph(&[&["x.png", DEF, "AREA:heap_used#f00"], words].concat());
        let output = scene.grapher(&words).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {text}");
        assert!(!text.contains("panicked"), "{text}");
    }
    assert_eq!(scene.names(), ["soak.db"]);
}

#[test]
fn endless_and_infinite_numbers_are_drawn_as_what_they_are() {
    let scene = soaked();
    let words = [
        DEF,
        "CDEF:i=heap_used,0,/",
        "CDEF:n=heap_used,UNKN,+",
        "CDEF:h=heap_used,1e300,*",
        "CDEF:t=heap_used,1e18,TREND",
        "LINE1:i#f00",
        "AREA:n#0f0",
        "LINE1:h#00f",
        "TICK:i#123456:5",
        "HRULE:1e308#111111",
        "VRULE:-5#111111",
        "-u",
        "1e308",
        "VDEF:v=n,MAXIMUM",
        "HRULE:v#111111",
        "VRULE:v#111111",
        "LINE1:v#111111",
        "PRINT:i:MAX:%lf",
        "PRINT:t:MAX:%lf",
    ];
    let text = printed(&mut scene.grapher(&graph(&[&["x.png"], &words[..]].concat())));
    assert!(text.ends_with("\n-nan\n-nan\n"), "{text}");
    decoded(&scene.read("x.png"));
}

#[test]
fn a_lazy_picture_is_drawn_again_only_when_it_would_be_another() {
    let scene = soaked();
    let words = graph(&["x.png", "--lazy", DEF, "LINE1:heap_used#f00"]);
    let draw = || printed(&mut scene.grapher(&words));
    let first = draw();
    let before = scene.read("x.png");
    scene.write("x.png", &before[..before.len() - 12]);
    assert_eq!(draw(), first);
    assert_eq!(scene.read("x.png").len(), before.len() - 12, "a picture whose time is over was drawn again");
    let mut writer = scene.create("soak.db");
    update(&mut writer, START_S, 1..=30);
    writer.close().unwrap();
    // A store that is newer than the picture; that the clock of a file is coarse must not matter.
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    std::fs::File::options().append(true).open(scene.path("x.png")).unwrap().set_modified(long_ago).unwrap();
    draw();
    decoded(&scene.read("x.png"));
}

#[test]
fn a_watch_of_elements_waits_for_their_store_and_goes_on() {
    let scene = Scene::new();
    let words = [
        "graph",
        "--watch",
        "20ms",
        "heap.png",
        "--start",
        "1700000001",
        "--end",
        "start+10m",
        DEF,
        "LINE1:heap_used#f00",
    ];
    let mut watcher = Watcher::spawn(scene.grapher(&words));
    watcher.says("waiting: ");
    scene.soaked("soak.db", 600);
    watcher.says("drawing soak.db to heap.png again");
    decoded(&scene.read("heap.png"));
    watcher.signal("TERM");
    assert!(watcher.status().is_some());
}
