//! A small client of the DevTools protocol: what a browser's page and a Node program's inspector both speak.
//!
//! # Overview
//!
//! * [`targets`] and [`version`] ask a DevTools server by plain HTTP what can be watched.
//! * [`Client::connect`] opens one WebSocket; [`Client::call`] sends a command and waits for its answer, never longer
//!   than its deadline; [`Client::session`] speaks to a flattened session on the same socket.
//! * [`Client::subscribe`] hands out events; [`Client::closed`] resolves when the connection is over.
//! * [`Commands`] is the same call as an object-safe trait, for those who do not care what carries it.
//!
//! # Invariants
//!
//! * One background task owns the socket. It ends when the last handle is dropped or the socket closes, and whoever
//!   waits is then told [`Error::Closed`]; a call after that fails at once instead of being swallowed.
//! * Every wait has an end: each call and each connect takes a deadline. A late answer is dropped, the client stays usable.
//! * Nobody can block the socket: a subscriber that does not keep up loses events, and is told how many.
//! * What the peer sends is bounded ([`ConnectOptions`]) and distrusted: garbage ends the connection with
//!   [`Ending::NotDevTools`], it never panics.
//! * Only loopback is dialled, unless the caller writes [`Reach::Anywhere`]. A listing cannot lead elsewhere.
//!
//! # Example
//!
//! ```no_run
//! use heapsoak_devtools::{Address, Client, Error, targets};
//! use serde_json::json;
//! use std::time::Duration;
//!
//! # async fn example() -> Result<(), Error> {
//! let second = Duration::from_secs(1);
//! let address: Address = "127.0.0.1:9222".parse()?;
//! for target in targets(&address, second).await? {
//!     if target.kind == "page" {
//!         let client = Client::connect_to(&target.socket(&address)?, &Default::default()).await?;
//!         let usage = client.call("Runtime.getHeapUsage", json!({}), second).await?;
//!         println!("{}: {} bytes", target.title, usage["usedSize"]);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
mod address;
mod client;
mod commands;
mod connection;
mod error;
mod listing;
mod subscription;
pub mod wire;

pub use address::{Address, Reach, SocketUrl};
pub use client::{Client, ConnectOptions};
pub use commands::{Answer, Commands};
pub use error::{Ending, Error};
pub use listing::{Target, Version, targets, version};
pub use subscription::{Event, Subscription};
