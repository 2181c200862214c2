//! Looking at every row: its check, its place in the ring, and what SQLite itself finds.

use std::path::Path;

use heapsoak_rrd::slot;
use rusqlite::Connection;

use crate::block::{self, Block};
use crate::connect::definition_of;
use crate::gc::Gc;
use crate::guardian::Guardian;
use crate::history::time_of;
use crate::load::{self, Definition, number, signed};
use crate::model::{Damage, Event, Run};
use crate::records::{ArchiveRow, CdpRow, Head, PdpRow, Point, Record, SourceRow, Unsound, WriterRow, select};
use crate::views;

/// Damages that are named, of each table.
const NAMED: usize = 1_000;

/// All damage there is, in the order of the tables.
pub(crate) fn verify(conn: &Connection, path: &Path) -> Vec<Damage> {
    let mut found = integrity(conn);
    found.extend(rows::<Head>(conn, |_| None));
    found.extend(rows::<SourceRow>(conn, |_| None));
    found.extend(rows::<ArchiveRow>(conn, |_| None));
    let definition = load::definition(conn, path);
    match &definition {
        Ok(definition) => found.extend(changed_views(conn, definition)),
        Err(error) if found.is_empty() => found.push(damage("file", String::new(), error.to_string())),
        Err(_) => {}
    }
    let definition = definition.ok();
    found.extend(rows::<Point>(conn, |point| definition.as_ref().and_then(|known| misplaced(known, point))));
    let misplaced = |block: &Block| block.misplaced(&definition.as_ref()?.schema).map(str::to_owned);
    found.extend(rows::<Block>(conn, misplaced));
    if let Some(definition) = &definition {
        found.extend(contradicting(conn, definition));
    }
    found.extend(rows::<PdpRow>(conn, |_| None));
    found.extend(rows::<CdpRow>(conn, |_| None));
    if let Some(definition) = definition
        && found.is_empty()
        && let Err(error) = load::state(conn, path, &definition)
    {
        found.push(damage("file", String::new(), error.to_string()));
    }
    found.extend(rows::<Run>(conn, |_| None));
    found.extend(rows::<Event>(conn, |_| None));
    found.extend(rows::<Gc>(conn, |_| None));
    found.extend(rows::<WriterRow>(conn, |_| None));
    found.extend(rows::<Guardian>(conn, |_| None));
    found
}

fn damage(table: &'static str, row: String, what: String) -> Damage {
    Damage { table, row, what }
}

/// What SQLite finds: pages that are not what they should be, rows out of order.
fn integrity(conn: &Connection) -> Vec<Damage> {
    let check = || -> rusqlite::Result<Vec<String>> {
        let mut statement = conn.prepare(&format!("PRAGMA integrity_check({NAMED})"))?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    let lines = check().unwrap_or_else(|error| vec![error.to_string()]);
    lines.into_iter().filter(|line| line != "ok").map(|line| damage("file", String::new(), line)).collect()
}

/// The rows of one table whose check fails, or that `wrong` has something against.
fn rows<R: Record>(conn: &Connection, wrong: impl Fn(&R) -> Option<String>) -> Vec<Damage> {
    let mut found = Vec::new();
    let mut check = || -> rusqlite::Result<()> {
        let mut statement = conn.prepare(&select::<R>(""))?;
        let mut all = statement.query([])?;
        while let Some(row) = all.next()? {
            let what = match R::read_sound(row) {
                Ok(record) => wrong(&record).map(|what| (record.key(), what)),
                Err(Unsound { key, what }) => Some((key, what)),
            };
            found.extend(what.map(|(key, what)| damage(R::TABLE, key, what)));
            if found.len() >= NAMED {
                found.push(damage(R::TABLE, String::new(), "and more".to_owned()));
                break;
            }
        }
        Ok(())
    };
    if let Err(error) = check() {
        found.push(damage(R::TABLE, String::new(), error.to_string()));
    }
    found
}

/// What is wrong with the place of a row whose check holds.
fn misplaced(definition: &Definition, point: &Point) -> Option<String> {
    let schema = &definition.schema;
    let Some(archive) = usize::try_from(point.archive).ok().filter(|number| *number < schema.archives().len()) else {
        return Some("there is no such archive".to_owned());
    };
    if point.source >= number(schema.sources().len()) {
        return Some("there is no such source".to_owned());
    }
    let right = slot(schema, archive, time_of(point.time)).map(signed);
    (right != Some(point.slot)).then(|| format!("its time {} belongs into another slot", point.time))
}

/// Blocks that say something else than their rows.
fn contradicting(conn: &Connection, definition: &Definition) -> Vec<Damage> {
    match block::contradicting(conn, &definition.schema) {
        Ok(blocks) => {
            let what = "it says something else than its rows";
            blocks.iter().take(NAMED).map(|block| damage(Block::TABLE, block.key(), what.to_owned())).collect()
        }
        Err(error) => vec![damage(Block::TABLE, String::new(), error.to_string())],
    }
}

/// Views are only read by people and other programs, who must not be told something else.
fn changed_views(conn: &Connection, definition: &Definition) -> Vec<Damage> {
    let changed = |(name, sql): &(&'static str, String)| {
        let stored = definition_of(conn, "view", name).ok().flatten();
        stored.as_deref() != Some(sql.as_str())
    };
    let views = views::definitions(&definition.schema).into_iter().filter(changed);
    views.map(|(name, _)| damage("file", String::new(), format!("view {name} is not as it was made"))).collect()
}
