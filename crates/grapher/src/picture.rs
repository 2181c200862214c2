//! From what a store holds to what is drawn: which source, which rows, which words.

use std::time::Duration;

use heapsoak_chart::{Baseline, Panel, Picture, Point, Size, Theme, Unit, Zone};
use heapsoak_cli::time::{Span, TimeSpec};
use heapsoak_cli::{duration, redact};
use heapsoak_rrd::fetch::FetchError;
use heapsoak_rrd::{Cf, SourceType, Time};
use heapsoak_store::{Column, Info, NewSource, Reader, Run, StoreError};

use crate::aligned::{self, Alignment};
use crate::marks;
use crate::notice::{self, Known};
use crate::panels::{View, Wanted};
use crate::verdict::draw_trend;

/// What the picture shows, free of the command line.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) start: TimeSpec,
    pub(crate) end: TimeSpec,
    pub(crate) wanted: Wanted,
    /// From the start of a run, instead of by the time of day.
    pub(crate) alignment: Option<Alignment>,
    /// Draw the trends, and say the verdicts.
    pub(crate) trend: bool,
    /// `None`: the sources and the target of the run.
    pub(crate) title: Option<String>,
    pub(crate) size: Size,
    /// `None`: by the unit.
    pub(crate) baseline: Option<Baseline>,
    pub(crate) theme: Theme,
    pub(crate) scale: f64,
}

impl Settings {
    /// Whether the picture's span stays where it is as time passes.
    pub(crate) fn is_fixed(&self) -> bool {
        !self.start.moves() && !self.end.moves() && self.alignment.is_none()
    }

    /// Fails for what no store can mend: a span without ends, a size that cannot be drawn.
    pub(crate) fn check(&self, now_us: i64) -> anyhow::Result<()> {
        let span = Span::resolve(&self.start, &self.end, now_us)?;
        let mut empty = self.empty(String::new(), span);
        empty.panels = vec![Panel::new("", Unit::Bytes)];
        heapsoak_chart::layout(&empty)?;
        Ok(())
    }

    pub(crate) fn empty(&self, title: String, span: Span) -> Picture {
        let mut picture = Picture::new(title, seconds(span.start_us), seconds(span.end_us));
        picture.size = self.size;
        picture.theme = self.theme;
        picture.scale = self.scale;
        picture
    }
}

/// Reads what `settings` ask for as of `now_us`.
pub(crate) fn of_store(reader: &Reader, settings: &Settings, now_us: i64) -> anyhow::Result<Picture> {
    let span = Span::resolve(&settings.start, &settings.end, now_us)?;
    if let Some(alignment) = &settings.alignment {
        return aligned::picture(reader, settings, alignment, span);
    }
    let info = reader.info()?;
    let view = View { reader, info: &info, span, width: settings.size.width, baseline: settings.baseline };
    let drawn = view.draw(&settings.wanted)?;
    let events = reader.events(Time::from_micros(span.start_us), Time::from_micros(span.end_us))?;

    let run = run_of(&info.runs, span);
    let title = settings.title.clone().unwrap_or_else(|| title_of(&drawn.names, run));
    let mut picture = settings.empty(title, span);
    picture.subtitle = subtitle(&info, run, span);
    picture.marks = marks::of_events(&events);
    picture.notice = drawn.newest.and_then(|known| notice::notice(known, span, now_us));
    picture.panels = drawn.panels;
    picture.comments = drawn.said;
    if settings.trend {
        draw_trend(&mut picture, reader, &info, span, now_us)?;
    }
    Ok(picture)
}

/// `heap_used`, else the first in bytes, else the first.
pub(crate) fn default_source(sources: &[NewSource]) -> Option<String> {
    let named = sources.iter().find(|s| s.source.name.as_str() == "heap_used");
    let found = named.or_else(|| sources.iter().find(|s| unit_of(s) == Unit::Bytes)).or(sources.first());
    found.map(|s| s.source.name.as_str().to_owned())
}

/// What the archived values of a source are: readings of all types but GAUGE are archived as their change per second.
///
/// A store that was made by `create` knows no units; there the name has to tell.
pub(crate) fn unit_of(source: &NewSource) -> Unit {
    let name = source.source.name.as_str();
    let looks_like_bytes = ["heap", "rss", "memory", "bytes"].iter().any(|part| name.contains(part));
    let unit = match Unit::from_name(&source.unit) {
        Unit::Plain if looks_like_bytes => Unit::Bytes,
        unit => unit,
    };
    match (source.source.kind, unit) {
        (SourceType::Gauge, unit) => unit,
        (_, Unit::Bytes) => Unit::BytesPerSecond,
        (_, Unit::Count | Unit::Plain) => Unit::PerSecond,
        (_, unit) => unit,
    }
}

/// The newest run that had begun when the picture ends, else the first.
pub(crate) fn run_of(runs: &[Run], span: Span) -> Option<&Run> {
    runs.iter().rev().find(|run| run.begun.started.as_micros() <= span.end_us).or(runs.first())
}

/// Many names would leave no room for the target, and each panel has its own beside it.
pub(crate) fn title_of(names: &[String], run: Option<&Run>) -> String {
    match title("", run).strip_prefix(" of ") {
        Some(target) if names.len() > 2 => target.to_owned(),
        _ => title(&names.join(", "), run),
    }
}

fn title(name: &str, run: Option<&Run>) -> String {
    match run.map(|run| redact::url(&run.begun.target)).filter(|target| !target.is_empty()) {
        Some(target) => format!("{name} of {target}"),
        None => name.to_owned(),
    }
}

/// The file, the run, how long the picture's span is, and whose clock labels it.
pub(crate) fn subtitle(info: &Info, run: Option<&Run>, span: Span) -> String {
    let file = info.path.file_name().unwrap_or(info.path.as_os_str()).to_string_lossy();
    let length = Duration::from_micros(u64::try_from(span.end_us.saturating_sub(span.start_us)).unwrap_or(0));
    let run = run.map_or_else(String::new, |run| format!(" · run {}", run.id));
    let zone = Zone::Local.offsets(seconds(span.start_us), seconds(span.end_us));
    format!("{file}{run} · {} · {zone}", duration::format_duration(length))
}

/// Those rows of one source in the picture's span that there can be, joined with their least and greatest values.
pub(crate) struct Rows {
    pub(crate) points: Vec<Point>,
    pub(crate) row_us: i64,
    newest_us: Option<i64>,
    /// Values left unknown because the check of their row failed.
    pub(crate) damaged: u64,
}

/// One value for each row; not-a-number: unknown.
type Values = Column<Vec<f64>>;

impl Rows {
    /// One row for each pixel is as fine as can be seen. A recording that began at `since` may be too young for a row of
    /// that length; its finest rows are then all that there is.
    pub(crate) fn read(reader: &Reader, name: &str, span: Span, width: u32, since: Time) -> anyhow::Result<Self> {
        let length_us = span.end_us.saturating_sub(span.start_us).unsigned_abs();
        let resolution_us = (length_us / u64::from(width.max(1))).max(1);
        let (start, end) = (Time::from_micros(span.start_us), Time::from_micros(span.end_us));
        let fetch =
            |cf, start, resolution_us| reader.fetch_column(name, cf, (start, end), resolution_us, |_, _| Vec::new());
        let of = |start, resolution_us| {
            any_of(&[Cf::Average, Cf::Last, Cf::Max, Cf::Min], |cf| fetch(cf, start, resolution_us))
        };
        let (mut start, mut values) = (start, of(start, resolution_us)?);
        if newest(&values).is_none() && start < since && since <= end {
            (start, values) = (since, of(since, 1)?);
        }
        let row_us = values.window.row_us;
        // An archive with other rows is none of this one's extremes.
        let extremes = |cf| match fetch(cf, start, row_us) {
            Ok(found) => Ok(Some(found).filter(|found| found.window.row_us == row_us)),
            Err(StoreError::Fetch(FetchError::NoArchive { .. })) => Ok(None),
            Err(error) => Err(error),
        };
        Ok(Self::join(&values, extremes(Cf::Min)?.as_ref(), extremes(Cf::Max)?.as_ref()))
    }

    #[cfg(test)]
    pub(crate) fn of_points(points: Vec<Point>, row_us: i64) -> Self {
        Self { points, row_us, newest_us: None, damaged: 0 }
    }

    /// Rings of other lengths begin at other times.
    fn join(values: &Values, least: Option<&Values>, greatest: Option<&Values>) -> Self {
        let known = |value: &f64| (!value.is_nan()).then_some(*value);
        let at = |extremes: Option<&Values>, time: Time| {
            let extremes = extremes.filter(|extremes| time > extremes.window.start)?;
            let row = time.as_micros().abs_diff(extremes.window.start.as_micros()) / extremes.window.row_us.max(1);
            known(extremes.values.get(usize::try_from(row).ok()?.checked_sub(1)?)?)
        };
        let point = |(time, value): (Time, &f64)| Point {
            time: time.as_secs_f64(),
            value: known(value),
            low: at(least, time),
            high: at(greatest, time),
        };
        Self {
            points: values.window.times().zip(&values.values).map(point).collect(),
            row_us: i64::try_from(values.window.row_us).unwrap_or(i64::MAX),
            newest_us: newest(values).map(Time::as_micros),
            damaged: values.damaged,
        }
    }

    /// The newest row closes up to a row late, and is committed some steps later.
    pub(crate) fn known(&self, info: &Info) -> Known {
        let step_us = i64::try_from(info.schema.step().micros()).unwrap_or(i64::MAX);
        let fresh_us = self.row_us.saturating_mul(2).saturating_add(step_us.saturating_mul(3));
        let last_us = (info.last > info.start).then(|| info.last.as_micros());
        Known { newest_us: self.newest_us, last_us, fresh_us }
    }
}

/// The end of the last row that is known.
fn newest(values: &Values) -> Option<Time> {
    let row = values.values.iter().rposition(|value| !value.is_nan())?;
    Some(values.window.end_of(row))
}

/// The answer for the first function that the store has an archive of.
fn any_of(cfs: &[Cf], fetch: impl Fn(Cf) -> Result<Values, StoreError>) -> Result<Values, StoreError> {
    let mut answer = fetch(cfs[0]);
    for cf in &cfs[1..] {
        match answer {
            Err(StoreError::Fetch(FetchError::NoArchive { .. })) => answer = fetch(*cf),
            _ => break,
        }
    }
    answer
}

/// Microseconds as the seconds that pictures count in.
#[expect(clippy::cast_precision_loss, reason = "a pixel is far wider than what a double loses")]
pub(crate) fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use heapsoak_rrd::Source;
    use heapsoak_rrd::fetch::Window;

    use super::*;

    fn source(definition: &str, unit: &str) -> NewSource {
        let source: Source = definition.parse().unwrap();
        NewSource { unit: unit.to_owned(), ..source.into() }
    }

    #[test]
    fn the_default_is_the_heap_and_never_an_unrelated_first_source() {
        let name = |sources: &[NewSource]| default_source(sources);
        let (lag, rss) = (source("DS:lag:GAUGE:2:U:U", "ms"), source("DS:x:GAUGE:2:U:U", "bytes"));
        let heap = source("DS:heap_used:GAUGE:2:U:U", "");
        assert_eq!(name(&[lag.clone(), rss.clone(), heap]).as_deref(), Some("heap_used"));
        assert_eq!(name(&[lag.clone(), rss]).as_deref(), Some("x"));
        assert_eq!(name(&[lag]).as_deref(), Some("lag"));
        assert_eq!(name(&[]), None);
    }

    #[test]
    fn counted_bytes_are_a_rate_and_a_named_heap_is_bytes() {
        assert_eq!(unit_of(&source("DS:heap_used:GAUGE:2:U:U", "")), Unit::Bytes);
        assert_eq!(unit_of(&source("DS:sent:COUNTER:2:U:U", "bytes")), Unit::BytesPerSecond);
        assert_eq!(unit_of(&source("DS:iterations:DERIVE:2:U:U", "")), Unit::PerSecond);
        assert_eq!(unit_of(&source("DS:dom_nodes:GAUGE:2:U:U", "count")), Unit::Count);
    }

    #[test]
    fn extremes_join_by_time_and_unknown_stays_unknown() {
        let column = |start, end, values: &[f64]| {
            let (start, end) = (Time::from_secs(start), Time::from_secs(end));
            let window = Window { archive: 0, start, end, row_us: 3_000_000 };
            Column { frame: window, window, values: values.to_vec(), damaged: 0 }
        };
        let values = column(0, 9, &[f64::NAN, 2.0, f64::NAN]);
        // A shorter ring of the least values, and a longer one of the greatest.
        let (least, greatest) = (column(3, 9, &[1.0, f64::NAN]), column(-3, 9, &[9.0, f64::NAN, 5.0, f64::NAN]));
        let rows = Rows::join(&values, Some(&least), Some(&greatest));
        let known = Point { time: 6.0, value: Some(2.0), low: Some(1.0), high: Some(5.0) };
        assert_eq!(rows.points, [Point::new(3.0, None), known, Point::new(9.0, None)]);
        assert_eq!(rows.newest_us, Some(6_000_000));
        assert_eq!(Rows::join(&values, None, None).points[1], Point::new(6.0, Some(2.0)));
    }
}
