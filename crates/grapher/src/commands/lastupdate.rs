//! `grapher lastupdate`: the last update as it was handed in, as `rrdtool lastupdate` prints it.

use std::io::{self, Write};
use std::path::PathBuf;

use heapsoak_cli::{exit, output};
use heapsoak_rrd::{Reading, Time};
use heapsoak_store::Reader;

use crate::numbers::stamp;

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) db: PathBuf,
}

pub(crate) fn run(settings: &Settings) -> anyhow::Result<u8> {
    let reader = Reader::open(&settings.db)?;
    let step = reader.info()?.schema.step();
    let update = reader.lastupdate()?;
    output::stdout(|out| print(out, stamp(update.time, step), &update.readings))?;
    Ok(exit::OK)
}

/// A line of names, an empty line, the time and the readings as text, `U` for unknown.
fn print(out: &mut dyn Write, time: Time, readings: &[(String, Reading)]) -> io::Result<()> {
    for (name, _) in readings {
        write!(out, " {name}")?;
    }
    write!(out, "\n\n{:>10}:", time.to_string())?;
    for (_, reading) in readings {
        write!(out, " {reading}")?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_rrdtool_prints_it() {
        let readings = [("heap_used".to_owned(), Reading::from_text("1000000.5")), ("x".to_owned(), Reading::Unknown)];
        let mut out = Vec::new();
        print(&mut out, Time::from_secs(1_700_000_007), &readings).unwrap();
        assert_eq!(String::from_utf8_lossy(&out), " heap_used x\n\n1700000007: 1000000.5 U\n");
    }
}
