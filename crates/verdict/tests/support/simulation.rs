//! Made-up series with fixed random numbers: the same figures on every machine.

use heapsoak_verdict::{Collection, Floor, Kind, Sample, Series, Settings, Unit, Verdict, decide};

/// One megabyte, as the measurements are given.
pub(crate) const MB: f64 = 1e6;

/// splitmix64 (Steele, Lea & Flood 2014), with normal numbers by Box & Muller.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Between 0 and 1, never 0.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Mean 0, deviation 1.
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// A line with noise on it.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    /// Seconds recorded.
    pub(crate) duration_s: f64,
    /// Values in that time.
    pub(crate) count: usize,
    /// Growth in bytes a second.
    pub(crate) slope: f64,
    /// Deviation of the noise in bytes (of a random walk: of its last value).
    pub(crate) noise: f64,
    /// Correlation of one value with the next; 1 is a random walk.
    pub(crate) phi: f64,
}

impl Line {
    /// Time and value, around 20 MB.
    pub(crate) fn points(&self, random: &mut Random) -> Vec<(f64, f64)> {
        let pace = self.duration_s / self.count as f64;
        let is_walk = self.phi >= 1.0;
        let shock = if is_walk {
            self.noise / (self.count as f64).sqrt()
        } else {
            self.noise * (1.0 - self.phi.powi(2)).sqrt()
        };
        let mut noise = if is_walk { 0.0 } else { self.noise * random.normal() };
        let mut points = Vec::with_capacity(self.count);
        for i in 1..=self.count {
            let time = pace * i as f64;
            points.push((time, 20.0 * MB + self.slope * time + noise));
            noise = self.phi * noise + shock * random.normal();
        }
        points
    }

    /// The verdict on it as floors after forced collections.
    pub(crate) fn floors(&self, random: &mut Random) -> Verdict {
        let mut series = Series::new("heap_used", Kind::Heap, Unit::Bytes);
        let floor = |(time, value)| Floor { time, value, collection: Collection::Forced };
        series.floors = self.points(random).into_iter().map(floor).collect();
        decide(&series, &Settings::default())
    }

    /// The verdict on it as samples of a source without a collector.
    pub(crate) fn blocks(&self, random: &mut Random) -> Verdict {
        let mut series = Series::new("rss", Kind::Plain, Unit::Bytes);
        let sample = |(time, value)| Sample { time, value: Some(value) };
        series.samples = self.points(random).into_iter().map(sample).collect();
        decide(&series, &Settings::default())
    }
}

/// How many of `runs` verdicts satisfy `wanted`, in percent.
pub(crate) fn percent(
    runs: usize,
    seed: u64,
    verdict: impl Fn(&mut Random) -> Verdict,
    wanted: impl Fn(&Verdict) -> bool,
) -> f64 {
    let mut random = Random(seed);
    let hits = (0..runs).filter(|_| wanted(&verdict(&mut random))).count();
    hits as f64 * 100.0 / runs as f64
}
