//! What a Node program's heap and garbage collector do, how it ends, and what it was like before.
//!
//! A program that we start is watched from inside, by a preload ([`Launch`]): an attached inspector prints lines on the
//! program's stderr, makes `console.log` 60 to 90 % slower and delays the exit. The preload does none of that, and costs
//! little (below). A program that already runs is watched through its inspector ([`Inspector`]).
//!
//! Both say the same [`Record`]s, several a second. [`Programs`] makes of them what a recorder stores at each tick: one
//! [`NodeReading`] and the list of collections ([`Gc`]) of each program, and [`Happening`]s. When a program is gone,
//! [`classify`] says how it ended, by its last words ([`Evidence`]) and what the system says.
//!
//! Parsing, [`Programs`] and [`classify`] do no I/O and read no clock: `now` is an argument.
mod end;
mod inspector;
mod launch;
mod observe;
mod port;
mod programs;
mod reading;
mod record;
mod thrash;

pub use end::{End, Evidence, KernelKills, Status, classify};
pub use inspector::{Inspector, Place};
pub use launch::Launch;
pub use observe::{Observed, Seen, State, kernel_kills, observe};
pub use port::{Opened, open_inspector};
pub use programs::{Happening, Notice, Programs, Tick};
pub use reading::{Gc, GcKind, NodeReading};
pub use record::{Collection, Lines, Malformed, Mode, Record, Said, parse};
