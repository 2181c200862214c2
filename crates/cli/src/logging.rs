//! What is told on stderr beside the data: tracing, written synchronously, without colour.
//!
//! `HEAPSOAK_LOG` (for instance `debug` or `heapsoak_store=trace`) overrides the verbosity.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::redact;

/// The environment variable that overrides the verbosity.
pub const LOG_VARIABLE: &str = "HEAPSOAK_LOG";

/// How much is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// Warnings, and what changes state.
    #[default]
    Normal,
    /// Each tick (`-v`).
    Verbose,
    /// Everything (`-vv`).
    Trace,
}

impl Verbosity {
    /// From the flags `--quiet` and the number of `-v`.
    #[must_use]
    pub fn from_flags(quiet: bool, verbose: u8) -> Self {
        match (quiet, verbose) {
            (true, _) => Self::Quiet,
            (false, 0) => Self::Normal,
            (false, 1) => Self::Verbose,
            (false, _) => Self::Trace,
        }
    }

    /// Verbosity is for our own crates: a library's chatter at `-v` would hide what was asked for.
    fn directives(self) -> &'static str {
        match self {
            Self::Quiet => "error",
            Self::Normal => "warn,recorder=info,grapher=info,heapsoak_store=info,heapsoak_browser=info",
            Self::Verbose => {
                "warn,recorder=debug,grapher=debug,heapsoak_store=debug,heapsoak_browser=debug,\
                 heapsoak_devtools=debug,heapsoak_probe=debug,heapsoak_chart=debug,heapsoak_cli=debug"
            }
            Self::Trace => "trace",
        }
    }
}

/// Sends what is traced to stderr from now on. A second call changes nothing.
pub fn init(verbosity: Verbosity) {
    init_to(verbosity, io::stderr);
}

/// As [`init`], to another writer: a status line that must step aside for each line gives its own.
pub fn init_to<W>(verbosity: Verbosity, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new(verbosity.directives()));
    // A log that cannot be written is told by the subscriber on stderr, and by a panic if that is where it goes: a full
    // disk under the log, or a reader of the pipe that has gone, would end us.
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Redacted(writer))
        .with_target(false)
        .log_internal_errors(false);
    // Only a second call fails, and then the first subscriber stays.
    drop(subscriber.try_init());
}

/// Takes passwords out of each line: libraries log the addresses they connect to as they were given.
struct Redacted<W>(W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Redacted<W> {
    type Writer = Redacted<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Redacted(self.0.make_writer())
    }
}

impl<W: Write> Write for Redacted<W> {
    /// A line comes whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(redact::url(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verbosity_is_a_filter_that_parses() {
        for verbosity in [Verbosity::Quiet, Verbosity::Normal, Verbosity::Verbose, Verbosity::Trace] {
            assert!(EnvFilter::try_new(verbosity.directives()).is_ok(), "{verbosity:?}");
        }
    }

    #[test]
    fn a_library_that_logs_an_address_logs_no_password() {
        let mut out = Redacted(Vec::new());
        writeln!(out, "DEBUG reuse idle connection for (\"http\", me:canary@127.0.0.1:1) of http://me:canary@h/")
            .unwrap();
        let line = String::from_utf8(out.0).unwrap();
        assert_eq!(line, "DEBUG reuse idle connection for (\"http\", me:***@127.0.0.1:1) of http://me:***@h/\n");
    }

    #[test]
    fn quiet_wins_over_verbose() {
        assert_eq!(Verbosity::from_flags(true, 2), Verbosity::Quiet);
        assert_eq!(Verbosity::from_flags(false, 0), Verbosity::Normal);
        assert_eq!(Verbosity::from_flags(false, 7), Verbosity::Trace);
    }
}
