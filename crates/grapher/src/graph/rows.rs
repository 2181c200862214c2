//! What a DEF or a CDEF is: values one step apart, and how several are made one.

use heapsoak_rrd::Cf;
use heapsoak_store::Take;

/// The most rows of one DEF or CDEF: 160 MB.
pub(crate) const MOST_ROWS: i64 = 20_000_000;

/// Values one step apart. Row i ends at `start_us + (i + 1) · step_us`; all three are multiples of the step. Unknown is
/// NaN here, as in rrdtool's arithmetic, and nowhere else.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rows {
    pub(crate) start_us: i64,
    pub(crate) step_us: i64,
    pub(crate) values: Vec<f64>,
}

impl Rows {
    /// The end of the last row.
    pub(crate) fn end_us(&self) -> i64 {
        self.end_of(self.values.len())
    }

    /// The end of the row before row `index`; so the end of the n-th, counted from one.
    pub(crate) fn end_of(&self, index: usize) -> i64 {
        let index = i64::try_from(index).unwrap_or(i64::MAX);
        self.start_us.saturating_add(self.step_us.saturating_mul(index))
    }
}

/// Makes rows longer as they come: several become one, until a row is as long as asked for. The new rows end at multiples of
/// their length; the first and the last are unknown where they are not whole. Unknown values do not count.
///
/// This is what rrdtool does with an archive finer than a pixel, `xff` left aside.
#[derive(Debug)]
pub(crate) struct Reducer {
    cf: Cf,
    /// The start of the rows that come, their length, and how many make one.
    start_us: i64,
    short_us: i64,
    factor: usize,
    /// Rows that came.
    taken: usize,
    /// The last of them that is known.
    newest: Option<usize>,
    /// Rows that are yet to come before the first long row begins.
    before: usize,
    open: Open,
    values: Vec<f64>,
}

/// The long row that is not whole yet.
#[derive(Debug, Default)]
struct Open {
    rows: usize,
    known: usize,
    value: f64,
}

impl Reducer {
    /// For rows of `short_us` after `start_us`, a multiple of it.
    pub(crate) fn new(start_us: i64, short_us: i64, step_us: i64, cf: Cf) -> Self {
        let factor = ((step_us - 1) / short_us + 1).max(1);
        let head = start_us.rem_euclid(short_us.saturating_mul(factor)) / short_us;
        let before = if head == 0 { 0 } else { factor - head };
        let size = |rows: i64| usize::try_from(rows).unwrap_or(usize::MAX);
        let values = if head == 0 { Vec::new() } else { vec![f64::NAN] };
        let (factor, before, open) = (size(factor), size(before), Open::default());
        Self { cf, start_us, short_us, factor, taken: 0, newest: None, before, open, values }
    }

    /// Takes rows that are unknown, as many as there may be: they cost no more than the long rows made of them.
    pub(crate) fn take_unknown(&mut self, rows: u64) {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        self.taken = self.taken.saturating_add(rows);
        let before = self.before.min(rows);
        self.before -= before;
        let rows = rows - before;
        let missing = self.factor - self.open.rows;
        if rows < missing {
            self.open.rows += rows;
            return;
        }
        self.values.push(std::mem::take(&mut self.open).consolidated(self.cf));
        let rows = rows - missing;
        self.values.resize(self.values.len() + rows / self.factor, f64::NAN);
        self.open.rows = rows % self.factor;
    }

    /// The end of the last row that is known.
    pub(crate) fn newest_us(&self) -> Option<i64> {
        let rows = i64::try_from(self.newest? + 1).unwrap_or(i64::MAX);
        Some(self.start_us.saturating_add(self.short_us.saturating_mul(rows)))
    }

    pub(crate) fn rows(self) -> Rows {
        let Self { start_us, short_us, factor, open, mut values, .. } = self;
        let step_us = short_us.saturating_mul(i64::try_from(factor).unwrap_or(i64::MAX));
        // A span within one long row has one partial row, not two.
        if open.rows > 0 || values.is_empty() {
            values.push(f64::NAN);
        }
        Rows { start_us: start_us - start_us.rem_euclid(step_us), step_us, values }
    }
}

impl Take for Reducer {
    fn take(&mut self, values: &[f64]) {
        if let Some(newest) = values.iter().rposition(|value| !value.is_nan()) {
            self.newest = Some(self.taken + newest);
        }
        self.taken += values.len();
        let before = self.before.min(values.len());
        self.before -= before;
        let mut values = &values[before..];
        while !values.is_empty() {
            let (these, others) = values.split_at(values.len().min(self.factor - self.open.rows));
            self.open.add(these, self.cf);
            if self.open.rows == self.factor {
                self.values.push(std::mem::take(&mut self.open).consolidated(self.cf));
            }
            values = others;
        }
    }
}

impl Open {
    fn add(&mut self, values: &[f64], cf: Cf) {
        self.rows += values.len();
        let so_far = (self.known > 0).then_some(self.value);
        let mut known = values.iter().copied().filter(|value| !value.is_nan());
        self.known += known.clone().count();
        self.value = match cf {
            Cf::Average => known.fold(self.value, |sum, value| sum + value),
            Cf::Min => so_far.into_iter().chain(known).reduce(f64::min).unwrap_or_default(),
            Cf::Max => so_far.into_iter().chain(known).reduce(f64::max).unwrap_or_default(),
            Cf::Last => known.next_back().or(so_far).unwrap_or_default(),
        };
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
    fn consolidated(self, cf: Cf) -> f64 {
        match cf {
            _ if self.known == 0 => f64::NAN,
            Cf::Average => self.value / self.known as f64,
            Cf::Min | Cf::Max | Cf::Last => self.value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(start: i64, short: i64, values: &[f64], to: i64, cf: Cf) -> Rows {
        let mut reducer = Reducer::new(start, short, to, cf);
        reducer.take(values);
        reducer.rows()
    }

    fn reduced(start: i64, values: &[f64], to: i64) -> (i64, i64, String) {
        let rows = made(start, 1, values, to, Cf::Average);
        (rows.start_us, rows.step_us, format!("{:?}", rows.values))
    }

    #[test]
    fn partial_rows_at_both_ends_are_unknown_and_the_others_whole() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        assert_eq!(reduced(2, &values, 3), (0, 3, "[NaN, 3.0, 6.0]".to_owned()));
        assert_eq!(reduced(3, &values, 3), (3, 3, "[2.0, 5.0, NaN]".to_owned()));
        assert_eq!(reduced(0, &values[..6], 3), (0, 3, "[2.0, 5.0]".to_owned()));
    }

    #[test]
    fn unknown_rows_do_not_make_a_long_row_unknown() {
        assert_eq!(reduced(0, &[f64::NAN, 4.0, f64::NAN, f64::NAN], 2), (0, 2, "[4.0, NaN]".to_owned()));
    }

    #[test]
    fn a_length_that_does_not_divide_is_rounded_up() {
        let rows = made(0, 7, &[1.0, 3.0], 8, Cf::Max);
        assert_eq!((rows.step_us, rows.values), (14, vec![3.0]));
    }

    #[test]
    fn rows_that_are_long_enough_stay_as_they_are() {
        for step in [0, 1, 7] {
            assert_eq!(
                made(21, 7, &[1.0, 3.0], step, Cf::Average),
                Rows { start_us: 21, step_us: 7, values: vec![1.0, 3.0] }
            );
        }
    }

    #[test]
    fn each_way_of_making_one_of_several() {
        let values = [5.0, 1.0, f64::NAN, 3.0, 2.0, f64::NAN];
        let all = [(Cf::Average, [3.0, 2.5]), (Cf::Min, [1.0, 2.0]), (Cf::Max, [5.0, 3.0]), (Cf::Last, [1.0, 2.0])];
        for (cf, expected) in all {
            assert_eq!(made(0, 1, &values, 3, cf).values, expected, "{cf}");
        }
    }

    #[test]
    fn the_newest_known_row_is_told_whatever_becomes_of_it() {
        let newest = |values: &[f64]| {
            let mut reducer = Reducer::new(4, 2, 6, Cf::Max);
            reducer.take(values);
            reducer.newest_us()
        };
        assert_eq!(newest(&[]), None);
        assert_eq!(newest(&[f64::NAN]), None);
        assert_eq!(newest(&[1.0]), Some(6));
        assert_eq!(newest(&[1.0, 2.0, f64::NAN, 3.0, f64::NAN]), Some(12));
    }

    #[test]
    fn unknown_rows_by_their_number_are_those_rows() {
        let values = [1.0, 2.0, 4.0, 8.0, 16.0];
        for (start, before, after, step) in (0..3000).map(|i: i64| (i % 5, i / 5 % 10, i / 50 % 12, i / 600 + 1)) {
            let [mut counted, mut taken] = [0; 2].map(|_| Reducer::new(start, 1, step, Cf::Average));
            let nan = |rows: i64| vec![f64::NAN; usize::try_from(rows).unwrap()];
            counted.take_unknown(before.unsigned_abs());
            taken.take(&nan(before));
            counted.take(&values);
            taken.take(&values);
            counted.take_unknown(after.unsigned_abs());
            taken.take(&nan(after));
            assert_eq!(counted.newest_us(), taken.newest_us());
            let [counted, taken] = [counted, taken].map(|reducer| format!("{:?}", reducer.rows()));
            assert_eq!(counted, taken, "{start} {before} {after} {step}");
        }
    }

    #[test]
    fn fifty_years_of_seconds_are_as_many_rows_as_pixels() {
        let mut reducer = Reducer::new(0, 1, 2_000_000, Cf::Average);
        reducer.take_unknown(1_600_000_000);
        reducer.take(&[7.0; 2_000_000]);
        let rows = reducer.rows();
        assert_eq!((rows.values.len(), rows.values[800]), (801, 7.0));
    }

    #[test]
    fn less_than_one_long_row_is_one_unknown_row() {
        assert_eq!(reduced(4, &[1.0, 2.0], 10), (0, 10, "[NaN]".to_owned()));
        assert_eq!(reduced(8, &[1.0, 2.0, 3.0], 10), (0, 10, "[NaN, NaN]".to_owned()));
        assert_eq!(reduced(4, &[], 10), (0, 10, "[NaN]".to_owned()));
    }
}
