//! Chooses what a segment is judged by: floors after collections if there are enough, minima of blocks of samples else.
//! Leaves out the warm-up, and keeps the number of floors so small that all pairs of them can be compared.

use crate::blocks;
use crate::series::{Kind, Point, Segment};
use crate::settings::Trim;
use crate::verdict::Basis;

/// Fewer floors cannot reach p < 0.001: six in perfect order have 1/720.
pub(crate) const LEAST_FLOORS: usize = 7;
/// From here both words may be said without "early", and "steady" at all.
pub(crate) const ENOUGH_FLOORS: usize = 10;
/// Floors are thinned to the medians of so many equal times: each minute counts the same, also one of thrashing with 100
/// collections (two of three loops were judged by their last minute without it). All pairs are 19,900 slopes, a millisecond.
pub(crate) const MOST_FLOORS: usize = 200;
/// Blocks of samples: as many as the sign test needs.
pub(crate) const RAW_BLOCKS: usize = blocks::SIGN_BLOCKS;
/// Blocks of a source without a collector: enough for the normal approximation, wide enough to hold a low of each swing.
pub(crate) const PLAIN_BLOCKS: usize = 20;
/// Samples a block must hold on average: a minimum of one or two is no minimum.
const SAMPLES_A_BLOCK: usize = 4;

/// What is judged.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) basis: Basis,
    /// Ascending in time; seconds from the segment's origin.
    pub(crate) points: Vec<Point>,
}

/// The best evidence a segment has; `None` when nothing is known after the warm-up.
pub(crate) fn of(segment: &Segment, kind: Kind, trim: &Trim) -> Option<Evidence> {
    let from = warm_up(segment, trim);
    let after = |points: &[Point]| points[points.partition_point(|p| p.x < from)..].to_vec();
    let (forced, natural) = (after(&segment.forced), after(&segment.natural));
    if let Some(evidence) = floors(forced, natural) {
        return Some(evidence);
    }
    let samples = after(&segment.samples);
    let (basis, most) = match kind {
        Kind::Heap => (Basis::Raw, RAW_BLOCKS),
        Kind::Plain => (Basis::Blocks, PLAIN_BLOCKS),
    };
    let count = most.min(samples.len() / SAMPLES_A_BLOCK);
    (count > 0).then(|| Evidence { basis, points: blocks::minima(&samples, count) })
}

/// Forced floors alone are best: each is taken the same way. Natural ones carry a little floating garbage.
fn floors(forced: Vec<Point>, natural: Vec<Point>) -> Option<Evidence> {
    let basis = if forced.len() >= natural.len() { Basis::CheckpointGc } else { Basis::NaturalGc };
    let points = if forced.len() >= ENOUGH_FLOORS {
        return Some(Evidence { basis: Basis::CheckpointGc, points: thinned(forced) });
    } else if natural.len() >= ENOUGH_FLOORS {
        return Some(Evidence { basis: Basis::NaturalGc, points: thinned(natural) });
    } else {
        let mut both: Vec<Point> = forced.into_iter().chain(natural).collect();
        both.sort_by(|a, b| a.x.total_cmp(&b.x));
        both.dedup_by(|later, kept| later.x == kept.x);
        both
    };
    (points.len() >= LEAST_FLOORS).then_some(Evidence { basis, points })
}

fn thinned(points: Vec<Point>) -> Vec<Point> {
    let thin = blocks::medians_in_time(&points, MOST_FLOORS);
    if thin.len() < ENOUGH_FLOORS { points } else { thin }
}

/// The end of the warm-up, in seconds from the segment's origin.
fn warm_up(segment: &Segment, trim: &Trim) -> f64 {
    // A life that ended in a minute for want of memory had no time for more.
    let least_s = if segment.out_of_memory { trim.least_s.min(segment.end * trim.share) } else { trim.least_s };
    let by_time = (segment.end * trim.share).max(least_s);
    let first = segment.progress.first().map_or(0.0, |p| p.y);
    // Without a wish for iterations the first count, which comes a row late, must not cost a floor before it.
    let mut counts = segment.progress.iter().filter(|_| trim.least_iterations > 0.0);
    let done = counts.find(|p| p.y >= first + trim.least_iterations);
    by_time.max(done.map_or(0.0, |p| p.x))
}
