//! `grapher fetch`: the rows of an archive as a table, CSV or JSON.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::ValueEnum;
use heapsoak_cli::spreadsheet::inert;
use heapsoak_cli::time::{Span, TimeSpec, iso_local};
use heapsoak_cli::{clock, exit, output};
use heapsoak_rrd::fetch::{self, FetchError};
use heapsoak_rrd::{Cf, Reading, Time};
use heapsoak_store::{Reader, StoreError, Table};

use crate::notice;
use crate::numbers::Exponent;

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Csv,
    Json,
}

/// Which rows.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) db: PathBuf,
    pub(crate) cf: Cf,
    pub(crate) start: TimeSpec,
    pub(crate) end: TimeSpec,
    /// `None`: the finest archive that covers the start.
    pub(crate) resolution: Option<Duration>,
    /// Empty: all.
    pub(crate) sources: Vec<String>,
    pub(crate) format: Format,
}

pub(crate) fn run(settings: &Settings) -> anyhow::Result<u8> {
    let span = Span::resolve(&settings.start, &settings.end, clock::now_us())?;
    let table = read(settings, span)?;
    if table.damaged > 0 {
        let db = settings.db.display();
        tracing::warn!("{db}: {} damaged values are left unknown: grapher info --verify names them", table.damaged);
    }
    output::stdout(|out| match settings.format {
        Format::Table => as_table(out, &table),
        Format::Csv => as_csv(out, &table),
        Format::Json => as_json(out, &table),
    })?;
    Ok(exit::OK)
}

fn read(settings: &Settings, span: Span) -> anyhow::Result<Table> {
    let reader = Reader::open(&settings.db)?;
    let info = reader.info()?;
    let resolution_us = match settings.resolution {
        Some(asked) => u64::try_from(asked.as_micros()).unwrap_or(u64::MAX),
        // rrdtool's default, a second, is the finest only where no step is shorter.
        None => info.schema.step().micros().min(1_000_000),
    };
    let (start, end) = (Time::from_micros(span.start_us), Time::from_micros(span.end_us));
    let table = if settings.sources.is_empty() {
        reader.fetch(settings.cf, start, end, resolution_us)
    } else {
        let names: Vec<&str> = settings.sources.iter().map(String::as_str).collect();
        reader.fetch_sources(&names, settings.cf, start, end, resolution_us)
    };
    match table {
        Err(StoreError::TooMany { .. } | StoreError::Fetch(FetchError::TooLong { .. })) => {
            let frame = fetch::frame(&info.schema, info.last, settings.cf, start, end, resolution_us)?;
            bail!(
                "{} are too many to list: give a later --start (the recording begins {}), longer rows by --resolution, \
                 or fewer sources by --source",
                notice::too_many_rows(start, end, frame.rows(), frame.row_us),
                iso_local(info.start.as_micros())
            )
        }
        table => Ok(table?),
    }
}

/// rrdtool's own layout: names in columns of 20, an empty line, then time and values with ten decimals.
fn as_table(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    write!(out, "           ")?;
    for name in &table.names {
        write!(out, "{name:>20}")?;
    }
    writeln!(out, "\n")?;
    for (time, values) in &table.rows {
        write!(out, "{:>10}:", time.to_string())?;
        for value in values {
            write!(out, " {}", Exponent(*value))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// No field needs quotes: names are `[-A-Za-z0-9_]`, all else is a number; no name is a formula.
fn as_csv(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    write!(out, "time")?;
    for name in &table.names {
        write!(out, ",{}", inert(name))?;
    }
    writeln!(out)?;
    for (time, values) in &table.rows {
        write!(out, "{time}")?;
        for value in values {
            match value {
                Some(value) => write!(out, ",{}", Reading::from(*value))?,
                None => write!(out, ",")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn as_json(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    write!(out, "{{")?;
    json_members(out, table)?;
    writeln!(out, "}}")
}

/// The members of the object, without its braces.
pub(crate) fn json_members(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    let window = &table.window;
    let names = serde_json::to_string(&table.names)?;
    let step = Time::from_micros(window.row_us.try_into().unwrap_or(i64::MAX));
    write!(out, "\"start\":{},\"end\":{},\"step\":{step},\"names\":{names},\"rows\":[", window.start, window.end)?;
    for (index, (time, values)) in table.rows.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // JSON has no infinity: serde_json writes null for it, as for unknown.
        write!(out, "{comma}\n[{time},{}]", serde_json::to_string(values)?)?;
    }
    write!(out, "\n]")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use heapsoak_rrd::fetch::Window;

    use super::*;

    fn printed(print: fn(&mut dyn Write, &Table) -> io::Result<()>, row_us: u64, names: [&str; 2]) -> String {
        let start = Time::from_secs(1_700_000_001);
        let end = Time::from_micros(1_700_000_001_000_000 + 2 * i64::try_from(row_us).unwrap());
        let window = Window { archive: 0, start, end, row_us };
        let values = [vec![Some(3.0), None], vec![Some(-1e300), Some(0.1)]];
        let rows = window.times().zip(values).collect();
        let table = Table { window, names: names.map(str::to_owned).to_vec(), rows, damaged: 0 };
        let mut out = Vec::new();
        print(&mut out, &table).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn check(print: fn(&mut dyn Write, &Table) -> io::Result<()>, row_us: u64, expected: &Expect) {
        expected.assert_eq(&printed(print, row_us, ["heap_used", "rss"]));
    }

    #[test]
    fn the_table_has_rrdtools_columns() {
        check(
            as_table,
            3_000_000,
            &expect![[r"
                                  heap_used                 rss

            1700000004: 3.0000000000e+00 nan
            1700000007: -1.0000000000e+300 1.0000000000e-01
        "]],
        );
    }

    #[test]
    fn parts_of_a_second_are_printed_where_rows_have_them() {
        check(
            as_table,
            50_000,
            &expect![[r"
                                  heap_used                 rss

            1700000001.05: 3.0000000000e+00 nan
            1700000001.1: -1.0000000000e+300 1.0000000000e-01
        "]],
        );
    }

    #[test]
    fn unknown_is_empty_in_csv() {
        check(
            as_csv,
            3_000_000,
            &expect![[r"
            time,heap_used,rss
            1700000004,3,
            1700000007,-1e300,0.1
        "]],
        );
    }

    #[test]
    fn a_name_is_no_formula_in_csv_and_only_there() {
        let text = printed(as_csv, 3_000_000, ["-2-3", "a-b"]);
        assert_eq!(text, "time,'-2-3,a-b\n1700000004,3,\n1700000007,-1e300,0.1\n");
        assert!(printed(as_json, 3_000_000, ["-2-3", "a-b"]).contains("\"names\":[\"-2-3\",\"a-b\"]"));
        assert!(!printed(as_table, 3_000_000, ["-2-3", "a-b"]).contains('\''));
    }

    #[test]
    fn unknown_is_null_in_json_and_the_keys_are_the_documented_ones() {
        check(
            as_json,
            3_000_000,
            &expect![[r#"
            {"start":1700000001,"end":1700000007,"step":3,"names":["heap_used","rss"],"rows":[
            [1700000004,[3.0,null]],
            [1700000007,[-1e+300,0.1]]
            ]}
        "#]],
        );
    }
}
