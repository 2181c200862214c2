//! `grapher export`: the store for other programs, as CSV, JSON, OpenMetrics or rrdtool's XML.

use std::path::PathBuf;

use heapsoak_cli::time::{self, TimeSpec};
use heapsoak_cli::{clock, exit, output};
use heapsoak_rrd::{Cf, Time};
use heapsoak_store::{Reader, Whole};

use crate::export::{self, Choice, Format, Span};

/// Which rows, as what, and where they go.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) db: PathBuf,
    pub(crate) format: Format,
    /// Replaced whole; `-`: stdout.
    pub(crate) out: PathBuf,
    pub(crate) mode: u32,
    /// Empty: what the format has by default.
    pub(crate) functions: Vec<Cf>,
    /// Empty: all.
    pub(crate) sources: Vec<String>,
    /// `None`: the begin of the recording.
    pub(crate) start: Option<TimeSpec>,
    /// `None`: its end, or now where there is a start.
    pub(crate) end: Option<TimeSpec>,
}

pub(crate) fn run(settings: &Settings) -> anyhow::Result<u8> {
    let to_stdout = settings.out.as_os_str() == "-";
    if !to_stdout {
        output::prepare(&settings.out)?;
    }
    let choice = Choice {
        functions: settings.functions.clone(),
        sources: settings.sources.clone(),
        span: span(settings, clock::now_us())?,
    };
    let whole = Reader::open(&settings.db)?.whole(|info| export::wanted(settings.format, &choice, info))?;
    warn_of_damage(settings, &whole);
    match to_stdout {
        true => output::stdout(|out| export::write(settings.format, out, &whole))?,
        false => output::replace_with(&settings.out, settings.mode, |out| export::write(settings.format, out, &whole))?,
    }
    Ok(exit::OK)
}

fn span(settings: &Settings, now_us: i64) -> anyhow::Result<Option<Span>> {
    let (start_us, end_us) = match (&settings.start, &settings.end) {
        (None, None) => return Ok(None),
        (None, Some(end)) => (i64::MIN, end.at_us(now_us)?),
        (Some(start), end) => {
            let end = end.clone().unwrap_or_else(TimeSpec::now);
            let span = time::Span::resolve(start, &end, now_us)?;
            (span.start_us, span.end_us)
        }
    };
    Ok(Some(Span { start: Time::from_micros(start_us), end: Time::from_micros(end_us) }))
}

fn warn_of_damage(settings: &Settings, whole: &Whole) {
    let damaged: u64 = whole.tables.iter().map(|table| table.damaged).sum();
    if damaged > 0 {
        let db = settings.db.display();
        tracing::warn!("{db}: {damaged} damaged values are left unknown: grapher info --verify names them");
    }
}
