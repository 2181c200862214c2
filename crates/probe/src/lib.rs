//! Readings of a page, of processes and of ourselves, taken without changing what is read.
//!
//! # Overview
//!
//! * [`page`]: a page's heap and DOM counts by the DevTools protocol.
//! * [`node`]: a Node program's heap, garbage collector and end, from inside or through its inspector.
//! * [`process`]: the memory of one process or of a whole tree, such as a browser's, from `/proc`.
//! * [`own`]: our own memory, and the signals that we ignore.
//!
//! # Invariants
//!
//! * A probe forces no garbage collection and leaves nothing behind in its target. The exceptions are asked for by
//!   the user: [`page::Collector`], and checkpoints of [`node`].
//! * What is not there, or not there in time, is unknown (`None`): never 0, never the value of an earlier tick. An error
//!   means that the target is gone or refuses, so that waiting for the next tick is no use.
//! * A probe never queues up: while a command is unanswered its like is not sent again.
//! * Only `/proc` reads block; they are short (figures in [`process`]), but belong on a blocking thread of a runtime.
//!
//! # Example
//!
//! ```no_run
//! use heapsoak_probe::{page::Page, process::ProcessTree};
//! use std::time::Duration;
//!
//! # async fn example(window_handle: &str, browser_pid: u32) -> Result<(), heapsoak_probe::Error> {
//! let second = Duration::from_secs(1);
//! let (mut page, _connection) = Page::connect(&"127.0.0.1:9222".parse()?, window_handle, second).await?;
//! let mut browser = ProcessTree::new(browser_pid);
//! let reading = page.sample(second).await?;
//! println!("heap {:?} B, browser {:?}", reading.heap_used, browser.sample()?);
//! # Ok(())
//! # }
//! ```
mod error;
pub mod node;
pub mod own;
pub mod page;
pub mod process;

pub use error::Error;
