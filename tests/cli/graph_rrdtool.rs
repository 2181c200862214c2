//! The old master beside us: `rrdtool graph` and `grapher graph` are given the same readings and the same words, and
//! must print the same numbers. Times are whole seconds, where the two agree by design.

use std::path::Path;
use std::process::Command;

use heapsoak_rrd::{Archive, Reading, Source, Step, Time};
use heapsoak_store::{Existing, NewSource, Writer};

use crate::scene::{Scene, printed};

const BEGIN: i64 = 1_700_000_000;
const SOURCES: [&str; 3] = ["DS:heap:GAUGE:2:U:U", "DS:rss:GAUGE:2:U:U", "DS:turns:DERIVE:5:U:U"];
const ARCHIVES: [&str; 6] = [
    "RRA:AVERAGE:0.5:1:2000",
    "RRA:AVERAGE:0.5:3:2400",
    "RRA:MIN:0.5:3:2400",
    "RRA:MAX:0.5:3:2400",
    "RRA:LAST:0.5:3:2400",
    "RRA:AVERAGE:0.5:60:500",
];

/// The least and greatest value, the average and so on of `x`, to twelve digits.
const ALL: &str = "VDEF:v1=x,AVERAGE VDEF:v2=x,MINIMUM VDEF:v3=x,MAXIMUM VDEF:v4=x,LAST VDEF:v5=x,FIRST VDEF:v6=x,TOTAL \
                   VDEF:v7=x,95,PERCENT VDEF:v8=x,33.3,PERCENT VDEF:v9=x,LSLSLOPE VDEF:v10=x,LSLINT VDEF:v11=x,STDEV \
                   VDEF:v12=x,LSLCORREL PRINT:v1:%.11le PRINT:v2:%.11le PRINT:v3:%.11le PRINT:v4:%.11le \
                   PRINT:v5:%.11le PRINT:v6:%.11le PRINT:v7:%.11le PRINT:v8:%.11le PRINT:v9:%.11le PRINT:v10:%.11le \
                   PRINT:v11:%.11le PRINT:v12:%.8lf PRINT:v3:%s:strftime PRINT:v2:%s:strftime PRINT:v4:%s:strftime \
                   PRINT:v5:%s:strftime PRINT:x:AVERAGE:%.11le PRINT:x:MIN:%.11le PRINT:x:LAST:%.11le";

/// A recorded leak eight times over, with unknown stretches and a gap; and a saw-tooth, as a second file.
fn scene() -> Scene {
    let scene = Scene::new();
    record(&scene, "t", &updates("blog1_call_node4.4_50ms", 8));
    record(&scene, "u", &updates("shape_saw30", 8));
    scene
}

type Update = (i64, [Option<u64>; 3]);

fn updates(series: &str, times: usize) -> Vec<Update> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/series").join(format!("{series}.csv"));
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Vec<u64>> = text.lines().skip(1).map(fields).collect();
    let mut updates = Vec::new();
    for (index, line) in (1_i64..).zip(std::iter::repeat_n(&lines, times).flatten()) {
        let heap = (index % 400 >= 20).then_some(line[1]);
        if !(1_000..1_100).contains(&index) {
            updates.push((BEGIN + index, [heap, Some(line[3]), Some(index.unsigned_abs() * 11)]));
        }
    }
    updates
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes of a small program")]
fn fields(line: &str) -> Vec<u64> {
    line.split(',').map(|field| field.parse::<f64>().unwrap() as u64).collect()
}

/// Both files, `name.rrd` and `name.db`.
fn record(scene: &Scene, name: &str, updates: &[Update]) {
    let begin = BEGIN.to_string();
    let rrd = format!("{name}.rrd");
    let create = ["create", &rrd, "--start", &begin, "--step", "1"];
    printed(rrdtool(scene).args(create).args(SOURCES).args(ARCHIVES));
    for some in updates.chunks(400) {
        let text = |value: &Option<u64>| value.map_or_else(|| "U".to_owned(), |value| value.to_string());
        let lines = some.iter().map(|(time, [a, b, c])| format!("{time}:{}:{}:{}", text(a), text(b), text(c)));
        printed(rrdtool(scene).args(["update", &rrd]).args(lines));
    }
    let step = Step::new(1_000_000).unwrap();
    let sources: Vec<NewSource> = SOURCES.iter().map(|text| text.parse::<Source>().unwrap().into()).collect();
    let archives: Vec<Archive> = ARCHIVES.iter().map(|text| Archive::parse(text, step).unwrap()).collect();
    let path = scene.path(&format!("{name}.db"));
    let mut writer =
        Writer::create(&path, step, &sources, &archives, Time::from_secs(BEGIN), Existing::Refuse).unwrap();
    for (time, values) in updates {
        let readings = values.map(|value| value.map_or(Reading::Unknown, Reading::from));
        writer.update(Time::from_secs(*time), &readings).unwrap();
    }
    writer.close().unwrap();
}

fn rrdtool(scene: &Scene) -> Command {
    let mut command = Command::new("rrdtool");
    command.current_dir(scene.path("")).env("TZ", "UTC");
    command
}

/// Both programs get these words, `t.db` standing for `t.rrd`, and must print the same lines behind the size.
#[track_caller]
fn compare(scene: &Scene, what: &str, words: &str) {
    let words: Vec<String> = words.split_whitespace().map(|word| word.replace('~', " ")).collect();
    let theirs = printed(rrdtool(scene).args(["graph", "their.png"]).args(&words));
    let words: Vec<String> = words.iter().map(|word| word.replace(".rrd", ".db")).collect();
    let words: Vec<&str> = ["graph", "our.png"].into_iter().chain(words.iter().map(String::as_str)).collect();
    let ours = printed(&mut scene.grapher(&words));
    let lines = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let (theirs, ours) = (lines(&theirs), lines(&ours));
    assert!(!theirs.is_empty(), "{what}: rrdtool printed nothing");
    assert_eq!(ours.len(), theirs.len(), "{what}: {ours:?} instead of {theirs:?}");
    for (number, (our, their)) in ours.iter().zip(&theirs).enumerate() {
        assert!(alike(our, their), "{what}: line {number} is `{our}` instead of `{their}`");
    }
}

/// The same words and spaces; numbers to 1e-9 of their size.
fn alike(our: &str, their: &str) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
    let word = |(a, b): (&str, &str)| a == b || matches!((a.parse(), b.parse()), (Ok(a), Ok(b)) if near(a, b));
    our.split(' ').count() == their.split(' ').count() && our.split(' ').zip(their.split(' ')).all(word)
}

const WHOLE: &str = "-s 1700000000 -e 1700003500";
const HOUR: &str = "DEF:x=t.rrd:heap:AVERAGE";

#[test]
fn sequences_of_a_file_come_to_the_same_at_every_width() {
    let scene = scene();
    // Finer than a row, a row, several rows, a coarser archive; with ends on and beside the rows' borders.
    for width in ["-w 40", "-w 100", "-w 333", "-w 800", "--width 5000"] {
        for span in [WHOLE, "-s 1700003001 -e 1700003599", "-s 1699999000 -e 1700004000", "-s 1700002970 -e 1700003010"]
        {
            for cf in ["AVERAGE", "MIN", "MAX", "LAST"] {
                compare(
                    &scene,
                    &format!("{cf} {width} {span}"),
                    &format!("{width} {span} DEF:x=t.rrd:heap:{cf} {ALL}"),
                );
            }
        }
    }
}

#[test]
fn a_defs_own_step_times_and_reduction_come_to_the_same() {
    let scene = scene();
    for options in [
        "step=60",
        "step=7",
        "step=1000",
        "reduce=MAX",
        "reduce=MIN:step=30",
        "reduce=LAST:step=100",
        "start=1700002000",
        "end=1700002000",
        "start=end-600",
        "start=1700001000:end=start+700",
        "end=1700003000:step=20:reduce=AVERAGE",
    ] {
        compare(&scene, options, &format!("-w 100 {WHOLE} {HOUR}:{options} {ALL}"));
    }
    compare(&scene, "--step", &format!("-w 400 {WHOLE} --step 120 {HOUR} {ALL}"));
    compare(&scene, "no width", &format!("{WHOLE} {HOUR} {ALL}"));
}

#[test]
fn arithmetic_on_rows_comes_to_the_same() {
    let scene = scene();
    for rpn in [
        "h,r,/,100,*",
        "h,1048576,/",
        "r,h,-",
        "h,1000,%",
        "h,UN,0,h,IF",
        "h,UN,PREV,h,IF",
        "h,0,4e7,LIMIT",
        "h,UNKN,+",
        "h,PREV(h),LT,h,UNKN,IF",
        "h,PREV(h),-",
        "h,PREV,UN,0,PREV,IF,+",
        "h,60,TREND",
        "h,60,TRENDNAN",
        "r,300,TREND",
        "h,DUP,*,1e6,/",
        "h,r,EXC,-",
        "h,r,POP",
        "h,r,MIN",
        "h,r,MAX",
        "h,r,3e7,3,AVG",
        "h,UNKN,r,3,AVG",
        "h,2e7,GT",
        "h,2e7,GE,h,2e7,LE,+",
        "h,r,EQ",
        "h,r,NE",
        "h,mean,-",
        "twice,2,/",
        "h,coarse,-",
        "coarse,h,POP",
        "h,ABS,SQRT",
        "h,1e6,/,FLOOR",
        "h,1e6,/,LOG",
        "h,POP,COUNT",
        "h,POP,TIME,1700000000,-",
        "n,1,+",
        "h,0,*,UN",
        "t,PREV(t),-",
        "h,POP,STEPWIDTH",
        "coarse,600,TREND",
        "h,u,ADDNAN",
    ] {
        for width in [100, 800] {
            let words = format!(
                "-w {width} {WHOLE} DEF:h=t.rrd:heap:AVERAGE DEF:r=t.rrd:rss:AVERAGE DEF:u=u.rrd:heap:MAX DEF:n=t.rrd:heap:MIN \
                 DEF:t=t.rrd:turns:AVERAGE DEF:coarse=t.rrd:heap:AVERAGE:step=60 VDEF:mean=h,AVERAGE CDEF:twice=h,2,* \
                 CDEF:x={rpn} {ALL}"
            );
            compare(&scene, rpn, &words);
        }
    }
}

#[test]
fn formats_prefixes_and_times_are_written_the_same() {
    let scene = scene();
    let print = |formats: &[&str]| {
        let words: Vec<String> =
            formats.iter().map(|format| format!("PRINT:top:{}", format.replace(' ', "~"))).collect();
        words.join(" ")
    };
    let formats = print(&[
        "%lf",
        "%le",
        "%lg",
        "%8.2lf %s",
        "%-12.3lf|",
        "%+.3le",
        "%010.1lf",
        "%5.1lf %SB",
        "%.0lf",
        "%% %lf %%",
        "%#.0lf",
        "%lE",
        "%lG",
        "% lf",
        "%.12lg",
        "a\\:b %lf",
        "%Y-%m-%d %H\\:%M\\:%S:strftime",
        "%s:strftime",
        "%c:strftime",
    ]);
    let small =
        "PRINT:low:%lf~%S PRINT:zero:%lf~%s PRINT:zero:%lf~%S PRINT:low:%lf~%S PRINT:low:%lf~%s PRINT:top:%lf~%S";
    let never = "PRINT:mean:%Y-%m-%d~%%:strftime PRINT:mean:%s:strftime PRINT:mean:plain:strftime";
    for base in ["", "-b 1024", "--base 1000"] {
        let words = format!(
            "{base} {WHOLE} {HOUR} CDEF:z=x,0,* CDEF:l=x,1e12,/ VDEF:top=x,MAXIMUM VDEF:low=l,MINIMUM VDEF:zero=z,AVERAGE \
             VDEF:mean=x,AVERAGE {small} {formats} {never} PRINT:x:AVERAGE:%lf~%s PRINT:x:MAX:%lf PRINT:x:MIN:%lf%S"
        );
        compare(&scene, base, &words);
    }
}

#[test]
fn a_time_without_any_data_is_unknown_in_the_same_words() {
    let scene = scene();
    let span = "-s 1700010000 -e 1700010600 -w 200";
    let words = format!("{span} {HOUR} {ALL} PRINT:v1:%6.2lf~%s PRINT:v1:%010.3lf PRINT:v1:%+8.3lf PRINT:v1:%lf~%S");
    compare(&scene, "unknown", &words);
}

#[test]
fn what_gprint_writes_into_the_picture_is_the_same() {
    let scene = scene();
    let words = format!(
        "-w 500 -h 200 {WHOLE} -t Soak {HOUR} DEF:r=u.rrd:rss:AVERAGE VDEF:top=x,MAXIMUM VDEF:p=r,95,PERCENT VDEF:s=x,LSLSLOPE \
         AREA:x#ff0000:heap LINE2:r#0000ff:resident:STACK HRULE:6e7#000000:limit VRULE:top#008800:top TICK:x#880088:0.1:rows \
         GPRINT:top:max~%8.3lf~%sB GPRINT:p:95~%%~%lf~%S GPRINT:s:slope~%le GPRINT:x:AVERAGE:mean~%.4lf COMMENT:done"
    );
    let words: Vec<String> = words.split_whitespace().map(|word| word.replace('~', " ")).collect();
    let theirs = printed(rrdtool(&scene).args(["graphv", "their.png"]).args(&words));
    let legends: Vec<&str> = theirs
        .lines()
        .filter_map(|line| line.strip_prefix("legend[")?.split_once("= \""))
        .map(|(_, text)| text.trim_end_matches('"'))
        .collect();
    assert!(legends.iter().any(|text| text.contains("max")), "{theirs}");
    let words: Vec<String> = words.iter().map(|word| word.replace(".rrd", ".db")).collect();
    let words: Vec<&str> = ["graph", "our.svg"].into_iter().chain(words.iter().map(String::as_str)).collect();
    printed(&mut scene.grapher(&words));
    let svg = String::from_utf8(scene.read("our.svg")).unwrap().replace('\u{a0}', " ");
    for legend in legends {
        assert!(svg.contains(legend.trim()), "`{legend}` is not in our picture");
    }
}
