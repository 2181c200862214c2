//! The process between us and the browser: it sees to it that no browser outlives us.
//!
//! A program that is killed with SIGKILL can clean up nothing, and neither a process group nor a death signal reaches all
//! that a browser starts. So the driver is started by a guardian: a small process in a session of its own, which holds
//! the read end of a pipe and is the subreaper of all that descends from it. When the pipe ends (because we let it go, or
//! because we are no more) it kills them all, removes the run folder, and ends.
//!
//! It knows nothing of browsers: any program can be guarded.
use std::{
    ffi::OsString,
    fs,
    io::{self, Read, Write},
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Command, ExitCode, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::{
        prctl,
        signal::{SigSet, Signal},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, getpid, setsid},
};

use crate::tree;

/// How long the processes have to end by themselves. A browser needs about 0.1 s to end after SIGTERM; the whole is to
/// be over within 2 s.
const GRACE: Duration = Duration::from_millis(300);
/// Between two rounds of killing: a process may have started another in the meantime.
const ROUND: Duration = Duration::from_millis(20);
/// A process in an uninterruptible sleep cannot be killed; we do not stay for ever because of it.
const GIVE_UP: Duration = Duration::from_secs(30);

/// Why the guardian stops waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notice {
    /// The pipe has ended: whoever started us let go of it, or is no more.
    Released,
    /// Somebody asked us to end.
    Told,
    /// Some descendant ended.
    Child,
}

/// What `run` is to do, from its arguments.
#[derive(Debug, PartialEq, Eq)]
struct Task {
    remove: Option<PathBuf>,
    program: OsString,
    arguments: Vec<OsString>,
}

/// Guards a program: `[--remove DIR] -- PROGRAM [ARG…]`. It is the whole body of the process that calls it.
///
/// The standard input must be a pipe whose other end is held, and never written to, by the process to be outlived.
/// The program gets an empty standard input and inherits the rest. Ends when the program ends, or when the pipe ends;
/// either way all descendants are killed first, and then `DIR` is removed.
///
/// The status is the program's own (128 + N for signal N), 126 or 127 when it could not be started, 125 when the
/// arguments are wrong or the guardian itself failed.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let task = match parse(arguments) {
        Ok(task) => task,
        Err(reason) => {
            complain(reason);
            return ExitCode::from(125);
        }
    };
    let status = guard(&task).unwrap_or_else(|error| {
        complain(&format!("the guardian failed: {error}"));
        125
    });
    if let Some(folder) = &task.remove
        && let Err(error) = fs::remove_dir_all(folder)
        && error.kind() != io::ErrorKind::NotFound
    {
        complain(&format!("cannot remove {}: {error}", folder.display()));
    }
    ExitCode::from(status)
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Task, &'static str> {
    const USAGE: &str = "usage: guardian [--remove DIR] -- PROGRAM [ARG…]";
    let mut arguments = arguments.into_iter();
    let mut remove = None;
    loop {
        match arguments.next() {
            Some(flag) if flag == "--remove" => remove = Some(PathBuf::from(arguments.next().ok_or(USAGE)?)),
            Some(flag) if flag == "--" => break,
            _ => return Err(USAGE),
        }
    }
    let program = arguments.next().ok_or(USAGE)?;
    Ok(Task { remove, program, arguments: arguments.collect() })
}

/// Starts the program, waits, kills what is left. Gives the status to end with.
fn guard(task: &Task) -> io::Result<u8> {
    // In a session of our own no Ctrl-C of the terminal reaches the browser before we have closed it in order.
    match setsid() {
        // Whoever leads a process group already cannot; the rest works all the same.
        Ok(_) | Err(Errno::EPERM) => (),
        Err(error) => return Err(error.into()),
    }
    prctl::set_child_subreaper(true)?;
    let spawned = Command::new(&task.program).args(&task.arguments).stdin(Stdio::null()).spawn();
    let child = match spawned {
        Ok(child) => Pid::from_raw(child.id().cast_signed()),
        Err(error) => {
            complain(&format!("cannot start {}: {error}", task.program.display()));
            return Ok(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 });
        }
    };
    let notices = listen()?;
    // It may have ended before anybody listened.
    let (_, mut status) = reap(child);
    while status.is_none() {
        match notices.recv() {
            Ok(Notice::Child) => (_, status) = reap(child),
            Ok(Notice::Released | Notice::Told) | Err(_) => break,
        }
    }
    let at_the_end = kill_all(child, &notices);
    Ok(status.or(at_the_end).map_or(125, code))
}

/// Watches the pipe and the signals, each in a thread of its own.
///
/// The signals are blocked before any thread exists, so that all threads inherit it, and after the program was started,
/// so that it does not: a browser with SIGTERM blocked could not be ended politely.
fn listen() -> io::Result<Receiver<Notice>> {
    let mut signals = SigSet::empty();
    [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().for_each(|s| signals.add(s));
    signals.thread_block()?;
    let (sender, receiver) = channel();
    let pipe = sender.clone();
    thread::Builder::new().spawn(move || watch_pipe(&pipe))?;
    thread::Builder::new().spawn(move || watch_signals(signals, &sender))?;
    Ok(receiver)
}

fn watch_pipe(sender: &Sender<Notice>) {
    let mut scrap = [0_u8; 64];
    loop {
        match io::stdin().read(&mut scrap) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Ok(count) if count > 0 => (),
            _ => break,
        }
    }
    // Nobody listens any more when the program ended first; then there is nothing to tell.
    let _ = sender.send(Notice::Released);
}

fn watch_signals(signals: SigSet, sender: &Sender<Notice>) {
    loop {
        let notice = match signals.wait() {
            Ok(Signal::SIGCHLD) => Notice::Child,
            Ok(_) => Notice::Told,
            Err(_) => return,
        };
        if sender.send(notice).is_err() {
            return;
        }
    }
}

/// Takes up all that have ended. Gives whether any child is left, and the status of `child` if it was among them.
fn reap(child: Pid) -> (bool, Option<ExitStatus>) {
    let mut status = None;
    loop {
        let ended = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return (true, status),
            Ok(WaitStatus::Exited(pid, code)) => (pid, ExitStatus::from_raw(code << 8)),
            Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, ExitStatus::from_raw(signal as i32)),
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(_) => return (false, status),
        };
        if ended.0 == child {
            status = Some(ended.1);
        }
    }
}

/// Kills all descendants: first politely, then for sure, until none is left. Gives the status of `child`.
///
/// All that loses its parent becomes our child, so "no child left" means "no descendant left".
fn kill_all(child: Pid, notices: &Receiver<Notice>) -> Option<ExitStatus> {
    let start = Instant::now();
    let mut status = None;
    let mut asked = false;
    loop {
        let (left, ended) = reap(child);
        status = status.or(ended);
        if !left || start.elapsed() > GIVE_UP {
            return status;
        }
        let me = getpid().as_raw();
        let descendants = tree::with_descendants(&tree::living(), [me], me);
        if start.elapsed() > GRACE {
            tree::signal(&descendants, Signal::SIGKILL);
        } else if !asked {
            tree::signal(&descendants, Signal::SIGTERM);
            asked = true;
        }
        // A wait that ends early when a child ends.
        if let Err(RecvTimeoutError::Disconnected) = notices.recv_timeout(ROUND) {
            thread::park_timeout(ROUND);
        }
    }
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(code).unwrap_or(125)
}

fn complain(text: &str) {
    // Our stderr is a pipe to a process that may be gone: that must not stop the killing.
    let _ = writeln!(io::stderr(), "guardian: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Task, &'static str> {
        parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn the_programs_own_flags_are_never_taken_for_the_guardians() {
        let task = parsed(&["--remove", "/tmp/x", "--", "driver", "--remove", "/", "--"]).unwrap();
        assert_eq!(task.remove, Some(PathBuf::from("/tmp/x")));
        assert_eq!(task.program, "driver");
        assert_eq!(task.arguments, ["--remove", "/", "--"]);
    }

    #[test]
    fn nothing_is_removed_or_started_on_half_an_order() {
        for arguments in [&[][..], &["--remove"], &["--remove", "/x"], &["driver"], &["--"], &["--remove", "/x", "--"]]
        {
            assert!(parsed(arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn a_signal_is_told_as_a_shell_tells_it() {
        assert_eq!(code(ExitStatus::from_raw(9)), 137);
        assert_eq!(code(ExitStatus::from_raw(3 << 8)), 3);
    }
}
