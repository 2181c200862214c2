//! What a store says to a question: the picture, and what the page tells beside it.

use std::path::Path;

use anyhow::ensure;
use heapsoak_chart::{Font, Frame, Picture, Unit};
use heapsoak_cli::redact;
use heapsoak_cli::time::Span;
use heapsoak_rrd::Time;
use heapsoak_store::{Info, NewSource, Reader, StoreError};

use super::question::{Question, Range};
use crate::collections::{heap_name, target_of_floor};
use crate::marks;
use crate::notice::{self, clock_time};
use crate::panels::{Names, View, Wanted};
use crate::picture::{self, seconds};
use crate::verdict::draw_trend;

/// On a phone smaller texts leave room for the data.
const NARROW: u32 = 520;
const WIDE: u32 = 2000;

/// A picture with what stands around it on the page.
#[derive(Debug)]
pub(super) struct Scene {
    /// Without its words: the page says them itself.
    pub(super) picture: Picture,
    pub(super) title: String,
    pub(super) subtitle: String,
    /// The target of the run, without passwords.
    pub(super) target: String,
    /// The number of the run.
    pub(super) run: Option<i64>,
    /// Another for a store that was made anew, and from each start of a recording on.
    pub(super) recording: String,
    pub(super) sources: Vec<Listed>,
    /// Sources that were asked for and are not there.
    pub(super) unknown: Vec<String>,
    pub(super) status: Status,
    /// Values that were left out because they are damaged.
    pub(super) damaged: u64,
    /// Whether the picture changes with the time of day.
    pub(super) moves: bool,
    /// Grows with each event.
    pub(super) events: u64,
}

/// A source of the store, shown or not.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) description: String,
    /// Its panel, from 0.
    pub(super) panel: Option<usize>,
}

impl Scene {
    /// The picture of the store at `path` by itself, with all its words.
    ///
    /// # Errors
    /// [`StoreError::NoSource`]: nobody would see that one is left out.
    pub(super) fn whole(self, path: &Path) -> Result<Picture, StoreError> {
        if let Some(name) = self.unknown.into_iter().next() {
            let known: Vec<String> = self.sources.into_iter().map(|source| source.name).collect();
            return Err(StoreError::NoSource { path: path.to_owned(), name, known: known.join(", ") });
        }
        Ok(Picture { title: self.title, subtitle: self.subtitle, frame: Frame::Whole, ..self.picture })
    }
}

/// How the recording goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    /// `empty`, `recording`, `ended` or `silent`.
    pub(super) kind: &'static str,
    /// For people.
    pub(super) says: String,
}

/// Reads what the question asks for as of `now_us`.
pub(super) fn read(reader: &Reader, question: &Question, now_us: i64) -> anyhow::Result<Scene> {
    let info = reader.info()?;
    let (span, moves) = span(question, &info, now_us)?;
    let (panels, unknown) = panels(question, &info.sources);
    ensure!(!panels.is_empty(), "{} has no source: record one into it", info.path.display());
    let view = View { reader, info: &info, span, width: question.size.width, baseline: question.baseline };
    let (limit_bytes, gc) = (question.limit_bytes, question.gc);
    let drawn = view.draw(&Wanted { panels: panels.iter().cloned().map(Names).collect(), limit_bytes, gc })?;
    let events = reader.events(Time::from_micros(span.start_us), Time::from_micros(span.end_us))?;
    let run = picture::run_of(&info.runs, span);

    let mut picture = Picture::new("", seconds(span.start_us), seconds(span.end_us));
    picture.size = question.size;
    picture.theme = question.theme;
    picture.frame = Frame::NoLegend;
    picture.font = Font { size: font_size(question.size.width), ..Font::default() };
    picture.marks = marks::of_events(&events);
    picture.notice = drawn.newest.and_then(|known| notice::notice(known, span, now_us));
    picture.panels = drawn.panels;
    picture.comments = drawn.said;
    if question.trend {
        draw_trend(&mut picture, reader, &info, span, now_us)?;
    }
    Ok(Scene {
        picture,
        title: picture::title_of(&drawn.names, run),
        subtitle: picture::subtitle(&info, run, span),
        target: run.map(|run| redact::url(&run.begun.target)).unwrap_or_default(),
        run: run.map(|run| run.id.0),
        recording: format!("{}/{}", info.start, info.runs.last().map_or(0, |run| run.id.0)),
        sources: info.sources.iter().map(|source| listed(source, &panels)).collect(),
        unknown,
        status: status(&info, now_us),
        damaged: drawn.damaged,
        moves,
        events: info.events.saturating_add(info.events_dropped),
    })
}

/// The time that is shown, and whether it moves on.
fn span(question: &Question, info: &Info, now_us: i64) -> anyhow::Result<(Span, bool)> {
    match &question.range {
        Range::Between(start, end) => Ok((Span::resolve(start, end, now_us)?, start.moves() || end.moves())),
        Range::Run => {
            let newest = info.runs.last();
            let start_us = newest.map_or(info.start, |run| run.begun.started).as_micros();
            let end = newest.and_then(|run| run.ended.as_ref());
            let end_us = end.map_or(now_us, |end| end.time.as_micros());
            // A run that has just begun is as long as it takes to see something.
            let span = Span { start_us, end_us: end_us.max(start_us.saturating_add(10_000_000)) };
            Ok((span, end.is_none()))
        }
    }
}

/// The sources of each panel that are there, and those that are not. A panel has one value axis: sources of another
/// unit go into one of their own, below.
fn panels(question: &Question, sources: &[NewSource]) -> (Vec<Vec<String>>, Vec<String>) {
    let (mut panels, mut unknown, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for asked in &question.panels {
        let mut by_unit: Vec<(Unit, Vec<String>)> = Vec::new();
        for name in asked.iter().filter(|name| !seen.contains(*name)).cloned().collect::<Vec<_>>() {
            let Some(unit) = unit_of(&name, sources) else {
                unknown.push(name);
                continue;
            };
            seen.push(name.clone());
            match by_unit.iter_mut().find(|(known, _)| *known == unit) {
                Some((_, names)) => names.push(name),
                None => by_unit.push((unit, vec![name])),
            }
        }
        panels.extend(by_unit.into_iter().map(|(_, names)| names));
    }
    if panels.is_empty() {
        panels = usual_panels(sources);
    }
    (panels, unknown)
}

/// What a source counts in; `None` for one that is not there. A floor is where its heap is.
fn unit_of(name: &str, sources: &[NewSource]) -> Option<Unit> {
    let find = |name: &str| sources.iter().find(|source| source.source.name.as_str() == name);
    let found = find(name).or_else(|| find(&heap_name(target_of_floor(name)?)))?;
    Some(picture::unit_of(found))
}

/// What tells most: the heap, the memory of the process, and what a page keeps alive. Without a heap the first source
/// takes its place, unless it is shown anyway.
fn usual_panels(sources: &[NewSource]) -> Vec<Vec<String>> {
    let names = || sources.iter().map(|source| source.source.name.as_str());
    let ending = |ends: &[&str]| -> Vec<String> {
        let own = |name: &str| name.starts_with("recorder_");
        let found = names().filter(|name| !own(name) && ends.iter().any(|end| name.ends_with(end)));
        found.take(4).map(str::to_owned).collect()
    };
    let mut panels = vec![ending(&["heap_used"]), ending(&["rss"]), ending(&["dom_nodes"])];
    if panels[0].is_empty() {
        let other = picture::default_source(sources).filter(|name| !panels.iter().any(|names| names.contains(name)));
        panels[0].extend(other);
    }
    panels.retain(|names| !names.is_empty());
    panels
}

fn listed(source: &NewSource, panels: &[Vec<String>]) -> Listed {
    let name = source.source.name.as_str();
    Listed {
        name: name.to_owned(),
        unit: source.unit.clone(),
        description: source.description.clone(),
        panel: panels.iter().position(|names| names.iter().any(|shown| shown == name)),
    }
}

fn font_size(width: u32) -> f64 {
    match width {
        ..NARROW => 11.0,
        NARROW..WIDE => 13.0,
        WIDE.. => 14.0,
    }
}

/// How the recording goes, as of `now_us`.
pub(super) fn status(info: &Info, now_us: i64) -> Status {
    let step_us = i64::try_from(info.schema.step().micros()).unwrap_or(i64::MAX);
    let ended = info.runs.last().and_then(|run| run.ended.as_ref());
    let last_us = (info.last > info.start).then(|| info.last.as_micros());
    decide(last_us, ended.map(|end| (end.time.as_micros(), end.reason.as_str())), step_us, now_us)
}

fn decide(last_us: Option<i64>, ended: Option<(i64, &str)>, step_us: i64, now_us: i64) -> Status {
    let fresh_us = step_us.saturating_mul(3).saturating_add(2_000_000);
    let status = |kind, says| Status { kind, says };
    match (last_us, ended) {
        (Some(last_us), _) if now_us.saturating_sub(last_us) <= fresh_us && ended.is_none() => {
            status("recording", format!("recording, {}", clock_time(last_us, now_us)))
        }
        (_, Some((end_us, reason))) => status("ended", format!("ended {}: {reason}", clock_time(end_us, now_us))),
        (Some(last_us), None) => status("silent", format!("no data since {}", clock_time(last_us, now_us))),
        (None, None) => status("empty", "no data yet".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use heapsoak_rrd::Source;

    use super::*;

    fn sources(names: &[&str]) -> Vec<NewSource> {
        let source = |name: &&str| format!("DS:{name}:GAUGE:2:U:U").parse::<Source>().unwrap().into();
        names.iter().map(source).collect()
    }

    fn asked(query: &[&str]) -> Question {
        let pairs: Vec<(String, String)> = query.iter().map(|p| ("panel".to_owned(), (*p).to_owned())).collect();
        Question::parse(&pairs).unwrap()
    }

    #[test]
    fn the_usual_panels_show_the_target_and_not_the_recorder() {
        let page = sources(&["heap_used", "heap_total", "dom_nodes", "browser_rss", "recorder_heap", "recorder_rss"]);
        assert_eq!(usual_panels(&page), [["heap_used"], ["browser_rss"], ["dom_nodes"]]);
        let two = sources(&["api_heap_used", "web_heap_used"]);
        assert_eq!(usual_panels(&two), [["api_heap_used", "web_heap_used"]]);
        assert_eq!(usual_panels(&sources(&["x"])), [["x"]]);
        assert_eq!(usual_panels(&sources(&["rss"])), [["rss"]]);
        let process = sources(&["rss", "recorder_rss", "rss_anon", "tree_rss"]);
        assert_eq!(usual_panels(&process), [["rss", "tree_rss"]]);
    }

    #[test]
    fn an_address_with_sources_of_another_store_still_shows_something() {
        let known = sources(&["heap_used", "rss"]);
        let (panels, unknown) = panels(&asked(&["rss,gone", "lost", "rss"]), &known);
        assert_eq!((panels, unknown), (vec![vec!["rss".to_owned()]], vec!["gone".to_owned(), "lost".to_owned()]));
        let (panels, _) = self::panels(&asked(&["<script>"]), &known);
        assert_eq!(panels[0], ["heap_used"]);
    }

    #[test]
    fn sources_of_two_units_never_share_a_value_axis() {
        let known = sources(&["heap_used", "rss", "dom_nodes"]);
        let (panels, _) = panels(&asked(&["heap_used,dom_nodes,rss"]), &known);
        assert_eq!(panels, [vec!["heap_used", "rss"], vec!["dom_nodes"]]);
    }

    #[test]
    fn a_floor_is_there_where_its_heap_is() {
        let (shown, unknown) = panels(&asked(&["heap_floor,other_heap_floor"]), &sources(&["heap_used"]));
        assert_eq!((shown, unknown), (vec![vec!["heap_floor".to_owned()]], vec!["other_heap_floor".to_owned()]));
    }

    #[test]
    fn a_killed_recorder_is_told_from_one_that_ended_and_from_one_that_records() {
        const NOW: i64 = 1_700_000_000_000_000;
        let kind = |ago_s: Option<i64>, ended: Option<(i64, &str)>| {
            decide(ago_s.map(|s| NOW - s * 1_000_000), ended, 1_000_000, NOW).kind
        };
        assert_eq!(kind(Some(1), None), "recording");
        assert_eq!(kind(Some(60), None), "silent");
        assert_eq!(kind(Some(1), Some((NOW, "40s are over"))), "ended");
        assert_eq!(kind(None, None), "empty");
    }
}
