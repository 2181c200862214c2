//! Lines of `recorder update -`, and the arithmetic that they are fed to.

use heapsoak_rrd::{Archive, RoundRobin, Schema, Source, Step, Time};

const START_S: i64 = 1_700_000_000;

fn machine() -> Option<RoundRobin> {
    let step = Step::new(1_000_000).ok()?;
    let sources = [
        "DS:g:GAUGE:2:0:U",
        "DS:c:COUNTER:2:U:U",
        "DS:d:DERIVE:20:U:1e9",
        "DS:a:ABSOLUTE:2:U:U",
        "DS:dc:DCOUNTER:2:U:U",
    ];
    let sources: Vec<Source> = sources.iter().filter_map(|text| text.parse().ok()).collect();
    let archives = ["AVERAGE:0.5:1:10", "MIN:0.5:3:10", "MAX:0:5:10", "LAST:0.9:2:10"];
    let archives: Vec<Archive> = archives.iter().filter_map(|text| Archive::parse(text, step).ok()).collect();
    Some(RoundRobin::new(Schema::new(step, sources, archives).ok()?, Time::from_secs(START_S)))
}

/// Feeds one input to it; panics where a promise is broken.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(mut machine) = machine() else { panic!("the definitions are wrong") };
    for line in text.lines() {
        if let Some((time_us, readings)) = recorder::fuzzing::update(line, machine.last().as_micros()) {
            let before = machine.last();
            let mut rows = 0_u32;
            let fed = machine.update(Time::from_micros(time_us), &readings, &mut |_| rows += 1);
            // All or nothing.
            assert!(fed.is_ok() || (machine.last() == before && rows == 0));
        }
    }
}
