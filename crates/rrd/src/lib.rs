//! Round-robin arithmetic with rrdtool's semantics.

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
