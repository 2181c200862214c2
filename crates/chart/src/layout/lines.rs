//! Lines of text with signs, as somebody wrote them, and the watermark.

use crate::{Align, Color, Picture, Sign, TextEntry, TextLine};

use super::footer::{Footer, Swatch};
use super::{Anchor, Rect, Style, label};

/// An entry with its length in pixels.
struct Piece<'a> {
    entry: &'a TextEntry,
    sign: f64,
    lead: f64,
    text: String,
    width: f64,
    /// To the next one.
    gap: f64,
}

fn piece<'a>(style: &Style, entry: &'a TextEntry, room: f64) -> Piece<'a> {
    let sign = if entry.sign.is_some() { style.text.size * 1.4 } else { 0.0 };
    let body = entry.text.trim_start_matches(' ');
    let core = body.trim_end_matches(' ');
    let spaces = |count: usize| style.text.width(&" ".repeat(count.min(200))).min(room);
    let (lead, tail) = (spaces(entry.text.len() - body.len()), spaces(body.len() - core.len()));
    // What shows an SVG makes one space of several.
    let text = style.text.fit(&core.replace(' ', "\u{a0}"), room - sign - lead);
    let gap = if entry.glued { 0.0 } else { style.text.size };
    let width = sign + lead + style.text.width(&text) + tail;
    Piece { entry, sign, lead, text, width, gap }
}

/// The length of some pieces one behind the other.
fn length(pieces: &[Piece<'_>]) -> f64 {
    let between = pieces.split_last().map_or(0.0, |(_, others)| others.iter().map(|piece| piece.gap).sum());
    between + pieces.iter().map(|piece| piece.width).sum::<f64>()
}

/// Breaks a line where it gets too long; at least one piece each.
fn broken<'a>(pieces: Vec<Piece<'a>>, room: f64) -> Vec<Vec<Piece<'a>>> {
    let mut lines: Vec<Vec<Piece<'a>>> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if length(line) + line.last().map_or(0.0, |last| last.gap) + piece.width <= room => {
                line.push(piece);
            }
            _ => lines.push(vec![piece]),
        }
    }
    lines
}

fn swatch(style: &Style, sign: Sign, x: f64, baseline: f64) -> Swatch {
    let size = (style.text.size * 0.8).round();
    let rect = Rect { x, y: baseline - style.text.size * 0.77, width: size, height: size };
    let fill = sign.line.is_none().then_some(sign.color);
    let width = sign.line.unwrap_or(1.5).clamp(0.5, 4.0);
    Swatch { rect, ink: sign.color, dash: sign.dash, width, fill, solid: sign.solid }
}

impl Footer {
    /// The lines as they were written, below what is there.
    pub(super) fn add_lines(&mut self, style: &Style, lines: &[TextLine], width: f64) {
        let room = (width - style.margin() * 2.0).max(1.0);
        let line_height = (style.text.size * 1.7).round();
        for line in lines {
            let pieces: Vec<Piece<'_>> = line.entries.iter().map(|entry| piece(style, entry, room)).collect();
            for pieces in broken(pieces, room) {
                let baseline = self.height + style.text.size;
                let spare = (room - length(&pieces)).max(0.0);
                #[expect(clippy::cast_precision_loss, reason = "a handful of texts")]
                let stretch = if pieces.len() > 1 { spare / (pieces.len() - 1) as f64 } else { 0.0 };
                let (start, stretch) = match line.align {
                    Align::Left => (0.0, 0.0),
                    Align::Center => (spare / 2.0, 0.0),
                    Align::Right => (spare, 0.0),
                    Align::Justified => (0.0, stretch),
                };
                let mut x = style.margin() + start;
                for piece in pieces {
                    if let Some(sign) = piece.entry.sign {
                        self.swatches.push(swatch(style, sign, x, baseline));
                    }
                    let at = (x + piece.sign + piece.lead, baseline);
                    self.labels.push(label(style.text, &piece.text, at, Anchor::Start, style.colors.ink));
                    x += piece.width + piece.gap + stretch;
                }
                self.height += line_height;
            }
            if line.space {
                self.height += (line_height / 2.0).round();
            }
        }
    }

    /// The watermark, small and pale in the middle.
    pub(super) fn add_watermark(&mut self, style: &Style, picture: &Picture, width: f64) {
        if picture.watermark.is_empty() {
            return;
        }
        let text = style.small.fit(&picture.watermark, width - style.margin() * 2.0);
        let ink: Color = style.colors.quiet.fade(0.8);
        let at = (width / 2.0, self.height + style.small.size);
        self.labels.push(label(style.small, &text, at, Anchor::Middle, ink));
        self.height += (style.small.size * 1.7).round();
    }
}
