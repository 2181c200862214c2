//! What a DEF or a CDEF is: values one step apart, and how several are made one.

use heapsoak_rrd::Cf;

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

    /// Several rows become one, until a row is as long as `step_us` at least. The new rows end at multiples of their
    /// length; the first and the last are unknown where they are not whole. Unknown values do not count.
    ///
    /// This is what rrdtool does with an archive finer than a pixel, `xff` left aside.
    pub(crate) fn reduced(self, step_us: i64, cf: Cf) -> Self {
        if self.step_us >= step_us {
            return self;
        }
        let factor = (step_us - 1) / self.step_us + 1;
        let long_us = self.step_us.saturating_mul(factor);
        let (head_us, tail_us) = (self.start_us.rem_euclid(long_us), self.end_us().rem_euclid(long_us));
        let skipped = if head_us == 0 { 0 } else { factor - head_us / self.step_us };
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX).min(self.values.len());
        let factor = usize::try_from(factor).unwrap_or(usize::MAX);
        let mut values = Vec::new();
        if head_us != 0 {
            values.push(f64::NAN);
        }
        let whole = self.values[skipped..].chunks(factor).filter(|chunk| chunk.len() == factor);
        values.extend(whole.map(|chunk| consolidated(chunk, cf)));
        // A span within one long row has one partial row, not two.
        if tail_us != 0 && self.end_us() > self.start_us - head_us + long_us || values.is_empty() {
            values.push(f64::NAN);
        }
        Self { start_us: self.start_us - head_us, step_us: long_us, values }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of rows")]
fn consolidated(values: &[f64], cf: Cf) -> f64 {
    let mut known = values.iter().copied().filter(|value| !value.is_nan());
    let Some(first) = known.clone().next() else { return f64::NAN };
    match cf {
        Cf::Average => {
            let (sum, count) = known.skip(1).fold((first, 1_usize), |(sum, count), value| (sum + value, count + 1));
            sum / count as f64
        }
        Cf::Min => known.fold(first, f64::min),
        Cf::Max => known.fold(first, f64::max),
        Cf::Last => known.next_back().unwrap_or(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reduced(start: i64, values: &[f64], to: i64) -> (i64, i64, String) {
        let rows = Rows { start_us: start, step_us: 1, values: values.to_vec() }.reduced(to, Cf::Average);
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
        let rows = Rows { start_us: 0, step_us: 7, values: vec![1.0, 3.0] }.reduced(8, Cf::Max);
        assert_eq!((rows.step_us, rows.values), (14, vec![3.0]));
    }

    #[test]
    fn less_than_one_long_row_is_one_unknown_row() {
        assert_eq!(reduced(4, &[1.0, 2.0], 10), (0, 10, "[NaN]".to_owned()));
        assert_eq!(reduced(8, &[1.0, 2.0, 3.0], 10), (0, 10, "[NaN, NaN]".to_owned()));
        assert_eq!(reduced(4, &[], 10), (0, 10, "[NaN]".to_owned()));
    }
}
