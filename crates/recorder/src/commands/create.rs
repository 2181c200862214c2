//! `recorder create`: a store with sources and archives of one's own, as `rrdtool create` makes a file.

use std::time::Duration;

use anyhow::{Context, bail};
use heapsoak_cli::{clock, exit, time};
use heapsoak_rrd::{Archive, Source, Step, Time};
use heapsoak_store::{Existing, NewSource, Writer};

use crate::args::CreateArgs;

/// Makes the store and leaves it closed.
pub(crate) fn run(args: &CreateArgs) -> anyhow::Result<u8> {
    let step = step(args.step)?;
    let start = Time::from_micros(time::parse_time(&args.start, clock::now_us()).context("--start")?);
    let mut sources = Vec::new();
    let mut archives = Vec::new();
    for definition in &args.definitions {
        match definition.split(':').next() {
            Some("DS") => sources.push(NewSource::from(definition.parse::<Source>()?)),
            Some("RRA") => archives.push(Archive::parse(definition, step)?),
            _ => bail!(
                "`{definition}` is neither a source nor an archive; write DS:name:TYPE:heartbeat:min:max or RRA:CF:xff:n:rows"
            ),
        }
    }
    let existing = if args.overwrite { Existing::Replace } else { Existing::Refuse };
    Writer::create(&args.db, step, &sources, &archives, start, existing)?.close()?;
    Ok(exit::OK)
}

/// A checked step.
pub(crate) fn step(step: Duration) -> anyhow::Result<Step> {
    Ok(Step::new(micros(step))?)
}

/// A duration in microseconds; what is too long for them is too long for anything.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
