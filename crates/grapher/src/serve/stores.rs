//! The start page's list: each store of the folder with how its recording goes, and a thumbnail of its newest run.

use heapsoak_chart::{Frame, Size, Theme};
use heapsoak_cli::{redact, size};
use heapsoak_store::Reader;
use serde_json::{Value, json};

use super::library::{Library, MOST_SHOWN, Place};
use super::question::{Question, Range};
use super::scene;
use crate::picture;

/// A thumbnail's size in pixels; the page scales it.
const THUMBNAIL: Size = Size { width: 480, height: 150, full: true };

/// All stores of the library as of `now_us`.
pub(super) fn json(library: &Library, now_us: i64) -> Value {
    let all = library.all();
    json!({
        "folder": library.is_folder(),
        "name": library.name(),
        "more": all.len().saturating_sub(MOST_SHOWN),
        "stores": all.iter().take(MOST_SHOWN).map(|place| store_json(place, now_us)).collect::<Value>(),
    })
}

fn store_json(place: &Place, now_us: i64) -> Value {
    let read = Reader::open(&place.path).and_then(|reader| Ok((reader.info()?, reader.change_marker()?)));
    match read {
        Err(error) => json!({ "name": place.name, "kind": "trouble", "says": error.to_string() }),
        Ok((info, marker)) => {
            let status = scene::status(&info, now_us);
            let run = info.runs.last();
            json!({
                "name": place.name,
                "kind": status.kind,
                "says": status.says,
                "target": run.map(|run| redact::url(&run.begun.target)),
                "shows": picture::default_source(&info.sources),
                "size": size_of(info.file_bytes),
                "runs": info.runs.len(),
                "events": info.events,
                "marker": marker,
            })
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "four digits of it are shown")]
fn size_of(bytes: u64) -> String {
    size::format_size(bytes as f64)
}

/// The newest run's heap, without words.
pub(super) fn thumbnail(reader: &Reader, theme: Theme, now_us: i64) -> anyhow::Result<String> {
    let info = reader.info()?;
    let question = Question {
        db: None,
        panels: picture::default_source(&info.sources).map(|name| vec![name]).into_iter().collect(),
        range: Range::Run,
        baseline: None,
        limit_bytes: None,
        gc: false,
        trend: false,
        theme,
        size: THUMBNAIL,
    };
    let mut picture = scene::read(reader, &question, now_us)?.picture;
    picture.frame = Frame::Bare;
    picture.notice = None;
    Ok(heapsoak_chart::svg(&picture)?)
}
