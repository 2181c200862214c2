//! The finished files: a PNG that decodes to what was asked for, an SVG that is
//! valid whatever the names are, and no input that brings either down.

#![allow(clippy::unwrap_used, reason = "test helpers")]
#![allow(clippy::cast_possible_truncation, reason = "pixel positions")]

use std::io::Cursor;

use heapsoak_chart::{
    Dash, Join, Mark, MarkKind, Panel, Picture, Point, Rule, RuleKind, Series, Style, Theme, Unit, Zone, png, svg,
};
use proptest::prelude::*;

fn picture(points: Vec<Point>) -> Picture {
    let mut picture = Picture::new("Used heap size", 0.0, 600.0);
    picture.zone = Zone::Utc;
    let mut panel = Panel::new("heap used", Unit::Bytes);
    panel.series.push(Series::area("heap_used", points, 3.0));
    picture.panels.push(panel);
    picture
}

fn flat(value: f64) -> Vec<Point> {
    (1..=200).map(|i| Point::new(f64::from(i) * 3.0, Some(value))).collect()
}

/// Width, and the pixels as three bytes each.
fn pixels(picture: &Picture) -> (usize, Vec<[u8; 3]>) {
    let file = png(picture).unwrap();
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    (info.width as usize, bytes.as_chunks::<3>().0.to_vec())
}

#[test]
fn the_file_has_the_size_that_the_layout_says() {
    for scale in [1.0, 2.0] {
        let mut picture = picture(flat(5e6));
        picture.scale = scale;
        let layout = heapsoak_chart::layout(&picture).unwrap();
        let (width, pixels) = pixels(&picture);
        assert_eq!(width as f64, layout.width * scale);
        assert_eq!((pixels.len() / width) as f64, layout.height * scale);
    }
}

#[test]
fn a_gap_is_not_painted_over() {
    let mut points = flat(5e6);
    points[90..110].iter_mut().for_each(|point| point.value = None);
    let picture = picture(points);
    let layout = heapsoak_chart::layout(&picture).unwrap();
    let (width, pixels) = pixels(&picture);
    let canvas = layout.panels[0].canvas;
    let at = |time: f64| {
        let (x, y) = (canvas.x + time / 600.0 * canvas.width, canvas.bottom() - 5.0);
        pixels[y as usize * width + x as usize]
    };
    let reddish = |[red, green, blue]: [u8; 3]| red > green.saturating_add(20) && red > blue.saturating_add(20);
    assert!(reddish(at(200.0)) && reddish(at(400.0)));
    assert!(!reddish(at(300.0)), "{:?}", at(300.0));
}

#[test]
fn the_same_picture_is_the_same_file() {
    assert_eq!(png(&picture(flat(5e6))).unwrap(), png(&picture(flat(5e6))).unwrap());
}

#[test]
fn hostile_names_stay_text() {
    let evil = "</text><script>alert(1)</script>&amp;\"'\u{0}\u{8}\u{202e}\u{ffff}]]>";
    let mut picture = picture(flat(5e6));
    picture.title = evil.to_owned();
    picture.subtitle = evil.to_owned();
    picture.notice = Some(evil.to_owned());
    picture.comments = vec![evil.to_owned()];
    picture.panels[0].label = evil.to_owned();
    picture.panels[0].unit = Unit::Named(evil.to_owned());
    picture.panels[0].series[0].name = evil.to_owned();
    picture.panels[0].rules.push(Rule { value: 5e6, label: evil.to_owned(), kind: RuleKind::Other, color: None });
    picture.marks.push(Mark { time: 60.0, kind: MarkKind::Other, label: evil.to_owned() });
    let text = svg(&picture).unwrap();
    assert!(!text.contains("<script"));
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    check_xml(&text);
    assert!(png(&picture).is_ok());
}

fn check_xml(text: &str) {
    let mut reader = quick_xml::Reader::from_str(text);
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                let name = tag.name();
                let known: [&str; 9] = ["svg", "g", "title", "rect", "line", "polyline", "polygon", "circle", "text"];
                assert!(known.contains(&name.as_ref()), "{name:?}");
            }
            _ => {}
        }
    }
}

#[test]
fn the_svg_tells_series_and_events_to_who_points_at_them() {
    let mut picture = picture(flat(5e6));
    picture.marks.push(Mark { time: 63.0, kind: MarkKind::Crash, label: "tab crashed".to_owned() });
    let text = svg(&picture).unwrap();
    assert!(text.contains("<title>heap_used</title>"));
    assert!(text.contains("<title>crash at Thu 1 Jan 00:01:03: tab crashed</title>"));
    assert!(text.contains(">\nUsed heap size\n</text>"));
}

#[test]
fn nothing_and_less_than_nothing_is_still_a_picture() {
    let mut bare = picture(Vec::new());
    assert!(png(&bare).is_ok());
    bare.panels[0].series.clear();
    assert!(png(&bare).is_ok());
    bare.panels.clear();
    assert!(png(&bare).is_ok() && svg(&bare).is_ok());
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        -1e3f64..1e3,
        prop::sample::select(vec![
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            -0.0
        ]),
        any::<f64>(),
    ]
}

fn value() -> impl Strategy<Value = Option<f64>> {
    prop::option::of(number())
}

prop_compose! {
    fn series()(
        points in prop::collection::vec((prop_oneof![0.0f64..700.0, number()], value(), value(), value()), 0..60),
        row_width in number(),
        join in prop::sample::select(vec![Join::Slope, Join::Steps, Join::Through]),
        style in prop_oneof![
            Just(Style::Area),
            (number(), prop::sample::select(vec![None, Some(Dash::Dotted), Some(Dash::DashDot)]))
                .prop_map(|(width, dash)| Style::Line { width, dash }),
        ],
        (stacked, sorted) in any::<(bool, bool)>(),
    ) -> Series {
        let point = |(time, value, low, high)| Point { time, value, low, high };
        let mut points: Vec<Point> = points.into_iter().map(point).collect();
        if sorted {
            points.sort_by(|a, b| a.time.total_cmp(&b.time));
        }
        Series { style, join, stacked, ..Series::area("hostile", points, row_width) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_input_brings_the_drawing_down(
        all in prop::collection::vec(series(), 0..4),
        (lower, upper, rigid, weight) in (value(), value(), any::<bool>(), number()),
        (rule, mark) in (number(), number()),
        dark in any::<bool>(),
    ) {
        let mut picture = picture(Vec::new());
        picture.size = heapsoak_chart::Size { width: 120, height: 60, full: false };
        picture.theme = if dark { Theme::Dark } else { Theme::Light };
        let panel = &mut picture.panels[0];
        panel.series = all;
        (panel.lower, panel.upper, panel.rigid, panel.weight) = (lower, upper, rigid, weight);
        panel.rules.push(Rule { value: rule, label: "rule".to_owned(), kind: RuleKind::Limit, color: None });
        picture.marks.push(Mark { time: mark, kind: MarkKind::Gap, label: String::new() });
        prop_assert!(png(&picture).is_ok());
        check_xml(&svg(&picture).unwrap());
    }
}
