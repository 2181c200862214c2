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
//!
//! # What it costs
//!
//! Measured in the program, on Node 20: a start of 8 to 12 ms and 2 MiB of resident memory, once; a tick of 33 µs five
//! times a second and a reading of 40 µs two and a half times; for each collection about 0.1 ms and 6 KB outside of the
//! heap while it is seen exactly ([`Mode::Profiler`]), which ends after 5,000 of them or when it becomes dear, and about
//! 0.01 ms and nothing after that ([`Mode::Observer`]). The 6 KB are Node's: what a stopped profiler wrote is freed by the
//! next major collection, so that a program without one may be some MiB larger than it would be.
//!
//! # Example
//!
//! ```no_run
//! use heapsoak_probe::node::{Happening, KernelKills, Launch, Programs, Status, classify, observe};
//!
//! # fn now_us() -> i64 { 0 }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut launch = Launch::prepare("/tmp/run-of-a-name-hard-to-guess".as_ref(), None)?;
//! let words = ["npm".into(), "start".into()];
//! let mut command = tokio::process::Command::new(&words[0]);
//! command.args(&words[1..]).envs(launch.environment(std::env::var_os("NODE_OPTIONS").as_deref(), &words));
//! let child = command.spawn()?;
//! let mut programs = Programs::new(None);
//! // At each tick, and once more after the child's end:
//! for record in launch.drain()? {
//!     programs.apply(now_us(), record);
//! }
//! let seen: Vec<_> = programs.pids().map(|pid| Ok((pid, observe(pid)?))).collect::<Result<_, heapsoak_probe::Error>>()?;
//! let tick = programs.tick(now_us(), &mut |pid| seen.iter().find(|(id, _)| *id == pid).unwrap().1.clone());
//! for notice in &tick.notices {
//!     if let Happening::Ended(evidence) = &notice.what {
//!         println!("{}: {}", notice.label, classify(Status::Unknown, evidence, KernelKills::default()));
//!     }
//! }
//! # Ok(())
//! # }
//! ```
mod end;
mod inspector;
mod launch;
mod leftover;
mod observe;
mod port;
mod programs;
mod reading;
mod record;
mod thrash;

pub use end::{End, Evidence, KernelKills, Status, classify};
pub use inspector::{Inspector, Place};
pub use launch::Launch;
pub use leftover::sweep;
pub use observe::{Observed, Seen, State, kernel_kills, observe};
pub use port::{Opened, open_inspector};
pub use programs::{Happening, Notice, Programs, Tick};
pub use reading::{Gc, GcKind, NodeReading};
pub use record::{Collection, Counts, Forced, Heap, Lines, Malformed, Mode, Record, Said, parse};
