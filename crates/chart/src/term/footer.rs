//! Below the picture in a terminal: the numbers of each series, what was said, and
//! what the capitals of events mean.

use super::events::Events;
use super::grid::{Grid, Ink, fit, nearest, width};
use crate::font::one_line;
use crate::rows::Survey;
use crate::theme::Colors;
use crate::value::format_together;
use crate::{Color, Dash, Join, Panel, Picture, Series, Sign, Style};

/// Texts one behind the other.
type Line = Vec<(String, Ink)>;

/// Lines below the picture.
pub(super) struct Footer {
    lines: Vec<Line>,
}

/// What a series is called on its line: `a`, `b` … `z`, and again.
pub(super) fn letter(index: usize) -> char {
    char::from(b'a' + u8::try_from(index % 26).unwrap_or(0))
}

/// A piece of the line as it is drawn.
fn sample(dash: Dash) -> &'static str {
    match dash {
        Dash::Solid => "───",
        Dash::Dashed => "╴╴╴",
        Dash::Dotted => "···",
        Dash::DashDot => "─·─",
    }
}

/// One series: its sign, its name and its numbers.
struct Entry {
    sign: (String, Ink),
    name: String,
    cells: Vec<(&'static str, String)>,
}

fn entry(series: &Series, survey: &Survey, panel: &Panel, letter: Option<char>, paint: (Color, Dash)) -> Entry {
    let (ink, dash) = paint;
    let piece = if series.style == Style::Area { "▒▒▒" } else { sample(dash) };
    let sign = letter.map_or_else(|| piece.to_owned(), |letter| format!("{letter} {piece}"));
    let values = match survey.numbers {
        Some(n) => format_together(&panel.unit, &[n.now, n.min, n.average, n.max]),
        None => vec!["—".to_owned(); 4],
    };
    let mut cells: Vec<(&'static str, String)> = ["now", "min", "avg", "max"].into_iter().zip(values).collect();
    match survey.gaps.len() {
        0 => {}
        1 => cells.push(("gap", "1".to_owned())),
        count => cells.push(("gaps", count.to_string())),
    }
    Entry { sign: (sign, Ink::Of(nearest(ink))), name: one_line(&series.name), cells }
}

impl Footer {
    pub(super) fn of(
        picture: &Picture,
        panels: &[Panel],
        surveys: &[Vec<Survey>],
        events: &Events<'_>,
        columns: usize,
        rows: usize,
    ) -> Footer {
        let entries = entries(picture, panels, surveys);
        // Where the numbers would leave little room for the picture, the names must do.
        let lines = if entries.len() * 2 > rows.saturating_sub(6) {
            flow(entries.into_iter().map(|entry| vec![entry.sign, (format!(" {}", entry.name), Ink::Plain)]), columns)
        } else {
            table(&entries, columns)
        };
        let mut footer = Footer { lines };
        footer.lines.extend(picture.comments.iter().map(|text| vec![(one_line(text), Ink::Plain)]));
        for line in &picture.lines {
            let item = |entry: &crate::TextEntry| {
                let sign = entry.sign.as_ref().map(|sign| (format!("{} ", piece(sign)), Ink::Of(nearest(sign.color))));
                sign.into_iter().chain([(entry.text.clone(), Ink::Plain)]).collect()
            };
            footer.lines.extend(flow(line.entries.iter().map(item), columns));
        }
        footer.lines.extend(flow(events.legend().into_iter().map(|item| vec![item]), columns));
        if !picture.watermark.is_empty() {
            footer.lines.push(vec![(one_line(&picture.watermark), Ink::Quiet)]);
        }
        footer
    }

    pub(super) fn lines(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn write(&self, grid: &mut Grid) {
        for line in &self.lines {
            let row = grid.add(1);
            line.iter().fold(0, |column, (text, ink)| grid.text_as_it_is(row, column, text, *ink));
        }
    }
}

fn piece(sign: &Sign) -> &'static str {
    if sign.line.is_some() { sample(sign.dash) } else { "▒▒" }
}

fn entries(picture: &Picture, panels: &[Panel], surveys: &[Vec<Survey>]) -> Vec<Entry> {
    let colors = Colors::of_terminal(picture);
    let mut entries = Vec::new();
    let mut index = 0;
    for (panel, surveys) in panels.iter().zip(surveys) {
        let several = panel.series.iter().filter(|series| series.join != Join::Through).count() > 1;
        let mut named = 0;
        for (place, (series, survey)) in panel.series.iter().zip(surveys).enumerate() {
            let letter = (several && series.join != Join::Through).then(|| letter(named));
            named += usize::from(series.join != Join::Through);
            if series.numbers {
                entries.push(entry(series, survey, panel, letter, colors.series(series, index, place)));
            }
            index += 1;
        }
    }
    entries
}

/// One line each; what is too wide goes without its average, then without its least value.
fn table(entries: &[Entry], columns: usize) -> Vec<Line> {
    let longest = |of: &dyn Fn(&Entry) -> usize| entries.iter().map(of).max().unwrap_or(0);
    let name = longest(&|entry| width(&entry.name)).min(24);
    let sign = longest(&|entry| width(&entry.sign.0));
    let cell = |place: usize| {
        longest(&|entry| entry.cells.get(place).map_or(0, |(called, value)| width(called) + width(value) + 3))
    };
    let mut shown = vec![0, 1, 2, 3, 4];
    for drop in [2, 1, 4, 3] {
        if sign + 1 + name + shown.iter().map(|place| cell(*place)).sum::<usize>() > columns {
            shown.retain(|place| *place != drop);
        }
    }
    let line = |entry: &Entry| {
        let pad = |text: &str, columns: usize| " ".repeat(columns.saturating_sub(width(text)));
        let kept = fit(&entry.name, name);
        let mut line: Line = vec![
            (format!("{}{} ", entry.sign.0, pad(&entry.sign.0, sign)), entry.sign.1),
            (format!("{kept}{}", pad(&kept, name)), Ink::Bold),
        ];
        for place in &shown {
            let Some((called, value)) = entry.cells.get(*place) else { continue };
            let room = cell(*place).saturating_sub(width(called) + width(value) + 3);
            line.push((format!("  {called} "), Ink::Quiet));
            line.push((format!("{}{value}", " ".repeat(room)), Ink::Plain));
        }
        line
    };
    entries.iter().map(line).collect()
}

/// As many items in a line as fit.
fn flow(items: impl Iterator<Item = Line>, columns: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut used = 0;
    for item in items {
        let long: usize = item.iter().map(|(text, _)| width(text)).sum();
        match lines.last_mut() {
            Some(line) if used + 2 + long <= columns => {
                line.push(("  ".to_owned(), Ink::Plain));
                line.extend(item);
                used += 2 + long;
            }
            _ => {
                lines.push(item);
                used = long;
            }
        }
    }
    lines
}
