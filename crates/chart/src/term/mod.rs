//! The picture as text, for a terminal: braille where the data are, words around
//! it. All that matters is told without colour too: an area is woven thinly, a
//! band more thickly, a line is solid or broken, lines that share a panel carry
//! letters, events are capitals.

mod dots;
mod events;
mod footer;
mod grid;

use self::dots::{DOWN, Dots};
use self::events::Events;
use self::footer::Footer;
use self::grid::{Grid, Ink, nearest, width};
use crate::layout::{Gap, Rect, Said, Trace, data_range, gaps, right_ticks, said, traces};
use crate::rows::{Survey, survey};
use crate::theme::Colors;
use crate::time::TimeAxis;
use crate::value::{ValueAxis, ValueTick, format_round, value_axis};
use crate::{ChartError, Join, Panel, Picture, Unit};

/// What a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Characters in a line; at least 40 are used.
    pub columns: u16,
    /// Lines; a picture that needs more has more.
    pub rows: u16,
    /// Whether escape codes for colours are understood and wanted.
    pub color: bool,
}

impl Default for Terminal {
    /// 80 × 24, without colour: what a pipe gets.
    fn default() -> Terminal {
        Terminal { columns: 80, rows: 24, color: false }
    }
}

/// The fewest lines of a panel.
const LEAST_ROWS: usize = 4;

/// Draws the picture as lines of text, each with its end.
///
/// Its size, scale, font and theme do not count: the terminal has its own. The
/// colours are the nearest of the terminal's.
///
/// # Errors
/// When the span of the picture cannot be drawn. Data never fail.
pub fn term(picture: &Picture, terminal: Terminal) -> Result<String, ChartError> {
    crate::layout::check_span(picture)?;
    let columns = usize::from(terminal.columns.max(40));
    let nothing = [Panel::new("", Unit::Plain)];
    let panels: &[Panel] = if picture.panels.is_empty() { &nothing } else { &picture.panels };
    let surveys: Vec<Vec<Survey>> = panels
        .iter()
        .map(|panel| panel.series.iter().map(|series| survey(series, picture.from, picture.to)).collect())
        .collect();
    let mut sheet = Sheet { picture, grid: Grid::new(columns), left: 0, width: 0 };
    sheet.titles();
    let events = Events::of(picture);
    let footer = Footer::of(picture, panels, &surveys, &events, columns, usize::from(terminal.rows));
    // The strip of events, the names of panels, each panel's axis, times and dates.
    let named = panels.len() > 1;
    let around = usize::from(!events.is_empty()) + panels.len() * (1 + usize::from(named)) + 2;
    let taken = sheet.grid.lines() + around + footer.lines();
    let heights = share(panels, usize::from(terminal.rows).saturating_sub(taken));
    let plots: Vec<Plot<'_>> = panels
        .iter()
        .zip(&surveys)
        .zip(heights)
        .map(|((panel, surveys), rows)| Plot::of(panel, surveys, rows))
        .collect();
    sheet.place(&plots);
    if !events.is_empty() {
        let row = sheet.grid.add(1);
        events.strip(&mut sheet, row);
    }
    let times = sheet.time_axis();
    let mut first = 0;
    for plot in &plots {
        if named {
            let row = sheet.grid.add(1);
            sheet.grid.text(row, sheet.left + 1, &plot.panel.label, Ink::Quiet);
        }
        sheet.panel(plot, first, &events, &times);
        first += plot.panel.series.len();
    }
    sheet.times(&times);
    sheet.notice(&surveys, plots.first().map_or(0, |plot| plot.rows));
    footer.write(&mut sheet.grid);
    Ok(sheet.grid.write(terminal.color))
}

/// A panel, its axis and its height in lines.
struct Plot<'a> {
    panel: &'a Panel,
    surveys: &'a [Survey],
    axis: ValueAxis,
    right: Vec<ValueTick>,
    rows: usize,
}

impl<'a> Plot<'a> {
    fn of(panel: &'a Panel, surveys: &'a [Survey], rows: usize) -> Plot<'a> {
        let axis = value_axis(panel, data_range(panel, surveys), (rows / 2).clamp(2, 10));
        Plot { right: right_ticks(panel, &axis), axis, panel, surveys, rows }
    }

    /// The line, counted from the panel's top, of a value; that of the bottom is the axis.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "lines")]
    fn row(&self, value: f64) -> usize {
        let share = ((value - self.axis.bottom) / (self.axis.top - self.axis.bottom)).clamp(0.0, 1.0);
        ((1.0 - share) * self.rows as f64) as usize
    }
}

/// The lines of each panel by its weight.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "lines")]
fn share(panels: &[Panel], rows: usize) -> Vec<usize> {
    let weight = |panel: &Panel| if panel.weight.is_finite() { panel.weight.clamp(0.05, 20.0) } else { 1.0 };
    let sum: f64 = panels.iter().map(weight).sum();
    panels.iter().map(|panel| ((rows as f64 * weight(panel) / sum) as usize).max(LEAST_ROWS)).collect()
}

/// The grid, and where the canvases are in it.
struct Sheet<'a> {
    picture: &'a Picture,
    grid: Grid,
    /// The column of the axis; the canvases begin behind it.
    left: usize,
    /// Columns of the canvases.
    width: usize,
}

impl Sheet<'_> {
    fn titles(&mut self) {
        for line in self.picture.title.lines() {
            let row = self.grid.add(1);
            self.grid.text(row, 0, line, Ink::Bold);
        }
        if !self.picture.subtitle.is_empty() {
            let row = self.grid.add(1);
            self.grid.text(row, 0, &self.picture.subtitle, Ink::Quiet);
        }
    }

    /// Finds the columns of the canvases: between the longest labels.
    fn place(&mut self, plots: &[Plot<'_>]) {
        let widest =
            |ticks: &mut dyn Iterator<Item = &ValueTick>| ticks.map(|tick| width(&tick.text)).max().unwrap_or(0);
        self.left = widest(&mut plots.iter().flat_map(|plot| &plot.axis.ticks)) + 1;
        let right = widest(&mut plots.iter().flat_map(|plot| &plot.right));
        let beside = if right > 0 { right + 1 } else { 0 };
        self.width = (self.grid.columns().saturating_sub(self.left + 1 + beside)).max(10);
    }

    /// The column of a time on the canvas.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "columns")]
    fn column(&self, time: f64) -> usize {
        let share = ((time - self.picture.from) / (self.picture.to - self.picture.from)).clamp(0.0, 1.0);
        self.left + 1 + ((share * self.width as f64) as usize).min(self.width - 1)
    }

    #[expect(clippy::cast_precision_loss, reason = "columns")]
    fn time_axis(&self) -> TimeAxis {
        self.picture.axis(self.width as f64, &|text| width(text) as f64)
    }

    fn panel(&mut self, plot: &Plot<'_>, first: usize, events: &Events<'_>, times: &TimeAxis) {
        let top = self.grid.add(plot.rows + 1);
        let mut dots = Dots::new(self.width, plot.rows);
        let (width, height) = dots.size();
        let canvas = Rect { x: 0.0, y: 0.0, width, height };
        let span = (self.picture.from, self.picture.to);
        let paint = (Colors::of_terminal(self.picture), first);
        let traces = traces(plot.panel, plot.surveys, span, &canvas, &plot.axis, paint);
        traces.iter().for_each(|trace| dots.trace(trace));
        self.ground(plot, top, &gaps(plot.surveys, span, &canvas, self.picture.notice.is_some()), events);
        for row in 0..plot.rows {
            for column in 0..self.width {
                let Some(dot) = dots.at(column, row) else { continue };
                let color = nearest(dot.color);
                let at = (top + row, self.left + 1 + column);
                // Rules and events shine through an area.
                if dot.line || self.grid.is_free(at.0, at.1..at.1 + 1) {
                    self.grid.put(at.0, at.1, dot.glyph, if dot.line { Ink::Of(color) } else { Ink::Pale(color) });
                }
            }
        }
        self.letters(plot, top, &traces);
        self.rule_labels(plot, top);
        self.axes(plot, top, times, events, first == 0);
    }

    /// What lies below the data: gaps, lines across, events.
    fn ground(&mut self, plot: &Plot<'_>, top: usize, gaps: &[Gap], events: &Events<'_>) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "dots of the canvas")]
        let columns =
            |gap: &Gap| (gap.rect.x / 2.0) as usize..((gap.rect.right() / 2.0).ceil() as usize).min(self.width);
        let gaps: Vec<usize> = gaps.iter().flat_map(columns).collect();
        for row in 0..plot.rows {
            for column in &gaps {
                self.grid.put(top + row, self.left + 1 + column, '░', Ink::Quiet);
            }
        }
        let levels = plot.panel.levels.iter().map(|level| (level.value, Ink::Of(nearest(level.color))));
        let colors = Colors::of_terminal(self.picture);
        let rules = plot.panel.rules.iter();
        let rules = rules.map(|rule| (rule.value, Ink::Of(nearest(rule.color.unwrap_or(colors.rule(rule.kind))))));
        for (value, ink) in levels.chain(rules) {
            if (plot.axis.bottom..=plot.axis.top).contains(&value) {
                let row = top + plot.row(value).min(plot.rows - 1);
                (0..self.width).for_each(|column| self.grid.put(row, self.left + 1 + column, '╌', ink));
            }
        }
        let uprights = plot.panel.uprights.iter().map(|upright| (upright.time, Ink::Of(nearest(upright.color))));
        let within = |time: &f64| (self.picture.from..=self.picture.to).contains(time);
        let uprights: Vec<(f64, Ink)> = events.lines().chain(uprights).filter(|(time, _)| within(time)).collect();
        for (time, ink) in uprights {
            (0..plot.rows).for_each(|row| self.grid.put(top + row, self.column(time), '┊', ink));
        }
    }

    /// A letter here and there on each line, where several share the panel.
    fn letters(&mut self, plot: &Plot<'_>, top: usize, traces: &[Trace]) {
        let named = plot.panel.series.iter().zip(traces).filter(|(series, _)| series.join != Join::Through);
        let named: Vec<&Trace> = named.map(|(_, trace)| trace).collect();
        if named.len() < 2 {
            return;
        }
        let apart = (self.width / 3).max(named.len() * 3);
        for (index, trace) in named.into_iter().enumerate() {
            for stroke in &trace.strokes {
                let mut next = index * 3 + 2;
                for &(x, y) in &stroke.line {
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "on the canvas")]
                    let (column, row) = ((x / 2.0) as usize, (y as usize / DOWN).min(plot.rows - 1));
                    while next < column {
                        next += apart;
                    }
                    if next == column && column < self.width {
                        let ink = Ink::Of(nearest(trace.ink));
                        self.grid.put(top + row, self.left + 1 + column, footer::letter(index), ink);
                        next += apart;
                    }
                }
            }
        }
    }

    fn rule_labels(&mut self, plot: &Plot<'_>, top: usize) {
        let colors = Colors::of_terminal(self.picture);
        for rule in &plot.panel.rules {
            if (plot.axis.bottom..=plot.axis.top).contains(&rule.value) {
                let text = format!(" {} {} ", rule.label, format_round(&plot.panel.unit, rule.value));
                let row = top + plot.row(rule.value).min(plot.rows - 1);
                let ink = Ink::Of(nearest(rule.color.unwrap_or(colors.rule(rule.kind))));
                self.grid.text_before(row, self.left + self.width, &grid::fit(&text, self.width - 2), ink);
            }
        }
    }

    fn axes(&mut self, plot: &Plot<'_>, top: usize, times: &TimeAxis, events: &Events<'_>, is_first: bool) {
        let bottom = top + plot.rows;
        for row in top..bottom {
            self.grid.put(row, self.left, '│', Ink::Quiet);
        }
        for column in 0..self.width {
            self.grid.put(bottom, self.left + 1 + column, '─', Ink::Quiet);
        }
        for tick in &times.ticks {
            self.grid.put(bottom, self.column(tick.time), '┬', Ink::Quiet);
        }
        for time in events.collections(is_first).chain(plot.panel.ticks.iter().map(|mark| mark.time)) {
            if (self.picture.from..=self.picture.to).contains(&time) {
                self.grid.put(bottom, self.column(time), '┴', Ink::Plain);
            }
        }
        self.grid.put(bottom, self.left, '└', Ink::Quiet);
        let mut last = None;
        for tick in plot.axis.ticks.iter().rev() {
            let row = top + plot.row(tick.value);
            if last != Some(row) {
                self.grid.text_before(row, self.left - 1, &tick.text, Ink::Plain);
                self.grid.put(row, self.left, if row == bottom { '┴' } else { '┤' }, Ink::Quiet);
                last = Some(row);
            }
        }
        for tick in &plot.right {
            let row = (top + plot.row(tick.value)).min(bottom);
            self.grid.text(row, self.left + 1 + self.width + 1, &tick.text, Ink::Plain);
        }
    }

    /// The times below the last axis, and the dates below them.
    fn times(&mut self, axis: &TimeAxis) {
        let row = self.grid.add(2);
        let end = self.left + 1 + self.width;
        for tick in &axis.ticks {
            let long = width(&tick.text);
            let start = self.column(tick.time).saturating_sub(long / 2);
            if start + long <= end && self.grid.is_free(row, start.saturating_sub(1)..start + long) {
                self.grid.text(row, start, &tick.text, Ink::Plain);
            }
        }
        let zone = end.saturating_sub(width(&axis.zone));
        self.grid.text(row + 1, zone, &axis.zone, Ink::Quiet);
        let changes = axis.ticks.iter().filter_map(|tick| Some((self.column(tick.time), tick.date.as_ref()?)));
        let mut changes: Vec<(usize, &String)> = changes.collect();
        // Changes are news: they come before the start's date.
        changes.push((self.left + 1, &axis.date));
        for (start, date) in changes {
            let ends = start + width(date);
            if ends < zone && self.grid.is_free(row + 1, start.saturating_sub(1)..ends + 1) {
                self.grid.text(row + 1, start, date, Ink::Quiet);
            }
        }
    }

    /// Said inside the first panel, of so many lines, where it hides no data; in its middle when nothing else is there.
    fn notice(&mut self, surveys: &[Vec<Survey>], rows: usize) {
        let Some(Said { text, alone }) = said(self.picture, surveys) else { return };
        let text = format!("[ {} ]", grid::fit(&text, self.width.saturating_sub(6)));
        let Some(top) = self.grid.first_line_with('│', self.left) else { return };
        let right = self.left + 1 + self.width - width(&text) - 1;
        let middle = self.left + 1 + (self.width - width(&text)) / 2;
        if alone {
            self.grid.text(top + 3, middle, &text, Ink::Bold);
            return;
        }
        let places = [right, middle, self.left + 2].into_iter();
        let places = places.flat_map(|start| (1..rows.saturating_sub(1)).map(move |row| (top + row, start)));
        let clear = |&(row, start): &(usize, usize)| self.grid.is_ground(row, start..start + width(&text));
        let (row, start) = places.into_iter().find(clear).unwrap_or((top + 1, right));
        self.grid.text(row, start, &text, Ink::Bold);
    }
}
