//! The parsers of what comes from outside, for the fuzzers and the kept inputs of `tests/fuzz`; the program calls none of this.

use std::io::sink;
use std::path::Path;

use clap::Parser;
use heapsoak_rrd::Cf;
use heapsoak_store::{Info, Reader};

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

/// DEFs that are drawn: a store may name a thousand sources with millions of rows each, and each is read alike.
const DEFS: usize = 4;

/// A store from elsewhere, asked for everything: pictures, verdict, numbers, and itself in all formats.
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
    let _ = by_elements(path, &info, now_us);
}

/// The picture of [`elements`], if the command line is one and the store can be drawn.
fn by_elements(path: &Path, info: &Info, now_us: i64) -> Option<Vec<u8>> {
    let words = ["grapher", "graph", "a.svg", "--start", "end-2m", "--end", "now"].map(str::to_owned);
    let line = CommandLine::try_parse_from(words.into_iter().chain(elements(path, info))).ok()?;
    let Ok(Task::Elements(settings)) = line.task() else { return None };
    settings.image(now_us).ok()
}

/// A DEF and a LINE for each source and function: these read whole blocks, where our own pictures read rows.
fn elements(path: &Path, info: &Info) -> Vec<String> {
    let mut functions: Vec<Cf> = Vec::new();
    for archive in info.schema.archives() {
        if !functions.contains(&archive.cf) {
            functions.push(archive.cf);
        }
    }
    let names = info.sources.iter().map(|source| source.source.name.as_str());
    let each = names.flat_map(|name| functions.iter().map(move |cf| (name, cf)));
    let path = path.display().to_string().replace(':', "\\:");
    each.take(DEFS)
        .enumerate()
        .flat_map(|(index, (name, cf))| [format!("DEF:d{index}={path}:{name}:{cf}"), format!("LINE1:d{index}#ff0000")])
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::export::testing;

    #[test]
    fn the_words_that_a_fuzzer_draws_a_store_by_are_words_and_draw_all_its_sources() {
        let store = testing::store(60);
        let now_us = (testing::START_S + 60) * 1_000_000;
        let image = super::by_elements(store.path(), &store.info().unwrap(), now_us).unwrap();
        let text = String::from_utf8(image).unwrap();
        // Two sources by the two functions of its archives.
        for name in ["d0", "d1", "d2", "d3"] {
            assert!(text.contains(&format!("\n{name}\n")), "{name}: {text}");
        }
        assert!(!text.contains("no data"), "{text}");
    }
}
