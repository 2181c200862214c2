//! What a picture shows, as data: JSON and CSV of exactly what was drawn.
//!
//! JSON has the picture's own shape: `title`, `subtitle`, `across` (`time`, `seconds` since the start, or `iterations`),
//! `from`, `to`, `time_zone`, `notice`, `comments`, `panels` (each with `label`, `unit`, `axis`, `series`, `rules`, `gaps`,
//! `collections`) and `events`. A point is `[time, value, lowest, highest]`, the time that of its end; unknown is null.
//! Times that the archives do not reach have no points.
//!
//! CSV has one line for each thing drawn, and says in the column `what` which: `title`, `axis` (lowest and highest value),
//! `point`, `rule`, `gap` (`time` to `until`), `collection`, `event`, `comment`. Unknown is empty. Events quote what pages
//! say: no text is a formula.

use heapsoak_chart::{
    Across, Join, Layout, MarkKind, Panel, Picture, Point, RuleKind, Series, Style, Unit, layout, numbers,
};
use heapsoak_cli::spreadsheet::inert;
use serde_json::{Value, json};

/// The picture as one line of JSON and its end.
pub(crate) fn json(picture: &Picture) -> anyhow::Result<Vec<u8>> {
    let layout = layout(picture)?;
    let panels = picture.panels.iter().enumerate();
    let across = match &picture.across {
        Across::Clock => "time",
        Across::Elapsed => "seconds",
        Across::Count(name) => name,
    };
    let zone = match picture.across {
        Across::Clock => Value::from(picture.zone.offsets(picture.from, picture.to)),
        _ => Value::Null,
    };
    let whole = json!({
        "title": picture.title,
        "subtitle": picture.subtitle,
        "across": across,
        "from": picture.from,
        "to": picture.to,
        "time_zone": zone,
        "notice": layout.notice.as_ref().map(|notice| &notice.label.text),
        "comments": comments(picture),
        "panels": panels.map(|(index, panel)| panel_json(picture, panel, &layout, index)).collect::<Value>(),
        "events": picture.marks.iter().filter(|mark| is_within(picture, mark.time)).map(|mark| json!({
            "time": mark.time,
            "kind": mark.kind.name(),
            "label": mark.label,
        })).collect::<Value>(),
    });
    let mut text = serde_json::to_vec(&whole)?;
    text.push(b'\n');
    Ok(text)
}

fn panel_json(picture: &Picture, panel: &Panel, layout: &Layout, index: usize) -> Value {
    let laid = layout.panels.get(index);
    json!({
        "label": panel.label,
        "unit": unit(&panel.unit),
        "axis": laid.map(|laid| json!({
            "bottom": laid.axis.bottom,
            "top": laid.axis.top,
            "ticks": laid.axis.ticks.iter().map(|tick| json!({ "value": tick.value, "text": tick.text })).collect::<Value>(),
        })),
        "series": panel.series.iter().map(|series| series_json(picture, series)).collect::<Value>(),
        "rules": rules(panel).map(|(kind, label, value)| json!({ "kind": kind, "label": label, "value": value }))
            .collect::<Value>(),
        "gaps": laid.iter().flat_map(|laid| &laid.gaps).map(|gap| json!({ "from": gap.from, "to": gap.to }))
            .collect::<Value>(),
        "collections": panel.ticks.iter().filter(|mark| is_within(picture, mark.time))
            .map(|mark| json!({ "time": mark.time, "label": mark.label })).collect::<Value>(),
    })
}

fn series_json(picture: &Picture, series: &Series) -> Value {
    let known = numbers(series, picture.from, picture.to);
    json!({
        "name": series.name,
        "drawn": drawn(series),
        "row": series.row_width,
        "numbers": known.filter(|_| series.numbers)
            .map(|n| json!({ "now": n.now, "min": n.min, "average": n.average, "max": n.max })),
        "points": points(picture, series).map(|p| json!([p.time, p.value, p.low, p.high])).collect::<Value>(),
    })
}

/// The picture as lines of CSV.
pub(crate) fn csv(picture: &Picture) -> anyhow::Result<Vec<u8>> {
    let layout = layout(picture)?;
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(["what", "panel", "name", "time", "until", "value", "low", "high", "text"])?;
    let mut line = |what: &str, panel: &str, name: &str, numbers: [Option<f64>; 5], text: &str| {
        let [time, until, value, low, high] = numbers.map(|number| number.map_or_else(String::new, |n| n.to_string()));
        out.write_record([what, &inert(panel), &inert(name), &time, &until, &value, &low, &high, &inert(text)])
    };
    line("title", "", "", [Some(picture.from), Some(picture.to), None, None, None], &picture.title)?;
    for (panel, laid) in picture.panels.iter().zip(&layout.panels) {
        let (label, none) = (panel.label.as_str(), None);
        line("axis", label, "", [none, none, none, Some(laid.axis.bottom), Some(laid.axis.top)], unit(&panel.unit))?;
        for series in &panel.series {
            for p in points(picture, series) {
                line("point", label, &series.name, [Some(p.time), none, p.value, p.low, p.high], "")?;
            }
        }
        for (kind, name, value) in rules(panel) {
            line("rule", label, name, [none, none, Some(value), none, none], kind)?;
        }
        for gap in &laid.gaps {
            line("gap", label, "", [Some(gap.from), Some(gap.to), none, none, none], "")?;
        }
        for mark in panel.ticks.iter().filter(|mark| is_within(picture, mark.time)) {
            line("collection", label, "", [Some(mark.time), none, none, none, none], &mark.label)?;
        }
    }
    for mark in picture.marks.iter().filter(|mark| is_within(picture, mark.time)) {
        let what = if mark.kind == MarkKind::Collection { "collection" } else { "event" };
        line(what, "", mark.kind.name(), [Some(mark.time), None, None, None, None], &mark.label)?;
    }
    for text in comments(picture) {
        line("comment", "", "", [None; 5], &text)?;
    }
    Ok(out.into_inner()?)
}

/// The rows of a series that touch the picture; what is not a number is unknown.
fn points<'a>(picture: &'a Picture, series: &'a Series) -> impl Iterator<Item = Point> + 'a {
    let width = if series.join == Join::Through { 0.0 } else { series.row_width };
    let touches = move |end: f64| match width > 0.0 {
        true => end > picture.from && end - width < picture.to,
        false => is_within(picture, end),
    };
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    series.points.iter().filter(move |point| touches(point.time)).map(move |point| Point {
        time: point.time,
        value: finite(point.value),
        low: finite(point.low).filter(|_| finite(point.value).is_some()),
        high: finite(point.high).filter(|_| finite(point.value).is_some()),
    })
}

/// What was said below the picture, whoever wrote it.
fn comments(picture: &Picture) -> Vec<String> {
    let lines = picture.lines.iter().map(|line| {
        let texts: Vec<&str> = line.entries.iter().map(|entry| entry.text.as_str()).collect();
        texts.join(" ")
    });
    picture.comments.iter().cloned().chain(lines.filter(|line| !line.trim().is_empty())).collect()
}

fn rules(panel: &Panel) -> impl Iterator<Item = (&'static str, &str, f64)> {
    let kind = |kind| match kind {
        RuleKind::Limit => "limit",
        RuleKind::Floor => "floor",
        RuleKind::Other => "line",
    };
    let rules = panel.rules.iter().map(move |rule| (kind(rule.kind), rule.label.as_str(), rule.value));
    rules.chain(panel.levels.iter().map(|level| ("line", "", level.value))).filter(|(_, _, value)| value.is_finite())
}

fn drawn(series: &Series) -> &'static str {
    match (series.join, series.style) {
        (Join::Through, _) => "trend",
        (_, Style::Area) => "area",
        (Join::Steps, _) => "steps",
        _ => "line",
    }
}

fn is_within(picture: &Picture, time: f64) -> bool {
    (picture.from..=picture.to).contains(&time)
}

fn unit(unit: &Unit) -> &str {
    match unit {
        Unit::Bytes => "bytes",
        Unit::BytesPerSecond => "bytes per second",
        Unit::Count => "count",
        Unit::PerSecond => "per second",
        Unit::Milliseconds => "ms",
        Unit::Percent => "%",
        Unit::Plain => "",
        Unit::Named(name) => name,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use heapsoak_chart::{Mark, Rule, Zone};

    use super::*;

    fn picture() -> Picture {
        let mut panel = Panel::new("heap, \"used\"", Unit::Bytes);
        let point = |time: f64, value: Option<f64>| Point { time, value, low: value, high: value.map(|v| v + 5.0) };
        let rows = vec![
            point(3.0, Some(1.0)),
            point(6.0, None),
            point(9.0, Some(f64::NAN)),
            point(12.0, Some(7.5)),
            point(99.0, None),
        ];
        panel.series.push(Series::area("heap_used", rows, 3.0));
        panel.rules.push(Rule { value: 60.0, label: "limit".to_owned(), kind: RuleKind::Limit, color: None });
        let mut picture = Picture::new("a\nb", 0.0, 12.0);
        picture.zone = Zone::Utc;
        picture.panels.push(panel);
        let mark = |time, kind| Mark { time, kind, label: "=cmd()".to_owned() };
        picture.marks = vec![mark(4.0, MarkKind::Crash), mark(400.0, MarkKind::Crash)];
        picture
    }

    #[test]
    fn csv_tells_points_gaps_and_events_apart_and_holds_its_quotes() {
        let text = String::from_utf8(csv(&picture()).unwrap()).unwrap();
        expect![[r#"
            what,panel,name,time,until,value,low,high,text
            title,,,0,12,,,,"a
            b"
            axis,"heap, ""used""",,,,,0,62.5,bytes
            point,"heap, ""used""",heap_used,3,,1,1,6,
            point,"heap, ""used""",heap_used,6,,,,,
            point,"heap, ""used""",heap_used,9,,,,,
            point,"heap, ""used""",heap_used,12,,7.5,7.5,12.5,
            rule,"heap, ""used""",limit,,,60,,,limit
            gap,"heap, ""used""",,3,9,,,,
            event,,crash,4,,,,,'=cmd()
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn json_has_null_for_what_is_unknown_and_nothing_from_outside() {
        let value: Value = serde_json::from_slice(&json(&picture()).unwrap()).unwrap();
        let points = &value["panels"][0]["series"][0]["points"];
        assert_eq!(
            points,
            &json!([[3.0, 1.0, 1.0, 6.0], [6.0, null, null, null], [9.0, null, null, null], [12.0, 7.5, 7.5, 12.5]])
        );
        assert_eq!(value["panels"][0]["gaps"], json!([{ "from": 3.0, "to": 9.0 }]));
        assert_eq!(value["events"].as_array().map(Vec::len), Some(1));
        assert_eq!((&value["time_zone"], &value["across"]), (&json!("UTC+00:00"), &json!("time")));
    }
}
