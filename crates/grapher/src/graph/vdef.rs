//! VDEF: one value, and sometimes one time, of a whole sequence of rows.
//!
//! All rows count that were fetched for the picture, also those that reach beyond its ends, as with rrdtool. Slopes are
//! per row, so a slope's unit changes with the picture's width: that too is rrdtool's.

use super::rows::Rows;

/// What is made of the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Function {
    Average,
    Minimum,
    Maximum,
    Last,
    First,
    Total,
    StDev,
    /// The value below which so many of a hundred lie; unknown counts as the smallest.
    Percent(f64),
    /// The same among known values.
    PercentNan(f64),
    LslSlope,
    LslInt,
    LslCorrel,
}

/// The value of a VDEF, and when it was, where that has a meaning. NaN is unknown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Single {
    pub(crate) value: f64,
    pub(crate) when_us: Option<i64>,
}

/// Reads what follows the name: `AVERAGE`, or `95,PERCENT`.
pub(crate) fn function(text: &str) -> Result<Function, String> {
    let (parameter, name) = match text.rsplit_once(',') {
        Some((parameter, name)) => (Some(parameter), name),
        None => (None, text),
    };
    let without = match name {
        "AVERAGE" => Some(Function::Average),
        "MINIMUM" => Some(Function::Minimum),
        "MAXIMUM" => Some(Function::Maximum),
        "LAST" => Some(Function::Last),
        "FIRST" => Some(Function::First),
        "TOTAL" => Some(Function::Total),
        "STDEV" => Some(Function::StDev),
        "LSLSLOPE" => Some(Function::LslSlope),
        "LSLINT" => Some(Function::LslInt),
        "LSLCORREL" => Some(Function::LslCorrel),
        _ => None,
    };
    match (without, parameter) {
        (Some(function), None) => return Ok(function),
        (Some(_), Some(_)) => return Err(format!("{name} takes no number before it: leave it out")),
        (None, _) => {}
    }
    let percent: fn(f64) -> Function = match name {
        "PERCENT" => Function::Percent,
        "PERCENTNAN" => Function::PercentNan,
        _ => {
            return Err(format!(
                "{name} is no function of a VDEF: use AVERAGE, MINIMUM, MAXIMUM, LAST, FIRST, TOTAL, STDEV, PERCENT, \
                 PERCENTNAN, LSLSLOPE, LSLINT or LSLCORREL"
            ));
        }
    };
    let parameter = parameter.unwrap_or_default();
    match super::words::number(parameter).filter(|value| (0.0..=100.0).contains(value)) {
        Some(value) => Ok(percent(value)),
        None => Err(format!("{name} needs a number from 0 to 100 before it, as in 95,{name}, not `{parameter}`")),
    }
}

/// The value of `function` over all rows.
pub(crate) fn value(function: Function, rows: &Rows) -> Single {
    let at = |found: Option<(usize, f64)>| match found {
        Some((index, value)) => Single { value, when_us: Some(rows.end_of(index + 1)) },
        None => Single { value: f64::NAN, when_us: None },
    };
    let known = || rows.values.iter().copied().enumerate().filter(|(_, value)| !value.is_nan());
    let timeless = |value: f64| Single { value, when_us: None };
    match function {
        Function::Minimum => at(extreme(known(), |value, best| value < best)),
        Function::Maximum => at(extreme(known(), |value, best| value > best)),
        Function::Last => at(known().next_back()),
        // Its time is the row's beginning, where all others have the row's end.
        Function::First => match known().next() {
            Some((index, value)) => Single { value, when_us: Some(rows.end_of(index)) },
            None => at(None),
        },
        Function::Average | Function::Total | Function::StDev => timeless(moment(function, rows)),
        Function::Percent(share) => timeless(percentile(rows.values.clone(), share)),
        Function::PercentNan(share) => timeless(percentile(known().map(|(_, value)| value).collect(), share)),
        Function::LslSlope | Function::LslInt | Function::LslCorrel => timeless(line(function, &rows.values)),
    }
}

/// The first known value, or a later finite one that beats it.
fn extreme(mut known: impl Iterator<Item = (usize, f64)>, beats: impl Fn(f64, f64) -> bool) -> Option<(usize, f64)> {
    let first = known.next()?;
    let better = |best: (usize, f64), (index, value): (usize, f64)| {
        if value.is_finite() && beats(value, best.1) { (index, value) } else { best }
    };
    Some(known.fold(first, better))
}

#[expect(clippy::cast_precision_loss, reason = "a number of rows; a step in microseconds")]
fn moment(function: Function, rows: &Rows) -> f64 {
    let finite = || rows.values.iter().copied().filter(|value| value.is_finite());
    let (sum, count) = finite().fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    if count == 0 {
        return f64::NAN;
    }
    let average = sum / count as f64;
    match function {
        Function::Total => sum * (rows.step_us as f64 / 1e6),
        Function::StDev => {
            let squares = finite().fold(0.0, |squares, value| squares + (value - average) * (value - average));
            (squares / count as f64).sqrt()
        }
        _ => average,
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index among the values"
)]
fn percentile(mut values: Vec<f64>, share: f64) -> f64 {
    // Unknown is the smallest, whatever the sign bit of a NaN says.
    let order = |a: &f64, b: &f64| b.is_nan().cmp(&a.is_nan()).then(a.total_cmp(b));
    values.sort_unstable_by(order);
    let field = (share * values.len().saturating_sub(1) as f64 / 100.0).round();
    values.get(field as usize).copied().unwrap_or(f64::NAN)
}

/// The least-squares line through the finite values, the row's number as x, from 0.
#[expect(clippy::cast_precision_loss, reason = "a number of rows")]
fn line(function: Function, values: &[f64]) -> f64 {
    let (mut count, mut x1, mut x2, mut xy, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for (index, &y) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        let x = index as f64;
        count += 1.0;
        x1 += x;
        x2 += x * x;
        xy += x * y;
        y1 += y;
        y2 += y * y;
    }
    if count == 0.0 {
        return f64::NAN;
    }
    let slope = (x1 * y1 - count * xy) / (x1 * x1 - count * x2);
    match function {
        Function::LslSlope => slope,
        Function::LslInt => (y1 - slope * x1) / count,
        _ => (xy - x1 * y1 / count) / ((x2 - x1 * x1 / count) * (y2 - y1 * y1 / count)).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f64 = f64::NAN;

    fn of(text: &str, values: &[f64]) -> Single {
        let rows = Rows { start_us: 10, step_us: 2, values: values.to_vec() };
        value(function(text).unwrap(), &rows)
    }

    #[test]
    fn unknown_rows_are_left_out_but_by_percent() {
        let values = [NAN, 1.0, NAN, 3.0];
        assert_eq!(of("AVERAGE", &values).value, 2.0);
        assert_eq!(of("FIRST", &values), Single { value: 1.0, when_us: Some(12) });
        assert_eq!(of("LAST", &values), Single { value: 3.0, when_us: Some(18) });
        assert!(of("34,PERCENT", &values).value.is_nan());
        assert_eq!(of("0,PERCENTNAN", &values).value, 1.0);
        assert_eq!(of("100,PERCENT", &[-NAN, 5.0, NAN]).value, 5.0);
    }

    #[test]
    fn nothing_known_is_unknown_and_never_zero() {
        for text in ["AVERAGE", "TOTAL", "MAXIMUM", "LAST", "50,PERCENT", "50,PERCENTNAN", "LSLSLOPE", "STDEV"] {
            for values in [&[][..], &[NAN, NAN]] {
                assert!(of(text, values).value.is_nan(), "{text}");
            }
        }
    }

    #[test]
    fn a_line_is_found_through_a_gap() {
        let values = [7.0, 9.0, NAN, 13.0];
        assert_eq!(of("LSLSLOPE", &values).value, 2.0);
        assert_eq!(of("LSLINT", &values).value, 7.0);
        assert!((of("LSLCORREL", &values).value - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_function_that_is_none_is_named_with_those_that_are() {
        assert!(function("MEDIAN").unwrap_err().starts_with("MEDIAN is no function of a VDEF: use AVERAGE"));
        assert!(function("95,AVERAGE").is_err());
        for wrong in ["PERCENT", "101,PERCENT", "-1,PERCENT", "nan,PERCENT", "x,PERCENT", "5,5,PERCENT", "", ","] {
            assert!(function(wrong).is_err(), "{wrong}");
        }
    }
}
