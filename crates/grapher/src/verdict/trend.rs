//! The verdict in the picture: the trend as a dashed line with its interval, and the word below.

use heapsoak_chart::{Dash, Join, Picture, Point, Series, Style};
use heapsoak_cli::time::Span;
use heapsoak_judge::{Judged, Question, judge, usual_sources};
use heapsoak_rrd::Time;
use heapsoak_store::{Info, Reader};
use heapsoak_verdict::Verdict;

use super::findings;

/// Draws the trend of each source of `picture` that is judged by default. The whole recording is judged, up to the
/// picture's end: what is shown of it is often too short for a verdict.
pub(crate) fn draw(picture: &mut Picture, reader: &Reader, info: &Info, span: Span, now_us: i64) -> anyhow::Result<()> {
    let judgeable = usual_sources(info);
    let shown = picture.panels.iter().flat_map(|panel| &panel.series).map(|series| series.name.clone());
    let sources: Vec<String> = shown.filter(|name| judgeable.contains(name)).collect();
    if sources.is_empty() {
        return Ok(());
    }
    let end = Some(Time::from_micros(span.end_us));
    let answer = judge(reader, info, &Question { sources, end, ..Question::default() })?;
    for judged in &answer.judged {
        add(picture, judged, now_us);
    }
    Ok(())
}

fn add(picture: &mut Picture, judged: &Judged, now_us: i64) {
    let verdict = &judged.verdict;
    let said = findings::of_verdict(judged, now_us);
    let rate = if said.rate.is_empty() { said.rate } else { format!(", {}", said.rate) };
    picture.comments.push(format!("{}: {}{rate}", verdict.source, said.title));
    let (from, to) = (picture.from, picture.to);
    let Some(points) = line(verdict, from, to) else { return };
    let panel = picture.panels.iter_mut().find(|panel| panel.series.iter().any(|series| series.name == verdict.source));
    if let Some(panel) = panel {
        let style = Style::Line { width: 2.0, dash: Some(Dash::Dashed) };
        let name = format!("trend of {}", verdict.source);
        panel.series.push(Series { join: Join::Through, style, numbers: false, ..Series::line(name, points, 0.0) });
    }
}

/// The trend with its interval where it was seen, as far as that lies between `from` and `to`; `None`: nowhere.
///
/// The interval is that of the slope, so it is narrow in the middle.
fn line(verdict: &Verdict, from: f64, to: f64) -> Option<Vec<Point>> {
    const POINTS: u32 = 17;
    let (seen_from, seen_to) = (verdict.from?, verdict.to?);
    let (from, to) = (seen_from.max(from), seen_to.min(to));
    let (slope, low, high) = (verdict.slope_per_hour?, verdict.slope_low?, verdict.slope_high?);
    let middle = f64::midpoint(seen_from, seen_to);
    let point = |step: u32| {
        let time = from + (to - from) * f64::from(step) / f64::from(POINTS - 1);
        let value = verdict.trend_at(time)?;
        let off = [low, high].map(|end| value + (end - slope) / 3600.0 * (time - middle));
        Some(Point { time, value: Some(value), low: Some(off[0].min(off[1])), high: Some(off[0].max(off[1])) })
    };
    (from < to).then(|| (0..POINTS).map(point).collect()).flatten()
}

#[cfg(test)]
mod tests {
    use heapsoak_verdict::{Kind, Sample, Series, Settings, Unit, decide};

    use super::*;

    #[test]
    fn the_line_keeps_to_what_was_seen_and_its_interval_holds_it() {
        let mut series = Series::new("rss", Kind::Plain, Unit::Bytes);
        let value = |i: i32| 1e8 + f64::from(i) * 2e4 + f64::from(i * 7 % 13) * 1e5;
        series.samples = (0..3600).map(|i| Sample { time: f64::from(i), value: Some(value(i)) }).collect();
        let verdict = decide(&series, &Settings::default());
        let points = line(&verdict, 3000.0, 9000.0).unwrap();
        assert_eq!(points[0].time, 3000.0);
        assert_eq!(points.last().map(|p| p.time), verdict.to);
        assert!(points.iter().all(|p| p.low <= p.value && p.value <= p.high));
        assert_eq!(line(&verdict, 9000.0, 9900.0), None);
    }
}
