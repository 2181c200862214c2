//! What a killed run left behind: its processes ended and its folder removed by the next run, and nobody else's touched.
//!
//! It is left only when recorder *and* guardian were killed. That it is ours is proven twice: by what the next run was
//! told (the [`Trace`], which outlives the recorder in its file) and by the same words in the folder itself. A pid that
//! was given to another process since, a copied file or a forged one fit the folder's words in nothing.
use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::{sys::signal::Signal, unistd::geteuid};
use tokio::time::{Instant, sleep};

use crate::{
    BrowserError,
    driver::{LOOK_AGAIN, PREFIX, remove},
    tree,
};

/// The file in a run's folder that says whose it is.
const MARK: &str = "run";
/// Which start of the machine this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// By what a running driver of ours can be found again by another process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The guardian's process id.
    pub pid: u32,
    /// When it started, in clock ticks since the machine did.
    pub started: u64,
    /// The boot of the machine, as the kernel names it.
    pub boot: String,
    /// The run folder.
    pub folder: PathBuf,
}

impl Trace {
    /// The trace of a guardian that has just been started; none where /proc does not tell.
    pub(crate) fn of(guardian: i32, folder: &Path) -> Option<Trace> {
        let boot = boot_id()?;
        let started = procfs::process::Process::new(guardian).and_then(|process| process.stat()).ok()?.starttime;
        Some(Trace { pid: guardian.unsigned_abs(), started, boot, folder: folder.to_owned() })
    }

    /// Writes into the folder whose it is.
    pub(crate) fn mark(&self) -> io::Result<()> {
        File::create_new(self.folder.join(MARK))?.write_all(self.words().as_bytes())
    }

    fn words(&self) -> String {
        format!("{} {} {}\n", self.pid, self.started, self.boot)
    }

    /// Whether the folder is one of ours, and of this run.
    fn is_of_its_folder(&self) -> bool {
        let ours = self.folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        let real =
            fs::symlink_metadata(&self.folder).is_ok_and(|found| found.is_dir() && found.uid() == geteuid().as_raw());
        ours && real && fs::read_to_string(self.folder.join(MARK)).is_ok_and(|words| words == self.words())
    }

    /// The processes of the run that still live.
    fn processes(&self) -> Vec<i32> {
        if boot_id().as_ref() != Some(&self.boot) {
            return Vec::new();
        }
        let guardian = self.pid.cast_signed();
        let taken = tree::living().iter().any(|process| process.pid == guardian && process.started != self.started);
        // No pid is given away as long as it names a session: who has it now shows that nobody of ours is left in there.
        tree::of_run((!taken).then_some(guardian), &self.folder)
    }
}

fn boot_id() -> Option<String> {
    fs::read_to_string(BOOT_ID).ok().map(|text| text.trim().to_owned())
}

/// Ends what is left of the run, and removes its folder. Gives how many processes there were; `None`: nothing is left.
///
/// A guardian that is about to do so itself gets half of `deadline` for it.
///
/// # Errors
/// [`BrowserError::Leftover`] when processes are left at the deadline.
pub async fn sweep(trace: &Trace, deadline: Duration) -> Result<Option<usize>, BrowserError> {
    if !trace.is_of_its_folder() {
        return Ok(None);
    }
    let (begun, found) = (Instant::now(), trace.processes().len());
    loop {
        let left = trace.processes();
        if left.is_empty() {
            remove(&trace.folder);
            return Ok(Some(found));
        }
        if begun.elapsed() >= deadline {
            return Err(BrowserError::Leftover { pids: left, after: deadline });
        }
        let guarded = left.contains(&trace.pid.cast_signed());
        if !guarded || begun.elapsed() >= deadline / 2 {
            tree::signal(&left, Signal::SIGKILL);
        }
        sleep(LOOK_AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn trace(folder: &Path) -> Trace {
        let folder = folder.join(format!("{PREFIX}x"));
        fs::create_dir(&folder).unwrap();
        // As after a restart of the machine: no process of that run can live.
        Trace { pid: 1, started: 1, boot: "another".to_owned(), folder }
    }

    #[tokio::test]
    async fn a_folder_that_does_not_say_that_it_is_ours_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let trace = trace(parent.path());
        assert_eq!(sweep(&trace, SECOND).await.unwrap(), None);
        Trace { started: 2, ..trace.clone() }.mark().unwrap();
        assert_eq!(sweep(&trace, SECOND).await.unwrap(), None);
        let elsewhere = Trace { folder: parent.path().to_owned(), ..trace.clone() };
        elsewhere.mark().unwrap();
        assert_eq!(sweep(&elsewhere, SECOND).await.unwrap(), None, "its name is not one of ours");
        assert!(trace.folder.exists());
    }

    #[tokio::test]
    async fn the_folder_of_a_killed_run_goes_also_after_the_machine_was_restarted() {
        let parent = tempfile::tempdir().unwrap();
        let trace = trace(parent.path());
        trace.mark().unwrap();
        fs::create_dir(trace.folder.join("profile-1")).unwrap();
        assert_eq!(sweep(&trace, SECOND).await.unwrap(), Some(0));
        assert!(!trace.folder.exists());
        assert_eq!(sweep(&trace, SECOND).await.unwrap(), None, "the second time there is nothing");
    }

    #[test]
    fn a_process_that_was_given_the_pid_since_is_nobody_of_ours() {
        let folder = tempfile::tempdir().unwrap();
        let myself = std::process::id().cast_signed();
        let mut trace = Trace::of(myself, folder.path()).unwrap();
        trace.started += 1;
        assert_eq!(trace.processes(), [] as [i32; 0]);
    }
}
