//! A verdict, or a comparison of two, in words: what every format for people and for build servers is made from.

use heapsoak_cli::size::format_size;
use heapsoak_judge::Judged;
use heapsoak_verdict::{Basis, Change, Comparison, Shape, Unit, Verdict, Word};

use super::sparkline::sparkline;
use crate::notice::clock_time;

/// What is said of one source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) source: String,
    pub(crate) word: Word,
    /// Its word is that of the store.
    pub(crate) decides: bool,
    /// A leak of it is a failure.
    pub(crate) counts: bool,
    /// The word, and what makes it weaker.
    pub(crate) title: String,
    /// Units per hour with their interval; empty where it is not known.
    pub(crate) rate: String,
    /// Why, one sentence.
    pub(crate) reason: String,
    /// Lines of figures.
    pub(crate) figures: Vec<String>,
    /// What to do, one sentence; empty for nothing.
    pub(crate) advice: String,
}

impl Finding {
    /// It makes the whole a leak.
    pub(crate) fn is_failure(&self) -> bool {
        self.word == Word::Leak && self.counts
    }
}

/// What is said of one verdict; times of day are those of today's date unless they say another.
pub(crate) fn of_verdict(judged: &Judged, now_us: i64) -> Finding {
    let verdict = &judged.verdict;
    let figures = [
        Some(shape_line(judged, now_us)),
        verdict.onset.filter(|_| verdict.verdict == Word::Leak).map(|onset| format!("since {}", clock(onset, now_us))),
        per_iteration(judged),
        limit(judged, now_us),
    ];
    Finding {
        source: verdict.source.clone(),
        word: verdict.verdict,
        decides: judged.decides,
        counts: judged.counts(),
        title: title(judged),
        rate: rate(verdict, judged.unit),
        // The title says so already.
        reason: sentence(verdict.reason.strip_prefix("suspect: ").unwrap_or(&verdict.reason)),
        figures: figures.into_iter().flatten().filter(|line| !line.is_empty()).collect(),
        advice: if verdict.verdict == Word::Steady { String::new() } else { sentence(&verdict.advice) },
    }
}

/// What is said of two runs compared. Its word is [`word_of`] it.
pub(crate) fn of_comparison(comparison: &Comparison, after: &Judged, unit: Unit, now_us: i64) -> Finding {
    let run = |name: &str, verdict: &Verdict| {
        let line = shape_line(&Judged { verdict: verdict.clone(), ..after.clone() }, now_us);
        let rate = rate(verdict, unit);
        let rate = if rate.is_empty() { rate } else { format!(": {rate}") };
        format!("{name} {}{rate} {line}", verdict.verdict.as_str())
    };
    let per_iteration = comparison.difference_per_iteration;
    let mut figures = vec![run("before:", &comparison.before), run("after: ", &comparison.after)];
    figures.extend(per_iteration.map(|d| format!("per iteration: {} of difference", amount(d, unit))));
    Finding {
        source: comparison.source.clone(),
        word: word_of(comparison),
        decides: after.decides,
        counts: after.counts(),
        title: match comparison.change {
            Change::Less => "grows less than before",
            Change::More => "grows more than before",
            Change::Same => "no difference that matters",
            Change::Unclear => "no difference shown",
        }
        .to_owned(),
        rate: match (comparison.difference_per_hour, comparison.difference_low, comparison.difference_high) {
            (Some(slope), Some(low), Some(high)) => rate_text(slope, low, high, unit),
            _ => String::new(),
        },
        reason: sentence(&comparison.reason),
        figures,
        advice: match word_of(comparison) {
            Word::Steady => String::new(),
            _ => sentence(&comparison.after.advice),
        },
    }
}

/// Did the change leave a leak? The run after it says; where that is undecided the difference does.
pub(crate) fn word_of(comparison: &Comparison) -> Word {
    match (comparison.after.verdict, comparison.change) {
        (Word::Undecided, Change::Less) => Word::Steady,
        (Word::Undecided, Change::More) => Word::Leak,
        (word, _) => word,
    }
}

fn title(judged: &Judged) -> String {
    let verdict = &judged.verdict;
    let mut title = verdict.verdict.as_str().to_owned();
    if verdict.is_suspect {
        title.push_str(", suspect");
    }
    if verdict.is_early {
        title.push_str(", early");
    }
    let is_failure = verdict.verdict == Word::Leak && judged.counts();
    if !judged.decides && !is_failure {
        title.push_str(" (does not decide)");
    }
    title
}

/// The floors as a line, from when to when, and what they are.
fn shape_line(judged: &Judged, now_us: i64) -> String {
    let verdict = &judged.verdict;
    let (Some(from), Some(to)) = (verdict.from, verdict.to) else { return String::new() };
    let values: Vec<f64> = verdict.floors.iter().map(|floor| floor.1).collect();
    let (first, last) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(0.0));
    // Growth that does not matter over the time observed is drawn flat.
    let matters = verdict.max_slope_per_hour.unwrap_or(0.0) / 3600.0 * (to - from);
    let shape = match verdict.shape {
        Some(Shape::Flat) => "flat, ",
        Some(Shape::Linear) => "linear, ",
        Some(Shape::Step) => "a step, ",
        Some(Shape::Settling) => "settling, ",
        Some(Shape::Slowing) => "slowing, ",
        Some(Shape::Noisy) => "uneven, ",
        None => "",
    };
    let basis = match verdict.basis {
        Some(Basis::NaturalGc) => "sizes after the program's own full collections",
        Some(Basis::CheckpointGc) => "sizes after full collections asked for",
        Some(Basis::Raw) => "lows of samples, garbage among them",
        Some(Basis::Blocks) | None => "lows of samples",
    };
    format!(
        "{} {} to {}, {} to {} ({shape}{} {basis})",
        sparkline(&values, matters),
        amount(first, judged.unit),
        amount(last, judged.unit),
        clock(from, now_us),
        clock_time(micros(to), micros(from)),
        verdict.n,
    )
}

/// A leak, or what may be one.
fn is_rising(verdict: &Verdict) -> bool {
    verdict.verdict == Word::Leak || verdict.is_suspect
}

fn per_iteration(judged: &Judged) -> Option<String> {
    if judged.verdict.verdict == Word::Steady {
        return None;
    }
    let (slope, iterations) = (judged.verdict.slope_per_iteration?, judged.verdict.iterations?);
    Some(format!("{} per iteration, over {iterations:.0} iterations", amount(slope, judged.unit)))
}

fn limit(judged: &Judged, now_us: i64) -> Option<String> {
    let verdict = &judged.verdict;
    let limit = verdict.limit.filter(|_| is_rising(verdict))?;
    let gives_up = verdict.limit_from.filter(|from| *from < limit);
    let gives_up =
        gives_up.map_or_else(String::new, |from| format!(", V8 may give up from {} on", amount(from, judged.unit)));
    let at = format!("{}{gives_up}", amount(limit, judged.unit));
    if verdict.is_limit_beyond {
        return Some(format!("limit {at}: farther away than 30 times what was observed, too far for a date"));
    }
    let (reached, low) = (verdict.limit_reached_in_s?, verdict.limit_low_s?);
    let until = |high: Option<f64>| high.map_or_else(|| "perhaps never".to_owned(), span);
    let surer =
        verdict.limit_80_s.map_or_else(String::new, |(low, high)| format!("; 80 %: {} to {}", span(low), until(high)));
    let when = verdict.to.map_or_else(String::new, |to| format!(", at {}", clock(to + reached, now_us)));
    let within = format!("95 %: {} to {}{surer}", span(low), until(verdict.limit_high_s));
    Some(format!("limit {at}: reached in {}{when} ({within})", span(reached)))
}

/// The rate with its interval, for a table; empty where it is not known.
fn rate(verdict: &Verdict, unit: Unit) -> String {
    match (verdict.slope_per_hour, verdict.slope_low, verdict.slope_high) {
        (Some(slope), Some(low), Some(high)) => rate_text(slope, low, high, unit),
        _ => String::new(),
    }
}

fn rate_text(slope: f64, low: f64, high: f64, unit: Unit) -> String {
    format!("{}/h (95 %: {} to {})", amount(slope, unit), amount(low, unit), amount(high, unit))
}

/// Bytes with a unit, things as they are.
fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Bytes if (0.05..9.95).contains(&value.abs()) => format!("{value:.1} B"),
        Unit::Bytes => format_size(value),
        Unit::Count if value.fract() == 0.0 => format!("{value:.0}"),
        Unit::Count => format!("{value:.1}"),
    }
}

fn span(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86_400.0),
    }
}

fn clock(time: f64, now_us: i64) -> String {
    clock_time(micros(time), now_us)
}

#[expect(clippy::cast_possible_truncation, reason = "it saturates")]
fn micros(time: f64) -> i64 {
    (time * 1e6) as i64
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let Some(first) = rest.next() else { return String::new() };
    format!("{}{}.", first.to_uppercase(), rest.as_str())
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// A finding about a source of this name.
    pub(crate) fn finding(source: &str, word: Word) -> Finding {
        Finding {
            source: source.to_owned(),
            word,
            decides: true,
            counts: true,
            title: word.as_str().to_owned(),
            rate: "1.00 MiB/h".to_owned(),
            reason: "It grows.".to_owned(),
            figures: vec!["1 to 2".to_owned()],
            advice: "Look.".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_the_unit_that_reads_well() {
        assert_eq!(amount(3.06, Unit::Bytes), "3.1 B");
        assert_eq!(amount(1_572_864.0, Unit::Bytes), "1.50 MiB");
        assert_eq!(amount(-12.0, Unit::Count), "-12");
        assert_eq!([span(90.0), span(600.0), span(9000.0), span(400_000.0)], ["90 s", "10 min", "2.5 h", "4.6 days"]);
        assert_eq!(sentence("it grows"), "It grows.");
    }
}
