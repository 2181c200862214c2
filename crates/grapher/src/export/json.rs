//! JSON: everything that a store holds, in one object.
//!
//! `info` is what `grapher info --format json` prints; each of `archives` has the keys of `grapher fetch --format json`
//! (`start`, `end`, `step`, `names`, `rows`), its number and its function before them; unknown is null.

use std::io::{self, Write};

use heapsoak_store::{LastUpdate, Whole};
use serde_json::json;

use crate::commands::{fetch, info};

pub(crate) fn write(out: &mut dyn Write, whole: &Whole) -> io::Result<()> {
    let readings = whole.info.schema.sources().iter().zip(&whole.state.sources);
    let readings = readings.map(|(source, state)| (source.name.to_string(), state.last_reading.clone())).collect();
    let last = LastUpdate { time: whole.state.last, readings };
    write!(out, "{{\"info\":{},\n\"events\":[", info::json(&whole.info, &last))?;
    for (index, event) in whole.events.iter().enumerate() {
        let time = info::json_time(event.time);
        let event = json!({"run": event.run, "time": time, "kind": event.kind, "detail": event.detail});
        write!(out, "{}\n{event}", if index == 0 { "" } else { "," })?;
    }
    write!(out, "],\n\"archives\":[")?;
    for (index, table) in whole.tables.iter().enumerate() {
        let number = table.window.archive;
        let cf = whole.info.archives.get(number).map(|about| about.archive.cf.to_string());
        write!(out, "{}\n{{\"archive\":{number},\"cf\":{},", if index == 0 { "" } else { "," }, json!(cf))?;
        fetch::json_members(out, table)?;
        write!(out, "}}")?;
    }
    writeln!(out, "]}}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::export::{Choice, Format, testing};

    #[test]
    fn everything_is_there_and_each_archive_reads_as_a_fetch_does() {
        let text = testing::store(60).export(Format::Json, &Choice::default()).unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(all["info"]["sources"][1]["last_reading"], "120");
        assert_eq!(all["info"]["runs"][0]["target"], "node \"app.js\" <&>");
        let start = testing::START_S;
        assert_eq!(
            all["events"],
            json!([{"run": 1, "time": start + 3, "kind": "restart", "detail": "of the browser"}])
        );
        let functions: Vec<_> = all["archives"].as_array().unwrap().iter().map(|one| &one["cf"]).collect();
        assert_eq!(functions, ["AVERAGE", "AVERAGE", "MAX"]);
        let fine = &all["archives"][0];
        assert_eq!((&fine["start"], &fine["end"], &fine["step"]), (&json!(start), &json!(start + 60), &json!(1)));
        assert_eq!(fine["names"], json!(["heap_used", "hits-in"]));
        assert_eq!(fine["rows"].as_array().unwrap().len(), 60);
        assert_eq!(fine["rows"][6], json!([start + 7, [null, 2.0]]));
    }
}
