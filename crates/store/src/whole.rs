//! Much of a store at once, as of one commit: what an export needs.

use heapsoak_rrd::fetch::Window;
use heapsoak_rrd::{State, Time};

use crate::error::{StoreError, sqlite};
use crate::model::{Event, Info, Table};
use crate::reader::Reader;
use crate::{MAX_EVENTS, load, table};

/// Which parts of a store are wanted, apart from its description and its state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Archives, and which of their rows; any number of windows, also of the same archive.
    pub windows: Vec<Window>,
    /// Only these sources, in this order; empty: all.
    pub sources: Vec<String>,
    /// The events from the first time to the second, both included; `None`: none.
    pub events: Option<(Time, Time)>,
}

/// Parts of a store that belong to one commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// What the store says about itself.
    pub info: Info,
    /// What the next update goes on from: of all sources, whichever were wanted.
    pub state: State,
    /// The rows of each window wanted.
    pub tables: Vec<Table>,
    /// The events wanted, in the order of their recording; damaged ones are left out.
    pub events: Vec<Event>,
}

impl Reader {
    /// Reads in one transaction what `choose` wants of the store that it is told about.
    ///
    /// # Errors
    /// Whatever `choose` fails with; [`StoreError::NoSource`], [`StoreError::TooMany`] (all windows together are then more
    /// than one answer may take up in memory), [`StoreError::Damaged`].
    pub fn whole<E: From<StoreError>>(&self, choose: impl FnOnce(&Info) -> Result<Wanted, E>) -> Result<Whole, E> {
        self.snapshot(|conn| {
            let path = self.path();
            let definition = load::definition(conn, path)?;
            let state = load::state(conn, path, &definition)?;
            let info = self.info_in(conn)?;
            let Wanted { windows, sources, events } = choose(&info)?;
            let names: Vec<&str> = sources.iter().map(String::as_str).collect();
            let names = (!names.is_empty()).then_some(names.as_slice());
            let columns = table::columns(&definition.schema, names, path)?;
            table::check_size(&windows, columns.len())?;
            let read = |window| table::read(conn, path, &definition, &columns, window);
            let tables = windows.into_iter().map(read).collect::<Result<_, _>>()?;
            let events = match events {
                None => Vec::new(),
                Some((start, end)) => events_in(conn, start, end).map_err(sqlite(path, "read the events"))?,
            };
            Ok(Whole { info, state, tables, events })
        })
    }
}

/// The sound events from `start` to `end`, in the order of their recording; of too many the newest.
pub(crate) fn events_in(conn: &rusqlite::Connection, start: Time, end: Time) -> rusqlite::Result<Vec<Event>> {
    let span = [start.as_secs_f64(), end.as_secs_f64()];
    let newest_first = load::rows::<Event>(conn, "WHERE time BETWEEN ?1 AND ?2 ORDER BY id DESC", span, MAX_EVENTS)?;
    Ok(newest_first.into_iter().rev().flatten().collect())
}
