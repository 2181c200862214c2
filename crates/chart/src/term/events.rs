//! Events in a terminal: a dotted line through the panels and a capital above it,
//! with its text beside it where all texts fit, and explained below where not.

use std::collections::{BTreeMap, BTreeSet};

use super::Sheet;
use super::grid::{Ink, fit, nearest, width};
use crate::font::one_line;
use crate::theme::Colors;
use crate::{Mark, MarkKind, Picture};

/// The longest text beside a capital.
const LONGEST: usize = 44;

/// More lines of one kind are too many.
const CROWD: usize = 12;

/// The capital of a kind; one column wide in every terminal, unlike the signs of a picture.
pub(super) fn capital(kind: MarkKind) -> char {
    match kind {
        MarkKind::OutOfMemory => 'M',
        MarkKind::Crash => 'C',
        MarkKind::Signal => 'S',
        MarkKind::Exit => 'X',
        MarkKind::Thrashing => 'T',
        MarkKind::Unresponsive => 'U',
        MarkKind::Restart => 'R',
        MarkKind::Gap => 'G',
        MarkKind::Start => '>',
        MarkKind::End => ']',
        MarkKind::Snapshot => 'H',
        MarkKind::Other => '*',
        MarkKind::Navigation => 'N',
        MarkKind::Collection => '┴',
    }
}

/// The events of a picture, ascending in time.
pub(super) struct Events<'a> {
    marks: Vec<&'a Mark>,
    collections: Vec<f64>,
    ticks: usize,
    colors: Colors,
}

impl<'a> Events<'a> {
    pub(super) fn of(picture: &'a Picture) -> Events<'a> {
        let within = |mark: &&Mark| (picture.from..=picture.to).contains(&mark.time);
        let (collections, mut marks): (Vec<&Mark>, Vec<&Mark>) =
            picture.marks.iter().filter(within).partition(|mark| mark.kind == MarkKind::Collection);
        marks.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.kind.cmp(&b.kind)));
        Events {
            marks,
            ticks: picture.panels.iter().flat_map(|panel| &panel.ticks).filter(within).count() + collections.len(),
            collections: collections.into_iter().map(|mark| mark.time).collect(),
            colors: Colors::of_terminal(picture),
        }
    }

    /// Whether none needs the strip above.
    pub(super) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Where lines go through the panels; of a crowd, which would paint the data over, none does.
    pub(super) fn lines(&self) -> impl Iterator<Item = (f64, Ink)> {
        let crowded = |kind| self.marks.iter().filter(|mark| mark.kind == kind).take(CROWD + 1).count() > CROWD;
        let kinds: BTreeSet<MarkKind> =
            self.marks.iter().map(|mark| mark.kind).filter(|kind| !crowded(*kind)).collect();
        self.marks.iter().filter(move |mark| kinds.contains(&mark.kind)).map(|mark| (mark.time, self.ink(mark.kind)))
    }

    /// Collections of the picture as a whole.
    pub(super) fn collections(&self, is_first: bool) -> impl Iterator<Item = f64> {
        self.collections.iter().copied().filter(move |_| is_first)
    }

    fn ink(&self, kind: MarkKind) -> Ink {
        Ink::Of(nearest(self.colors.mark(kind)))
    }

    /// Writes the capitals, and their texts where all fit.
    pub(super) fn strip(&self, sheet: &mut Sheet<'_>, row: usize) {
        let places: Vec<(usize, &Mark)> = self.marks.iter().map(|mark| (sheet.column(mark.time), *mark)).collect();
        for (column, mark) in places.iter().rev() {
            // The graver of several in one column stays.
            let graver = places.iter().any(|(other, found)| other == column && found.kind < mark.kind);
            if !graver {
                sheet.grid.put(row, *column, capital(mark.kind), self.ink(mark.kind));
            }
        }
        if !self.beside(sheet.grid.columns()) {
            return;
        }
        for (column, mark) in places {
            let text = text(mark);
            let before = column.saturating_sub(width(&text) + 1);
            let after = column + 2;
            if sheet.grid.is_free(row, after..after + width(&text)) {
                sheet.grid.text(row, after, &text, self.ink(mark.kind));
            } else if sheet.grid.is_free(row, before..column) {
                sheet.grid.text(row, before, &text, self.ink(mark.kind));
            }
        }
    }

    /// Few events are told beside their capitals.
    fn beside(&self, columns: usize) -> bool {
        self.marks.iter().map(|mark| width(&text(mark)) + 6).sum::<usize>() <= columns / 2
    }

    /// What explains the capitals: why memory ran out in words, the others by kind and count.
    pub(super) fn legend(&self) -> Vec<(String, Ink)> {
        let mut counts: BTreeMap<MarkKind, usize> = BTreeMap::new();
        let mut told = Vec::new();
        for mark in &self.marks {
            if mark.kind == MarkKind::OutOfMemory && !mark.label.is_empty() && told.len() < 2 {
                told.push((format!("{} {}", capital(mark.kind), one_line(&mark.label)), self.ink(mark.kind)));
            } else {
                *counts.entry(mark.kind).or_default() += 1;
            }
        }
        if self.ticks > 0 {
            counts.insert(MarkKind::Collection, self.ticks);
        }
        let times = |count: usize| if count > 1 { format!(" ×{count}") } else { String::new() };
        let said = |(kind, count): (MarkKind, usize)| {
            (format!("{} {}{}", capital(kind), kind.name(), times(count)), self.ink(kind))
        };
        told.into_iter().chain(counts.into_iter().map(said)).collect()
    }
}

fn text(mark: &Mark) -> String {
    let said = if mark.label.is_empty() { mark.kind.name() } else { &mark.label };
    fit(said, LONGEST)
}
