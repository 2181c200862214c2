//! Events: a thin line through all panels, and a glyph in the strip above. Where
//! all labels fit beside their glyphs they are written there; where they do not,
//! a legend below the picture explains the glyphs.

use std::collections::BTreeMap;

use crate::font::one_line;
use crate::{Color, Mark, MarkKind, Picture};

use super::{Anchor, Label, Rect, Style, label};

/// The longest label beside a glyph, in em.
const LONGEST_LABEL_EM: f64 = 14.0;

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
}

fn shown(picture: &Picture) -> impl Iterator<Item = &Mark> {
    picture.marks.iter().filter(|mark| (picture.from..=picture.to).contains(&mark.time))
}

/// The height of the strip for glyphs above the first canvas.
pub(super) fn strip(picture: &Picture, style: &Style) -> f64 {
    let any = shown(picture).any(|mark| mark.kind != MarkKind::Collection);
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
    for mark in shown(picture) {
        *counts.entry(mark.kind).or_insert(0) += 1;
    }
    counts
}

/// Places the events of a picture on its canvas.
pub(super) fn marks(picture: &Picture, style: &Style, canvas: &Rect, width: f64) -> Marks {
    let x = |time: f64| canvas.x + (time - picture.from) / (picture.to - picture.from) * canvas.width;
    let mut lines: Vec<MarkLine> = shown(picture)
        .map(|mark| MarkLine {
            x: x(mark.time).round(),
            kind: mark.kind,
            ink: style.colors.mark(mark.kind),
            time: mark.time,
            text: one_line(if mark.label.is_empty() { mark.kind.name() } else { &mark.label }),
        })
        .collect();
    lines.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.kind.cmp(&b.kind)));
    lines.dedup_by(|next, kept| next.x == kept.x && next.kind == kept.kind);
    let baseline = canvas.y - style.text.size * 0.5;
    let glyph = |line: &MarkLine| label(style.glyph, line.kind.glyph(), (line.x, baseline), Anchor::Middle, line.ink);
    let with_text: Option<Vec<Label>> = written(style, &lines, baseline, width);
    let legend = counts(picture).into_iter().filter(|(kind, _)| with_text.is_none() || *kind == MarkKind::Collection);
    let legend = legend.collect();
    let labels = with_text.unwrap_or_else(|| {
        let mut by_weight: Vec<&MarkLine> = lines.iter().filter(|line| line.kind != MarkKind::Collection).collect();
        by_weight.sort_by_key(|line| line.kind);
        let mut placed: Vec<Label> = Vec::new();
        let mut taken: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
        for line in by_weight {
            let candidate = glyph(line);
            if claim(&mut taken, &candidate.rect) {
                placed.push(candidate);
            }
        }
        placed.sort_by(|a, b| a.x.total_cmp(&b.x));
        placed
    });
    Marks { lines, labels, legend }
}

/// Notes the space of a glyph unless it is taken; logarithmic, for there may be
/// thousands of events.
#[expect(clippy::cast_possible_truncation, reason = "a pixel position")]
fn claim(taken: &mut BTreeMap<i64, (f64, f64)>, rect: &Rect) -> bool {
    let key = rect.x.floor() as i64;
    let near = taken.range(..=key).next_back().into_iter().chain(taken.range(key..).next());
    let free = near.map(|(_, span)| span).all(|&(left, right)| rect.right() + 2.0 <= left || right + 2.0 <= rect.x);
    if free {
        taken.insert(key, (rect.x, rect.right()));
    }
    free
}

/// Glyphs with their texts, when every one of them fits.
fn written(style: &Style, lines: &[MarkLine], baseline: f64, width: f64) -> Option<Vec<Label>> {
    let mut labels: Vec<Label> = Vec::new();
    let mut free_from = 0.0;
    for line in lines.iter().filter(|line| line.kind != MarkKind::Collection) {
        let glyph = label(style.glyph, line.kind.glyph(), (line.x, baseline), Anchor::Middle, line.ink);
        let text = style.small.fit(&line.text, style.text.size * LONGEST_LABEL_EM);
        let text = label(style.small, &text, (glyph.rect.right() + 4.0, baseline), Anchor::Start, line.ink);
        if glyph.rect.x < free_from || text.rect.right() > width - 4.0 {
            return None;
        }
        free_from = text.rect.right() + 8.0;
        labels.extend([glyph, text]);
    }
    Some(labels)
}
