//! The parsers of what comes from outside, for the fuzzers and the kept inputs of `tests/fuzz`; the program calls none of this.

use std::io::sink;
use std::path::Path;

use clap::Parser;
use heapsoak_store::Reader;

use crate::args::{CommandLine, Task};
use crate::export::{self, Choice, Format};
use crate::verdict::{self, Asked};
use crate::{commands, graph, picture};

/// A whole command line, up to what would be done.
pub fn arguments(words: &[&str]) {
    let words = std::iter::once("grapher").chain(words.iter().copied());
    if let Ok(line) = CommandLine::try_parse_from(words) {
        let _ = line.task();
    }
}

/// An expression of rrdtool's, worked out over short rows, and the formats of PRINT and of its times.
pub fn rpn(text: &str) {
    graph::fuzz(text);
}

/// A store from elsewhere, asked for everything: picture, verdict, numbers, and itself in all formats.
pub fn store(path: &Path, now_us: i64) {
    let Ok(reader) = Reader::open(path) else { return };
    let Ok(info) = reader.info() else { return };
    if let Ok(last) = reader.lastupdate() {
        let _ = commands::info::json(&info, &last);
    }
    let _ = reader.verify();
    let _ = verdict::of(&reader, &Asked::default(), now_us);
    for format in [Format::Csv, Format::Json, Format::Openmetrics, Format::Xml] {
        if let Ok(whole) = reader.whole(|info| export::wanted(format, &Choice::default(), info)) {
            let _ = export::write(format, &mut sink(), &whole);
        }
    }
    let words = ["grapher", "--gc", "--trend", "--last", "1h", "--end", "1700000100", "--out", "a.svg"];
    if let Ok(Ok(Task::Draw(settings))) = CommandLine::try_parse_from(words).map(CommandLine::task)
        && let Ok(picture) = picture::of_store(&reader, &settings.picture, now_us)
    {
        let _ = heapsoak_chart::svg(&picture);
    }
}
