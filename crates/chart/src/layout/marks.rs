//! Events: a thin line through all panels, and a glyph in the strip above. Where
//! all labels fit beside their glyphs they are written there; where they do not,
//! a legend below the picture explains the glyphs. Only why memory ran out is
//! then still written: it is what one looks for.

use std::collections::BTreeMap;

use crate::font::one_line;
use crate::{Color, Mark, MarkKind, Picture};

use super::{Anchor, Label, Rect, Style, label};

/// The longest label beside a glyph, in em; of an out-of-memory, a whole sentence.
const LONGEST_LABEL_EM: f64 = 14.0;
const LONGEST_SENTENCE_EM: f64 = 36.0;

/// More lines of one kind than this, this many pixels to either side, hide the
/// data behind them.
const CROWD: usize = 8;
const CROWD_REACH: f64 = 24.0;

/// The events of a picture in their places.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Marks {
    /// One for each event in the span, but one for each kind on a pixel column.
    pub lines: Vec<MarkLine>,
    /// Glyphs and, where all fit, their texts; none touches another.
    pub labels: Vec<Label>,
    /// The kinds that need explaining, with how often each happened.
    pub legend: Vec<(MarkKind, usize)>,
}

/// The line of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkLine {
    /// Its place.
    pub x: f64,
    /// What happened.
    pub kind: MarkKind,
    /// Its colour.
    pub ink: Color,
    /// When it happened.
    pub time: f64,
    /// What is said of it; for the hover title.
    pub text: String,
    /// How far it goes.
    pub reach: Reach,
}

/// How far the line of an event goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Through all panels.
    Through,
    /// A tick at the top: with so many of its kind around it, it would be one of
    /// the lines that paint the picture over.
    Top,
    /// A tick at the bottom of every panel.
    Bottoms,
    /// A tick at the bottom of this panel.
    Bottom(usize),
}

/// The events in the span, each with its reach before any crowd is seen.
fn shown(picture: &Picture) -> impl Iterator<Item = (Reach, &Mark)> {
    let through = |mark: &Mark| if mark.kind == MarkKind::Collection { Reach::Bottoms } else { Reach::Through };
    let whole = picture.marks.iter().map(move |mark| (through(mark), mark));
    let panels = picture.panels.iter().enumerate();
    let ticks = panels.flat_map(|(index, panel)| panel.ticks.iter().map(move |mark| (Reach::Bottom(index), mark)));
    whole.chain(ticks).filter(|(_, mark)| (picture.from..=picture.to).contains(&mark.time))
}

/// The height of the strip for glyphs above the first canvas.
pub(super) fn strip(picture: &Picture, style: &Style) -> f64 {
    let any = shown(picture).any(|(reach, _)| reach == Reach::Through);
    if any { (style.text.size * 1.5).round() } else { 0.0 }
}

/// The height that a legend would need; known before it is known whether it is needed.
pub(super) fn legend_height(picture: &Picture, style: &Style, width: f64) -> f64 {
    if picture.frame != crate::Frame::Whole {
        return 0.0;
    }
    let kinds = counts(picture);
    let items: Vec<(MarkKind, usize)> = kinds.into_iter().collect();
    super::footer::legend_lines(style, &items, width) * style.text.size * 1.7
}

fn counts(picture: &Picture) -> BTreeMap<MarkKind, usize> {
    let mut counts = BTreeMap::new();
    for (_, mark) in shown(picture) {
        *counts.entry(mark.kind).or_insert(0) += 1;
    }
    counts
}

/// Places the events of a picture on its canvas.
pub(super) fn marks(picture: &Picture, style: &Style, canvas: &Rect, width: f64) -> Marks {
    let x = |time: f64| canvas.x + (time - picture.from) / (picture.to - picture.from) * canvas.width;
    let mut lines: Vec<MarkLine> = shown(picture)
        .map(|(reach, mark)| MarkLine {
            x: x(mark.time).round(),
            kind: mark.kind,
            ink: style.colors.mark(mark.kind),
            time: mark.time,
            text: one_line(if mark.label.is_empty() { mark.kind.name() } else { &mark.label }),
            reach,
        })
        .collect();
    lines.sort_by(|a, b| a.x.total_cmp(&b.x).then((a.kind, a.reach).cmp(&(b.kind, b.reach))));
    lines.dedup_by(|next, kept| next.x == kept.x && (next.kind, next.reach) == (kept.kind, kept.reach));
    let strip = Strip { style, baseline: canvas.y - style.text.size * 0.5, width };
    let (signed, crowds) = thin(&mut lines);
    let signed: Vec<&MarkLine> = signed.into_iter().map(|index| &lines[index]).collect();
    let with_text = if crowds { None } else { strip.all(&signed) };
    let legend = counts(picture).into_iter().filter(|(kind, _)| with_text.is_none() || *kind == MarkKind::Collection);
    let legend = legend.collect();
    let labels = with_text.unwrap_or_else(|| strip.gravest(signed));
    Marks { lines, labels, legend }
}

/// Shortens the lines that stand in a crowd of their kind. `lines` ascend. Tells
/// which lines have a glyph, ascending, and whether there are crowds: each has one
/// glyph, where it begins.
fn thin(lines: &mut [MarkLine]) -> (Vec<usize>, bool) {
    let mut kinds: BTreeMap<MarkKind, Vec<usize>> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.reach == Reach::Through) {
        kinds.entry(line.kind).or_default().push(index);
    }
    let mut signed = Vec::new();
    let mut crowds = false;
    for places in kinds.into_values() {
        let xs: Vec<f64> = places.iter().map(|&index| lines[index].x).collect();
        let (mut from, mut to) = (0, 0);
        let mut crowd_until = f64::NEG_INFINITY;
        for (&index, x) in places.iter().zip(&xs) {
            while xs[from] < x - CROWD_REACH {
                from += 1;
            }
            while to < xs.len() && xs[to] <= x + CROWD_REACH {
                to += 1;
            }
            let crowded = to - from > CROWD;
            if !crowded || *x > crowd_until {
                signed.push(index);
            }
            if crowded {
                lines[index].reach = Reach::Top;
                crowd_until = x + CROWD_REACH;
                crowds = true;
            }
        }
    }
    signed.sort_unstable();
    (signed, crowds)
}

/// Where glyphs and their texts stand.
struct Strip<'a> {
    style: &'a Style,
    baseline: f64,
    width: f64,
}

impl Strip<'_> {
    fn glyph(&self, line: &MarkLine) -> Label {
        label(self.style.glyph, line.kind.glyph(), (line.x, self.baseline), Anchor::Middle, line.ink)
    }

    /// The text of an event to the right of its glyph or, where that leaves the
    /// picture or is not `free`, to the left. `free` is asked about both together.
    fn text(&self, line: &MarkLine, glyph: &Label, free: impl Fn(&Rect) -> bool) -> Option<Label> {
        let style = self.style;
        let longest = if line.kind == MarkKind::OutOfMemory { LONGEST_SENTENCE_EM } else { LONGEST_LABEL_EM };
        let text = style.small.fit(&line.text, style.text.size * longest);
        let sides = [(glyph.rect.right() + 4.0, Anchor::Start), (glyph.rect.x - 4.0, Anchor::End)];
        let placed = sides.map(|(x, anchor)| label(style.small, &text, (x, self.baseline), anchor, line.ink));
        let inside = |rect: &Rect| rect.x >= 4.0 && rect.right() <= self.width - 4.0;
        placed.into_iter().find(|text| inside(&text.rect) && free(&both(&text.rect, &glyph.rect)))
    }

    /// Glyphs with their texts, when every one of them fits.
    fn all(&self, lines: &[&MarkLine]) -> Option<Vec<Label>> {
        let mut labels: Vec<Label> = Vec::new();
        let mut free_from = 0.0;
        for line in lines {
            let glyph = self.glyph(line);
            let text = self.text(line, &glyph, |rect| rect.x >= free_from)?;
            free_from = both(&text.rect, &glyph.rect).right() + 8.0;
            labels.extend([glyph, text]);
        }
        Some(labels)
    }

    /// Glyphs without texts, the graver first, as many as there is room for; an
    /// out-of-memory keeps its text.
    fn gravest(&self, mut by_weight: Vec<&MarkLine>) -> Vec<Label> {
        by_weight.sort_by_key(|line| line.kind);
        let mut placed: Vec<Label> = Vec::new();
        let mut taken = Taken::default();
        for line in by_weight {
            let glyph = self.glyph(line);
            if line.kind == MarkKind::OutOfMemory
                && let Some(text) = self.text(line, &glyph, |rect| taken.free(rect))
            {
                taken.claim(&both(&text.rect, &glyph.rect));
                placed.extend([glyph, text]);
            } else if taken.free(&glyph.rect) {
                taken.claim(&glyph.rect);
                placed.push(glyph);
            }
        }
        placed.sort_by(|a, b| a.x.total_cmp(&b.x));
        placed
    }
}

/// The rectangle around two that stand side by side.
fn both(a: &Rect, b: &Rect) -> Rect {
    let x = a.x.min(b.x);
    Rect { x, width: a.right().max(b.right()) - x, ..*a }
}

/// The spans of the strip that are in use; logarithmic, for there may be
/// thousands of events.
#[derive(Default)]
struct Taken(BTreeMap<i64, (f64, f64)>);

impl Taken {
    #[expect(clippy::cast_possible_truncation, reason = "a pixel position")]
    fn key(rect: &Rect) -> i64 {
        rect.x.floor() as i64
    }

    fn free(&self, rect: &Rect) -> bool {
        let key = Self::key(rect);
        let near = self.0.range(..=key).next_back().into_iter().chain(self.0.range(key..).next());
        near.map(|(_, span)| span).all(|&(left, right)| rect.right() + 2.0 <= left || right + 2.0 <= rect.x)
    }

    fn claim(&mut self, rect: &Rect) {
        self.0.insert(Self::key(rect), (rect.x, rect.right()));
    }
}
