//! Characters in rows and columns, each with its ink, and how they are written.

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar as _;

use crate::Color;
use crate::font::{clean, one_line};

/// How a character is written. Without colours only the character is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ink {
    #[default]
    Plain,
    Bold,
    Quiet,
    /// Of a series, an event, a limit.
    Of(AnsiColor),
    /// The area of a series.
    Pale(AnsiColor),
}

impl Ink {
    fn style(self) -> Style {
        match self {
            Ink::Plain => Style::new(),
            Ink::Bold => Style::new().bold(),
            Ink::Quiet => Style::new().dimmed(),
            Ink::Of(color) => Style::new().fg_color(Some(color.into())),
            Ink::Pale(color) => Style::new().fg_color(Some(color.into())).dimmed(),
        }
    }
}

/// The colour of the terminal that comes nearest: its owner chose them to be seen on its ground.
pub(super) fn nearest(color: Color) -> AnsiColor {
    let (red, green, blue) = (i32::from(color.red), i32::from(color.green), i32::from(color.blue));
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    if most - least < 40 {
        // Seen on a light ground and on a dark one.
        return AnsiColor::BrightBlack;
    }
    // A channel belongs to the hue when it is nearer to the greatest than to the least.
    let has = |channel: i32| (channel - least) * 2 > most - least;
    match (has(red), has(green), has(blue)) {
        (true, false, false) => AnsiColor::Red,
        (true, true, false) => AnsiColor::Yellow,
        (false, true, false) => AnsiColor::Green,
        (false, true, true) => AnsiColor::Cyan,
        (true, false, true) => AnsiColor::Magenta,
        _ => AnsiColor::Blue,
    }
}

/// Columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The text, or as much of it as fits with `…` behind.
pub(super) fn fit(text: &str, columns: usize) -> String {
    let text = one_line(text);
    if width(&text) <= columns {
        return text;
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > columns {
            break;
        }
        kept.push(c);
    }
    kept.truncate(kept.trim_end().len());
    if columns > 0 {
        kept.push('…');
    }
    kept
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Cell {
    /// `None`: free, or covered by the wide character before it.
    glyph: Option<char>,
    covered: bool,
    ink: Ink,
}

/// All that is written, line by line; it grows downwards.
pub(super) struct Grid {
    columns: usize,
    cells: Vec<Vec<Cell>>,
}

impl Grid {
    pub(super) fn new(columns: usize) -> Grid {
        Grid { columns, cells: Vec::new() }
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Adds empty lines; gives the first.
    pub(super) fn add(&mut self, lines: usize) -> usize {
        let first = self.cells.len();
        self.cells.resize(first + lines, vec![Cell::default(); self.columns]);
        first
    }

    /// One character of one column.
    pub(super) fn put(&mut self, row: usize, column: usize, glyph: char, ink: Ink) {
        if let Some(cell) = self.cells.get_mut(row).and_then(|row| row.get_mut(column)) {
            *cell = Cell { glyph: Some(glyph), covered: false, ink };
        }
    }

    pub(super) fn lines(&self) -> usize {
        self.cells.len()
    }

    /// A text, cut at the right edge; gives the column behind it.
    pub(super) fn text(&mut self, row: usize, column: usize, text: &str, ink: Ink) -> usize {
        self.text_as_it_is(row, column, &fit(text, self.columns.saturating_sub(column)), ink)
    }

    /// The same with its spaces; what is too long is lost.
    pub(super) fn text_as_it_is(&mut self, row: usize, column: usize, text: &str, ink: Ink) -> usize {
        let mut at = column;
        for glyph in text.chars().map(clean) {
            let wide = glyph.width().unwrap_or(0);
            if wide == 0 {
                continue;
            }
            // Half a wide character cannot be lost.
            if at + wide > self.columns {
                break;
            }
            self.put(row, at, glyph, ink);
            if let Some(cell) = self.cells.get_mut(row).and_then(|row| row.get_mut(at + 1)).filter(|_| wide > 1) {
                *cell = Cell { glyph: None, covered: true, ink };
            }
            at += wide;
        }
        at
    }

    /// A text that ends before `column`.
    pub(super) fn text_before(&mut self, row: usize, column: usize, text: &str, ink: Ink) {
        self.text(row, column.saturating_sub(width(text)), text, ink);
    }

    /// The first line that has this character in this column.
    pub(super) fn first_line_with(&self, glyph: char, column: usize) -> Option<usize> {
        self.cells.iter().position(|row| row.get(column).is_some_and(|cell| cell.glyph == Some(glyph)))
    }

    pub(super) fn is_free(&self, row: usize, columns: std::ops::Range<usize>) -> bool {
        let Some(row) = self.cells.get(row) else { return false };
        row.get(columns).is_some_and(|cells| cells.iter().all(|cell| cell.glyph.is_none() && !cell.covered))
    }

    /// Whether there is nothing but gaps, lines across and the lines of events.
    pub(super) fn is_ground(&self, row: usize, columns: std::ops::Range<usize>) -> bool {
        let Some(row) = self.cells.get(row) else { return false };
        let ground = |cell: &Cell| !cell.covered && matches!(cell.glyph, None | Some('░' | '┊'));
        row.get(columns).is_some_and(|cells| cells.iter().all(ground))
    }

    /// Every line with its end; with escape codes where `color` says so.
    pub(super) fn write(&self, color: bool) -> String {
        let mut out = String::new();
        for row in &self.cells {
            let last = row.iter().rposition(|cell| cell.glyph.is_some_and(|glyph| glyph != ' '));
            let mut ink = Ink::Plain;
            for cell in row.iter().take(last.map_or(0, |last| last + 1)).filter(|cell| !cell.covered) {
                let next = if cell.glyph.is_some() { cell.ink } else { Ink::Plain };
                if color && next != ink {
                    out.push_str(&format!("{}{}", ink.style().render_reset(), next.style().render()));
                    ink = next;
                }
                out.push(cell.glyph.unwrap_or(' '));
            }
            if color {
                out.push_str(&ink.style().render_reset().to_string());
            }
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_line_or_send_escape_codes() {
        let mut grid = Grid::new(12);
        let row = grid.add(1);
        grid.text(row, 0, "a\x1b[31mb\nc and more", Ink::Plain);
        let written = grid.write(false);
        assert_eq!(written, "a\u{fffd}[31mb c a…\n");
    }

    #[test]
    fn wide_characters_take_two_columns_and_never_more_than_the_line() {
        let mut grid = Grid::new(7);
        let row = grid.add(1);
        assert_eq!(grid.text(row, 0, "日本語日本語", Ink::Plain), 7);
        grid.add(1);
        grid.text_as_it_is(row + 1, 0, "日本語日本語", Ink::Plain);
        assert_eq!(grid.write(false), "日本語…\n日本語\n");
    }

    #[test]
    fn colours_come_and_go_in_pairs() {
        let mut grid = Grid::new(10);
        let row = grid.add(2);
        grid.text(row, 0, "ab", Ink::Of(AnsiColor::Red));
        assert_eq!(grid.write(false), "ab\n\n");
        assert_eq!(grid.write(true), "\u{1b}[31mab\u{1b}[0m\n\n");
    }

    #[test]
    fn the_palette_of_both_themes_keeps_its_hues() {
        let of = |text: &str| nearest(text.parse().unwrap());
        assert_eq!(of("ff0000"), AnsiColor::Red);
        assert_eq!(of("00c000"), AnsiColor::Green);
        assert_eq!(of("d98200"), AnsiColor::Yellow);
        assert_eq!(of("2aa5e0"), AnsiColor::Cyan);
        assert_eq!(of("4d4d4d"), AnsiColor::BrightBlack);
    }
}
