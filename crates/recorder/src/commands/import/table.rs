//! CSV with a column of times: samples in memory, not yet of any store. [`super::feed`] makes rows of them.
//!
//! The times stand in the column `time`, else `timestamp`, `at` or `t_s`: unix seconds, ISO 8601, or seconds from 0. Every
//! other column is a source; an apostrophe that keeps a name like `-2-3` from being a formula is none of it. Commas,
//! semicolons and tabs separate.

use std::io::{BufRead, Cursor, Read};

use csv::{ErrorKind, StringRecord, Trim};
use heapsoak_cli::spreadsheet::original;
use heapsoak_cli::time::parse_time;
use heapsoak_rrd::SourceName;
use heapsoak_store::MAX_SOURCES;

use super::bounded::Bounded;
use super::error::{ImportError, MAX_VALUES, ROW_VALUES, shown};

/// Bytes of the line of names, and of one row.
const HEADER_BYTES: usize = 64 << 10;
const ROW_BYTES: usize = 1 << 20;

/// Columns that may hold the time, the first that is there does.
const TIME_COLUMNS: [&str; 4] = ["time", "timestamp", "at", "t_s"];

/// Unix seconds below this (ten years, as rrdtool has it for its start) count from 0.
const FROM_ZERO_US: i64 = 315_360_000_000_000;

/// Unix seconds beyond this (the year 5138) are milliseconds.
const MILLISECONDS_US: i64 = 100_000_000_000_000_000;

/// Samples as the file has them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Samples {
    pub(super) names: Vec<SourceName>,
    /// Microseconds, ascending: since the unix epoch, or since the beginning.
    pub(super) times_us: Vec<i64>,
    pub(super) from_zero: bool,
    /// One for each time and name; not-a-number: unknown.
    pub(super) values: Vec<f64>,
    /// The line of the first sample.
    pub(super) first_line: u64,
}

/// Reads CSV; `only`: the columns to take, empty: all. Pure but for `input` and the local time zone, which counts for times
/// without one; memory is bounded.
///
/// # Errors
/// [`ImportError`] with the line, for whatever is no sample.
pub(crate) fn read(mut input: impl BufRead, only: &[String]) -> Result<Samples, ImportError> {
    let mut header = Vec::new();
    let limit = HEADER_BYTES as u64;
    let unreadable = |error: std::io::Error| ImportError::at(1, format!("it cannot be read: {error}"));
    input.by_ref().take(limit).read_until(b'\n', &mut header).map_err(unreadable)?;
    if header.len() >= HEADER_BYTES {
        return Err(ImportError::at(1, format!("it is longer than {HEADER_BYTES} bytes: is this a line of names?")));
    }
    let separator = [b',', b';', b'\t'].into_iter().find(|byte| header.contains(byte)).unwrap_or(b',');
    let mut bounded = Bounded::new(Cursor::new(header).chain(input));
    bounded.renew(ROW_BYTES);
    let mut rows = csv::ReaderBuilder::new().delimiter(separator).trim(Trim::All).from_reader(bounded);
    let columns = Columns::of(rows.headers().map_err(|error| refused(&error, 1))?, only)?;
    let mut samples = Samples {
        names: columns.values.iter().map(|(_, name)| name.clone()).collect(),
        times_us: Vec::new(),
        from_zero: columns.relative,
        values: Vec::new(),
        first_line: 0,
    };
    let mut record = StringRecord::new();
    loop {
        rows.get_mut().renew(ROW_BYTES);
        let found = rows.read_record(&mut record);
        let line = rows.get_ref().line();
        match found {
            Ok(true) => {
                samples.take(&record, &columns).map_err(|what| ImportError::at(line, what))?;
                if samples.first_line == 0 {
                    samples.first_line = line;
                }
            }
            Ok(false) if samples.times_us.is_empty() => {
                return Err(ImportError::at(line, "the file has no samples: give at least one line after the names"));
            }
            Ok(false) => return Ok(samples),
            Err(error) => return Err(refused(&error, line)),
        }
    }
}

/// Which cell is what.
struct Columns {
    time: usize,
    /// Whether the name of the column already says that times count from 0.
    relative: bool,
    values: Vec<(usize, SourceName)>,
}

impl Columns {
    fn of(names: &StringRecord, only: &[String]) -> Result<Self, ImportError> {
        let wrong = |what: String| Err(ImportError::at(1, what));
        let names: Vec<&str> = names.iter().map(original).collect();
        let place = |wanted: &str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        let Some((time, found)) = TIME_COLUMNS.iter().find_map(|name| Some((place(name)?, *name))) else {
            return wrong(format!("no column of times among the names: call it one of {}", TIME_COLUMNS.join(", ")));
        };
        if let Some(absent) = only.iter().find(|name| !names.contains(&name.as_str())) {
            return wrong(format!("no column {}, which --source names", shown(absent)));
        }
        // The time once more, for people.
        let again = place("at").filter(|_| only.is_empty());
        let mut values = Vec::new();
        for (index, name) in names.into_iter().enumerate() {
            let taken = only.is_empty() || only.iter().any(|one| one == name);
            if index != time && Some(index) != again && taken {
                let name: SourceName = name.parse().map_err(|error: heapsoak_rrd::SchemaError| {
                    ImportError::at(1, format!("column {}: {error}; or choose columns by --source", index + 1))
                })?;
                if values.iter().any(|(_, known)| *known == name) {
                    return wrong(format!("two columns are called {name}: rename one"));
                }
                values.push((index, name));
            }
        }
        match values.len() {
            0 => wrong("no column beside the time: there is nothing to import".to_owned()),
            many if many > MAX_SOURCES => wrong(format!("{many} columns, and a store holds {MAX_SOURCES} sources")),
            _ => Ok(Self { time, relative: found == "t_s", values }),
        }
    }
}

impl Samples {
    fn take(&mut self, record: &StringRecord, columns: &Columns) -> Result<(), String> {
        let text = record.get(columns.time).unwrap_or_default();
        let (micros, number) = time(text)?;
        let first = self.times_us.is_empty();
        let small = number && micros < FROM_ZERO_US;
        if first {
            self.from_zero |= small;
        }
        if self.from_zero && !number {
            return Err(format!("time {} is no number, and the times before it count from 0", shown(text)));
        }
        if let Some(before) = self.times_us.last()
            && micros <= *before
        {
            return Err(format!("time {} is not after that of the sample before it: sort the lines", shown(text)));
        }
        self.times_us.push(micros);
        for (index, name) in &columns.values {
            self.values.push(value(record.get(*index).unwrap_or_default(), name)?);
        }
        if self.values.len().saturating_add(self.times_us.len().saturating_mul(ROW_VALUES)) > MAX_VALUES {
            return Err(format!("more than {MAX_VALUES} values are too many: choose columns by --source, or split it"));
        }
        Ok(())
    }
}

/// A time in microseconds, and whether it was written as a number.
fn time(text: &str) -> Result<(i64, bool), String> {
    let not_one = || format!("{} is not a time: write unix seconds, ISO 8601, or seconds from 0", shown(text));
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(not_one());
    }
    let micros = parse_time(text, 0).map_err(|_| not_one())?;
    let number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if number && micros > MILLISECONDS_US {
        return Err(format!("time {} looks like milliseconds: divide by 1000", shown(text)));
    }
    Ok((micros, number))
}

fn value(text: &str, name: &SourceName) -> Result<f64, String> {
    if text.is_empty() || text.eq_ignore_ascii_case("nan") || text.eq_ignore_ascii_case("u") {
        return Ok(f64::NAN);
    }
    text.parse().map_err(|_| {
        format!("{} of {name} is not a number: leave it empty for unknown, or choose columns by --source", shown(text))
    })
}

/// What csv has against the file, in the words of this program.
fn refused(error: &csv::Error, line: u64) -> ImportError {
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            ImportError::at(line, format!("{len} cells where there are {expected_len} names"))
        }
        ErrorKind::Utf8 { .. } => ImportError::at(line, "it is not UTF-8: is this CSV?"),
        ErrorKind::Io(error) => ImportError::at(line, format!("it cannot be read: {error}")),
        _ => ImportError::at(line, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Samples, String> {
        super::read(text.as_bytes(), &[]).map_err(|error| error.to_string())
    }

    #[test]
    fn unknown_is_empty_or_nan_or_u_and_never_zero() {
        let samples = read("time,a,b\n1700000000,1,\n1700000001.5,NaN,-2e3\r\n1700000003,U,nan\n").unwrap();
        assert_eq!(samples.times_us, [1_700_000_000_000_000, 1_700_000_001_500_000, 1_700_000_003_000_000]);
        let shown: Vec<String> = samples.values.iter().map(f64::to_string).collect();
        assert_eq!(shown, ["1", "NaN", "NaN", "-2000", "NaN", "NaN"]);
        assert!(!samples.from_zero);
    }

    #[test]
    fn times_are_read_as_other_tools_write_them() {
        for (text, micros, from_zero) in [
            ("time,a\n2023-11-14T22:13:20Z,1", 1_700_000_000_000_000, false),
            ("\u{feff}Time;a\n2023-11-14 22:13:20.25+00:00;1", 1_700_000_000_250_000, false),
            ("at\ta\n2023-11-15T00:13:20+02:00\t1", 1_700_000_000_000_000, false),
            ("a,time,at\n1,1700000000,rubbish", 1_700_000_000_000_000, false),
            ("t_s,a\n0.001,1", 1000, true),
            ("t_s,a\n1700000000,1", 1_700_000_000_000_000, true),
            ("\"timestamp\",\"a\"\n\"12.5\",\" 1\"\n\n", 12_500_000, true),
        ] {
            let samples = read(text).unwrap();
            assert_eq!((samples.times_us[0], samples.from_zero), (micros, from_zero), "{text}");
            assert_eq!((samples.names[0].as_str(), samples.values.as_slice()), ("a", &[1.0][..]), "{text}");
        }
    }

    #[test]
    fn errors_name_the_line_and_what_would_be_right() {
        for (text, said) in [
            ("", "line 1: no column of times among the names"),
            ("heap,rss\n1,2\n", "line 1: no column of times among the names: call it one of time, timestamp, at, t_s"),
            ("time\n1\n", "line 1: no column beside the time"),
            ("time,a\n", "the file has no samples"),
            ("time,heap used\n1,2\n", "line 1: column 2: source name `heap used` is not"),
            ("time,a,a\n1,2,3\n", "line 1: two columns are called a"),
            ("time,a\n1,2\n1,3\n", "line 3: time `1` is not after"),
            ("time,a\n1,2\n\n\n2,x\n", "line 5: `x` of a is not a number"),
            ("time,a\n1,\"2\n\"\n2,x\n", "line 4: `x` of a is not a number"),
            ("time,a\r\n1,2\r\n\r\n2,x", "line 4: `x` of a is not a number"),
            ("time,a\n1,2,3\n", "line 2: 3 cells where there are 2 names"),
            ("time,a\nnow,2\n", "line 2: `now` is not a time"),
            ("time,a\n1e9,2\n", "line 2: `1e9` is not a time"),
            ("time,a\n,2\n", "line 2: `` is not a time"),
            ("time,a\n1700000000123,2\n", "line 2: time `1700000000123` looks like milliseconds"),
            ("time,a\n99999999999999999999,2\n", "line 2: `99999999999999999999` is not a time"),
            ("time,a\n1,2\n2023-11-14T22:13:20Z,3\n", "line 3: time `2023-11-14T22:13:20Z` is no number"),
        ] {
            let got = read(text).map_or_else(|error| error, |samples| format!("taken: {samples:?}"));
            assert!(got.contains(said), "{text:?}: {got}");
        }
        let got = super::read(&b"time,a\n1,\xff\n"[..], &[]).unwrap_err().to_string();
        assert!(got.contains("line 2: it is not UTF-8"), "{got}");
    }

    #[test]
    fn only_the_columns_asked_for_are_looked_at() {
        let text = "time,name,a,heap used\n1,node,2,3\n";
        let only = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            super::read(text.as_bytes(), &names).map_err(|error| error.to_string())
        };
        assert_eq!(only(&["a"]).unwrap().values, [2.0]);
        assert!(only(&["b"]).unwrap_err().contains("no column `b`, which --source names"));
    }

    #[test]
    fn an_apostrophe_before_a_formula_is_not_of_the_name_and_values_stay_numbers() {
        for text in ["time,'-2-3,a\n1,-5,1\n", "time,\"'-2-3\",a\n1,-5,1\n", "time,-2-3,a\n1,-5,1\n"] {
            let samples = super::read(text.as_bytes(), &["-2-3".to_owned()]).unwrap();
            assert_eq!((samples.names[0].as_str(), samples.values.as_slice()), ("-2-3", &[-5.0][..]), "{text}");
        }
        assert!(read("time,'a\n1,2\n").unwrap_err().contains("source name `'a` is not"));
        assert!(read("time,'-a,-a\n1,2,3\n").unwrap_err().contains("two columns are called -a"));
    }

    #[test]
    fn a_quote_that_never_ends_does_not_fill_the_memory() {
        let endless = std::io::BufReader::new(Cursor::new("time,a\n1,\"").chain(std::io::repeat(b'x')));
        let error = super::read(endless, &[]).unwrap_err().to_string();
        assert!(error.contains("too long"), "{error}");
        let endless = std::io::BufReader::new(std::io::repeat(b'x'));
        assert!(super::read(endless, &[]).unwrap_err().to_string().contains("longer than 65536 bytes"));
    }

    proptest! {
        #[test]
        fn any_text_is_samples_or_an_error(text in "(time|t_s),a[,;]?b?\n([0-9.:TZeE+NnaU \",;\n-]{0,80}\n){0,5}") {
            drop(super::read(text.as_bytes(), &[]));
        }

        #[test]
        fn any_bytes_are_samples_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(super::read([b"time,a\n1,2\n", bytes.as_slice()].concat().as_slice(), &[]));
        }
    }
}
