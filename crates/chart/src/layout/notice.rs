//! What is said inside the picture, and where it hides neither a line of data nor a rule.

use crate::Picture;
use crate::font::Type;
use crate::rows::Survey;

use super::{Anchor, Notice, PanelLayout, Rect, Style, label};

/// From the plate to the edge of the canvas, and to the lines that it must not hide.
const INSET: f64 = 10.0;
const CLEAR: f64 = 6.0;

/// What there is to say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// Nothing else is in the picture.
    pub(crate) alone: bool,
}

/// What the picture says of the data that are not drawn.
pub(crate) fn said(picture: &Picture, surveys: &[Vec<Survey>]) -> Option<Said> {
    let surveys = || surveys.iter().flatten();
    let large = surveys().any(|survey| survey.beyond).then_some("values too large to draw");
    let parts: Vec<&str> = [large, picture.notice.as_deref()].into_iter().flatten().collect();
    let alone = surveys().all(|survey| survey.range.is_none());
    match parts.as_slice() {
        [] => alone.then(|| Said { text: "no data yet".to_owned(), alone }),
        parts => Some(Said { text: parts.join(" · "), alone }),
    }
}

pub(super) fn notice(
    picture: &Picture,
    style: &Style,
    surveys: &[Vec<Survey>],
    panels: &[PanelLayout],
) -> Option<Notice> {
    let panel = panels.first()?;
    let canvas = panel.canvas;
    let Said { text, alone } = said(picture, surveys)?;
    if alone {
        let typeface = Type { bold: false, ..style.title };
        let text = typeface.fit(&text, canvas.width - 8.0);
        let at = (canvas.x + canvas.width / 2.0, canvas.y + canvas.height / 2.0);
        return Some(Notice { label: label(typeface, &text, at, Anchor::Middle, style.colors.quiet), plate: None });
    }
    let text = style.bold.fit(&text, canvas.width - style.text.size * 3.0);
    let pad = style.text.size * 0.7;
    let width = (style.bold.width(&text) + pad * 2.0).round();
    let plate = plate(panel, width, (style.text.size * 0.72 + pad * 2.0).round());
    let at = (plate.right() - pad, plate.y + pad + style.text.size * 0.72);
    Some(Notice { label: label(style.bold, &text, at, Anchor::End, style.colors.ink), plate: Some(plate) })
}

/// At the right, where the data ended, as low as it hides nothing: what ended was seldom at its lowest, and its last
/// values are what everybody looks for. Else farther to the left; where there is no room at all, in the corner.
fn plate(panel: &PanelLayout, width: f64, height: f64) -> Rect {
    let canvas = &panel.canvas;
    let (lowest, highest) = ((canvas.bottom() - height - INSET).round(), canvas.y + CLEAR);
    let (right, left) = (canvas.right() - width - INSET, canvas.x + INSET);
    let corner = Rect { x: right.round(), y: lowest, width, height };
    for x in [right, f64::midpoint(right, left), left] {
        let plate = Rect { x: x.round(), ..corner };
        let taken = taken(panel, &plate);
        let heights = std::iter::successors(Some(lowest), |y| Some(y - 2.0)).take_while(|&y| y >= highest);
        let free = |y: &f64| taken.iter().all(|&(top, foot)| foot + CLEAR <= *y || y + height + CLEAR <= top);
        if let Some(y) = heights.into_iter().find(free) {
            return Rect { y, ..plate };
        }
    }
    corner
}

/// From where to where the lines of the panel go, each, on the columns of the plate.
fn taken(panel: &PanelLayout, plate: &Rect) -> Vec<(f64, f64)> {
    let columns = (plate.x - CLEAR, plate.right() + CLEAR);
    let mut taken: Vec<(f64, f64)> = panel.rules.iter().map(|rule| (rule.y, rule.y)).collect();
    let labels = panel.rules.iter().filter_map(|rule| rule.label.as_ref()).map(|label| label.rect);
    taken.extend(labels.filter(|rect| rect.x < columns.1 && rect.right() > columns.0).map(|r| (r.y, r.bottom())));
    for stroke in panel.traces.iter().flat_map(|trace| &trace.strokes) {
        let low: Vec<(f64, f64)> = stroke.high.iter().zip(&stroke.low).map(|((x, _), low)| (*x, *low)).collect();
        let parts = [&stroke.line, &stroke.high, &low].into_iter().filter_map(|line| reach(line, columns));
        taken.extend(parts.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))));
    }
    taken
}

/// The highest and the lowest place of a line between two columns.
fn reach(line: &[(f64, f64)], (from, to): (f64, f64)) -> Option<(f64, f64)> {
    let within = line.windows(2).filter(|pair| pair[1].0 >= from && pair[0].0 <= to);
    let ends = within.flat_map(|pair| {
        let ((x, y), (next_x, next_y)) = (pair[0], pair[1]);
        let at = |column: f64| {
            let share = if next_x > x { ((column - x) / (next_x - x)).clamp(0.0, 1.0) } else { 1.0 };
            y + (next_y - y) * share
        };
        // A line straight upwards has both its ends on the column.
        if next_x > x { [at(from), at(to)] } else { [y, next_y] }
    });
    ends.fold(None, |reach, y| Some(reach.map_or((y, y), |(top, foot): (f64, f64)| (top.min(y), foot.max(y)))))
}
