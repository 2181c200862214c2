//! What a file says: a store's tables gathered into series, judged, and put together into one word.
//!
//! Store and verdict meet here and nowhere else, for `grapher verdict` as for a recorder that shall stop at a leak.
//!
//! ```no_run
//! use heapsoak_judge::{Question, judge, word};
//! use heapsoak_store::Reader;
//!
//! let reader = Reader::open("soak.db".as_ref())?;
//! let answer = judge(&reader, &reader.info()?, &Question::default())?;
//! println!("{}", word(&answer.judged).as_str());
//! # Ok::<(), heapsoak_judge::JudgeError>(())
//! ```
//!
//! Whatever leaks is said. What the one word says is less: a leak counts when the source decides (a target's heap, or its
//! memory where it has none), when it was seen right after full collections, or when the memory of a process has grown
//! by half. A smaller rise of `rss` beside a steady heap is told, and is not called a failure: the allocator's and the
//! system's caches rise in healthy programs too.

mod error;
mod gather;
mod limits;
mod lives;
mod names;
mod rows;

use heapsoak_rrd::Time;
use heapsoak_store::{Info, Reader};
use heapsoak_verdict::{Basis, Limit, Materiality, Series, Settings, Trim, Unit, Verdict, Word, decide};

pub use self::error::JudgeError;
use self::gather::{Gathered, Target};
use self::lives::Lives;
use self::names::{Known, Role};

/// What is asked about a store. `Question::default()`: the usual sources, the whole recording.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Question {
    /// Empty: the usual ones.
    pub sources: Vec<String>,
    /// `None`: the beginning of the recording.
    pub start: Option<Time>,
    /// `None`: the end of the recording, and what happened after its last sample.
    pub end: Option<Time>,
    /// Of the last run, instead of `start`.
    pub from_iteration: Option<u64>,
    /// Seconds that are left out at the beginning of each life; `None`: the usual warm-up.
    pub warm_up_s: Option<f64>,
    /// Bytes (or things), for the sources that decide; `None`: the heap limit that was recorded.
    pub limit: Option<f64>,
    /// The slope per hour that matters, for sources in bytes and for those that are named; `None`: the usual.
    pub max_slope_per_hour: Option<f64>,
}

/// The verdict over one source, and what it is worth.
#[derive(Debug, Clone)]
pub struct Judged {
    /// What is said of it.
    pub verdict: Verdict,
    /// What its values count.
    pub unit: Unit,
    /// Its word is that of the store.
    pub decides: bool,
    /// It is memory of a process.
    pub is_process: bool,
}

/// Memory of a process beside a steady heap must have grown this far before it is called a failure: less is what
/// allocators and the system's caches come to in healthy programs (60 to 73 MB within five minutes was seen).
const GREAT_GROWTH: f64 = 1.5;

impl Judged {
    /// Whether a leak of it is a leak of the store.
    pub fn counts(&self) -> bool {
        let floors = &self.verdict.floors;
        let has_grown = floors.first().zip(floors.last()).is_some_and(|(a, b)| b.1 >= GREAT_GROWTH * a.1);
        self.decides || self.verdict.basis != Some(Basis::Blocks) || (self.is_process && has_grown)
    }
}

/// The verdicts over a store, those that decide first.
#[derive(Debug)]
pub struct Answer {
    /// A verdict for each source that was asked for.
    pub judged: Vec<Judged>,
    /// Values that are unknown because the check of their row failed.
    pub damaged: u64,
}

/// One word for all: leak if one counts, steady if all that decide are.
pub fn word(judged: &[Judged]) -> Word {
    let is = |judged: &Judged, word| judged.verdict.verdict == word;
    if judged.iter().any(|one| is(one, Word::Leak) && one.counts()) {
        Word::Leak
    } else if judged.iter().all(|one| is(one, Word::Steady) || !one.decides) {
        Word::Steady
    } else {
        Word::Undecided
    }
}

/// Judges what `question` asks for; `info` is what `reader` tells of itself.
///
/// # Errors
/// When the store cannot be read, a source is not in it, or there is nothing to judge.
pub fn judge(reader: &Reader, info: &Info, question: &Question) -> Result<Answer, JudgeError> {
    let all: Vec<Known> = info.sources.iter().map(Known::of).collect();
    let chosen = choose(&all, question, info)?;
    let start = question.start.unwrap_or(info.start).clamp(info.start, info.last);
    let end = question.end.unwrap_or(info.last).clamp(start, info.last);
    // What ended a recording is an event after its last sample.
    let events_to = if end == info.last { Time::from_micros(i64::MAX) } else { end };
    let events = reader.events(info.start, events_to)?;
    let mut judged = Vec::new();
    let mut damaged = 0;
    for label in labels(&chosen) {
        let lives = lives::of(label, &all, &info.runs, &events);
        let target = Target { reader, info, label, lives: &lives, start, end };
        let of_label: Vec<(&Known, bool)> = chosen.iter().copied().filter(|(known, _)| known.label == label).collect();
        let (mut answers, unsound) = judge_target(&target, &of_label, &all, question)?;
        judged.append(&mut answers);
        damaged += unsound;
    }
    judged.sort_by_key(|one| !one.decides);
    Ok(Answer { judged, damaged })
}

/// The names of the sources that are judged when none is named, those that decide first.
pub fn usual_sources(info: &Info) -> Vec<String> {
    let all: Vec<Known> = info.sources.iter().map(Known::of).collect();
    names::usual(&all).into_iter().map(|(known, _)| known.name.clone()).collect()
}

/// The sources asked for, or the usual ones, each with whether it decides.
fn choose<'a>(all: &'a [Known], question: &Question, info: &Info) -> Result<Vec<(&'a Known, bool)>, JudgeError> {
    let absent = |name: &String| JudgeError::NoSuchSource {
        path: info.path.clone(),
        name: name.clone(),
        has: all.iter().map(|known| known.name.clone()).collect(),
    };
    let find = |name: &String| all.iter().find(|known| known.name == *name).ok_or_else(|| absent(name));
    let found = if question.sources.is_empty() {
        names::usual(all)
    } else {
        question.sources.iter().map(|name| Ok((find(name)?, true))).collect::<Result<_, JudgeError>>()?
    };
    if found.is_empty() {
        return Err(JudgeError::NothingToJudge { path: info.path.clone() });
    }
    Ok(found)
}

fn labels<'a>(chosen: &[(&'a Known, bool)]) -> Vec<&'a str> {
    let mut labels: Vec<&str> = chosen.iter().map(|(known, _)| known.label.as_str()).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

/// The verdicts over the sources of one target, and how many damaged values were met.
fn judge_target(
    target: &Target<'_>,
    chosen: &[(&Known, bool)],
    all: &[Known],
    question: &Question,
) -> Result<(Vec<Judged>, u64), JudgeError> {
    let of_role = |role, label: &str| all.iter().find(|known| known.role == role && known.label == label);
    let progress = of_role(Role::Progress, target.label).or_else(|| of_role(Role::Progress, ""));
    let sources: Vec<&Known> = chosen.iter().map(|(known, _)| *known).collect();
    let Gathered { mut series, limit, damaged } =
        target.gather(&sources, progress, of_role(Role::Limit, target.label))?;
    let mut start_s = target.start.as_secs_f64();
    if let Some(wanted) = question.from_iteration {
        start_s = from_iteration(&mut series, target.lives, wanted)?;
    }
    let trim = match question.warm_up_s {
        Some(least_s) => Trim { least_s, ..Trim::NOTHING },
        None => trim(&series, target.lives, start_s, target.info),
    };
    let is_asked = !question.sources.is_empty();
    let has_heap = all.iter().any(|known| known.role == Role::Heap);
    let judge = |(series, (known, decides)): (&Series, &(&Known, bool))| {
        let usual = target.lives.limit.map(Limit::of_old_generation).or(limit.map(Limit::of_heap));
        let usual = usual.filter(|_| known.role == Role::Heap);
        // A limit without a name is that of heaps, where there are any.
        let is_limited = *decides && (is_asked || !has_heap || known.role == Role::Heap);
        let max_slope = question.max_slope_per_hour.filter(|_| known.unit == Unit::Bytes || is_asked);
        let settings = Settings {
            limit: question.limit.filter(|_| is_limited).map(Limit::exact).or(usual),
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
fn from_iteration(series: &mut [Series], lives: &Lives, wanted: u64) -> Result<f64, JudgeError> {
    #[expect(clippy::cast_precision_loss, reason = "nobody counts 2^53 iterations")]
    let wanted = wanted as f64;
    let counted = series.first().map_or(&[][..], |series| &series.progress);
    let began = lives.runs.last().copied().unwrap_or(f64::NEG_INFINITY);
    let before = counted.iter().rev().find(|p| p.time <= began).map_or(0.0, |p| p.iterations);
    let last_run = || counted.iter().filter(|p| p.time > began);
    let Some(start) = last_run().find(|p| p.iterations - before >= wanted).map(|p| p.time) else {
        let done = last_run().next_back().map_or(0.0, |p| p.iterations - before);
        return Err(JudgeError::TooFewIterations { done });
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
