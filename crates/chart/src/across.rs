//! What the horizontal axis counts, where it is not the time of day: time since a
//! start, or iterations.

use crate::time::{TimeAxis, TimeTick, time_axis};
use crate::value::texts_of;
use crate::{Picture, Unit};

/// What the horizontal axis of a picture counts. All times of the picture are in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Across {
    /// Unix seconds, labelled in the picture's zone.
    #[default]
    Clock,
    /// Seconds since something began.
    Elapsed,
    /// Things of this name: iterations.
    Count(String),
}

/// Distances of ticks in seconds, each with the one of the small ticks between.
const STEPS: [(f64, f64); 29] = [
    (0.01, 0.005),
    (0.02, 0.01),
    (0.05, 0.01),
    (0.1, 0.05),
    (0.2, 0.1),
    (0.5, 0.1),
    (1.0, 0.5),
    (2.0, 1.0),
    (5.0, 1.0),
    (10.0, 5.0),
    (15.0, 5.0),
    (30.0, 10.0),
    (60.0, 30.0),
    (120.0, 60.0),
    (300.0, 60.0),
    (600.0, 300.0),
    (900.0, 300.0),
    (1_800.0, 600.0),
    (3_600.0, 1_800.0),
    (7_200.0, 3_600.0),
    (10_800.0, 3_600.0),
    (21_600.0, 10_800.0),
    (43_200.0, 10_800.0),
    (86_400.0, 21_600.0),
    (172_800.0, 86_400.0),
    (604_800.0, 86_400.0),
    (1_209_600.0, 604_800.0),
    (2_592_000.0, 604_800.0),
    (7_776_000.0, 2_592_000.0),
];

/// `0`, `30s`, `1h 30m`, `2d 6h`; a tenth of a second is kept.
fn elapsed(seconds: f64) -> String {
    let mut left = (seconds * 1000.0).round() / 1000.0;
    if left == 0.0 {
        return "0".to_owned();
    }
    let mut parts = Vec::new();
    for (size, name) in [(86_400.0, "d"), (3_600.0, "h"), (60.0, "m")] {
        let count = (left / size).floor();
        if count > 0.0 {
            parts.push(format!("{count}{name}"));
            left -= count * size;
        }
    }
    let left = (left * 1000.0).round() / 1000.0;
    if left > 0.0 {
        parts.push(format!("{left}s"));
    }
    parts.join(" ")
}

/// Multiples of `step` from one end to the other.
fn multiples(from: f64, to: f64, step: f64) -> impl Iterator<Item = f64> {
    let first = (from / step - 1e-9).ceil();
    (0..10_000).map(move |index| (first + f64::from(index)) * step).take_while(move |value| *value <= to + step * 1e-9)
}

impl Picture {
    /// The horizontal axis on a canvas of this width. `measure` gives the width of a label in the same unit.
    #[must_use]
    pub fn axis(&self, width: f64, measure: &dyn Fn(&str) -> f64) -> TimeAxis {
        let (from, to) = (self.from, self.to);
        match &self.across {
            Across::Clock => time_axis(self.zone, from, to, width, measure),
            Across::Elapsed => {
                let steps = STEPS.iter().copied();
                let texts = |values: &[f64]| values.iter().copied().map(elapsed).collect();
                ticks((from, to), width, measure, steps, &texts, "since the start")
            }
            Across::Count(name) => {
                let decades = (0..15).flat_map(|power| {
                    [(1.0, 0.5), (2.0, 1.0), (5.0, 1.0)].map(|(step, minor)| {
                        let size = 10f64.powi(power);
                        (step * size, (minor * size).max(1.0))
                    })
                });
                let texts = |values: &[f64]| texts_of(&Unit::Count, values);
                ticks((from, to), width, measure, decades, &texts, name)
            }
        }
    }

    /// A place on the horizontal axis in words.
    #[must_use]
    pub fn instant(&self, at: f64) -> String {
        match &self.across {
            Across::Clock => self.zone.format(at, "%a %-d %b %H:%M:%S"),
            Across::Elapsed => elapsed(at.round()),
            Across::Count(name) => format!("{at:.0} {name}"),
        }
    }
}

/// An axis of the first step whose labels all have room; `about` is written at its right end.
fn ticks(
    (from, to): (f64, f64),
    width: f64,
    measure: &dyn Fn(&str) -> f64,
    mut steps: impl Iterator<Item = (f64, f64)>,
    texts: &dyn Fn(&[f64]) -> Vec<String>,
    about: &str,
) -> TimeAxis {
    let mut axis = TimeAxis { ticks: Vec::new(), minor: Vec::new(), date: String::new(), zone: about.to_owned() };
    let pixels = |length: f64| length / (to - from) * width;
    let gap = measure("0000");
    let found = steps.find_map(|(step, minor)| {
        if pixels(step) < gap {
            return None;
        }
        let places: Vec<f64> = multiples(from, to, step).collect();
        let texts = texts(&places);
        let widest = texts.iter().map(|text| measure(text)).fold(0.0, f64::max);
        (pixels(step) >= widest + gap).then_some((places, texts, minor))
    });
    if let Some((places, texts, minor)) = found {
        axis.ticks = places.into_iter().zip(texts).map(|(time, text)| TimeTick { time, text, date: None }).collect();
        axis.ticks.dedup_by(|next, kept| next.text == kept.text);
        if pixels(minor) >= 4.0 {
            let is_major = |time: &f64| axis.ticks.iter().any(|tick| (tick.time - time).abs() < minor / 2.0);
            axis.minor = multiples(from, to, minor).filter(|time| !is_major(time)).collect();
        }
    }
    axis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::cast_precision_loss, reason = "a short text")]
    fn shown(across: Across, to: f64) -> Vec<String> {
        let picture = Picture { across, ..Picture::new("", 0.0, to) };
        let axis = picture.axis(800.0, &|text| text.chars().count() as f64 * 8.0);
        axis.ticks.into_iter().map(|tick| tick.text).collect()
    }

    #[test]
    fn time_since_a_start_is_told_in_the_units_that_people_say() {
        assert_eq!(shown(Across::Elapsed, 600.0)[..3], ["0", "1m", "2m"]);
        assert_eq!(shown(Across::Elapsed, 7_300.0)[..4], ["0", "15m", "30m", "45m"]);
        assert_eq!(shown(Across::Elapsed, 7_300.0).last().unwrap(), "2h");
        assert_eq!(shown(Across::Elapsed, 3.0)[..3], ["0", "0.5s", "1s"]);
        assert_eq!(shown(Across::Elapsed, 7.0 * 86_400.0)[..3], ["0", "1d", "2d"]);
    }

    #[test]
    fn counts_are_whole_and_never_two_alike() {
        let count = |to| shown(Across::Count("iterations".to_owned()), to);
        assert_eq!(count(3.0), ["0", "1", "2", "3"]);
        for to in [7.0, 120.0, 9_999.0, 33_000.0, 5e6, 1e12] {
            let texts = count(to);
            assert!(texts.len() > 2, "{to} {texts:?}");
            assert!(texts.windows(2).all(|pair| pair[0] != pair[1]), "{texts:?}");
        }
    }

    #[test]
    fn a_place_is_told_in_the_axis_own_words() {
        let at = |across, time| Picture { across, ..Picture::new("", 0.0, 1.0) }.instant(time);
        assert_eq!(at(Across::Elapsed, 5_425.4), "1h 30m 25s");
        assert_eq!(at(Across::Count("iterations".to_owned()), 1_234.0), "1234 iterations");
    }
}
