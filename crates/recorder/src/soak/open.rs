//! The store of a run: a new one with the default archives, or the one that is there, continued.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use heapsoak_cli::{clock, duration};
use heapsoak_rrd::{Archive, Heartbeat, Step, Time};
use heapsoak_store::{Existing, NewSource, StoreError, Writer};

use super::layout::{self, Layout};
use super::registry::Registered;
use crate::commands::create;
use crate::settings::{Soak, StoreShape};

/// Two hours of 3-s rows and a week of minutes; of each the average and, so that no peak is averaged away, the extremes.
pub(crate) const DEFAULT_ARCHIVES: [&str; 6] = [
    "AVERAGE:0.5:3:2400",
    "MIN:0.5:3:2400",
    "MAX:0.5:3:2400",
    "AVERAGE:0.5:60:10080",
    "MIN:0.5:60:10080",
    "MAX:0.5:60:10080",
];
const DEFAULT_STEP: Duration = Duration::from_secs(1);

/// An open store that has all sources of the run.
pub(crate) struct Opened {
    pub(crate) store: Writer,
    pub(crate) layout: Layout,
    /// What was set aside for it, in words.
    pub(crate) kept: Option<String>,
}

/// Opens or makes the store for the sources given.
///
/// # Errors
/// When the file cannot be used, or has another step or heartbeat, other archives, or an update in the future.
pub(crate) fn open(settings: &Soak, sources: &[Registered]) -> anyhow::Result<Opened> {
    let mut kept = None;
    let mut store = match Writer::open(&settings.db) {
        Ok(store) => {
            check_shape(&store, &settings.shape)?;
            check_last(&store)?;
            store
        }
        Err(StoreError::Absent { .. }) => {
            kept = keep_log(&settings.db)?;
            create_store(settings, sources)?
        }
        Err(error) => return Err(error.into()),
    };
    let heartbeat = heartbeat(&settings.shape, store.schema().step())?;
    let mut layout = Layout::new(heartbeat);
    layout.extend(sources, &mut store)?;
    Ok(Opened { store, layout, kept })
}

/// Sets aside the log of a database that was moved away after its recorder was killed. A new store would take its place,
/// and what was recorded last may be nowhere else. Gives what was done, in words.
fn keep_log(db: &Path) -> anyhow::Result<Option<String>> {
    let beside = |suffix: &str| PathBuf::from([db.as_os_str(), OsStr::new(suffix)].into_iter().collect::<OsString>());
    let log = beside("-wal");
    // No database is there, not even as a link to one, and something is in the log.
    if db.symlink_metadata().is_ok() || !log.metadata().is_ok_and(|found| found.len() > 0) {
        return Ok(None);
    }
    let free = (1..).map(|number| beside(&format!(".left-{number}-wal"))).find(|path| path.symlink_metadata().is_err());
    let Some(kept) = free else { return Ok(None) };
    std::fs::rename(&log, &kept).with_context(|| format!("{} cannot be set aside", log.display()))?;
    Ok(Some(format!(
        "{} may hold the last of a database that was moved away: to play it back, name it as that database with -wal \
         behind, and open that",
        kept.display()
    )))
}

fn create_store(settings: &Soak, sources: &[Registered]) -> anyhow::Result<Writer> {
    let shape = &settings.shape;
    let step = create::step(shape.step.unwrap_or(DEFAULT_STEP))?;
    let archives = if shape.rras.is_empty() {
        DEFAULT_ARCHIVES.iter().map(|text| Archive::parse(text, step)).collect::<Result<Vec<_>, _>>()?
    } else {
        archives(&shape.rras, step)?
    };
    let step_us = i64::try_from(step.micros()).unwrap_or(i64::MAX);
    // A start on the step: the first row does not begin with a part that is unknown.
    let start = Time::from_micros(clock::now_us().div_euclid(step_us) * step_us);
    let heartbeat = heartbeat(shape, step)?;
    let sources: Vec<NewSource> = sources.iter().map(|source| layout::new_source(source, heartbeat)).collect();
    Ok(Writer::create(&settings.db, step, &sources, &archives, start, Existing::Refuse)?)
}

fn archives(rras: &[String], step: Step) -> anyhow::Result<Vec<Archive>> {
    rras.iter().map(|text| Ok(Archive::parse(text, step)?)).collect::<anyhow::Result<_>>().context("--rra")
}

fn heartbeat(shape: &StoreShape, step: Step) -> anyhow::Result<Heartbeat> {
    let micros = shape.heartbeat.map_or_else(|| step.micros().saturating_mul(2), to_micros);
    Heartbeat::new(micros).context("--heartbeat")
}

fn to_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A file's step and archives are fixed when it is made; they never change silently.
fn check_shape(store: &Writer, shape: &StoreShape) -> anyhow::Result<()> {
    let schema = store.schema();
    let path = store.path().display();
    if let Some(step) = shape.step.filter(|step| to_micros(*step) != schema.step().micros()) {
        let has = duration::format_duration(Duration::from_micros(schema.step().micros()));
        bail!(
            "{path} has a step of {has}, not {}; leave out --step, or record into another file",
            duration::format_duration(step)
        );
    }
    if let Some(heartbeat) = shape.heartbeat
        && let Some(source) = schema.sources().iter().find(|source| source.heartbeat.micros() != to_micros(heartbeat))
    {
        let has = duration::format_duration(Duration::from_micros(source.heartbeat.micros()));
        bail!(
            "{path} has {} with a heartbeat of {has}; leave out --heartbeat, or record into another file",
            source.name
        );
    }
    if !shape.rras.is_empty() && archives(&shape.rras, schema.step())? != schema.archives() {
        let has: Vec<_> = schema.archives().iter().map(ToString::to_string).collect();
        bail!("{path} has the archives {}; leave out --rra, or record into another file", has.join(" "));
    }
    Ok(())
}

/// A clock that was set back by more than this is a mistake, or the file comes from another machine.
const MOST_BACK_US: i64 = 3_600_000_000;

/// Rows that are written are never overwritten, so a run cannot begin before them. It goes on from them when the clock
/// was set back by a little, as a run does that was going on then.
fn check_last(store: &Writer) -> anyhow::Result<()> {
    let now = Time::from_micros(clock::now_us());
    if store.last().as_micros() > now.as_micros().saturating_add(MOST_BACK_US) {
        bail!(
            "{} was last updated at {}, which is after now ({now}): the clock went back; set it right, or record into another file",
            store.path().display(),
            store.last()
        );
    }
    Ok(())
}
