//! What must hold for every definition and every run of updates, not only for those that somebody thought of.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "tests: the numbers are small"
)]

#[path = "support/reference.rs"]
mod reference;

use heapsoak_rrd::fetch::{self, Window};
use heapsoak_rrd::{Archive, Cf, Heartbeat, Reading, Rings, RoundRobin, Schema, Source, State, Step, Time, Xff};
use proptest::prelude::*;
use reference::{ArchiveRules, Reference, SourceRules};

/// A definition and a run of updates (µs after the one before, texts); every text fits its source.
#[derive(Clone, Debug)]
struct Run {
    schema: Schema,
    start: Time,
    updates: Vec<(u64, Vec<String>)>,
}

impl Run {
    fn times(&self) -> Vec<Time> {
        let mut at = self.start.as_micros();
        let later = |(wait, _): &(u64, Vec<String>)| {
            at += wait.cast_signed();
            Time::from_micros(at)
        };
        self.updates.iter().map(later).collect()
    }

    /// Plays the run, stopping and resuming from a saved state before the updates that `stops` names.
    fn play(&self, stops: &[usize]) -> (RoundRobin, Rings) {
        let mut machine = RoundRobin::new(self.schema.clone(), self.start);
        let mut rings = Rings::new(&self.schema);
        for (index, (time, (_, texts))) in self.times().into_iter().zip(&self.updates).enumerate() {
            if stops.contains(&index) {
                let saved = serde_json::to_string(machine.state()).unwrap();
                let state: State = serde_json::from_str(&saved).unwrap();
                machine = RoundRobin::resume(self.schema.clone(), state).unwrap();
            }
            machine.update(time, &readings(texts), &mut |row| rings.apply(row)).unwrap();
        }
        (machine, rings)
    }

    /// All rows that archive `number` can hold at the end of the run.
    fn rows(&self, rings: &Rings, number: usize) -> Vec<(Time, Vec<Option<f64>>)> {
        let last = self.times().last().copied().unwrap_or(self.start);
        let (first, newest) = fetch::held(&self.schema, last, number);
        let row_us = self.schema.row_us(&self.schema.archives()[number]);
        let start = Time::from_micros(first.as_micros() - row_us.cast_signed());
        rings.fetch(&Window { archive: number, start, end: newest, row_us })
    }
}

fn readings(texts: &[String]) -> Vec<Reading> {
    texts.iter().map(|text| Reading::from_text(text)).collect()
}

const STEPS: [u64; 6] = [1, 7, 50_000, 1_000_000, 3_000_000, 10_000_000];
const STARTS: [i64; 5] = [0, -1, -12_345_678, 1_700_000_000_123_456, 4_102_444_800_000_000];

fn source(step: u64) -> impl Strategy<Value = Source> {
    let kind = prop::sample::select(vec!["GAUGE", "COUNTER", "DERIVE", "DCOUNTER", "DDERIVE", "ABSOLUTE"]);
    let limits = prop::sample::select(vec![(None, None), (Some(0.0), None), (Some(-5.5), Some(1e6))]);
    (kind, 1..=12_u64, limits).prop_map(move |(kind, halves, (min, max))| Source {
        name: "x".parse().unwrap(),
        kind: kind.parse().unwrap(),
        heartbeat: Heartbeat::new((step * halves / 2).max(1)).unwrap(),
        min,
        max,
    })
}

fn archive() -> impl Strategy<Value = Archive> {
    let cf = prop::sample::select(vec![Cf::Average, Cf::Min, Cf::Max, Cf::Last]);
    let xff = prop::sample::select(vec![0.0, 0.25, 0.5, 0.9]).prop_map(|xff| Xff::new(xff).unwrap());
    (cf, xff, 1..=7_u64, 1..=9_u64).prop_map(|(cf, xff, pdps_per_row, rows)| Archive { cf, xff, pdps_per_row, rows })
}

/// Mostly less than two steps, at times a gap that outlasts archives.
fn wait(step: u64) -> impl Strategy<Value = u64> {
    prop_oneof![6 => 1..=step, 4 => 1..=step * 2, 2 => Just(step), 2 => 1..=step * 9, 1 => 1..=step * 90]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just("U".to_owned()),
        3 => (0..2000_u32).prop_map(|v| v.to_string()),
        1 => (0..=u64::MAX).prop_map(|v| v.to_string()),
        1 => (u64::from(u32::MAX) - 500..=u64::from(u32::MAX)).prop_map(|v| v.to_string()),
    ]
}

fn run() -> impl Strategy<Value = Run> {
    let archives = prop::collection::vec(archive(), 1..4);
    (prop::sample::select(&STEPS), prop::sample::select(&STARTS), archives).prop_flat_map(|(step, start, archives)| {
        prop::collection::vec(source(step), 1..4).prop_flat_map(move |mut sources| {
            for (number, source) in sources.iter_mut().enumerate() {
                source.name = format!("s{number}").parse().unwrap();
            }
            let schema = Schema::new(Step::new(step).unwrap(), sources, archives.clone()).unwrap();
            let sample = (wait(step), prop::collection::vec(text(), schema.sources().len()));
            prop::collection::vec(sample, 0..60).prop_map(move |updates| Run {
                schema: schema.clone(),
                start: Time::from_micros(start),
                updates,
            })
        })
    })
}

fn reference(run: &Run) -> Reference {
    let sources = run.schema.sources().iter().map(|s| SourceRules {
        kind: s.kind.to_string(),
        heartbeat: s.heartbeat.micros().cast_signed(),
        min: s.min,
        max: s.max,
    });
    let archives = run.schema.archives().iter().map(|a| ArchiveRules {
        cf: a.cf.to_string(),
        xff: a.xff.get(),
        n: a.pdps_per_row.cast_signed(),
        rows: a.rows.cast_signed(),
    });
    let step = run.schema.step().micros().cast_signed();
    let mut reference = Reference::new(step, run.start.as_micros(), sources.collect(), archives.collect());
    for (time, (_, texts)) in run.times().into_iter().zip(&run.updates) {
        reference.update(time.as_micros(), texts);
    }
    reference
}

proptest! {
    #[test]
    fn any_run_gives_the_rows_that_looking_at_all_updates_at_once_gives(run in run()) {
        let (_, rings) = run.play(&[]);
        let reference = reference(&run);
        for archive in 0..run.schema.archives().len() {
            for (time, values) in run.rows(&rings, archive) {
                for (source, got) in values.into_iter().enumerate() {
                    let want = reference.row(archive, source, time.as_micros());
                    // Where a huge rate came and went, the digits of a small one are gone, in any order of adding.
                    let lost = 1e-13 * reference.largest_rate(archive, source, time.as_micros());
                    let agree = match (got, want) {
                        (Some(got), Some(want)) => (got - want).abs() <= 1e-9 * want.abs() + lost,
                        (got, want) => got == want,
                    };
                    prop_assert!(agree, "archive {archive} source {source} at {time}: {got:?}, should be {want:?}");
                }
            }
        }
    }

    #[test]
    fn a_run_split_over_any_number_of_restarts_gives_the_same_archives(
        run in run(), stops in prop::collection::vec(0..60_usize, 0..10)
    ) {
        let (whole, whole_rings) = run.play(&[]);
        let (split, split_rings) = run.play(&stops);
        prop_assert_eq!(whole.state(), split.state());
        prop_assert_eq!(whole_rings, split_rings);
    }

    #[test]
    fn minimum_average_and_maximum_are_known_together_and_in_order(run in run()) {
        let three = |a: &Archive| [Cf::Min, Cf::Average, Cf::Max].map(|cf| Archive { cf, ..*a });
        let archives = three(&run.schema.archives()[0]).to_vec();
        let schema = Schema::new(run.schema.step(), run.schema.sources().to_vec(), archives).unwrap();
        let run = Run { schema, ..run };
        let (_, rings) = run.play(&[]);
        let [min, average, max] = [0, 1, 2].map(|number| run.rows(&rings, number));
        for ((low, middle), high) in min.iter().zip(&average).zip(&max) {
            for ((low, middle), high) in low.1.iter().zip(&middle.1).zip(&high.1) {
                let Some(((low, middle), high)) = low.zip(*middle).zip(*high) else {
                    prop_assert_eq!((*low, *middle, *high), (None, None, None));
                    continue;
                };
                let slack = 1e-12 * low.abs().max(high.abs());
                prop_assert!(low <= middle + slack && middle <= high + slack, "{} {} {}", low, middle, high);
            }
        }
    }

    #[test]
    fn unknown_never_becomes_a_number(run in run(), known in prop::collection::vec(0..60_usize, 0..3)) {
        let mut run = run;
        for (index, (_, texts)) in run.updates.iter_mut().enumerate() {
            if !known.contains(&index) {
                texts.fill("U".to_owned());
            }
        }
        let (_, rings) = run.play(&[]);
        let ends = run.times();
        let starts = std::iter::once(run.start).chain(ends.iter().copied());
        let stretches: Vec<(Time, Time)> = starts.zip(ends.iter().copied()).collect();
        for archive in 0..run.schema.archives().len() {
            let row_us = run.schema.row_us(&run.schema.archives()[archive]).cast_signed();
            for (time, values) in run.rows(&rings, archive) {
                let begin = Time::from_micros(time.as_micros() - row_us);
                let seen = known.iter().filter_map(|i| stretches.get(*i)).any(|(from, to)| *from < time && *to > begin);
                prop_assert!(seen || values.iter().all(Option::is_none), "{time}: {values:?}");
            }
        }
    }

    #[test]
    fn an_archive_never_holds_or_writes_more_than_its_rows(run in run()) {
        let mut machine = RoundRobin::new(run.schema.clone(), run.start);
        let mut rings = Rings::new(&run.schema);
        for (time, (_, texts)) in run.times().into_iter().zip(&run.updates) {
            let (mut written, last) = (vec![Vec::new(); run.schema.archives().len()], machine.last());
            machine.update(time, &readings(texts), &mut |row| {
                written[row.archive].push(row.time);
                rings.apply(row);
            }).unwrap();
            for (number, (times, archive)) in written.iter().zip(run.schema.archives()).enumerate() {
                // One more than the ring: the row that the rest of the first PDP closes may be overtaken at once.
                prop_assert!(times.len() as u64 <= archive.rows + 1);
                prop_assert!(rings.len(number) as u64 <= archive.rows);
                prop_assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
                prop_assert!(times.iter().all(|t| *t > last && *t <= time));
                let row_us = run.schema.row_us(archive).cast_signed();
                prop_assert!(times.iter().all(|t| t.as_micros().rem_euclid(row_us) == 0));
            }
        }
    }
}

/// Times that are likely to hurt, beside any others.
fn any_time() -> impl Strategy<Value = Time> {
    let edges = prop::sample::select(vec![i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX]);
    prop_oneof![any::<i64>(), edges].prop_map(Time::from_micros)
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[-+0-9.eEUxinfNa ]{0,40}", any::<f64>().prop_map(|v| v.to_string()), text()]
}

/// Any definition whose archives are small enough to be filled; rows may be as long as the crate allows.
fn any_schema() -> impl Strategy<Value = Schema> {
    let step = prop_oneof![1..=10_u64, 1..=heapsoak_rrd::MAX_SPAN_US];
    let fraction = || prop_oneof![Just(0.0), 0.0..=1.0_f64];
    let archive = || (archive(), fraction(), 0.0..1.0_f64);
    let sources = step.prop_flat_map(|step| (Just(step), source(step.min(1 << 40)), source(1)));
    (sources, prop::collection::vec(archive(), 1..4)).prop_map(|((step, a, b), archives)| {
        let b = Source { name: "y".parse().unwrap(), ..b };
        let stretched = archives.into_iter().map(|(archive, fraction, xff)| {
            let rows = archive.rows.min(heapsoak_rrd::MAX_SPAN_US / step);
            let longest = heapsoak_rrd::MAX_SPAN_US / step / rows;
            let pdps_per_row = ((longest as f64 * fraction) as u64).clamp(1, longest);
            Archive { xff: Xff::new(xff).unwrap(), rows, pdps_per_row, ..archive }
        });
        Schema::new(Step::new(step).unwrap(), vec![a, b], stretched.collect()).unwrap()
    })
}

proptest! {
    #[test]
    fn no_text_and_no_time_makes_an_update_panic_or_leave_an_impossible_state(
        schema in any_schema(),
        start in any_time(),
        updates in prop::collection::vec((any_time(), prop::collection::vec(any_text(), 0..4)), 0..20),
    ) {
        let mut machine = RoundRobin::new(schema.clone(), start);
        for (time, texts) in updates {
            let (before, mut rows) = (machine.state().clone(), 0);
            let result = machine.update(time, &readings(&texts), &mut |_| rows += 1);
            if result.is_err() {
                prop_assert_eq!((machine.state(), rows), (&before, 0), "a refused update left a trace");
            }
            prop_assert_eq!(machine.state().check(&schema), Ok(()));
        }
    }

    #[test]
    fn no_time_makes_a_fetch_panic(
        schema in any_schema(), last in any_time(), start in any_time(), end in any_time(), resolution in any::<u64>()
    ) {
        if let Ok(window) = fetch::window(&schema, last, Cf::Average, start, end, resolution) {
            prop_assert!(window.start <= start && window.end > end);
            prop_assert_eq!(window.times().next(), Some(Time::from_micros(window.start.as_micros() + window.row_us.cast_signed())));
            prop_assert_eq!(window.times().take(3).count() as u64, window.rows().min(3));
        }
        if let Ok(frame) = fetch::frame(&schema, last, Cf::Average, start, end, resolution) {
            let held = frame.held(&schema, last, start);
            prop_assert!(frame.start <= held.start && held.start <= held.end && held.end <= frame.end);
            prop_assert!(held.rows() <= schema.archives()[frame.archive].rows);
            let outside = Window { end: held.start, ..frame }.rows() + Window { start: held.end, ..frame }.rows();
            prop_assert_eq!(outside + held.rows(), frame.rows());
        }
        for archive in 0..4 {
            let (oldest, newest) = fetch::held(&schema, last, archive);
            prop_assert!(oldest <= newest && newest <= last);
        }
    }

    #[test]
    fn no_text_makes_a_definition_panic_and_what_is_read_prints_as_it_reads(
        text in prop_oneof![any::<String>(), "DS:[a-z]{1,3}:GAUGE:[0-9.]{1,4}(ms|s|m|h)?:(U|[-0-9.e]{1,5}):(U|[0-9.e]{1,5})",
            "(RRA:)?(AVERAGE|MIN|MAX|LAST):(0?\\.[0-9]{1,3}:)?[0-9]{1,3}[smh]?:[0-9]{1,4}[hdw]?"]
    ) {
        let step = Step::new(1_000_000).unwrap();
        if let Ok(source) = text.parse::<Source>() {
            prop_assert_eq!(source.to_string().parse::<Source>(), Ok(source));
        }
        if let Ok(archive) = Archive::parse(&text, step) {
            prop_assert_eq!(Archive::parse(&archive.to_string(), step), Ok(archive));
        }
    }
}
