//! One watched Node program: what is known of it, and what becomes of that at a tick.
use std::{ops::RangeInclusive, path::PathBuf, sync::Arc};

use super::{
    super::{
        end::Evidence,
        observe::{Observed, Seen},
        reading::{Gc, GcKind, NodeReading},
        record::{Collection, Counts, Forced, Heap, Mode, Said},
        thrash::{Change, Thrash},
    },
    Happening, Notice, Tick,
};

/// A healthy program is heard every 400 ms.
const SILENT_US: i64 = 1_000_000;
/// From when on a loop that does not turn is an event.
const UNRESPONSIVE_MS: f64 = 3_000.0;
/// A program's wall clock that is further off than this is not believed: one of the clocks was set.
const MOST_OFF_US: i64 = 5_000_000;
/// Handles are counted once a second.
const HANDLES_OLD_US: i64 = 2_000_000;
/// How exact the times of collections are.
const ASKED_SLACK_US: i64 = 50_000;
/// Most collections kept for one tick, 16,000 a second at 1 Hz: later ones are counted, but not listed.
const MOST_LISTED: usize = 16_000;

/// What a program says of itself at first.
#[derive(Debug)]
pub(super) struct Greeting {
    pub(super) parent: Option<u32>,
    pub(super) version: String,
    pub(super) script: Option<String>,
    pub(super) mode: Mode,
    pub(super) flag_limit: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Lives,
    Over,
}

#[derive(Debug)]
pub(super) struct Program {
    pub(super) pid: u32,
    pub(super) label: Option<Arc<str>>,
    pub(super) fate: Fate,
    greeting: Greeting,
    /// Another program said hello from the same pid before the last tick.
    before: Option<Box<Program>>,
    process: Option<Observed>,
    closed: bool,
    told_closed: bool,
    seq: u64,
    heard_us: i64,
    heap: Option<Heap>,
    most_lag_ms: Option<f64>,
    handles: Option<(i64, f64)>,
    listed_counts: Listed,
    listed: Vec<Gc>,
    /// When the last collection was forced.
    asked: Option<RangeInclusive<i64>>,
    happened: Vec<Happening>,
    lost: u64,
    told_lost: u64,
    thrash: Thrash,
    stuck_since_us: Option<i64>,
    evidence: Evidence,
    first_resident: Option<f64>,
}

/// What the collections that were listed add up to.
#[derive(Debug, Default)]
struct Listed {
    minor: f64,
    major: f64,
    pause_ms: f64,
    floor: Option<f64>,
}

impl Program {
    pub(super) fn new(pid: u32, seq: u64, now_us: i64, greeting: Greeting) -> Program {
        let happened = if greeting.mode == Mode::Profiler { vec![] } else { vec![Happening::Collector(greeting.mode)] };
        Program {
            pid,
            label: None,
            fate: Fate::Lives,
            evidence: Evidence { limit: greeting.flag_limit, ..Evidence::default() },
            greeting,
            before: None,
            process: None,
            closed: false,
            told_closed: false,
            seq,
            heard_us: now_us,
            heap: None,
            most_lag_ms: None,
            handles: None,
            listed_counts: Listed::default(),
            listed: Vec::new(),
            asked: None,
            happened,
            lost: 0,
            told_lost: 0,
            thrash: Thrash::default(),
            stuck_since_us: None,
            first_resident: None,
        }
    }

    /// `next` said hello from the same pid: whether it is the same process shows at the next tick.
    pub(super) fn succeed(&mut self, next: Program) {
        let mut earlier = std::mem::replace(self, next);
        self.before = earlier.before.take().or_else(|| Some(Box::new(earlier)));
    }

    pub(super) fn script(&self) -> Option<&str> {
        self.greeting.script.as_deref()
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn hear(&mut self, now_us: i64, seq: u64, wall_us: i64, said: Said) {
        self.heard_us = now_us;
        self.lost += seq.saturating_sub(self.seq + 1);
        self.seq = self.seq.max(seq);
        match said {
            Said::Hello { .. } => {}
            Said::Heap(heap) => self.hear_heap(now_us, heap),
            Said::Collections(list) => {
                let said_us = believed_us(now_us, wall_us);
                list.iter().for_each(|collection| self.collected(said_us, collection));
            }
            Said::Checkpoint(forced) => self.forced(believed_us(now_us, wall_us), forced),
            Said::Mode(mode, _) => self.happened.push(Happening::Collector(mode)),
            Said::Blind(for_ms) => self.happened.push(Happening::Blind { for_ms }),
            Said::End(code) => self.evidence.announced = Some(code),
        }
    }

    fn hear_heap(&mut self, now_us: i64, heap: Heap) {
        self.most_lag_ms = Some(self.most_lag_ms.map_or(heap.lag_ms, |most| most.max(heap.lag_ms)));
        if let Some(count) = heap.handles {
            self.handles = Some((now_us, count));
        }
        self.first_resident.get_or_insert(heap.resident);
        self.evidence.heap_used = Some(heap.used);
        self.evidence.limit = self.greeting.flag_limit.or(Some(heap.limit));
        self.heap = Some(heap);
    }

    /// One that was asked for is listed once, as such, however it is seen otherwise.
    fn forced(&mut self, time_us: i64, forced: Forced) {
        let Forced { pause_ms, before, after } = forced;
        #[expect(clippy::cast_possible_truncation, reason = "a parsed pause is far below 2^63, and `as` saturates")]
        let asked = time_us.saturating_sub((pause_ms * 1e3) as i64 + ASKED_SLACK_US)..=time_us + ASKED_SLACK_US;
        self.listed.retain(|gc| gc.kind == GcKind::Minor || !asked.contains(&gc.time_us));
        self.asked = Some(asked);
        let (before, after) = (Some(before), Some(after));
        self.listed_counts.floor = after;
        self.listed.push(Gc { time_us, kind: GcKind::Major, pause_ms, before, after, forced: true });
    }

    fn collected(&mut self, said_us: i64, collection: &Collection) {
        self.listed_counts.pause_ms += collection.pause_ms;
        let kind = match collection.major {
            None => return,
            Some(false) => {
                self.listed_counts.minor += 1.0;
                GcKind::Minor
            }
            Some(true) => {
                self.listed_counts.major += 1.0;
                self.listed_counts.floor = collection.after.or(self.listed_counts.floor);
                self.evidence.major_before = self.evidence.last_major;
                self.evidence.last_major = collection.before.zip(collection.after);
                GcKind::Major
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "a parsed time is far below 2^63, and `as` saturates")]
        let time_us = said_us.saturating_sub((collection.age_ms * 1e3) as i64);
        let gc = Gc {
            time_us,
            kind,
            pause_ms: collection.pause_ms,
            before: collection.before,
            after: collection.after,
            forced: false,
        };
        if kind == GcKind::Major && self.asked.as_ref().is_some_and(|asked| asked.contains(&time_us)) {
            return;
        }
        self.thrash.add(gc);
        if self.listed.len() < MOST_LISTED {
            self.listed.push(gc);
        }
    }

    pub(super) fn is_new(&self) -> bool {
        self.label.is_none()
    }

    /// The first tick of this program: says so, and what became of the one before it in the same process.
    pub(super) fn appear(&mut self, mut label: Arc<str>, seen: &Seen, tick: &mut Tick) {
        if let Some(mut before) = self.before.take() {
            let by = match seen {
                Seen::Alive(process) => process.executable.clone(),
                Seen::Gone | Seen::Unknowable => None,
            };
            let same = match (&before.process, seen) {
                (Some(earlier), Seen::Alive(process)) => earlier.start_ticks == process.start_ticks,
                _ => before.evidence.announced.is_none(),
            };
            if let Some(earlier) = before.label.clone().filter(|_| same) {
                label = earlier;
            }
            let label = before.label.get_or_insert_with(|| Arc::clone(&label)).clone();
            before.hand_over(tick);
            let what = if same { Happening::Replaced { by } } else { Happening::Ended(before.evidence) };
            tick.notices.push(Notice { label, pid: self.pid, what });
        }
        let Greeting { parent, version, script, .. } = &self.greeting;
        let what = Happening::Appeared { parent: *parent, version: version.clone(), script: script.clone() };
        tick.notices.push(Notice { label: Arc::clone(&label), pid: self.pid, what });
        self.label = Some(label);
    }

    pub(super) fn tick(&mut self, now_us: i64, seen: Seen, tick: &mut Tick) {
        let silent_us = now_us.saturating_sub(self.heard_us).max(0);
        #[expect(clippy::cast_precision_loss, reason = "a silence in µs has far fewer than 52 bits")]
        let silent_ms = silent_us as f64 / 1e3;
        let verdict = self.look(seen, silent_ms);
        if verdict.is_none() {
            self.judge(now_us, silent_us, silent_ms);
        }
        self.happened.extend(verdict);
        self.hand_over(tick);
        if self.fate == Fate::Lives {
            let reading = self.reading(now_us, silent_us, silent_ms);
            tick.readings.extend(self.label.clone().map(|label| (label, reading)));
        }
        self.most_lag_ms = None;
    }

    /// What the system says of the process; its end or replacement, if that is what it says.
    fn look(&mut self, seen: Seen, silent_ms: f64) -> Option<Happening> {
        let process = match seen {
            Seen::Alive(process) => process,
            Seen::Unknowable if !self.closed => return None,
            Seen::Unknowable | Seen::Gone => return Some(self.over()),
        };
        if let Some(earlier) = &self.process {
            if earlier.start_ticks != process.start_ticks {
                return Some(self.over());
            }
            if differs(earlier.executable.as_ref(), process.executable.as_ref()) {
                self.fate = Fate::Over;
                return Some(Happening::Replaced { by: process.executable });
            }
        }
        self.evidence.silent_ms = silent_ms;
        #[expect(clippy::cast_precision_loss, reason = "sizes of processes are far below 2^52")]
        let resident = process.resident_bytes as f64;
        self.evidence.grown_bytes = self.first_resident.map(|first| (resident - first).max(0.0));
        self.process = Some(process);
        None
    }

    fn over(&mut self) -> Happening {
        self.fate = Fate::Over;
        Happening::Ended(Evidence { thrashing: self.thrash.is_active(), ..self.evidence })
    }

    /// The states with a beginning and an end.
    fn judge(&mut self, now_us: i64, silent_us: i64, silent_ms: f64) {
        let late = self.heap.map_or(0.0, |heap| heap.lag_ms).max(silent_ms);
        let latest = self.most_lag_ms.unwrap_or(0.0).max(late);
        match self.stuck_since_us {
            // Nothing can be heard: that tells nothing about its loop.
            None if latest >= UNRESPONSIVE_MS && self.closed => {
                let first = !std::mem::replace(&mut self.told_closed, true);
                self.happened.extend(first.then_some(Happening::Unheard));
            }
            None if latest >= UNRESPONSIVE_MS => {
                #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
                let since = now_us.saturating_sub((latest * 1e3) as i64);
                self.stuck_since_us = Some(since);
                let state = self.process.as_ref().map(|process| process.state);
                self.happened.push(Happening::UnresponsiveBegins { state });
            }
            Some(since) if late < UNRESPONSIVE_MS && silent_us < SILENT_US => {
                self.stuck_since_us = None;
                #[expect(clippy::cast_precision_loss, reason = "a time in µs has far fewer than 52 bits")]
                let after_ms = now_us.saturating_sub(since) as f64 / 1e3;
                self.happened.push(Happening::UnresponsiveEnds { after_ms });
            }
            _ => {}
        }
        // What a silent program does shows only when it is heard again.
        if silent_us < SILENT_US {
            let limit = self.evidence.limit;
            match self.thrash.judge(now_us, limit) {
                Some(Change::Begins { share, after }) => {
                    let limit = limit.unwrap_or_default();
                    self.happened.push(Happening::ThrashingBegins { share, after, limit });
                }
                Some(Change::Ends) => self.happened.push(Happening::ThrashingEnds),
                None => {}
            }
        }
        let lost = self.lost.max(self.heap.map_or(0, |heap| heap.lost));
        if lost > self.told_lost {
            self.happened.push(Happening::Lost { records: lost - self.told_lost });
            self.told_lost = lost;
        }
    }

    /// Gives what was gathered since the tick before.
    fn hand_over(&mut self, tick: &mut Tick) {
        let Some(label) = self.label.clone() else { return };
        self.listed.sort_by_key(|gc| gc.time_us);
        tick.collections.extend(self.listed.drain(..).map(|gc| (Arc::clone(&label), gc)));
        let pid = self.pid;
        tick.notices.extend(self.happened.drain(..).map(|what| Notice { label: Arc::clone(&label), pid, what }));
    }

    fn reading(&self, now_us: i64, silent_us: i64, silent_ms: f64) -> NodeReading {
        let Some(heap) = self.heap.filter(|_| silent_us < SILENT_US) else {
            let lag = (!self.closed).then_some(silent_ms);
            return NodeReading { loop_lag_ms: lag, ..NodeReading::default() };
        };
        // The counts are known before the list; only at the end does the list know more.
        let Counts { minor, major, pause_ms } = heap.counts;
        let most = |count: Option<f64>, listed: f64| count.map(|count| count.max(listed));
        let handles = self.handles.filter(|(at, _)| now_us.saturating_sub(*at) < HANDLES_OLD_US);
        NodeReading {
            heap_used: Some(heap.used),
            heap_total: Some(heap.total),
            heap_limit: Some(heap.limit),
            external: Some(heap.external),
            array_buffers: heap.array_buffers,
            rss: Some(heap.resident),
            handles: handles.map(|(_, count)| count),
            loop_lag_ms: Some(self.most_lag_ms.unwrap_or(heap.lag_ms)),
            gc_minor: most(minor, self.listed_counts.minor),
            gc_major: most(major, self.listed_counts.major),
            gc_pause_ms: most(pause_ms, self.listed_counts.pause_ms),
            heap_floor: self.listed_counts.floor,
        }
    }
}

/// When a record was said: by the program's clock, unless that is far off.
fn believed_us(now_us: i64, wall_us: i64) -> i64 {
    let off = now_us.saturating_sub(wall_us).saturating_abs();
    if off > MOST_OFF_US { now_us } else { wall_us }
}

/// Another file, as far as both may be read. One that was deleted or replaced on disk is still the same program.
fn differs(earlier: Option<&PathBuf>, now: Option<&PathBuf>) -> bool {
    let named = |path: &PathBuf| path.to_string_lossy().trim_end_matches(" (deleted)").to_owned();
    earlier.zip(now).is_some_and(|(earlier, now)| named(earlier) != named(now))
}
