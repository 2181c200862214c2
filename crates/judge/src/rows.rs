//! Which rows of which archives a verdict is made from.
//!
//! A line of rows of unequal length would be no line: the minimum of a minute lies below that of three seconds. So a life
//! is judged by rows of one archive, the finest that holds all of it.

use heapsoak_rrd::fetch::Window;
use heapsoak_rrd::{Cf, Time};
use heapsoak_store::ArchiveInfo;

/// The time that is judged, and where lives begin in it (unix seconds, ascending).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch<'a> {
    pub(crate) start: Time,
    pub(crate) end: Time,
    pub(crate) cuts: &'a [f64],
}

/// The rows of `stretch` from archives of the first of `functions` that there is; rows of one PDP serve for any.
pub(crate) fn windows(archives: &[ArchiveInfo], functions: &[Cf], stretch: Stretch<'_>) -> Vec<Window> {
    let has = |cf: &&Cf| archives.iter().any(|info| info.archive.cf == **cf);
    let Some(cf) = functions.iter().find(has) else { return Vec::new() };
    let serves = |info: &ArchiveInfo| info.archive.cf == *cf || info.archive.pdps_per_row == 1;
    let mut candidates: Vec<(usize, &ArchiveInfo)> =
        archives.iter().enumerate().filter(|(_, info)| serves(info)).collect();
    candidates.sort_by_key(|(_, info)| info.row_us);
    let longest = candidates.iter().map(|(_, info)| covered_from(info)).min();

    let mut found = Vec::new();
    let mut end = stretch.end;
    for (archive, info) in candidates {
        let covered = covered_from(info);
        let begin = if covered <= stretch.start {
            Some(stretch.start)
        } else if Some(covered) == longest {
            Some(covered)
        } else {
            first_cut(stretch.cuts, covered).filter(|cut| *cut < end)
        };
        let Some(begin) = begin else { continue };
        found.push(rows(archive, info, begin, end));
        if covered <= stretch.start || Some(covered) == longest {
            break;
        }
        end = begin;
    }
    found.reverse();
    found
}

/// The start of the oldest row's time.
fn covered_from(info: &ArchiveInfo) -> Time {
    Time::from_micros(info.first.as_micros().saturating_sub_unsigned(info.row_us))
}

/// The first life that begins at `from` or later.
fn first_cut(cuts: &[f64], from: Time) -> Option<Time> {
    let cut = *cuts.get(cuts.partition_point(|cut| *cut < from.as_secs_f64()))?;
    #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
    Some(Time::from_micros((cut * 1e6) as i64))
}

/// The rows of an archive that lie wholly within the time.
fn rows(archive: usize, info: &ArchiveInfo, start: Time, end: Time) -> Window {
    let width = i64::try_from(info.row_us).unwrap_or(i64::MAX).max(1);
    let down = |time: i64| time.div_euclid(width).saturating_mul(width);
    let from = down(start.as_micros().saturating_add(width - 1));
    let to = down(end.as_micros().min(info.last.as_micros())).max(from);
    Window { archive, start: Time::from_micros(from), end: Time::from_micros(to), row_us: info.row_us }
}

#[cfg(test)]
mod tests {
    use heapsoak_rrd::fetch::held;
    use heapsoak_rrd::{Archive, Schema, Step};

    use super::*;

    /// Row length and span in seconds of each window, after `last_s` seconds of recording.
    fn asked(texts: &[&str], last_s: i64, cuts: &[f64]) -> Vec<(u64, i64, i64)> {
        let step = Step::new(1_000_000).unwrap();
        let archives: Vec<Archive> = texts.iter().map(|text| Archive::parse(text, step).unwrap()).collect();
        let schema = Schema::new(step, vec!["DS:a:GAUGE:2:U:U".parse().unwrap()], archives.clone()).unwrap();
        let info = |(number, archive): (usize, &Archive)| {
            let (first, last) = held(&schema, Time::from_secs(last_s), number);
            ArchiveInfo { archive: *archive, row_us: schema.row_us(archive), first, last }
        };
        let infos: Vec<ArchiveInfo> = archives.iter().enumerate().map(info).collect();
        let stretch = Stretch { start: Time::from_secs(0), end: Time::from_secs(last_s), cuts };
        let found = windows(&infos, &[Cf::Min, Cf::Average], stretch);
        found.iter().map(|w| (w.row_us / 1_000_000, w.start.whole_secs(), w.end.whole_secs())).collect()
    }

    const USUAL: [&str; 4] = ["AVERAGE:0.5:3:2400", "MIN:0.5:3:2400", "AVERAGE:0.5:60:10080", "MIN:0.5:60:10080"];

    #[test]
    fn a_life_is_never_made_of_rows_of_two_lengths() {
        assert_eq!(asked(&USUAL, 600, &[]), [(3, 0, 600)]);
        // Two hours of fine rows do not reach back to the beginning of the only life.
        assert_eq!(asked(&USUAL, 9000, &[]), [(60, 0, 9000)]);
        // The second life is held whole by the fine rows.
        assert_eq!(asked(&USUAL, 9000, &[4000.0]), [(60, 0, 3960), (3, 4002, 9000)]);
        // The second life began before them; the third did not.
        assert_eq!(asked(&USUAL, 9000, &[100.0, 8000.0]), [(60, 0, 7980), (3, 8001, 9000)]);
    }

    #[test]
    fn what_no_archive_holds_any_more_is_left_out() {
        assert_eq!(asked(&["MIN:0.5:3:100"], 1000, &[]), [(3, 699, 999)]);
        assert_eq!(asked(&["AVERAGE:0.5:3:100"], 90, &[]), [(3, 0, 90)]);
        assert_eq!(asked(&["MAX:0.5:3:100"], 90, &[]), []);
    }
}
