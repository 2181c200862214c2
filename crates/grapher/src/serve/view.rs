//! A scene as the page takes it: the SVG, where its canvases lie, and the value of each series at each pixel column,
//! as texts that need no arithmetic in the page.

use heapsoak_chart::{Layout, PanelLayout, Picture, Point, Series, Unit, Zone, format_span, format_value, layout, svg};
use serde_json::{Value, json};

use super::scene::Scene;

/// A longer span has several days, and its times need the date.
const DAY_S: f64 = 86_400.0;

/// A longer span may have a day twice, and its times need the year.
const YEAR_S: f64 = 360.0 * DAY_S;

/// The scene in JSON. Positions are in pixels of the SVG, times in unix seconds.
pub(super) fn json(scene: &Scene) -> anyhow::Result<Value> {
    let picture = &scene.picture;
    let layout = layout(picture)?;
    let columns = Columns::of(picture, &layout);
    let panels = picture.panels.iter().zip(&layout.panels);
    Ok(json!({
        "state": "shown",
        "svg": svg(picture)?,
        "width": layout.width,
        "height": layout.height,
        "from": picture.from,
        "to": picture.to,
        "moves": scene.moves,
        "target": scene.target,
        "run": scene.run,
        "span": format_span(picture.zone, picture.from, picture.to),
        "notice": picture.notice,
        "comments": picture.comments,
        "status": { "kind": scene.status.kind, "says": scene.status.says },
        "damaged": scene.damaged,
        "unknown": scene.unknown,
        "events": scene.events,
        "left": layout.panels.first().map_or(0.0, |panel| panel.canvas.x),
        "right": layout.panels.first().map_or(layout.width, |panel| panel.canvas.right()),
        "columns": columns.json(picture),
        "panels": panels.map(|(panel, laid)| json!({
            "top": laid.canvas.y,
            "bottom": laid.canvas.bottom(),
            "series": panel.series.iter().zip(&laid.traces).filter(|(series, _)| told(series))
                .map(|(series, trace)| series_json(series, trace.ink, &panel.unit, laid, &columns))
                .collect::<Value>(),
        })).collect::<Value>(),
        "marks": layout.marks.lines.iter().map(|mark| json!({
            "x": mark.x,
            "time": clock(picture, mark.time),
            "glyph": mark.kind.glyph(),
            "says": mark.text,
        })).collect::<Value>(),
        "sources": scene.sources.iter().map(|source| json!({
            "name": source.name,
            "unit": source.unit,
            "description": source.description,
            "panel": source.panel,
        })).collect::<Value>(),
    }))
}

/// A trend has no rows: it is seen, and said in words.
fn told(series: &Series) -> bool {
    series.numbers
}

/// The pixel columns in which any series has a row, or could have had one before its first and after its last, left to
/// right, with the end of the newest row in each.
struct Columns {
    xs: Vec<i64>,
    times: Vec<f64>,
    place: Place,
}

/// From times to pixel columns.
#[derive(Clone, Copy)]
struct Place {
    from: f64,
    to: f64,
    left: f64,
    width: f64,
}

impl Place {
    /// The column of the middle of a row, if it lies within the picture.
    #[expect(clippy::cast_possible_truncation, reason = "a picture is at most a few thousand pixels wide")]
    fn column(self, point: &Point, row_width: f64) -> Option<i64> {
        let (begin, end) = ((point.time - row_width).max(self.from), point.time.min(self.to));
        let share = ((begin + end) / 2.0 - self.from) / (self.to - self.from);
        let inside = begin < end || (row_width == 0.0 && begin == end);
        (inside && share.is_finite()).then(|| (self.left + share * self.width).round() as i64)
    }
}

impl Columns {
    fn of(picture: &Picture, layout: &Layout) -> Self {
        let (left, width) = layout.panels.first().map_or((0.0, 1.0), |panel| (panel.canvas.x, panel.canvas.width));
        let place = Place { from: picture.from, to: picture.to, left, width };
        let mut found = std::collections::BTreeMap::new();
        for series in picture.panels.iter().flat_map(|panel| &panel.series).filter(|series| told(series)) {
            for point in &series.points {
                if let Some(x) = place.column(point, series.row_width) {
                    found.insert(x, point.time);
                }
            }
        }
        for (point, row_width) in around(picture, place.width) {
            if let Some(x) = place.column(&point, row_width) {
                found.entry(x).or_insert(point.time);
            }
        }
        Self { xs: found.keys().copied().collect(), times: found.into_values().collect(), place }
    }

    fn json(&self, picture: &Picture) -> Value {
        json!({
            "x": self.xs,
            "time": self.times,
            "clock": self.times.iter().map(|time| clock(picture, *time)).collect::<Value>(),
        })
    }

    /// What a series is in each column; several rows of one column are their mean, lowest and highest.
    fn cells(&self, series: &Series) -> Vec<Option<Cell>> {
        let mut cells: Vec<Option<Cell>> = vec![None; self.xs.len()];
        for point in &series.points {
            let Some(value) = point.value.filter(|value| value.is_finite()) else { continue };
            let Some(x) = self.place.column(point, series.row_width) else { continue };
            let Ok(index) = self.xs.binary_search(&x) else { continue };
            let (low, high) = (point.low.unwrap_or(value), point.high.unwrap_or(value));
            cells[index] = Some(match cells[index] {
                None => Cell { mean: value, low, high, rows: 1.0 },
                Some(cell) => Cell {
                    mean: cell.mean + (value - cell.mean) / (cell.rows + 1.0),
                    low: cell.low.min(low),
                    high: cell.high.max(high),
                    rows: cell.rows + 1.0,
                },
            });
        }
        cells
    }
}

/// Unknown rows, no shorter than a pixel, from the first and the last row of a picture to its ends, with their length: the
/// crosshair says there that nothing is known, and does not leap to where something is.
fn around(picture: &Picture, width: f64) -> Vec<(Point, f64)> {
    let series = || picture.panels.iter().flat_map(|panel| &panel.series).filter(|series| told(series));
    let times = || series().flat_map(|series| [series.points.first(), series.points.last()]).flatten().map(|p| p.time);
    let row = series().map(|series| series.row_width).filter(|row| *row > 0.0).fold(f64::INFINITY, f64::min);
    let pixel = (picture.to - picture.from) / width.max(1.0);
    let row = if row.is_finite() { row.max(pixel) } else { pixel };
    let first = times().fold(picture.to, f64::min);
    let last = times().fold(first, f64::max);
    let mut rows = Vec::new();
    let (mut before, mut after) = (first - row, last + row);
    while row > 0.0 && before > picture.from {
        rows.push((Point::new(before, None), row));
        before -= row;
    }
    while row > 0.0 && after <= picture.to {
        rows.push((Point::new(after, None), row));
        after += row;
    }
    rows
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Cell {
    mean: f64,
    low: f64,
    high: f64,
    rows: f64,
}

fn series_json(
    series: &Series,
    ink: heapsoak_chart::Color,
    unit: &Unit,
    laid: &PanelLayout,
    columns: &Columns,
) -> Value {
    let cells = columns.cells(series);
    let text = |value: f64| format_value(unit, value);
    let range = |cell: Cell| {
        let (low, high) = (text(cell.low), text(cell.high));
        (low != high).then(|| format!("{low} to {high}"))
    };
    let known = || cells.iter().flatten();
    let rows: f64 = known().map(|cell| cell.rows).sum();
    let sum: f64 = known().map(|cell| cell.mean * cell.rows).sum();
    json!({
        "name": series.name,
        "color": format!("#{:02x}{:02x}{:02x}", ink.red, ink.green, ink.blue),
        "values": cells.iter().map(|cell| cell.map(|cell| text(cell.mean))).collect::<Value>(),
        "ranges": cells.iter().map(|cell| cell.and_then(range)).collect::<Value>(),
        "y": cells.iter().map(|cell| cell.map(|cell| (laid.y(cell.mean) * 10.0).round() / 10.0)).collect::<Value>(),
        "now": series.points.iter().rev().find_map(|point| point.value).map(text),
        "least": known().map(|cell| cell.low).reduce(f64::min).map(text),
        "mean": (rows > 0.0).then(|| text(sum / rows)),
        "greatest": known().map(|cell| cell.high).reduce(f64::max).map(text),
    })
}

/// The time of day, in the picture's zone; with the date where there are several, and the year where it may be another.
fn clock(picture: &Picture, time: f64) -> String {
    let zone: Zone = picture.zone;
    let form = match picture.to - picture.from {
        length if length > YEAR_S => "%a %-d %b %Y %H:%M:%S",
        length if length > DAY_S => "%a %-d %b %H:%M:%S",
        _ => "%H:%M:%S",
    };
    zone.format(time, form)
}

#[cfg(test)]
mod tests {
    use heapsoak_chart::{Panel, Size};

    use super::*;

    fn picture(points: &[(f64, Option<f64>)]) -> Picture {
        let points = points.iter().map(|&(time, value)| Point::new(time, value)).collect();
        let mut panel = Panel::new("", Unit::Count);
        panel.series.push(Series::area("a", points, 1.0));
        let mut picture = Picture::new("", 0.0, 100.0);
        picture.size = Size { width: 400, height: 200, full: false };
        picture.panels.push(panel);
        picture
    }

    fn cells(picture: &Picture) -> (Columns, Vec<Option<Cell>>) {
        let columns = Columns::of(picture, &layout(picture).unwrap());
        let cells = columns.cells(&picture.panels[0].series[0]);
        (columns, cells)
    }

    #[test]
    fn unknown_is_no_value_and_rows_outside_are_no_columns() {
        let (columns, cells) =
            cells(&picture(&[(0.5, None), (10.0, Some(1.0)), (11.0, None), (100.0, None), (200.0, Some(9.0))]));
        assert_eq!(columns.times, [0.5, 10.0, 11.0, 100.0]);
        assert_eq!(cells.iter().map(|cell| cell.map(|c| c.mean)).collect::<Vec<_>>(), [None, Some(1.0), None, None]);
    }

    #[test]
    fn before_the_first_and_after_the_last_row_the_crosshair_finds_unknown_columns_no_more_than_pixels() {
        let (columns, cells) = cells(&picture(&[(50.0, Some(1.0)), (51.0, Some(2.0))]));
        assert_eq!((columns.times.first(), columns.times.last()), (Some(&1.0), Some(&100.0)));
        assert_eq!((columns.xs.len(), cells.iter().flatten().count()), (100, 2));
        // A part of a row is none: the newest known one is the last of a recording that goes on.
        let (columns, _) = self::cells(&picture(&[(98.5, Some(1.0))]));
        assert_eq!(columns.times.last(), Some(&99.5));
        let mut years = picture(&[(1.7e9, Some(1.0))]);
        years.to = 1.8e9;
        let columns = Columns::of(&years, &layout(&years).unwrap());
        assert!((300..=401).contains(&columns.xs.len()), "{}", columns.xs.len());
    }

    #[test]
    fn a_peak_is_in_the_range_of_a_column_that_holds_thousands_of_rows() {
        let mut points: Vec<(f64, Option<f64>)> = (1..=100_000).map(|i| (f64::from(i) / 1000.0, Some(1.0))).collect();
        points[50_000].1 = Some(99.0);
        let mut picture = picture(&points);
        picture.panels[0].series[0].row_width = 0.001;
        let (columns, cells) = cells(&picture);
        assert!(columns.xs.len() <= 401, "{}", columns.xs.len());
        assert_eq!(cells.iter().flatten().map(|cell| cell.high).fold(0.0, f64::max), 99.0);
        assert_eq!(cells.iter().flatten().map(|cell| cell.rows).sum::<f64>(), 100_000.0);
    }
}
