//! `grapher info`: what is in the store, in rrdtool's `key = value` lines or as JSON; with `--verify`, what of it is
//! damaged.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::bail;
use clap::ValueEnum;
use heapsoak_cli::{exit, output};
use heapsoak_rrd::{Source, Time};
use heapsoak_store::{ArchiveInfo, Damage, Info, LastUpdate, NewSource, Reader, Run};
use serde_json::{Value, json};

use crate::numbers::Exponent;

/// How it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) db: PathBuf,
    pub(crate) verify: bool,
    pub(crate) format: Format,
}

/// Prints what is known; damage found by `--verify` is printed with it and makes the status "trouble".
pub(crate) fn run(settings: &Settings) -> anyhow::Result<u8> {
    let reader = Reader::open(&settings.db)?;
    let damage = if settings.verify { Some(reader.verify()?) } else { None };
    let known = reader.info().and_then(|info| Ok((info, reader.lastupdate()?)));
    output::stdout(|out| {
        if let (Ok((info, last)), Format::Text) = (&known, settings.format) {
            text(out, info, last)?;
        }
        match (settings.format, &known) {
            (Format::Text, _) => damage.as_deref().map_or(Ok(()), |damage| damage_text(out, damage)),
            (Format::Json, Ok((info, last))) => print_json(out, with_damage(json(info, last), damage.as_deref())),
            (Format::Json, Err(_)) => print_json(out, with_damage(json!({}), damage.as_deref())),
        }
    })?;
    known?;
    match damage.map_or(0, |damage| damage.len()) {
        0 => Ok(exit::OK),
        1 => bail!("{} has a damaged row: restore a copy, or record into a new file", settings.db.display()),
        many => bail!("{} has {many} damaged rows: restore a copy, or record into a new file", settings.db.display()),
    }
}

fn print_json(out: &mut dyn Write, value: Value) -> io::Result<()> {
    writeln!(out, "{value:#}")
}

fn with_damage(mut value: Value, damage: Option<&[Damage]>) -> Value {
    if let Some(damage) = damage {
        value["damage"] = damage.iter().map(|d| json!({"table": d.table, "row": d.row, "what": d.what})).collect();
    }
    value
}

fn damage_text(out: &mut dyn Write, damage: &[Damage]) -> io::Result<()> {
    writeln!(out, "damaged_rows = {}", damage.len())?;
    damage
        .iter()
        .enumerate()
        .try_for_each(|(index, damage)| writeln!(out, "damage[{index}] = {:?}", damage.to_string()))
}

/// Text from the store is quoted and escaped: it may hold anything, a terminal's control sequences too.
fn text(out: &mut dyn Write, info: &Info, last: &LastUpdate) -> io::Result<()> {
    writeln!(out, "filename = {:?}", info.path.display().to_string())?;
    writeln!(out, "store_version = {}", info.version)?;
    writeln!(out, "step = {}", seconds(info.schema.step().micros()))?;
    writeln!(out, "start = {}", info.start)?;
    writeln!(out, "last_update = {}", info.last)?;
    writeln!(out, "file_bytes = {}", info.file_bytes)?;
    match info.writer {
        Some(pid) => writeln!(out, "writer_pid = {pid}")?,
        None => writeln!(out, "writer_pid = none")?,
    }
    for (index, source) in info.sources.iter().enumerate() {
        source_text(out, index, source, reading_of(last, &source.source))?;
    }
    for (index, archive) in info.archives.iter().enumerate() {
        archive_text(out, index, archive)?;
    }
    for run in &info.runs {
        run_text(out, run)?;
    }
    writeln!(out, "events = {}", info.events)?;
    writeln!(out, "events_dropped = {}", info.events_dropped)?;
    writeln!(out, "gc_minor = {}", info.gc_minor)?;
    writeln!(out, "gc_major = {}", info.gc_major)
}

fn source_text(out: &mut dyn Write, index: usize, source: &NewSource, last: &str) -> io::Result<()> {
    let NewSource { source, unit, description } = source;
    let ds = format!("ds[{}]", source.name);
    let limit = |value: Option<f64>| value.map_or_else(|| "NaN".to_owned(), |v| Exponent(Some(v)).to_string());
    writeln!(out, "{ds}.index = {index}")?;
    writeln!(out, "{ds}.type = \"{}\"", source.kind)?;
    writeln!(out, "{ds}.minimal_heartbeat = {}", seconds(source.heartbeat.micros()))?;
    writeln!(out, "{ds}.min = {}", limit(source.min))?;
    writeln!(out, "{ds}.max = {}", limit(source.max))?;
    writeln!(out, "{ds}.last_ds = {last:?}")?;
    writeln!(out, "{ds}.unit = {unit:?}")?;
    writeln!(out, "{ds}.description = {description:?}")
}

fn archive_text(out: &mut dyn Write, index: usize, info: &ArchiveInfo) -> io::Result<()> {
    let (rra, archive) = (format!("rra[{index}]"), &info.archive);
    writeln!(out, "{rra}.cf = \"{}\"", archive.cf)?;
    writeln!(out, "{rra}.rows = {}", archive.rows)?;
    writeln!(out, "{rra}.pdp_per_row = {}", archive.pdps_per_row)?;
    writeln!(out, "{rra}.xff = {}", Exponent(Some(archive.xff.get())))?;
    writeln!(out, "{rra}.row_seconds = {}", seconds(info.row_us))?;
    writeln!(out, "{rra}.first = {}", info.first)?;
    writeln!(out, "{rra}.last = {}", info.last)
}

fn run_text(out: &mut dyn Write, run: &Run) -> io::Result<()> {
    let (key, begun) = (format!("run[{}]", run.id), &run.begun);
    writeln!(out, "{key}.started = {}", begun.started)?;
    writeln!(out, "{key}.pid = {}", begun.pid)?;
    writeln!(out, "{key}.target = {:?}", begun.target)?;
    writeln!(out, "{key}.command = {:?}", begun.command)?;
    writeln!(out, "{key}.version = {:?}", begun.version)?;
    writeln!(out, "{key}.time_zone = {:?}", begun.time_zone)?;
    let Some(end) = &run.ended else { return writeln!(out, "{key}.ended = none") };
    writeln!(out, "{key}.ended = {}", end.time)?;
    writeln!(out, "{key}.reason = {:?}", end.reason)?;
    writeln!(out, "{key}.exit_status = {}", end.exit_status)
}

/// Times are unix seconds, durations seconds, unknown is null.
pub(crate) fn json(info: &Info, last: &LastUpdate) -> Value {
    json!({
        "filename": info.path.display().to_string(),
        "store_version": info.version,
        "file_bytes": info.file_bytes,
        "writer_pid": info.writer,
        "step": json_seconds(info.schema.step().micros()),
        "start": json_time(info.start),
        "last_update": json_time(info.last),
        "sources": info.sources.iter().map(|source| source_json(source, last)).collect::<Value>(),
        "archives": info.archives.iter().map(archive_json).collect::<Value>(),
        "runs": info.runs.iter().map(run_json).collect::<Value>(),
        "events": info.events,
        "events_dropped": info.events_dropped,
        "gc_minor": info.gc_minor,
        "gc_major": info.gc_major,
    })
}

fn source_json(source: &NewSource, last: &LastUpdate) -> Value {
    let NewSource { source, unit, description } = source;
    json!({
        "name": source.name.as_str(),
        "type": source.kind.to_string(),
        "heartbeat": json_seconds(source.heartbeat.micros()),
        "min": source.min,
        "max": source.max,
        "last_reading": reading_of(last, source),
        "unit": unit,
        "description": description,
    })
}

fn archive_json(info: &ArchiveInfo) -> Value {
    json!({
        "cf": info.archive.cf.to_string(),
        "xff": info.archive.xff.get(),
        "pdps_per_row": info.archive.pdps_per_row,
        "rows": info.archive.rows,
        "row_seconds": json_seconds(info.row_us),
        "first": json_time(info.first),
        "last": json_time(info.last),
    })
}

fn run_json(run: &Run) -> Value {
    let (begun, end) = (&run.begun, run.ended.as_ref());
    json!({
        "id": run.id,
        "started": json_time(begun.started),
        "pid": begun.pid,
        "target": begun.target,
        "command": begun.command,
        "version": begun.version,
        "time_zone": begun.time_zone,
        "ended": end.map(|end| json_time(end.time)),
        "reason": end.map(|end| &end.reason),
        "exit_status": end.map(|end| end.exit_status),
    })
}

/// The last reading of a source as it was handed in, `U` for unknown.
fn reading_of<'a>(last: &'a LastUpdate, source: &Source) -> &'a str {
    let found = last.readings.iter().find(|(name, _)| name == source.name.as_str());
    found.map_or("U", |(_, reading)| reading.as_text())
}

/// A length of time as decimal seconds: durations and times are written alike.
fn seconds(micros: u64) -> Time {
    Time::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

fn json_seconds(micros: u64) -> Value {
    json_time(seconds(micros))
}

/// Whole seconds as a whole number.
pub(crate) fn json_time(time: Time) -> Value {
    if time.as_micros() % 1_000_000 == 0 { json!(time.whole_secs()) } else { json!(time.as_secs_f64()) }
}
