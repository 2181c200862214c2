//! A made-up heap, sampled once a second: what is live, garbage that scavenges promoted until a mark-compact meets it, and
//! the young generation's saw-tooth above.

use heapsoak_verdict::{Kind, Sample, Series, Unit};

use super::simulation::{MB, Random};

/// How the heap behaves; bytes and seconds.
pub(crate) struct Heap {
    /// Live bytes at an instant.
    pub(crate) live: Box<dyn Fn(f64) -> f64>,
    /// Garbage promoted per second, and how much of it makes V8 run a mark-compact.
    pub(crate) promoted: f64,
    pub(crate) growing_step: f64,
    /// Allocated per second in the young generation, and its size.
    pub(crate) allocated: f64,
    pub(crate) young: f64,
}

impl Heap {
    /// A Node program of some requests a second around `live`.
    pub(crate) fn of(live: impl Fn(f64) -> f64 + 'static) -> Self {
        Self { live: Box::new(live), promoted: 20e3, growing_step: 8.0 * MB, allocated: 0.4 * MB, young: 4.0 * MB }
    }

    /// `seconds` of it.
    pub(crate) fn record(&self, seconds: usize, random: &mut Random) -> Series {
        let mut series = Series::new("heap_used", Kind::Heap, Unit::Bytes);
        let (mut old_garbage, mut young) = (0.0, 0.0);
        for second in 0..seconds {
            let time = second as f64;
            let pace = 0.7 + 0.6 * random.uniform();
            old_garbage += self.promoted * pace;
            young += self.allocated * pace;
            if young > self.young {
                young = 0.1 * self.young * random.uniform();
            }
            if old_garbage > self.growing_step {
                (old_garbage, young) = (0.0, 0.0);
            }
            let value = (self.live)(time) + old_garbage + young;
            series.samples.push(Sample { time, value: Some(value) });
        }
        series
    }
}
