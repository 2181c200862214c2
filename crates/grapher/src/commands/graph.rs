//! `grapher`, `grapher graph`: one picture.

use std::path::PathBuf;

use heapsoak_cli::{clock, exit};
use heapsoak_store::Reader;

use crate::destination::Output;
use crate::picture;

/// What is drawn, and where it goes.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) db: PathBuf,
    pub(crate) output: Output,
    pub(crate) picture: picture::Settings,
}

pub(crate) fn run(settings: &Settings) -> anyhow::Result<u8> {
    settings.output.prepare()?;
    let picture = picture::of_store(&Reader::open(&settings.db)?, &settings.picture, clock::now_us())?;
    let image = settings.output.encode(&picture)?;
    settings.output.put(&image)?;
    Ok(exit::OK)
}
