//! What the user may turn: the limit, how small a leak matters, and how much of the beginning is left out.

use crate::series::Unit;

const MIB: f64 = 1_048_576.0;

/// How a verdict is made. `Settings::default()` is what the README describes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// The level at which the program dies (the heap limit, a cgroup's limit); `None`: no time to the limit is given.
    pub limit: Option<Limit>,
    /// The slope below which a leak does not matter.
    pub materiality: Materiality,
    /// What is left out at the beginning.
    pub trim: Trim,
}

/// Where a program dies: at a level, or somewhere below it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    at: f64,
    from: f64,
}

/// From this share of its limit on V8 gives up a program that spends most of its time in collections: after four of them
/// in a row (`Heap::IsIneffectiveMarkCompact`, `kHighHeapPercentage`). Of 22 programs that died under 60 MiB on Node 20 the
/// last collection had left 0.80 to 0.84 of it in 20, and 0.94 in two.
const V8_GIVES_UP: f64 = 0.8;
/// What V8 adds to the limit of the old generation for the young one, in the limit that it tells of itself: three times
/// 16 MiB (measured on Node 20: 108 MiB for `--max-old-space-size=60`).
const V8_YOUNG: f64 = 48.0 * MIB;

impl Limit {
    /// Just there.
    pub fn exact(at: f64) -> Self {
        Self { at, from: at }
    }

    /// V8's limit of its old generation, `--max-old-space-size`, in bytes.
    pub fn of_old_generation(at: f64) -> Self {
        Self { at, from: V8_GIVES_UP * at }
    }

    /// The limit that V8 tells of itself (`heap_size_limit`), in bytes.
    pub fn of_heap(at: f64) -> Self {
        Self { at, from: V8_GIVES_UP * (at - V8_YOUNG).max(at / 2.0) }
    }

    /// The level that nothing lives beyond.
    pub fn at(&self) -> f64 {
        self.at
    }

    /// The level from which on it may die; the same as [`Limit::at`] where the limit is exact.
    pub fn from(&self) -> f64 {
        self.from
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.at.is_finite() && self.from.is_finite()
    }
}

/// A slope up to which nobody cares: the larger of the two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Materiality {
    /// Units per hour; `None` is 1 MiB per hour for bytes and 60 per hour (one a minute) for counts.
    pub per_hour: Option<f64>,
    /// Share of the median floor per hour.
    pub share_per_hour: f64,
}

/// 1 MiB/h fills a heap of 4 GiB in half a year; 2 % of the floor per hour doubles it in two days. A slope that is
/// significant and yet far below (0 to 10 B/s at Z = 3.07) was measured on a steady Node program.
impl Default for Materiality {
    fn default() -> Self {
        Self { per_hour: None, share_per_hour: 0.02 }
    }
}

impl Materiality {
    /// The limit in units per second, for floors around `level`.
    pub(crate) fn per_second(&self, unit: Unit, level: f64) -> f64 {
        let usual = match unit {
            Unit::Bytes => MIB,
            Unit::Count => 60.0,
        };
        let per_hour = self.per_hour.filter(|v| v.is_finite() && *v >= 0.0).unwrap_or(usual);
        per_hour.max(self.share_per_hour * level.abs()) / 3600.0
    }
}

/// The warm-up: modules load, caches fill, the engine compiles. The largest of the three is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trim {
    /// Share of the segment, 0 to 1.
    pub share: f64,
    /// Seconds, at least.
    pub least_s: f64,
    /// Iterations, at least.
    pub least_iterations: f64,
}

impl Default for Trim {
    fn default() -> Self {
        Self { share: 0.2, least_s: 60.0, least_iterations: 3.0 }
    }
}

impl Trim {
    /// Leaves nothing out: for a window that the user chose to begin after the warm-up.
    pub const NOTHING: Self = Self { share: 0.0, least_s: 0.0, least_iterations: 0.0 };
}
