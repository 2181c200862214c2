//! What the two command lines of heapsoak share, and nothing of what they are about.
//!
//! Words of the command line become values here ([`time`], [`duration`], [`size`]); the process meets the machine
//! here ([`clock`], [`output`], [`logging`], [`stop`], [`exit`]); and what may be stored or shown of a command line
//! is decided here ([`redact`]). Nothing below this crate reads the clock, replaces a file or handles a signal.
//!
//! ```
//! use heapsoak_cli::time::{Span, TimeSpec};
//!
//! let now_us = 1_700_000_000_000_000;
//! let span = Span::resolve(&"end-10m".parse()?, &"now".parse()?, now_us)?;
//! assert_eq!(span.end_us - span.start_us, 600_000_000);
//! # Ok::<(), heapsoak_cli::time::TimeError>(())
//! ```

pub mod clock;
pub mod duration;
pub mod exit;
pub mod limits;
pub mod logging;
pub mod output;
pub mod redact;
pub mod size;
pub mod spreadsheet;
pub mod stop;
pub mod time;
