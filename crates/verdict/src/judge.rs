//! The decision: which word a line of floors deserves, its shape, and why.
//!
//! "Leak" needs all of: an interval (99.9 %) above what matters, a significant trend, nearly all blocks rising (a random
//! walk passes that with p = 10/512), a second half as fast as the first, and no single step. "Steady" is a claim of its
//! own: the 95 % interval (99.9 % with few floors) lies below what matters. Everything else is undecided.

use crate::blocks::Blocks;
use crate::doubt::{self, Doubt};
use crate::evidence::{ENOUGH_FLOORS, Evidence, LEAST_FLOORS, PLAIN_BLOCKS, RAW_BLOCKS};
use crate::onset;
use crate::series::{Point, Segment, Unit};
use crate::trend::{EXACT_UP_TO, Trend, Z_95, Z_999, median_of};
use crate::verdict::{Basis, Shape, Word};

/// Second half against whole: below the first it has settled, below the second it slows down (an exponential fill
/// watched for four of its time constants is below).
const SETTLING: f64 = 0.25;
const SLOWING: f64 = 0.7;
/// Below this many floors the correction for autocorrelation sees too little of it: there all blocks must rise, or Z be
/// higher. Simulated on 24 flat floors, AR(1) 0.8: "leak" in 0.11 % without this, 0.06 % with it.
const FEW_FLOORS: usize = 30;
const FEW_Z: f64 = 4.5;
/// Fewest floors for an "early" leak: seven in order were seen in 0.18 % of flat AR(1) 0.8, more than the 0.1 % allowed.
const EARLY_FLOORS: usize = 8;
/// Floors that ended this share of their window ago say nothing of now: a program that loaded for 200 s and was then idle
/// met no further collection, and was still called a leak from its natural ones 145 s later.
const STALE: f64 = 0.25;
/// A tail that a CUSUM alarm chose was chosen for rising, so it needs this many floors, and this Z or, with few floors, all
/// blocks rising. Simulated: without that random walks are called a leak in 2.8 %, with it in 2.1 %.
const TAIL_FLOORS: usize = 15;
const TAIL_Z: f64 = 6.0;

/// Why the word was given; numbers are in seconds from the segment's origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Why {
    /// Constant growth that matters.
    Grows,
    /// The same, from samples alone with the collector at work in them.
    GrowsInSamples,
    /// The same, and the target died of out-of-memory at the end.
    GrewToDeath,
    /// Growth that matters is ruled out.
    Flat,
    /// It grew, and has been flat since.
    FlatSince(f64),
    /// Fewer floors than any test can use.
    TooFew { wanted: usize },
    /// The interval still holds both growth that matters and none.
    Wide,
    /// Growth that matters, not yet beyond chance, or not in nearly all blocks.
    NotSure,
    /// One step makes up most of it.
    Step(f64),
    /// It slows down.
    Slows,
    /// It grew, but the last collection was long ago.
    Stale,
    /// It rises steadily, but garbage or a cache could.
    Doubtful(Doubt),
    /// Steady so far, but the recording is too short to say so from samples alone.
    ShortSamples { missing_s: f64 },
}

/// What judging has found.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) word: Word,
    pub(crate) why: Why,
    pub(crate) shape: Option<Shape>,
    pub(crate) trend: Option<Trend>,
    /// The floors that `trend` is the line of.
    pub(crate) points: Vec<Point>,
    /// Since when it grows, for a leak.
    pub(crate) onset: Option<f64>,
    /// Said on few floors or on samples alone.
    pub(crate) is_early: bool,
}

/// Judges the evidence of a segment; `max_slope` (per second, for floors around a level) is what matters.
pub(crate) fn judge(evidence: &Evidence, segment: &Segment, unit: Unit, max_slope: &dyn Fn(f64) -> f64) -> Finding {
    let points = &evidence.points;
    let wanted = match evidence.basis {
        Basis::Raw => RAW_BLOCKS,
        Basis::Blocks => PLAIN_BLOCKS,
        Basis::NaturalGc | Basis::CheckpointGc => LEAST_FLOORS,
    };
    let limit = max_slope(median_of(&mut points.iter().map(|p| p.y).collect::<Vec<_>>()));
    match (points.len() >= wanted).then(|| assess(points, limit, evidence.basis)).flatten() {
        None => Finding {
            word: Word::Undecided,
            why: Why::TooFew { wanted },
            shape: None,
            trend: Trend::of(points),
            points: points.clone(),
            onset: None,
            is_early: false,
        },
        Some(whole) if matches!(evidence.basis, Basis::Raw | Basis::Blocks) => {
            judge_samples(whole, segment, limit, evidence.basis, unit)
        }
        Some(whole) => {
            let finding = judge_floors(whole, limit, evidence.basis);
            if segment.out_of_memory && grew_to_death(&finding, limit) {
                return Finding { word: Word::Leak, why: Why::GrewToDeath, onset: Some(0.0), ..finding };
            }
            if finding.word == Word::Leak && is_stale(&finding, segment) {
                return Finding { word: Word::Undecided, why: Why::Stale, onset: None, ..finding };
            }
            let doubt = match finding.word {
                Word::Leak => doubt::about_floors(segment, &finding.points, unit),
                Word::Steady | Word::Undecided => None,
            };
            if let Some(doubt) = doubt {
                return Finding { word: Word::Undecided, why: Why::Doubtful(doubt), onset: None, ..finding };
            }
            finding
        }
    }
}

/// Steps 2 to 8 on one set of points; `None` when there are too few for a line.
fn assess(points: &[Point], limit: f64, basis: Basis) -> Option<Finding> {
    let mut trend = Trend::of(points)?;
    let (low, highest) = trend.interval(Z_999);
    // Few correlated floors have too narrow an interval: at 95 % a leak of 1.5 times what matters was called steady in 3.4 %
    // (30 floors, AR(1) 0.5, noise 50 KB), at 99.9 % in 0.3 %; steady programs are called steady as often.
    let high = if points.len() < FEW_FLOORS { highest } else { trend.interval(Z_95).1 };
    let blocks = Blocks::of(points);
    let rises = trend.is_rising();
    let half = Trend::of(second_half(points)).map_or(0.0, |t| t.slope / trend.slope);
    let shape = match blocks.step() {
        _ if !rises && high <= limit => Shape::Flat,
        _ if !rises => Shape::Noisy,
        Some(_) => Shape::Step,
        None if half < SETTLING => Shape::Settling,
        None if half < SLOWING => Shape::Slowing,
        None => Shape::Linear,
    };
    let is_early = points.len() <= EXACT_UP_TO && basis != Basis::Raw;
    let n = points.len();
    let is_sure = if is_early {
        n >= EARLY_FLOORS && points.is_sorted_by(|a, b| a.y <= b.y)
    } else {
        blocks.rise_steadily() && (n >= FEW_FLOORS || basis == Basis::Raw || trend.z >= FEW_Z || blocks.all_rise())
    };
    let (word, why) = if low > limit && shape == Shape::Linear && is_sure {
        (Word::Leak, Why::Grows)
    } else if high <= limit && n >= ENOUGH_FLOORS {
        (Word::Steady, Why::Flat)
    } else {
        let why = match (shape, blocks.step()) {
            (Shape::Step, Some(at)) => Why::Step(at),
            (Shape::Settling | Shape::Slowing, _) => Why::Slows,
            _ if trend.slope > limit => Why::NotSure,
            _ => Why::Wide,
        };
        (Word::Undecided, why)
    };
    let shape = if word == Word::Steady { Shape::Flat } else { shape };
    // Since the beginning, unless a change is found.
    let onset = (word == Word::Leak).then_some(0.0);
    Some(Finding { word, why, shape: Some(shape), trend: Some(trend), points: points.to_vec(), onset, is_early })
}

/// The second half of the time: near its limit a program collects ever more often, and half of all floors may be of the last
/// minute, in which it hardly gets on.
fn second_half(points: &[Point]) -> &[Point] {
    let middle = points.first().zip(points.last()).map_or(0.0, |(first, last)| f64::midpoint(first.x, last.x));
    let by_time = &points[points.partition_point(|p| p.x < middle)..];
    if by_time.len() >= LEAST_FLOORS { by_time } else { &points[points.len() / 2..] }
}

/// Floors after collections, or blocks of a source without a collector: the whole line, then what came after a change.
fn judge_floors(whole: Finding, limit: f64, basis: Basis) -> Finding {
    let points = whole.points.clone();
    let change = onset::change(&points, limit);
    let since_change = change.and_then(|c| {
        let tail = &points[c.index..];
        (tail.len() >= TAIL_FLOORS).then(|| assess(tail, limit, basis)).flatten()
    });
    match (whole.word, change, since_change) {
        (Word::Steady, None, _) => whole,
        (Word::Leak, Some(change), tail) => dated(whole, change, tail),
        (Word::Leak, None, _) => whole,
        (_, Some(change), Some(tail)) if tail.word == Word::Leak && is_sure(&tail) => dated(tail, change, None),
        (_, Some(_), Some(tail)) if tail.word == Word::Steady => settled(tail, Shape::Step),
        _ => {
            let half = &points[points.len() / 2..];
            let calm = half.len() >= ENOUGH_FLOORS && onset::change(half, limit).is_none();
            match calm.then(|| assess(half, limit, basis)).flatten() {
                Some(half) if half.word == Word::Steady => settled(half, Shape::Settling),
                _ if whole.word == Word::Steady => Finding { word: Word::Undecided, why: Why::NotSure, ..whole },
                _ => whole,
            }
        }
    }
}

/// A rise that ended in death is not excused by having become slower, as it does where collections take most of the time.
fn grew_to_death(finding: &Finding, limit: f64) -> bool {
    let rises = finding.trend.clone().is_some_and(|mut t| t.is_rising() && t.interval(Z_999).0 > limit);
    let gradually = matches!(finding.shape, Some(Shape::Linear | Shape::Slowing | Shape::Settling));
    finding.word == Word::Undecided && rises && gradually
}

fn is_stale(finding: &Finding, segment: &Segment) -> bool {
    let (Some(first), Some(last)) = (finding.points.first(), finding.points.last()) else { return false };
    segment.end - last.x > STALE * (last.x - first.x)
}

/// A leak with the instant at which it left its baseline. What came before is left out of the rate.
fn dated(leak: Finding, change: onset::Change, tail: Option<Finding>) -> Finding {
    let first = leak.points[0].x;
    let left =
        |f: &Finding| f.trend.as_ref().map(|t| onset::left_baseline(change.baseline, first, t.slope, t.intercept));
    let from_tail = tail.filter(|t| t.word == Word::Leak && left(t).is_some_and(|at| at > 0.0));
    let best = from_tail.unwrap_or(leak);
    let onset = left(&best);
    Finding { onset, ..best }
}

fn is_sure(tail: &Finding) -> bool {
    let n = tail.points.len();
    tail.trend.as_ref().is_some_and(|t| t.z >= TAIL_Z) || (n < FEW_FLOORS && Blocks::of(&tail.points).all_rise())
}

fn settled(tail: Finding, shape: Shape) -> Finding {
    Finding { why: Why::FlatSince(tail.points[0].x), shape: Some(shape), ..tail }
}

/// Minima of samples, without collections: a leak only when no doubt is left, "steady" only after some minutes.
fn judge_samples(whole: Finding, segment: &Segment, limit: f64, basis: Basis, unit: Unit) -> Finding {
    let Some(trend) = &whole.trend else { return whole };
    let changed = onset::change(&whole.points, limit);
    let undecided = |why| Finding { word: Word::Undecided, why, onset: None, ..whole.clone() };
    match whole.word {
        Word::Leak if basis == Basis::Raw => match doubt::about_heap(segment, &whole.points, trend.slope) {
            Some(doubt) => undecided(Why::Doubtful(doubt)),
            None if segment.out_of_memory => Finding { why: Why::GrewToDeath, is_early: true, ..whole },
            None => Finding { why: Why::GrowsInSamples, is_early: true, ..whole },
        },
        Word::Leak => match (doubt::about_plain(segment, &whole.points, trend.slope, unit), changed) {
            (Some(doubt), _) => undecided(Why::Doubtful(doubt)),
            (None, Some(change)) => dated(whole, change, None),
            (None, None) => whole,
        },
        Word::Steady if segment.end < doubt::LEAST_STEADY_S => {
            undecided(Why::ShortSamples { missing_s: doubt::LEAST_STEADY_S - segment.end })
        }
        Word::Steady if changed.is_some() => undecided(Why::NotSure),
        Word::Steady | Word::Undecided => whole,
    }
}
