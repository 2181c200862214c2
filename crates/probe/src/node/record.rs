//! The records that a watched Node program says: one JSON array each, read strictly and within bounds, because whoever may
//! write to the pipe may write anything.
//!
//! `[pid, seq, wall_ms, kind, …]`, where the fields of each kind are
//! * `"hello"`: parent pid or null, version, script or null, mode, MiB of `--max-old-space-size` or null
//! * `"heap"`: bytes used, total, limit, external, of array buffers or null, resident; ms that the loop was late; handles or
//!   null; records lost so far; minor and major collections so far and ms of all their pauses, or null each
//! * `"gc"`: a list of `[kind, pause in µs, bytes before or null, bytes after or null, ms before this record]`, where kind is
//!   0 for minor, 1 for major, 2 for a part of a collection that V8 counts apart
//! * `"checkpoint"`: pause in µs, bytes before, bytes after: a collection that was forced, for the user who asked for it
//! * `"mode"`: mode, collections per second
//! * `"blind"`: ms in which collections were not seen
//! * `"end"`: exit code
use serde_json::Value;

/// Longest line taken: a pipe keeps lines of several writers apart only up to this (PIPE_BUF).
const LONGEST_LINE: usize = 4096;
/// Longest text inside a record, in characters.
const LONGEST_TEXT: usize = 300;
/// Most collections in one record; the scripts send 60.
const MOST_COLLECTIONS: usize = 256;
/// Largest number taken for a size, count or time: what a double holds exactly.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// One thing that a program said of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its process id, as it sees it.
    pub pid: u32,
    /// 1 for the first record; one more for each.
    pub seq: u64,
    /// When it was said, by the program's wall clock, in µs since the unix epoch.
    pub wall_us: i64,
    /// What was said.
    pub said: Said,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// It is being watched from now on.
    Hello {
        /// Its parent's process id, where its Node knows that.
        parent: Option<u32>,
        /// Node's version: `v20.20.2`.
        version: String,
        /// The end of the path of its script; none for `node -e` and the like.
        script: Option<String>,
        /// How its collections are seen.
        mode: Mode,
        /// Bytes of `--max-old-space-size`, if given.
        flag_limit: Option<f64>,
    },
    /// Its memory now.
    Heap(Heap),
    /// Collections, in the order of time.
    Collections(Vec<Collection>),
    /// It has forced a full collection, as it was told to.
    Checkpoint(Forced),
    /// Its collections are seen in another way from now on.
    Mode(Mode, f64),
    /// For so many ms its collections were not seen: too many to be read after a long block.
    Blind(f64),
    /// It ends, with the exit code set so far, where that is known. A later one corrects it.
    End(Option<i32>),
}

/// How collections are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `v8.GCProfiler` and `PerformanceObserver`: all, with pauses, times and sizes. Counts are known at once; the list of
    /// collections comes after each major one, and at the end.
    Profiler,
    /// `PerformanceObserver`: kinds, pauses, times; the size after is read late, for major ones without the young
    /// generation; the last turn of the loop before an exit is missed. For want of the profiler (Node before 18.15), or
    /// because it became dear: after 5,000 collections, 340 without a major one, or 2 s of more than 150 a second.
    Observer,
    /// Not at all: Node before 8.5.
    Unseen,
}

/// A program's memory, in bytes, and its event loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heap {
    /// Bytes in use: live objects and garbage not yet collected.
    pub used: f64,
    /// Bytes held from the system.
    pub total: f64,
    /// V8's own limit: the old generation's and twice to three times the young one's.
    pub limit: f64,
    /// Bytes outside of the heap that objects hold.
    pub external: f64,
    /// Those of them that are array buffers.
    pub array_buffers: Option<f64>,
    /// Resident bytes of the process.
    pub resident: f64,
    /// How late a timer of 200 ms was at most since the record before, in ms.
    pub lag_ms: f64,
    /// Open handles, requests and timers.
    pub handles: Option<f64>,
    /// Records that could not be delivered, since the start.
    pub lost: u64,
    /// Collections since the start, as counted by the program.
    pub counts: Counts,
}

/// Collections since the start, as far as they are known: none where they are not seen.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Counts {
    /// Minor ones.
    pub minor: Option<f64>,
    /// Major ones.
    pub major: Option<f64>,
    /// How long all of them and their parts stopped the program, in ms.
    pub pause_ms: Option<f64>,
}

/// One garbage collection, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Collection {
    /// True for mark-compact, false for scavenges; none for a part (the start of incremental marking, weak callbacks).
    pub major: Option<bool>,
    /// How long it stopped the program, in ms.
    pub pause_ms: f64,
    /// Heap in use before it, in bytes.
    pub before: Option<f64>,
    /// And after it.
    pub after: Option<f64>,
    /// How long before its record it took place, in ms.
    pub age_ms: f64,
}

/// A full collection that the user asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forced {
    /// How long it stopped the program, in ms.
    pub pause_ms: f64,
    /// Heap in use before it, in bytes.
    pub before: f64,
    /// And right after it.
    pub after: f64,
}

/// Why a line is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no record of a watched program: {0}")]
pub struct Malformed(&'static str);

/// Reads one line, with or without its line feed.
///
/// # Errors
/// [`Malformed`] for everything but a record: too long, not JSON, a field more or less, a number out of range.
pub fn parse(line: &[u8]) -> Result<Record, Malformed> {
    if line.len() > LONGEST_LINE {
        return Err(Malformed("the line is too long"));
    }
    record(&serde_json::from_slice(line).map_err(|_| Malformed("the line is not JSON"))?)
}

/// Reads a record that is already JSON.
pub(super) fn record(value: &Value) -> Result<Record, Malformed> {
    let Some([pid, seq, wall_ms, Value::String(kind), rest @ ..]) = value.as_array().map(Vec::as_slice) else {
        return Err(Malformed("it does not begin with pid, number, time and kind"));
    };
    let said = match (kind.as_str(), rest) {
        ("hello", [parent, version, script, mode, flag_mib]) => Said::Hello {
            parent: optional(parent, id)?,
            version: text(version)?,
            script: optional(script, text)?,
            mode: watched_by(mode)?,
            flag_limit: optional(flag_mib, quantity)?.map(|mib| mib * 1_048_576.0),
        },
        ("heap", fields) => Said::Heap(heap(fields)?),
        ("gc", [Value::Array(list)]) if list.len() <= MOST_COLLECTIONS => {
            Said::Collections(list.iter().map(collection).collect::<Result<_, _>>()?)
        }
        ("checkpoint", [pause_us, before, after]) => Said::Checkpoint(Forced {
            pause_ms: quantity(pause_us)? / 1e3,
            before: quantity(before)?,
            after: quantity(after)?,
        }),
        ("mode", [mode, per_second]) => Said::Mode(watched_by(mode)?, quantity(per_second)?),
        ("blind", [for_ms]) => Said::Blind(quantity(for_ms)?),
        ("end", [code]) => Said::End(Some(exit_code(code)?)),
        _ => return Err(Malformed("its kind is unknown, or its fields are not those of its kind")),
    };
    Ok(Record { pid: id(pid)?, seq: count(seq)?, wall_us: wall_us(wall_ms)?, said })
}

fn heap(fields: &[Value]) -> Result<Heap, Malformed> {
    let [used, total, limit, external, array_buffers, resident, lag_ms, handles, lost, minor, major, pause_ms] = fields
    else {
        return Err(Malformed("a reading of the heap has twelve fields"));
    };
    Ok(Heap {
        used: quantity(used)?,
        total: quantity(total)?,
        limit: quantity(limit)?,
        external: quantity(external)?,
        array_buffers: optional(array_buffers, quantity)?,
        resident: quantity(resident)?,
        lag_ms: quantity(lag_ms)?,
        handles: optional(handles, quantity)?,
        lost: count(lost)?,
        counts: Counts {
            minor: optional(minor, quantity)?,
            major: optional(major, quantity)?,
            pause_ms: optional(pause_ms, quantity)?,
        },
    })
}

fn collection(value: &Value) -> Result<Collection, Malformed> {
    let Some([kind, pause_us, before, after, age_ms]) = value.as_array().map(Vec::as_slice) else {
        return Err(Malformed("a collection has five fields"));
    };
    let major = match kind.as_u64() {
        Some(0) => Some(false),
        Some(1) => Some(true),
        Some(2) => None,
        _ => return Err(Malformed("the kind of a collection is 0, 1 or 2")),
    };
    let pause_ms = quantity(pause_us)? / 1e3;
    let (before, after) = (optional(before, quantity)?, optional(after, quantity)?);
    Ok(Collection { major, pause_ms, before, after, age_ms: quantity(age_ms)? })
}

fn optional<T>(value: &Value, read: fn(&Value) -> Result<T, Malformed>) -> Result<Option<T>, Malformed> {
    if value.is_null() { Ok(None) } else { read(value).map(Some) }
}

fn quantity(value: &Value) -> Result<f64, Malformed> {
    value.as_f64().filter(|number| (0.0..=LARGEST).contains(number)).ok_or(Malformed("a number is out of range"))
}

fn count(value: &Value) -> Result<u64, Malformed> {
    value.as_u64().ok_or(Malformed("a count is not a whole number"))
}

fn id(value: &Value) -> Result<u32, Malformed> {
    let id = value.as_u64().and_then(|number| u32::try_from(number).ok());
    // A pid above i32 cannot be, and some interfaces take 0 and -1 for groups.
    id.filter(|id| i32::try_from(*id).is_ok_and(|id| id > 0)).ok_or(Malformed("a process id is out of range"))
}

fn exit_code(value: &Value) -> Result<i32, Malformed> {
    // `process.exitCode` may be a string of digits.
    let code = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    code.and_then(|code| i32::try_from(code).ok()).ok_or(Malformed("an exit code is out of range"))
}

fn wall_us(value: &Value) -> Result<i64, Malformed> {
    let ms = value.as_i64().filter(|ms| (0..=1 << 46).contains(ms)).ok_or(Malformed("a time is out of range"))?;
    Ok(ms * 1000)
}

fn text(value: &Value) -> Result<String, Malformed> {
    let text = value.as_str().filter(|text| text.chars().count() <= LONGEST_TEXT);
    text.map(str::to_owned).ok_or(Malformed("a text is none, or too long"))
}

fn watched_by(value: &Value) -> Result<Mode, Malformed> {
    match value.as_str() {
        Some("profiler") => Ok(Mode::Profiler),
        Some("observer") => Ok(Mode::Observer),
        Some("none") => Ok(Mode::Unseen),
        _ => Err(Malformed("a mode is unknown")),
    }
}

/// Cuts what comes out of a pipe into records. Holds one line at most: what is longer is dropped up to its end.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
    too_long: bool,
}

impl Lines {
    /// Takes the next bytes in and calls `each` for every line that they complete; empty lines are passed over.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Result<Record, Malformed>)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, whole) = piece.strip_suffix(b"\n").map_or((piece, false), |text| (text, true));
            self.too_long |= self.begun.len() + text.len() > LONGEST_LINE;
            if self.too_long {
                self.begun.clear();
            } else {
                self.begun.extend_from_slice(text);
            }
            if !whole {
                continue;
            }
            if std::mem::take(&mut self.too_long) {
                each(Err(Malformed("the line is too long")));
            } else if !self.begun.is_empty() {
                each(parse(&self.begun));
            }
            self.begun.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(line: &str) -> &'static str {
        parse(line.as_bytes()).unwrap_err().0
    }

    #[test]
    fn each_kind_is_read_with_its_units() {
        let hello = parse(br#"[7,1,1700000000000,"hello",1,"v20.1.0","/a/b.js","profiler",60]"#).unwrap();
        let said = Said::Hello {
            parent: Some(1),
            version: "v20.1.0".into(),
            script: Some("/a/b.js".into()),
            mode: Mode::Profiler,
            flag_limit: Some(62_914_560.0),
        };
        assert_eq!(hello, Record { pid: 7, seq: 1, wall_us: 1_700_000_000_000_000, said });
        let gc = parse(b"[7,2,5,\"gc\",[[1,1500.5,9,4,0.5],[0,100,null,null,0],[2,1,1,1,1]]]\n").unwrap().said;
        let Said::Collections(list) = gc else { panic!("{gc:?}") };
        assert_eq!(list.iter().map(|it| it.major).collect::<Vec<_>>(), [Some(true), Some(false), None]);
        assert_eq!((list[0].pause_ms, list[0].after, list[1].before), (1.5005, Some(4.0), None));
        let forced = Forced { pause_ms: 8.0, before: 9.0, after: 4.0 };
        assert_eq!(parse(br#"[7,3,5,"checkpoint",8000,9,4]"#).unwrap().said, Said::Checkpoint(forced));
        assert_eq!(parse(br#"[7,3,5,"end","3"]"#).unwrap().said, Said::End(Some(3)));
        assert_eq!(parse(br#"[7,3,5,"blind",20000.5]"#).unwrap().said, Said::Blind(20000.5));
        assert_eq!(parse(br#"[7,3,5,"mode","observer",900]"#).unwrap().said, Said::Mode(Mode::Observer, 900.0));
        assert!(matches!(parse(br#"[7,3,5,"heap",1,2,3,4,null,6,7.5,null,0,5,1,null]"#).unwrap().said, Said::Heap(_)));
    }

    #[test]
    fn a_writer_that_lies_is_refused() {
        for (line, why) in [
            ("", "the line is not JSON"),
            ("[1", "the line is not JSON"),
            ("{}", "it does not begin with pid, number, time and kind"),
            ("[0,1,1,\"end\",0]", "a process id is out of range"),
            ("[-1,1,1,\"end\",0]", "a process id is out of range"),
            ("[4294967295,1,1,\"end\",0]", "a process id is out of range"),
            ("[1,1.5,1,\"end\",0]", "a count is not a whole number"),
            ("[1,1,-1,\"end\",0]", "a time is out of range"),
            ("[1,1,1e300,\"end\",0]", "a time is out of range"),
            ("[1,1,1,\"end\"]", "its kind is unknown, or its fields are not those of its kind"),
            ("[1,1,1,\"end\",99999999999]", "an exit code is out of range"),
            ("[1,1,1,\"blind\",-1]", "a number is out of range"),
            ("[1,1,1,\"blind\",1e17]", "a number is out of range"),
            ("[1,1,1,\"heap\",1,2]", "a reading of the heap has twelve fields"),
            ("[1,1,1,\"gc\",[[3,1,1,1,1]]]", "the kind of a collection is 0, 1 or 2"),
            ("[1,1,1,\"gc\",[1]]", "a collection has five fields"),
            ("[1,1,1,\"mode\",\"x\",1]", "a mode is unknown"),
        ] {
            assert_eq!(reason(line), why, "{line}");
        }
        let long = format!("[1,1,1,\"hello\",1,\"{}\",null,\"none\",null]", "v".repeat(301));
        assert_eq!(reason(&long), "a text is none, or too long");
        assert_eq!(reason(&"[".repeat(4097)), "the line is too long");
        assert_eq!(reason(&"[".repeat(4096)), "the line is not JSON", "nesting does not exhaust the stack");
    }

    #[test]
    fn lines_are_found_however_the_pipe_cuts_them_and_a_long_one_takes_none_of_the_next() {
        let mut text = b"[1,1,1,\"end\",0]\n\n".to_vec();
        text.extend([b'x'; 10_000]);
        text.extend(b"\n[2,1,1,\"end\",0]\nrest");
        for step in [1, 3, 16, 4096, text.len()] {
            let (mut lines, mut found) = (Lines::default(), Vec::new());
            for part in text.chunks(step) {
                lines.push(part, |it| found.push(it.map(|record| record.pid)));
            }
            assert_eq!(found, [Ok(1), Err(Malformed("the line is too long")), Ok(2)], "{step}");
            assert_eq!(lines.begun, b"rest");
        }
    }
}
