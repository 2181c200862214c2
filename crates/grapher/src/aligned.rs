//! Pictures that begin where a run does: two runs beside each other (`--compare`), and iterations instead of time
//! (`--iterations`).

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use heapsoak_chart::{Across, Dash, HUES, Join, Mark, Panel, Picture, Point, Series, Style, Unit};
use heapsoak_cli::time::Span;
use heapsoak_cli::{clock, duration, redact};
use heapsoak_rrd::{SourceType, Time};
use heapsoak_store::{Info, NewSource, Reader, Run};

use crate::marks;
use crate::panels::{Drawn, Names, View, Wanted, words};
use crate::picture::{Rows, Settings, default_source, run_of, seconds, title_of};

/// What is drawn from the start of a run, free of the command line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alignment {
    /// Another store, whose run is drawn beside.
    pub(crate) other: Option<PathBuf>,
    /// Iterations across, not time.
    pub(crate) iterations: bool,
    /// The run from its start to its end, whatever the picture's time is.
    pub(crate) whole: bool,
}

/// Reads the newest run of the store, and that of the other one.
pub(crate) fn picture(
    reader: &Reader,
    settings: &Settings,
    alignment: &Alignment,
    span: Span,
) -> anyhow::Result<Picture> {
    let other = alignment.other.as_deref().map(Reader::open).transpose()?;
    let infos = [Some(reader), other.as_ref()].into_iter().flatten().map(|reader| Ok((reader, reader.info()?)));
    let infos: Vec<(&Reader, Info)> = infos.collect::<anyhow::Result<_>>()?;
    let settings = &Settings { wanted: of_both(&infos, &settings.wanted)?, ..settings.clone() };
    let names = names(&infos);
    let mut lanes = Vec::new();
    for (place, ((reader, info), name)) in infos.iter().zip(&names).enumerate() {
        lanes.push(Lane::of(reader, info, name, place, settings, alignment, span)?);
    }
    let length = lanes.iter().map(|lane| lane.length).fold(0.0, f64::max);
    let (across, most) = if alignment.iterations {
        (Across::Count("iterations".to_owned()), length)
    } else {
        (Across::Elapsed, length.max(1.0))
    };
    let mut picture = settings.empty(title(settings, &lanes), span);
    (picture.from, picture.to, picture.across) = (0.0, most, across);
    picture.subtitle = match lanes.as_slice() {
        [lane] => lane.about.clone(),
        lanes => {
            let files: Vec<&str> = lanes.iter().map(|lane| lane.file.as_str()).collect();
            // Each run tells its own zone below: they may be half a year apart.
            files.join(" beside ")
        }
    };
    // One line has no room for what is known of two runs.
    picture.comments = lanes.iter().filter(|lane| !lane.name.is_empty()).map(|lane| lane.about.clone()).collect();
    let cell = most / f64::from(settings.size.width.max(1));
    let turns = Turns::of(&lanes)?;
    for lane in lanes {
        lane.add(&mut picture, cell, &turns)?;
    }
    Ok(picture)
}

/// What is wanted, of two stores the same: the second is not asked for its own usual source.
fn of_both(stores: &[(&Reader, Info)], wanted: &Wanted) -> anyhow::Result<Wanted> {
    let mut wanted = wanted.clone();
    let [(_, one), (_, other)] = stores else { return Ok(wanted) };
    let Some(name) = default_source(&one.sources).filter(|_| wanted.panels.is_empty()) else { return Ok(wanted) };
    let names = |info: &Info| info.sources.iter().map(|s| s.source.name.as_str().to_owned()).collect::<Vec<_>>();
    let theirs = names(other);
    if !theirs.contains(&name) {
        let (one_path, other_path) = (one.path.display(), other.path.display());
        let common: Vec<String> = names(one).into_iter().filter(|name| theirs.contains(name)).collect();
        match common.as_slice() {
            [] => bail!(
                "{other_path} has no {name} to draw beside that of {one_path}, and no source is in both: compare \
                 recordings of the same sources"
            ),
            common => bail!(
                "{other_path} has no {name} to draw beside that of {one_path}: name a source of both with --series: {}",
                common.join(", ")
            ),
        }
    }
    wanted.panels = vec![Names(vec![name])];
    Ok(wanted)
}

/// The names of the series of each panel, of all runs together: a source has one colour, whichever run it is of.
struct Turns(Vec<Vec<String>>);

impl Turns {
    fn of(lanes: &[Lane]) -> anyhow::Result<Turns> {
        let mut panels: Vec<Vec<String>> = Vec::new();
        for (index, series) in lanes.iter().flat_map(|lane| {
            let panels = lane.drawn.panels.iter().enumerate();
            panels.flat_map(|(index, panel)| panel.series.iter().map(move |series| (index, series)))
        }) {
            panels.resize(panels.len().max(index + 1), Vec::new());
            if !panels[index].contains(&series.name) {
                panels[index].push(series.name.clone());
            }
        }
        match panels.iter().map(Vec::len).find(|count| lanes.len() > 1 && *count > 2 * HUES) {
            None => Ok(Turns(panels)),
            Some(count) => bail!(
                "{count} sources of two runs in one panel cannot be told apart: name up to {} with --series, or give \
                 some a --panel of their own",
                2 * HUES
            ),
        }
    }

    /// The place of a series in its panel, and how many there are before that panel and in it.
    fn find(&self, panel: usize, name: &str) -> (usize, usize, usize) {
        let names = self.0.get(panel).map_or(&[][..], Vec::as_slice);
        let place = names.iter().position(|known| known == name).unwrap_or(0);
        (place, self.0.iter().take(panel).map(Vec::len).sum(), names.len())
    }
}

/// The files' names without their extension; where they are alike, the folders too.
fn names(stores: &[(&Reader, Info)]) -> Vec<String> {
    let stem = |info: &Info| info.path.file_stem().unwrap_or(info.path.as_os_str()).to_string_lossy().into_owned();
    let names: Vec<String> = stores.iter().map(|(_, info)| stem(info)).collect();
    match names.as_slice() {
        [_] => vec![String::new()],
        [one, other] if one == other => {
            let folder = |info: &Info| info.path.parent().and_then(|path| path.file_name()).map(|name| name.to_owned());
            let full = |info: &Info| format!("{}/{}", folder(info).unwrap_or_default().to_string_lossy(), stem(info));
            stores.iter().map(|(_, info)| full(info)).collect()
        }
        _ => names,
    }
}

fn title(settings: &Settings, lanes: &[Lane]) -> String {
    match (&settings.title, lanes) {
        (Some(title), _) => title.clone(),
        (None, [one, other]) => format!("{}: {} beside {}", one.drawn.names.join(", "), one.name, other.name),
        (None, lanes) => lanes.first().map_or_else(String::new, |lane| lane.title.clone()),
    }
}

/// One run in the picture.
struct Lane {
    name: String,
    place: usize,
    title: String,
    /// The file and the run.
    file: String,
    /// The same, its target where the title does not tell it, how long it took and since when.
    about: String,
    drawn: Drawn,
    marks: Vec<Mark>,
    begin_s: f64,
    /// Of the run, in what the axis counts.
    length: f64,
    passed: Option<Passed>,
}

impl Lane {
    fn of(
        reader: &Reader,
        info: &Info,
        name: &str,
        place: usize,
        settings: &Settings,
        alignment: &Alignment,
        asked: Span,
    ) -> anyhow::Result<Lane> {
        let (begin_us, end_us) = ends_of_run(info);
        let span = if alignment.whole { Span { start_us: begin_us, end_us } } else { asked };
        let span = Span { end_us: span.end_us.max(span.start_us.saturating_add(1_000_000)), ..span };
        // One limit for both, said of each.
        let wanted = Wanted { gc: settings.wanted.gc && alignment.other.is_none(), ..settings.wanted.clone() };
        let view = View { reader, info, span, width: settings.size.width, baseline: settings.baseline };
        let mut drawn = view.draw(&wanted)?;
        let run = newest_run(info);
        let events = reader.events(Time::from_micros(span.start_us), Time::from_micros(span.end_us))?;
        let passed = if alignment.iterations {
            let whole = Span { start_us: begin_us, ..span };
            Some(Passed::read(reader, info, whole, settings.size.width)?)
        } else {
            None
        };
        let length = match &passed {
            Some(passed) => passed.at(seconds(span.end_us)),
            None => seconds(span.end_us - begin_us),
        };
        if !name.is_empty() {
            drawn.said.iter_mut().for_each(|said| *said = format!("{name}: {said}"));
        }
        Ok(Lane {
            name: name.to_owned(),
            place,
            title: title_of(&drawn.names, run),
            about: about(info, run, (begin_us, end_us), alignment.other.is_some()),
            file: file_and_run(info, run),
            marks: marks::of_events(&events),
            drawn,
            begin_s: seconds(begin_us),
            length,
            passed,
        })
    }

    /// The place on the axis of a time.
    fn at(&self, time: f64) -> f64 {
        self.passed.as_ref().map_or(time - self.begin_s, |passed| passed.at(time))
    }

    /// Puts the run into the picture, beside those that are there; `cell` is the length of a pixel on its axis.
    fn add(mut self, picture: &mut Picture, cell: f64, turns: &Turns) -> anyhow::Result<()> {
        let panels = std::mem::take(&mut self.drawn.panels);
        for (index, mut panel) in panels.into_iter().enumerate() {
            panel.ticks.iter_mut().for_each(|tick| tick.time = self.at(tick.time));
            for series in &mut panel.series {
                self.align(series, cell);
                self.mark_out(series, turns.find(index, &series.name));
            }
            match picture.panels.get_mut(index) {
                Some(there) => {
                    there.unit = self.common_unit(there, &panel)?;
                    there.series.append(&mut panel.series);
                }
                None => picture.panels.push(panel),
            }
        }
        let label = |mark: &Mark| {
            if self.name.is_empty() { mark.label.clone() } else { format!("{}: {}", self.name, mark.label) }
        };
        let marks = self.marks.iter().map(|mark| Mark { time: self.at(mark.time), label: label(mark), ..mark.clone() });
        picture.marks.extend(marks.collect::<Vec<_>>());
        picture.comments.append(&mut self.drawn.said);
        Ok(())
    }

    /// What the value axis of both runs counts in; a source that has no unit goes with any.
    fn common_unit(&self, there: &Panel, panel: &Panel) -> anyhow::Result<Unit> {
        match (&there.unit, &panel.unit) {
            (unit, Unit::Plain) | (Unit::Plain, unit) => Ok(unit.clone()),
            (one, other) if one == other => Ok(one.clone()),
            (one, other) => bail!(
                "{} is in {} in {}, and in {} in the run beside it: compare recordings that count it alike",
                panel.label,
                words(other),
                self.file,
                words(one)
            ),
        }
    }

    fn align(&self, series: &mut Series, cell: f64) {
        match &self.passed {
            None => series.points.iter_mut().for_each(|point| point.time -= self.begin_s),
            Some(passed) => {
                series.points = passed.spread(&series.points, series.row_width, cell);
                series.row_width = cell;
            }
        }
    }

    /// The sources are told apart by colour, the two runs by their names and by the patterns of their lines; where the
    /// colours begin again, by other patterns, which else are those of a floor.
    fn mark_out(&self, series: &mut Series, (place, before, all): (usize, usize, usize)) {
        if self.name.is_empty() {
            return;
        }
        let is_floor = series.join == Join::Steps && all <= HUES;
        let dash = match (self.place, is_floor || place >= HUES) {
            (0, false) => Dash::Solid,
            (0, true) => Dash::DashDot,
            (_, false) => Dash::Dashed,
            (_, true) => Dash::Dotted,
        };
        series.style = Style::Line { width: 2.0, dash: Some(dash) };
        series.name = format!("{} ({})", series.name, self.name);
        series.turn = Some(before + place);
    }
}

fn newest_run(info: &Info) -> Option<&Run> {
    run_of(&info.runs, Span { start_us: i64::MIN, end_us: i64::MAX })
}

/// Where the newest run begins and ends, as far as there are samples.
fn ends_of_run(info: &Info) -> (i64, i64) {
    let run = newest_run(info);
    let begin = run.map_or(info.start, |run| run.begun.started.max(info.start));
    let end = run.and_then(|run| run.ended.as_ref()).map_or(info.last, |end| end.time.min(info.last));
    (begin.as_micros(), end.as_micros())
}

fn file_and_run(info: &Info, run: Option<&Run>) -> String {
    let file = info.path.file_name().unwrap_or(info.path.as_os_str()).to_string_lossy();
    run.map_or_else(|| file.to_string(), |run| format!("{file} · run {}", run.id))
}

fn about(info: &Info, run: Option<&Run>, (begin_us, end_us): (i64, i64), with_target: bool) -> String {
    let length = Duration::from_micros(u64::try_from(end_us.saturating_sub(begin_us)).unwrap_or(0));
    let target = run.map(|run| redact::url(&run.begun.target)).filter(|target| with_target && !target.is_empty());
    let parts = [
        Some(file_and_run(info, run)),
        target,
        Some(duration::format_duration(length)),
        Some(format!("from {} {}", crate::notice::clock_time(begin_us, i64::MIN), clock::zone_at(begin_us))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// How many iterations were passed since the start of a run: at the ends of rows, both ascending.
#[derive(Debug, PartialEq)]
struct Passed(Vec<(f64, f64)>);

impl Passed {
    fn read(reader: &Reader, info: &Info, span: Span, width: u32) -> anyhow::Result<Passed> {
        let path = info.path.display();
        let source = info.sources.iter().find(|source| counts_iterations(source)).with_context(|| {
            format!(
                "{path} has no source `iterations`, so --iterations has nothing to count: leave it out to draw by time"
            )
        })?;
        let rows = Rows::read(reader, source.source.name.as_str(), span, width, info.start)?;
        let passed = Passed::count(&rows, source.source.kind != SourceType::Gauge, seconds(span.start_us));
        if passed.0.last().is_none_or(|(_, count)| *count < 1.0) {
            bail!(
                "no iteration was passed in {path}, so --iterations has nothing to count: leave it out to draw by time"
            );
        }
        Ok(passed)
    }

    /// Adds up the rows: of a rate what it comes to, of a counter how far it is above its first value.
    fn count(rows: &Rows, is_rate: bool, begin_s: f64) -> Passed {
        let row_s = seconds(rows.row_us);
        let mut counted = vec![(begin_s, 0.0)];
        let mut before = None;
        for point in &rows.points {
            let (Some(value), last) = (point.value, counted[counted.len() - 1]) else { continue };
            let begun = (point.time - row_s).max(last.0);
            if point.time <= begun {
                continue;
            }
            let more =
                if is_rate { value * (point.time - begun) } else { value - before.replace(value).unwrap_or(value) };
            if begun > last.0 {
                counted.push((begun, last.1));
            }
            counted.push((point.time, last.1 + more.max(0.0)));
        }
        Passed(counted)
    }

    /// Between two rows on a straight line.
    fn at(&self, time: f64) -> f64 {
        let next = self.0.partition_point(|(end, _)| *end < time);
        match (next.checked_sub(1).and_then(|last| self.0.get(last)), self.0.get(next)) {
            (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (time - a.0) / (b.0 - a.0),
            (Some(a), None) => a.1,
            (None, first) => first.map_or(0.0, |first| first.1),
        }
    }

    /// Rows of time as rows of `cell` iterations: each is the mean of those that it meets, by how much of it they fill.
    fn spread(&self, points: &[Point], row_s: f64, cell: f64) -> Vec<Point> {
        let mut cells: Vec<Cell> = Vec::new();
        for point in points {
            let Some(value) = point.value.filter(|value| value.is_finite()) else { continue };
            let (from, to) = (self.at(point.time - row_s) / cell, self.at(point.time) / cell);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as many as pixels")]
            let (first, last) = (from as usize, ((to.ceil() - 1.0).max(from.floor())) as usize);
            if cells.len() <= last {
                cells.resize(last + 1, Cell::default());
            }
            for (index, cell) in cells.iter_mut().enumerate().take(last + 1).skip(first) {
                #[expect(clippy::cast_precision_loss, reason = "as many as pixels")]
                let begin = index as f64;
                // A row in which nothing was passed counts a little: it may be all that is known.
                let share = (to.min(begin + 1.0) - from.max(begin)).max(1e-6);
                cell.add(value, point.low.unwrap_or(value), point.high.unwrap_or(value), share);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "as many as pixels")]
        cells.iter().enumerate().map(|(index, found)| found.point((index + 1) as f64 * cell)).collect()
    }
}

/// What is known of some iterations.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    sum: f64,
    share: f64,
    ends: Option<(f64, f64)>,
}

impl Cell {
    fn add(&mut self, value: f64, low: f64, high: f64, share: f64) {
        self.sum += value * share;
        self.share += share;
        self.ends = Some(self.ends.map_or((low, high), |(least, most)| (least.min(low), most.max(high))));
    }

    fn point(&self, time: f64) -> Point {
        let Some((low, high)) = self.ends else { return Point::new(time, None) };
        Point { time, value: Some(self.sum / self.share), low: Some(low), high: Some(high) }
    }
}

fn counts_iterations(source: &NewSource) -> bool {
    let name = source.source.name.as_str();
    name == "iterations" || name.ends_with("_iterations")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(rates: &[Option<f64>]) -> Passed {
        let points = rates.iter().zip(1..).map(|(rate, row)| Point::new(f64::from(row) * 3.0, *rate)).collect();
        Passed::count(&Rows::of_points(points, 3_000_000), true, 0.0)
    }

    fn lane(name: &str, place: usize, sources: usize, with_floor: bool) -> Lane {
        let mut panel = Panel::new("", Unit::Plain);
        panel.series = (1..=sources).map(|n| Series::line(format!("n{n}"), Vec::new(), 1.0)).collect();
        if with_floor {
            panel.series.insert(1, Series { join: Join::Steps, ..Series::line("floor", Vec::new(), 1.0) });
        }
        Lane {
            name: name.to_owned(),
            place,
            title: String::new(),
            file: String::new(),
            about: String::new(),
            drawn: Drawn { panels: vec![panel], ..Drawn::default() },
            marks: Vec::new(),
            begin_s: 0.0,
            length: 1.0,
            passed: None,
        }
    }

    #[test]
    fn a_source_has_one_colour_in_both_runs_and_no_two_lines_are_alike() {
        for (sources, floors) in [(1, [true, true]), (3, [false, true]), (7, [true, false]), (12, [true, true])] {
            let lanes = [lane("a", 0, sources, floors[0]), lane("b", 1, sources, floors[1])];
            let turns = Turns::of(&lanes).unwrap();
            let mut picture = Picture::new("", 0.0, 1.0);
            lanes.into_iter().for_each(|lane| lane.add(&mut picture, 1.0, &turns).unwrap());
            let names = picture.panels[0].series.iter().map(|series| series.name.clone());
            let swatches = heapsoak_chart::layout(&picture).unwrap().footer.swatches;
            let drawn: Vec<_> = swatches.iter().map(|swatch| (swatch.ink, swatch.dash)).zip(names).collect();
            let ink = |wanted: String| drawn.iter().find(|(_, name)| *name == wanted).map(|((ink, _), _)| *ink);
            for n in 1..=sources {
                assert_eq!(ink(format!("n{n} (a)")), ink(format!("n{n} (b)")), "{drawn:?}");
            }
            let alike = |at: usize| drawn[..at].iter().any(|(look, _)| *look == drawn[at].0);
            assert!(!(0..drawn.len()).any(alike), "{drawn:?}");
        }
    }

    #[test]
    fn more_sources_than_there_are_looks_are_refused() {
        let told = |sources| Turns::of(&[lane("a", 0, sources, false), lane("b", 1, sources, false)]).map(|_| ());
        assert!(told(16).is_ok());
        let text = told(17).unwrap_err().to_string();
        assert!(text.starts_with("17 sources of two runs") && text.contains("up to 16 with --series"), "{text}");
    }

    #[test]
    fn rates_add_up_and_nothing_is_passed_while_nothing_is_known() {
        let passed = passed(&[Some(2.0), None, Some(10.0)]);
        assert_eq!(
            [0.0, 1.5, 3.0, 4.0, 6.0, 7.5, 9.0, 99.0].map(|time| passed.at(time)),
            [0.0, 3.0, 6.0, 6.0, 6.0, 21.0, 36.0, 36.0]
        );
    }

    #[test]
    fn a_counter_counts_from_its_first_value_and_never_back() {
        let points =
            [100.0, 130.0, 5.0, 15.0].iter().zip(1..).map(|(v, t)| Point::new(f64::from(t), Some(*v))).collect();
        let passed = Passed::count(&Rows::of_points(points, 1_000_000), false, 0.0);
        assert_eq!([1.0, 2.0, 3.0, 4.0].map(|time| passed.at(time)), [0.0, 30.0, 30.0, 40.0]);
    }

    #[test]
    fn a_row_fills_the_iterations_that_were_passed_in_it_and_its_peak_stays() {
        let passed = passed(&[Some(2.0), Some(0.0), Some(1.0)]);
        let high = |time, value, high| Point { time, value: Some(value), low: Some(value), high: Some(high) };
        let points = [high(3.0, 10.0, 12.0), high(6.0, 30.0, 99.0), high(9.0, 20.0, 20.0)];
        let spread = passed.spread(&points, 3.0, 2.0);
        let told: Vec<(f64, i64, f64)> = spread
            .iter()
            .map(|point| {
                #[expect(clippy::cast_possible_truncation, reason = "small")]
                let value = (point.value.unwrap() * 10.0).round() as i64;
                (point.time, value, point.high.unwrap())
            })
            .collect();
        assert_eq!(told, [(2.0, 100, 12.0), (4.0, 100, 12.0), (6.0, 100, 12.0), (8.0, 200, 99.0), (10.0, 200, 20.0)]);
    }
}
