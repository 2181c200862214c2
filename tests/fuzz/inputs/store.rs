//! A store from elsewhere, opened by the grapher: a sound one in which bytes were changed, or any bytes at all.
//!
//! An input of patches is a zero byte, then for each patch four bytes of place, one of length and the bytes.
//!
//! Under the fuzzer the check of every row is 0, which takes no byte in the file. In the test `corpus` checks are real: there
//! a kept patch falls on another place, and what it changes mostly fails its check. So the test shows that damage is borne,
//! in rows, blocks and SQLite's own pages, and only the fuzzer what gets past the checks: `scripts/fuzz store` replays that.

use std::fs;
use std::sync::LazyLock;

use heapsoak_rrd::{Archive, Reading, Source, Step, Time};
use heapsoak_store::{Existing, NewRun, Writer};
use tempfile::TempDir;

const START_S: i64 = 1_700_000_040;

/// So many readings that the ring of 40 rows ends with its last slot: only then is its block read instead of its rows.
const SECONDS: i64 = 79;

static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| sound().unwrap_or_else(|| panic!("no store to begin with")));

fn sound() -> Option<Vec<u8>> {
    let folder = TempDir::new().ok()?;
    let path = folder.path().join("sound.db");
    let step = Step::new(1_000_000).ok()?;
    let sources =
        ["DS:heap_used:GAUGE:2:0:U", "DS:count:DERIVE:2:U:U"].map(|text| text.parse::<Source>().ok().map(Into::into));
    let sources: Vec<_> = sources.into_iter().flatten().collect();
    let archives: Vec<Archive> =
        ["AVERAGE:0.5:1:40", "MAX:0.5:5:10"].iter().filter_map(|text| Archive::parse(text, step).ok()).collect();
    let mut store =
        Writer::create(&path, step, &sources, &archives, Time::from_secs(START_S), Existing::Refuse).ok()?;
    store.begin_run(NewRun {
        started: Time::from_secs(START_S),
        pid: 1,
        target: "http://127.0.0.1/".to_owned(),
        command: "recorder".to_owned(),
        version: "0".to_owned(),
        time_zone: "UTC".to_owned(),
    });
    store.event(Time::from_secs(START_S + 5), "navigation", "http://127.0.0.1/").ok()?;
    for second in 1..=SECONDS {
        let time = Time::from_secs(START_S + second);
        store.update(time, &[Reading::from(1e6 + second as f64), Reading::from(second as f64)]).ok()?;
    }
    store.close().ok()?;
    fs::read(path).ok()
}

fn patched(mut rest: &[u8]) -> Vec<u8> {
    let mut bytes = SOUND.clone();
    while let [a, b, c, d, length, after @ ..] = rest {
        let place = u32::from_le_bytes([*a, *b, *c, *d]) as usize % bytes.len();
        let length = usize::from(*length).min(after.len()).min(bytes.len() - place);
        bytes[place..place + length].copy_from_slice(&after[..length]);
        rest = &after[length..];
    }
    bytes
}

/// Feeds one input to it; panics where a promise is broken.
pub fn run(input: &[u8]) {
    let bytes = match input {
        [0, patches @ ..] => patched(patches),
        whole => whole.to_vec(),
    };
    let folder = TempDir::new().unwrap_or_else(|error| panic!("no folder for a store: {error}"));
    let path = folder.path().join("given.db");
    fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    grapher::fuzzing::store(&path, (START_S + SECONDS) * 1_000_000);
}
