//! When the limit is reached, if it goes on like this.

use crate::series::Point;
use crate::settings::Limit;
use crate::trend::{Trend, Z_80, Z_95};

/// Beyond this many times the observed window no date is given: nothing goes on at a constant rate for so long.
const FARTHEST: f64 = 30.0;
/// Collections get slower near the limit, the machine's load changes, and the limit is not exactly where it dies: the
/// standard deviation that this adds, as a share of the slope. Real leaks on Node 20 run to their death (60 and 100 MB,
/// three to eleven minutes, a busy machine): at half the way the rest was off by -16 to +8 %, and 12 of 13 deaths lay
/// within the 95 % interval; without this 6 of 12 did.
const CHANGES: f64 = 0.06;
/// The paces compared, and Student's t for two to five of them (one to four degrees of freedom), two-sided.
const PACES: usize = 5;
const T_80: [f64; PACES] = [3.078, 1.886, 1.638, 1.533, 1.476];
const T_95: [f64; PACES] = [12.706, 4.303, 3.182, 2.776, 2.571];

/// Seconds from now until the limit, with intervals; a high end of `None` is "perhaps never".
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reached {
    pub(crate) in_s: f64,
    pub(crate) within_80: (f64, Option<f64>),
    pub(crate) within_95: (f64, Option<f64>),
}

/// What can be said of the time to a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Outlook {
    /// It does not grow.
    Never,
    /// Too far off to give a date.
    Beyond,
    /// Within 30 times the observed window.
    Reached(Reached),
}

/// The outlook at the end of `points`, towards `limit`; `trend` is their line. Where in its range a program dies is as
/// good as chance, so the middle is told, and the interval holds the range's share.
pub(crate) fn outlook(trend: &mut Trend, points: &[Point], limit: Limit) -> Outlook {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Outlook::Never };
    if trend.slope <= 0.0 {
        return Outlook::Never;
    }
    let observed_s = last.x - first.x;
    let missing = f64::midpoint(limit.from(), limit.at()) - trend.at(last.x);
    let half_range = (limit.at() - limit.from()) / 2.0;
    let in_s = (missing / trend.slope).max(0.0);
    if in_s > FARTHEST * observed_s {
        return Outlook::Beyond;
    }
    let pace = Pace::of(points, in_s / observed_s);
    let (low_80, high_80) = rates(trend, &pace, Z_80, &T_80);
    let (low_95, high_95) = rates(trend, &pace, Z_95, &T_95);
    let noise = trend.noise;
    let within = |low: f64, high: f64, z: f64, share: f64| {
        let either_way = (z * noise).hypot(share * half_range);
        let soonest = ((missing - either_way) / high).max(0.0);
        (soonest, (low > 0.0).then(|| ((missing + either_way) / low).max(0.0)))
    };
    Outlook::Reached(Reached {
        in_s,
        within_80: within(low_80, high_80, Z_80, 0.8),
        within_95: within(low_95, high_95, Z_95, 0.95),
    })
}

/// How unevenly it has grown so far: programs do not keep one pace, and the rest of the way is a draw from the same paces.
struct Pace {
    /// Standard deviation of the mean pace over the rest of the way.
    deviation: f64,
    /// Paces it was taken from; 0 when there are too few floors for two.
    count: usize,
}

impl Pace {
    /// From the slopes of up to five blocks; `ahead` is the way to go as a share of the way observed.
    fn of(points: &[Point], ahead: f64) -> Self {
        let count = (points.len() / 3).min(PACES);
        let part = |i: usize| &points[points.len() * i / count..points.len() * (i + 1) / count];
        let slopes: Vec<f64> = (0..count).filter_map(|i| Trend::of(part(i))).map(|t| t.slope).collect();
        if slopes.len() < 2 {
            return Self { deviation: 0.0, count: 0 };
        }
        let n = slopes.len() as f64;
        let mean = slopes.iter().sum::<f64>() / n;
        let variance = slopes.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let draws = (ahead * n).clamp(1.0, n);
        Self { deviation: (variance / draws).sqrt(), count: slopes.len() }
    }
}

/// The slope's interval, widened by the unevenness of the pace so far and by what no recording shows.
fn rates(trend: &mut Trend, pace: &Pace, z: f64, t: &[f64; PACES]) -> (f64, f64) {
    let (low, high) = trend.interval(z);
    let uneven = pace.count.checked_sub(2).map_or(0.0, |i| t[i] * pace.deviation).hypot(z * CHANGES * trend.slope);
    (trend.slope - (trend.slope - low).hypot(uneven), trend.slope + (high - trend.slope).hypot(uneven))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn towards(slope: f64, limit: f64) -> Outlook {
        let points: Vec<Point> =
            (0..30).map(f64::from).map(|x| Point { x, y: 100.0 + slope * x + (x * 7.0) % 3.0 }).collect();
        outlook(&mut Trend::of(&points).unwrap(), &points, Limit::exact(limit))
    }

    #[test]
    fn the_date_lies_inside_its_intervals_and_the_wider_one_is_wider() {
        let Outlook::Reached(reached) = towards(10.0, 1000.0) else { panic!("not reached") };
        assert!((reached.in_s - 61.0).abs() < 1.0, "{reached:?}");
        let ((low80, high80), (low95, high95)) = (reached.within_80, reached.within_95);
        assert!(low95 < low80 && low80 < reached.in_s && reached.in_s < high80.unwrap() && high80 < high95);
    }

    #[test]
    fn where_v8_may_give_up_before_its_limit_the_interval_holds_both() {
        let points: Vec<Point> = (0..30).map(f64::from).map(|x| Point { x, y: 100.0 + 10.0 * x }).collect();
        let outlook = outlook(&mut Trend::of(&points).unwrap(), &points, Limit::of_old_generation(1000.0));
        let Outlook::Reached(reached) = outlook else { panic!("not reached") };
        // 800 is 41 s away, 1000 is 61 s.
        assert!((reached.in_s - 51.0).abs() < 0.1, "{reached:?}");
        assert!(reached.within_95.0 < 42.0 && reached.within_95.1.unwrap() > 60.0, "{reached:?}");
    }

    #[test]
    fn no_date_for_what_does_not_grow_or_is_too_far() {
        assert_eq!(towards(-1.0, 1000.0), Outlook::Never);
        assert_eq!(towards(1.0, 1e6), Outlook::Beyond);
    }

    #[test]
    fn above_the_limit_is_now_and_not_in_the_past() {
        let Outlook::Reached(reached) = towards(10.0, 50.0) else { panic!("not reached") };
        assert_eq!((reached.in_s, reached.within_95.0), (0.0, 0.0));
    }
}
