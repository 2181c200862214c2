//! Preloads that killed recorders left behind.
//!
//! Whoever uses a preload keeps its script locked, and the kernel takes that lock away from a process that is killed. So a
//! script of ours that can be locked has lost its recorder, and goes unless a program still needs it to start others.
use std::{
    fs::{self, File, TryLockError},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use nix::unistd::geteuid;

use super::launch::{PIPE, SCRIPT};
use crate::process::any_environment_holds;

/// Removes from `parent` the run folders with a preload whose recorder is no more and which no living program was started
/// with. Only folders of this user whose name begins with `prefix` are looked at, and in them nothing but the preload and
/// its pipe is removed. Gives the folders that are gone.
pub fn sweep(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_name().as_bytes().starts_with(prefix.as_bytes()))
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        // As the programs were told it.
        .filter_map(|entry| entry.path().canonicalize().ok())
        .filter(|folder| removed(folder))
        .collect()
}

fn removed(folder: &Path) -> bool {
    let ours = |path: &Path| {
        fs::symlink_metadata(path).is_ok_and(|found| !found.is_symlink() && found.uid() == geteuid().as_raw())
    };
    let script = folder.join(SCRIPT);
    if !ours(folder) || !ours(&script) {
        return false;
    }
    let Ok(file) = File::open(&script) else { return false };
    let lost = match file.try_lock() {
        Ok(()) => true,
        // A filesystem without locks tells nothing, so nothing is touched.
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    };
    lost && !any_environment_holds(folder.as_os_str().as_bytes())
        && [PIPE, SCRIPT].iter().all(|name| fs::remove_file(folder.join(name)).is_ok())
        && fs::remove_dir(folder).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Launch;
    use std::process::Command;

    const PREFIX: &str = "run-";

    fn folder(parent: &Path, name: &str) -> PathBuf {
        let folder = parent.canonicalize().unwrap().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    }

    /// What a killed recorder leaves: its lock is gone, its files are not.
    fn left(parent: &Path, name: &str) -> PathBuf {
        let folder = folder(parent, name);
        drop(Launch::prepare(&folder, None).unwrap());
        folder
    }

    #[tokio::test]
    async fn a_preload_goes_when_its_recorder_has() {
        let parent = tempfile::tempdir().unwrap();
        let lived = folder(parent.path(), "run-1");
        let launch = Launch::prepare(&lived, None).unwrap();
        assert!(sweep(parent.path(), PREFIX).is_empty() && lived.join(SCRIPT).exists(), "its recorder lives");
        drop(launch);
        assert_eq!(sweep(parent.path(), PREFIX).as_slice(), std::slice::from_ref(&lived));
        assert!(!lived.exists());
    }

    #[tokio::test]
    async fn what_a_program_was_started_with_stays_until_that_has_ended() {
        let parent = tempfile::tempdir().unwrap();
        let needed = left(parent.path(), "run-1");
        let options = format!("--require {}", needed.join(SCRIPT).display());
        let mut program = Command::new("sleep").arg("60").env("NODE_OPTIONS", options).spawn().unwrap();
        let early = sweep(parent.path(), PREFIX);
        program.kill().unwrap();
        program.wait().unwrap();
        assert_eq!((early, sweep(parent.path(), PREFIX)), (vec![], vec![needed]));
    }

    #[tokio::test]
    async fn strangers_and_their_files_are_not_touched() {
        let parent = tempfile::tempdir().unwrap();
        let other = left(parent.path(), "other");
        let empty = folder(parent.path(), "run-empty");
        let linked = parent.path().join("run-link");
        std::os::unix::fs::symlink(&other, &linked).unwrap();
        let mixed = left(parent.path(), "run-mixed");
        File::create(mixed.join("theirs")).unwrap();
        assert!(!sweep(parent.path(), PREFIX).contains(&mixed));
        assert!(empty.exists() && linked.exists() && other.join(SCRIPT).exists() && mixed.join("theirs").exists());
    }
}
