//! What is told on stderr beside the data: tracing, written synchronously, without colour.
//!
//! `HEAPSOAK_LOG` (for instance `debug` or `heapsoak_store=trace`) overrides the verbosity.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

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
    init_to(verbosity, std::io::stderr);
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
        .with_writer(writer)
        .with_target(false)
        .log_internal_errors(false);
    // Only a second call fails, and then the first subscriber stays.
    drop(subscriber.try_init());
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
    fn quiet_wins_over_verbose() {
        assert_eq!(Verbosity::from_flags(true, 2), Verbosity::Quiet);
        assert_eq!(Verbosity::from_flags(false, 0), Verbosity::Normal);
        assert_eq!(Verbosity::from_flags(false, 7), Verbosity::Trace);
    }
}
