//! What must hold of every layout: labels differ, nothing touches, nothing leaves
//! the picture. One layout is kept in full as golden geometry.

#![allow(clippy::unwrap_used, reason = "test helpers")]

#[path = "../examples/gallery/scenes.rs"]
mod scenes;

use std::fmt::Write as _;

use expect_test::expect_file;
use heapsoak_chart::{
    Baseline, ChartError, Family, Font, Frame, Label, Layout, Mark, MarkKind, Panel, Picture, Point, Reach, Rect, Rule,
    RuleKind, Series, Size, Unit, Zone, layout,
};
use proptest::prelude::*;

/// Sun 22 Nov 2026 14:03:07 UTC.
const NOW: f64 = 1_795_356_187.0;
const MIB: f64 = 1024.0 * 1024.0;

fn heap(rows: u32) -> Vec<Point> {
    let point = |i: u32| {
        let value = (8.0 + f64::from(i % 40)) * MIB;
        let time = NOW - f64::from(rows - 1 - i) * 3.0;
        Point { time, value: Some(value), low: Some(value - MIB), high: Some(value + MIB) }
    };
    (0..rows).map(point).collect()
}

fn picture() -> Picture {
    let mut picture = Picture::new("Used heap size", NOW - 600.0, NOW);
    picture.subtitle = "page about:blank".to_owned();
    picture.zone = Zone::Utc;
    let mut panel = Panel::new("heap used", Unit::Bytes);
    panel.series.push(Series::area("heap_used", heap(200), 3.0));
    picture.panels.push(panel);
    picture
}

fn mark(ago: f64, kind: MarkKind) -> Mark {
    Mark { time: NOW - ago, kind, label: kind.name().to_owned() }
}

fn texts(labels: &[Label]) -> String {
    labels.iter().map(|label| format!("{}@{:.0},{:.0}", label.text, label.x, label.y)).collect::<Vec<_>>().join("  ")
}

fn told(layout: &Layout) -> String {
    let mut text = format!("image {} × {}\ntitles {}\n", layout.width, layout.height, texts(&layout.titles));
    for panel in &layout.panels {
        let canvas = panel.canvas;
        writeln!(text, "canvas {} {} {} × {}", canvas.x, canvas.y, canvas.width, canvas.height).unwrap();
        writeln!(text, "axis {} to {} MiB", panel.axis.bottom / MIB, panel.axis.top / MIB).unwrap();
        writeln!(text, "values {}", texts(&panel.value_labels)).unwrap();
        for gap in &panel.gaps {
            writeln!(text, "gap {:.1} to {:.1}", gap.rect.x, gap.rect.right()).unwrap();
        }
        for trace in &panel.traces {
            for stroke in &trace.strokes {
                let (first, last) = (stroke.line[0], stroke.line[stroke.line.len() - 1]);
                writeln!(
                    text,
                    "stroke {:.1},{:.1} to {:.1},{:.1} by {}",
                    first.0,
                    first.1,
                    last.0,
                    last.1,
                    stroke.line.len()
                )
                .unwrap();
            }
        }
        for rule in &panel.rules {
            writeln!(text, "rule {:.1} {}", rule.y, rule.label.as_ref().map_or("", |label| &label.text)).unwrap();
        }
    }
    writeln!(text, "times {}", texts(&layout.time_labels)).unwrap();
    writeln!(text, "dates {}", texts(&layout.dates)).unwrap();
    writeln!(text, "marks {}", texts(&layout.marks.labels)).unwrap();
    writeln!(text, "footer {}", texts(&layout.footer.labels)).unwrap();
    if let Some(notice) = &layout.notice {
        writeln!(text, "notice {}@{:.0},{:.0}", notice.label.text, notice.label.x, notice.label.y).unwrap();
    }
    text
}

fn eventful() -> Picture {
    let mut picture = picture();
    let series = &mut picture.panels[0].series[0];
    series.points[60..72].iter_mut().for_each(|point| point.value = None);
    series.points.drain(150..157);
    picture.panels[0].rules.push(Rule {
        value: 60.0 * MIB,
        label: "limit".to_owned(),
        kind: RuleKind::Limit,
        color: None,
    });
    picture.marks =
        vec![mark(550.0, MarkKind::Navigation), mark(400.0, MarkKind::Crash), mark(300.0, MarkKind::Restart)];
    picture
}

fn golden(name: &str, picture: &Picture) {
    expect_file![format!("../../../data/chart/{name}.txt")].assert_eq(&told(&layout(picture).unwrap()));
}

#[test]
fn the_usual_picture_keeps_its_geometry() {
    golden("usual", &picture());
}

#[test]
fn gaps_marks_and_a_limit_keep_their_geometry() {
    golden("eventful", &eventful());
}

#[test]
fn a_notice_and_no_data_keep_their_geometry() {
    let mut picture = picture();
    picture.panels[0].series[0].points.clear();
    picture.notice = Some("no data since 14:03:07".to_owned());
    golden("no-data", &picture);
}

#[test]
fn every_picture_of_the_gallery_keeps_its_geometry() {
    for (name, picture) in scenes::gallery() {
        golden(&format!("gallery-{name}"), &picture);
    }
}

#[test]
fn eight_hundred_by_six_hundred_is_the_canvas_unless_the_image_was_meant() {
    let canvas = layout(&picture()).unwrap().panels[0].canvas;
    assert_eq!((canvas.width, canvas.height), (800.0, 600.0));
    let mut picture = picture();
    picture.size.full = true;
    let whole = layout(&picture).unwrap();
    assert_eq!((whole.width, whole.height), (800.0, 600.0));
    assert!(whole.panels[0].canvas.width < 800.0);
}

#[test]
fn a_gap_stays_open_and_is_told() {
    let layout = layout(&eventful()).unwrap();
    let panel = &layout.panels[0];
    assert_eq!(panel.gaps.len(), 2);
    assert_eq!(panel.traces[0].strokes.len(), 3);
    for gap in &panel.gaps {
        for stroke in &panel.traces[0].strokes {
            assert!(stroke.line.iter().all(|&(x, _)| x <= gap.rect.x + 0.5 || x >= gap.rect.right() - 0.5));
        }
    }
    let footer: Vec<&str> = layout.footer.labels.iter().map(|label| label.text.as_str()).collect();
    assert!(footer.windows(2).any(|pair| pair == ["gaps", "2"]), "{footer:?}");
}

#[test]
fn a_gap_of_one_series_is_not_shaded_where_another_is_known() {
    let mut picture = eventful();
    let whole = Series::line("rss", heap(200), 3.0);
    picture.panels[0].series.push(whole);
    assert_eq!(layout(&picture).unwrap().panels[0].gaps, []);
}

#[test]
fn a_peak_of_one_row_among_many_reaches_its_height() {
    let mut picture = picture();
    let points = &mut picture.panels[0].series[0].points;
    *points = (0..100_000).map(|i| Point::new(NOW - 600.0 + f64::from(i) * 0.006, Some(MIB))).collect();
    points[33_333].value = Some(50.0 * MIB);
    let layout = layout(&picture).unwrap();
    let panel = &layout.panels[0];
    let top = panel.traces[0].strokes[0].high.iter().map(|&(_, y)| y).fold(f64::INFINITY, f64::min);
    assert!((top - panel.y(50.0 * MIB)).abs() < 0.5, "{top}");
}

#[test]
fn marks_that_are_too_near_for_their_texts_get_a_legend() {
    let mut picture = picture();
    picture.marks = (0..30).map(|i| mark(300.0 + f64::from(i) * 2.0, MarkKind::Restart)).collect();
    picture.marks.push(mark(301.0, MarkKind::Crash));
    let layout = layout(&picture).unwrap();
    let legend = [(MarkKind::Crash, "crash".to_owned()), (MarkKind::Restart, "restart ×30".to_owned())];
    assert_eq!(layout.marks.legend, legend);
    assert!(layout.marks.labels.iter().any(|label| label.text == MarkKind::Crash.glyph()), "the graver one is kept");
    assert!(layout.footer.labels.iter().any(|label| label.text == "restart ×30"));
}

#[test]
fn an_out_of_memory_at_the_right_edge_says_its_sentence_among_others() {
    let sentence = "out of memory 14:03:07, 59.8 of 60 MiB";
    let mut picture = picture();
    picture.marks = (0..30).map(|i| mark(300.0 + f64::from(i) * 2.0, MarkKind::Restart)).collect();
    picture.marks.push(Mark { time: NOW - 2.0, kind: MarkKind::OutOfMemory, label: sentence.to_owned() });
    let crowd = layout(&picture).unwrap();
    picture.marks.drain(..30);
    let alone = layout(&picture).unwrap();
    for layout in [crowd, alone] {
        let found = layout.marks.labels.iter().find(|label| label.text == sentence).unwrap();
        let glyph = layout.marks.labels.iter().find(|label| label.text == MarkKind::OutOfMemory.glyph()).unwrap();
        assert!(found.rect.right() < glyph.rect.x, "to the left of its glyph");
    }
}

#[test]
fn thousands_of_marks_do_not_paint_the_data_over_and_a_rare_one_stays() {
    let mut picture = picture();
    picture.marks = (0..8_500).map(|i| mark(f64::from(i) * 0.06, MarkKind::Navigation)).collect();
    picture.marks.push(mark(300.0, MarkKind::Crash));
    picture.marks.push(mark(590.0, MarkKind::Navigation));
    let layout = layout(&picture).unwrap();
    let through: Vec<_> = layout.marks.lines.iter().filter(|line| line.reach == Reach::Through).collect();
    assert_eq!(through.iter().map(|line| line.kind).collect::<Vec<_>>(), [MarkKind::Navigation, MarkKind::Crash]);
    assert!(layout.marks.lines.iter().filter(|line| line.reach == Reach::Top).count() > 500, "all are still told");
    let arrows = layout.marks.labels.iter().filter(|label| label.text == MarkKind::Navigation.glyph()).count();
    assert_eq!(arrows, 2, "one for the crowd, one for the single one");
}

#[test]
fn a_notice_hides_no_curve_wherever_it_ends() {
    let ways: [fn(f64) -> f64; 4] = [|_| 0.0, |row| -row, |row| row, |row| (row / 40.0).sin()];
    for (way, known) in ways.iter().flat_map(|way| [40.0, 150.0, 195.0].map(|known| (way, known))) {
        let mut picture = picture();
        picture.size = Size { width: 500, height: 250, full: false };
        picture.notice = Some("no data since 14:03:07".to_owned());
        picture.panels[0].series[0].points.retain_mut(|point| {
            let row = (point.time - NOW) / 3.0 + 199.0;
            *point = Point::new(point.time, Some(way(row)));
            row < known
        });
        let layout = layout(&picture).unwrap();
        let plate = layout.notice.unwrap().plate.unwrap();
        assert!(layout.panels[0].canvas.holds(&plate), "{plate:?}");
        let line = layout.panels[0].traces[0].strokes.iter().flat_map(|stroke| &stroke.line);
        let inside = |(x, y): &&(f64, f64)| plate.overlaps(&Rect { x: *x, y: *y, width: 0.1, height: 0.1 });
        assert_eq!(line.filter(inside).count(), 0, "{known} rows behind {plate:?}");
    }
}

#[test]
fn values_that_are_too_large_are_said_and_their_numbers_are_true() {
    let of = |values: &[f64], notice: Option<&str>| {
        let mut picture = picture();
        let points = values.iter().zip(1..).map(|(value, row)| Point::new(NOW - 60.0 + f64::from(row), Some(*value)));
        picture.panels[0] = Panel::new("", Unit::Plain);
        picture.panels[0].series.push(Series::area("x", points.collect(), 1.0));
        picture.notice = notice.map(str::to_owned);
        let layout = layout(&picture).unwrap();
        let cells = layout.footer.labels.iter().skip(2).step_by(2).map(|label| label.text.clone());
        (layout.notice.map(|notice| notice.label.text), cells.collect::<Vec<_>>().join(" "), layout.panels[0].axis.top)
    };
    let large = "values too large to draw".to_owned();
    assert_eq!(of(&[1e300, 3.0], None).0, None);
    assert_eq!(
        of(&[2e300, 8.0, 1.0], None),
        (Some(large.clone()), "1 1 6.667e299 2.000e300".to_owned(), of(&[8.0, 1.0], None).2)
    );
    assert_eq!(of(&[f64::MAX, -f64::MAX], None).1, "-1.798e308 -1.798e308 0 1.798e308");
    assert_eq!(of(&[2.0, f64::INFINITY], None).1, "inf 2 inf inf");
    assert_eq!(
        of(&[f64::INFINITY], Some("no data since 14:03:07")).0,
        Some(format!("{large} · no data since 14:03:07"))
    );
}

#[test]
fn a_notice_hides_no_limit() {
    let mut picture = eventful();
    picture.notice = Some("no data since 14:03:07".to_owned());
    let layout = layout(&picture).unwrap();
    let plate = layout.notice.unwrap().plate.unwrap();
    let rule = &layout.panels[0].rules[0];
    let label = rule.label.as_ref().unwrap();
    assert!(!plate.overlaps(&label.rect) && plate.y > rule.y, "{plate:?} {rule:?}");
    assert!(layout.panels[0].canvas.holds(&plate));
}

#[test]
fn ticks_belong_to_their_panel_and_take_no_room_above() {
    let mut picture = picture();
    picture.panels.push(picture.panels[0].clone());
    let without = layout(&picture).unwrap();
    picture.panels[1].ticks = vec![mark(300.0, MarkKind::Collection), mark(300.1, MarkKind::Collection)];
    let with = layout(&picture).unwrap();
    assert_eq!(with.panels[0].canvas, without.panels[0].canvas);
    assert_eq!(with.marks.lines.iter().map(|line| line.reach).collect::<Vec<_>>(), [Reach::Bottom(1)]);
    assert_eq!(with.marks.legend, [(MarkKind::Collection, "collection ×2".to_owned())]);
}

#[test]
fn sizes_that_cannot_be_drawn_name_their_limit() {
    let refused = |change: &dyn Fn(&mut Picture)| {
        let mut picture = picture();
        change(&mut picture);
        layout(&picture).unwrap_err().to_string()
    };
    let size = |width, height, full| Size { width, height, full };
    assert_eq!(
        refused(&|p| p.size = size(0, 600, false)),
        "width 0 is outside 40 to 16384: ask for a size within these limits"
    );
    assert!(refused(&|p| p.size = size(800, u32::MAX, false)).contains("to 16384"));
    assert!(refused(&|p| p.size = size(16_384, 16_384, false)).starts_with("pixels"));
    assert!(refused(&|p| p.size = size(60, 60, true)).starts_with("height 60 is outside"));
    assert!(refused(&|p| p.scale = f64::NAN).starts_with("scale NaN"));
    assert!(refused(&|p| p.font.size = 1e9).starts_with("font size"));
    for (from, to) in [(1.0, 1.0), (2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY), (-1e300, 1e300)] {
        let mut picture = picture();
        (picture.from, picture.to) = (from, to);
        assert!(matches!(layout(&picture), Err(ChartError::Span { .. })), "{from} {to}");
    }
}

fn apart(kind: &str, labels: &[Label]) -> Result<(), TestCaseError> {
    for (index, label) in labels.iter().enumerate() {
        for other in &labels[..index] {
            prop_assert!(!label.rect.overlaps(&other.rect), "{kind}: {label:?} {other:?}");
        }
    }
    Ok(())
}

fn kinds() -> impl Strategy<Value = MarkKind> {
    prop::sample::select(vec![
        MarkKind::Restart,
        MarkKind::Crash,
        MarkKind::Navigation,
        MarkKind::OutOfMemory,
        MarkKind::Gap,
        MarkKind::Collection,
    ])
}

prop_compose! {
    fn pictures()(
        (width, height, full) in (40u32..1500, 20u32..900, any::<bool>()),
        (size, mono) in (6.0f64..30.0, any::<bool>()),
        frame in prop::sample::select(vec![Frame::Whole, Frame::NoLegend, Frame::Bare]),
        (power, count, auto) in (-2.9f64..9.0, 0u32..120, any::<bool>()),
        (base, swing) in (-1e12f64..1e12, 0.0f64..1e10),
        marks in prop::collection::vec((0.0f64..1.0, kinds(), ".{0,20}"), 0..30),
        names in prop::collection::vec(".{0,40}", 1..4),
        title in ".{0,60}\n?.{0,60}",
    ) -> Picture {
        let span = 10f64.powf(power);
        let mut picture = Picture::new(title, NOW - span, NOW);
        picture.zone = Zone::Utc;
        picture.size = Size { width, height, full };
        picture.font = Font { family: if mono { Family::Mono } else { Family::Sans }, size };
        picture.frame = frame;
        for name in names {
            let row = span / f64::from(count.max(1));
            let value = |i: u32| Some(base + swing * f64::from(i % 7));
            let points = (0..count).map(|i| Point::new(NOW - span + row * f64::from(i + 1), value(i))).collect();
            let mut panel = Panel::new(&name, Unit::Bytes);
            panel.baseline = if auto { Baseline::Auto } else { Baseline::Zero };
            panel.series.push(Series::area(&name, points, row));
            panel.rules.push(Rule { value: base, label: name, kind: RuleKind::Floor, color: None });
            picture.panels.push(panel);
        }
        picture.marks = marks
            .into_iter()
            .map(|(share, kind, label)| Mark { time: NOW - span * share, kind, label })
            .collect();
        picture
    }
}

proptest! {
    #[test]
    fn nothing_touches_and_nothing_leaves_the_picture(picture in pictures()) {
        let Ok(layout) = layout(&picture) else { return Ok(()) };
        let image = heapsoak_chart::Rect { x: 0.0, y: 0.0, width: layout.width, height: layout.height };
        apart("titles", &layout.titles)?;
        apart("times", &layout.time_labels)?;
        apart("dates", &layout.dates)?;
        apart("marks", &layout.marks.labels)?;
        apart("footer", &layout.footer.labels)?;
        for pair in layout.time_labels.windows(2) {
            prop_assert!(pair[0].text != pair[1].text);
        }
        let mut all: Vec<&Label> = Vec::new();
        for panel in &layout.panels {
            prop_assert!(image.holds(&panel.canvas), "{:?} {image:?}", panel.canvas);
            apart("values", &panel.value_labels)?;
            all.extend(&panel.value_labels);
            for trace in &panel.traces {
                for &(x, y) in trace.strokes.iter().flat_map(|stroke| &stroke.line) {
                    prop_assert!(x >= panel.canvas.x - 0.01 && x <= panel.canvas.right() + 0.01);
                    prop_assert!(y >= panel.canvas.y - 0.01 && y <= panel.canvas.bottom() + 0.01);
                }
            }
        }
        for pair in layout.panels.windows(2) {
            prop_assert!(!pair[0].canvas.overlaps(&pair[1].canvas));
        }
        all.extend(layout.titles.iter().chain(&layout.time_labels).chain(&layout.dates));
        all.extend(layout.marks.labels.iter().chain(&layout.footer.labels));
        for label in all {
            prop_assert!(image.holds(&label.rect), "{label:?} {image:?}");
        }
    }
}

#[test]
fn the_legend_explains_no_sign_that_is_not_in_the_picture_and_no_text_touches_an_axis() {
    let sentence = "out of memory 14:00:00, 59.8 of 60 MiB";
    for (width, ago) in
        [100, 250, 360, 500, 900].into_iter().flat_map(|width| [20.0, 300.0, 580.0].map(|ago| (width, ago)))
    {
        let mut picture = picture();
        picture.size = Size { width, height: 100, full: false };
        let end = |kind| Mark { label: "the end of it all".to_owned(), ..mark(ago, kind) };
        picture.marks = vec![end(MarkKind::End), mark(ago + 15.0, MarkKind::Other), mark(590.0, MarkKind::Start)];
        picture.marks.push(Mark { label: sentence.to_owned(), ..mark(ago, MarkKind::OutOfMemory) });
        let layout = layout(&picture).unwrap();
        let labels = &layout.marks.labels;
        for (kind, _) in &layout.marks.legend {
            let stands = labels.iter().any(|label| label.text == kind.glyph());
            assert!(stands, "{width} {ago}: no {} in {labels:?}", kind.name());
        }
        let told = labels.iter().map(|label| &label.text).chain(layout.marks.legend.iter().map(|(_, said)| said));
        assert_eq!(told.filter(|text| *text == sentence).count(), 1, "{width} {ago}: {labels:?}");
        let axis = layout.panels[0].value_labels.iter();
        let touches = axis.filter(|value| labels.iter().any(|label| label.rect.overlaps(&value.rect))).count();
        assert_eq!(touches, 0, "{width} {ago}: {labels:?}");
    }
}
