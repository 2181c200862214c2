//! Events: a thin line through all panels, and a glyph in the strip above. Where
//! all labels fit beside their glyphs they are written there; where they do not,
//! a legend below the picture explains the glyphs, of which each kind then has
//! one at least. Only why memory ran out is still written, there or in the
//! legend: it is what one looks for.

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
    /// The kinds that need explaining, each with what is said of it: `restart ×30`.
    pub legend: Vec<(MarkKind, String)>,
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
    let wider = |a: String, b: String| if style.small.width(&a) < style.small.width(&b) { b } else { a };
    let items = counts(picture).into_iter().map(|(kind, count)| match sentence(picture, style, kind) {
        Some(said) => (kind, wider(said, called(kind, count))),
        None => (kind, called(kind, count)),
    });
    super::footer::legend_lines(style, &items.collect::<Vec<_>>(), width) * style.text.size * 1.7
}

/// What the legend says of the events of a kind.
fn called(kind: MarkKind, count: usize) -> String {
    if count == 1 { kind.name().to_owned() } else { format!("{} ×{count}", kind.name()) }
}

/// Why memory ran out, if that happened once.
fn sentence(picture: &Picture, style: &Style, kind: MarkKind) -> Option<String> {
    let mut all = shown(picture).filter(|(_, mark)| kind == MarkKind::OutOfMemory && mark.kind == kind);
    let (_, mark) = all.next().filter(|(_, mark)| !mark.label.is_empty())?;
    all.next().is_none().then(|| style.small.fit(&one_line(&mark.label), style.text.size * LONGEST_SENTENCE_EM))
}

fn counts(picture: &Picture) -> BTreeMap<MarkKind, usize> {
    let mut counts = BTreeMap::new();
    for (_, mark) in shown(picture) {
        *counts.entry(mark.kind).or_insert(0) += 1;
    }
    counts
}

/// Places the events of a picture on its canvas; `explained` tells whether there will be a legend.
pub(super) fn marks(picture: &Picture, style: &Style, canvas: &Rect, width: f64, explained: bool) -> Marks {
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
    // Beside the canvas stand the labels of its axes.
    let has_right_axis = picture.panels.first().is_some_and(|panel| panel.right.is_some());
    let right = if has_right_axis { canvas.right() } else { width - 4.0 };
    let strip = Strip { style, baseline: canvas.y - style.text.size * 0.5, room: (canvas.x, right) };
    let (signed, crowds) = thin(&mut lines);
    let signed: Vec<&MarkLine> = signed.into_iter().map(|index| &lines[index]).collect();
    let with_text = if crowds { None } else { strip.all(&signed) };
    let all_told = with_text.is_some();
    let labels = with_text.unwrap_or_else(|| strip.gravest(signed, explained));
    let is_written = |said: &String| labels.iter().any(|label| label.text == *said);
    let kinds = counts(picture).into_iter().filter(|(kind, _)| !all_told || *kind == MarkKind::Collection);
    let legend = kinds.map(|(kind, count)| {
        let said = sentence(picture, style, kind).filter(|said| !is_written(said));
        (kind, said.unwrap_or_else(|| called(kind, count)))
    });
    Marks { legend: legend.collect(), lines, labels }
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
    /// Where texts may begin and end.
    room: (f64, f64),
}

impl Strip<'_> {
    fn glyph(&self, line: &MarkLine) -> Label {
        label(self.style.glyph, line.kind.glyph(), (line.x, self.baseline), Anchor::Middle, line.ink)
    }

    /// The text of an event to the right of its glyph or, where that leaves the
    /// room or is not `free`, to the left.
    fn text(&self, line: &MarkLine, glyph: &Label, free: impl Fn(&Rect) -> bool) -> Option<Label> {
        let style = self.style;
        let longest = if line.kind == MarkKind::OutOfMemory { LONGEST_SENTENCE_EM } else { LONGEST_LABEL_EM };
        let text = style.small.fit(&line.text, style.text.size * longest);
        let sides = [(glyph.rect.right() + 4.0, Anchor::Start), (glyph.rect.x - 4.0, Anchor::End)];
        let placed = sides.map(|(x, anchor)| label(style.small, &text, (x, self.baseline), anchor, line.ink));
        let inside = |rect: &Rect| rect.x >= self.room.0 && rect.right() <= self.room.1;
        placed.into_iter().find(|text| inside(&text.rect) && free(&text.rect))
    }

    /// Glyphs with their texts, when every one of them fits.
    fn all(&self, lines: &[&MarkLine]) -> Option<Vec<Label>> {
        let mut labels: Vec<Label> = Vec::new();
        let mut free_from = 0.0;
        for line in lines {
            let glyph = self.glyph(line);
            let text = self.text(line, &glyph, |text| both(text, &glyph.rect).x >= free_from)?;
            free_from = both(&text.rect, &glyph.rect).right() + 8.0;
            labels.extend([glyph, text]);
        }
        Some(labels)
    }

    /// Glyphs without texts, the graver first, as many as there is room for: one of each kind that is `explained` below,
    /// then those of an out-of-memory with its text, then the others.
    fn gravest(&self, mut by_weight: Vec<&MarkLine>, explained: bool) -> Vec<Label> {
        by_weight.sort_by_key(|line| line.kind);
        let mut taken = Taken::default();
        for lines in by_weight.chunk_by(|a, b| a.kind == b.kind).filter(|_| explained) {
            let glyph = self.glyph(lines[0]);
            // Where another stands on it, as near as it can be.
            let mut aside = (0..=8).map(f64::from).flat_map(|by| [by * 4.0, by * -4.0]).map(|by| {
                let rect = Rect { x: glyph.rect.x + by, ..glyph.rect };
                Label { x: glyph.x + by, rect, ..glyph.clone() }
            });
            let inside = |rect: &Rect| rect.x >= 4.0 && rect.right() <= self.room.1;
            if let Some(glyph) = aside.find(|glyph| inside(&glyph.rect) && taken.free(&glyph.rect)) {
                taken.claim(glyph);
            }
        }
        for line in by_weight {
            let glyph = self.glyph(line);
            let stands = taken.has(&glyph.rect);
            if !stands && !taken.free(&glyph.rect) {
                continue;
            }
            let is_told = line.kind == MarkKind::OutOfMemory;
            let beside = |glyph: &Label| self.text(line, glyph, |text| taken.free(text)).filter(|_| is_told);
            // The end of the run, which came with it, may stand between.
            let text = beside(&glyph).or_else(|| beside(&widened(&glyph, self.style.glyph.size * 1.5)));
            text.into_iter().chain((!stands).then_some(glyph)).for_each(|label| taken.claim(label));
        }
        taken.labels.sort_by(|a, b| a.x.total_cmp(&b.x));
        taken.labels
    }
}

/// The same with so much more to either side.
fn widened(label: &Label, by: f64) -> Label {
    let rect = Rect { x: label.rect.x - by, width: label.rect.width + by * 2.0, ..label.rect };
    Label { rect, ..label.clone() }
}

/// The rectangle around two that stand side by side.
fn both(a: &Rect, b: &Rect) -> Rect {
    let x = a.x.min(b.x);
    Rect { x, width: a.right().max(b.right()) - x, ..*a }
}

/// What stands in the strip, and the spans that it takes; logarithmic, for there may be thousands of events.
#[derive(Default)]
struct Taken {
    labels: Vec<Label>,
    spans: BTreeMap<i64, (f64, f64)>,
}

impl Taken {
    #[expect(clippy::cast_possible_truncation, reason = "a pixel position")]
    fn key(rect: &Rect) -> i64 {
        rect.x.floor() as i64
    }

    fn free(&self, rect: &Rect) -> bool {
        let key = Self::key(rect);
        let near = self.spans.range(..=key).next_back().into_iter().chain(self.spans.range(key..).next());
        near.map(|(_, span)| span).all(|&(left, right)| rect.right() + 2.0 <= left || right + 2.0 <= rect.x)
    }

    /// Whether this very place was claimed.
    fn has(&self, rect: &Rect) -> bool {
        self.spans.get(&Self::key(rect)) == Some(&(rect.x, rect.right()))
    }

    fn claim(&mut self, label: Label) {
        self.spans.insert(Self::key(&label.rect), (label.rect.x, label.rect.right()));
        self.labels.push(label);
    }
}
