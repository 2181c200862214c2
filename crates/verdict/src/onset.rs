//! Since when: a CUSUM chart of the floors against their own beginning.
//!
//! CUSUM and EWMA charts did best of all in Matias, Andrzejak, Machida, Elias and Trivedi (ISSRE-W 2014). Each step is
//! bounded (a "robust CUSUM", Lucas & Crosier 1982): a burst that one collection happened to meet is not an onset.

use crate::series::Point;
use crate::trend::median_of;

/// Slack in standard deviations and the alarm's level: the classical 0.5 and 5 (Page 1954; Montgomery).
const SLACK: f64 = 0.5;
const ALARM: f64 = 5.0;
/// The most that one floor may add: three high floors in a row are needed for an alarm, one burst is not enough.
const BOUND: f64 = 2.0;
/// The baseline: the first quarter, at least five floors.
const BASELINE_SHARE: usize = 4;
const BASELINE_FLOORS: usize = 5;
/// The least noise assumed, as a share of the baseline: quieter floors would let any change raise an alarm.
const LEAST_NOISE: f64 = 0.001;

/// An alarm that still stands at the end of the series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Change {
    /// Index of the first point after the last one at which the chart was at 0.
    pub(crate) index: usize,
    /// The baseline's median and the time of its middle.
    pub(crate) baseline: Point,
}

/// The change upwards that `points` (ascending in time) end in, if any. Growth by `limit` a second does not matter and is
/// taken out first.
pub(crate) fn change(points: &[Point], limit: f64) -> Option<Change> {
    let count = (points.len() / BASELINE_SHARE).max(BASELINE_FLOORS);
    if points.len() <= count {
        return None;
    }
    let mut ys: Vec<f64> = points[..count].iter().map(|p| p.y).collect();
    let mean = median_of(&mut ys);
    let mut distances: Vec<f64> = ys.iter().map(|y| (y - mean).abs()).collect();
    let sigma = (1.4826 * median_of(&mut distances)).max(LEAST_NOISE * mean.abs()).max(f64::MIN_POSITIVE);
    let middle = f64::midpoint(points[0].x, points[count - 1].x);
    let mut chart = 0.0_f64;
    let mut index = 0;
    for (i, point) in points.iter().enumerate() {
        let above = point.y - mean - limit * (point.x - middle).max(0.0);
        chart = (chart + (above / sigma - SLACK).min(BOUND)).max(0.0);
        if chart == 0.0 {
            index = i + 1;
        }
    }
    let baseline = Point { x: middle, y: mean };
    (chart >= ALARM && index < points.len()).then_some(Change { index, baseline })
}

/// The instant at which a line left its baseline: where it meets the baseline's level. Up to the baseline's end it cannot
/// be told from growth since the beginning, which is 0 here: the segment's start.
pub(crate) fn left_baseline(baseline: Point, first: f64, slope: f64, intercept: f64) -> f64 {
    let meets = (baseline.y - intercept) / slope;
    let baseline_end = 2.0 * baseline.x - first;
    if meets.is_finite() && meets > baseline_end { meets } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floors(y: impl Fn(f64) -> f64) -> Vec<Point> {
        (0..60).map(f64::from).map(|x| Point { x, y: y(x) + (x * 7.0) % 3.0 }).collect()
    }

    #[test]
    fn a_flat_series_has_no_onset() {
        assert_eq!(change(&floors(|_| 1000.0), 0.0), None);
    }

    #[test]
    fn a_late_start_is_dated() {
        let found = change(&floors(|x| 1000.0 + (x - 30.0).max(0.0) * 4.0), 0.0).unwrap();
        assert!((28..=33).contains(&found.index), "{found:?}");
    }

    #[test]
    fn growth_that_does_not_matter_raises_no_alarm() {
        assert!(change(&floors(|x| 1000.0 + x), 0.0).is_some());
        assert_eq!(change(&floors(|x| 1000.0 + x), 1.0), None);
    }

    #[test]
    fn one_collection_inside_a_burst_is_no_change() {
        let mut points = floors(|_| 1000.0);
        points[40].y = 1e9;
        points[41].y = 1e9;
        assert_eq!(change(&points, 0.0), None);
    }

    #[test]
    fn a_leak_from_the_beginning_is_dated_to_the_beginning() {
        let baseline = Point { x: 5.0, y: 10.0 };
        assert_eq!(left_baseline(baseline, 0.0, 2.0, 0.0), 0.0);
        assert_eq!(left_baseline(baseline, 0.0, 2.0, -50.0), 30.0);
    }
}
