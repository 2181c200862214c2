//! From rrdtool's dump to the contents of a store: the same sources, archives, rows and open intervals.

use heapsoak_rrd::{Archive, CdpState, Heartbeat, Reading, Schema, Source, SourceState, SourceType, State, Step, Time};
use heapsoak_store::{Contents, NewSource, Rows};

use super::dump::{Dump, DumpedArchive, DumpedSource};
use super::error::ImportError;

const SECOND_US: u64 = 1_000_000;

/// The contents of a store that goes on where the dumped file left off, and what has to be said about it.
///
/// # Errors
/// [`ImportError`] when the parts of the dump do not fit together.
pub(crate) fn contents(dump: Dump) -> Result<(Contents, Vec<String>), ImportError> {
    let mut said: Vec<String> = dump
        .skipped
        .iter()
        .map(|cf| {
            format!(
                "archive of {cf} left out: heapsoak does not predict; what it was made from is in the other archives"
            )
        })
        .collect();
    let step = Step::new(dump.step_s.saturating_mul(SECOND_US))?;
    let last = last(dump.last_s)?;
    let heartbeat = common_heartbeat(&dump.sources, step)?;
    let mut sources: Vec<NewSource> = Vec::new();
    for dumped in &dump.sources {
        if dumped.kind.is_none() {
            said.push(format!(
                "source {} is computed by rrdtool from others, not here: it becomes a GAUGE that has its rows so far",
                dumped.name
            ));
        }
        sources.push(source(dumped, heartbeat)?.into());
    }
    let archives: Vec<Archive> = dump.archives.iter().map(archive).collect();
    let schema = Schema::new(step, sources.iter().map(|new| new.source.clone()).collect(), archives.clone())?;
    for dumped in &dump.archives {
        widths(dumped, sources.len())?;
    }
    let state = State {
        last,
        sources: dump.sources.iter().map(|dumped| open_pdp(dumped, open(last, step.micros()))).collect(),
        cdps: dump.archives.iter().map(|dumped| open_rows(dumped, last, step)).collect(),
    };
    let rows: Vec<Rows> =
        dump.archives.iter().zip(schema.archives()).map(|(d, archive)| rows(d, schema.row_us(archive), last)).collect();
    let start = begin(&schema, &rows, last);
    Ok((Contents { step, sources, archives, start, state, rows }, said))
}

fn last(last_s: u64) -> Result<Time, ImportError> {
    let micros = i64::try_from(last_s).ok().and_then(|seconds| seconds.checked_mul(SECOND_US.cast_signed()));
    // Half of what a time can be leaves room for the rows after it.
    match micros.filter(|micros| *micros < i64::MAX / 2) {
        Some(micros) => Ok(Time::from_micros(micros)),
        None => Err(ImportError::Whole(format!("last update {last_s} is no time: is the dump damaged?"))),
    }
}

/// What a computed source gets, which has no heartbeat of its own: the longest of the others.
fn common_heartbeat(sources: &[DumpedSource], step: Step) -> Result<Heartbeat, ImportError> {
    let longest = sources.iter().filter_map(|source| source.heartbeat_s).max();
    Ok(Heartbeat::new(longest.map_or(step.micros(), |seconds| seconds.saturating_mul(SECOND_US)))?)
}

fn source(dumped: &DumpedSource, computed: Heartbeat) -> Result<Source, ImportError> {
    let heartbeat = match dumped.heartbeat_s {
        Some(seconds) => Heartbeat::new(seconds.saturating_mul(SECOND_US))?,
        None => computed,
    };
    // rrdtool takes an infinite limit, and it is none.
    let limit = |value: f64| Some(value).filter(|value| value.is_finite());
    let kind = dumped.kind.unwrap_or(SourceType::Gauge);
    Ok(Source { name: dumped.name.clone(), kind, heartbeat, min: limit(dumped.min), max: limit(dumped.max) })
}

fn archive(dumped: &DumpedArchive) -> Archive {
    let rows = dumped.values.len().checked_div(dumped.width).unwrap_or(0) as u64;
    Archive { cf: dumped.cf, xff: dumped.xff, pdps_per_row: dumped.pdps_per_row, rows }
}

fn widths(dumped: &DumpedArchive, sources: usize) -> Result<(), ImportError> {
    if dumped.width == sources && dumped.cdps.len() == sources {
        return Ok(());
    }
    let what = format!(
        "an archive with rows of {} values and {} open rows, where there are {sources} sources",
        dumped.width,
        dumped.cdps.len()
    );
    Err(ImportError::at(dumped.line, what))
}

/// Time since the last border of an interval, in microseconds.
fn open(last: Time, width_us: u64) -> u64 {
    last.as_micros().rem_euclid(width_us.cast_signed()).cast_unsigned()
}

fn known(value: f64) -> Option<f64> {
    Some(value).filter(|value| !value.is_nan())
}

/// rrdtool does not check what it reads, so a file may claim more unknown time than has passed; that is cut.
fn open_pdp(dumped: &DumpedSource, open_us: u64) -> SourceState {
    SourceState {
        last_reading: Reading::from_text(&dumped.last_reading),
        value: known(dumped.value).filter(|_| open_us > 0),
        unknown_us: dumped.unknown_s.saturating_mul(SECOND_US).min(open_us),
    }
}

fn open_rows(dumped: &DumpedArchive, last: Time, step: Step) -> Vec<CdpState> {
    // Cannot be 0: the schema has been checked.
    let row_us = step.micros().saturating_mul(dumped.pdps_per_row).max(1);
    let open_pdps = open(last, row_us) / step.micros();
    let row = |&(value, unknown): &(f64, u64)| CdpState {
        // A row that has just begun holds what is left of the one before, which must not count again.
        value: known(value).filter(|_| open_pdps > 0),
        unknown_pdps: unknown.min(open_pdps),
    };
    dumped.cdps.iter().map(row).collect()
}

/// The rows from the first on of which anything is known: before it, nothing was ever recorded.
fn rows(dumped: &DumpedArchive, row_us: u64, last: Time) -> Rows {
    let newest = last.as_micros().saturating_sub_unsigned(open(last, row_us));
    let all = dumped.values.len() / dumped.width.max(1);
    let rows = dumped.values.chunks(dumped.width.max(1)).enumerate();
    let timed = rows.map(|(index, values)| {
        let age = (all - 1 - index) as u64;
        let time = Time::from_micros(newest.saturating_sub_unsigned(age.saturating_mul(row_us)));
        (time, values.iter().map(|value| known(*value)).collect::<Vec<_>>())
    });
    timed.skip_while(|(_, values)| values.iter().all(Option::is_none)).collect()
}

/// When the recording began, as far as the rows tell: within the first row of each ring that has not yet gone round, and
/// before the end of the first row of every ring.
fn begin(schema: &Schema, rows: &[Rows], last: Time) -> Time {
    let step_us = schema.step().micros();
    let (mut within, mut before, mut oldest) = (None, None, None);
    for (archive, rows) in schema.archives().iter().zip(rows) {
        let Some((end, _)) = rows.first() else { continue };
        let start = end.as_micros().saturating_sub_unsigned(schema.row_us(archive));
        oldest = Some(oldest.map_or(start, |known: i64| known.min(start)));
        if (rows.len() as u64) < archive.rows {
            within = within.max(Some(start));
        }
        let latest = end.as_micros().saturating_sub_unsigned(step_us);
        before = Some(before.map_or(latest, |known: i64| known.min(latest)));
    }
    let begin = match (within, before) {
        (Some(within), Some(before)) => Some(within.min(before)),
        _ => oldest,
    };
    begin.map_or(last, Time::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The begin, where the first known row of each archive ends at the second given.
    fn begun(archives: &[(&str, i64)]) -> i64 {
        let step = Step::new(1_000_000).unwrap();
        let parsed = archives.iter().map(|(text, _)| Archive::parse(text, step).unwrap()).collect();
        let schema = Schema::new(step, vec!["DS:a:GAUGE:2:U:U".parse().unwrap()], parsed).unwrap();
        let rows = |((_, end), archive): (&(&str, i64), &Archive)| {
            let width = i64::try_from(schema.row_us(archive)).unwrap() / 1_000_000;
            (0..)
                .map(|row| end + row * width)
                .take_while(|end| *end <= 1000)
                .map(|end| (Time::from_secs(end), vec![None]))
                .collect()
        };
        let rows: Vec<Rows> = archives.iter().zip(schema.archives()).map(rows).collect();
        begin(&schema, &rows, Time::from_secs(1000)).whole_secs()
    }

    #[test]
    fn a_recording_began_where_the_finest_rows_that_are_all_there_begin() {
        assert_eq!(begun(&[("AVERAGE:1:900", 201), ("MAX:60:100", 240)]), 200);
        assert_eq!(begun(&[("AVERAGE:1:100", 901), ("MAX:60:100", 240)]), 180);
    }

    #[test]
    fn no_known_row_lies_before_the_begin() {
        assert_eq!(begun(&[("AVERAGE:0:60:900", 600), ("AVERAGE:1:900", 211)]), 210);
        assert_eq!(begun(&[("AVERAGE:1:100", 901), ("MAX:60:5", 720)]), 660);
        assert_eq!(begun(&[("AVERAGE:1:100", 1001)]), 1000);
    }
}
