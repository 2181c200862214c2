//! `grapher first`: the time of the oldest row of an archive, as `rrdtool first` prints it.

use std::path::PathBuf;

use heapsoak_cli::{exit, output};
use heapsoak_store::Reader;

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) db: PathBuf,
    pub(crate) archive: usize,
}

pub(crate) fn run(settings: &Settings) -> anyhow::Result<u8> {
    let first = Reader::open(&settings.db)?.first(settings.archive)?;
    output::stdout(|out| writeln!(out, "{first}"))?;
    Ok(exit::OK)
}
