//! What a verdict is made from: one source's samples, collections and iterations. Plain data, no judgement.

/// Whether the source's memory is freed by a garbage collector, which decides what a rise of it proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A garbage-collected heap (`heap_used`, `heap_total`, `page_heap_used` …): between two collections it rises whether or not the program leaks.
    Heap,
    /// Everything without a collector of its own: `rss`, `dom_nodes`, `listeners`, `handles` …
    Plain,
}

/// What the values count; it decides the default materiality and how numbers are written in sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Things: nodes, listeners, handles.
    Count,
}

/// One sample of the source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Unix seconds (any fixed origin will do).
    pub time: f64,
    /// The value; `None` (or a value that is not finite) is unknown and is left out, never taken for 0.
    pub value: Option<f64>,
}

/// Who asked for a full collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    /// The engine itself: a mark-compact of its own.
    Natural,
    /// The recorder, by `--checkpoint-gc`.
    Forced,
}

/// The heap's size right after a full collection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Floor {
    /// Unix seconds.
    pub time: f64,
    /// Bytes in use after the collection.
    pub value: f64,
    /// Who asked for it.
    pub collection: Collection,
}

/// How many iterations the scenario had finished at an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Unix seconds.
    pub time: f64,
    /// Iterations finished since the run began.
    pub iterations: f64,
}

/// Everything known about one source.
///
/// Samples should come from the archive of minima (`MIN`) where there is one: the raw rule judges the lowest values,
/// and an average of three seconds of a saw-tooth has no low values left.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The source's name, repeated in the verdict.
    pub source: String,
    /// Whether a collector frees this memory.
    pub kind: Kind,
    /// What the values count.
    pub unit: Unit,
    /// The samples, any order.
    pub samples: Vec<Sample>,
    /// Sizes after full collections, any order. Other sources may have them too: what `dom_nodes` was right after a
    /// collection is worth more than any minimum of its samples.
    pub floors: Vec<Floor>,
    /// The scenario's progress, any order; empty when there is no scenario.
    pub progress: Vec<Progress>,
    /// Times at which a new segment starts: a restart of the target, a new document, a new run in the same file.
    pub restarts: Vec<f64>,
    /// Times at which the target died of out-of-memory (an event of the file): the answer to a rise is in its end.
    pub out_of_memory: Vec<f64>,
}

impl Series {
    /// A series without data yet.
    pub fn new(source: impl Into<String>, kind: Kind, unit: Unit) -> Self {
        Self {
            source: source.into(),
            kind,
            unit,
            samples: Vec::new(),
            floors: Vec::new(),
            progress: Vec::new(),
            restarts: Vec::new(),
            out_of_memory: Vec::new(),
        }
    }
}

/// A point of the line that is judged: seconds since an origin near the data, and the value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// One segment of a series: known values only, ascending in time, every time counted from `origin`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segment {
    /// The time that is 0 here: small numbers keep the arithmetic exact.
    pub(crate) origin: f64,
    /// The time of the last sample or floor, from `origin`.
    pub(crate) end: f64,
    pub(crate) samples: Vec<Point>,
    pub(crate) forced: Vec<Point>,
    pub(crate) natural: Vec<Point>,
    /// x: seconds, y: iterations.
    pub(crate) progress: Vec<Point>,
    /// The target died of out-of-memory at the segment's end.
    pub(crate) out_of_memory: bool,
}

impl Segment {
    fn new(series: &Series, from: f64, to: f64) -> Option<Self> {
        let inside = |t: f64, y: f64| t.is_finite() && y.is_finite() && t >= from && t < to;
        let collect = |points: &mut dyn Iterator<Item = (f64, f64)>| -> Vec<Point> {
            let mut all: Vec<Point> = points.filter(|(t, y)| inside(*t, *y)).map(|(x, y)| Point { x, y }).collect();
            all.sort_by(|a, b| a.x.total_cmp(&b.x));
            all.dedup_by(|later, kept| later.x == kept.x);
            all
        };
        let floors = |wanted: Collection| series.floors.iter().filter(move |f| f.collection == wanted);
        let mut segment = Self {
            samples: collect(&mut series.samples.iter().filter_map(|s| Some((s.time, s.value?)))),
            forced: collect(&mut floors(Collection::Forced).map(|f| (f.time, f.value))),
            natural: collect(&mut floors(Collection::Natural).map(|f| (f.time, f.value))),
            progress: collect(&mut series.progress.iter().map(|p| (p.time, p.iterations))),
            ..Self::default()
        };
        let known = [&segment.samples, &segment.forced, &segment.natural];
        let first = known.iter().filter_map(|p| p.first()).map(|p| p.x).min_by(f64::total_cmp)?;
        let last = known.iter().filter_map(|p| p.last()).map(|p| p.x).max_by(f64::total_cmp)?;
        segment.out_of_memory = series.out_of_memory.iter().any(|t| *t >= first && *t <= to);
        segment.shift(first);
        segment.end = last - first;
        Some(segment)
    }

    fn shift(&mut self, origin: f64) {
        self.origin = origin;
        for points in [&mut self.samples, &mut self.forced, &mut self.natural, &mut self.progress] {
            points.iter_mut().for_each(|p| p.x -= origin);
        }
    }

    /// Iterations finished at `x`, between two known counts by a straight line.
    pub(crate) fn iterations_at(&self, x: f64) -> Option<f64> {
        let next = self.progress.partition_point(|p| p.x < x);
        let after = self.progress.get(next);
        let before = next.checked_sub(1).and_then(|i| self.progress.get(i));
        match (before, after) {
            (Some(a), Some(b)) => Some(a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x)),
            (None, Some(b)) => Some(b.y),
            (Some(a), None) => Some(a.y),
            (None, None) => None,
        }
    }
}

/// Cuts a series at its restarts; a segment without any known value is left out.
pub(crate) fn segments(series: &Series) -> Vec<Segment> {
    let mut cuts: Vec<f64> = series.restarts.iter().copied().filter(|t| t.is_finite()).collect();
    cuts.sort_by(f64::total_cmp);
    let starts = std::iter::once(f64::NEG_INFINITY).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain(std::iter::once(f64::INFINITY));
    starts.zip(ends).filter_map(|(from, to)| Segment::new(series, from, to)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(time: f64, value: Option<f64>) -> Sample {
        Sample { time, value }
    }

    #[test]
    fn unknown_values_are_left_out_and_never_zero() {
        let mut series = Series::new("heap_used", Kind::Heap, Unit::Bytes);
        series.samples =
            vec![sample(10.0, Some(5.0)), sample(11.0, None), sample(12.0, Some(f64::NAN)), sample(13.0, Some(6.0))];
        let all = segments(&series);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].samples, [Point { x: 0.0, y: 5.0 }, Point { x: 3.0, y: 6.0 }]);
    }

    #[test]
    fn a_restart_never_joins_two_lives_into_one_line() {
        let mut series = Series::new("heap_used", Kind::Heap, Unit::Bytes);
        series.samples = (0..10).map(|i| sample(f64::from(i), Some(1.0))).collect();
        series.restarts = vec![4.0];
        let lengths: Vec<usize> = segments(&series).iter().map(|s| s.samples.len()).collect();
        assert_eq!(lengths, [4, 6]);
    }

    #[test]
    fn samples_out_of_order_are_put_in_order() {
        let mut series = Series::new("rss", Kind::Plain, Unit::Bytes);
        series.samples = vec![sample(3.0, Some(3.0)), sample(1.0, Some(1.0)), sample(2.0, Some(2.0))];
        let ys: Vec<f64> = segments(&series)[0].samples.iter().map(|p| p.y).collect();
        assert_eq!(ys, [1.0, 2.0, 3.0]);
    }
}
