//! A second, slow implementation of the rules, for the tests alone: it keeps every update and works out each PDP and each
//! row from all of them, so that it shares no step of the way with the crate, which keeps open sums only.

/// A data source; times in microseconds, the type by its name.
#[derive(Clone, Debug)]
pub(crate) struct SourceRules {
    pub(crate) kind: String,
    pub(crate) heartbeat: i64,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
}

/// An archive, the consolidation function by its name.
#[derive(Clone, Debug)]
pub(crate) struct ArchiveRules {
    pub(crate) cf: String,
    pub(crate) xff: f64,
    pub(crate) n: i64,
    pub(crate) rows: i64,
}

struct Stretch {
    from: i64,
    to: i64,
    rates: Vec<Option<f64>>,
}

pub(crate) struct Reference {
    step: i64,
    start: i64,
    sources: Vec<SourceRules>,
    archives: Vec<ArchiveRules>,
    texts: Vec<String>,
    stretches: Vec<Stretch>,
}

impl Reference {
    pub(crate) fn new(step: i64, start: i64, sources: Vec<SourceRules>, archives: Vec<ArchiveRules>) -> Reference {
        let texts = vec!["U".to_owned(); sources.len()];
        Reference { step, start, sources, archives, texts, stretches: Vec::new() }
    }

    /// An update that is known to be good.
    pub(crate) fn update(&mut self, to: i64, texts: &[String]) {
        let from = self.last();
        let rate = |(i, source): (usize, &SourceRules)| rate(source, &self.texts[i], &texts[i], to - from);
        let rates = self.sources.iter().enumerate().map(rate).collect();
        self.stretches.push(Stretch { from, to, rates });
        self.texts = texts.to_vec();
    }

    fn last(&self) -> i64 {
        self.stretches.last().map_or(self.start, |s| s.to)
    }

    /// The row of `archive` that ends at `end`; unknown if the archive does not hold it.
    pub(crate) fn row(&self, archive: usize, source: usize, end: i64) -> Option<f64> {
        let ArchiveRules { cf, xff, n, rows } = &self.archives[archive];
        let width = self.step * n;
        let newest = self.last().div_euclid(width) * width;
        if end > newest || end <= newest - rows * width {
            return None;
        }
        let first = end.div_euclid(self.step) - n;
        let pdps: Vec<Option<f64>> = (first..first + n).map(|number| self.pdp(source, number)).collect();
        let known: Vec<f64> = pdps.iter().copied().flatten().collect();
        let unknown = (pdps.len() - known.len()) as f64;
        // One PDP per row: xff does not count, the row is the PDP.
        if known.is_empty() || (*n > 1 && unknown > *n as f64 * xff) {
            return None;
        }
        match cf.as_str() {
            "AVERAGE" => Some(known.iter().sum::<f64>() / known.len() as f64),
            "MIN" => known.iter().copied().reduce(f64::min),
            "MAX" => known.iter().copied().reduce(f64::max),
            _ => pdps[pdps.len() - 1],
        }
    }

    /// The largest rate, either side of 0, in the time of a row: how exact the row can be.
    #[allow(dead_code, reason = "only one of the two test programs that share this file asks")]
    pub(crate) fn largest_rate(&self, archive: usize, source: usize, end: i64) -> f64 {
        let begin = end - self.step * self.archives[archive].n;
        let inside = self.stretches.iter().filter(|s| s.from < end && s.to > begin);
        inside.filter_map(|s| s.rates[source]).fold(0.0, |largest, rate| rate.abs().max(largest))
    }

    /// The PDP that covers `number × step` to `(number + 1) × step`.
    fn pdp(&self, source: usize, number: i64) -> Option<f64> {
        let (begin, end) = (number * self.step, (number + 1) * self.step);
        let mut unknown_before = (self.start.clamp(begin, end)) - begin;
        let (mut known, mut sum, mut closing) = (0, 0.0, None);
        for stretch in self.stretches.iter().filter(|s| s.from < end && s.to > begin) {
            let length = stretch.to.min(end) - stretch.from.max(begin);
            if stretch.to >= end {
                closing = Some(stretch);
            }
            match stretch.rates[source] {
                Some(rate) => {
                    known += length;
                    sum += rate * length as f64;
                }
                None if stretch.to < end => unknown_before += length,
                None => {}
            }
        }
        let too_long = self.counted_length(closing?, number) > self.sources[source].heartbeat;
        (!too_long && unknown_before * 2 <= self.step && known > 0).then(|| sum / known as f64)
    }

    /// The part of a stretch that the heartbeat looks at when it closes PDP `number`: where a stretch closes several,
    /// the rest of the first one is closed on its own.
    fn counted_length(&self, stretch: &Stretch, number: i64) -> i64 {
        let (first, after) = (stretch.from.div_euclid(self.step), stretch.to.div_euclid(self.step));
        let begun = stretch.from.rem_euclid(self.step);
        let rest_of_first = self.step - begun;
        if after - first == 1 || begun == 0 {
            stretch.to - stretch.from
        } else if number == first {
            rest_of_first
        } else {
            stretch.to - stretch.from - rest_of_first
        }
    }
}

fn rate(source: &SourceRules, last: &str, text: &str, interval: i64) -> Option<f64> {
    if text.starts_with('U') || interval > source.heartbeat {
        return None;
    }
    let seconds = interval as f64 / 1e6;
    let decimal = |text: &str| text.trim_start().parse::<f64>().ok();
    let rate = match source.kind.as_str() {
        "GAUGE" => decimal(text)?,
        "ABSOLUTE" => decimal(text)? / seconds,
        "COUNTER" => {
            let change = whole(text)? - whole(last)?;
            let wraps = [0, 1 << 32, 1 << 64];
            wraps.into_iter().map(|wrap| change + wrap).find(|grown| *grown >= 0)? as f64 / seconds
        }
        "DERIVE" if text.starts_with('-') != last.starts_with('-') => return None,
        "DERIVE" => (whole(text)? - whole(last)?) as f64 / seconds,
        "DDERIVE" => (decimal(text)? - decimal(last)?) / seconds,
        "DCOUNTER" => {
            let (now, last) = (decimal(text)?, decimal(last)?);
            let reset = if now < 0.0 { now > last } else { now < last };
            if reset {
                return None;
            }
            (now - last) / seconds
        }
        other => panic!("{other} is not in the data"),
    };
    let believed = source.min.is_none_or(|min| rate >= min) && source.max.is_none_or(|max| rate <= max);
    (believed && !rate.is_nan()).then_some(rate)
}

/// A whole number; of `12.5`, which may stand as last reading after a gap, the whole part.
fn whole(text: &str) -> Option<i128> {
    text.split('.').next()?.parse().ok()
}
