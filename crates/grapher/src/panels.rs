//! Which sources share a panel, how each is drawn, and what is said of them below the picture.

use std::str::FromStr;

use anyhow::{Context, bail};
use heapsoak_chart::{Baseline, Color, Panel, Rule, RuleKind, Series, Style, Unit, format_value};
use heapsoak_cli::time::Span;
use heapsoak_store::{Info, Reader};

use crate::collections::{self, bytes};
use crate::notice::Known;
use crate::picture::{Rows, default_source, seconds, unit_of};

/// Names of sources as people write them: `heap_used,rss`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names(pub(crate) Vec<String>);

impl FromStr for Names {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut names: Vec<String> = Vec::new();
        for name in text.split(',').map(str::trim) {
            if name.is_empty() {
                return Err("a name is missing; write NAME,NAME".to_owned());
            }
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        Ok(Self(names))
    }
}

/// What the panels show, free of the command line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// The sources of each panel, top to bottom. None: `heap_used`, else the first in bytes, else the first.
    pub(crate) panels: Vec<Names>,
    /// A line at this many bytes, in the first panel in bytes.
    pub(crate) limit_bytes: Option<u64>,
    /// Major collections as ticks, and the floor beside every used heap.
    pub(crate) gc: bool,
}

/// What is drawn from, and in which frame.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) info: &'a Info,
    pub(crate) span: Span,
    /// Of the canvas, in pixels.
    pub(crate) width: u32,
    /// `None`: by the unit.
    pub(crate) baseline: Option<Baseline>,
}

/// The panels, and what goes with them.
#[derive(Debug, Default)]
pub(crate) struct Drawn {
    pub(crate) panels: Vec<Panel>,
    /// The sources that were asked for, for the title.
    pub(crate) names: Vec<String>,
    /// Lines below the numbers.
    pub(crate) said: Vec<String>,
    /// Of the source with the newest value.
    pub(crate) newest: Option<Known>,
    /// Values left unknown because the check of their row failed.
    pub(crate) damaged: u64,
}

impl View<'_> {
    /// Reads and draws what is wanted.
    pub(crate) fn draw(self, wanted: &Wanted) -> anyhow::Result<Drawn> {
        let usual = || {
            let name = default_source(&self.info.sources);
            name.map(|name| Names(vec![name])).with_context(|| format!("{} has no source", self.info.path.display()))
        };
        let panels = if wanted.panels.is_empty() { vec![usual()?] } else { wanted.panels.clone() };
        // Who names several sources gets these and no others, unless the collector's work is asked for.
        let floors = wanted.gc || panels.iter().map(|Names(names)| names.len()).sum::<usize>() == 1;
        let mut drawn = Drawn::default();
        for Names(names) in &panels {
            self.panel(names, floors, wanted.gc, &mut drawn)?;
        }
        if let Some(limit) = wanted.limit_bytes {
            drawn.limit(limit)?;
        }
        Ok(drawn)
    }

    fn panel(self, names: &[String], floors: bool, ticks: bool, drawn: &mut Drawn) -> anyhow::Result<()> {
        let unit = self.common_unit(names)?;
        // An area of bytes that is cut off at the bottom misleads; other units vary little around a large value.
        let by_unit = if unit == Unit::Bytes { Baseline::Zero } else { Baseline::Auto };
        let mut panel = Panel::new(names.join(", "), unit);
        panel.baseline = self.baseline.unwrap_or(by_unit);
        // Areas that lie on each other hide each other; a floor is a line in any case.
        let area = names.iter().filter(|name| collections::target_of_floor(name).is_none()).count() == 1;
        for name in names {
            let (series, read) = self.series(name, area)?;
            panel.series.push(series);
            let known = read.map(|(known, _)| known);
            drawn.newest = [drawn.newest, known].into_iter().flatten().max_by_key(|known| known.newest_us);
            drawn.damaged += read.map_or(0, |(_, damaged)| damaged);
        }
        for target in names.iter().filter_map(|name| collections::target_of_heap(name)) {
            let floor = collections::floor_name(target);
            if floors && !names.contains(&floor) {
                let (series, _) = self.series(&floor, area)?;
                // Where nothing is known of it, it was not asked for.
                panel.series.extend(Some(series).filter(|series| series.points.iter().any(|p| p.value.is_some())));
            }
            if ticks {
                let majors = collections::majors_in(self.reader, target, self.span)?;
                panel.ticks.extend(collections::ticks(&majors));
                drawn.said.push(collections::said(target, &majors));
            }
        }
        if let ([], [first, ..]) = (drawn.panels.as_slice(), panel.series.as_mut_slice()) {
            first.color = Some(Color::RED);
        }
        drawn.names.extend_from_slice(names);
        drawn.panels.push(panel);
        Ok(())
    }

    /// One source, with what is known of it and how many of its values are damaged; a floor that is no source, from
    /// the collections themselves.
    fn series(self, name: &str, area: bool) -> anyhow::Result<(Series, Option<(Known, u64)>)> {
        let read = |name: &str| Rows::read(self.reader, name, self.span, self.width, self.info.start);
        let floor_of = collections::target_of_floor(name);
        if let Some(target) = floor_of.filter(|target| !self.has(name) && self.has(&collections::heap_name(target))) {
            let majors = collections::majors_until(self.reader, target, self.span)?;
            if majors.is_empty() {
                return Ok((collections::floor_series(name, Vec::new(), 0), None));
            }
            let heap = read(&collections::heap_name(target))?;
            let points = collections::floor_of(&heap, &majors, &self.info.runs);
            return Ok((collections::floor_series(name, points, heap.row_us), None));
        }
        let rows = read(name)?;
        let known = Some((rows.known(self.info), rows.damaged));
        if floor_of.is_some() {
            return Ok((collections::floor_series(name, rows.points, rows.row_us), known));
        }
        let mut series = Series::area(name, rows.points, seconds(rows.row_us));
        if !area {
            series.style = Style::line();
        }
        Ok((series, known))
    }

    fn has(self, name: &str) -> bool {
        self.info.sources.iter().any(|source| source.source.name.as_str() == name)
    }

    /// What the value axis of these sources counts in; a source that has no unit goes with any.
    fn common_unit(self, names: &[String]) -> anyhow::Result<Unit> {
        let mut common: Option<(&str, Unit)> = None;
        for name in names {
            let found = self.info.sources.iter().find(|source| source.source.name.as_str() == name);
            let floor = || collections::target_of_floor(name).map_or(Unit::Plain, |_| Unit::Bytes);
            let unit = found.map_or_else(floor, unit_of);
            match &common {
                _ if unit == Unit::Plain => {}
                None => common = Some((name, unit)),
                Some((_, known)) if *known == unit => {}
                Some((other, known)) => bail!(
                    "{other} is in {} and {name} in {}, and a panel has one value axis: give each a --panel of its own",
                    words(known),
                    words(&unit)
                ),
            }
        }
        Ok(common.map_or(Unit::Plain, |(_, unit)| unit))
    }
}

impl Drawn {
    /// A line at the limit, and how near it was come to.
    fn limit(&mut self, limit: u64) -> anyhow::Result<()> {
        let Some(panel) = self.panels.iter_mut().find(|panel| panel.unit == Unit::Bytes) else {
            bail!("no panel is in bytes, so --limit has no place: draw a source in bytes too");
        };
        let limit = bytes(limit);
        panel.rules.push(Rule { value: limit, label: "limit".to_owned(), kind: RuleKind::Limit, color: None });
        let highest = |series: &Series| {
            let values = series.points.iter().filter_map(|point| point.high.or(point.value));
            values.reduce(f64::max).map(|high| (high, series.name.clone()))
        };
        let all = panel.series.iter().filter_map(highest);
        let Some((high, name)) = all.reduce(|a, b| if b.0 > a.0 { b } else { a }) else { return Ok(()) };
        let size = |bytes: f64| format_value(&Unit::Bytes, bytes);
        let (side, distance) = if high > limit { ("above", high - limit) } else { ("below", limit - high) };
        self.said.push(format!(
            "{name} came to {}: {:.1} % of the limit, {} {side} it",
            size(high),
            high / limit * 100.0,
            size(distance)
        ));
        Ok(())
    }
}

/// A unit in a sentence.
pub(crate) fn words(unit: &Unit) -> &str {
    match unit {
        Unit::Bytes => "bytes",
        Unit::BytesPerSecond => "bytes per second",
        Unit::Count => "counts",
        Unit::PerSecond => "counts per second",
        Unit::Milliseconds => "milliseconds",
        Unit::Percent => "percent",
        Unit::Plain => "no unit",
        Unit::Named(name) => name,
    }
}
