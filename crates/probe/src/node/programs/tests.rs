//! Programs that are played by records: no process, no clock.
use std::{collections::HashMap, path::PathBuf};

use super::{
    super::{
        end::{KernelKills, Status, classify},
        observe::{Observed, Seen, State},
        reading::GcKind,
        record::parse,
    },
    *,
};

const MIB: f64 = 1_048_576.0;
/// Times of this stage are ms after this second.
const START_MS: i64 = 1_700_000_000_000;

/// The programs, their processes, and what each tick made of them.
#[derive(Default)]
struct Stage {
    programs: Programs,
    processes: HashMap<u32, Observed>,
    seq: HashMap<u32, u64>,
}

impl Stage {
    fn start(&mut self, pid: u32) {
        let executable = Some(PathBuf::from("/usr/bin/node"));
        let process = Observed { start_ticks: 100, state: State::Waiting, executable, resident_bytes: 40 << 20 };
        self.processes.insert(pid, process);
    }

    fn hello(&mut self, at_ms: i64, pid: u32, script: &str) {
        self.seq.insert(pid, 0);
        self.say(at_ms, pid, &format!(r#""hello",1,"v20.0.0",{script:?},"profiler",60"#));
    }

    fn heap(&mut self, at_ms: i64, pid: u32, used: f64, lag_ms: f64) {
        let used = used * MIB;
        self.say(at_ms, pid, &format!(r#""heap",{used},{used},113246208,1,null,41943040,{lag_ms},2,0,1,0,0.5"#));
    }

    fn say(&mut self, at_ms: i64, pid: u32, rest: &str) {
        let seq = self.seq.entry(pid).or_default();
        *seq += 1;
        let line = format!("[{pid},{seq},{},{rest}]", START_MS + at_ms);
        self.programs.apply((START_MS + at_ms) * 1000, parse(line.as_bytes()).unwrap());
    }

    fn tick(&mut self, at_ms: i64) -> Tick {
        let processes = &self.processes;
        let mut look = |pid: u32| processes.get(&pid).cloned().map_or(Seen::Gone, Seen::Alive);
        self.programs.tick((START_MS + at_ms) * 1000, &mut look)
    }
}

fn told(tick: &Tick) -> Vec<String> {
    tick.notices.iter().map(|notice| format!("{}: {}", notice.label, notice.what.kind())).collect()
}

#[test]
fn a_collection_that_was_asked_for_is_listed_once_and_as_such() {
    let mut stage = Stage::default();
    stage.start(7);
    stage.hello(0, 7, "/srv/api.js");
    stage.heap(1, 7, 5.0, 3.0);
    // Told by the profiler before and by the observer after; one of its own comes later.
    stage.say(1000, 7, r#""gc",[[1,9000,900,500,5]]"#);
    stage.say(1010, 7, r#""checkpoint",12000,900,500"#);
    stage.say(1030, 7, r#""gc",[[1,9000,null,500,25],[0,100,800,700,20]]"#);
    stage.say(1900, 7, r#""gc",[[1,9000,800,600,1]]"#);
    let tick = stage.tick(2000);
    let seen: Vec<_> = tick.collections.iter().map(|(_, gc)| (gc.kind, gc.forced, gc.after)).collect();
    let major = GcKind::Major;
    assert_eq!(seen, [(major, true, Some(500.0)), (GcKind::Minor, false, Some(700.0)), (major, false, Some(600.0))]);
    assert_eq!(tick.readings[0].1.heap_floor, Some(600.0));
}

#[test]
fn a_silent_program_is_a_gap_with_its_lag_and_never_its_last_value() {
    let mut stage = Stage::default();
    stage.start(7);
    stage.hello(0, 7, "/srv/api.js");
    stage.heap(1, 7, 5.0, 3.0);
    let tick = stage.tick(500);
    let (label, reading) = &tick.readings[0];
    assert_eq!((label.as_ref(), reading.heap_used, reading.loop_lag_ms), ("api", Some(5.0 * MIB), Some(3.0)));
    assert_eq!((reading.gc_major, reading.heap_floor, reading.handles), (Some(0.0), None, Some(2.0)));
    let silent = stage.tick(1501).readings[0].1;
    let expected = NodeReading { loop_lag_ms: Some(1500.0), ..NodeReading::default() };
    assert_eq!(silent, expected);
    assert_eq!(told(&stage.tick(3500)), ["api: unresponsive"]);
    assert_eq!(told(&stage.tick(4500)), [""; 0], "told once");
    stage.heap(4600, 7, 6.0, 4400.0);
    let back = stage.tick(4700);
    assert_eq!(back.readings[0].1.loop_lag_ms, Some(4400.0), "how late it was is not lost");
    stage.heap(5000, 7, 6.0, 1.0);
    assert_eq!(told(&stage.tick(5100)), ["api: responsive"]);
}

#[test]
fn a_loop_that_does_not_turn_is_told_though_an_inspector_still_answers() {
    let mut stage = Stage::default();
    stage.start(7);
    stage.processes.get_mut(&7).unwrap().state = State::Running;
    stage.hello(0, 7, "/srv/api.js");
    let mut all = Vec::new();
    for second in 1..8 {
        let lag = if second < 6 { f64::from(second) * 1000.0 } else { 0.0 };
        stage.heap(i64::from(second) * 1000 - 5, 7, 5.0, lag);
        all.extend(
            stage.tick(i64::from(second) * 1000).notices.into_iter().map(|notice| (second, notice.what.to_string())),
        );
    }
    assert_eq!(
        all[1..],
        [
            (3, "the event loop does not turn: it is busy".to_owned()),
            (6, "the event loop turns again after 6.0 s".to_owned())
        ]
    );
}

#[test]
fn collections_are_counted_to_the_last_one_and_come_with_their_times() {
    let mut stage = Stage::default();
    stage.start(7);
    stage.hello(0, 7, "/srv/api.js");
    stage.heap(0, 7, 5.0, 0.0);
    stage.say(900, 7, r#""gc",[[1,2000,50,30,100],[0,500,60,50,300],[2,250,1,1,0]]"#);
    stage.heap(900, 7, 5.0, 0.0);
    let tick = stage.tick(1000);
    let reading = tick.readings[0].1;
    assert_eq!((reading.gc_minor, reading.gc_major, reading.gc_pause_ms), (Some(1.0), Some(1.0), Some(2.75)));
    assert_eq!(reading.heap_floor, Some(30.0));
    let times: Vec<i64> = tick.collections.iter().map(|(_, gc)| gc.time_us / 1000 - START_MS).collect();
    assert_eq!(times, [600, 800], "in the order of time, the part of one is none");
    assert!(stage.tick(1100).collections.is_empty(), "each is handed over once");

    stage.say(1200, 7, r#""gc",[[0,500,60,50,0]]"#);
    stage.say(1200, 7, r#""end",3"#);
    stage.processes.clear();
    let last = stage.tick(2000);
    assert_eq!((last.readings.len(), last.collections.len()), (0, 1), "those of its last moments are not lost");
    let Happening::Ended(evidence) = &last.notices[0].what else { panic!("{:?}", last.notices) };
    assert_eq!(classify(Status::Unknown, evidence, KernelKills::default()).to_string(), "exit 3");
    assert_eq!(stage.programs.pids().count(), 0);
}

#[test]
fn out_of_memory_is_told_by_what_was_last_known() {
    let mut stage = Stage::default();
    stage.start(7);
    stage.hello(0, 7, "/srv/api.js");
    stage.heap(400, 7, 59.8, 0.0);
    stage.tick(500);
    stage.processes.clear();
    let Happening::Ended(evidence) = stage.tick(1500).notices[0].what.clone() else { panic!() };
    let end = classify(Status::Signal(6), &evidence, KernelKills::default());
    assert_eq!(end.to_string(), "out of memory, 59.8 of 60 MiB", "the flag, not V8's own 108 MiB");

    // A program that never lets its loop turn: only its resident memory grows.
    stage.start(8);
    stage.hello(2000, 8, "/srv/api.js");
    stage.heap(2000, 8, 4.0, 0.0);
    stage.processes.get_mut(&8).unwrap().resident_bytes = 120 << 20;
    stage.tick(4500);
    stage.processes.clear();
    let Happening::Ended(evidence) = stage.tick(5500).notices[0].what.clone() else { panic!() };
    let end = classify(Status::Code(134), &evidence, KernelKills::default());
    assert_eq!(end.to_string(), "out of memory, limit 60 MiB");
}

#[test]
fn programs_of_one_name_are_told_apart_and_a_restarted_one_keeps_its_sources() {
    let mut stage = Stage::default();
    for (pid, script) in [(7, "/a/api.js"), (8, "/b/api.js"), (9, "C:\\x\\wörk er.mjs"), (10, "")] {
        stage.start(pid);
        stage.hello(0, pid, script);
    }
    let labels = |tick: &Tick| tick.readings.iter().map(|(label, _)| label.to_string()).collect::<Vec<_>>();
    assert_eq!(labels(&stage.tick(10)), ["api", "api-2", "w_rk_er", "node"]);
    for (round, pid) in (20..40).enumerate() {
        let at = 1000 * (i64::try_from(round).unwrap() + 1);
        stage.processes.remove(&if round == 0 { 7 } else { pid - 1 });
        stage.tick(at);
        stage.start(pid);
        stage.hello(at, pid, "/a/api.js");
        assert_eq!(told(&stage.tick(at + 10))[0], "api: appeared");
    }
    let mut fixed = Stage { programs: Programs::new(Some("web".into())), ..Stage::default() };
    fixed.start(7);
    fixed.hello(0, 7, "/a/api.js");
    assert_eq!(labels(&fixed.tick(10)), ["web"]);
}

#[test]
fn exec_is_told_from_an_end_and_from_a_pid_that_is_used_again() {
    let mut stage = Stage::default();
    stage.start(7);
    stage.hello(0, 7, "/a/one.js");
    stage.tick(100);
    // The same process says hello again: Node replaced by Node.
    stage.hello(200, 7, "/a/two.js");
    let tick = stage.tick(300);
    assert_eq!(told(&tick), ["one: replaced", "one: appeared"]);
    assert_eq!(tick.readings[0].0.as_ref(), "one", "the same process keeps its sources");
    // Another process got the pid.
    stage.say(400, 7, r#""end",0"#);
    stage.processes.get_mut(&7).unwrap().start_ticks = 101;
    stage.hello(500, 7, "/a/three.js");
    assert_eq!(told(&stage.tick(600)), ["one: ended", "three: appeared"]);
    // The same process runs something that is not Node, or that is not watched.
    stage.processes.get_mut(&7).unwrap().executable = Some("/usr/bin/python3.11".into());
    let tick = stage.tick(700);
    assert_eq!(tick.notices[0].what.to_string(), "the process now runs /usr/bin/python3.11");
    assert_eq!((tick.readings.len(), stage.programs.pids().count()), (0, 0));
    // An upgrade of Node on disk is no exec.
    stage.start(9);
    stage.hello(800, 9, "/a/nine.js");
    stage.tick(900);
    stage.processes.get_mut(&9).unwrap().executable = Some("/usr/bin/node (deleted)".into());
    assert_eq!(told(&stage.tick(1000)), [""; 0]);
}

#[test]
fn thrashing_begins_once_and_ends_once_and_silence_ends_nothing() {
    let mut stage = Stage::default();
    stage.start(7);
    stage.hello(0, 7, "/a/api.js");
    let mut all = Vec::new();
    for second in 1..45_i64 {
        let at = second * 1000;
        let after = 58.0 * MIB;
        if second < 14 {
            stage.say(at, 7, &format!(r#""gc",[[1,900000,60000000,{after},900]]"#));
        }
        if !(14..=26).contains(&second) {
            stage.heap(at, 7, 58.0, 0.0);
        }
        all.extend(told(&stage.tick(at)).into_iter().filter(|it| it.contains("thrash")).map(|it| (second, it)));
    }
    assert_eq!(all, [(6, "api: thrashing".to_owned()), (27, "api: thrashing-end".to_owned())]);
}

#[test]
fn what_is_lost_or_not_seen_is_said_once() {
    let mut stage = Stage::default();
    stage.start(7);
    stage.hello(0, 7, "/a/api.js");
    *stage.seq.get_mut(&7).unwrap() += 5;
    stage.say(100, 7, r#""blind",21000"#);
    stage.say(100, 7, r#""mode","observer",900"#);
    let texts: Vec<String> = stage.tick(200).notices[1..].iter().map(|notice| notice.what.to_string()).collect();
    assert_eq!(
        texts,
        [
            "collections of 21.0 s were not seen: too many at a time, or nobody asked",
            "collections are seen by PerformanceObserver: sizes are read late",
            "5 records were lost: the recorder did not keep up"
        ]
    );
    assert_eq!(told(&stage.tick(300)), [""; 0]);
}

#[test]
fn a_stranger_without_a_hello_and_a_flood_of_programs_take_no_room() {
    let mut stage = Stage::default();
    stage.heap(0, 99, 5.0, 0.0);
    for pid in 1000..1300 {
        stage.hello(0, pid, "/a/b.js");
    }
    assert_eq!((stage.programs.pids().count(), stage.programs.refused()), (256, 44));
    let tick = stage.tick(100);
    assert_eq!((tick.readings.len(), tick.notices.len()), (0, 512), "none of them has a process: each came and went");
}

#[test]
fn a_program_that_cannot_be_looked_at_ends_when_its_connection_does() {
    let mut stage = Stage::default();
    stage.hello(0, 7, "/a/api.js");
    stage.heap(0, 7, 5.0, 0.0);
    let mut far = |_| Seen::Unknowable;
    assert_eq!(stage.programs.tick(START_MS * 1000, &mut far).readings.len(), 1);
    stage.programs.closed(7);
    let last = stage.programs.tick(START_MS * 1000, &mut far);
    assert_eq!((last.readings.len(), told(&last)), (0, vec!["api: ended".to_owned()]));
}

#[test]
fn a_program_that_lives_on_without_its_inspector_is_unknown_and_not_called_stuck() {
    let mut stage = Stage::default();
    stage.start(7);
    stage.hello(0, 7, "/a/api.js");
    stage.heap(0, 7, 5.0, 0.0);
    stage.tick(100);
    stage.programs.closed(7);
    assert_eq!(told(&stage.tick(2000)), [""; 0], "it may be about to end");
    let all: Vec<_> = (3..9).map(|second| stage.tick(second * 1000)).collect();
    assert_eq!(all.iter().flat_map(told).collect::<Vec<_>>(), ["api: unheard"]);
    assert!(all.iter().all(|tick| tick.readings[0].1 == NodeReading::default()));
    stage.processes.clear();
    assert_eq!(told(&stage.tick(9000)), ["api: ended"]);
}
