//! From the store's tables to the series that are judged: samples, floors, progress, lives.

use heapsoak_rrd::{Cf, Time};
use heapsoak_store::{Gc, GcKind, Info, Reader, StoreError, Table, Wanted};
use heapsoak_verdict::{Collection, Floor, Kind, Progress, Sample, Series};

use super::lives::Lives;
use super::names::{Known, Role};
use super::rows::{Stretch, windows};

/// The functions that serve, best first.
const LOWEST: [Cf; 4] = [Cf::Min, Cf::Average, Cf::Last, Cf::Max];
const MEAN: [Cf; 4] = [Cf::Average, Cf::Last, Cf::Min, Cf::Max];

/// With so many floors, and as many again for a warm-up, a heap is judged by them: the collector's work need not be seen in
/// its samples too, and reading a week of them takes a while.
const ENOUGH_FLOORS: usize = 20;

/// One target of a store, and the time to judge.
pub(crate) struct Target<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) info: &'a Info,
    pub(crate) label: &'a str,
    pub(crate) lives: &'a Lives,
    pub(crate) start: Time,
    pub(crate) end: Time,
}

/// What the store holds of one target.
pub(crate) struct Gathered {
    pub(crate) series: Vec<Series>,
    /// The newest known limit of its heap.
    pub(crate) limit: Option<f64>,
    /// Values that are unknown because the check of their row failed.
    pub(crate) damaged: u64,
}

impl Target<'_> {
    /// The series of `sources`, all of this target; `progress` and `limit` are sources too.
    pub(crate) fn gather(
        &self,
        sources: &[&Known],
        progress: Option<&Known>,
        limit: Option<&Known>,
    ) -> Result<Gathered, StoreError> {
        let names = |known: &[&Known]| known.iter().map(|known| known.name.clone()).collect::<Vec<_>>();
        let low_names = names(&[sources, limit.as_slice()].concat());
        let low = self.tables(&LOWEST, low_names)?;
        let heaps: Vec<&Known> = sources.iter().copied().filter(|known| known.kind == Kind::Heap).collect();
        let majors = self.reader.gc(self.start, self.end, Some(GcKind::Major), Some(self.label))?;
        let needs_high = !heaps.is_empty() && self.in_newest_life(&majors) < ENOUGH_FLOORS;
        let high = if needs_high { self.tables(&[Cf::Max], names(&heaps))? } else { Vec::new() };
        let passed =
            progress.map(|known| self.tables(&MEAN, vec![known.name.clone()])).transpose()?.unwrap_or_default();
        let counted = progress.map_or_else(Vec::new, |known| progress_of(&passed, known.is_rate));
        let series = |(column, known): (usize, &&Known)| Series {
            samples: self.samples(&low, column, &high, heaps.iter().position(|heap| heap.name == known.name)),
            floors: floors(&majors, &low, column, known.role),
            progress: counted.clone(),
            restarts: self.lives.cuts.clone(),
            out_of_memory: self.lives.deaths.clone(),
            ..Series::new(known.name.clone(), known.kind, known.unit)
        };
        let newest =
            |column: usize| low.iter().rev().flat_map(|table| table.rows.iter().rev()).find_map(|row| row.1[column]);
        Ok(Gathered {
            series: sources.iter().enumerate().map(series).collect(),
            limit: limit.and_then(|_| newest(sources.len())),
            damaged: low.iter().chain(&high).chain(&passed).map(|table| table.damaged).sum(),
        })
    }

    /// Collections of the life that goes on at the end.
    fn in_newest_life(&self, majors: &[Gc]) -> usize {
        let born = self.lives.cuts.last().copied().unwrap_or(f64::NEG_INFINITY);
        majors.iter().filter(|gc| gc.seen.time.as_secs_f64() > born).count()
    }

    fn tables(&self, functions: &[Cf], sources: Vec<String>) -> Result<Vec<Table>, StoreError> {
        let stretch = Stretch { start: self.start, end: self.end, cuts: &self.lives.cuts };
        let windows = windows(&self.info.archives, functions, stretch);
        let wanted = |_: &Info| Ok::<_, StoreError>(Wanted { windows, sources, events: None });
        Ok(self.reader.whole(wanted)?.tables)
    }

    /// The lowest value of each row and, of a heap, the highest after it: without it the collector's work would be
    /// invisible where rows are longer than the time between two collections. From a row's highest value to the next
    /// one's lowest the heap has truly fallen.
    fn samples(&self, low: &[Table], column: usize, high: &[Table], high_column: Option<usize>) -> Vec<Sample> {
        let mut samples = Vec::new();
        for (number, table) in low.iter().enumerate() {
            let row_us = table.window.row_us;
            let row_s = seconds(row_us);
            // Rows of one PDP serve as lowest and as highest: beside themselves they would only cut falls in two.
            let beside = high.get(number).filter(|high| {
                let (high, low) = (&high.window, &table.window);
                high.start == low.start && high.row_us == row_us && high.archive != low.archive
            });
            for (index, (time, values)) in table.rows.iter().enumerate() {
                if self.has_cut(*time, row_us) {
                    continue;
                }
                let time = time.as_secs_f64();
                // Two samples of one time would be one: the lowest value stands in the middle of its row.
                samples.push(Sample { time: time - row_s / 2.0, value: values[column] });
                if let Some(value) = high_column.and_then(|column| beside?.rows.get(index)?.1[column]) {
                    samples.push(Sample { time, value: Some(value) });
                }
            }
        }
        samples
    }

    /// Whether a row that ends at `time` belongs to two lives.
    fn has_cut(&self, time: Time, row_us: u64) -> bool {
        let end = time.as_secs_f64();
        let start = Time::from_micros(time.as_micros().saturating_sub_unsigned(row_us)).as_secs_f64();
        let cuts = &self.lives.cuts;
        cuts.get(cuts.partition_point(|cut| *cut <= start)).is_some_and(|cut| *cut < end)
    }
}

/// Sizes after full collections: of the heap as they were measured, of what it holds as the least value of the row in
/// which the collection fell.
fn floors(majors: &[Gc], low: &[Table], column: usize, role: Role) -> Vec<Floor> {
    let floor = |gc: &Gc, value: f64| Floor {
        time: gc.seen.time.as_secs_f64(),
        value,
        collection: if gc.seen.forced { Collection::Forced } else { Collection::Natural },
    };
    match role {
        Role::Heap => majors.iter().filter_map(|gc| Some(floor(gc, bytes(gc.seen.after_bytes?)))).collect(),
        Role::Held => {
            let mut found: Vec<Floor> = Vec::new();
            let mut last_row = None;
            for gc in majors {
                let Some((row, value)) = row_of(low, gc.seen.time, column) else { continue };
                if last_row != Some(row) {
                    found.push(floor(gc, value));
                }
                last_row = Some(row);
            }
            found
        }
        _ => Vec::new(),
    }
}

/// The end of the row that holds `time`, and its value.
fn row_of(tables: &[Table], time: Time, column: usize) -> Option<(Time, f64)> {
    let table = tables.iter().find(|table| time > table.window.start && time <= table.window.end)?;
    let (end, values) = table.rows.get(table.rows.partition_point(|(end, _)| *end < time))?;
    Some((*end, values[column]?))
}

/// How many iterations were finished at the end of each row; a rate is counted from 0.
fn progress_of(tables: &[Table], is_rate: bool) -> Vec<Progress> {
    let mut finished = 0.0;
    let mut found = Vec::new();
    for table in tables {
        let row_s = seconds(table.window.row_us);
        for (time, values) in &table.rows {
            let Some(value) = values.first().copied().flatten() else { continue };
            finished = if is_rate { finished + value * row_s } else { value };
            found.push(Progress { time: time.as_secs_f64(), iterations: finished });
        }
    }
    found
}

fn seconds(row_us: u64) -> f64 {
    Time::from_micros(i64::try_from(row_us).unwrap_or(i64::MAX)).as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "a heap has fewer than 2^53 bytes")]
fn bytes(size: u64) -> f64 {
    size as f64
}

#[cfg(test)]
mod tests {
    use heapsoak_rrd::fetch::Window;

    use super::*;

    fn table(start_s: i64, row_s: u64, values: &[Option<f64>]) -> Table {
        let (start, row_us) = (Time::from_secs(start_s), row_s * 1_000_000);
        let end = Time::from_micros(start.as_micros().saturating_add_unsigned(row_us * values.len() as u64));
        let window = Window { archive: 0, start, end, row_us };
        let rows = window.times().zip(values.iter().map(|value| vec![*value])).collect();
        Table { window, names: vec!["a".to_owned()], rows, damaged: 0 }
    }

    #[test]
    fn a_rate_is_counted_over_rows_of_any_length_and_unknown_rows_count_nothing() {
        let tables = [table(0, 60, &[Some(2.0), None]), table(120, 3, &[Some(10.0)])];
        let counted: Vec<f64> = progress_of(&tables, true).iter().map(|p| p.iterations).collect();
        assert_eq!(counted, [120.0, 150.0]);
        let as_it_is: Vec<f64> = progress_of(&tables, false).iter().map(|p| p.iterations).collect();
        assert_eq!(as_it_is, [2.0, 10.0]);
    }

    #[test]
    fn what_a_heap_held_after_a_collection_is_the_low_of_its_row() {
        let tables = [table(0, 3, &[Some(5.0), None, Some(7.0)])];
        let at = |second| row_of(&tables, Time::from_secs(second), 0);
        assert_eq!(at(3), Some((Time::from_secs(3), 5.0)));
        assert_eq!(at(4), None);
        assert_eq!(at(9), Some((Time::from_secs(9), 7.0)));
        assert_eq!((at(0), at(10)), (None, None));
    }
}
