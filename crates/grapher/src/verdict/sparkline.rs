//! A line of blocks that shows the shape of a series in a sentence's height.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Characters: half a line of a terminal.
const WIDTH: usize = 40;

/// The values as blocks from the least to the greatest, means of neighbours where there are more than fit.
///
/// What varies by less than `least_range` is flat: noise at full height would look like a mountain.
pub(crate) fn sparkline(values: &[f64], least_range: f64) -> String {
    let width = values.len().min(WIDTH);
    let part = |i: usize| &values[values.len() * i / width..values.len() * (i + 1) / width];
    let means: Vec<f64> = (0..width).map(|i| mean(part(i))).collect();
    let least = means.iter().copied().fold(f64::INFINITY, f64::min);
    let range = means.iter().copied().fold(f64::NEG_INFINITY, f64::max) - least;
    means.iter().map(|value| block((value - least) / range.max(least_range))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a line has few values")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The block of a height from 0 to 1; of no number the lowest.
fn block(height: f64) -> char {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates; no number becomes 0")]
    let step = (height * 8.0) as usize;
    BLOCKS[step.min(BLOCKS.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rise_rises_and_noise_does_not_look_like_a_mountain() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 1.0), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[100.0, 100.5, 99.8], 20.0), "▁▁▁");
        assert_eq!(sparkline(&[5.0, 5.0], 0.0), "▁▁");
        assert_eq!(sparkline(&[], 1.0), "");
    }

    #[test]
    fn many_values_fit_into_half_a_line() {
        let values: Vec<f64> = (0..500).map(f64::from).collect();
        let line: Vec<char> = sparkline(&values, 1.0).chars().collect();
        assert_eq!((line.len(), line[0], line[39]), (40, '▁', '█'));
    }
}
