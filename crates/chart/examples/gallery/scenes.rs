//! The pictures of the gallery, from made-up data; their geometry is kept under `data/chart` by the tests.

#![allow(clippy::cast_precision_loss, reason = "made-up data")]

use heapsoak_chart::{
    Baseline, Frame, Join, Mark, MarkKind, Panel, Picture, Point, Rule, RuleKind, Series, Style, Unit, Zone,
    format_span,
};

/// Sun 22 Nov 2026 14:03:07 UTC.
pub(crate) const NOW: f64 = 1_795_356_187.0;
const MIB: f64 = 1024.0 * 1024.0;

/// A repeatable noise of 0.0 to 1.0.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 31) as f64
    }
}

/// A heap that fills and is collected, with a floor that rises.
fn saw(rows: usize, width: f64, leak_per_row: f64, seed: u64) -> Vec<Point> {
    let mut noise = Noise(seed);
    let (mut heap, mut floor) = (6.0 * MIB, 6.0 * MIB);
    let start = NOW - rows as f64 * width;
    let row = |index: usize| {
        floor += leak_per_row;
        let before = heap;
        heap += MIB * (0.2 + noise.next() * 1.3);
        if heap > floor + 22.0 * MIB {
            heap = floor + noise.next() * MIB;
        }
        let (low, high) = (before.min(heap) - noise.next() * 0.6 * MIB, before.max(heap) + noise.next() * 0.6 * MIB);
        Point {
            time: start + (index + 1) as f64 * width,
            value: Some(f64::midpoint(before, heap)),
            low: Some(low),
            high: Some(high),
        }
    };
    (0..rows).map(row).collect()
}

pub(crate) fn picture(title: &str, span: f64) -> Picture {
    let mut picture = Picture::new(title, NOW - span, NOW);
    picture.zone = Zone::Utc;
    picture.subtitle = format!("page http://127.0.0.1:4000/  ·  {}", format_span(Zone::Utc, NOW - span, NOW));
    picture
}

pub(crate) fn heap_panel(points: Vec<Point>, width: f64) -> Panel {
    let mut panel = Panel::new("heap used", Unit::Bytes);
    panel.series.push(Series { color: Some(heapsoak_chart::Color::RED), ..Series::area("heap_used", points, width) });
    panel
}

fn mark(ago: f64, kind: MarkKind, label: &str) -> Mark {
    Mark { time: NOW - ago, kind, label: label.to_owned() }
}

fn plain() -> Picture {
    let mut picture = picture("Used heap size", 600.0);
    picture.panels.push(heap_panel(saw(200, 3.0, 0.09 * MIB, 7), 3.0));
    picture
}

fn eventful() -> Picture {
    let mut picture = plain();
    picture.title = "Used heap size\nsoak of the leaking page".to_owned();
    let points = &mut picture.panels[0].series[0].points;
    points[60..72].iter_mut().for_each(|point| point.value = None);
    points.drain(150..157);
    picture.marks = vec![
        mark(590.0, MarkKind::Navigation, "navigation"),
        mark(422.0, MarkKind::Crash, "tab crashed"),
        mark(315.0, MarkKind::Restart, "restart"),
        mark(130.0, MarkKind::OutOfMemory, "out of memory"),
    ];
    picture.panels[0].series[0].points.truncate(175);
    picture.notice = Some("no data since 14:02:13".to_owned());
    picture
}

/// Ten minutes that end by the death that everybody asks about.
fn death() -> Picture {
    let mut picture = picture("heap_used of node --max-old-space-size=60 leak.js", 600.0);
    let mut points = saw(175, 3.0, 0.21 * MIB, 7);
    points.iter_mut().for_each(|point| point.time -= 75.0);
    let mut panel = heap_panel(points, 3.0);
    panel.rules.push(Rule { value: 60.0 * MIB, label: "limit".to_owned(), kind: RuleKind::Limit, color: None });
    panel.ticks = (0..60).map(|i| mark(75.0 + f64::from(i * i) / 7.0, MarkKind::Collection, "paused 12 ms")).collect();
    picture.panels.push(panel);
    picture.marks = vec![
        mark(598.0, MarkKind::Start, "start"),
        mark(110.0, MarkKind::Thrashing, "thrashing, 93 % of the time in collections"),
        mark(75.0, MarkKind::OutOfMemory, "out of memory 14:01:52, 59.8 of 60 MiB"),
        mark(75.0, MarkKind::End, "end"),
    ];
    picture.notice = Some("no data since 14:01:52".to_owned());
    picture
}

fn gap() -> Picture {
    let mut picture = plain();
    picture.title = "A gap of a minute and one of a row".to_owned();
    let points = &mut picture.panels[0].series[0].points;
    points[60..80].iter_mut().for_each(|point| point.value = None);
    points.remove(140);
    picture
}

fn crash() -> Picture {
    let mut picture = plain();
    picture.title = "A crash, and another session".to_owned();
    let points = &mut picture.panels[0].series[0].points;
    points[100..104].iter_mut().for_each(|point| point.value = None);
    picture.marks = vec![
        mark(299.0, MarkKind::Crash, "renderer crash: tab crashed"),
        mark(288.0, MarkKind::Restart, "restart: a new session"),
        mark(287.0, MarkKind::Navigation, "navigation: http://127.0.0.1:4000/"),
    ];
    picture
}

fn crowded_marks() -> Picture {
    let mut picture = eventful();
    picture.title = "A great many events".to_owned();
    picture.notice = None;
    picture.marks.extend((0..40).map(|i| mark(300.0 - f64::from(i) * 2.5, MarkKind::Restart, "restart")));
    picture.marks.extend((0..60).map(|i| mark(600.0 - f64::from(i) * 10.0, MarkKind::Collection, "gc")));
    picture
}

fn week() -> Picture {
    let mut picture = picture("Used heap size, seven days", 7.0 * 86_400.0);
    let mut points = saw(10_080, 60.0, 0.0006 * MIB, 3);
    points[5_000].high = Some(70.0 * MIB);
    points[3_000..3_900].iter_mut().for_each(|point| point.value = None);
    picture.panels.push(heap_panel(points, 60.0));
    picture
}

fn zoomed() -> Picture {
    let mut picture = picture("A slow leak, --y auto", 3600.0);
    let mut noise = Noise(5);
    let points = (0..1200).map(|i| {
        let value = 512.0 * MIB + f64::from(i) * 120.0 + noise.next() * 20_000.0;
        Point::new(NOW - 3600.0 + f64::from(i + 1) * 3.0, Some(value))
    });
    let mut panel = heap_panel(points.collect(), 3.0);
    panel.baseline = Baseline::Auto;
    picture.panels.push(panel);
    picture
}

fn panels() -> Picture {
    let mut picture = picture("Everything at once", 2.0 * 3600.0);
    let heap = saw(2400, 3.0, 0.008 * MIB, 11);
    let floor = heap.chunks(40).map(|rows| {
        let low = rows.iter().filter_map(|row| row.value).fold(f64::INFINITY, f64::min);
        Point::new(rows[rows.len() - 1].time, Some(low))
    });
    let floor = Series::line("floor after collections", floor.collect(), 120.0);
    let trend = vec![Point::new(NOW - 7000.0, Some(7.0 * MIB)), Point::new(NOW - 10.0, Some(26.0 * MIB))];
    let style = Style::Line { width: 2.0, dash: Some(heapsoak_chart::Dash::Dashed) };
    let trend = Series { join: Join::Through, numbers: false, style, ..Series::line("trend", trend, 0.0) };
    let mut first = heap_panel(heap.clone(), 3.0);
    first.series.extend([floor, trend]);
    first.rules.push(Rule { value: 60.0 * MIB, label: "limit".to_owned(), kind: RuleKind::Limit, color: None });
    first.weight = 2.0;
    let mut second = Panel::new("nodes", Unit::Count);
    let nodes = heap.iter().map(|row| Point::new(row.time, Some(1500.0 + (row.time % 600.0)))).collect();
    second.series.push(Series::line("dom_nodes", nodes, 3.0));
    let mut third = Panel::new("pause", Unit::Milliseconds);
    let pauses = heap.iter().map(|row| Point::new(row.time, row.high.map(|high| high / MIB / 3.0))).collect();
    third.series.push(Series { join: Join::Steps, ..Series::area("gc_pause_ms", pauses, 3.0) });
    picture.panels = vec![first, second, third];
    picture.marks = vec![mark(5000.0, MarkKind::Navigation, "navigation"), mark(900.0, MarkKind::Snapshot, "snapshot")];
    picture
}

fn twelve() -> Picture {
    let mut picture = picture("Twelve sources", 3600.0);
    let mut panel = Panel::new("memory", Unit::Bytes);
    for index in 0..12u64 {
        let points = saw(1200, 3.0, 0.0, index + 1).into_iter().map(|mut point| {
            let lift = 12.0 * MIB * index as f64;
            (point.low, point.high) = (None, None);
            point.value = point.value.map(|value| value * 0.3 + lift);
            point
        });
        panel.series.push(Series::line(format!("worker_{index}_heap"), points.collect(), 3.0));
    }
    picture.panels.push(panel);
    picture
}

fn stacked() -> Picture {
    let mut picture = picture("Heap spaces, stacked", 1800.0);
    let mut panel = Panel::new("bytes", Unit::Bytes);
    for (index, name) in ["old_space", "new_space", "code_space"].into_iter().enumerate() {
        let points = saw(600, 3.0, 0.0, index as u64 + 20).into_iter().map(|p| Point::new(p.time, p.value)).collect();
        panel.series.push(Series { stacked: index > 0, ..Series::area(name, points, 3.0) });
    }
    picture.panels.push(panel);
    picture
}

fn flat(title: &str, value: f64, unit: Unit) -> Picture {
    let mut picture = picture(title, 600.0);
    let points = (0..200).map(|i| Point::new(NOW - 600.0 + f64::from(i + 1) * 3.0, Some(value))).collect();
    let mut panel = Panel::new("value", unit);
    panel.series.push(Series::area("flat", points, 3.0));
    picture.panels.push(panel);
    picture
}

fn waves(title: &str, factor: f64, unit: Unit) -> Picture {
    let mut picture = flat(title, 0.0, unit);
    for (index, point) in picture.panels[0].series[0].points.iter_mut().enumerate() {
        point.value = Some((index as f64 / 14.0).sin() * factor - factor * 0.2);
    }
    picture
}

fn one_sample() -> Picture {
    let mut picture = picture("One sample", 600.0);
    picture.panels.push(heap_panel(vec![Point::new(NOW - 200.0, Some(9.0 * MIB))], 3.0));
    picture
}

fn empty() -> Picture {
    let mut picture = picture("Used heap size", 600.0);
    picture.panels.push(heap_panel(Vec::new(), 3.0));
    picture
}

fn small() -> Picture {
    let mut picture = eventful();
    picture.title = "A small picture with a long title that has to be cut somewhere".to_owned();
    picture.size = heapsoak_chart::Size { width: 360, height: 240, full: true };
    picture
}

/// Every picture, light and at scale 1.
pub(crate) fn gallery() -> Vec<(&'static str, Picture)> {
    let mut bare = plain();
    bare.frame = Frame::Bare;
    bare.size = heapsoak_chart::Size { width: 320, height: 120, full: false };
    let mut mono = plain();
    mono.font = heapsoak_chart::Font { family: heapsoak_chart::Family::Mono, size: 14.0 };
    vec![
        ("empty", empty()),
        ("one-sample", one_sample()),
        ("ten-minutes", plain()),
        ("seven-days", week()),
        ("flat", flat("A flat line", 5.0 * MIB, Unit::Bytes)),
        ("flat-zero", flat("Nothing but zeros", 0.0, Unit::Count)),
        ("negative", waves("Below zero", 40.0, Unit::Milliseconds)),
        ("huge", waves("Huge values", 1e270, Unit::Count)),
        ("twelve", twelve()),
        ("gap", gap()),
        ("crash", crash()),
        ("death", death()),
        ("everything", eventful()),
        ("crowded-marks", crowded_marks()),
        ("zoomed", zoomed()),
        ("panels", panels()),
        ("stacked", stacked()),
        ("small", small()),
        ("bare", bare),
        ("mono", mono),
    ]
}
