//! `recorder import`: rrdtool's XML dump, or CSV with a column of times, becomes a store; CSV can also be appended to one.
//!
//! The parsers are pure functions of what they read: [`dump`] and [`table`] take bytes and give values, [`restore`] and
//! [`feed`] make the contents of a store of them. Only this file opens and writes anything.

mod bounded;
pub(crate) mod dump;
mod error;
pub(crate) mod feed;
mod markup;
pub(crate) mod restore;
pub(crate) mod table;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, bail};
use heapsoak_cli::{clock, exit, redact, time};
use heapsoak_rrd::{Heartbeat, Reading, Time};
use heapsoak_store::{Existing, NewRun, StoreError, Writer};

use self::feed::Shape;
use self::table::Samples;
use crate::args::ImportArgs;
use crate::commands::create;
use crate::soak::DEFAULT_ARCHIVES;

/// Read at once.
const BUFFER: usize = 64 << 10;

/// Makes the store, or appends to it; one of them whole, or not at all.
pub(crate) fn run(args: &ImportArgs) -> anyhow::Result<u8> {
    let name = args.file.display().to_string();
    let store = if name == "-" {
        import(args, std::io::stdin().lock(), "stdin")?
    } else {
        let file =
            File::open(&args.file).with_context(|| format!("{name} cannot be read; name a file, or - for stdin"))?;
        import(args, BufReader::with_capacity(BUFFER, file), &name)?
    };
    store.close()?;
    Ok(exit::OK)
}

fn import(args: &ImportArgs, mut input: impl BufRead, name: &str) -> anyhow::Result<Writer> {
    match sniff(input.fill_buf().with_context(|| format!("{name} cannot be read"))?) {
        Kind::Xml => dumped(args, input, name),
        Kind::Csv => tabled(args, input, name),
        Kind::Empty => bail!("{name} is empty: give rrdtool's XML dump, or CSV with a column `time`"),
        Kind::Rrd => bail!(
            "{name} is rrdtool's own file, which only rrdtool can read: rrdtool dump {name} | recorder import --db {} -",
            args.db.display()
        ),
        Kind::Store => bail!("{name} is a store already, or another database: there is nothing to import"),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Xml,
    Csv,
    Rrd,
    Store,
    Empty,
}

/// What a file is, by how it begins.
fn sniff(begin: &[u8]) -> Kind {
    let text = begin.strip_prefix(b"\xef\xbb\xbf").unwrap_or(begin).trim_ascii_start();
    match text {
        [] if begin.is_empty() => Kind::Empty,
        [b'<', ..] => Kind::Xml,
        _ if begin.starts_with(b"RRD\0") => Kind::Rrd,
        _ if begin.starts_with(b"SQLite format 3") => Kind::Store,
        _ => Kind::Csv,
    }
}

fn dumped(args: &ImportArgs, input: impl BufRead, name: &str) -> anyhow::Result<Writer> {
    if args.step.is_some() || args.heartbeat.is_some() || !args.rras.is_empty() || args.start.is_some() {
        bail!(
            "a dump has its own step, heartbeats, archives and times: leave out --step, --heartbeat, --rra and --start"
        );
    }
    if !args.sources.is_empty() {
        bail!("--source chooses columns of CSV, and {name} is a dump: leave it out");
    }
    let existing = existing(args);
    if existing == Existing::Refuse && args.db.exists() {
        bail!(
            "{} exists already, and a dump makes a new store: name another file, or give --overwrite",
            args.db.display()
        );
    }
    let (contents, said) = dump::read(input).and_then(restore::contents).with_context(|| name.to_owned())?;
    for line in said {
        tracing::warn!("{name}: {line}");
    }
    let mut store = Writer::restore(&args.db, &contents, existing)?;
    note(&mut store, contents.start, name)?;
    Ok(store)
}

fn tabled(args: &ImportArgs, input: impl BufRead, name: &str) -> anyhow::Result<Writer> {
    let mut samples = table::read(input, &args.sources).with_context(|| name.to_owned())?;
    let shape = Shape {
        step: args.step.map(create::step).transpose()?,
        heartbeat: args.heartbeat.map(|length| Heartbeat::new(create::micros(length))).transpose()?,
        archives: args.rras.clone(),
    };
    if !args.overwrite {
        match Writer::open(&args.db) {
            Ok(store) => return append(args, store, &shape, &mut samples, name),
            Err(StoreError::Absent { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let step = shape.step.map_or_else(|| feed::usual_step(&samples), Ok)?;
    let now_us = clock::now_us();
    let ends_now_us = feed::zero_before(&samples, now_us, step);
    place(args, &mut samples, ends_now_us, now_us, name)?;
    let shape = Shape { step: Some(step), ..shape };
    let contents = feed::contents(&samples, &shape, &DEFAULT_ARCHIVES).with_context(|| name.to_owned())?;
    let mut store = Writer::restore(&args.db, &contents, existing(args))?;
    note(&mut store, contents.start, name)?;
    Ok(store)
}

/// Gives times that count from 0 their place, and says which.
fn place(args: &ImportArgs, samples: &mut Samples, otherwise_us: i64, now_us: i64, name: &str) -> anyhow::Result<()> {
    if !samples.from_zero {
        if args.start.is_some() {
            bail!("--start says where times from 0 begin, and those of {name} are unix seconds or dates: leave it out");
        }
        return Ok(());
    }
    let zero_us = match &args.start {
        Some(text) => time::parse_time(text, now_us).context("--start")?,
        None => otherwise_us,
    };
    tracing::info!("{name}: its times count from 0, which is taken as {}", time::iso_local(zero_us));
    feed::anchor(samples, zero_us);
    Ok(())
}

/// Updates the store with all samples, if they are later than what it has.
fn append(
    args: &ImportArgs,
    mut store: Writer,
    shape: &Shape,
    samples: &mut Samples,
    name: &str,
) -> anyhow::Result<Writer> {
    let db = args.db.display();
    if shape.step.is_some() || shape.heartbeat.is_some() || !shape.archives.is_empty() {
        bail!(
            "{db} exists already and has its own step, heartbeats and archives: leave out --step, --heartbeat and --rra"
        );
    }
    if samples.from_zero && args.start.is_none() {
        bail!("times of {name} count from 0, and {db} has times of its own: say by --start where 0 is");
    }
    place(args, samples, 0, clock::now_us(), name)?;
    let first = Time::from_micros(samples.times_us.first().copied().unwrap_or(0));
    if first <= store.last() {
        bail!(
            "{name}: line {}: time {first} is not after {}, the last update of {db}: rows that are written stay; import into \
             another file, or give --overwrite",
            samples.first_line,
            store.last()
        );
    }
    let places = places(&store, samples, name)?;
    let width = store.schema().sources().len();
    for (time, readings) in feed::readings(samples) {
        let mut all = vec![Reading::Unknown; width];
        for (place, reading) in places.iter().zip(readings) {
            all[*place] = reading;
        }
        store.update(time, &all).with_context(|| name.to_owned())?;
    }
    note(&mut store, first, name)?;
    Ok(store)
}

/// The place of each column among the sources of the store.
fn places(store: &Writer, samples: &Samples, name: &str) -> anyhow::Result<Vec<usize>> {
    let known = store.schema().sources();
    let place = |column: &heapsoak_rrd::SourceName| {
        known.iter().position(|source| source.name == *column).with_context(|| {
            let names: Vec<_> = known.iter().map(|source| source.name.as_str()).collect();
            format!("{name}: the store has no source {column}: it has {}; choose columns by --source", names.join(", "))
        })
    };
    samples.names.iter().map(place).collect()
}

/// What was imported is a run of its own, so that pictures can say where it came from.
fn note(store: &mut Writer, started: Time, name: &str) -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    store.begin_run(NewRun {
        started,
        pid: std::process::id(),
        target: Path::new(name).file_name().map_or(name.into(), |file| file.to_string_lossy()).into_owned(),
        command: redact::command_line(&arguments),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time_zone: clock::zone_at(started.as_micros()),
    });
    store.end_run(store.last(), "imported", 0)?;
    Ok(())
}

fn existing(args: &ImportArgs) -> Existing {
    if args.overwrite { Existing::Replace } else { Existing::Refuse }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_by_how_it_begins() {
        for (begin, kind) in [
            (&b"<?xml"[..], Kind::Xml),
            (b"\xef\xbb\xbf\n <rrd>", Kind::Xml),
            (b"time,a\n", Kind::Csv),
            (b"RRD\x000003", Kind::Rrd),
            (b"SQLite format 3\0", Kind::Store),
            (b"", Kind::Empty),
            (b"t", Kind::Csv),
        ] {
            assert_eq!(sniff(begin), kind, "{begin:?}");
        }
    }
}
