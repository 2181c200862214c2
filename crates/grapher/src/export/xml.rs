//! rrdtool's XML dump: `rrdtool restore` makes a `.rrd` of it that holds the same rows and goes on the same way.
//!
//! rrdtool knows whole seconds only. A store whose step has parts of a second is refused; a last update within a second
//! is told as the second that it is in.

use std::fmt;
use std::io::{self, Write};

use anyhow::bail;
use heapsoak_cli::time::iso_utc;
use heapsoak_rrd::{Archive, CdpState, Reading, Source, SourceState, SourceType};
use heapsoak_store::{Info, Table, Whole};
use quick_xml::escape::escape;

const SECOND_US: u64 = 1_000_000;

/// Whether rrdtool can have this store at all.
///
/// # Errors
/// When its step has parts of a second.
pub(crate) fn check(info: &Info) -> anyhow::Result<()> {
    let step_us = info.schema.step().micros();
    if !step_us.is_multiple_of(SECOND_US) {
        bail!(
            "{} has a step of {step_us} µs, and rrdtool counts in whole seconds: export it as csv, json or openmetrics",
            info.path.display()
        );
    }
    Ok(())
}

/// Writes the dump, in the order and by the names that rrdtool expects.
pub(crate) fn write(out: &mut dyn Write, whole: &Whole) -> io::Result<()> {
    let info = &whole.info;
    let names = whole.tables.first().map_or(&[][..], |table| &table.names);
    let sources = info.schema.sources();
    let columns: Vec<usize> =
        names.iter().filter_map(|name| sources.iter().position(|source| source.name.as_str() == name)).collect();
    let decimal = |&column: &usize| matches!(sources[column].kind, SourceType::DCounter | SourceType::DDerive);
    let version = if columns.iter().any(decimal) { "0005" } else { "0003" };
    writeln!(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rrd>\n\t<version>{version}</version>")?;
    writeln!(out, "\t<step>{}</step>", info.schema.step().micros() / SECOND_US)?;
    let last = whole.state.last;
    writeln!(out, "\t<lastupdate>{}</lastupdate> <!-- {} -->", last.whole_secs(), iso_utc(last.as_micros()))?;
    for &column in &columns {
        data_source(out, &sources[column], &whole.state.sources[column], Cut::of(whole))?;
    }
    for table in &whole.tables {
        let number = table.window.archive;
        let cdps: Vec<CdpState> = columns.iter().map(|&column| whole.state.cdps[number][column]).collect();
        archive(out, &info.archives[number].archive, &cdps, table)?;
    }
    writeln!(out, "</rrd>")
}

fn data_source(out: &mut dyn Write, source: &Source, state: &SourceState, cut: Cut) -> io::Result<()> {
    let SourceState { value, unknown_us, last_reading } = cut.open_pdp(state);
    writeln!(out, "\t<ds>\n\t\t<name>{}</name>\n\t\t<type>{}</type>", source.name, source.kind)?;
    // Rounded up: what was known to us is not to be unknown there.
    let heartbeat = source.heartbeat.micros().div_ceil(SECOND_US);
    writeln!(out, "\t\t<minimal_heartbeat>{heartbeat}</minimal_heartbeat>")?;
    writeln!(out, "\t\t<min>{}</min>\n\t\t<max>{}</max>", Number(source.min), Number(source.max))?;
    writeln!(out, "\t\t<last_ds>{}</last_ds>\n\t\t<value>{}</value>", text(&last_reading), Number(value))?;
    writeln!(out, "\t\t<unknown_sec>{}</unknown_sec>\n\t</ds>", unknown_us / SECOND_US)
}

fn archive(out: &mut dyn Write, archive: &Archive, cdps: &[CdpState], table: &Table) -> io::Result<()> {
    writeln!(out, "\t<rra>\n\t\t<cf>{}</cf>", archive.cf)?;
    writeln!(out, "\t\t<pdp_per_row>{}</pdp_per_row>", archive.pdps_per_row)?;
    writeln!(out, "\t\t<params>\n\t\t\t<xff>{}</xff>\n\t\t</params>", Number(Some(archive.xff.get())))?;
    writeln!(out, "\t\t<cdp_prep>")?;
    for cdp in cdps {
        // The two values of the row before are there for the archives that predict; rrdtool makes them anew.
        writeln!(out, "\t\t\t<ds>\n\t\t\t\t<primary_value>NaN</primary_value>")?;
        writeln!(out, "\t\t\t\t<secondary_value>NaN</secondary_value>")?;
        writeln!(out, "\t\t\t\t<value>{}</value>", Number(cdp.value))?;
        writeln!(out, "\t\t\t\t<unknown_datapoints>{}</unknown_datapoints>\n\t\t\t</ds>", cdp.unknown_pdps)?;
    }
    writeln!(out, "\t\t</cdp_prep>\n\t\t<database>")?;
    for (time, values) in &table.rows {
        write!(out, "\t\t\t<!-- {} / {time} --> <row>", iso_utc(time.as_micros()))?;
        for value in values {
            write!(out, "<v>{}</v>", Number(*value))?;
        }
        writeln!(out, "</row>")?;
    }
    writeln!(out, "\t\t</database>\n\t</rra>")
}

/// How long the open PDP has lasted, and how much of it whole seconds can tell.
#[derive(Debug, Clone, Copy)]
struct Cut {
    open_us: u64,
}

impl Cut {
    fn of(whole: &Whole) -> Self {
        let step_us = i64::try_from(whole.info.schema.step().micros()).unwrap_or(i64::MAX);
        Self { open_us: whole.state.last.as_micros().rem_euclid(step_us).unsigned_abs() }
    }

    /// The open PDP as it was at the last whole second, if what is known of it came evenly. Told as it is, rrdtool would
    /// count the part of the second twice.
    #[expect(clippy::cast_precision_loss, reason = "parts of one step")]
    fn open_pdp(self, state: &SourceState) -> SourceState {
        let whole_us = self.open_us / SECOND_US * SECOND_US;
        let unknown_us = (state.unknown_us / SECOND_US * SECOND_US).min(whole_us);
        let (known_us, kept_us) = (self.open_us.saturating_sub(state.unknown_us), whole_us - unknown_us);
        let part = if known_us == kept_us { 1.0 } else { kept_us as f64 / known_us as f64 };
        let value = state.value.filter(|_| kept_us > 0 && known_us > 0).map(|value| value * part);
        SourceState { value, unknown_us, last_reading: state.last_reading.clone() }
    }
}

/// A reading as XML takes it. One taken after a gap may be any text: characters that XML cannot have become `?`.
fn text(reading: &Reading) -> String {
    let plain: String = (reading.as_text().trim().chars()).map(|c| if c.is_control() { '?' } else { c }).collect();
    if plain.is_empty() { "U".to_owned() } else { escape(plain.as_str()).into_owned() }
}

/// A number as C writes it, with all digits that it needs; unknown is NaN.
struct Number(Option<f64>);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("NaN"),
            Some(value) if value.is_infinite() => f.write_str(if value > 0.0 { "+inf" } else { "-inf" }),
            Some(value) => {
                let text = format!("{value:e}");
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
                write!(f, "{digits}e{sign}{exponent:0>2}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use heapsoak_rrd::Source;

    use super::*;
    use crate::export::{Choice, Format, testing};

    #[test]
    fn a_last_update_within_a_second_loses_that_part_and_keeps_the_rate() {
        let state = SourceState { last_reading: Reading::from(5.0), value: Some(7.2), unknown_us: 1_200_000 };
        let cut = Cut { open_us: 4_800_000 }.open_pdp(&state);
        assert_eq!((cut.value, cut.unknown_us), (Some(6.0), 1_000_000));
        let none = Cut { open_us: 800_000 }.open_pdp(&SourceState { unknown_us: 0, ..state.clone() });
        assert_eq!((none.value, none.unknown_us), (None, 0));
        let whole = SourceState { value: Some(0.1), unknown_us: 0, ..state };
        assert_eq!(Cut { open_us: 3_000_000 }.open_pdp(&whole), whole);
    }

    #[test]
    fn numbers_keep_every_digit_and_have_two_of_exponent() {
        for (value, shown) in [
            (None, "NaN"),
            (Some(0.0), "0e+00"),
            (Some(-0.1), "-1e-01"),
            (Some(123_456_789.125), "1.23456789125e+08"),
            (Some(f64::MAX), "1.7976931348623157e+308"),
            (Some(f64::NEG_INFINITY), "-inf"),
        ] {
            assert_eq!(Number(value).to_string(), shown);
        }
    }

    #[test]
    fn a_reading_of_any_text_stays_within_its_element() {
        for (reading, shown) in
            [("</ds><x>", "&lt;/ds&gt;&lt;x&gt;"), ("\u{1}&\n", "?&amp;"), ("", "U"), (" 5", "5"), ("U", "U")]
        {
            assert_eq!(text(&Reading::from_text(reading)), shown);
        }
    }

    #[test]
    fn a_part_of_the_sources_and_archives_is_a_dump_of_its_own() {
        let choice = Choice { functions: vec![heapsoak_rrd::Cf::Max], sources: vec!["hits-in".into()], span: None };
        let text = testing::store(60).export(Format::Xml, &choice).unwrap();
        assert_eq!(text.matches("<rra>").count(), 1);
        assert_eq!(text.matches("<name>").count(), 1);
        assert_eq!(text.matches("<row><v>").count(), 100);
        assert!(text.contains("<last_ds>120</last_ds>") && text.contains("<version>0003<"), "{text}");
    }

    #[test]
    fn types_that_old_rrdtool_does_not_know_ask_for_a_new_one() {
        let source = "DS:a:DDERIVE:2:U:U".parse::<Source>().unwrap();
        let store = testing::Store::with(&[source.into()], &["LAST:1:2"]);
        assert!(store.export(Format::Xml, &Choice::default()).unwrap().contains("<version>0005</version>"));
    }
}
