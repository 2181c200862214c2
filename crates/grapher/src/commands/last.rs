//! `grapher last`: the time of the last update, as `rrdtool last` prints it.

use std::path::PathBuf;

use heapsoak_cli::{exit, output};
use heapsoak_store::Reader;

use crate::numbers::stamp;

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) db: PathBuf,
}

pub(crate) fn run(settings: &Settings) -> anyhow::Result<u8> {
    let reader = Reader::open(&settings.db)?;
    let step = reader.info()?.schema.step();
    let last = stamp(reader.last()?, step);
    output::stdout(|out| writeln!(out, "{last}"))?;
    Ok(exit::OK)
}
