//! Exit statuses, which scripts rely on as on flags, and the one place where an error is printed.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use crate::redact;

/// Ended as asked; for a verdict: steady.
pub const OK: u8 = 0;
/// The recorder's run ended by itself: the target is gone, or the restart budget is spent; readings were refused.
pub const ENDED: u8 = 1;
/// A verdict: leak.
pub const LEAK: u8 = 1;
/// Wrong usage or trouble; stderr says which.
pub const TROUBLE: u8 = 2;
/// A verdict: undecided.
pub const UNDECIDED: u8 = 3;
/// `recorder -- COMMAND`: the recorder itself failed.
pub const RECORDER_FAILED: u8 = 125;
/// `recorder -- COMMAND`: the command was found but cannot be run, as `env` has it.
pub const CANNOT_RUN: u8 = 126;
/// `recorder -- COMMAND`: the command was not found, as `env` has it.
pub const NOT_FOUND: u8 = 127;

/// The status of a process that signal `number` ended, as the shell has it: 128 + number.
#[must_use]
pub fn signal(number: u8) -> u8 {
    128_u8.saturating_add(number)
}

/// Ends `main`: an error is printed once on stderr as `program: what: why` and becomes [`TROUBLE`].
pub fn finish<E>(program: &str, result: Result<u8, E>) -> ExitCode
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    finish_with(program, result, TROUBLE)
}

/// From now on a panic in any thread ends the process with `status`, after it was told on stderr: a program that has lost one
/// of its threads would go on as if it did all that it is there for.
pub fn on_panic(status: u8) {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        std::process::exit(i32::from(status));
    }));
}

/// As [`finish`], with another status for an error ([`RECORDER_FAILED`]).
pub fn finish_with<E>(program: &str, result: Result<u8, E>, on_error: u8) -> ExitCode
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    match result {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            report(program, error.into().as_ref());
            ExitCode::from(on_error)
        }
    }
}

/// Prints an error and its causes in one line on stderr, as `program: what: why`.
pub fn report(program: &str, error: &(dyn Error + 'static)) {
    // When stderr itself is gone there is nobody left to tell.
    drop(writeln!(std::io::stderr().lock(), "{program}: {}", redact::url(&one_line(error))));
}

/// An error and its causes in one line; a cause that its parent already quotes is not said twice.
#[must_use]
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !line.contains(&text) {
            // Writing to a String cannot fail.
            let _ = write!(line, ": {text}");
        }
        next = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{what}")]
    struct Layer {
        what: &'static str,
        source: io::Error,
    }

    #[test]
    fn a_chain_is_told_in_one_line_and_nothing_twice() {
        let cause = || io::Error::other("disk on fire");
        assert_eq!(one_line(&Layer { what: "reading a", source: cause() }), "reading a: disk on fire");
        let quoted = Layer { what: "reading a: disk on fire", source: cause() };
        assert_eq!(one_line(&quoted), "reading a: disk on fire");
    }

    #[test]
    fn signals_map_as_in_the_shell() {
        assert_eq!((signal(2), signal(15), signal(200)), (130, 143, 255));
    }
}
