//! Blocks of a series: the sign test that a drifting series does not pass, steps, and minima of blocks of raw samples.

use crate::series::Point;
use crate::trend::median_of;

/// Blocks of the sign test: 10, of whose 9 increments at least 8 must be positive. A random walk has p = 10/512 of it.
pub(crate) const SIGN_BLOCKS: usize = 10;
/// Positive increments wanted of the nine.
pub(crate) const SIGNS_WANTED: usize = 8;
/// One increment above this share of the whole rise is a step, not a slope.
const STEP_SHARE: f64 = 0.5;

/// The medians of equal-count blocks and what their increments say.
#[derive(Debug, Clone)]
pub(crate) struct Blocks {
    medians: Vec<Point>,
}

impl Blocks {
    /// Cuts `points` into ten blocks of equal count, or into one block a point when there are fewer.
    pub(crate) fn of(points: &[Point]) -> Self {
        Self { medians: medians(points, SIGN_BLOCKS) }
    }

    fn increments(&self) -> impl Iterator<Item = f64> {
        self.medians.windows(2).map(|pair| pair[1].y - pair[0].y)
    }

    /// Did nearly all blocks rise? With ten blocks: 8 of 9 increments.
    pub(crate) fn rise_steadily(&self) -> bool {
        let rising = self.increments().filter(|d| *d > 0.0).count();
        let all = self.medians.len().saturating_sub(1);
        all > 0 && rising + (SIGN_BLOCKS - 1 - SIGNS_WANTED) >= all
    }

    /// Did every block rise above the one before?
    pub(crate) fn all_rise(&self) -> bool {
        self.increments().all(|d| d > 0.0)
    }

    /// The time of the one increment that makes up most of the rise, if there is one.
    pub(crate) fn step(&self) -> Option<f64> {
        let net = self.medians.last()?.y - self.medians.first()?.y;
        let (after, largest) = self.increments().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let is_step = net > 0.0 && largest > STEP_SHARE * net;
        is_step.then(|| f64::midpoint(self.medians[after].x, self.medians[after + 1].x))
    }
}

/// Medians of `count` blocks of equal count (times and values each).
pub(crate) fn medians(points: &[Point], count: usize) -> Vec<Point> {
    equal_counts(points, count).map(median).collect()
}

fn median(block: &[Point]) -> Point {
    Point {
        x: median_of(&mut block.iter().map(|p| p.x).collect::<Vec<_>>()),
        y: median_of(&mut block.iter().map(|p| p.y).collect::<Vec<_>>()),
    }
}

/// Medians of `count` blocks of equal time; a block without a point is left out.
pub(crate) fn medians_in_time(points: &[Point], count: usize) -> Vec<Point> {
    equal_times(points, count).filter(|block| !block.is_empty()).map(median).collect()
}

/// The lowest point of each of `count` blocks of equal time; a block without a point is left out.
pub(crate) fn minima(points: &[Point], count: usize) -> Vec<Point> {
    equal_times(points, count).filter_map(|b| b.iter().copied().min_by(|a, b| a.y.total_cmp(&b.y))).collect()
}

/// `count` blocks of equal time, empty ones too; none of points that last no time.
fn equal_times(points: &[Point], count: usize) -> impl Iterator<Item = &[Point]> {
    let (first, last) = points.first().zip(points.last()).map_or((0.0, 0.0), |(first, last)| (first.x, last.x));
    let width = (last - first) / count as f64;
    let count = if width > 0.0 { count } else { 0 };
    let edge = move |i: usize| {
        if i == count { points.len() } else { points.partition_point(|p| p.x < first + width * i as f64) }
    };
    (0..count).map(move |block| &points[edge(block)..edge(block + 1)])
}

fn equal_counts(points: &[Point], count: usize) -> impl Iterator<Item = &[Point]> {
    let count = count.min(points.len()).max(1);
    (0..count).map(move |i| &points[points.len() * i / count..points.len() * (i + 1) / count]).filter(|b| !b.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(ys: impl IntoIterator<Item = f64>) -> Vec<Point> {
        ys.into_iter().enumerate().map(|(i, y)| Point { x: i as f64, y }).collect()
    }

    #[test]
    fn a_single_step_is_not_a_slope() {
        let points = line((0..50).map(|i| if i < 30 { 1.0 } else { 9.0 }));
        assert!(Blocks::of(&points).step().is_some_and(|t| (25.0..35.0).contains(&t)));
        assert!(!Blocks::of(&points).rise_steadily());
    }

    #[test]
    fn a_straight_rise_is_no_step() {
        let blocks = Blocks::of(&line((0..50).map(f64::from)));
        assert!(blocks.step().is_none() && blocks.rise_steadily());
    }

    #[test]
    fn two_falling_blocks_are_one_too_many() {
        let mut ys: Vec<f64> = (0..10).map(f64::from).collect();
        ys[3] = 0.0;
        assert!(Blocks::of(&line(ys.clone())).rise_steadily());
        ys[7] = 0.0;
        assert!(!Blocks::of(&line(ys)).rise_steadily());
    }

    #[test]
    fn an_empty_block_is_left_out_and_not_taken_for_zero() {
        let points = [Point { x: 0.0, y: 4.0 }, Point { x: 1.0, y: 3.0 }, Point { x: 10.0, y: 5.0 }];
        let ys: Vec<f64> = minima(&points, 5).iter().map(|p| p.y).collect();
        assert_eq!(ys, [3.0, 5.0]);
        assert!(minima(&[], 5).is_empty());
    }
}
