//! Leak, steady or undecided: the statistics and the decision, and nothing else. No clock, no files.
//!
//! Put what is known of one source into a [`Series`]: its samples, the heap's sizes after full collections, the scenario's
//! progress, the restarts. [`decide()`] says which of three words it deserves, with the rate, its interval, the time to a
//! limit, and since when. [`compare()`] sets two runs side by side; [`Looks`] says when a running recording may be judged.
//!
//! ```
//! use heapsoak_verdict::{Collection, Floor, Kind, Series, Settings, Unit, Word, decide};
//!
//! let mut series = Series::new("heap_used", Kind::Heap, Unit::Bytes);
//! // 10 MB, 20 KB more each second, collected once a minute for half an hour
//! series.floors = (0..30)
//!     .map(|i| f64::from(i) * 60.0)
//!     .map(|time| Floor { time, value: 10e6 + 20e3 * time + (time * 0.7).sin() * 50e3, collection: Collection::Forced })
//!     .collect();
//!
//! let verdict = decide(&series, &Settings::default());
//! assert_eq!(verdict.verdict, Word::Leak);
//! assert!((verdict.slope_per_hour.unwrap() - 72e6).abs() < 1e6);
//! ```
//!
//! **What it stands on**, best first: sizes after full collections (forced, then natural), minima of blocks of a heap's
//! samples (far stricter before it says "leak": garbage rises too), minima of blocks of a source without a collector.
//!
//! **What fools it**: a cache that fills for longer than the recording lasts. Nothing can tell it from a leak before it is
//! full.

mod blocks;
mod compare;
mod decide;
mod doubt;
mod evidence;
mod judge;
mod limit;
mod looks;
mod onset;
mod series;
mod settings;
mod trend;
mod verdict;
mod words;

pub use compare::{Change, Comparison, compare};
pub use decide::decide;
pub use looks::Looks;
pub use series::{Collection, Floor, Kind, Progress, Sample, Series, Unit};
pub use settings::{Limit, Materiality, Settings, Trim};
pub use verdict::{Basis, Shape, Verdict, Word};
