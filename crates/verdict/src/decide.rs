//! From a series to its verdict: choose the segment, judge it, and put the numbers where readers look for them.

use std::cmp::Ordering::Equal;

use crate::evidence::{self, ENOUGH_FLOORS, Evidence};
use crate::judge;
use crate::limit::{self, Outlook};
use crate::series::{self, Point, Segment, Series};
use crate::settings::Settings;
use crate::trend::{Trend, Z_95};
use crate::verdict::{Verdict, Word};
use crate::words;

const HOUR_S: f64 = 3600.0;

/// Segments judged at most, from the last one back: each further one is a further chance of a false alarm.
const MOST_SEGMENTS: usize = 5;

/// The verdict over one source. Never fails: what cannot be told is unknown, and the reason says what is missing.
///
/// Told is the last segment that is decided (of the last five with enough floors), or else the longest.
pub fn decide(series: &Series, settings: &Settings) -> Verdict {
    let with_evidence = series::segments(series).into_iter().filter_map(|segment| {
        let evidence = evidence::of(&segment, series.kind, &settings.trim)?;
        Some((segment, evidence))
    });
    let all: Vec<(Segment, Evidence)> = with_evidence.collect();
    let enough = all.iter().rev().filter(|(_, e)| e.points.len() >= ENOUGH_FLOORS).take(MOST_SEGMENTS);
    let judged = enough.map(|(segment, evidence)| verdict(series, settings, segment, evidence));
    if let Some(decided) = judged.into_iter().find(|v| v.verdict != Word::Undecided) {
        return decided;
    }
    match all
        .iter()
        .max_by(|a, b| (a.1.points.len(), a.0.end).partial_cmp(&(b.1.points.len(), b.0.end)).unwrap_or(Equal))
    {
        Some((segment, evidence)) => verdict(series, settings, segment, evidence),
        None => words::nothing_known(Verdict::unknown(&series.source), series, &settings.trim),
    }
}

fn verdict(series: &Series, settings: &Settings, segment: &Segment, evidence: &Evidence) -> Verdict {
    let max_slope = |level: f64| settings.materiality.per_second(series.unit, level);
    let mut finding = judge::judge(evidence, segment, series.unit, &max_slope);
    let time = |x: f64| segment.origin + x;
    let mut verdict = Verdict {
        verdict: finding.word,
        shape: finding.shape,
        basis: Some(evidence.basis),
        n: finding.points.len(),
        from: finding.points.first().map(|p| time(p.x)),
        to: finding.points.last().map(|p| time(p.x)),
        limit: settings.limit.map(|limit| limit.at()),
        limit_from: settings.limit.map(|limit| limit.from()),
        onset: finding.onset.map(time),
        is_early: finding.is_early,
        floors: evidence.points.iter().map(|p| (time(p.x), p.y)).collect(),
        ..Verdict::unknown(&series.source)
    };
    let (first, last) = match (finding.points.first(), finding.points.last()) {
        (Some(first), Some(last)) => (*first, *last),
        _ => return verdict,
    };
    let points = finding.points.clone();
    if let Some(trend) = &mut finding.trend {
        let (low, high) = trend.interval(Z_95);
        let matters = max_slope(trend.at(f64::midpoint(first.x, last.x)));
        verdict.slope_per_hour = Some(trend.slope * HOUR_S);
        verdict.slope_low = Some(low * HOUR_S);
        verdict.slope_high = Some(high * HOUR_S);
        verdict.level = Some(trend.at(last.x));
        verdict.max_slope_per_hour = Some(matters * HOUR_S);
        verdict.is_suspect = finding.word == Word::Undecided && trend.is_rising() && low > matters;
        // Of one that has died there is nothing to foretell.
        let is_ahead = finding.word != Word::Steady && !segment.out_of_memory;
        if let Some(limit) = settings.limit.filter(|l| l.is_finite() && is_ahead) {
            fill_limit(&mut verdict, limit::outlook(trend, &points, limit));
        }
    }
    fill_iterations(&mut verdict, segment, &points);
    words::fill(&mut verdict, &finding, series, segment, &settings.trim);
    verdict
}

fn fill_limit(verdict: &mut Verdict, outlook: Outlook) {
    match outlook {
        Outlook::Never => {}
        Outlook::Beyond => verdict.is_limit_beyond = true,
        Outlook::Reached(reached) => {
            verdict.limit_reached_in_s = Some(reached.in_s);
            verdict.limit_low_s = Some(reached.within_95.0);
            verdict.limit_high_s = reached.within_95.1;
            verdict.limit_80_s = Some(reached.within_80);
        }
    }
}

/// The same line against the iteration count: a figure that stays the same when the machine is slow.
fn fill_iterations(verdict: &mut Verdict, segment: &Segment, points: &[Point]) {
    let counted = points.iter().filter_map(|p| Some(Point { x: segment.iterations_at(p.x)?, y: p.y }));
    let mut counted: Vec<Point> = counted.collect();
    counted.dedup_by(|later, kept| later.x <= kept.x);
    if let (Some(first), Some(last)) = (counted.first(), counted.last()) {
        verdict.iterations = Some(last.x - first.x);
        verdict.slope_per_iteration = Trend::of(&counted).map(|t| t.slope);
    }
}
