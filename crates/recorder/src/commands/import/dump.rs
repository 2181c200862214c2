//! rrdtool's XML dump, as `rrdtool dump` writes it, in memory: no more than it says, nothing checked against anything
//! outside. [`super::restore`] makes a store of it.

use std::io::BufRead;

use heapsoak_rrd::{Cf, SourceName, SourceType, Xff};
use heapsoak_store::{MAX_ARCHIVES, MAX_SOURCES};

use super::error::{ImportError, MAX_VALUES, ROW_VALUES, shown};
use super::markup::{Markup, Part};

/// What the dump holds. Times and lengths in seconds, as it has them; not-a-number: unknown.
#[derive(Debug, Default)]
pub(crate) struct Dump {
    pub(super) step_s: u64,
    pub(super) last_s: u64,
    pub(super) sources: Vec<DumpedSource>,
    pub(super) archives: Vec<DumpedArchive>,
    /// Functions of the archives that were passed over, because nothing here consolidates by them.
    pub(super) skipped: Vec<String>,
}

#[derive(Debug)]
pub(super) struct DumpedSource {
    pub(super) name: SourceName,
    /// `None`: computed from other sources.
    pub(super) kind: Option<SourceType>,
    pub(super) heartbeat_s: Option<u64>,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) last_reading: String,
    pub(super) value: f64,
    pub(super) unknown_s: u64,
}

#[derive(Debug)]
pub(super) struct DumpedArchive {
    /// The line on which it ends, for errors.
    pub(super) line: u64,
    pub(super) cf: Cf,
    pub(super) xff: Xff,
    pub(super) pdps_per_row: u64,
    /// Value and unknown PDPs of each source's open row.
    pub(super) cdps: Vec<(f64, u64)>,
    /// Values of one row, and so sources.
    pub(super) width: usize,
    /// The rows one after the other, the oldest first.
    pub(super) values: Vec<f64>,
}

/// Reads a dump. Pure but for `input`; memory is bounded by the limits of a store and of one answer of it.
///
/// # Errors
/// [`ImportError`] with the line, for whatever is not as rrdtool writes it.
pub(crate) fn read(input: impl BufRead) -> Result<Dump, ImportError> {
    let mut parser = Parser { markup: Markup::new(input), values: 0 };
    match parser.markup.part()? {
        Part::Open(name) if name == "rrd" => parser.rrd(),
        Part::Open(name) => {
            let name = shown(&name);
            Err(parser.markup.error(format!("it begins with element {name}, and a dump of rrdtool's with `rrd`")))
        }
        _ => Err(parser.markup.cut_off()),
    }
}

struct Parser<R: BufRead> {
    markup: Markup<R>,
    /// Values of all rows so far, and what the rows themselves take up.
    values: usize,
}

/// What an archive may consist of, as it is found.
#[derive(Default)]
struct Archive {
    pdps_per_row: Option<u64>,
    xff: Option<Xff>,
    cdps: Vec<(f64, u64)>,
    width: usize,
    values: Vec<f64>,
}

impl<R: BufRead> Parser<R> {
    fn rrd(&mut self) -> Result<Dump, ImportError> {
        let (mut step, mut last) = (None, None);
        let mut dump = Dump::default();
        while let Some(name) = self.child("rrd")? {
            match name.as_str() {
                "version" => self.version()?,
                "step" => step = Some(self.whole("step")?),
                "lastupdate" => last = Some(self.whole("lastupdate")?),
                "ds" if dump.sources.len() < MAX_SOURCES => dump.sources.push(self.source()?),
                "rra" if dump.archives.len() + dump.skipped.len() < MAX_ARCHIVES => self.archive(&mut dump)?,
                "ds" => return Err(self.markup.error(format!("more than {MAX_SOURCES} sources"))),
                "rra" => return Err(self.markup.error(format!("more than {MAX_ARCHIVES} archives"))),
                _ => return Err(self.markup.unexpected(&Part::Open(name), "rrd")),
            }
        }
        dump.step_s = self.needed(step, "step")?;
        dump.last_s = self.needed(last, "lastupdate")?;
        match self.markup.part()? {
            Part::End => Ok(dump),
            _ => Err(self.markup.error("something follows after </rrd>: is this one dump?")),
        }
    }

    fn version(&mut self) -> Result<(), ImportError> {
        match self.markup.text("version")?.as_str() {
            "0001" | "0002" | "0003" | "0004" | "0005" => Ok(()),
            other => {
                let other = shown(other);
                Err(self.markup.error(format!("version {other} of the dump is not known, only 0001 to 0005 are")))
            }
        }
    }

    fn source(&mut self) -> Result<DumpedSource, ImportError> {
        let (mut name, mut kind, mut heartbeat_s) = (None, None, None);
        let (mut min, mut max, mut value) = (f64::NAN, f64::NAN, f64::NAN);
        let (mut last_reading, mut unknown_s) = (None, None);
        while let Some(child) = self.child("ds")? {
            match child.as_str() {
                "name" => name = Some(self.checked("name", |text| text.parse::<SourceName>())?),
                "type" => kind = Some(self.checked("type", source_type)?),
                "minimal_heartbeat" => heartbeat_s = Some(self.whole("minimal_heartbeat")?),
                "min" => min = self.number("min")?,
                "max" => max = self.number("max")?,
                "cdef" => drop(self.markup.text("cdef")?),
                "last_ds" => last_reading = Some(self.markup.text("last_ds")?),
                "value" => value = self.number("value")?,
                "unknown_sec" => unknown_s = Some(self.whole("unknown_sec")?),
                _ => return Err(self.markup.unexpected(&Part::Open(child), "ds")),
            }
        }
        let kind: Option<SourceType> = self.needed(kind, "type")?;
        if kind.is_some() {
            self.needed(heartbeat_s, "minimal_heartbeat")?;
        }
        Ok(DumpedSource {
            name: self.needed(name, "name")?,
            kind,
            heartbeat_s,
            min,
            max,
            last_reading: self.needed(last_reading, "last_ds")?,
            value,
            unknown_s: self.needed(unknown_s, "unknown_sec")?,
        })
    }

    fn archive(&mut self, dump: &mut Dump) -> Result<(), ImportError> {
        // The function comes first: it says what the rest of the archive is made of.
        match self.child("rra")? {
            Some(name) if name == "cf" => {}
            _ => return Err(self.markup.error("an archive begins with its <cf>, and this one does not")),
        }
        let function = self.markup.text("cf")?;
        if PREDICTING.contains(&function.as_str()) {
            dump.skipped.push(function);
            return self.markup.skip();
        }
        let cf = function.parse::<Cf>().map_err(|error| self.markup.error(error.to_string()))?;
        let mut archive = Archive::default();
        while let Some(name) = self.child("rra")? {
            match name.as_str() {
                "pdp_per_row" => archive.pdps_per_row = Some(self.whole("pdp_per_row")?),
                "xff" => archive.xff = Some(self.checked("xff", xff)?),
                "params" => self.params(&mut archive)?,
                "cdp_prep" => self.open_rows(&mut archive)?,
                "database" => self.rows(&mut archive)?,
                _ => return Err(self.markup.unexpected(&Part::Open(name), "rra")),
            }
        }
        let Archive { pdps_per_row, xff, cdps, width, values } = archive;
        let line = self.markup.line();
        let (pdps_per_row, xff) = (self.needed(pdps_per_row, "pdp_per_row")?, self.needed(xff, "xff")?);
        dump.archives.push(DumpedArchive { line, cf, xff, pdps_per_row, cdps, width, values });
        Ok(())
    }

    fn params(&mut self, archive: &mut Archive) -> Result<(), ImportError> {
        while let Some(name) = self.child("params")? {
            match name.as_str() {
                "xff" => archive.xff = Some(self.checked("xff", xff)?),
                _ => return Err(self.markup.unexpected(&Part::Open(name), "params")),
            }
        }
        Ok(())
    }

    fn open_rows(&mut self, archive: &mut Archive) -> Result<(), ImportError> {
        while let Some(name) = self.child("cdp_prep")? {
            if name != "ds" {
                return Err(self.markup.unexpected(&Part::Open(name), "cdp_prep"));
            }
            if archive.cdps.len() >= MAX_SOURCES {
                return Err(self.markup.error(format!("open rows of more than {MAX_SOURCES} sources")));
            }
            let (mut value, mut unknown) = (None, None);
            while let Some(child) = self.child("ds")? {
                match child.as_str() {
                    // The row before this one, which only archives that predict look at.
                    "primary_value" | "secondary_value" => drop(self.markup.text(&child)?),
                    "value" => value = Some(self.number("value")?),
                    "unknown_datapoints" => unknown = Some(self.whole("unknown_datapoints")?),
                    _ => return Err(self.markup.unexpected(&Part::Open(child), "ds")),
                }
            }
            archive.cdps.push((self.needed(value, "value")?, self.needed(unknown, "unknown_datapoints")?));
        }
        Ok(())
    }

    fn rows(&mut self, archive: &mut Archive) -> Result<(), ImportError> {
        while let Some(name) = self.child("database")? {
            if name != "row" {
                return Err(self.markup.unexpected(&Part::Open(name), "database"));
            }
            let before = archive.values.len();
            while let Some(child) = self.child("row")? {
                if child != "v" {
                    return Err(self.markup.unexpected(&Part::Open(child), "row"));
                }
                let value = self.number("v")?;
                archive.values.push(value);
                self.count(1)?;
            }
            self.count(ROW_VALUES)?;
            let width = archive.values.len() - before;
            if width == 0 || (before > 0 && width != archive.width) {
                let wanted = if before > 0 { archive.width } else { 1 };
                return Err(self.markup.error(format!("a row of {width} values where {wanted} or more are needed")));
            }
            archive.width = width;
        }
        Ok(())
    }

    fn count(&mut self, more: usize) -> Result<(), ImportError> {
        self.values += more;
        if self.values > MAX_VALUES {
            return Err(self.markup.error(format!(
                "more than {MAX_VALUES} values are too many: dump a part of the archives, or fewer sources"
            )));
        }
        Ok(())
    }

    /// The name of the next element within `parent`; `None`: that ends.
    fn child(&mut self, parent: &str) -> Result<Option<String>, ImportError> {
        match self.markup.part()? {
            Part::Open(name) => Ok(Some(name)),
            Part::Close => Ok(None),
            Part::End => Err(self.markup.unexpected(&Part::End, parent)),
        }
    }

    fn needed<T>(&mut self, found: Option<T>, name: &str) -> Result<T, ImportError> {
        found.ok_or_else(|| self.markup.error(format!("no <{name}> up to here, and it is needed")))
    }

    fn checked<T, E: ToString>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ImportError> {
        let text = self.markup.text(name)?;
        parse(&text).map_err(|error| self.markup.error(error.to_string()))
    }

    fn whole(&mut self, name: &str) -> Result<u64, ImportError> {
        self.checked(name, |text| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse().ok().filter(|_| digits);
            number.ok_or_else(|| format!("{} in <{name}> is not a whole number that can be", shown(text)))
        })
    }

    fn number(&mut self, name: &str) -> Result<f64, ImportError> {
        self.checked(name, |text| {
            number(text).ok_or_else(|| format!("{} in <{name}> is neither a number nor NaN", shown(text)))
        })
    }
}

/// Functions that predict: they need arithmetic that is not here (Holt-Winters).
const PREDICTING: [&str; 6] = ["HWPREDICT", "MHWPREDICT", "SEASONAL", "DEVSEASONAL", "DEVPREDICT", "FAILURES"];

/// As C's library and rrdtool write doubles.
fn number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned.eq_ignore_ascii_case("nan") || unsigned.eq_ignore_ascii_case("u") {
        return Some(f64::NAN);
    }
    text.parse().ok()
}

fn source_type(text: &str) -> Result<Option<SourceType>, String> {
    match text {
        "COMPUTE" => Ok(None),
        other => other.parse().map(Some).map_err(|error: heapsoak_rrd::SchemaError| error.to_string()),
    }
}

fn xff(text: &str) -> Result<Xff, heapsoak_rrd::SchemaError> {
    Xff::new(number(text).unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests;
