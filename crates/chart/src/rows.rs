//! From points to what a picture needs of them: the numbers, the gaps, and runs
//! of known values thinned to one node per pixel column, whose lowest and
//! highest values are kept so that no peak vanishes.

use crate::{Join, Point, Series};

/// Values beyond this are not drawn: sums of them are no longer numbers.
const MOST: f64 = 1e300;

/// A known row, cut to the picture's span.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    start: f64,
    end: f64,
    value: f64,
    low: f64,
    high: f64,
}

impl Row {
    fn is_drawn(&self) -> bool {
        [self.value, self.low, self.high].into_iter().all(|value| value.abs() <= MOST)
    }
}

/// The numbers of a series within the picture's span.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numbers {
    /// The last known value.
    pub now: f64,
    /// The lowest value of the band.
    pub min: f64,
    /// The mean of the known values.
    pub average: f64,
    /// The highest value of the band.
    pub max: f64,
}

/// The numbers of a series between two times; `None`: nothing is known there.
#[must_use]
pub fn numbers(series: &Series, from: f64, to: f64) -> Option<Numbers> {
    survey(series, from, to).numbers
}

/// What one look at all points of a series tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Survey {
    pub(crate) row_width: f64,
    /// `None`: nothing is known in this span.
    pub(crate) numbers: Option<Numbers>,
    /// The least and the greatest of what is drawn.
    pub(crate) range: Option<(f64, f64)>,
    /// Whether there are values that are too large to be drawn.
    pub(crate) beyond: bool,
    /// Spans between known values in which nothing is known.
    pub(crate) gaps: Vec<(f64, f64)>,
    /// From the start of the first to the end of the last known row.
    pub(crate) known: Option<(f64, f64)>,
}

/// One or several rows that fall on one pixel column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Node {
    pub(crate) start: f64,
    pub(crate) end: f64,
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Where the value begins: 0 unless stacked.
    pub(crate) base: f64,
    rows: f64,
    column: f64,
}

impl Node {
    pub(crate) fn middle(&self) -> f64 {
        self.start + (self.end - self.start) / 2.0
    }
}

fn number(value: Option<f64>) -> Option<f64> {
    value.filter(|value| !value.is_nan())
}

/// The mean of `count` values from that of those before and the last of them.
fn mean(before: f64, value: f64, count: f64) -> f64 {
    if before.is_infinite() || value.is_infinite() {
        before + value
    } else if (value - before).is_infinite() {
        before + (value / count - before / count)
    } else {
        before + (value - before) / count
    }
}

fn row_width(series: &Series) -> f64 {
    if series.row_width.is_finite() && series.row_width > 0.0 {
        return series.row_width;
    }
    let smallest = series
        .points
        .windows(2)
        .map(|pair| pair[1].time - pair[0].time)
        .filter(|distance| *distance > 0.0)
        .fold(f64::INFINITY, f64::min);
    if smallest.is_finite() { smallest } else { 0.0 }
}

/// The known rows that touch the span, ascending; what is out of order is skipped.
fn rows(series: &Series, width: f64, from: f64, to: f64) -> impl Iterator<Item = Row> + '_ {
    let through = series.join == Join::Through;
    let mut last = f64::NEG_INFINITY;
    series.points.iter().filter_map(move |point: &Point| {
        let time = point.time;
        // Not `<=`: a time that is no number compares as neither.
        if !(time > last && time.is_finite()) {
            return None;
        }
        let begin = if through { time } else { (time - width).max(last) };
        last = time;
        if time < from || begin > to || (time == from && begin < from) {
            return None;
        }
        let value = number(point.value)?;
        let low = number(point.low).map_or(value, |low| low.min(value));
        let high = number(point.high).map_or(value, |high| high.max(value));
        Some(Row { start: begin.max(from), end: time.min(to), value, low, high })
    })
}

/// One pass over all points.
pub(crate) fn survey(series: &Series, from: f64, to: f64) -> Survey {
    let width = row_width(series);
    let mut found =
        Survey { row_width: width, numbers: None, range: None, beyond: false, gaps: Vec::new(), known: None };
    let mut count = 0.0;
    for row in rows(series, width, from, to) {
        count += 1.0;
        if row.is_drawn() {
            let (low, high) = found.range.unwrap_or((row.low, row.high));
            found.range = Some((low.min(row.low), high.max(row.high)));
        } else {
            found.beyond = true;
        }
        match &mut found.numbers {
            None => {
                let Row { value, low, high, .. } = row;
                found.numbers = Some(Numbers { now: value, min: low, average: value, max: high });
            }
            Some(numbers) => {
                numbers.now = row.value;
                numbers.min = numbers.min.min(row.low);
                numbers.max = numbers.max.max(row.high);
                numbers.average = mean(numbers.average, row.value, count);
            }
        }
        let first = match found.known {
            None => row.start,
            Some((first, end)) => {
                if series.join != Join::Through && row.start - end > width * 0.5 {
                    found.gaps.push((end, row.start));
                }
                first
            }
        };
        found.known = Some((first, row.end));
    }
    found
}

/// Runs of neighbouring known values, at most one node per column and run. Two
/// runs are apart by at least half a row and a whole column.
pub(crate) fn runs(series: &Series, width: f64, span: (f64, f64), columns: f64) -> Vec<Vec<Node>> {
    let (from, to) = span;
    let per_column = (to - from) / columns.max(1.0);
    let apart = (width * 0.5).max(per_column);
    let mut runs: Vec<Vec<Node>> = Vec::new();
    for row in rows(series, width, from, to).filter(Row::is_drawn) {
        let joins = runs
            .last()
            .and_then(|run| run.last())
            .is_some_and(|node| series.join == Join::Through || row.start - node.end <= apart);
        if !joins {
            runs.push(Vec::new());
        }
        let Some(run) = runs.last_mut() else { continue };
        let column = ((row.start + (row.end - row.start) / 2.0 - from) / per_column).floor();
        match run.last_mut() {
            Some(node) if node.column == column => {
                node.rows += 1.0;
                node.value += (row.value - node.value) / node.rows;
                node.low = node.low.min(row.low);
                node.high = node.high.max(row.high);
                node.end = row.end;
            }
            _ => run.push(Node {
                start: row.start,
                end: row.end,
                value: row.value,
                low: row.low,
                high: row.high,
                base: 0.0,
                rows: 1.0,
                column,
            }),
        }
    }
    runs
}

/// Lays the runs of a stacked series on those below it: where nothing is known
/// below, on zero.
pub(crate) fn stack(runs: &mut [Vec<Node>], below: &[Vec<Node>]) {
    let mut under = below.iter().flatten().peekable();
    for node in runs.iter_mut().flatten() {
        let middle = node.middle();
        while under.next_if(|candidate| candidate.end < middle).is_some() {}
        let base = under.peek().filter(|candidate| candidate.start <= middle).map_or(0.0, |candidate| candidate.value);
        node.base = base;
        node.value += base;
        node.low += base;
        node.high += base;
    }
}

/// What the next stacked series lies on: these runs, and what is below them where they are unknown.
pub(crate) fn over(runs: Vec<Vec<Node>>, below: Vec<Vec<Node>>) -> Vec<Vec<Node>> {
    let mut above = runs.iter().flatten().peekable();
    let mut merged: Vec<Node> = below.into_iter().flatten().collect();
    merged.retain(|node| {
        let middle = node.middle();
        while above.next_if(|candidate| candidate.end < middle).is_some() {}
        above.peek().is_none_or(|candidate| candidate.start > middle)
    });
    merged.extend(runs.into_iter().flatten());
    merged.sort_by(|a, b| a.start.total_cmp(&b.start));
    vec![merged]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: &[(f64, Option<f64>)]) -> Series {
        Series::area("s", points.iter().map(|&(time, value)| Point::new(time, value)).collect(), 1.0)
    }

    #[test]
    fn an_unknown_row_and_a_row_left_out_are_the_same_gap() {
        let told = series(&[(1.0, Some(1.0)), (2.0, None), (3.0, Some(1.0))]);
        let left_out = series(&[(1.0, Some(1.0)), (3.0, Some(1.0))]);
        for series in [told, left_out] {
            assert_eq!(survey(&series, 0.0, 4.0).gaps, [(1.0, 2.0)]);
            assert_eq!(runs(&series, 1.0, (0.0, 4.0), 400.0).len(), 2);
        }
    }

    #[test]
    fn a_peak_of_one_row_in_a_million_survives_thinning() {
        let mut points: Vec<Point> = (1..=1_000_000).map(|i| Point::new(f64::from(i), Some(1.0))).collect();
        points[777_777].value = Some(99.0);
        points[123_456].value = Some(-99.0);
        let series = Series::area("s", points, 1.0);
        let runs = runs(&series, 1.0, (0.0, 1e6), 800.0);
        assert_eq!(runs.len(), 1);
        assert!(runs[0].len() <= 801, "{}", runs[0].len());
        assert_eq!(runs[0].iter().filter(|node| node.high == 99.0).count(), 1);
        assert_eq!(runs[0].iter().filter(|node| node.low == -99.0).count(), 1);
    }

    #[test]
    fn a_million_gaps_do_not_become_a_million_strokes() {
        let points = (1..=100_000).map(|i| Point::new(f64::from(i), (i % 2 == 0).then_some(1.0))).collect();
        let series = Series::area("s", points, 1.0);
        assert_eq!(survey(&series, 0.0, 1e5).gaps.len(), 49_999);
        assert!(runs(&series, 1.0, (0.0, 1e5), 800.0).iter().flatten().count() <= 801);
    }

    #[test]
    fn what_is_no_number_is_unknown_and_what_is_too_large_is_not_drawn() {
        let series = series(&[
            (f64::NAN, Some(5.0)),
            (1.0, Some(f64::NAN)),
            (2.0, Some(f64::INFINITY)),
            (3.0, Some(f64::MAX)),
            (4.0, Some(2.0)),
            (4.0, Some(9.0)),
            (3.5, Some(9.0)),
            (f64::INFINITY, Some(9.0)),
        ]);
        let found = survey(&series, 0.0, 10.0);
        let numbers = Numbers { now: 2.0, min: 2.0, average: f64::INFINITY, max: f64::INFINITY };
        assert_eq!((found.numbers, found.range, found.beyond), (Some(numbers), Some((2.0, 2.0)), true));
        assert_eq!(runs(&series, 1.0, (0.0, 10.0), 100.0).iter().flatten().count(), 1);
    }

    #[test]
    fn rows_outside_the_span_do_not_count() {
        let series = series(&[(9.0, Some(7.0)), (10.0, Some(7.0)), (11.0, Some(1.0)), (12.5, Some(9.0))]);
        let found = survey(&series, 10.0, 11.0);
        assert_eq!(found.numbers.map(|n| (n.min, n.max)), Some((1.0, 1.0)));
        assert_eq!(found.known, Some((10.0, 11.0)));
    }

    #[test]
    fn a_stack_lies_on_what_is_below_it() {
        let below = runs(&series(&[(1.0, Some(10.0)), (2.0, Some(20.0))]), 1.0, (0.0, 3.0), 300.0);
        let mut above = runs(&series(&[(1.0, Some(1.0)), (2.0, Some(2.0)), (3.0, Some(3.0))]), 1.0, (0.0, 3.0), 300.0);
        stack(&mut above, &below);
        let tops: Vec<(f64, f64)> = above[0].iter().map(|node| (node.base, node.value)).collect();
        assert_eq!(tops, [(10.0, 11.0), (20.0, 22.0), (0.0, 3.0)]);
    }

    #[test]
    fn what_lies_on_an_unknown_row_falls_to_the_one_below_it_and_not_to_zero() {
        let of = |points: &[(f64, Option<f64>)]| runs(&series(points), 1.0, (0.0, 3.0), 300.0);
        let lowest = of(&[(1.0, Some(10.0)), (2.0, Some(20.0)), (3.0, Some(30.0))]);
        let mut middle = of(&[(1.0, Some(1.0)), (2.0, None), (3.0, Some(3.0))]);
        stack(&mut middle, &lowest);
        let mut top = of(&[(1.0, Some(1.0)), (2.0, Some(1.0)), (3.0, Some(1.0))]);
        stack(&mut top, &over(middle, lowest));
        let bases: Vec<f64> = top[0].iter().map(|node| node.base).collect();
        assert_eq!(bases, [11.0, 20.0, 33.0]);
    }
}
