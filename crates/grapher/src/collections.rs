//! The garbage collector's work on the heap of one target: the floor as a line, major collections as ticks, and both
//! in words. Which targets there are is told by the names of their sources.

use heapsoak_chart::{Dash, Join, Mark, MarkKind, Point, Series, Style, Unit, format_value};
use heapsoak_cli::time::Span;
use heapsoak_rrd::Time;
use heapsoak_store::{Gc, GcKind, Reader, Run, StoreError};

use crate::picture::{Rows, seconds};

/// The label of the target whose used heap a source is: `api` of `api_heap_used`, empty for the one target; `None` for
/// every other source.
pub(crate) fn target_of_heap(name: &str) -> Option<&str> {
    target_of(name, "heap_used")
}

/// The name of the source that holds a target's floor.
pub(crate) fn floor_name(target: &str) -> String {
    if target.is_empty() { "heap_floor".to_owned() } else { format!("{target}_heap_floor") }
}

/// The name of the source that holds a target's used heap.
pub(crate) fn heap_name(target: &str) -> String {
    if target.is_empty() { "heap_used".to_owned() } else { format!("{target}_heap_used") }
}

/// The label of the target whose floor a source is.
pub(crate) fn target_of_floor(name: &str) -> Option<&str> {
    target_of(name, "heap_floor")
}

fn target_of<'a>(name: &'a str, what: &str) -> Option<&'a str> {
    let label = name.strip_suffix(what)?;
    if label.is_empty() { Some("") } else { label.strip_suffix('_') }
}

/// The major collections of a target within `span`, ascending in time.
pub(crate) fn majors_in(reader: &Reader, target: &str, span: Span) -> Result<Vec<Gc>, StoreError> {
    let (start, end) = (Time::from_micros(span.start_us), Time::from_micros(span.end_us));
    reader.gc(start, end, Some(GcKind::Major), Some(target))
}

/// Those before it too: a floor holds until the next collection.
pub(crate) fn majors_until(reader: &Reader, target: &str, span: Span) -> Result<Vec<Gc>, StoreError> {
    majors_in(reader, target, Span { start_us: i64::MIN, ..span })
}

/// The floor at each row of a heap: what the last major collection of the same run had left. Unknown where the heap is,
/// so that no line goes on after a death.
pub(crate) fn floor_of(heap: &Rows, majors: &[Gc], runs: &[Run]) -> Vec<Point> {
    let mut coming = majors.iter().peekable();
    let mut held: Option<&Gc> = None;
    let mut floor_at = |point: &Point| {
        while let Some(gc) = coming.next_if(|gc| gc.seen.time.as_secs_f64() <= point.time) {
            held = Some(gc);
        }
        let run = runs.iter().rev().find(|run| run.begun.started.as_secs_f64() <= point.time);
        let same_run = held.filter(|gc| run.is_none_or(|run| run.id == gc.run));
        Point::new(point.time, point.value.and(same_run).and_then(|gc| gc.seen.after_bytes).map(bytes))
    };
    heap.points.iter().map(&mut floor_at).collect()
}

/// How a floor is drawn: in steps, because it holds until the next collection, and without a band.
pub(crate) fn floor_series(name: &str, points: Vec<Point>, row_us: i64) -> Series {
    let points = points.into_iter().map(|point| Point::new(point.time, point.value)).collect();
    let style = Style::Line { width: 2.0, dash: Some(Dash::Dashed) };
    Series { join: Join::Steps, style, ..Series::line(name, points, seconds(row_us)) }
}

/// A tick for each.
pub(crate) fn ticks(majors: &[Gc]) -> Vec<Mark> {
    let tick = |gc: &Gc| {
        let pause = gc.seen.pause_ms.map(|pause| format!("paused {}", milliseconds(pause)));
        let left = gc.seen.after_bytes.map(|left| format!("{} left", format_value(&Unit::Bytes, bytes(left))));
        let label = [pause, left].into_iter().flatten().collect::<Vec<_>>().join(", ");
        Mark { time: gc.seen.time.as_secs_f64(), kind: MarkKind::Collection, label }
    };
    majors.iter().map(tick).collect()
}

/// What is said of them below the picture.
pub(crate) fn said(target: &str, majors: &[Gc]) -> String {
    let of = if target.is_empty() { String::new() } else { format!("{target}: ") };
    let mut text = match majors.len() {
        0 => return format!("{of}no major collection in this time"),
        1 => format!("{of}1 major collection"),
        many => format!("{of}{many} major collections"),
    };
    match majors.iter().filter(|gc| gc.seen.forced).count() {
        0 => {}
        forced => text.push_str(&format!(" ({forced} asked for)")),
    }
    if let Some(longest) = majors.iter().filter_map(|gc| gc.seen.pause_ms).reduce(f64::max) {
        text.push_str(&format!(", paused for up to {}", milliseconds(longest)));
    }
    text
}

fn milliseconds(pause: f64) -> String {
    format_value(&Unit::Milliseconds, pause)
}

/// A size as the number that pictures count in.
#[expect(clippy::cast_precision_loss, reason = "a pixel is far wider than what a double loses")]
pub(crate) fn bytes(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use heapsoak_store::{NewGc, NewRun, RunId};

    use super::*;

    const MIB: u64 = 1 << 20;

    fn gc(run: i64, time_s: i64, left: Option<u64>) -> Gc {
        let time = Time::from_secs(time_s);
        let (kind, target) = (GcKind::Major, String::new());
        let seen =
            NewGc { target, time, kind, pause_ms: Some(4.0), before_bytes: None, after_bytes: left, forced: false };
        Gc { id: 1, run: RunId(run), seen }
    }

    fn run(id: i64, started_s: i64) -> Run {
        let text = String::new;
        let (started, pid) = (Time::from_secs(started_s), 1);
        let begun = NewRun { started, pid, target: text(), command: text(), version: text(), time_zone: text() };
        Run { id: RunId(id), begun, ended: None }
    }

    /// The floor at 1 s, 2 s …, of a heap that is known at those of `known`.
    fn floor(known: &[bool], majors: &[Gc], runs: &[Run]) -> Vec<Option<u64>> {
        let times = (1..).map(f64::from);
        let points = known.iter().zip(times).map(|(known, time)| Point::new(time, known.then_some(1e9))).collect();
        let heap = Rows::of_points(points, 1_000_000);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and not negative")]
        let mib = |value: f64| value as u64 / MIB;
        floor_of(&heap, majors, runs).iter().map(|point| point.value.map(mib)).collect()
    }

    #[test]
    fn a_floor_holds_until_the_next_collection_and_not_after_a_death() {
        let majors = [gc(1, 0, Some(5 * MIB)), gc(1, 3, Some(7 * MIB)), gc(1, 3, Some(8 * MIB))];
        let known = [true, true, true, false, true];
        assert_eq!(floor(&known, &majors, &[run(1, 0)]), [Some(5), Some(5), Some(8), None, Some(8)]);
        assert_eq!(floor(&known, &[], &[run(1, 0)]), [None; 5]);
        assert_eq!(floor(&[true; 2], &[gc(1, 1, None)], &[]), [None; 2]);
    }

    #[test]
    fn the_floor_of_one_run_is_not_that_of_the_next() {
        let majors = [gc(1, 1, Some(9 * MIB)), gc(2, 4, Some(2 * MIB))];
        assert_eq!(floor(&[true; 4], &majors, &[run(1, 0), run(2, 3)]), [Some(9), Some(9), None, Some(2)]);
    }

    #[test]
    fn targets_are_told_by_the_names_of_their_heaps() {
        assert_eq!(target_of_heap("heap_used"), Some(""));
        assert_eq!(target_of_heap("api_heap_used"), Some("api"));
        for other in ["heap_total", "xheap_used", "rss", "heap_used_max"] {
            assert_eq!(target_of_heap(other), None, "{other}");
        }
        assert_eq!((floor_name(""), floor_name("api")), ("heap_floor".to_owned(), "api_heap_floor".to_owned()));
        assert_eq!(target_of_floor(&floor_name("api")), target_of_heap(&heap_name("api")));
        assert_eq!((target_of_floor("heap_floor"), target_of_floor("theap_floor")), (Some(""), None));
    }

    #[test]
    fn the_words_say_how_many_how_long_and_what_was_left() {
        assert_eq!(said("", &[]), "no major collection in this time");
        let one = gc(1, 1, Some(21 * MIB));
        assert_eq!(said("api", std::slice::from_ref(&one)), "api: 1 major collection, paused for up to 4 ms");
        let forced = Gc {
            seen: NewGc { forced: true, pause_ms: Some(12.34), after_bytes: None, ..one.seen.clone() },
            ..one.clone()
        };
        assert_eq!(said("", &[one, forced]), "2 major collections (1 asked for), paused for up to 12.34 ms");
    }
}
