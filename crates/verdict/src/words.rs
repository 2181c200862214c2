//! The sentences of a verdict: why, what to do next, and how much more is needed. No decision is made here.

use crate::doubt::Doubt;
use crate::judge::{Finding, Why};
use crate::series::{Kind, Segment, Series, Unit};
use crate::settings::Trim;
use crate::verdict::{Basis, Verdict, Word};

const KIB: f64 = 1024.0;
/// Up to this many times the recording so far it is worth saying how much more is needed.
const FARTHEST_WAIT: f64 = 20.0;
/// A recording that gives 20 blocks of a source without a collector, or ten of a heap, after the warm-up.
const SHORTEST_SAMPLES_S: f64 = 300.0;

/// Fills in `reason`, `advice` and `needed_s`.
pub(crate) fn fill(verdict: &mut Verdict, finding: &Finding, series: &Series, segment: &Segment, trim: &Trim) {
    verdict.needed_s = needed_s(verdict, finding, segment, trim);
    verdict.reason = reason(verdict, finding, series, segment);
    verdict.advice = advice(verdict, finding, series);
}

/// The verdict when not a single value is left after the warm-up.
pub(crate) fn nothing_known(mut verdict: Verdict, series: &Series, trim: &Trim) -> Verdict {
    verdict.reason = "there is no known value after the warm-up".to_owned();
    verdict.needed_s = Some(SHORTEST_SAMPLES_S.max(trim.least_s));
    verdict.advice = more(&verdict, series);
    verdict
}

fn reason(verdict: &Verdict, finding: &Finding, series: &Series, segment: &Segment) -> String {
    let what = subject(verdict.basis);
    let unit = series.unit;
    let rate = rates(verdict, unit);
    let matters = verdict.max_slope_per_hour.map_or_else(String::new, |m| format!("{}/h", amount(m, unit)));
    let from = segment.origin + finding.points.first().map_or(0.0, |p| p.x);
    let over = verdict.to.map_or_else(String::new, |to| span(to - from));
    let n = verdict.n;
    match finding.why {
        Why::Grows => format!("{what} grows at a constant rate of {rate}, on {n} values over {over}"),
        Why::GrowsInSamples => {
            format!("{what} grows by {rate} over {over}, more than garbage between two full collections can explain")
        }
        Why::GrewToDeath => format!("{what} grew by {rate} until the program died of out-of-memory"),
        Why::Flat => format!("{what} does not grow by more than {matters}: {rate}, on {n} values over {over}"),
        Why::FlatSince(_) => {
            format!("{what} grew at first and has not grown by more than {matters} in the last {over}: {rate}")
        }
        Why::TooFew { wanted } => {
            format!("{n} values after the warm-up are too few: at least {wanted} are needed")
        }
        Why::Wide => format!("the slope is not known well enough: {rate}, and {matters} is what matters"),
        Why::NotSure => format!("it may be growing, by {rate}, but not surely or not all the time"),
        Why::Step(at) => {
            format!("most of the growth is one step, {} before the end of the recording", span(segment.end - at))
        }
        Why::Slows => format!("it grows by {rate}, but slower in the second half: a cache that fills looks like this"),
        Why::Stale => format!("{what} grew by {rate}, but there was no full collection since"),
        Why::Doubtful(doubt) => format!("suspect: {what} grows by {rate}, but {}", doubtful(doubt)),
        Why::ShortSamples { .. } => format!("{what} is flat so far, over {over}, and samples alone need longer"),
    }
}

fn doubtful(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::TooShort { .. } => "a cache that is still filling looks the same for as long",
        Doubt::TooSmall => "garbage that no full collection has met yet can rise as far",
        Doubt::Ended => "not up to the end",
        Doubt::Uneven => "in a few steps",
        Doubt::NoDrops => "no full collection can be seen in the samples",
    }
}

fn advice(verdict: &Verdict, finding: &Finding, series: &Series) -> String {
    match (verdict.verdict, finding.why) {
        (Word::Leak, _) if series.kind == Kind::Heap => {
            "take two heap snapshots some hundred iterations apart and compare them by class".to_owned()
        }
        (Word::Leak, _) => {
            "look at what the heap's verdict says, and at what each iteration opens and does not close".to_owned()
        }
        (Word::Steady, _) => "nothing to do".to_owned(),
        (Word::Undecided, _) => more(verdict, series),
    }
}

/// "Record 4 min more" and, for a heap without floors, the better way.
fn more(verdict: &Verdict, series: &Series) -> String {
    let longer = match verdict.needed_s {
        Some(seconds) => format!("record at least {} more", span(seconds)),
        None => "record for several times as long".to_owned(),
    };
    let has_floors = matches!(verdict.basis, Some(Basis::NaturalGc | Basis::CheckpointGc));
    if series.kind == Kind::Heap && !has_floors {
        format!("{longer}, or with --checkpoint-gc 60s for a quarter of an hour")
    } else {
        longer
    }
}

/// About how much longer: floors come at the pace they came, and an interval narrows with the 1.5th power of the window.
fn needed_s(verdict: &Verdict, finding: &Finding, segment: &Segment, trim: &Trim) -> Option<f64> {
    if verdict.verdict != Word::Undecided {
        return None;
    }
    let kept = (1.0 - trim.share).max(0.1);
    match finding.why {
        Why::TooFew { wanted } => {
            let pace = floor_pace_s(finding).filter(|_| has_floors(verdict));
            let by_floors = pace.map(|pace| pace * wanted.saturating_sub(verdict.n) as f64 / kept);
            Some(by_floors.unwrap_or_else(|| (SHORTEST_SAMPLES_S - segment.end).max(60.0)))
        }
        Why::Doubtful(Doubt::TooShort { missing_s }) | Why::ShortSamples { missing_s } => Some(missing_s),
        Why::Wide | Why::NotSure => {
            let (slope, matters) = (verdict.slope_per_hour?, verdict.max_slope_per_hour?);
            let half_width = (verdict.slope_high? - verdict.slope_low?) / 2.0;
            let wanted = (slope - matters).abs();
            let times = (half_width / wanted).powf(2.0 / 3.0).max(1.25);
            (times <= FARTHEST_WAIT).then_some(segment.end * (times - 1.0))
        }
        Why::Slows | Why::Step(_) => Some(segment.end),
        _ => None,
    }
}

fn has_floors(verdict: &Verdict) -> bool {
    matches!(verdict.basis, Some(Basis::NaturalGc | Basis::CheckpointGc))
}

/// Seconds between two floors.
fn floor_pace_s(finding: &Finding) -> Option<f64> {
    let (first, last) = (finding.points.first()?, finding.points.last()?);
    let gaps = finding.points.len().checked_sub(1).filter(|n| *n > 0)?;
    Some((last.x - first.x) / gaps as f64)
}

fn subject(basis: Option<Basis>) -> &'static str {
    match basis {
        Some(Basis::NaturalGc | Basis::CheckpointGc) => "the size after full collections",
        Some(Basis::Raw) => "the lowest size between collections",
        Some(Basis::Blocks) | None => "the lowest value",
    }
}

fn rates(verdict: &Verdict, unit: Unit) -> String {
    match (verdict.slope_per_hour, verdict.slope_low, verdict.slope_high) {
        (Some(slope), Some(low), Some(high)) => {
            format!("{}/h (95 %: {} to {})", amount(slope, unit), amount(low, unit), amount(high, unit))
        }
        _ => "an unknown rate".to_owned(),
    }
}

/// A number with its unit: bytes as B, KiB, MiB or GiB.
pub(crate) fn amount(value: f64, unit: Unit) -> String {
    let size = value.abs();
    match unit {
        Unit::Count => format!("{value:.1}"),
        Unit::Bytes if size < KIB => format!("{value:.0} B"),
        Unit::Bytes if size < KIB * KIB => format!("{:.1} KiB", value / KIB),
        Unit::Bytes if size < KIB * KIB * KIB => format!("{:.1} MiB", value / (KIB * KIB)),
        Unit::Bytes => format!("{:.1} GiB", value / (KIB * KIB * KIB)),
    }
}

/// A duration for a sentence: seconds below two minutes, minutes below two hours, then hours.
pub(crate) fn span(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}
