//! Working out an expression, row by row.

use super::{Binary, Program, RpnError, Token, Unary};
use crate::graph::rows::{MOST_ROWS, Rows};
use crate::graph::vdef::Single;

/// What names stand for while a picture is made. The present is whole seconds.
pub(crate) struct Inputs<'a> {
    pub(crate) rows: &'a dyn Fn(usize) -> Option<&'a Rows>,
    pub(crate) single: &'a dyn Fn(usize) -> Option<Single>,
    pub(crate) now_s: f64,
}

/// How much may still be worked out for one picture: operators, and rows looked at by TREND and AVG.
#[derive(Debug)]
pub(crate) struct Budget(u64);

impl Default for Budget {
    /// About ten seconds of work; a picture of a million rows with ten CDEFs of ten operators takes a tenth of it.
    fn default() -> Self {
        Self(1_000_000_000)
    }
}

impl Budget {
    /// So little that a fuzzer goes on.
    pub(crate) fn small() -> Self {
        Self(100_000)
    }

    fn spend(&mut self, count: u64) -> Result<(), RpnError> {
        self.0 = self.0.checked_sub(count).ok_or(RpnError::TooMuch)?;
        Ok(())
    }
}

/// The rows of an expression: from the latest start to the earliest end of the sequences that it reads, in steps that
/// divide each of theirs.
pub(crate) fn eval(program: &Program, inputs: &Inputs<'_>, budget: &mut Budget) -> Result<Rows, RpnError> {
    let mut frame: Option<(i64, i64, i64)> = None;
    for rows in program.reads().filter_map(|index| (inputs.rows)(index)) {
        let (start, end, step) = frame.unwrap_or((rows.start_us, rows.end_us(), rows.step_us));
        frame = Some((start.max(rows.start_us), end.min(rows.end_us()), common_divisor(step, rows.step_us)));
    }
    let (start_us, end_us, step_us) = frame.ok_or(RpnError::NoRows)?;
    let count = end_us.saturating_sub(start_us) / step_us.max(1);
    if !(0..=MOST_ROWS).contains(&count) {
        return Err(RpnError::Rows { found: count });
    }
    let mut run = Run {
        program,
        inputs,
        budget,
        step_us,
        row: 0,
        now_us: start_us,
        previous: f64::NAN,
        at: 0,
        stack: Vec::new(),
    };
    let mut values = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    for row in 0..count {
        run.row = row;
        run.now_us = start_us + (row + 1) * step_us;
        run.previous = run.of_row()?;
        values.push(run.previous);
    }
    Ok(Rows { start_us, step_us, values })
}

fn common_divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

struct Run<'a, 'b> {
    program: &'b Program,
    inputs: &'b Inputs<'a>,
    budget: &'b mut Budget,
    step_us: i64,
    row: i64,
    now_us: i64,
    previous: f64,
    /// The token that is worked out.
    at: usize,
    stack: Vec<f64>,
}

impl Run<'_, '_> {
    fn of_row(&mut self) -> Result<f64, RpnError> {
        let program = self.program;
        self.budget.spend(program.tokens.len() as u64)?;
        self.stack.clear();
        for (at, token) in program.tokens.iter().enumerate() {
            self.at = at;
            self.step(*token)?;
        }
        match self.stack.as_slice() {
            [value] => Ok(*value),
            more => Err(RpnError::Left { left: more.len() }),
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[f64; N], RpnError> {
        let found = self.stack.len();
        let split = self.stack.split_last_chunk::<N>().map(|(_, values)| *values);
        let Some(values) = split else { return Err(self.underflow(found)) };
        self.stack.truncate(found - N);
        Ok(values)
    }

    fn underflow(&self, found: usize) -> RpnError {
        let operator = self.program.text.split(',').nth(self.at).unwrap_or_default();
        RpnError::Underflow { operator: operator.to_owned(), found }
    }

    #[expect(clippy::cast_precision_loss, reason = "times and row numbers that a double holds")]
    fn step(&mut self, token: Token) -> Result<(), RpnError> {
        let value = match token {
            Token::Number(value) => value,
            Token::Rows(index) => self.covering(index, 0),
            Token::PreviousOf(index) => self.covering(index, 1),
            Token::Single(index) => (self.inputs.single)(index).map_or(f64::NAN, |single| single.value),
            Token::Previous => self.previous,
            Token::Count => (self.row + 1) as f64,
            Token::Time => self.now_us as f64 / 1e6,
            Token::Now => self.inputs.now_s,
            Token::StepWidth => self.step_us as f64 / 1e6,
            Token::Unary(operator) => {
                let [value] = self.take()?;
                unary(operator, value)
            }
            Token::Binary(operator) => {
                let [left, right] = self.take()?;
                binary(operator, left, right)
            }
            Token::If => {
                let [condition, then, or_else] = self.take()?;
                if condition.is_nan() || condition == 0.0 { or_else } else { then }
            }
            Token::Limit => {
                let [value, least, most] = self.take()?;
                let inside = value >= least && value <= most;
                if inside { value } else { f64::NAN }
            }
            Token::Trend(index, skip_unknown) => {
                let [_newest, seconds] = self.take()?;
                self.trend(index, seconds, skip_unknown)?
            }
            Token::Average => self.average()?,
            Token::Duplicate => {
                let [value] = self.take()?;
                self.stack.push(value);
                value
            }
            Token::Exchange => {
                let [left, right] = self.take()?;
                self.stack.push(right);
                left
            }
            Token::Pop => {
                let [_] = self.take()?;
                return Ok(());
            }
        };
        self.stack.push(value);
        Ok(())
    }

    /// The value of the row that covers this one, or of one that lies `back` rows before it.
    fn covering(&self, index: usize, back: i64) -> f64 {
        let Some(rows) = (self.inputs.rows)(index) else { return f64::NAN };
        // Every start is a multiple of its step, so the row's end decides.
        let row = (self.now_us - rows.start_us - 1).div_euclid(rows.step_us) - back;
        usize::try_from(row).ok().and_then(|row| rows.values.get(row)).copied().unwrap_or(f64::NAN)
    }

    fn average(&mut self) -> Result<f64, RpnError> {
        let [count] = self.take()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be 1 or more; saturates"
        )]
        let wanted = if count >= 1.0 { count as usize } else { return Err(RpnError::Count { found: count }) };
        let found = self.stack.len();
        let Some(first) = found.checked_sub(wanted) else {
            return Err(self.underflow(found));
        };
        self.budget.spend(wanted as u64)?;
        Ok(mean(self.stack.drain(first..).filter(|value| !value.is_nan())))
    }

    /// The mean of the newest rows that have ended, as many as the seconds fill; unknown until there are so many.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "bounded before the cast")]
    fn trend(&mut self, index: usize, seconds: f64, skip_unknown: bool) -> Result<f64, RpnError> {
        let Some(rows) = (self.inputs.rows)(index) else { return Ok(f64::NAN) };
        // rrdtool counts whole seconds; a part of one has a meaning only where rows are parts of seconds.
        let whole = rows.step_us % 1_000_000 == 0;
        let length_us = if whole { seconds.trunc() * 1e6 } else { seconds * 1e6 };
        let wanted = (length_us / rows.step_us as f64).ceil().max(1.0);
        if seconds.is_nan() || wanted > (self.row + 1) as f64 {
            return Ok(f64::NAN);
        }
        let wanted = wanted as i64;
        self.budget.spend(wanted.unsigned_abs())?;
        let newest = (self.now_us - rows.start_us).div_euclid(rows.step_us);
        let (Ok(from), Ok(to)) = (usize::try_from(newest - wanted), usize::try_from(newest)) else {
            return Ok(f64::NAN);
        };
        let window = rows.values.get(from..to).unwrap_or_default();
        let newest_first = window.iter().rev().copied();
        Ok(if skip_unknown { mean(newest_first.filter(|value| !value.is_nan())) } else { mean(newest_first) })
    }
}

/// Unknown for no values at all.
#[expect(clippy::cast_precision_loss, reason = "a number of values")]
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { f64::NAN } else { sum / count as f64 }
}

fn unary(operator: Unary, value: f64) -> f64 {
    match operator {
        Unary::Unknown => f64::from(value.is_nan()),
        Unary::Infinite => f64::from(value.is_infinite()),
        Unary::Sin => value.sin(),
        Unary::Cos => value.cos(),
        Unary::Atan => value.atan(),
        Unary::Log => value.ln(),
        Unary::Exp => value.exp(),
        Unary::Sqrt => value.sqrt(),
        Unary::Floor => value.floor(),
        Unary::Ceil => value.ceil(),
        Unary::Abs => value.abs(),
    }
}

fn binary(operator: Binary, left: f64, right: f64) -> f64 {
    let unknown = left.is_nan() || right.is_nan();
    let compared = |is: bool| if unknown { f64::NAN } else { f64::from(is) };
    match operator {
        Binary::Add => left + right,
        Binary::Subtract => left - right,
        Binary::Multiply => left * right,
        Binary::Divide => left / right,
        Binary::Remainder => left % right,
        Binary::AddNan if left.is_nan() => right,
        Binary::AddNan if right.is_nan() => left,
        Binary::AddNan => left + right,
        Binary::Pow => left.powf(right),
        Binary::Atan2 => left.atan2(right),
        Binary::Less => compared(left < right),
        Binary::LessOrEqual => compared(left <= right),
        Binary::Greater => compared(left > right),
        Binary::GreaterOrEqual => compared(left >= right),
        Binary::Equal => compared(left == right),
        Binary::NotEqual => compared(left != right),
        Binary::Min | Binary::Max if unknown => f64::NAN,
        // f64's own leave out what is no number.
        Binary::Min | Binary::MinNan => left.min(right),
        Binary::Max | Binary::MaxNan => left.max(right),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::rpn::{Known, parse};

    const NAN: f64 = f64::NAN;

    fn known(name: &str) -> Option<Known> {
        match name {
            "a" => Some(Known::Rows(0)),
            "b" => Some(Known::Rows(1)),
            "v" => Some(Known::Single(2)),
            _ => None,
        }
    }

    /// `a`: 4 rows of 1 s; `b`: 2 rows of 2 s; `v`: 10.
    fn worked(text: &str) -> Result<Vec<f64>, RpnError> {
        let second = 1_000_000;
        let sequences = [
            Rows { start_us: 0, step_us: second, values: vec![1.0, NAN, 3.0, -4.0] },
            Rows { start_us: 0, step_us: 2 * second, values: vec![100.0, 200.0] },
        ];
        let rows = |index: usize| sequences.get(index);
        let single = |_| Some(Single { value: 10.0, when_us: None });
        let inputs = Inputs { rows: &rows, single: &single, now_s: 99.0 };
        let program = parse(text, &known)?;
        Ok(eval(&program, &inputs, &mut Budget(100_000))?.values)
    }

    #[track_caller]
    fn check(text: &str, expected: [f64; 4]) {
        let found = worked(text).unwrap();
        let same = found.len() == 4
            && found
                .iter()
                .zip(expected)
                .all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()) || *a == b);
        assert!(same, "{text}: {found:?} instead of {expected:?}");
    }

    #[test]
    fn unknown_stays_unknown_unless_it_is_asked_for() {
        check("a,2,*", [2.0, NAN, 6.0, -8.0]);
        check("a,0,GT", [1.0, NAN, 1.0, 0.0]);
        check("a,UN,0,a,IF", [1.0, 0.0, 3.0, -4.0]);
        check("a,7,8,IF", [7.0, 8.0, 7.0, 7.0]);
        check("a,0,MAX", [1.0, NAN, 3.0, 0.0]);
        check("a,0,MAXNAN", [1.0, 0.0, 3.0, 0.0]);
        check("a,5,ADDNAN", [6.0, 5.0, 8.0, 1.0]);
        check("a,0,3,LIMIT", [1.0, NAN, 3.0, NAN]);
        check("a,5,2,AVG", [3.0, 5.0, 4.0, 0.5]);
    }

    #[test]
    fn dividing_by_zero_is_infinite_or_unknown_and_no_panic() {
        check("a,0,/", [f64::INFINITY, NAN, f64::INFINITY, f64::NEG_INFINITY]);
        check("a,0,%", [NAN, NAN, NAN, NAN]);
        check("a,-3,%", [1.0, NAN, 0.0, -1.0]);
    }

    #[test]
    fn a_longer_row_holds_over_the_shorter_ones_that_it_covers() {
        check("a,POP,b", [100.0, 100.0, 200.0, 200.0]);
        check("a,POP,PREV(b)", [NAN, NAN, 100.0, 100.0]);
        check("b,a,POP,v,/", [10.0, 10.0, 20.0, 20.0]);
    }

    #[test]
    fn the_row_before_is_unknown_in_the_first() {
        check("a,POP,PREV,UN,1,PREV,2,*,IF", [1.0, 2.0, 4.0, 8.0]);
        check("PREV(a)", [NAN, 1.0, NAN, 3.0]);
    }

    #[test]
    fn a_trend_begins_late_and_an_absurd_one_never() {
        check("a,2,TREND", [NAN, NAN, NAN, -0.5]);
        check("a,2,TRENDNAN", [NAN, 1.0, 3.0, -0.5]);
        check("a,0,TREND", [1.0, NAN, 3.0, -4.0]);
        check("a,1e300,TREND", [NAN; 4]);
        check("a,INF,TRENDNAN", [NAN; 4]);
        check("a,UNKN,TRENDNAN", [NAN; 4]);
    }

    #[test]
    fn too_few_and_too_many_values_are_errors_that_name_the_operator() {
        let said = |text: &str| worked(text).unwrap_err().to_string();
        assert_eq!(said("a,+"), "+ needs more values than the 1 that stand before it");
        assert_eq!(
            said("a,POP"),
            "0 values are left at its end instead of one: combine them, or take them away by POP"
        );
        assert_eq!(said("a,a"), "2 values are left at its end instead of one: combine them, or take them away by POP");
        assert_eq!(said("a,1e30,AVG"), "AVG needs more values than the 1 that stand before it");
        assert!(said("a,0,AVG").starts_with("AVG needs the number of values before it"));
        assert!(said("a,UNKN,AVG").starts_with("AVG needs the number of values before it"));
        let long = "a,".repeat(5_000) + &"+,".repeat(4_998) + "+";
        assert_eq!(worked(&long).map(|values| values.len()), Ok(4));
        assert_eq!(
            worked(&(long.clone() + ",POP,a")).map(|values| values.len()),
            Err(RpnError::TooLong { found: 10_001 })
        );
    }

    #[test]
    fn work_without_end_is_ended() {
        let long = "a,".repeat(5_000) + &"+,".repeat(4_998) + "+";
        let program = parse(&long, &known).unwrap();
        let rows = Rows { start_us: 0, step_us: 1, values: vec![1.0; 100] };
        let inputs = Inputs { rows: &|_| Some(&rows), single: &|_| None, now_s: 0.0 };
        assert_eq!(eval(&program, &inputs, &mut Budget(50_000)), Err(RpnError::TooMuch));
    }

    proptest! {
        #[test]
        fn no_expression_panics(words in prop::collection::vec(
            prop::sample::select(vec![
                "a", "b", "v", "1", "-1e9", "0", "1e308", "UNKN", "INF", "+", "-", "*", "/", "%", "LT", "IF", "UN", "MIN",
                "LIMIT", "PREV", "PREV(b)", "AVG", "DUP", "EXC", "POP", "TREND", "TRENDNAN", "COUNT", "SQRT", "LOG",
            ]),
            0..40,
        )) {
            if let Ok(values) = worked(&words.join(",")) {
                prop_assert!(values.len() <= 4);
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            drop(worked(&text));
        }
    }
}
