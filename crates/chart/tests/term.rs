//! Pictures in a terminal: kept whole as golden text, and what must hold of each.

#![allow(clippy::unwrap_used, reason = "test helpers")]

use expect_test::expect_file;
use heapsoak_chart::{
    Across, Dash, Join, Mark, MarkKind, Panel, Picture, Point, Rule, RuleKind, Series, Style, Terminal, Unit, Zone,
    term,
};
use proptest::prelude::*;

/// Sun 22 Nov 2026 14:03:07 UTC.
const NOW: f64 = 1_795_356_187.0;
const MIB: f64 = 1024.0 * 1024.0;

/// Rows of three seconds that end now: a saw-tooth with a floor that rises.
fn heap(rows: u32) -> Vec<Point> {
    let point = |row: u32| {
        let value = (6.0 + f64::from(row % 40) * 0.5 + f64::from(row) * 0.06) * MIB;
        let time = NOW - 3.0 * f64::from(rows - 1 - row);
        Point { time, value: Some(value), low: Some(value - MIB), high: Some(value + MIB) }
    };
    (0..rows).map(point).collect()
}

fn usual() -> Picture {
    let mut panel = Panel::new("heap_used", Unit::Bytes);
    panel.series.push(Series::area("heap_used", heap(200), 3.0));
    let mut picture = Picture::new("heap_used of about:blank", NOW - 600.0, NOW);
    picture.subtitle = "soak.db · run 1 · 10m · UTC".to_owned();
    picture.zone = Zone::Utc;
    picture.panels.push(panel);
    picture
}

fn mark(ago: f64, kind: MarkKind, label: &str) -> Mark {
    Mark { time: NOW - ago, kind, label: label.to_owned() }
}

/// A gap, a limit, a floor, a trend with its interval, a second panel, collections, and a death.
fn eventful() -> Picture {
    let mut picture = usual();
    let floor: Vec<Point> = heap(200).chunks(40).map(|rows| Point::new(rows[39].time, rows[0].low)).collect();
    let panel = &mut picture.panels[0];
    panel.series[0].points[60..72].iter_mut().for_each(|point| point.value = None);
    let dashed = Style::Line { width: 2.0, dash: Some(Dash::Dashed) };
    panel.series.push(Series { join: Join::Steps, style: dashed, ..Series::line("heap_floor", floor, 120.0) });
    let trend = [(600.0, 8.0), (0.0, 18.0)].map(|(ago, mib)| Point {
        time: NOW - ago,
        value: Some(mib * MIB),
        low: Some((mib - 1.0) * MIB),
        high: Some((mib + 1.0) * MIB),
    });
    let trend = Series::line("trend of heap_used", trend.to_vec(), 0.0);
    panel.series.push(Series { join: Join::Through, numbers: false, style: dashed, ..trend });
    panel.rules.push(Rule { value: 60.0 * MIB, label: "limit".to_owned(), kind: RuleKind::Limit, color: None });
    panel.ticks = (0..20).map(|i| mark(f64::from(i) * 30.0, MarkKind::Collection, "")).collect();
    let mut second = Panel::new("dom_nodes", Unit::Count);
    second.series.push(Series::line(
        "dom_nodes",
        heap(200).iter().map(|p| Point::new(p.time, Some(1234.0))).collect(),
        3.0,
    ));
    picture.panels.push(second);
    picture.comments.push("heap_used: leak, 30 MiB an hour".to_owned());
    let oom = "out of memory 14:03:05, 59.8 of 60 MiB";
    picture.marks = vec![
        mark(550.0, MarkKind::Navigation, "navigation"),
        mark(400.0, MarkKind::Crash, "tab crashed"),
        mark(2.0, MarkKind::OutOfMemory, oom),
    ];
    picture
}

fn plain(columns: u16, rows: u16) -> Terminal {
    Terminal { columns, rows, color: false }
}

#[track_caller]
fn golden(name: &str, picture: &Picture, terminal: Terminal) {
    expect_file![format!("../../../data/chart/{name}.txt")].assert_eq(&term(picture, terminal).unwrap());
}

#[test]
fn the_usual_picture_of_80_columns_stays_as_it_is() {
    golden("term-usual", &usual(), Terminal::default());
}

#[test]
fn gaps_marks_a_limit_and_a_trend_stay_as_they_are_at_200_columns() {
    golden("term-eventful", &eventful(), plain(200, 40));
}

#[test]
fn no_data_and_a_notice_stay_as_they_are() {
    let mut picture = usual();
    picture.panels[0].series[0].points.clear();
    picture.notice = Some("no data since 14:03:07".to_owned());
    golden("term-no-data", &picture, plain(60, 14));
}

#[test]
fn a_picture_is_as_high_as_the_terminal_and_no_line_is_longer() {
    for (columns, rows) in [(80, 24), (200, 50), (40, 20), (120, 30)] {
        for picture in [usual(), eventful()] {
            let text = term(&picture, plain(columns, rows)).unwrap();
            let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(longest <= usize::from(columns), "{columns}: {longest}\n{text}");
            assert!(text.lines().count().abs_diff(usize::from(rows)) <= 1 || rows < 24, "{rows}:\n{text}");
        }
    }
}

#[test]
fn nothing_but_colour_is_lost_without_colour() {
    let colored = term(&eventful(), Terminal { color: true, ..plain(100, 30) }).unwrap();
    let stripped: String = colored
        .split('\u{1b}')
        .enumerate()
        .map(|(i, part)| if i == 0 { part } else { &part[part.find('m').unwrap() + 1..] })
        .collect();
    assert_eq!(stripped, term(&eventful(), plain(100, 30)).unwrap());
    assert!(!stripped.contains('\u{1b}'));
}

#[test]
fn twelve_lines_of_one_panel_have_twelve_letters() {
    let mut picture = usual();
    picture.panels[0].series.clear();
    for index in 0..12_u32 {
        let points = heap(200).iter().map(|p| Point::new(p.time, Some(f64::from(index) * 8.0 * MIB))).collect();
        picture.panels[0].series.push(Series::line(format!("worker_{index}"), points, 3.0));
    }
    let text = term(&picture, plain(100, 40)).unwrap();
    for (letter, index) in ('a'..='l').zip(0..) {
        let lines = text.lines().filter(|line| line.contains('│') || line.contains('┤'));
        assert!(lines.clone().any(|line| line.contains(letter)), "{letter} is on no line:\n{text}");
        assert!(
            text.lines().any(|line| line.starts_with(letter) && line.contains(&format!("worker_{index} "))),
            "{text}"
        );
    }
}

#[test]
fn thousands_of_events_do_not_paint_the_data_over() {
    let mut picture = usual();
    let without = term(&picture, Terminal::default()).unwrap().matches('┊').count();
    picture.marks = (0..8_500).map(|i| mark(f64::from(i) * 0.07, MarkKind::Navigation, "navigation")).collect();
    let text = term(&picture, Terminal::default()).unwrap();
    assert_eq!((without, text.matches('┊').count()), (0, 0));
    assert!(text.contains("N navigation ×8500"), "{text}");
}

proptest! {
    #[test]
    fn any_picture_fits_its_columns_and_labels_differ(
        columns in 0u16..260,
        rows in 0u16..90,
        (base, swing) in (-1e300f64..1e300, 0.0f64..1e12),
        power in -2.0f64..9.0,
        across in prop::sample::select(vec![Across::Clock, Across::Elapsed, Across::Count("iterations".to_owned())]),
        name in ".{0,40}",
        count in 0u32..60,
    ) {
        let span = 10f64.powf(power);
        let points = (0..count).map(|i| Point::new(span * f64::from(i + 1) / f64::from(count), Some(base + swing * f64::from(i % 7))));
        let mut panel = Panel::new(&name, Unit::Bytes);
        panel.series.push(Series::line(&name, points.collect(), 0.0));
        let mut picture = Picture::new(&name, 0.0, span);
        picture.across = across;
        picture.panels.push(panel);
        picture.marks.push(Mark { time: span / 2.0, kind: MarkKind::Crash, label: name });
        let text = term(&picture, plain(columns, rows)).unwrap();
        prop_assert!(!text.contains(char::from(27)));
        for line in text.lines() {
            let width: usize = line.chars().map(|c| unicode_width::UnicodeWidthChar::width(c).unwrap_or(0)).sum();
            prop_assert!(width <= usize::from(columns.max(40)), "{line}");
        }
    }
}
