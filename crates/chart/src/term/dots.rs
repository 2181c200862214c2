//! A canvas of braille: two by four dots in each cell. Areas and bands are woven
//! thinly, lines are solid, so that they are told apart without colour.

use crate::layout::{Stroke, Trace};
use crate::{Color, Dash};

/// The dots of one cell, by column and row.
const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Dots across and down in one cell.
pub(super) const ACROSS: usize = 2;
pub(super) const DOWN: usize = 4;

/// What a cell shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dot {
    pub(super) glyph: char,
    pub(super) color: Color,
    /// A line goes through it, and not only an area.
    pub(super) line: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    line: Option<Color>,
    fill: Option<Color>,
    dots: u8,
}

pub(super) struct Dots {
    columns: usize,
    rows: usize,
    cells: Vec<Cell>,
}

/// Which dots of a surface are set.
#[derive(Debug, Clone, Copy)]
enum Weave {
    /// One of four: an area.
    Thin,
    /// Every other: a band.
    Thick,
}

impl Weave {
    fn has(self, x: usize, y: usize) -> bool {
        match self {
            Weave::Thin => y % 2 == 1 && x % 2 == (y / 2) % 2,
            Weave::Thick => (x + y).is_multiple_of(2),
        }
    }
}

/// Whether a line of this pattern has a dot in this column.
fn drawn(dash: Dash, x: usize) -> bool {
    match dash {
        Dash::Solid => true,
        Dash::Dashed => x % 8 < 5,
        Dash::Dotted => x.is_multiple_of(3),
        Dash::DashDot => x % 10 < 5 || x % 10 == 7,
    }
}

#[expect(clippy::cast_precision_loss, reason = "dots of a terminal")]
fn real(dot: usize) -> f64 {
    dot as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the canvas")]
fn dot(position: f64, count: usize) -> usize {
    position.clamp(0.0, real(count.saturating_sub(1))) as usize
}

impl Dots {
    pub(super) fn new(columns: usize, rows: usize) -> Dots {
        Dots { columns, rows, cells: vec![Cell::default(); columns * rows] }
    }

    /// Width and height in dots.
    pub(super) fn size(&self) -> (f64, f64) {
        (real(self.columns * ACROSS), real(self.rows * DOWN))
    }

    pub(super) fn at(&self, column: usize, row: usize) -> Option<Dot> {
        let cell = self.cells.get(row * self.columns + column)?;
        let color = cell.line.or(cell.fill).filter(|_| cell.dots != 0)?;
        let glyph = char::from_u32(0x2800 + u32::from(cell.dots))?;
        Some(Dot { glyph, color, line: cell.line.is_some() })
    }

    /// One series, where its layout has it on a canvas of [`Dots::size`].
    pub(super) fn trace(&mut self, trace: &Trace) {
        for stroke in &trace.strokes {
            if trace.fill.is_some() {
                self.between(&stroke.line, &stroke.base, trace.ink, Weave::Thin);
            }
            if trace.band {
                self.between(&stroke.high, &stroke.low, trace.ink, Weave::Thick);
            }
        }
        for stroke in &trace.strokes {
            self.line(stroke, trace);
        }
    }

    fn set(&mut self, x: usize, y: usize, change: impl FnOnce(&mut Cell)) {
        if let Some(cell) = self.cells.get_mut(y / DOWN * self.columns + x / ACROSS) {
            cell.dots |= BITS[x % ACROSS][y % DOWN];
            change(cell);
        }
    }

    fn between(&mut self, upper: &[(f64, f64)], lower: &[f64], color: Color, weave: Weave) {
        let (width, height) = (self.columns * ACROSS, self.rows * DOWN);
        for (pair, low) in upper.windows(2).zip(lower.windows(2)) {
            let ((left, high_left), (right, high_right)) = (pair[0], pair[1]);
            for x in dot(left.floor(), width)..=dot(right.floor(), width) {
                let share = ((real(x) + 0.5 - left) / (right - left)).clamp(0.0, 1.0);
                if share.is_nan() {
                    continue;
                }
                let (a, b) = (high_left + (high_right - high_left) * share, low[0] + (low[1] - low[0]) * share);
                for y in dot(a.min(b), height)..=dot(a.max(b), height) {
                    if weave.has(x, y) {
                        self.set(x, y, |cell| cell.fill = Some(color));
                    }
                }
            }
        }
    }

    fn line(&mut self, stroke: &Stroke, trace: &Trace) {
        let (width, height) = (self.columns * ACROSS, self.rows * DOWN);
        let mut point = |x: f64, y: f64| {
            let (x, y) = (dot(x, width), dot(y, height));
            if drawn(trace.dash, x) || stroke.line.len() < 3 {
                self.set(x, y, |cell| cell.line = Some(trace.ink));
            }
        };
        if let [(x, y)] = stroke.line[..] {
            point(x, y);
        }
        for pair in stroke.line.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let steps = (x1 - x0).abs().max((y1 - y0).abs()).ceil().max(1.0);
            for step in 0..=dot(steps, usize::MAX >> 12) {
                let share = real(step) / steps;
                point(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share);
            }
        }
    }
}
