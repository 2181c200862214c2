//! The views: what people and other programs query. Made anew whenever sources are added.
//!
//! * `average`, `minimum`, `maximum`: `time`, `at`, a column for each source; the finest archive of that function.
//! * `series`: `time`, `source`, `value`: the same as `average`, a line for each value.
//! * `latest`: `source`, `at`, `value`, `unit`: the newest row, of the finest archive (of averages, if there is one).
//!
//! Rows ascend in time. `time` is unix seconds, an integer when whole; `at` is ISO 8601 in UTC, with a fraction only
//! when there is one; unknown is NULL. Without an archive of its function a view is there and empty. A source called
//! `time` or `at` (in any case) gets the column `source_time` or `source_at`.

use std::collections::HashSet;

use heapsoak_rrd::{Archive, Cf, Schema};
use rusqlite::Connection;

/// Name and definition of each view, for these sources and archives.
pub(crate) fn definitions(schema: &Schema) -> [(&'static str, String); 5] {
    [
        ("average", wide(schema, "average", Cf::Average)),
        ("minimum", wide(schema, "minimum", Cf::Min)),
        ("maximum", wide(schema, "maximum", Cf::Max)),
        ("series", series(schema)),
        ("latest", latest(schema)),
    ]
}

/// Replaces all views by those of `schema`.
pub(crate) fn remake(conn: &Connection, schema: &Schema) -> rusqlite::Result<()> {
    for (name, sql) in definitions(schema) {
        conn.execute_batch(&format!("DROP VIEW IF EXISTS {name}; {sql}"))?;
    }
    Ok(())
}

/// The number of the archive with the shortest rows among those that `wanted` accepts; the first of equals.
fn finest(schema: &Schema, wanted: impl Fn(&Archive) -> bool) -> Option<usize> {
    let archives = schema.archives().iter().enumerate().filter(|(_, archive)| wanted(archive));
    archives.min_by_key(|(_, archive)| archive.pdps_per_row).map(|(number, _)| number)
}

/// One row for each time: the values of a slot lie side by side in `point`, so that grouping needs no sorting.
fn wide(schema: &Schema, view: &str, cf: Cf) -> String {
    let names = columns(schema);
    let head = format!("CREATE VIEW {view} AS SELECT {} AS time, {} AS at", whole("t"), at("t"));
    let outer: String = names.iter().enumerate().map(|(id, name)| format!(", c{id} AS \"{name}\"")).collect();
    let Some(archive) = finest(schema, |archive| archive.cf == cf) else {
        let inner: String = (0..names.len()).map(|id| format!(", NULL AS c{id}")).collect();
        return format!("{head}{outer} FROM (SELECT NULL AS t{inner}) WHERE 0");
    };
    let inner: String =
        (0..names.len()).map(|id| format!(", max(CASE source WHEN {id} THEN value END) AS c{id}")).collect();
    format!(
        "{head}{outer} FROM (SELECT max(time) AS t{inner} FROM point WHERE archive = {archive} GROUP BY slot) ORDER BY t"
    )
}

fn series(schema: &Schema) -> String {
    let archive = finest(schema, |archive| archive.cf == Cf::Average);
    let chosen = archive.map_or_else(|| "0".to_owned(), |archive| format!("archive = {archive}"));
    format!(
        "CREATE VIEW series AS SELECT {} AS time, source.name AS source, value \
         FROM point JOIN source ON source.id = point.source WHERE {chosen} ORDER BY point.time, source.id",
        whole("point.time")
    )
}

fn latest(schema: &Schema) -> String {
    let average = finest(schema, |archive| archive.cf == Cf::Average);
    let number = average.or_else(|| finest(schema, |_| true)).unwrap_or_default();
    let (rows, row_us) = schema.archives().get(number).map_or((1, 1), |archive| (archive.rows, schema.row_us(archive)));
    format!(
        "CREATE VIEW latest AS SELECT source.name AS source, {} AS at, value, unit FROM source \
         LEFT JOIN point ON archive = {number} AND point.source = source.id \
         AND slot = (SELECT ((last_us / {row_us}) % {rows} + {rows}) % {rows} FROM store) ORDER BY source.id",
        at("time")
    )
}

/// A column name for each source. Names have no quotes in them, but SQLite takes `a` and `A` for the same column.
fn columns(schema: &Schema) -> Vec<String> {
    let mut taken: HashSet<String> = ["time", "at"].map(str::to_owned).into();
    let unique = |source: &heapsoak_rrd::Source| {
        let mut name = source.name.as_str().to_owned();
        while !taken.insert(name.to_ascii_lowercase()) {
            name.insert_str(0, "source_");
        }
        name
    };
    schema.sources().iter().map(unique).collect()
}

/// Seconds as an integer where they are whole.
fn whole(time: &str) -> String {
    format!("CASE WHEN {time} = CAST({time} AS INTEGER) THEN CAST({time} AS INTEGER) ELSE {time} END")
}

/// ISO 8601 in UTC. Only whole seconds go through `strftime`, which rounds to milliseconds.
fn at(time: &str) -> String {
    let us = format!("CAST(round({time} * 1000000) AS INTEGER)");
    let fraction = format!("(({us} % 1000000 + 1000000) % 1000000)");
    format!(
        "strftime('%Y-%m-%dT%H:%M:%S', ({us} - {fraction}) / 1000000, 'unixepoch') || \
         CASE {fraction} WHEN 0 THEN '' ELSE '.' || rtrim(printf('%06d', {fraction}), '0') END || 'Z'"
    )
}
