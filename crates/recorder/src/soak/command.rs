//! A command that is started and watched: it behaves as without us. Its streams are its own, it gets the signals that we
//! get, and its status becomes ours.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};

use heapsoak_cli::exit;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, getpgrp, tcgetpgrp};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal as Arriving, SignalKind, signal};

/// The signals that are passed on.
const PASSED_ON: [Signal; 6] =
    [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2];

/// Why a command could not be started, with the status that `env` would end with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// Nothing of this name.
    #[error("`{0}` is not found; write the command's path, or check PATH")]
    NotFound(String),
    /// It is there, and cannot be run.
    #[error("`{0}` cannot be run: {1}")]
    CannotRun(String, io::Error),
}

impl StartError {
    /// 127 or 126.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::NotFound(_) => exit::NOT_FOUND,
            Self::CannotRun(..) => exit::CANNOT_RUN,
        }
    }
}

/// The running command.
pub(crate) struct Running {
    child: Child,
    pid: Pid,
    signals: Vec<(Signal, Arriving)>,
}

/// Starts `program` with its arguments and one variable added to its environment. Our streams are its streams.
pub(crate) fn start(command: &[OsString], variable: Option<(OsString, OsString)>) -> Result<Running, StartError> {
    let (program, arguments) =
        command.split_first().map_or((OsString::new(), &[][..]), |(first, rest)| (first.clone(), rest));
    let name = program.to_string_lossy().into_owned();
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => StartError::NotFound(name.clone()),
        _ => StartError::CannotRun(name.clone(), error),
    };
    // Taken before the start: a signal that comes right after it must not end us alone.
    let signals = take_signals().map_err(cannot)?;
    let mut start = Command::new(&program);
    start.args(arguments).stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    start.envs(variable);
    let child = start.spawn().map_err(cannot)?;
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_default();
    Ok(Running { child, pid: Pid::from_raw(pid), signals })
}

impl Running {
    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// Waits for its end and passes signals on meanwhile. Cancel safe.
    ///
    /// # Errors
    /// When the system does not tell how it ended.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            tokio::select! {
                status = self.child.wait() => return status,
                signal = arriving(&mut self.signals) => pass_on(signal, self.pid),
            }
        }
    }

    /// Asks it to end, as `kill` does.
    pub(crate) fn terminate(&self) {
        send(Signal::SIGTERM, self.pid);
    }

    /// Ends it for sure.
    pub(crate) fn kill(&self) {
        send(Signal::SIGKILL, self.pid);
    }
}

/// The status of a process as the shell has it: its own, or 128 + N for signal N.
pub(crate) fn status_of(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(exit::RECORDER_FAILED),
        (None, Some(signal)) => exit::signal(u8::try_from(signal).unwrap_or_default()),
        (None, None) => exit::RECORDER_FAILED,
    }
}

/// Listens to the signals that are passed on. Those that whoever started us had us ignore (`nohup`, a shell's background)
/// stay ignored, by the command as well.
fn take_signals() -> io::Result<Vec<(Signal, Arriving)>> {
    let ignored = heapsoak_probe::own::ignored_signals().unwrap_or(0);
    let heard = PASSED_ON.iter().filter(|number| ignored & (1 << (**number as i32 - 1)) == 0);
    heard.map(|number| Ok((*number, signal(SignalKind::from_raw(*number as i32))?))).collect()
}

async fn arriving(signals: &mut [(Signal, Arriving)]) -> Signal {
    std::future::poll_fn(|context| {
        for (number, arriving) in signals.iter_mut() {
            if arriving.poll_recv(context).is_ready() {
                return std::task::Poll::Ready(*number);
            }
        }
        std::task::Poll::Pending
    })
    .await
}

fn pass_on(signal: Signal, pid: Pid) {
    // The terminal sends Ctrl-C to all of its foreground at once: the command has it already, and twice means more.
    let by_terminal = matches!(signal, Signal::SIGINT | Signal::SIGQUIT) && in_foreground();
    if !by_terminal {
        send(signal, pid);
    }
}

fn send(signal: Signal, pid: Pid) {
    match kill(pid, signal) {
        // It has ended meanwhile: the wait tells how.
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => tracing::warn!("{signal} could not be passed on: {error}"),
    }
}

/// Whether our group is in the foreground of a terminal.
fn in_foreground() -> bool {
    let Ok(terminal) = open("/dev/tty", OFlag::O_RDONLY | OFlag::O_NOCTTY | OFlag::O_CLOEXEC, Mode::empty()) else {
        return false;
    };
    tcgetpgrp(terminal) == Ok(getpgrp())
}
