//! Did the fix work: the difference of two slopes, with its interval.
//!
//! Comparing with a known version finds aging sooner and more surely than any test of one run (Matias, Andrzejak,
//! Machida, Elias, Trivedi, ISSRE-W 2014). The interval of the difference is put together from the two intervals (Zou &
//! Donner 2008), so it need not be symmetric.

use serde::Serialize;

use crate::series::Unit;
use crate::verdict::Verdict;
use crate::words::amount;

/// What became of the growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It grows less than before.
    Less,
    /// It grows more than before.
    More,
    /// Any difference is smaller than what matters.
    Same,
    /// The interval holds both.
    Unclear,
}

/// Two runs of the same thing compared. Rates are per hour; unknown is `null`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The source's name, from the run after the change.
    pub source: String,
    /// What became of the growth.
    pub change: Change,
    /// One sentence.
    pub reason: String,
    /// Slope after minus slope before, units per hour.
    pub difference_per_hour: Option<f64>,
    /// Its 95 % interval, low end.
    pub difference_low: Option<f64>,
    /// Its 95 % interval, high end.
    pub difference_high: Option<f64>,
    /// Slope after minus slope before, units per iteration, where both know their iterations.
    pub difference_per_iteration: Option<f64>,
    /// The run before the change.
    pub before: Verdict,
    /// The run after it.
    pub after: Verdict,
}

/// Compares the slopes of two verdicts over the same source; `unit` is for the sentence.
pub fn compare(before: Verdict, after: Verdict, unit: Unit) -> Comparison {
    let difference = differ(&before, &after);
    let matters = before.max_slope_per_hour.into_iter().chain(after.max_slope_per_hour).fold(0.0, f64::max);
    let change = match difference {
        None => Change::Unclear,
        Some((_, low, high)) if low >= -matters && high <= matters => Change::Same,
        Some((_, _, high)) if high < 0.0 => Change::Less,
        Some((_, low, _)) if low > 0.0 => Change::More,
        Some(_) => Change::Unclear,
    };
    let reason = sentence(change, difference, &after, unit);
    let per_iteration = after.slope_per_iteration.zip(before.slope_per_iteration);
    Comparison {
        source: after.source.clone(),
        change,
        reason,
        difference_per_hour: difference.map(|d| d.0),
        difference_low: difference.map(|d| d.1),
        difference_high: difference.map(|d| d.2),
        difference_per_iteration: per_iteration.map(|(a, b)| a - b),
        before,
        after,
    }
}

/// The difference with the ends of its interval.
fn differ(before: &Verdict, after: &Verdict) -> Option<(f64, f64, f64)> {
    let (b, b_low, b_high) = (before.slope_per_hour?, before.slope_low?, before.slope_high?);
    let (a, a_low, a_high) = (after.slope_per_hour?, after.slope_low?, after.slope_high?);
    let difference = a - b;
    Some((difference, difference - (a - a_low).hypot(b_high - b), difference + (a_high - a).hypot(b - b_low)))
}

fn sentence(change: Change, difference: Option<(f64, f64, f64)>, after: &Verdict, unit: Unit) -> String {
    let Some((difference, low, high)) = difference else {
        return "one of the two runs has too few values for a slope".to_owned();
    };
    let interval = format!("(95 %: {} to {})", amount(low, unit), amount(high, unit));
    let now = after.verdict.as_str();
    match change {
        Change::Less => format!("it grows by {}/h less than before {interval}; now: {now}", amount(-difference, unit)),
        Change::More => format!("it grows by {}/h more than before {interval}; now: {now}", amount(difference, unit)),
        Change::Same => format!("no difference that matters: {}/h {interval}; now: {now}", amount(difference, unit)),
        Change::Unclear => format!("no difference shown: {}/h {interval}; now: {now}", amount(difference, unit)),
    }
}
