//! Round-robin arithmetic with rrdtool's semantics: readings at any times in, rows of archives at regular times out.
//!
//! Pure: no clock, no files, no threads. Times are whole microseconds and are handed in; rows are handed out to a sink
//! and kept elsewhere ([`Rings`] keeps them in memory, for tests and importers). What has to be kept between two updates
//! is a [`State`]: saved and resumed, a run goes on as if it had never stopped.
//!
//! ```
//! use heapsoak_rrd::{Archive, Cf, Reading, Rings, RoundRobin, Schema, Step, Time, fetch};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let step = Step::new(1_000_000)?; // 1 s
//! let schema = Schema::new(
//!     step,
//!     vec!["DS:heap_used:GAUGE:2:0:U".parse()?],
//!     vec![Archive::parse("RRA:AVERAGE:0.5:3:2400", step)?],
//! )?;
//! let mut rings = Rings::new(&schema);
//! let mut machine = RoundRobin::new(schema, Time::from_secs(1_200_000_000));
//! for (second, bytes) in [(1, 100.0), (2, 200.0), (3, 600.0)] {
//!     let time = Time::from_secs(1_200_000_000 + second);
//!     machine.update(time, &[Reading::from(bytes)], &mut |row| rings.apply(row))?;
//! }
//! let (start, end) = (Time::from_secs(1_200_000_000), Time::from_secs(1_200_000_002));
//! let window = fetch::window(machine.schema(), machine.last(), Cf::Average, start, end, 1)?;
//! let rows = rings.fetch(&window);
//! assert_eq!(rows, [(Time::from_secs(1_200_000_003), vec![Some(300.0)])]);
//! # Ok(())
//! # }
//! ```
//!
//! # The words, each built on those before it
//!
//! * **data source** ([`Source`]): one named series. Its *type* says what a reading means; its limits, which are believed.
//! * **reading** ([`Reading`]): one value of one source, as text, or unknown. **sample**: a reading for each source.
//! * **rate**: what a reading says about the time since the one before it: the value itself for a gauge, change per
//!   second for the others.
//! * **heartbeat** ([`Heartbeat`]): two readings further apart leave the time between them unknown.
//! * **step** ([`Step`]): time since the epoch is cut into steps of equal length; a border is a multiple of the step.
//! * **PDP**: the primary data point of one step: the average rate in it, weighted by time, or unknown.
//! * **row** or CDP: some consecutive PDPs made into one value. It ends at a multiple of its own length *since the epoch*,
//!   not since the start of the recording, and is stamped with its end.
//! * **consolidation function** ([`Cf`]): how PDPs become that value. MIN and MAX are of PDPs, so of averages over a step, not of readings.
//! * **xff** ([`Xff`]): the part of a row's PDPs that may be unknown while the row is known.
//! * **archive** ([`Archive`]): a ring of such rows; the newest replaces the oldest.
//!
//! # The rules
//!
//! What [`RoundRobin::update`] does with a sample at `time`; all comparisons are strict where it says "more" or "longer".
//!
//! * **U1 number.** There is a reading for each source.
//! * **U2 order.** `time` is later than the last update; one microsecond is enough.
//! * **U3 interval.** The time since the last update is one stretch of constant rate for each source.
//! * **U4 rate.** It is unknown if the reading is, if the interval is longer than the heartbeat (the text is then not even
//!   looked at), or if the rate is outside of the limits, which are good values themselves: it is never clamped.
//!   Differences need a known last reading, and every reading, believed or not, is the next one's last reading.
//! * **U5 steps.** The stretch may pass no border of a step, one, or many.
//! * **U6 none passed.** Known time adds rate × seconds to the open PDP, unknown time is counted.
//! * **U7 several passed.** The open PDP has a past of its own: its rest is split off and closes it alone. The PDPs after it share one value.
//! * **U8 closing a PDP.** It is unknown if more than half of it was unknown *before* this stretch, or if the stretch (after
//!   the split) is longer than the heartbeat. Else it is the average of its known part. So unknown time at the end of a
//!   step is left out of the average, but not held against it.
//! * **U9 closing a row.** It is unknown if more than xff × PDPs of it are. LAST is its last PDP, known or not. With one PDP
//!   per row the row is the PDP, and xff does not count. PDPs before the start of a recording count as unknown.
//! * **U10 writing.** A row's slot follows from its time. A gap of any length costs at most the rows of the archives, never the gap.
//! * **U11 end.** The sample is now the last update. All this happens, or, if U1, U2 or U4 refuses, none of it.
//!
//! [`fetch`] chooses the archive that answers and rounds the times, as rrdtool does.
//!
//! # Where this is not rrdtool, and why
//!
//! At times of whole seconds the answers are those of rrdtool 1.7.2 to 1e-9, but for the last four points.
//!
//! * **Unknown time is counted in microseconds**, and the split of U7 is made at the exact border. rrdtool rounds both down to
//!   whole seconds and divides by a time that is too long: a constant series with short stalls shows dips that never were.
//!   The step may be shorter than a second.
//! * **A 32-bit counter wraps at 2^32**, where rrdtool adds one too few, **and a 64-bit one at 2^64 in whole numbers**, where
//!   it subtracts doubles that are 2048 apart. A counter of 2^64 or more is refused.
//! * **A DCOUNTER that falls to 0 is a reset**, as is any other fall; for rrdtool 0 alone is a step down.
//! * **After a gap longer than an archive, each row that is still held has the value of its own time**; rrdtool leaves the value
//!   from before the gap in the oldest one.
//! * **An update is all or nothing**; in rrdtool an error in one source leaves the last readings of those before it changed.
//!
//! A text that is no number is refused for every type, also where rrdtool would take it because the last reading of a
//! DCOUNTER or DDERIVE is unknown; one that was taken after a gap (U4) does not block the readings after it.

mod archive;
mod cdp;
mod duration;
pub mod fetch;
mod pdp;
mod rate;
mod reading;
mod rings;
mod round_robin;
mod row;
mod schema;
mod source;
mod state;
mod time;

pub use archive::{Archive, Cf, MAX_ROWS};
pub use reading::Reading;
pub use rings::Rings;
pub use round_robin::{RoundRobin, UpdateError};
pub use row::{Row, slot};
pub use schema::{Heartbeat, MAX_SPAN_US, Schema, SchemaError, Step, Xff};
pub use source::{Source, SourceName, SourceType};
pub use state::{CdpState, SourceState, State, StateError};
pub use time::Time;
