//! The verdict over a store: which sources are judged, over which time, and which of them decide. The statistics are
//! those of `heapsoak-verdict`; the formats are beside this file.
//!
//! Whatever leaks is said. What the exit status says is less: a leak counts when the source decides (a target's heap, or
//! its memory where it has none), when it was seen right after full collections, or when the memory of a process has
//! grown by half. A smaller rise of `rss` beside a steady heap is told, and is not called a failure: the allocator's and
//! the system's caches rise in healthy programs too.

mod findings;
mod gather;
pub(crate) mod github;
mod junit;
mod limits;
mod lives;
mod names;
mod rows;
mod sparkline;
mod text;
mod trend;

pub(crate) use findings::{Finding, of_comparison, of_verdict};
pub(crate) use junit::write as write_junit;
pub(crate) use text::write as write_text;
pub(crate) use trend::draw as draw_trend;

use anyhow::{Context, bail};
use heapsoak_cli::time::{Span, TimeSpec};
use heapsoak_rrd::Time;
use heapsoak_store::{Info, Reader};
use heapsoak_verdict::{Basis, Materiality, Series, Settings, Trim, Unit, Verdict, Word, decide};

use self::gather::{Gathered, Target};
use self::lives::Lives;
use self::names::{Known, Role};

/// What is asked about a store. `Question::default()`: the usual sources, the whole recording.
#[derive(Debug, Clone, Default)]
pub(crate) struct Question {
    /// Empty: the usual ones.
    pub(crate) sources: Vec<String>,
    /// `None`: the beginning of the recording.
    pub(crate) start: Option<TimeSpec>,
    /// `None`: the end of the recording.
    pub(crate) end: Option<TimeSpec>,
    /// Of the last run, instead of `start`.
    pub(crate) from_iteration: Option<u64>,
    /// For the sources that decide; `None`: the heap limit that was recorded.
    pub(crate) limit: Option<f64>,
    /// The slope per hour that matters, for sources in bytes and for those that are named; `None`: the usual.
    pub(crate) max_slope_per_hour: Option<f64>,
}

/// The verdict over one source, and what it is worth.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) unit: Unit,
    /// Its word is that of the store.
    pub(crate) decides: bool,
    /// It is memory of a process.
    pub(crate) is_process: bool,
}

/// Memory of a process beside a steady heap must have grown this far before it is called a failure: less is what
/// allocators and the system's caches come to in healthy programs (60 to 73 MB within five minutes was seen).
const GREAT_GROWTH: f64 = 1.5;

impl Judged {
    /// Whether a leak of it is a leak of the store.
    pub(crate) fn counts(&self) -> bool {
        let floors = &self.verdict.floors;
        let has_grown = floors.first().zip(floors.last()).is_some_and(|(a, b)| b.1 >= GREAT_GROWTH * a.1);
        self.decides || self.verdict.basis != Some(Basis::Blocks) || (self.is_process && has_grown)
    }
}

/// The verdicts over a store, those that decide first.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) judged: Vec<Judged>,
    /// Values that are unknown because the check of their row failed.
    pub(crate) damaged: u64,
}

/// One word for all: leak if one counts, steady if all that decide are.
pub(crate) fn word(judged: &[Judged]) -> Word {
    let is = |judged: &Judged, word| judged.verdict.verdict == word;
    if judged.iter().any(|one| is(one, Word::Leak) && one.counts()) {
        Word::Leak
    } else if judged.iter().all(|one| is(one, Word::Steady) || !one.decides) {
        Word::Steady
    } else {
        Word::Undecided
    }
}

/// Judges what `question` asks for, as of `now_us`.
///
/// # Errors
/// When the store cannot be read, a source is not in it, there is nothing to judge, or the time has no ends.
pub(crate) fn of(reader: &Reader, question: &Question, now_us: i64) -> anyhow::Result<Answer> {
    let info = reader.info()?;
    let all: Vec<Known> = info.sources.iter().map(Known::of).collect();
    let chosen = choose(&all, question, &info)?;
    let span = span(question, &info, now_us)?;
    // What ended a recording is an event after its last sample.
    let to_the_end = span.end_us >= info.last.as_micros();
    let events = reader.events(info.start, Time::from_micros(if to_the_end { i64::MAX } else { span.end_us }))?;
    let mut judged = Vec::new();
    let mut damaged = 0;
    for label in labels(&chosen) {
        let lives = lives::of(label, &all, &info.runs, &events);
        let (start, end) = (Time::from_micros(span.start_us), Time::from_micros(span.end_us));
        let target = Target { reader, info: &info, label, lives: &lives, start, end };
        let of_label: Vec<(&Known, bool)> = chosen.iter().copied().filter(|(known, _)| known.label == label).collect();
        let (mut answers, unsound) = judge_target(&target, &of_label, &all, question)?;
        judged.append(&mut answers);
        damaged += unsound;
    }
    judged.sort_by_key(|one| !one.decides);
    Ok(Answer { judged, damaged })
}

/// The sources asked for, or the usual ones, each with whether it decides.
fn choose<'a>(all: &'a [Known], question: &Question, info: &Info) -> anyhow::Result<Vec<(&'a Known, bool)>> {
    let path = info.path.display();
    let found = if question.sources.is_empty() {
        names::usual(all)
    } else {
        let find = |name: &String| {
            let known = all.iter().find(|known| known.name == *name);
            known.map(|known| (known, true)).with_context(|| {
                let names: Vec<&str> = all.iter().map(|known| known.name.as_str()).collect();
                format!("{path} has no source {name}; it has {}", names.join(", "))
            })
        };
        question.sources.iter().map(find).collect::<anyhow::Result<_>>()?
    };
    if found.is_empty() {
        bail!("{path} has no source that tells of memory; name one by --source");
    }
    Ok(found)
}

fn labels<'a>(chosen: &[(&'a Known, bool)]) -> Vec<&'a str> {
    let mut labels: Vec<&str> = chosen.iter().map(|(known, _)| known.label.as_str()).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

/// The whole recording, or the part of it that is asked for. Without `--end` it ends where the recording does, so that
/// `--last 1h` of a recording of yesterday is its last hour.
fn span(question: &Question, info: &Info, now_us: i64) -> anyhow::Result<Span> {
    let (first_us, last_us) = (info.start.as_micros(), info.last.as_micros());
    let at = |time: Time| time.to_string().parse::<TimeSpec>();
    let end = question.end.clone().map_or_else(|| at(info.last), Ok)?;
    let start = question.start.clone().map_or_else(|| at(info.start), Ok)?;
    let span = Span::resolve(&start, &end, now_us)?;
    let start_us = span.start_us.clamp(first_us, last_us);
    Ok(Span { start_us, end_us: span.end_us.clamp(start_us, last_us) })
}

/// The verdicts over the sources of one target, and how many damaged values were met.
fn judge_target(
    target: &Target<'_>,
    chosen: &[(&Known, bool)],
    all: &[Known],
    question: &Question,
) -> anyhow::Result<(Vec<Judged>, u64)> {
    let of_role = |role, label: &str| all.iter().find(|known| known.role == role && known.label == label);
    let progress = of_role(Role::Progress, target.label).or_else(|| of_role(Role::Progress, ""));
    let sources: Vec<&Known> = chosen.iter().map(|(known, _)| *known).collect();
    let Gathered { mut series, limit, damaged } =
        target.gather(&sources, progress, of_role(Role::Limit, target.label))?;
    let mut start_s = target.start.as_secs_f64();
    if let Some(wanted) = question.from_iteration {
        start_s = from_iteration(&mut series, target.lives, wanted)?;
    }
    let trim = trim(&series, target.lives, start_s, target.info);
    let is_asked = !question.sources.is_empty();
    let has_heap = all.iter().any(|known| known.role == Role::Heap);
    let judge = |(series, (known, decides)): (&Series, &(&Known, bool))| {
        let usual = target.lives.limit.or(limit).filter(|_| known.role == Role::Heap);
        // A limit without a name is that of heaps, where there are any.
        let is_limited = *decides && (is_asked || !has_heap || known.role == Role::Heap);
        let max_slope = question.max_slope_per_hour.filter(|_| known.unit == Unit::Bytes || is_asked);
        let settings = Settings {
            limit: question.limit.filter(|_| is_limited).or(usual),
            // Who names a slope means that one, and not a share of the heap beside it.
            materiality: max_slope
                .map_or_else(Materiality::default, |slope| Materiality { per_hour: Some(slope), share_per_hour: 0.0 }),
            trim,
        };
        Judged {
            verdict: decide(series, &settings),
            unit: known.unit,
            decides: *decides,
            is_process: known.role == Role::Process,
        }
    };
    Ok((series.iter().zip(chosen).map(judge).collect(), damaged))
}

/// Leaves out all before iteration `wanted` of the last run; says when that was.
fn from_iteration(series: &mut [Series], lives: &Lives, wanted: u64) -> anyhow::Result<f64> {
    #[expect(clippy::cast_precision_loss, reason = "nobody counts 2^53 iterations")]
    let wanted = wanted as f64;
    let counted = series.first().map_or(&[][..], |series| &series.progress);
    let began = lives.runs.last().copied().unwrap_or(f64::NEG_INFINITY);
    let before = counted.iter().rev().find(|p| p.time <= began).map_or(0.0, |p| p.iterations);
    let last_run = || counted.iter().filter(|p| p.time > began);
    let Some(start) = last_run().find(|p| p.iterations - before >= wanted).map(|p| p.time) else {
        let done = last_run().next_back().map_or(0.0, |p| p.iterations - before);
        bail!("the last run has {done:.0} iterations: give --from-iteration a smaller number");
    };
    for one in series {
        one.samples.retain(|sample| sample.time >= start);
        one.floors.retain(|floor| floor.time >= start);
        one.progress.retain(|progress| progress.time >= start);
    }
    Ok(start)
}

/// Who begins after the warm-up has left it out already; lives that begin within the time have one of their own.
fn trim(series: &[Series], lives: &Lives, start_s: f64, info: &Info) -> Trim {
    let born = lives.cuts.iter().rev().find(|cut| **cut <= start_s).copied().unwrap_or(info.start.as_secs_f64());
    let ends = series.iter().filter_map(|one| one.samples.last()).map(|sample| sample.time).fold(start_s, f64::max);
    let is_one_life = !lives.cuts.iter().any(|cut| (start_s..ends).contains(cut));
    if is_one_life && start_s - born >= Trim::default().least_s { Trim::NOTHING } else { Trim::default() }
}
