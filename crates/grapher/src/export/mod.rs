//! A store for other programs: as CSV, JSON, OpenMetrics or rrdtool's XML.
//!
//! Which rows are wanted is a pure function of what the store says about itself; each format is a file that turns what
//! was read into text. Nothing here opens, reads or writes a file.

mod csv;
mod json;
mod openmetrics;
mod select;
#[cfg(test)]
pub(crate) mod testing;
mod xml;

use std::io::{self, Write};

use clap::ValueEnum;
use heapsoak_store::{Info, Wanted, Whole};

pub(crate) use self::select::{Choice, Span};

/// What the store is turned into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One archive: time, at, a column for each source
    Csv,
    /// Everything: description, events and the rows of all archives
    Json,
    /// One archive for each function: `promtool tsdb create-blocks-from openmetrics` takes it
    Openmetrics,
    /// All archives and their state: `rrdtool restore` takes it
    Xml,
}

/// The parts of the store that `format` needs.
///
/// # Errors
/// When the store has none of the archives asked for, or holds what the format cannot express.
pub(crate) fn wanted(format: Format, choice: &Choice, info: &Info) -> anyhow::Result<Wanted> {
    let (windows, events) = match format {
        Format::Csv | Format::Openmetrics => (choice.one_archive_each(info)?, None),
        Format::Json => (choice.all_archives(info)?, Some(choice.events())),
        Format::Xml => {
            xml::check(info)?;
            (choice.whole_rings(info)?, None)
        }
    };
    Ok(Wanted { windows, sources: choice.sources.clone(), events })
}

/// Writes what was read of a store.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(format: Format, out: &mut dyn Write, whole: &Whole) -> io::Result<()> {
    match format {
        Format::Csv => csv::write(out, whole),
        Format::Json => json::write(out, whole),
        Format::Openmetrics => openmetrics::write(out, whole),
        Format::Xml => xml::write(out, whole),
    }
}
