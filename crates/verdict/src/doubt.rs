//! What a significant straight rise may prove: the doubts that are left when it has no floors behind it, or is very small.
//!
//! Between two full collections a heap rises in a straight line whether or not the program leaks, so no test of trends
//! can tell a leak from garbage that no mark-compact has met yet, nor from a cache that is still filling. Only the size
//! of the rise, its duration and the collector's visible work can. Below that a rise is a suspicion.

use crate::series::{Point, Segment, Unit};

const MIB: f64 = 1_048_576.0;

/// A steady program's floor rises by about one growing step of V8's old generation before a mark-compact meets it:
/// 8 MiB for live heaps below 50 MB (measured on Node 20: 11.8 → 20.0, 5.7 → 14.0, 49.5 → 57.9 MB, again and again), and
/// a sixth above (81.6 → 96 MB).
const GROWING_STEP: f64 = 8.0 * MIB;
const GROWING_SHARE: f64 = 1.0 / 6.0;
/// Twice that step must have been climbed by the floor …
const LEAST_RISE: f64 = 2.0 * GROWING_STEP;
/// … and the last floor must stand this far above the first: V8 lets a larger heap grow in proportion.
const LEAST_GROWTH: f64 = 1.75;
/// A cache may fill for this long in a straight line: five minutes, the longest that was recorded.
const LONGEST_FILL_S: f64 = 300.0;
/// Before its first mark-compact V8 allows hundreds of MB, less by the share that died at each scavenge (a steady program
/// with 35 MB live rose to 88 MB so). After five drops of a quarter of the heap nothing of that allowance is left.
const DEEP_DROPS: usize = 5;
const DEEP_SHARE: f64 = 0.25;
/// Memory without a collector (`rss`) warms up for ten minutes and more in steady programs: in fewer than 30 minutes it
/// must grow by half to be called a leak; later by one growing step.
const LONG_S: f64 = 1800.0;
const LEAST_GROWTH_IN_SHORT: f64 = 1.5;
/// Two or three steps, as of tables that are loaded, make a staircase that a trend test takes for a slope. Of ten blocks of
/// the two loops that died the largest increment was 0.23 of the rise.
const LARGEST_SHARE: f64 = 1.0 / 3.0;
/// What collections leave creeps for a while in a steady program too, as the engine compiles and caches: by 3 % (0.27 MiB) in
/// minutes 2 to 8 of a loop over selenium-webdriver on Node 20 that was flat for the next 10. In fewer than 30 minutes a leak
/// must come to more than this share.
const LEAST_SHARE_IN_SHORT: f64 = 0.05;
/// With a death by out-of-memory at the end the rise has its answer; it must still be a rise of this ratio.
const LEAST_GROWTH_TO_DEATH: f64 = 1.5;
/// "Steady" from samples alone: shorter recordings may not have met the collection after which a leak shows.
pub(crate) const LEAST_STEADY_S: f64 = 300.0;

/// Why a rise of samples alone does not prove a leak.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Doubt {
    /// A filling cache and one growing step would look the same for this many seconds more.
    TooShort {
        /// Seconds that are missing.
        missing_s: f64,
    },
    /// Garbage that no mark-compact has met yet can rise as far.
    TooSmall,
    /// The last floors do not go on rising.
    Ended,
    /// A few steps make up the rise.
    Uneven,
    /// No work of the collector is visible in it.
    NoDrops,
}

/// The doubt that is left about a significant straight rise of a heap's lowest samples, `slope` in bytes per second.
pub(crate) fn about_heap(segment: &Segment, minima: &[Point], slope: f64) -> Option<Doubt> {
    let (Some(first), Some(last)) = (minima.first(), minima.last()) else { return Some(Doubt::TooSmall) };
    let growth = last.y / first.y.max(1.0);
    if segment.out_of_memory {
        return (growth < LEAST_GROWTH_TO_DEATH).then_some(Doubt::TooSmall);
    }
    let missing_s = least_s(last.y, slope) - segment.end;
    if missing_s > 0.0 {
        Some(Doubt::TooShort { missing_s })
    } else if last.y - first.y < LEAST_RISE || growth < LEAST_GROWTH {
        Some(Doubt::TooSmall)
    } else if minima.iter().rev().skip(1).any(|p| p.y >= last.y) {
        Some(Doubt::Ended)
    } else if largest_increment(minima) > LARGEST_SHARE * (last.y - first.y) {
        Some(Doubt::Uneven)
    } else if deep_drops(&segment.samples) < DEEP_DROPS {
        Some(Doubt::NoDrops)
    } else {
        None
    }
}

/// The doubt that is left about sizes after full collections: only that the program is still warming up.
pub(crate) fn about_floors(segment: &Segment, floors: &[Point], unit: Unit) -> Option<Doubt> {
    let (first, last) = floors.first().zip(floors.last())?;
    let is_small = last.y - first.y < LEAST_SHARE_IN_SHORT * last.y;
    (unit == Unit::Bytes && is_small && segment.end < LONG_S)
        .then_some(Doubt::TooShort { missing_s: LONG_S - segment.end })
}

/// The same for memory or things without a collector of their own.
pub(crate) fn about_plain(segment: &Segment, minima: &[Point], slope: f64, unit: Unit) -> Option<Doubt> {
    let (Some(first), Some(last)) = (minima.first(), minima.last()) else { return Some(Doubt::TooSmall) };
    let (least, least_short, least_s) = match unit {
        Unit::Bytes => (GROWING_STEP, LEAST_RISE, least_s(last.y, slope)),
        Unit::Count => (0.0, 0.0, LONGEST_FILL_S),
    };
    let rise = last.y - first.y;
    let is_large = rise >= least_short && last.y >= LEAST_GROWTH_IN_SHORT * first.y;
    if segment.end < least_s {
        Some(Doubt::TooShort { missing_s: least_s - segment.end })
    } else if !is_large && segment.end < LONG_S {
        Some(Doubt::TooShort { missing_s: LONG_S - segment.end })
    } else {
        (rise < least).then_some(Doubt::TooSmall)
    }
}

/// As long as a cache may fill, and then as long as its garbage takes to reach the next collection.
fn least_s(level: f64, slope: f64) -> f64 {
    LONGEST_FILL_S + GROWING_STEP.max(GROWING_SHARE * level) / slope
}

fn largest_increment(minima: &[Point]) -> f64 {
    minima.windows(2).map(|pair| pair[1].y - pair[0].y).fold(0.0, f64::max)
}

/// Falls, over as many samples as they last, that gave back at least a quarter of the heap.
fn deep_drops(samples: &[Point]) -> usize {
    let falls = samples.chunk_by(|a, b| b.y < a.y);
    let is_deep = |fall: &&[Point]| match (fall.first(), fall.last()) {
        (Some(top), Some(bottom)) => top.y - bottom.y >= DEEP_SHARE * top.y,
        _ => false,
    };
    falls.filter(is_deep).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fall_over_several_samples_is_one_drop() {
        let samples: Vec<Point> =
            [40.0, 35.0, 28.0, 20.0, 30.0, 29.0, 38.0, 20.0].iter().map(|y| Point { x: 0.0, y: *y }).collect();
        assert_eq!(deep_drops(&samples), 2);
    }
}
