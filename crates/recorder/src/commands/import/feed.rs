//! From samples to the contents of a store: step and heartbeat chosen to fit, then the arithmetic of a recording.

use heapsoak_rrd::fetch::Window;
use heapsoak_rrd::{
    Archive, Cf, Heartbeat, Reading, Rings, RoundRobin, Schema, Source, SourceType, Step, Time, UpdateError, Xff, fetch,
};
use heapsoak_store::{Contents, NewSource};

use super::error::ImportError;
use super::table::Samples;

const SECOND_US: i64 = 1_000_000;

/// Rows of the archive that keeps each PDP of the file: at least what the finest archive of a recording covers, so that
/// there is room for what is appended, and at most eleven days of seconds.
const EXACT_ROWS: std::ops::RangeInclusive<u64> = 7_200..=1_000_000;

/// What the store is to be like; `None` and empty: what fits the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) step: Option<Step>,
    pub(crate) heartbeat: Option<Heartbeat>,
    /// Definitions as of `--rra`.
    pub(crate) archives: Vec<String>,
}

/// Whole seconds nearest to the usual time between two samples, at least one.
pub(crate) fn usual_step(samples: &Samples) -> Result<Step, ImportError> {
    let mut intervals: Vec<i64> = samples.times_us.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    intervals.sort_unstable();
    let median = intervals.get(intervals.len() / 2).copied().unwrap_or(SECOND_US);
    let seconds = median.saturating_add(SECOND_US / 2).div_euclid(SECOND_US).max(1);
    Ok(Step::new(seconds.saturating_mul(SECOND_US).unsigned_abs())?)
}

/// Turns times that count from 0 into instants: 0 is at `zero_us`.
pub(crate) fn anchor(samples: &mut Samples, zero_us: i64) {
    if samples.from_zero {
        samples.times_us.iter_mut().for_each(|time| *time = time.saturating_add(zero_us));
        samples.from_zero = false;
    }
}

/// The instant at which times from 0 begin so that the last sample is `now`, on a border of the step.
pub(crate) fn zero_before(samples: &Samples, now_us: i64, step: Step) -> i64 {
    let step_us = step.micros().cast_signed();
    let last = samples.times_us.last().copied().unwrap_or(0);
    now_us.saturating_sub(last).div_euclid(step_us).saturating_mul(step_us)
}

/// What a store holds that was fed with all samples, the first of which is believed for one step before it.
///
/// # Errors
/// [`ImportError`] when step, heartbeat and archives do not fit together.
pub(crate) fn contents(samples: &Samples, shape: &Shape, defaults: &[&str]) -> Result<Contents, ImportError> {
    let step = match shape.step {
        Some(step) => step,
        None => usual_step(samples)?,
    };
    let heartbeat = match shape.heartbeat {
        Some(heartbeat) => heartbeat,
        None => Heartbeat::new(step.micros().saturating_mul(2))?,
    };
    let gauge = |name: &heapsoak_rrd::SourceName| {
        let source = Source { name: name.clone(), kind: SourceType::Gauge, heartbeat, min: None, max: None };
        NewSource { unit: unit(name.as_str()).to_owned(), ..source.into() }
    };
    let sources: Vec<NewSource> = samples.names.iter().map(gauge).collect();
    let archives = archives(samples, shape, step, defaults)?;
    let schema = Schema::new(step, sources.iter().map(|new| new.source.clone()).collect(), archives.clone())?;
    let first = samples.times_us.first().copied().unwrap_or(0);
    let start = Time::from_micros(first.saturating_sub_unsigned(step.micros()));
    let mut rings = Rings::new(&schema);
    let mut machine = RoundRobin::new(schema, start);
    for (time, readings) in readings(samples) {
        let fed = machine.update(time, &readings, &mut |row| rings.apply(row));
        fed.map_err(|error: UpdateError| ImportError::Whole(error.to_string()))?;
    }
    let rows = (0..archives.len()).map(|archive| rings.fetch(&written(&machine, archive, start))).collect();
    Ok(Contents { step, sources, archives, start, state: machine.state().clone(), rows })
}

/// The samples as updates.
pub(crate) fn readings(samples: &Samples) -> impl Iterator<Item = (Time, Vec<Reading>)> {
    let values = samples.values.chunks(samples.names.len().max(1));
    let times = samples.times_us.iter().map(|micros| Time::from_micros(*micros));
    times.zip(values.map(|row| row.iter().map(|value| Reading::from(*value)).collect()))
}

/// The archives asked for; else those of a recording, and one that keeps each PDP of the file, so that nothing of it is lost.
fn archives(samples: &Samples, shape: &Shape, step: Step, defaults: &[&str]) -> Result<Vec<Archive>, ImportError> {
    if !shape.archives.is_empty() {
        return Ok(shape.archives.iter().map(|text| Archive::parse(text, step)).collect::<Result<_, _>>()?);
    }
    let mut archives = defaults.iter().map(|text| Archive::parse(text, step)).collect::<Result<Vec<_>, _>>()?;
    let span = match (samples.times_us.first(), samples.times_us.last()) {
        (Some(first), Some(last)) => last.abs_diff(*first),
        _ => 0,
    };
    let rows = (span / step.micros()).saturating_add(2).clamp(*EXACT_ROWS.start(), *EXACT_ROWS.end());
    archives.push(Archive { cf: Cf::Average, xff: Xff::HALF, pdps_per_row: 1, rows });
    Ok(archives)
}

/// The rows of an archive that have been written since `start`.
fn written(machine: &RoundRobin, archive: usize, start: Time) -> Window {
    let schema = machine.schema();
    let row_us = schema.archives().get(archive).map_or(1, |archive| schema.row_us(archive));
    let (first, last) = fetch::held(schema, machine.last(), archive);
    let width = row_us.cast_signed();
    let begin = start.as_micros().div_euclid(width).saturating_mul(width);
    let oldest = Time::from_micros(first.as_micros().saturating_sub_unsigned(row_us).max(begin));
    Window { archive, start: oldest.min(last), end: last, row_us }
}

/// What a column counts, where its name says so.
fn unit(name: &str) -> &'static str {
    const BYTES: [&str; 8] =
        ["heap_used", "heap_total", "heap", "rss", "external", "array_buffers", "embedder_heap", "backing_store"];
    let is = |known: &str| name == known || name.ends_with(&format!("_{known}"));
    if name.ends_with("bytes") || BYTES.into_iter().any(is) {
        "bytes"
    } else if name.ends_with("_ms") {
        "ms"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::import::table;

    fn samples(text: &str) -> Samples {
        table::read(text.as_bytes(), &[]).unwrap()
    }

    fn fed(text: &str, archives: &[&str]) -> Contents {
        let shape = Shape { archives: archives.iter().map(|text| (*text).to_owned()).collect(), ..Shape::default() };
        contents(&samples(text), &shape, &[]).unwrap()
    }

    #[test]
    fn the_step_is_the_usual_interval_in_whole_seconds() {
        for (times, seconds) in [
            (&["1", "2.01", "3", "9"][..], 1),
            (&["0", "15.4", "30", "45.2"], 15),
            (&["0", "0.05", "0.1"], 1),
            (&["7"], 1),
        ] {
            let text: String = times.iter().map(|time| format!("{time},1\n")).collect();
            let step = usual_step(&samples(&format!("time,a\n{text}"))).unwrap();
            assert_eq!(step.micros(), seconds * 1_000_000, "{times:?}");
        }
    }

    #[test]
    fn regular_samples_become_rows_of_the_same_values() {
        let contents = fed("time,a,b\n1700000010,1,\n1700000020,2,5\n1700000030,,6\n1700000040,4,7\n", &["LAST:1:10"]);
        let values: Vec<_> = contents.rows[0].iter().map(|(time, row)| (time.whole_secs(), row.clone())).collect();
        assert_eq!(
            values,
            [
                (1_700_000_010, vec![Some(1.0), None]),
                (1_700_000_020, vec![Some(2.0), Some(5.0)]),
                (1_700_000_030, vec![None, Some(6.0)]),
                (1_700_000_040, vec![Some(4.0), Some(7.0)]),
            ]
        );
        assert_eq!(contents.start, Time::from_secs(1_700_000_000));
    }

    #[test]
    fn nothing_of_a_long_file_is_lost_in_the_default_archives() {
        let lines: String = (0..9000).map(|second| format!("{},{second}\n", 1_700_000_000 + second)).collect();
        let samples = samples(&format!("time,a\n{lines}"));
        let contents = contents(&samples, &Shape::default(), &["AVERAGE:3:2400"]).unwrap();
        assert_eq!(contents.rows[0].len(), 2400);
        assert_eq!(contents.rows[1].len(), 9000);
        assert_eq!(contents.rows[1][0], (Time::from_secs(1_700_000_000), vec![Some(0.0)]));
    }

    #[test]
    fn a_gap_longer_than_the_heartbeat_is_unknown_and_not_a_line() {
        let contents =
            fed("time,a\n1700000001,1\n1700000002,1\n1700000003,1\n1700000009,1\n1700000010,1\n", &["LAST:1:20"]);
        let unknown = contents.rows[0].iter().filter(|(_, row)| row[0].is_none()).count();
        assert_eq!((contents.rows[0].len(), unknown), (10, 6));
    }

    #[test]
    fn seconds_from_zero_end_now_and_begin_on_a_step() {
        let mut samples = samples("t_s,a\n0.25,1\n60.25,2\n");
        let step = usual_step(&samples).unwrap();
        let zero = zero_before(&samples, 1_700_000_000_000_000, step);
        anchor(&mut samples, zero);
        assert_eq!(samples.times_us, [1_699_999_920_250_000, 1_699_999_980_250_000]);
    }

    #[test]
    fn units_are_told_where_names_tell_them() {
        for (name, said) in
            [("heap_used", "bytes"), ("api_rss", "bytes"), ("rss_bytes", "bytes"), ("lag_ms", "ms"), ("ops", "")]
        {
            assert_eq!(unit(name), said, "{name}");
        }
    }
}
