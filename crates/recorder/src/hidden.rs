//! Passwords of the command line, hidden from other users: whoever can run `ps` reads the arguments of every process.
//!
//! The arguments go into a file in memory, and the program starts itself again as the same process, with `***` in the
//! arguments that all can see. For the milliseconds until then the passwords are seen.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::process::{self, Command};

use heapsoak_cli::{exit, redact};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// `PROCESS:DESCRIPTOR` of the file in memory. A child inherits it, and finds that it is not the process meant.
const HANDED_OVER: &str = "HEAPSOAK_ARGUMENTS";

/// The arguments as they were given. Comes back once: either there is nothing to hide, or it is hidden.
pub(crate) fn arguments() -> Vec<OsString> {
    if let Some(descriptor) = handed_over(env::var_os(HANDED_OVER).as_deref(), process::id()) {
        return take(descriptor).unwrap_or_else(|error| {
            exit::report("recorder", &*anyhow::Error::new(error).context("the hidden arguments cannot be read"));
            process::exit(i32::from(exit::TROUBLE))
        });
    }
    let given: Vec<OsString> = env::args_os().collect();
    let shown = shown(&given);
    if shown != given {
        // Only a failure comes back; the run is still what was asked for.
        let error = anyhow::Error::new(start_again(&given, &shown));
        exit::report("recorder", &*error.context("passwords in the arguments cannot be hidden from `ps`"));
    }
    given
}

/// What other users may see. An argument without a password stays as it is, also when it is no UTF-8.
fn shown(given: &[OsString]) -> Vec<OsString> {
    let texts: Vec<_> = given.iter().map(|argument| argument.to_string_lossy()).collect();
    let redacted = redact::arguments(&texts);
    let each = given.iter().zip(&texts).zip(redacted);
    each.map(|((given, text), shown)| if shown == *text { given.clone() } else { shown.into() }).collect()
}

fn start_again(given: &[OsString], shown: &[OsString]) -> io::Error {
    let again = || {
        let program = env::current_exe()?;
        let mut memory = File::from(memfd_create(c"arguments", MFdFlags::empty())?);
        memory.write_all(&join(given))?;
        let mut command = Command::new(program);
        if let [name, arguments @ ..] = shown {
            command.arg0(name).args(arguments);
        }
        command.env(HANDED_OVER, format!("{}:{}", process::id(), memory.as_raw_fd()));
        Err(command.exec())
    };
    match again() {
        Ok(never) => never,
        Err(error) => error,
    }
}

/// The descriptor that an earlier life of this very process left.
fn handed_over(value: Option<&OsStr>, process: u32) -> Option<RawFd> {
    let (of, descriptor) = value?.to_str()?.split_once(':')?;
    (of.parse() == Ok(process)).then(|| descriptor.parse().ok())?
}

fn take(descriptor: RawFd) -> io::Result<Vec<OsString>> {
    let mut bytes = Vec::new();
    File::open(format!("/proc/self/fd/{descriptor}"))?.read_to_end(&mut bytes)?;
    // Else every child would have it.
    nix::unistd::close(descriptor)?;
    Ok(split(&bytes))
}

/// Each argument and a zero byte, which none can hold.
fn join(arguments: &[OsString]) -> Vec<u8> {
    arguments.iter().flat_map(|argument| argument.as_bytes().iter().copied().chain([0])).collect()
}

fn split(bytes: &[u8]) -> Vec<OsString> {
    let ended = bytes.strip_suffix(&[0]).unwrap_or_default();
    ended.split(|byte| *byte == 0).map(|argument| OsString::from_vec(argument.to_vec())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(texts: &[&str]) -> Vec<OsString> {
        texts.iter().map(OsString::from).collect()
    }

    #[test]
    fn only_passwords_are_hidden() {
        let given = os(&["recorder", "--webdriver", "http://u:canary@h:4444", "--", "env", "A_TOKEN=canary", "a b"]);
        let seen = os(&["recorder", "--webdriver", "http://u:***@h:4444", "--", "env", "A_TOKEN=***", "a b"]);
        assert_eq!(shown(&given), seen);
        assert_eq!(shown(&seen), seen, "a second time there is nothing to hide");
        let odd = vec![OsString::from_vec(b"\xff\xfe".to_vec()), OsString::new()];
        assert_eq!(shown(&odd), odd);
    }

    #[test]
    fn arguments_come_over_as_they_were() {
        for given in [os(&["recorder"]), os(&["recorder", "", "ä", "\n"]), vec![OsString::from_vec(vec![0xff])]] {
            assert_eq!(split(&join(&given)), given);
        }
    }

    #[test]
    fn what_was_handed_to_a_parent_is_not_ours() {
        let value = |text: &'static str| Some(OsStr::new(text));
        assert_eq!(handed_over(value("12:3"), 12), Some(3));
        for other in [value("11:3"), value("12:x"), value("12"), value(""), None] {
            assert_eq!(handed_over(other, 12), None);
        }
    }
}
