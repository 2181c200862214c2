//! The folder of the preload that watches the Node programs of a command: where it is made, and by what it goes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use heapsoak_probe::node::{Launch, sweep};
use tempfile::TempDir;

/// How the names of run folders begin.
const PREFIX: &str = "heapsoak-";
/// Programs empty their TMPDIR, cleaners `/tmp` after days, and a logout `$XDG_RUNTIME_DIR`, where moreover a program that
/// gives up its rights could not read the preload.
const KEPT: &str = "/var/tmp";
/// Where TMPDIR cannot be used.
const LAST: &str = "/tmp";

/// Makes the folder in the first place that can be used, and sweeps what killed recorders left in all of them.
///
/// # Errors
/// When there is none; the reason of each is told.
pub(crate) fn make(checkpoint: Option<Duration>) -> Result<(TempDir, Launch), String> {
    let mut reasons = Vec::new();
    let mut made = None;
    for place in places() {
        for folder in sweep(&place, PREFIX) {
            tracing::info!("{} of a run that was killed is removed", folder.display());
        }
        if made.is_none() {
            made = made_in(&place, checkpoint).map_err(|error| reasons.push(format!("{error:#}"))).ok();
        }
    }
    let remedy = "point TMPDIR to a folder that can be written to";
    made.ok_or_else(|| format!("its preload has no place ({}); {remedy}", reasons.join("; ")))
}

fn places() -> Vec<PathBuf> {
    let mut places = vec![PathBuf::from(KEPT), std::env::temp_dir(), PathBuf::from(LAST)];
    places.dedup();
    places
}

fn made_in(place: &Path, checkpoint: Option<Duration>) -> anyhow::Result<(TempDir, Launch)> {
    let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(place).with_context(|| named(place))?;
    let launch = Launch::prepare(folder.path(), checkpoint)?;
    Ok((folder, launch))
}

/// The place, with where its name comes from.
fn named(place: &Path) -> String {
    let by_user = std::env::var_os("TMPDIR").is_some_and(|given| Path::new(&given) == place);
    let from = if by_user { "TMPDIR " } else { "" };
    format!("{from}{}", place.display())
}
