//! Parts that somebody spells out: their places, and that no text collides with another.
#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure ends the test")]

use heapsoak_chart::{
    Align, Color, Dash, Label, Layout, Level, OwnColors, Panel, Picture, Point, RightAxis, Series, Sign, TextEntry,
    TextLine, Unit, Upright, layout,
};

fn picture() -> Picture {
    let mut picture = Picture::new("parts", 0.0, 600.0);
    let points = (0..200).map(|i| Point::new(f64::from(i) * 3.0, Some(f64::from(i)))).collect();
    let mut panel = Panel::new("things", Unit::Plain);
    panel.series.push(Series { numbers: false, ..Series::area("a", points, 3.0) });
    picture.panels.push(panel);
    picture
}

fn entry(text: &str) -> TextEntry {
    let sign = Some(Sign { color: Color::RED, line: None, dash: Dash::Solid, solid: false });
    TextEntry { sign, text: text.to_owned(), glued: false }
}

fn labels(laid: &Layout) -> Vec<&Label> {
    let panels = laid.panels.iter().flat_map(|panel| panel.value_labels.iter().chain(&panel.right_labels));
    panels.chain(&laid.time_labels).chain(&laid.dates).chain(&laid.titles).chain(&laid.footer.labels).collect()
}

#[track_caller]
fn no_label_touches_another(laid: &Layout) {
    let labels = labels(laid);
    for (index, label) in labels.iter().enumerate() {
        assert!(label.rect.x >= 0.0 && label.rect.right() <= laid.width + 0.5, "{label:?} is outside");
        assert!(label.rect.bottom() <= laid.height + 0.5, "{label:?} is below the image of {}", laid.height);
        for other in &labels[..index] {
            assert!(!label.rect.overlaps(&other.rect), "{} touches {}", label.text, other.text);
        }
    }
}

#[test]
fn lines_lie_where_they_are_told_and_long_ones_are_broken() {
    let mut picture = picture();
    for align in [Align::Left, Align::Right, Align::Center, Align::Justified] {
        picture.lines.push(TextLine { entries: vec![entry("one"), entry("two")], align, space: true });
    }
    picture.lines.push(TextLine { entries: vec![entry("quite a long text"); 30], ..TextLine::default() });
    picture.watermark = "drawn on a Monday".to_owned();
    let laid = layout(&picture).unwrap();
    no_label_touches_another(&laid);
    let x = |index: usize| laid.footer.labels[index].rect.x;
    assert!(x(0) < x(4) && x(4) < x(2), "left, center and right are in order");
    assert!((x(6) - x(0)).abs() < 1.0 && laid.footer.labels[7].rect.right() > laid.footer.labels[3].rect.right() - 1.0);
    let baselines = laid.footer.labels.iter().filter(|label| label.text.contains("long")).map(|label| label.y);
    let mut baselines: Vec<f64> = baselines.collect();
    baselines.dedup();
    assert!(baselines.len() > 3, "thirty long texts in {} lines", baselines.len());
}

#[test]
fn spaces_that_align_columns_are_kept() {
    let mut picture = picture();
    let text = |text: &str| TextLine {
        entries: vec![TextEntry { text: text.to_owned(), ..TextEntry::default() }],
        ..TextLine::default()
    };
    picture.font.family = heapsoak_chart::Family::Mono;
    picture.lines = vec![text("max    12.5"), text("       12.5")];
    let laid = layout(&picture).unwrap();
    let [first, second] = &laid.footer.labels[..] else { panic!("two texts") };
    assert!((first.rect.right() - second.rect.right()).abs() < 0.1, "{first:?} {second:?}");
    assert!(!first.text.contains("  "), "an SVG would make one space of several");
}

#[test]
fn a_right_axis_has_room_and_its_own_distinct_numbers() {
    let mut picture = picture();
    picture.panels[0].right = Some(RightAxis { scale: -0.001, shift: 5.0, label: "twice".to_owned() });
    for full in [false, true] {
        picture.size.full = full;
        let laid = layout(&picture).unwrap();
        no_label_touches_another(&laid);
        let panel = &laid.panels[0];
        assert_eq!(panel.right_labels.len(), panel.value_labels.len() + 1);
        assert_eq!(panel.right_labels[0].text, "5.00");
    }
    for (scale, shift) in [(0.0, 1.0), (f64::NAN, 0.0), (1e308, 1e308), (1.0, f64::INFINITY)] {
        picture.panels[0].right = Some(RightAxis { scale, shift, label: String::new() });
        assert!(layout(&picture).unwrap().panels[0].right_labels.is_empty(), "{scale} {shift}");
    }
}

#[test]
fn a_level_lies_at_its_value_and_does_not_widen_the_axis() {
    let mut picture = picture();
    let level = |value: f64| Level { value, color: Color::RED, dash: Dash::Solid };
    picture.panels[0].levels = vec![level(100.0), level(1e9), level(f64::NAN)];
    let panel = &layout(&picture).unwrap().panels[0];
    assert!(panel.axis.top < 1e3);
    assert_eq!(panel.levels.len(), 1);
    assert_eq!(panel.levels[0].y, panel.y(100.0));
}

#[test]
fn uprights_have_their_share_of_the_height_and_a_million_cost_a_column_each() {
    let mut picture = picture();
    let upright = |time: f64, from: f64, to: f64| Upright { time, from, to, color: Color::RED, dash: Dash::Solid };
    picture.panels[0].uprights = vec![upright(300.0, 0.0, 0.1), upright(300.0, 1.0, 0.5), upright(-1.0, 0.0, 1.0)];
    let panel = &layout(&picture).unwrap().panels[0];
    assert_eq!(panel.uprights.len(), 2);
    assert_eq!(panel.uprights[0].bottom, panel.canvas.bottom());
    assert!((panel.uprights[0].bottom - panel.uprights[0].top - 60.0).abs() < 1e-9);
    assert_eq!(panel.uprights[1].top, panel.canvas.y);
    picture.panels[0].uprights = (0..1_000_000).map(|i| upright(f64::from(i) * 6e-4, 0.0, 0.1)).collect();
    assert_eq!(layout(&picture).unwrap().panels[0].uprights.len(), 801);
}

#[test]
fn a_chosen_exponent_is_kept_unless_it_would_hide_the_numbers() {
    let texts = |exponent: i32, high: f64, unit: Unit| {
        let mut panel = Panel::new("", unit);
        panel.exponent = Some(exponent);
        let ticks = heapsoak_chart::value_axis(&panel, Some((0.0, high)), 4).ticks;
        ticks.into_iter().map(|tick| tick.text).collect::<Vec<_>>()
    };
    assert_eq!(texts(6, 2_000.0, Unit::Plain), ["0", "0.0005 M", "0.0010 M", "0.0015 M", "0.0020 M"]);
    assert_eq!(texts(0, 2e6, Unit::Plain), ["0", "500000", "1000000", "1500000", "2000000"]);
    assert_eq!(texts(-3, 2.0, Unit::Plain), ["0", "500 m", "1000 m", "1500 m", "2000 m"]);
    assert_eq!(texts(3, 4.0 * 1024.0 * 1024.0, Unit::Bytes)[1], "2000 KiB");
    assert_eq!(texts(18, 2.0, Unit::Plain), texts(5, 2.0, Unit::Plain));
}

#[test]
fn own_colours_are_drawn_and_the_others_are_the_themes() {
    let mut picture = picture();
    let plain = heapsoak_chart::svg(&picture).unwrap();
    picture.colors =
        OwnColors { canvas: Some(Color::rgb(1, 2, 3)), font: Some(Color::rgb(4, 5, 6)), ..OwnColors::default() };
    let own = heapsoak_chart::svg(&picture).unwrap();
    assert!(own.contains("#010203") && own.contains("#040506") && !plain.contains("#010203"));
}
