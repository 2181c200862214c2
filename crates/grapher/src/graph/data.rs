//! DEF: from the archives of one or several stores to rows for a picture of a certain width.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use heapsoak_chart::Unit;
use heapsoak_cli::time::{Span, TimeSpec};
use heapsoak_rrd::Time;
use heapsoak_rrd::fetch::{self, Window};
use heapsoak_store::{Info, Reader, StoreError};

use super::elements::Def;
use super::parse;
use super::rows::{MOST_ROWS, Reducer, Rows};
use crate::notice::{self, Known};
use crate::picture::unit_of;

/// A second in microseconds.
const SECOND_US: i64 = 1_000_000;

/// The picture's time: its ends, the present, and the least length of a row that can be seen in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    pub(crate) span: Span,
    pub(crate) now_us: i64,
    pub(crate) step_us: i64,
}

impl Scope {
    /// As with rrdtool, the length of a pixel is whole seconds, cut; only where it is less than one it may be a part.
    pub(crate) fn new(span: Span, now_us: i64, width: u32, step_us: Option<i64>) -> Self {
        let pixel_us = span.end_us.saturating_sub(span.start_us) / i64::from(width.max(1));
        let whole_us = pixel_us - pixel_us % SECOND_US;
        let pixel_us = if whole_us > 0 { whole_us } else { pixel_us };
        Self { span, now_us, step_us: step_us.unwrap_or(0).max(pixel_us).max(1) }
    }
}

/// The rows of a DEF, what they are, and since when there are none, if that is so.
pub(crate) struct Fetched {
    pub(crate) rows: Rows,
    pub(crate) unit: Unit,
    pub(crate) notice: Option<String>,
}

/// The stores of one picture, each opened once.
#[derive(Default)]
pub(crate) struct Stores {
    open: HashMap<PathBuf, (Reader, Info)>,
}

impl Stores {
    pub(crate) fn fetch(&mut self, def: &Def, scope: Scope) -> anyhow::Result<Fetched> {
        let span = own_span(def, scope)?;
        let (reader, info) = self.store(&def.path)?;
        let wanted_us = def.step_us.unwrap_or(scope.step_us);
        let (start, end) = (Time::from_micros(span.start_us), Time::from_micros(span.end_us));
        let least_us = wanted_us.max(scope.step_us);
        check_length(&fetch::frame(&info.schema, info.last, def.cf, start, end, wanted_us.unsigned_abs())?, least_us)?;
        let reducer = |frame: &Window, held: &Window| {
            let row_us = i64::try_from(frame.row_us).unwrap_or(i64::MAX);
            let mut reducer = Reducer::new(frame.start.as_micros(), row_us, least_us, def.reduce);
            reducer.take_unknown(Window { end: held.start, ..*frame }.rows());
            reducer
        };
        let mut column = reader.fetch_column(&def.source, def.cf, (start, end), wanted_us.unsigned_abs(), reducer)?;
        column.values.take_unknown(Window { start: column.window.end, ..column.frame }.rows());
        if column.damaged > 0 {
            let path = def.path.display();
            tracing::warn!(
                "{path}: {} damaged values are left unknown: grapher info --verify names them",
                column.damaged
            );
        }
        let row_us = i64::try_from(column.window.row_us).unwrap_or(i64::MAX);
        let step_us = i64::try_from(info.schema.step().micros()).unwrap_or(i64::MAX);
        let known = Known {
            newest_us: column.values.newest_us(),
            last_us: (info.last > info.start).then(|| info.last.as_micros()),
            fresh_us: row_us.saturating_mul(2).saturating_add(step_us.saturating_mul(3)),
        };
        let source = info.sources.iter().find(|source| source.source.name.as_str() == def.source);
        Ok(Fetched {
            rows: column.values.rows(),
            unit: source.map_or(Unit::Plain, unit_of),
            notice: notice::notice(known, span, scope.now_us),
        })
    }

    fn store(&mut self, path: &Path) -> anyhow::Result<&(Reader, Info)> {
        Ok(match self.open.entry(path.to_owned()) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(free) => {
                let reader = match Reader::open(path) {
                    Err(StoreError::Foreign { .. }) if is_rrd(path) => {
                        anyhow::bail!(parse::import(&path.display().to_string()))
                    }
                    opened => opened?,
                };
                let info = reader.info()?;
                free.insert((reader, info))
            }
        })
    }
}

/// Refuses what a DEF with times of its own, or a small `--step`, would make more rows of than fit in memory.
fn check_length(frame: &Window, least_us: i64) -> anyhow::Result<()> {
    let row_us = frame.row_us.max(least_us.unsigned_abs());
    let rows = frame.start.as_micros().abs_diff(frame.end.as_micros()) / row_us.max(1);
    ensure!(
        rows <= MOST_ROWS.unsigned_abs(),
        "{}, and at most {MOST_ROWS} can be drawn: give a later start, or a longer step",
        notice::too_many_rows(frame.start, frame.end, rows, row_us)
    );
    Ok(())
}

/// Whether the file begins as rrdtool's do, whatever it is called.
fn is_rrd(path: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && &magic == b"RRD\0"
}

/// The DEF's own times; where it has none, the picture's.
fn own_span(def: &Def, scope: Scope) -> anyhow::Result<Span> {
    if def.start.is_none() && def.end.is_none() {
        return Ok(scope.span);
    }
    let start = def.start.clone().map_or_else(|| at(scope.span.start_us), Ok)?;
    let end = def.end.clone().map_or_else(|| at(scope.span.end_us), Ok)?;
    Ok(Span::resolve(&start, &end, scope.now_us)?)
}

fn at(time_us: i64) -> anyhow::Result<TimeSpec> {
    let text = format!("{}.{:06}", time_us.div_euclid(SECOND_US), time_us.rem_euclid(SECOND_US));
    text.parse().with_context(|| format!("a DEF with its own start or end cannot be drawn at {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(length_us: i64, width: u32, step_us: Option<i64>) -> i64 {
        Scope::new(Span { start_us: 5, end_us: 5 + length_us }, 0, width, step_us).step_us
    }

    #[test]
    fn a_pixel_is_whole_seconds_unless_it_is_less_than_one() {
        assert_eq!(step(2_000 * SECOND_US, 800, None), 2 * SECOND_US);
        assert_eq!(step(600 * SECOND_US, 800, None), 750_000);
        assert_eq!(step(600 * SECOND_US, 800, Some(60 * SECOND_US)), 60 * SECOND_US);
        assert_eq!(step(7_200 * SECOND_US, 100, Some(60 * SECOND_US)), 72 * SECOND_US);
        assert_eq!(step(0, 0, None), 1);
    }

    #[test]
    fn rows_that_fit_in_no_memory_are_refused_in_peoples_words() {
        let (start, end) = (Time::from_secs(0), Time::from_secs(1_700_000_000));
        let frame = Window { archive: 0, start, end, row_us: 3_000_000 };
        let said = |least_us| check_length(&frame, least_us).map_err(|error| error.to_string()).err();
        let text = said(1_000_000).unwrap();
        assert!(text.contains(": 566666666 rows of 3s, and at most 20000000 can be drawn"), "{text}");
        assert_eq!(said(100 * SECOND_US), None);
    }

    #[test]
    fn a_def_may_have_one_end_of_its_own() {
        let scope = Scope::new(Span { start_us: 100 * SECOND_US, end_us: 200 * SECOND_US }, 0, 100, None);
        let word = |text: &str| super::super::elements::Script::parse(&[text.to_owned()]).unwrap();
        let script = word("DEF:a=x.db:a:AVERAGE:start=end-30");
        let super::super::elements::What::Def(def) = &script.definitions[0].what else { panic!("no DEF") };
        assert_eq!(own_span(def, scope).unwrap(), Span { start_us: 170 * SECOND_US, end_us: 200 * SECOND_US });
    }
}
