//! Opens the inspector of a running Node program by SIGUSR1, and finds the port where it then listens.
use std::{
    collections::HashSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use heapsoak_devtools::{Address, version};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use procfs::{
    ProcError, ProcResult,
    net::{TcpNetEntry, TcpState},
    process::{FDTarget, Process},
};

use crate::{
    Error,
    process::{open, present},
};

/// How long one candidate may take to say what it is.
const ANSWER: Duration = Duration::from_millis(500);
/// How long a port may take to open; Node needs 2 ms, on a busy machine some 100.
const OPENS_WITHIN: Duration = Duration::from_millis(700);
const PAUSE: Duration = Duration::from_millis(20);
const SIGUSR1_BIT: u64 = 1 << (Signal::SIGUSR1 as u64 - 1);

/// The inspector of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Where it listens.
    pub address: Address,
    /// It was closed before: whoever leaves should [close it again](super::Inspector::detach).
    pub by_us: bool,
}

/// Opens the inspector of a running Node program, or finds the one that is open, within `deadline`. The program says
/// "Debugger listening on …" on its stderr. Other programs get no signal: they would die of it.
///
/// # Errors
/// [`Error::NoInspector`] when it is gone, is no Node, is not ours, or opens no inspector; [`Error::Proc`] when `/proc`
/// cannot be read.
pub async fn open_inspector(pid: u32, deadline: Duration) -> Result<Opened, Error> {
    let refused = |reason: &str| Error::NoInspector { pid, reason: reason.to_owned() };
    let process = check(pid)?;
    let before = ports(&process).map_err(|error| failed(pid, error))?;
    let id = i32::try_from(pid).map_err(|_| refused("there is no such process"))?;
    kill(Pid::from_raw(id), Signal::SIGUSR1)
        .map_err(|error| refused(&format!("it takes no signal from us, {error}")))?;
    let start = Instant::now();
    loop {
        let now = ports(&process).map_err(|error| failed(pid, error))?;
        // The ports that were open before may be the program's own: they are asked only when no new one opens.
        let late = start.elapsed() > OPENS_WITHIN.min(deadline / 2);
        for port in now.iter().filter(|port| late || !before.contains(port)) {
            if let Some(address) = node_at(*port).await {
                return Ok(Opened { address, by_us: !before.contains(port) });
            }
        }
        if start.elapsed() > deadline || late {
            return Err(refused(
                "it opens no inspector after SIGUSR1: it handles that signal itself, or forbids it; \
                 start it with --inspect=127.0.0.1:0, or watch it without --attach",
            ));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A process that SIGUSR1 does not kill: it runs Node's program file, and catches the signal.
fn check(pid: u32) -> Result<Process, Error> {
    let refused = |reason: &str| Error::NoInspector { pid, reason: reason.to_owned() };
    let gone = || refused("there is no such process");
    let process = present(open(pid)).map_err(|error| failed(pid, error))?.ok_or_else(gone)?;
    let file = match process.exe() {
        Err(ProcError::PermissionDenied(_)) => return Err(refused("it is not ours; run as its user, or as root")),
        other => present(other).map_err(|error| failed(pid, error))?.ok_or_else(gone)?,
    };
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let status = present(process.status()).map_err(|error| failed(pid, error))?.ok_or_else(gone)?;
    if !name.starts_with("node") {
        return Err(refused(&format!("it runs {name} and not node; watch it without --attach")));
    }
    if status.sigcgt & SIGUSR1_BIT == 0 {
        return Err(refused("it does not catch SIGUSR1 and would die of it; is it still starting"));
    }
    Ok(process)
}

/// The ports on which the process listens and that can be reached on this machine's loopback.
fn ports(process: &Process) -> ProcResult<HashSet<u16>> {
    let mut inodes = HashSet::new();
    for fd in present(process.fd())?.into_iter().flatten() {
        if let Ok(FDTarget::Socket(inode)) = fd.map(|fd| fd.target) {
            inodes.insert(inode);
        }
    }
    let reachable = |local: SocketAddr| local.ip().to_canonical().is_loopback() || local.ip().is_unspecified();
    let listens = |entry: &TcpNetEntry| {
        entry.state == TcpState::Listen && inodes.contains(&entry.inode) && reachable(entry.local_address)
    };
    let four = present(process.tcp())?.unwrap_or_default();
    // A machine without IPv6 has no such list.
    let six = present(process.tcp6())?.unwrap_or_default();
    Ok(four.iter().chain(&six).filter(|entry| listens(entry)).map(|entry| entry.local_address.port()).collect())
}

async fn node_at(port: u16) -> Option<Address> {
    let address: Address = format!("127.0.0.1:{port}").parse().ok()?;
    let version = version(&address, ANSWER).await.ok()?;
    version.product.starts_with("node.js/").then_some(address)
}

fn failed(pid: u32, source: ProcError) -> Error {
    Error::Proc { what: format!("process {pid}"), source }
}
