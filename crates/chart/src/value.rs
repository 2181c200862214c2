//! The value axis: where it begins and ends, its ticks, and how a value is
//! written. Byte ticks are round in KiB, MiB and so on; labels always differ.

use crate::{Baseline, Panel, Unit};

/// The value axis of one panel.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueAxis {
    /// The value at the bottom of the canvas.
    pub bottom: f64,
    /// The value at the top of the canvas; greater than `bottom`.
    pub top: f64,
    /// Ascending, within the axis; their texts all differ.
    pub ticks: Vec<ValueTick>,
}

/// A tick of the value axis.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueTick {
    /// Its value.
    pub value: f64,
    /// Its label.
    pub text: String,
}

/// How many ticks may differ from one another only far behind the point.
const MOST_DECIMALS: usize = 15;

/// Digits more than usual at most, to tell values of one series apart: with them an f64 has no more.
const MOST_FINER: usize = 12;

/// In characters; longer names of units are cut.
const LONGEST_UNIT: usize = 16;

/// A prefixed unit: its size in the base unit, and its name.
struct Scale {
    size: f64,
    name: String,
}

const BINARY: [&str; 9] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];
const DECIMAL: [&str; 9] = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"];

impl Unit {
    fn is_binary(&self) -> bool {
        matches!(self, Unit::Bytes | Unit::BytesPerSecond)
    }

    /// The prefixed unit that somebody chose by its power of ten; `None`: this unit has none, or not this one.
    fn chosen(&self, exponent: i32) -> Option<Scale> {
        const SMALL: [&str; 6] = ["m", "µ", "n", "p", "f", "a"];
        if exponent % 3 != 0 || matches!(self, Unit::Percent | Unit::Milliseconds) {
            return None;
        }
        let base: f64 = if self.is_binary() { 1024.0 } else { 1000.0 };
        let prefix = usize::try_from(exponent.unsigned_abs() / 3).ok()?;
        let name = match (exponent < 0, self.is_binary()) {
            (false, true) => BINARY.get(prefix)?,
            (false, false) => DECIMAL.get(prefix)?,
            (true, false) => SMALL.get(prefix - 1)?,
            (true, true) => return None,
        };
        let name = match self {
            Unit::BytesPerSecond | Unit::PerSecond => format!("{name}/s"),
            Unit::Named(own) => format!("{name} {own}").trim_start().to_owned(),
            _ => (*name).to_owned(),
        };
        Some(Scale { size: base.powi(exponent / 3), name })
    }

    /// The prefixed unit in which a value of this magnitude reads well.
    fn scale(&self, magnitude: f64) -> Scale {
        let pick = |base: f64, least: f64, names: &[&str; 9], suffix: &str| {
            let (mut size, mut index) = (1.0, 0);
            // Thousands without a prefix still read well. A size of the last prefix or more stays in it.
            let enough = |index: usize| if index == 0 { least } else { 1.0 };
            while magnitude >= size * base * enough(index) && index + 1 < names.len() {
                size *= base;
                index += 1;
            }
            // No prefix makes such a number short.
            if magnitude >= size * 1e6 {
                (size, index) = (1.0, 0);
            }
            Scale { size, name: format!("{}{suffix}", names[index]) }
        };
        match self {
            Unit::Bytes => pick(1024.0, 1.0, &BINARY, ""),
            Unit::BytesPerSecond => pick(1024.0, 1.0, &BINARY, "/s"),
            Unit::PerSecond => pick(1000.0, 10.0, &DECIMAL, "/s"),
            Unit::Count | Unit::Plain => pick(1000.0, 10.0, &DECIMAL, ""),
            Unit::Named(name) => {
                let mut scale = pick(1000.0, 10.0, &DECIMAL, "");
                let name: String = name.chars().take(LONGEST_UNIT).collect();
                scale.name = format!("{} {name}", scale.name).trim_start().to_owned();
                scale
            }
            Unit::Percent => Scale { size: 1.0, name: "%".to_owned() },
            Unit::Milliseconds => {
                let steps = [(86_400e3, 4.0, "d"), (3_600e3, 4.0, "h"), (60e3, 10.0, "min"), (1e3, 10.0, "s")];
                let (size, _, name) =
                    steps.into_iter().find(|&(size, least, _)| magnitude >= size * least).unwrap_or((1.0, 0.0, "ms"));
                Scale { size, name: name.to_owned() }
            }
        }
    }
}

/// A number and its unit: `12.3 MiB`, `250/s`, `7`.
fn join(number: &str, name: &str) -> String {
    if name.is_empty() {
        number.to_owned()
    } else if name.starts_with('/') {
        format!("{number}{name}")
    } else {
        format!("{number} {name}")
    }
}

fn number(value: f64, decimals: usize) -> String {
    if value != 0.0 && (value.abs() >= 1e15) {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.decimals$}");
    // "-0.00" is a zero that was rounded.
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| matches!(byte, b'0' | b'.')) => rest.to_owned(),
        _ => text,
    }
}

/// A value in full: four significant digits and the unit.
#[must_use]
pub fn format_value(unit: &Unit, value: f64) -> String {
    format_finer(unit, value, 0)
}

/// A value somebody chose: `60 MiB` rather than `60.00 MiB`.
pub(crate) fn format_round(unit: &Unit, value: f64) -> String {
    let text = format_value(unit, value);
    let (number, name) = text.split_at(text.find([' ', '/']).unwrap_or(text.len()));
    if !number.contains('.') || number.contains('e') {
        return text;
    }
    format!("{}{name}", number.trim_end_matches('0').trim_end_matches('.'))
}

/// Several values of one series, with as many digits as it takes to see how
/// far they lie apart.
pub(crate) fn format_together(unit: &Unit, values: &[f64]) -> Vec<String> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let tenth = low + (high - low) / 10.0;
    let told_apart = |finer: &usize| format_finer(unit, low, *finer) != format_finer(unit, tenth, *finer);
    let finer = if tenth > low { (0..MOST_FINER).find(told_apart).unwrap_or(MOST_FINER) } else { 0 };
    values.iter().map(|&value| format_finer(unit, value, finer)).collect()
}

/// With this many digits more than usual behind the point.
fn format_finer(unit: &Unit, value: f64, finer: usize) -> String {
    if value.is_nan() {
        return "unknown".to_owned();
    }
    if value.is_infinite() {
        return value.to_string();
    }
    let scale = unit.scale(value.abs());
    let scaled = value / scale.size;
    let whole = scaled.fract() == 0.0 && (scale.size == 1.0 || scaled == 0.0);
    let decimals = match scaled.abs() {
        _ if whole => 0,
        size if size >= 1000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 0.1 => 2,
        size if size >= 0.000_1 => 5,
        _ => return join(&format!("{scaled:.2e}"), &scale.name),
    };
    join(&number(scaled, if whole { 0 } else { decimals + finer }), &scale.name)
}

/// Steps of a unit from fine to coarse, as multiples of the unit. Halves and
/// quarters of a binary unit are round in the unit below; tenths are not.
fn steps(binary: bool) -> impl Iterator<Item = f64> {
    let fine: &[f64] =
        if binary { &[0.125, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 256.0, 512.0] } else { &[] };
    let tiny = (2..=14).rev().flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit / 10f64.powi(power)));
    let fine_end = if binary { 0.06 } else { 0.0 };
    let coarse_start = fine.last().copied().unwrap_or(0.0);
    let decimal = (-1..=308).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)));
    tiny.take_while(move |&step| !binary || step < fine_end)
        .chain(fine.iter().copied())
        .chain(decimal.skip_while(move |&step| step <= coarse_start))
}

/// The span of the data, widened to something that can be drawn.
fn span(panel: &Panel, data: Option<(f64, f64)>) -> (f64, f64) {
    let nothing = match panel.unit {
        Unit::Bytes | Unit::BytesPerSecond => 10.0 * 1024.0 * 1024.0,
        Unit::Count => 10.0,
        _ => 1.0,
    };
    let (mut low, mut high) = data.unwrap_or((0.0, nothing));
    match panel.baseline {
        Baseline::Zero => (low, high) = (low.min(0.0), high.max(0.0)),
        Baseline::Auto => {
            let pad = if high > low { (high - low) * 0.04 } else { low.abs() * 0.02 };
            // Padding alone never brings in values of the other sign.
            low = if low >= 0.0 { (low - pad).max(0.0) } else { low - pad };
            high = if high <= 0.0 { (high + pad).min(0.0) } else { high + pad };
        }
    }
    let limit = |value: Option<f64>| value.filter(|value| value.abs() <= 1e300);
    if let Some(lower) = limit(panel.lower) {
        low = if panel.rigid { lower } else { low.min(lower) };
    }
    if let Some(upper) = limit(panel.upper) {
        high = if panel.rigid { upper } else { high.max(upper) };
    }
    // Neighbouring labels need digits that an f64 still has.
    let least = (low.abs().max(high.abs()) * 1e-9).max(1e-12);
    if high - low < least {
        if low == 0.0 && high <= 0.0 {
            high = nothing;
        } else if panel.rigid || low >= 0.0 {
            high = low + least;
        } else {
            low = high - least;
        }
    }
    (low, high)
}

/// The axis for data between two values on a canvas that has room for `most`
/// labels one above the other.
#[must_use]
pub fn value_axis(panel: &Panel, data: Option<(f64, f64)>, most: usize) -> ValueAxis {
    let (low, high) = span(panel, data);
    let natural = panel.unit.scale(low.abs().max(high.abs()));
    // A chosen prefix that would make all numbers alike helps nobody.
    let reads = |scale: &Scale| ((high - low) / scale.size) > 1e-9;
    let chosen = panel.exponent.and_then(|exponent| panel.unit.chosen(exponent)).filter(reads);
    let is_chosen = chosen.is_some();
    let mut scale = chosen.unwrap_or(natural);
    let most = most.clamp(2, 1000);
    #[expect(clippy::cast_precision_loss, reason = "at most 1000")]
    let room = most as f64;
    let fits = |step: &f64| (high - low) / (step * scale.size) <= room;
    let step = steps(panel.unit.is_binary()).find(fits).map_or(high - low, |step| step * scale.size);

    // Air above the highest peak, to a round quarter of a step.
    let part = step / 4.0;
    let air = (high - low) * 0.03;
    let held = |limit: Option<f64>| panel.rigid && limit.is_some();
    let mut top = high;
    if !held(panel.upper) && (high > 0.0 || panel.baseline == Baseline::Auto) {
        top = ((high + air) / part).ceil() * part;
    }
    let mut bottom = low;
    if !held(panel.lower) && (low < 0.0 || panel.baseline == Baseline::Auto) {
        bottom = ((low - if low < 0.0 { air } else { 0.0 }) / part).floor() * part;
    }
    let values: Vec<f64> = std::iter::successors(Some((bottom / step - 1e-9).ceil()), |index| Some(index + 1.0))
        // A zero has no sign.
        .map(|index| index * step + 0.0)
        .take_while(|&value| value <= top + step * 1e-9)
        .take(most + 3)
        .collect();
    // The greatest tick may be above the data, and round steps are round in every prefix by 1000.
    if !is_chosen && !panel.unit.is_binary() && panel.unit != Unit::Milliseconds {
        scale = panel.unit.scale(values.iter().fold(low.abs().max(high.abs()), |most, value| most.max(value.abs())));
    }
    ValueAxis { bottom, top, ticks: label(&values, step, &scale) }
}

/// Values the same distance apart, with as many digits as it takes to tell each from its neighbour's place.
pub(crate) fn texts_of(unit: &Unit, values: &[f64]) -> Vec<String> {
    let greatest = values.iter().fold(0.0, |greatest: f64, value| greatest.max(value.abs()));
    let scale = unit.scale(greatest);
    let step = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).next().unwrap_or(greatest) / scale.size;
    // A label a fiftieth of a step beside its place is still read right.
    let near = |decimals: &usize| {
        let tens = 10f64.powi(i32::try_from(*decimals).unwrap_or(0));
        let off = |value: &f64| ((value / scale.size * tens).round() / tens - value / scale.size).abs();
        values.iter().all(|value| off(value) <= step / 50.0)
    };
    let decimals = (0..MOST_DECIMALS).find(near).unwrap_or(MOST_DECIMALS);
    #[expect(clippy::cast_precision_loss, reason = "at most 15")]
    let places = decimals as f64;
    let text = |value: &f64| match value / scale.size {
        0.0 => "0".to_owned(),
        // Not a zero, although so near to it that it would be written as one.
        scaled if scaled.abs() > step * 1e-9 && scaled.abs() * 10f64.powf(places) < 0.5 => format_round(unit, *value),
        scaled => join(&number(scaled, decimals), &scale.name),
    };
    values.iter().map(text).collect()
}

/// The ticks with as many digits as it takes for all to differ.
fn label(values: &[f64], step: f64, scale: &Scale) -> Vec<ValueTick> {
    let exact = |decimals: &usize| {
        let shifted = step / scale.size * 10f64.powi(i32::try_from(*decimals).unwrap_or(0));
        (shifted - shifted.round()).abs() < 1e-6 * shifted
    };
    let start = (0..MOST_DECIMALS).find(exact).unwrap_or(0);
    let write = |decimals: usize| -> Vec<String> {
        let text = |value: &f64| match value / scale.size {
            0.0 => "0".to_owned(),
            scaled if scaled.abs() >= 1e15 => join(&format!("{scaled:.decimals$e}"), &scale.name),
            scaled => join(&number(scaled, decimals), &scale.name),
        };
        values.iter().map(text).collect()
    };
    let texts = (start..=MOST_DECIMALS).map(write).find(|texts| texts.windows(2).all(|pair| pair[0] != pair[1]));
    let texts = texts.unwrap_or_else(|| write(MOST_DECIMALS));
    values.iter().zip(texts).map(|(&value, text)| ValueTick { value, text }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(unit: Unit, low: f64, high: f64) -> Vec<String> {
        let axis = value_axis(&Panel::new("", unit), Some((low, high)), 8);
        axis.ticks.into_iter().map(|tick| tick.text).collect()
    }

    const MIB: f64 = 1024.0 * 1024.0;

    #[test]
    fn byte_ticks_are_round_in_their_own_unit() {
        assert_eq!(
            texts(Unit::Bytes, 0.0, 61.0 * MIB),
            ["0", "10 MiB", "20 MiB", "30 MiB", "40 MiB", "50 MiB", "60 MiB"]
        );
        assert_eq!(texts(Unit::Bytes, 0.0, 900.0), ["0", "256 B", "512 B", "768 B"]);
        assert_eq!(
            texts(Unit::Bytes, 0.0, 1.6 * MIB),
            ["0", "0.25 MiB", "0.50 MiB", "0.75 MiB", "1.00 MiB", "1.25 MiB", "1.50 MiB"]
        );
        assert_eq!(texts(Unit::Bytes, 0.0, 900.0 * MIB), ["0", "256 MiB", "512 MiB", "768 MiB"]);
        assert_eq!(texts(Unit::Bytes, 0.0, 2.2 * 1024.0 * MIB), ["0", "0.5 GiB", "1.0 GiB", "1.5 GiB", "2.0 GiB"]);
    }

    #[test]
    fn counts_and_rates_are_written_in_thousands_only_when_large() {
        assert_eq!(texts(Unit::Count, 0.0, 1532.0), ["0", "200", "400", "600", "800", "1000", "1200", "1400", "1600"]);
        assert_eq!(texts(Unit::PerSecond, 0.0, 19.0), ["0", "5/s", "10/s", "15/s", "20/s"]);
        assert_eq!(texts(Unit::Count, 0.0, 45_000.0), ["0", "10 k", "20 k", "30 k", "40 k"]);
    }

    #[test]
    fn a_thousand_of_a_prefix_is_one_of_the_next() {
        assert_eq!(texts(Unit::Plain, -998e3, 0.0), ["-1.0 M", "-0.8 M", "-0.6 M", "-0.4 M", "-0.2 M", "0"]);
        assert_eq!(texts(Unit::Count, 0.0, 990e12).last().unwrap(), "1.0 P");
        assert_eq!(texts(Unit::Count, 0.0, 3e6).last().unwrap(), "3.0 M");
        for (value, text) in [(1e15, "1.00 P"), (1e18, "1.00 E"), (9_999.0, "9999"), (999_900.0, "999.9 k")] {
            assert_eq!(format_value(&Unit::Plain, value), text);
        }
        let low = value_axis(&Panel::new("", Unit::Plain), Some((0.0, 1.0)), 8).ticks[0].value;
        assert!(low.is_sign_positive(), "a zero has no sign");
    }

    #[test]
    fn values_that_differ_behind_many_digits_are_told_apart_and_what_is_not_zero_is_not_called_so() {
        let told = format_together(&Unit::Plain, &[1e9 + 0.001, 1e9, 1e9 + 0.0005]);
        assert!(told[0] != told[1] && told[1] != told[2] && told[0] != told[2], "{told:?}");
        assert_eq!(texts_of(&Unit::Plain, &[5.0, 10_000_005.0, 20_000_005.0]), ["5", "10 M", "20 M"]);
    }

    #[test]
    fn a_change_of_one_byte_in_a_gibibyte_still_has_distinct_labels() {
        let mut panel = Panel::new("", Unit::Bytes);
        panel.baseline = Baseline::Auto;
        let gib = 1024.0 * MIB;
        let axis = value_axis(&panel, Some((gib, gib + 1.0)), 8);
        assert!(axis.ticks.len() >= 2, "{axis:?}");
        assert!(axis.ticks.windows(2).all(|pair| pair[0].text != pair[1].text), "{axis:?}");
    }

    #[test]
    fn values_are_written_with_four_digits_and_their_unit() {
        let write = |unit, value| format_value(&unit, value);
        assert_eq!(write(Unit::Bytes, 0.0), "0 B");
        assert_eq!(write(Unit::Bytes, 1023.0), "1023 B");
        assert_eq!(write(Unit::Bytes, 12.345 * MIB), "12.35 MiB");
        assert_eq!(write(Unit::Bytes, -512.0 * 1024.0), "-512.0 KiB");
        assert_eq!(write(Unit::Count, 1532.0), "1532");
        assert_eq!(write(Unit::Count, 0.5), "0.50");
        assert_eq!(write(Unit::PerSecond, 18.5), "18.50/s");
        assert_eq!(write(Unit::Milliseconds, 25_000.0), "25.00 s");
        assert_eq!(write(Unit::Percent, 99.9), "99.90 %");
        assert_eq!(write(Unit::Named("widgets".to_owned()), 3.0), "3 widgets");
        assert_eq!(write(Unit::Plain, f64::NAN), "unknown");
        assert_eq!(write(Unit::Plain, 1e200), "1.000e200");
    }

    #[test]
    fn the_numbers_of_a_slow_leak_can_be_told_apart() {
        let values = [512.0 * MIB, 512.01 * MIB, 512.15 * MIB];
        assert_eq!(format_together(&Unit::Bytes, &values), ["512.00 MiB", "512.01 MiB", "512.15 MiB"]);
        assert_eq!(format_together(&Unit::Bytes, &[MIB, MIB]), ["1.00 MiB", "1.00 MiB"]);
    }

    #[test]
    fn a_limit_is_written_as_it_was_chosen() {
        assert_eq!(format_round(&Unit::Bytes, 60.0 * MIB), "60 MiB");
        assert_eq!(format_round(&Unit::Count, 100.0), "100");
        assert_eq!(format_round(&Unit::PerSecond, 2.5), "2.5/s");
    }

    fn units() -> impl Strategy<Value = Unit> {
        prop::sample::select(vec![
            Unit::Bytes,
            Unit::BytesPerSecond,
            Unit::Count,
            Unit::PerSecond,
            Unit::Milliseconds,
            Unit::Percent,
            Unit::Plain,
            Unit::Named("things".to_owned()),
        ])
    }

    proptest! {
        #[test]
        fn labels_differ_and_ticks_ascend_within_the_axis_for_any_range(
            unit in units(),
            digits in -9.99f64..9.99,
            power in -6i32..299,
            relative in prop::sample::select(vec![0.0, 1e-16, 1e-12, 1e-9, 1e-6, 1e-3, 0.1, 1.0, 3.0]),
            auto in any::<bool>(),
            most in 2usize..20,
        ) {
            let low = digits * 10f64.powi(power);
            let high = low + low.abs() * relative;
            let mut panel = Panel::new("", unit);
            panel.baseline = if auto { Baseline::Auto } else { Baseline::Zero };
            let axis = value_axis(&panel, Some((low, high)), most);
            prop_assert!(axis.bottom < axis.top);
            prop_assert!(axis.bottom <= low && high <= axis.top, "{axis:?}");
            prop_assert!(!axis.ticks.is_empty(), "{axis:?}");
            prop_assert!(axis.ticks.len() <= most + 3, "{axis:?}");
            let slack = (axis.top - axis.bottom) * 1e-6;
            for tick in &axis.ticks {
                prop_assert!(tick.value >= axis.bottom - slack && tick.value <= axis.top + slack, "{axis:?}");
            }
            for (index, tick) in axis.ticks.iter().enumerate() {
                prop_assert!(axis.ticks[..index].iter().all(|other| other.text != tick.text && other.value < tick.value), "{axis:?}");
            }
        }
    }
}
