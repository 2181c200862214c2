//! The slope of a line of floors and whether it is a trend: Theil–Sen, Mann–Kendall with the correction of Hamed and
//! Rao for autocorrelated values, and the exact Kendall distribution for few values.
//!
//! Theil–Sen because one outlier must not tilt the line (Sen 1968); the correction because floors follow each other:
//! without it 10 to 24 % of flat AR(1) series (phi 0.5 to 0.8) were called rising at a nominal 2.5 %.

use crate::series::Point;

/// Two-sided 80 % of the normal distribution.
pub(crate) const Z_80: f64 = 1.281_551_565_545;
/// Two-sided 95 % of the normal distribution.
pub(crate) const Z_95: f64 = 1.959_963_984_540;
/// Two-sided 99.9 % of the normal distribution: the level at which "leak" is said.
pub(crate) const Z_999: f64 = 3.290_526_731_492;
/// One-sided error of the exact test for few floors.
pub(crate) const EXACT_ERROR: f64 = 0.001;
/// Up to here the exact distribution is used; the normal approximation is poor below.
pub(crate) const EXACT_UP_TO: usize = 11;
/// Lags whose correlation is inside the 95 % band of noise are not corrected for (Hamed & Rao 1998).
const LAG_BAND: f64 = 1.96;

/// The line through a set of points and what is known of its slope.
#[derive(Debug, Clone)]
pub(crate) struct Trend {
    /// Units per second.
    pub(crate) slope: f64,
    /// The line's value at x = 0.
    pub(crate) intercept: f64,
    /// Kendall's S standardised with the corrected variance.
    pub(crate) z: f64,
    /// For few points: the exact one-sided probability of so large an S without a trend.
    pub(crate) exact_p: Option<f64>,
    /// 1.4826 x the median distance from the line: the noise of one floor.
    pub(crate) noise: f64,
    variance: f64,
    slopes: Slopes,
}

/// All slopes between two points, kept to read quantiles from.
#[derive(Debug, Clone)]
struct Slopes(Vec<f64>);

impl Slopes {
    /// The `rank`-th smallest slope, counted from 1; ranks outside are the extremes.
    fn at(&mut self, rank: f64) -> f64 {
        let last = self.0.len() - 1;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the vector's indices")]
        let index = (rank - 1.0).round().clamp(0.0, last as f64) as usize;
        *self.0.select_nth_unstable_by(index, f64::total_cmp).1
    }
}

impl Trend {
    /// The trend of `points`, ascending in x; `None` with fewer than three.
    pub(crate) fn of(points: &[Point]) -> Option<Self> {
        if points.len() < 3 {
            return None;
        }
        let (mut slopes, s) = pairs(points);
        let slope = median_of(&mut slopes.0);
        let mut levels: Vec<f64> = points.iter().map(|p| p.y - slope * p.x).collect();
        let intercept = median_of(&mut levels);
        let residuals: Vec<f64> = points.iter().map(|p| p.y - slope * p.x - intercept).collect();
        let variance = kendall_variance(points) * correction(&residuals);
        let z = if variance > 0.0 { (s - s.signum()) / variance.sqrt() } else { 0.0 };
        let exact_p = (points.len() <= EXACT_UP_TO).then(|| kendall_tail(points.len(), s));
        let mut distances: Vec<f64> = residuals.iter().map(|r| r.abs()).collect();
        let noise = 1.4826 * median_of(&mut distances);
        Some(Self { slope, intercept, z, exact_p, noise, variance, slopes })
    }

    /// The slope's interval at the two-sided level of `z` (Sen 1968: ranks (N ∓ z√V)/2 of all slopes).
    pub(crate) fn interval(&mut self, z: f64) -> (f64, f64) {
        let all = self.slopes.0.len() as f64;
        let c = z * self.variance.sqrt();
        (self.slopes.at((all - c) / 2.0), self.slopes.at((all + c) / 2.0 + 1.0))
    }

    /// The line's value at `x`.
    pub(crate) fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }

    /// Is the rise beyond chance at the level of "leak"?
    pub(crate) fn is_rising(&self) -> bool {
        match self.exact_p {
            Some(p) => p < EXACT_ERROR,
            None => self.z >= Z_999,
        }
    }
}

/// All slopes, and Kendall's S. Points at the same instant say nothing about a slope.
fn pairs(points: &[Point]) -> (Slopes, f64) {
    let mut slopes = Vec::with_capacity(points.len() * (points.len() - 1) / 2);
    let mut s = 0.0;
    for (i, a) in points.iter().enumerate() {
        for b in &points[i + 1..] {
            let rise = b.y - a.y;
            slopes.push(rise / (b.x - a.x));
            if rise != 0.0 {
                s += rise.signum();
            }
        }
    }
    (Slopes(slopes), s)
}

/// The variance of S without a trend, ties taken into account (Kendall 1975).
fn kendall_variance(points: &[Point]) -> f64 {
    let mut ys: Vec<f64> = points.iter().map(|p| p.y).collect();
    ys.sort_by(f64::total_cmp);
    let term = |m: f64| m * (m - 1.0) * (2.0 * m + 5.0);
    let ties: f64 = ys.chunk_by(|a, b| a == b).map(|group| term(group.len() as f64)).sum();
    (term(points.len() as f64) - ties) / 18.0
}

/// By how much autocorrelation inflates that variance, never below 1 (Hamed & Rao 1998, on ranks of the residuals).
fn correction(residuals: &[f64]) -> f64 {
    let count = residuals.len();
    let n = count as f64;
    let ranks = ranks(residuals);
    let mean = (n + 1.0) / 2.0;
    let total: f64 = ranks.iter().map(|r| (r - mean).powi(2)).sum();
    if total <= 0.0 {
        return 1.0;
    }
    let band = LAG_BAND / n.sqrt();
    let mut sum = 0.0;
    for lag in 1..=count / 4 {
        let pairs = ranks.iter().zip(&ranks[lag..]);
        let rho = pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / total;
        if rho.abs() > band {
            let k = n - lag as f64;
            sum += k * (k - 1.0) * (k - 2.0) * rho;
        }
    }
    (1.0 + 2.0 * sum / (n * (n - 1.0) * (n - 2.0))).max(1.0)
}

/// Ranks from 1; equal values share the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for group in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let mean = before as f64 + (group.len() as f64 + 1.0) / 2.0;
        group.iter().for_each(|i| ranks[*i] = mean);
        before += group.len();
    }
    ranks
}

/// P(S >= s) for `n` values in random order: the number of orders by inversions (Kendall 1938). Ties make it cautious.
fn kendall_tail(n: usize, s: f64) -> f64 {
    let mut orders = vec![1.0];
    for k in 2..=n {
        let mut next = vec![0.0; orders.len() + k - 1];
        for (inversions, count) in orders.iter().enumerate() {
            next[inversions..inversions + k].iter_mut().for_each(|slot| *slot += count);
        }
        orders = next;
    }
    let most = (n * (n - 1) / 2) as f64;
    let all: f64 = orders.iter().sum();
    let as_large = orders.iter().enumerate().filter(|(inversions, _)| most - 2.0 * *inversions as f64 >= s);
    as_large.map(|(_, count)| count).sum::<f64>() / all
}

/// The median; reorders its argument. 0 of nothing.
pub(crate) fn median_of(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    let odd = values.len() % 2 == 1;
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if odd {
        return *upper;
    }
    let lower = below.iter().copied().max_by(f64::total_cmp).unwrap_or(*upper);
    f64::midpoint(lower, *upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(ys: &[f64]) -> Vec<Point> {
        ys.iter().enumerate().map(|(i, y)| Point { x: i as f64, y: *y }).collect()
    }

    #[test]
    fn the_exact_distribution_is_that_of_the_tables() {
        // n = 7 needs 21 of 21; 8: 24 of 28; 9: 30 of 36 (and n = 6 can never reach 0.001)
        assert!(kendall_tail(6, 15.0) > 0.001);
        assert!(kendall_tail(7, 21.0) < 0.001 && kendall_tail(7, 19.0) > 0.001);
        assert!(kendall_tail(8, 24.0) < 0.001 && kendall_tail(8, 22.0) > 0.001);
        assert!((kendall_tail(4, 6.0) - 1.0 / 24.0).abs() < 1e-12);
    }

    #[test]
    fn one_outlier_does_not_tilt_the_line() {
        let mut ys: Vec<f64> = (0..30).map(|i| 5.0 + 2.0 * f64::from(i)).collect();
        ys[29] = 1e9;
        let trend = Trend::of(&line(&ys)).unwrap();
        assert!((trend.slope - 2.0).abs() < 1e-9);
        assert!((trend.intercept - 5.0).abs() < 1e-9);
    }

    #[test]
    fn equal_values_are_no_trend_and_no_division_by_zero() {
        let mut trend = Trend::of(&line(&[7.0; 20])).unwrap();
        assert_eq!((trend.slope, trend.z, trend.noise), (0.0, 0.0, 0.0));
        assert_eq!(trend.interval(Z_999), (0.0, 0.0));
    }

    #[test]
    fn slowly_swinging_values_are_corrected_for() {
        let swing: Vec<f64> = (0..60).map(|i| (f64::from(i) / 12.0).sin()).collect();
        assert!(correction(&swing) > 1.5);
    }

    #[test]
    fn the_interval_holds_the_slope_and_grows_with_the_level() {
        let ys: Vec<f64> = (0..40).map(|i| f64::from(i) + f64::from(i * 7 % 5)).collect();
        let mut trend = Trend::of(&line(&ys)).unwrap();
        let (low, high) = trend.interval(Z_95);
        let (lower, higher) = trend.interval(Z_999);
        assert!(lower <= low && low <= trend.slope && trend.slope <= high && high <= higher);
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        assert_eq!(median_of(&mut [4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median_of(&mut []), 0.0);
    }
}
