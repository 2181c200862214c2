//! Which archives of a store are exported, and which of their rows.

use anyhow::bail;
use heapsoak_rrd::fetch::{self, Window};
use heapsoak_rrd::{Cf, Schema, Time};
use heapsoak_store::{ArchiveInfo, Info};

/// The time that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: Time,
    pub(crate) end: Time,
}

/// What was asked for; nothing: the whole recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) functions: Vec<Cf>,
    pub(crate) sources: Vec<String>,
    pub(crate) span: Option<Span>,
}

impl Choice {
    /// For each function the archive that a fetch from the start of the time would choose at its finest, so that rows
    /// are equally long and none is missing. No function: averages, or whatever the first archive keeps.
    pub(crate) fn one_archive_each(&self, info: &Info) -> anyhow::Result<Vec<Window>> {
        let mut functions = self.functions.clone();
        if functions.is_empty() {
            let kept = || info.archives.iter().map(|about| about.archive.cf);
            functions.extend(kept().find(|cf| *cf == Cf::Average).or_else(|| kept().next()));
        }
        functions.into_iter().map(|cf| self.one_archive(cf, info)).collect()
    }

    fn one_archive(&self, cf: Cf, info: &Info) -> anyhow::Result<Window> {
        let of_function = Choice { functions: vec![cf], ..Choice::default() }.archives(info)?;
        // A fetch takes rows of one PDP for any function, and they are labelled by it here.
        let archives = of_function.iter().map(|(_, about)| about.archive).collect();
        let schema = Schema::new(info.schema.step(), info.schema.sources().to_vec(), archives)?;
        let from = self.span.map_or(info.start, |span| span.start.max(info.start)).min(info.last);
        let answers = fetch::window(&schema, info.last, cf, from, info.last, 1)?.archive;
        let (number, about) = of_function[answers];
        Ok(self.rows(number, about, info))
    }

    /// Every archive of the functions asked for, as far as it was written.
    pub(crate) fn all_archives(&self, info: &Info) -> anyhow::Result<Vec<Window>> {
        Ok(self.archives(info)?.into_iter().map(|(number, about)| self.rows(number, about, info)).collect())
    }

    /// Every archive of the functions asked for, with rows that were never written too: a ring has all of them.
    pub(crate) fn whole_rings(&self, info: &Info) -> anyhow::Result<Vec<Window>> {
        let ring = |(archive, about): (usize, &ArchiveInfo)| {
            let start = Time::from_micros(about.first.as_micros().saturating_sub_unsigned(about.row_us));
            Window { archive, start, end: about.last, row_us: about.row_us }
        };
        Ok(self.archives(info)?.into_iter().map(ring).collect())
    }

    /// The time of the events that go with the rows.
    pub(crate) fn events(&self) -> (Time, Time) {
        let always = (Time::from_micros(i64::MIN), Time::from_micros(i64::MAX));
        self.span.map_or(always, |span| (span.start, span.end))
    }

    fn archives<'a>(&self, info: &'a Info) -> anyhow::Result<Vec<(usize, &'a ArchiveInfo)>> {
        for cf in &self.functions {
            if !info.archives.iter().any(|about| about.archive.cf == *cf) {
                let known: Vec<_> = info.archives.iter().map(|about| about.archive.to_string()).collect();
                bail!("{} has no archive of {cf}: it has {}", info.path.display(), known.join(" "));
            }
        }
        let asked = |cf| self.functions.is_empty() || self.functions.contains(&cf);
        Ok(info.archives.iter().enumerate().filter(|(_, about)| asked(about.archive.cf)).collect())
    }

    /// The rows of an archive that lie, with any part, in the time asked for and in that of the recording.
    fn rows(&self, archive: usize, about: &ArchiveInfo, info: &Info) -> Window {
        let row_us = about.row_us;
        let width = i64::try_from(row_us).unwrap_or(i64::MAX);
        let down = |time: Time| time.as_micros().div_euclid(width).saturating_mul(width);
        let up = |time: Time| down(Time::from_micros(time.as_micros().saturating_add(width - 1)));
        let oldest = about.first.as_micros().saturating_sub_unsigned(row_us).max(down(info.start));
        let (from, to) = self.span.map_or((oldest, i64::MAX), |span| (down(span.start), up(span.end)));
        let start = oldest.max(from).min(about.last.as_micros());
        let end = about.last.as_micros().min(to).max(start);
        Window { archive, start: Time::from_micros(start), end: Time::from_micros(end), row_us }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::export::testing;

    const START: i64 = testing::START_S;

    fn check(
        choice: &Choice,
        seconds: i64,
        pick: fn(&Choice, &Info) -> anyhow::Result<Vec<Window>>,
        expected: &Expect,
    ) {
        let info = testing::store(seconds).info().unwrap();
        let relative = |time: Time| time.whole_secs() - START;
        let shown = |window: &Window| {
            let archive = info.archives[window.archive].archive;
            format!("{archive} {}..{}\n", relative(window.start), relative(window.end))
        };
        expected.assert_eq(&pick(choice, &info).unwrap().iter().map(shown).collect::<String>());
    }

    fn of(functions: &[Cf], span: Option<(i64, i64)>) -> Choice {
        let at = |second| Time::from_secs(START + second);
        let span = span.map(|(start, end)| Span { start: at(start), end: at(end) });
        Choice { functions: functions.into(), sources: Vec::new(), span }
    }

    #[test]
    fn a_short_recording_is_told_by_its_finest_rows_and_a_long_one_from_its_beginning() {
        check(
            &of(&[], None),
            50,
            Choice::one_archive_each,
            &expect![[r#"
            RRA:AVERAGE:0.5:1:60 0..50
        "#]],
        );
        check(
            &of(&[], None),
            500,
            Choice::one_archive_each,
            &expect![[r#"
            RRA:AVERAGE:0.5:10:100 0..500
        "#]],
        );
    }

    #[test]
    fn the_rows_asked_for_come_whole_and_from_the_finest_archive_that_has_them() {
        check(
            &of(&[], Some((455, 463))),
            500,
            Choice::one_archive_each,
            &expect![[r#"
            RRA:AVERAGE:0.5:1:60 455..463
        "#]],
        );
        check(
            &of(&[], Some((15, 33))),
            500,
            Choice::one_archive_each,
            &expect![[r#"
            RRA:AVERAGE:0.5:10:100 10..40
        "#]],
        );
        check(
            &of(&[Cf::Max], Some((-500, 9000))),
            500,
            Choice::one_archive_each,
            &expect![[r#"
            RRA:MAX:0.5:10:100 0..500
        "#]],
        );
    }

    #[test]
    fn time_before_and_after_the_recording_is_empty_and_not_unknown() {
        for span in [(-100, -50), (600, 700)] {
            let windows = of(&[], Some(span)).one_archive_each(&testing::store(500).info().unwrap()).unwrap();
            assert_eq!(windows.iter().map(Window::rows).sum::<u64>(), 0, "{span:?}");
        }
    }

    #[test]
    fn a_ring_is_whole_even_where_it_was_never_written() {
        check(
            &of(&[], None),
            50,
            Choice::whole_rings,
            &expect![[r#"
            RRA:AVERAGE:0.5:1:60 -10..50
            RRA:AVERAGE:0.5:10:100 -950..50
            RRA:MAX:0.5:10:100 -950..50
        "#]],
        );
        check(
            &of(&[], None),
            50,
            Choice::all_archives,
            &expect![[r#"
            RRA:AVERAGE:0.5:1:60 0..50
            RRA:AVERAGE:0.5:10:100 0..50
            RRA:MAX:0.5:10:100 0..50
        "#]],
        );
    }

    #[test]
    fn a_function_that_is_not_kept_is_refused_with_those_that_are() {
        let info = testing::store(50).info().unwrap();
        for pick in [Choice::all_archives, Choice::one_archive_each] {
            let error = pick(&of(&[Cf::Min], None), &info).unwrap_err().to_string();
            assert!(
                error.contains("soak.db has no archive of MIN: it has RRA:AVERAGE:0.5:1:60 RRA:AVERAGE"),
                "{error}"
            );
        }
    }
}
