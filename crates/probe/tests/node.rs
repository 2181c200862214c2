//! Real Node programs under the preload: that they do not notice it, and that nothing of them is missed.
#![allow(clippy::unwrap_used, reason = "a test that cannot start its program has failed")]
#![allow(clippy::disallowed_methods, reason = "the tests write the programs that they run")]
mod node_support;

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use heapsoak_probe::node::{End, GcKind, Happening, Launch, Mode};
use node_support::{alone, program, watch, watch_with};

const MIB: f64 = 1_048_576.0;

/// The collections of the one program, as `--trace-gc` prints them.
fn same_as_traced(watched: &node_support::Watched) {
    let traced = watched.traced();
    let seen: Vec<(GcKind, f64)> =
        watched.collections.iter().map(|(_, gc)| (gc.kind, gc.after.unwrap_or_default() / MIB)).collect();
    assert!(traced.len() > 20, "{} collections only", traced.len());
    assert_eq!(seen.len(), traced.len(), "the last of each: {:?} {:?}", seen.last(), traced.last());
    for (at, (seen, traced)) in seen.iter().zip(&traced).enumerate() {
        assert!(seen.0 == traced.0 && (seen.1 - traced.1).abs() < 0.06, "{at}: {seen:?} {traced:?}");
    }
}

#[tokio::test]
async fn collections_equal_trace_gc_to_the_last_one_however_the_program_ends() {
    let (common, module) = (program("churn.cjs"), program("churn.mjs"));
    for words in [
        vec!["node", "--trace-gc", &common, "2000000"],
        vec!["node", "--trace-gc", &common, "2100000", "3"],
        vec!["node", "--trace-gc", &module, "2200000"],
        vec!["node", "--trace-gc", "--max-old-space-size=60", &module, "2300000", "3"],
    ] {
        let watched = watch(&words).await;
        same_as_traced(&watched);
        let code = if words.last() == Some(&"3") { 3 } else { 0 };
        assert_eq!((watched.output.status.code(), watched.end("churn")), (Some(code), End::Exit(Some(code))));
        let majors = watched.traced().iter().filter(|(kind, _)| *kind == GcKind::Major).count();
        assert!(majors > 0, "no major collection to compare");
    }
}

async fn notice_nothing(programs: &[&[&str]]) {
    for words in programs {
        let (alone, watched) = tokio::join!(alone(words), watch(words));
        assert_eq!(watched.output.status, alone.status, "{words:?}");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&watched.output.stdout), text(&alone.stdout), "{words:?}");
        // What V8 prints of a program that it ends holds the pid.
        if alone.status.code().is_some() {
            assert_eq!(text(&watched.output.stderr), text(&alone.stderr), "{words:?}");
        }
    }
}

#[tokio::test]
async fn a_program_that_looks_around_sees_nothing_of_us() {
    notice_nothing(&[
        &[
            "node",
            "-e",
            "console.log(process.env.NODE_OPTIONS, process.execArgv, process._preload_modules, \
            Object.keys(require.cache), Object.keys(process).join(), module.children.length)",
        ],
        &[
            "node",
            "-e",
            "console.log(process._getActiveHandles().length, process.getActiveResourcesInfo(), \
            process.listenerCount('exit'), process.eventNames(), process.emit.name, process.debugPort)",
        ],
        &["node", "--input-type=module", "-e", "import fs from 'fs'; console.log(typeof fs.readFile, import.meta.url)"],
        &["node", "-e", "process.on('beforeExit', () => console.log('b', process.listenerCount('exit')))"],
        &["node", "-e", "process.setuid(65534); setTimeout(() => console.log(process.getuid()), 300)"],
        &["node", "--frozen-intrinsics", "--no-warnings", "-e", "console.log(1)"],
        &["node", "--pending-deprecation", "--throw-deprecation", "-e", "console.log(2)"],
    ])
    .await;
}

#[tokio::test]
async fn preloads_of_the_program_are_all_loaded_and_may_throw_exit_or_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let look = "console.log('one', process._preload_modules, module.parent.children.map(it => it.id), \
        Object.values(require('module')._pathCache)); globalThis.X = (globalThis.X || 0) + 1;";
    let files = [
        ("one.js", look),
        ("two.js", "console.log('two'); globalThis.X = (globalThis.X || 0) + 10;"),
        ("throws.js", "throw new Error('preload')"),
        ("exits.js", "process.exit(5)"),
        ("esm.mjs", "console.log('esm'); globalThis.X = (globalThis.X || 0) + 100;"),
        (
            "worker.js",
            "const { Worker } = require('worker_threads'); console.log('m', X); \
            new Worker('console.log(X, process._preload_modules)', { eval: true, execArgv: ['-r', __dirname + '/two.js'] })\
            .on('exit', () => new Worker('console.log(X)', { eval: true }));",
        ),
        (
            "child.js",
            "const { spawnSync } = require('child_process'); for (const words of [['-r', __dirname + '/one.js'], \
            ['-r', __dirname + '/exits.js'], ['-r', __dirname + '/one.js', '-r', __dirname + '/two.js']]) \
            console.log(spawnSync(process.execPath, [...words, '-p', 'typeof X'], { stdio: 'inherit' }).status);",
        ),
        ("package.json", r#"{ "name": "x", "scripts": { "start": "node -r ./one.js -r ./two.js -p X" } }"#),
    ];
    files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (one, two, esm) = (path("one.js"), path("two.js"), path("esm.mjs"));
    notice_nothing(&[
        &["node", "-r", &one, "-p", "typeof X"],
        &["node", "--require", &one, "-r", &two, "-p", "X"],
        &["node", "-r", &path("throws.js"), "-p", "1"],
        &["node", "-r", &path("absent.js"), "-p", "1"],
        &["node", "-r", &path("exits.js"), "-p", "1"],
        &["node", "--import", &esm, "-r", &one, "-p", "X"],
        &["node", "--import", &esm, "-p", "X"],
        &["node", "-r", &one, &path("worker.js")],
        &["node", &path("child.js")],
        &["sh", "-c", &format!("NODE_OPTIONS=\"$NODE_OPTIONS -r {two}\" node -r {one} -p X")],
        &["sh", "-c", &format!("exec node -r {one} -r {two} -p X")],
        &["npm", "--prefix", &folder.path().display().to_string(), "start", "--silent"],
    ])
    .await;
}

#[tokio::test]
async fn every_way_to_end_stays_what_it_was() {
    let handler = "process.on('SIGTERM', () => { console.log('t'); process.exit(8); }); \
        setTimeout(() => process.kill(process.pid, 'SIGTERM'), 50); setTimeout(() => {}, 1e4)";
    notice_nothing(&[
        &["node", "-e", "process.stdout.write(Buffer.from([0, 1, 255])); process.exit(3)"],
        &["node", "-e", "process.exitCode = 7; setTimeout(() => {}, 300)"],
        &["node", "-e", "setTimeout(() => { throw new Error('boom'); }, 20)"],
        &["node", "-e", "Promise.reject(new Error('r'))"],
        &["node", "-e", "process.on('exit', () => process.exit(9))"],
        &["node", "-e", "process.on('exit', (c) => { console.log(c); process.exitCode = 6; })"],
        &[
            "node",
            "-e",
            "process.on('exit', c => console.log('one', c)); process.removeAllListeners(); \
            process.on('exit', c => console.log('two', c))",
        ],
        &["node", "-e", handler],
        &["node", "-e", "process.kill(process.pid, 'SIGKILL'); setTimeout(() => {}, 1e4)"],
        &["node", "-e", "process.abort()"],
        &["node", "--nope"],
        &["node", "-e", "let a b"],
    ])
    .await;
}

#[tokio::test]
async fn trees_and_pipes_of_programs_stay_what_they_were() {
    let children = program("children.cjs");
    let permission = "require('child_process').execFileSync(process.execPath, ['--experimental-permission', \
        '--no-warnings', '-e', 'console.log(process.permission.has(\"fs.read\"))'], {stdio: 'inherit'})";
    notice_nothing(&[
        &[
            "node",
            "-e",
            "require('cluster').isPrimary ? require('cluster').fork().on('exit', c => console.log(c)) \
            : process.exit(4)",
        ],
        &["node", "-e", permission],
        &["node", &children],
        &["sh", "-c", "node -p 1; exec node -p 2"],
        &["sh", "-c", "node -e 'for (let i = 0; i < 1e5; i++) console.log(i)' | head -1; printf '1+1\\n' | node -i"],
        &["seq", "1", "1000"],
    ])
    .await;
}

#[tokio::test]
async fn children_are_watched_whatever_they_are_given_and_workers_are_not() {
    let watched = watch(&["node", &program("children.cjs")]).await;
    let appeared = watched.kinds().iter().filter(|kind| **kind == "appeared").count();
    let ended = watched.kinds().iter().filter(|kind| **kind == "ended").count();
    assert_eq!((appeared, ended), (6, 6), "{:?}", watched.notices);
    let labels = |label: &str| watched.notices.iter().any(|notice| notice.label.as_ref() == label);
    assert!(labels("children") && labels("children-2"), "{:?}", watched.notices);
}

#[tokio::test]
async fn out_of_memory_is_told_with_the_limit_that_was_asked_for() {
    let watched = watch(&["node", "--max-old-space-size=60", &program("leak.cjs"), "3000"]).await;
    let end = watched.end("leak");
    let End::OutOfMemory { heap_used: Some(used), limit } = end else { panic!("{end:?} {watched:?}") };
    assert!((45.0 * MIB..75.0 * MIB).contains(&used) && limit == Some(60.0 * MIB), "{end}");
    let heap: Vec<f64> = watched.readings.iter().filter_map(|(_, reading)| reading.heap_used).collect();
    assert!(heap.len() > 5 && heap[heap.len() - 1] > 3.0 * heap[0], "{heap:?}");
    let floor = watched.readings.iter().rev().find_map(|(_, reading)| reading.heap_floor).unwrap();
    assert!(floor > 30.0 * MIB, "{floor}");
}

#[tokio::test]
async fn a_kill_is_a_kill() {
    let kill = |pid: u32| assert!(Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
    let words = ["node", "-e", "setInterval(() => {}, 1000)"];
    let watched = watch_with(&words, |script| script, Some((12, kill))).await;
    assert_eq!(watched.end("node"), End::Signal(9));
    assert!(watched.readings.iter().any(|(_, reading)| reading.handles == Some(1.0)), "{:?}", watched.readings);
}

#[tokio::test]
async fn a_blocked_loop_is_a_gap_and_an_event_and_its_end_is_another() {
    let watched = watch(&["node", &program("block.cjs"), "3300"]).await;
    assert_eq!(watched.kinds(), ["appeared", "unresponsive", "responsive", "ended"]);
    assert_eq!(watched.notices[1].what.to_string(), "the event loop does not turn: it waits in a blocking call");
    let silent = watched.readings.iter().filter(|(_, it)| it.heap_used.is_none() && it.gc_major.is_none());
    let longest = silent.filter_map(|(_, it)| it.loop_lag_ms).fold(0.0, f64::max);
    assert!((3000.0..6000.0).contains(&longest), "{longest}");
}

#[tokio::test]
async fn what_a_long_block_gathers_is_not_read_when_it_could_fill_the_heap() {
    let eager = |script: String| {
        let changed = script.replace("BLOCKED_PER_SECOND = 300", "BLOCKED_PER_SECOND = 1e9");
        assert_ne!(changed, script);
        changed
    };
    let words = ["node", "--max-old-space-size=60", &program("block.cjs"), "1200", "busy"];
    let watched = watch_with(&words, eager, None).await;
    let blind = watched.notices.iter().find_map(|notice| match notice.what {
        Happening::Blind { for_ms } => Some(for_ms),
        _ => None,
    });
    assert!((1200.0..4000.0).contains(&blind.unwrap()), "{blind:?} {:?}", watched.kinds());
    let seen = watch(&words).await;
    assert!(!seen.kinds().contains(&"blind"), "a block of a second is read in full");
    assert!(seen.collections.len() > watched.collections.len());
}

#[tokio::test]
async fn a_program_that_collects_all_the_time_is_watched_more_cheaply_and_none_is_missed() {
    let quick = |script: String| {
        let changed = script.replace("HOT_MS = 2000", "HOT_MS = 300");
        assert_ne!(changed, script);
        changed
    };
    let words = ["node", "--trace-gc", "--max-semi-space-size=1", &program("hot.cjs"), "1000", "1000"];
    let watched = watch_with(&words, quick, None).await;
    let modes: Vec<&Happening> =
        watched.notices.iter().map(|it| &it.what).filter(|it| matches!(it, Happening::Collector(_))).collect();
    assert_eq!(modes, [&Happening::Collector(Mode::Observer)]);
    let minor = |all: &[(GcKind, f64)]| all.iter().filter(|(kind, _)| *kind == GcKind::Minor).count();
    let seen: Vec<_> = watched.collections.iter().map(|(_, gc)| (gc.kind, 0.0)).collect();
    assert_eq!((seen.len(), minor(&seen)), (watched.traced().len(), minor(&watched.traced())));
    let last = watched.readings.iter().rev().find_map(|(_, it)| it.gc_minor.zip(it.gc_major)).unwrap();
    assert_eq!(last.0 + last.1, f64::from(u32::try_from(seen.len()).unwrap()), "the sources count the same");
}

#[tokio::test]
async fn a_new_profiler_is_started_only_after_a_major_collection_took_the_one_before() {
    // A stopped one goes on writing 6 KB for each collection: five new ones a second took 60 MiB in 6 s.
    let counting = |script: String| {
        let count = "var v8 = require('v8'), Real = v8.GCProfiler, started = 0; \
            v8.GCProfiler = function () { started++; return new Real(); }; \
            setTimeout(function () { console.log('profilers', started); }, 1200);\n";
        format!("{count}{script}")
    };
    let words = ["node", "--trace-gc", "--max-semi-space-size=1", &program("hot.cjs"), "1000", "500"];
    let watched = watch_with(&words, counting, None).await;
    let text = String::from_utf8(watched.output.stdout.clone()).unwrap();
    let started: usize = text.split_once("profilers ").unwrap().1.split('\n').next().unwrap().parse().unwrap();
    let majors = watched.traced().iter().filter(|(kind, _)| *kind == GcKind::Major).count();
    assert!((1..=1 + majors).contains(&started), "{started} profilers, {majors} major collections");
}

#[tokio::test]
async fn a_recorder_that_dies_does_not_disturb_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let launch = Launch::prepare(folder.path(), None).unwrap();
    let (name, value) = launch.environment(None, &[]).unwrap();
    let script = program("churn.cjs");
    let start = |words: &[&str]| {
        let mut command = Command::new("node");
        command.args(words).env(name, &value).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let runs = start(&[&script, "3000000", "5"]);
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(launch);
    let later = start(&["-p", "1"]);
    for (child, code, text) in [(runs, 5, ""), (later, 0, "1\n")] {
        let output = child.wait_with_output().unwrap();
        let seen = (output.status.code(), String::from_utf8(output.stdout).unwrap(), output.stderr.len());
        assert_eq!(seen, (Some(code), text.to_owned(), 0));
    }
}
