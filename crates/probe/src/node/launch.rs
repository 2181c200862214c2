//! A Node program that we start: the preload that watches it from inside, and the pipe by which it tells.
//!
//! `NODE_OPTIONS` carries the preload through shells, `npm` and `npx` to every Node program of the tree; a program that is
//! not Node takes no notice. Its stdin, stdout, stderr, signals and exit status stay its own. What it costs is written in
//! [`node`](super).
use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    fs::{DirBuilder, File, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::{
    fcntl::{FcntlArg, fcntl},
    sys::{
        stat::{Mode, futimens},
        time::TimeSpec,
    },
    unistd::{geteuid, mkfifo},
};
use tokio::net::unix::pipe;

use super::record::{Lines, Record};
use crate::{
    Error,
    process::{environment, holds},
};

/// The preload, after its first lines.
const PARTS: [&str; 2] = [include_str!("script/common.js"), include_str!("script/watch.js")];
pub(super) const SCRIPT: &str = "watch.cjs";
/// Its name is known to the preload.
pub(super) const PIPE: &str = "to-recorder";
/// 1 MiB keeps some minutes of one program, should we be stopped; the most that anybody may ask for.
const PIPE_BYTES: i32 = 1 << 20;
/// For everybody to search, and for nobody to list.
const FOLDER_MODE: u32 = 0o711;
const TOUCHED_EVERY: Duration = Duration::from_secs(3600);
const READ_BYTES: usize = 64 << 10;
/// Most records that one call of [`Launch::drain`] takes: a writer that floods the pipe must not hold up the tick.
const MOST_DRAINED: usize = 20_000;

/// The preload and the pipe of the Node programs that one command starts.
///
/// The programs do not notice it but by the traces that the script names. A program that outlives this is left alone: it
/// finds no reader, and stops watching itself.
pub struct Launch {
    script: PathBuf,
    checkpoint: Option<Duration>,
    /// Open and locked: see [`sweep`](super::sweep).
    lock: File,
    touched: Instant,
    pipe: pipe::Receiver,
    lines: Lines,
    ready: VecDeque<Record>,
    malformed: u64,
}

impl Launch {
    /// Writes the preload into `run_dir` and makes the pipe there. The folder becomes searchable for everybody, and the
    /// pipe writable: a program that gives up its rights goes on telling. Its name should therefore be hard to guess. Call
    /// it inside a tokio runtime. Whoever removes the folder removes both files. With `checkpoint` each program forces a
    /// full collection so often, which **disturbs what is measured**: only where the user asked for it.
    ///
    /// # Errors
    /// [`Error::RunFolder`] when the folder cannot be used, also because its path holds what `NODE_OPTIONS` cannot carry.
    pub fn prepare(run_dir: &Path, checkpoint: Option<Duration>) -> Result<Launch, Error> {
        let failed = |reason: String| Error::RunFolder { path: run_dir.to_owned(), reason };
        Launch::make(run_dir, checkpoint).map_err(|error| failed(error.to_string()))
    }

    fn make(run_dir: &Path, checkpoint: Option<Duration>) -> io::Result<Launch> {
        // Node resolves links, and the preload looks for its own path in NODE_OPTIONS.
        let folder = run_dir.canonicalize()?;
        let text = folder.to_str().filter(|text| !text.contains(|c: char| c.is_whitespace() || "\"\\'".contains(c)));
        if text.is_none() {
            return Err(io::Error::other("its path holds a space, a quote or a backslash"));
        }
        std::fs::set_permissions(&folder, Permissions::from_mode(FOLDER_MODE))?;
        let script = folder.join(SCRIPT);
        // The first of all: it fails where another recorder has made its own.
        let pipe = make_pipe(&folder.join(PIPE))?;
        let lock = script_file(&script, checkpoint)?;
        let (lines, ready, touched) = (Lines::default(), VecDeque::new(), Instant::now());
        Ok(Launch { script, checkpoint, lock, touched, pipe, lines, ready, malformed: 0 })
    }

    /// Makes again what was removed, by the programs themselves or by a cleaner: without the preload no Node program
    /// starts. True where something was missing. Cheap when nothing is: call it at each tick, inside a tokio runtime.
    ///
    /// # Errors
    /// [`Error::RunFolder`] when it cannot be made, also because somebody else has the folder's name now.
    pub fn restore(&mut self) -> Result<bool, Error> {
        self.restored().map_err(|error| Error::RunFolder { path: self.script.clone(), reason: error.to_string() })
    }

    fn restored(&mut self) -> io::Result<bool> {
        let pipe = self.script.with_file_name(PIPE);
        let (has_script, has_pipe) = (self.script.symlink_metadata().is_ok(), pipe.symlink_metadata().is_ok());
        if has_script && has_pipe {
            self.keep_young();
            return Ok(false);
        }
        if let Some(folder) = self.script.parent() {
            make_folder(folder)?;
        }
        if !has_pipe {
            self.pipe = make_pipe(&pipe)?;
        }
        if !has_script {
            self.lock = script_file(&self.script, self.checkpoint)?;
        }
        Ok(true)
    }

    /// Cleaners go by age, of days. The pipe is used, and so stays young.
    fn keep_young(&mut self) {
        if self.touched.elapsed() > TOUCHED_EVERY {
            self.touched = Instant::now();
            // Where it cannot be done, it is made again when it is gone.
            let _ = futimens(&self.lock, &TimeSpec::UTIME_NOW, &TimeSpec::UTIME_NOW);
        }
    }

    /// The environment variable that the command must get, where `given` is what it would have got. None where the
    /// preload would keep it from starting: Node's permission model is on, and the preload may not be read. (Switched on
    /// inside of a shell script it is not seen here; the program then fails with `ERR_ACCESS_DENIED`.)
    pub fn environment(&self, given: Option<&OsStr>, command: &[OsString]) -> Option<(&'static str, OsString)> {
        let permission = |word: &str| word == "--permission" || word == "--experimental-permission";
        let given = given.unwrap_or_default();
        let in_given = given.to_str().is_some_and(|text| text.split_whitespace().any(permission));
        if in_given || command.iter().any(|word| word.to_str().is_some_and(permission)) {
            return None;
        }
        let mut value = given.to_owned();
        value.push(" --require ");
        value.push(&self.script);
        Some(("NODE_OPTIONS", value))
    }

    /// The next record; waits for it without a limit. Cancel safe.
    ///
    /// # Errors
    /// [`Error::RunFolder`] when the pipe cannot be read any more.
    pub async fn record(&mut self) -> Result<Record, Error> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Ok(record);
            }
            self.pipe.readable().await.map_err(|error| self.failed(&error))?;
            self.read(|pipe, buffer| pipe.try_read(buffer)).map_err(|error| self.failed(&error))?;
        }
    }

    /// The records that have come, without waiting: before each tick, and once more after the end of the command.
    ///
    /// # Errors
    /// [`Error::RunFolder`] when the pipe cannot be read any more.
    pub fn drain(&mut self) -> Result<Vec<Record>, Error> {
        // Asks the kernel: the runtime would only say what it knew at its last turn.
        let now = |pipe: &pipe::Receiver, buffer: &mut [u8]| Ok(nix::unistd::read(pipe, buffer)?);
        while self.ready.len() < MOST_DRAINED && self.read(now).map_err(|error| self.failed(&error))? {}
        Ok(self.ready.drain(..).collect())
    }

    /// Whether a process is a Node program that was started without this preload, and so tells nothing. Takes some 10 µs.
    /// What may not be seen is no such program. For the instant in which it starts, every program looks like one.
    pub fn is_missing_in(&self, pid: u32) -> bool {
        let process = Path::new("/proc").join(pid.to_string());
        let is_node = std::fs::read_link(process.join("exe")).is_ok_and(|file| is_node(&file));
        let folder = self.script.parent().unwrap_or(&self.script).as_os_str().as_encoded_bytes();
        is_node && environment(&process).is_some_and(|all| !holds(&all, folder))
    }

    /// How many lines came that were no records: from a stranger, or cut.
    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    /// Reads once; false when there is nothing.
    fn read(&mut self, read: impl Fn(&pipe::Receiver, &mut [u8]) -> io::Result<usize>) -> io::Result<bool> {
        let mut buffer = [0; READ_BYTES];
        let count = match read(&self.pipe, &mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        };
        let Launch { lines, ready, malformed, .. } = self;
        lines.push(&buffer[..count], |read| match read {
            Ok(record) => ready.push_back(record),
            Err(error) => {
                *malformed += 1;
                tracing::debug!(%error, "a line of the programs' pipe was dropped");
            }
        });
        Ok(count > 0)
    }

    fn failed(&self, error: &io::Error) -> Error {
        let path = self.script.with_file_name(PIPE);
        Error::RunFolder { path, reason: error.to_string() }
    }
}

/// `node`, `nodejs`, `node18`, also of a file that was replaced on disk; not `node_exporter`.
fn is_node(file: &Path) -> bool {
    let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let rest = name.trim_end_matches(" (deleted)").strip_prefix("node");
    rest.is_some_and(|rest| rest.trim_start_matches("js").chars().all(|c| c.is_ascii_digit() || "-.".contains(c)))
}

/// Makes the folder, if it is not there, and not that of somebody else who would say what our programs run.
fn make_folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(FOLDER_MODE).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let found = path.symlink_metadata()?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() {
        return Err(io::Error::other("somebody else has taken the name of its folder"));
    }
    std::fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE))
}

fn make_pipe(path: &Path) -> io::Result<pipe::Receiver> {
    mkfifo(path, Mode::from_bits_truncate(0o600))?;
    // Open for both, so that it never ends when the last program does.
    let pipe = pipe::OpenOptions::new().read_write(true).open_receiver(path)?;
    // For want of room the programs keep what does not fit, and send it later.
    let _ = fcntl(&pipe, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
    std::fs::set_permissions(path, Permissions::from_mode(0o622))?;
    Ok(pipe)
}

/// Writes the preload. It has its name only when it is whole and locked.
fn script_file(path: &Path, checkpoint: Option<Duration>) -> io::Result<File> {
    let unfinished = path.with_extension("new");
    let mut file = File::create_new(&unfinished)?;
    write!(file, "'use strict';\n{}", checkpoint_line(checkpoint))?;
    PARTS.iter().try_for_each(|part| file.write_all(part.as_bytes()))?;
    file.set_permissions(Permissions::from_mode(0o644))?;
    // Without locks nothing is ever swept there; that is no reason to watch nothing.
    let _ = file.try_lock();
    std::fs::rename(&unfinished, path)?;
    Ok(file)
}

/// The one thing in the scripts that is the user's: ms between two checkpoints, 0 for none.
pub(super) fn checkpoint_line(checkpoint: Option<Duration>) -> String {
    format!("var CHECKPOINT_MS = {};\n", checkpoint.unwrap_or_default().as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn node_options_of_the_user_are_kept_and_the_permission_model_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let launch = Launch::prepare(folder.path(), None).unwrap();
        let command = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let path = folder.path().canonicalize().unwrap().join(SCRIPT).display().to_string();
        let value = |given: Option<&str>, words: &[&str]| {
            let (name, value) = launch.environment(given.map(OsStr::new), &command(words))?;
            assert_eq!(name, "NODE_OPTIONS");
            Some(value.into_string().unwrap())
        };
        assert_eq!(value(None, &["node", "a.js"]), Some(format!(" --require {path}")));
        assert_eq!(value(Some("--no-warnings"), &["npm", "start"]), Some(format!("--no-warnings --require {path}")));
        assert_eq!(value(None, &["node", "--experimental-permission", "a.js"]), None);
        assert_eq!(value(Some("--permission --allow-fs-read=/srv"), &["node"]), None);
    }

    #[tokio::test]
    async fn a_folder_that_node_options_cannot_name_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("two words");
        std::fs::create_dir(&folder).unwrap();
        let refused = Launch::prepare(&folder, None).err().unwrap().to_string();
        assert!(refused.contains("two words") && refused.contains("space"), "{refused}");
        assert!(Launch::prepare(&parent.path().join("absent"), None).is_err());
        let again = parent.path().join("again");
        std::fs::create_dir(&again).unwrap();
        let _first = Launch::prepare(&again, None).unwrap();
        assert!(Launch::prepare(&again, None).is_err(), "a second recorder does not take the files of the first");
    }

    #[tokio::test]
    async fn what_a_cleaner_removed_is_there_again_and_heard_and_locked() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().canonicalize().unwrap().join("run");
        std::fs::create_dir(&folder).unwrap();
        let mut launch = Launch::prepare(&folder, None).unwrap();
        assert!(!launch.restore().unwrap(), "nothing is missing");
        for removed in [vec![SCRIPT], vec![PIPE], vec![SCRIPT, PIPE]] {
            removed.iter().for_each(|name| std::fs::remove_file(folder.join(name)).unwrap());
            let _ = std::fs::remove_dir(&folder);
            assert!(launch.restore().unwrap() && !launch.restore().unwrap(), "{removed:?}");
            let mut writer = File::options().write(true).open(folder.join(PIPE)).unwrap();
            writer.write_all(b"[1,1,1,\"end\",0]\n").unwrap();
            assert_eq!(launch.drain().unwrap().len(), 1, "{removed:?}");
            assert!(File::open(folder.join(SCRIPT)).unwrap().try_lock().is_err(), "{removed:?}");
            assert_eq!(folder.metadata().unwrap().mode() & 0o777, FOLDER_MODE);
        }
        std::fs::remove_dir_all(&folder).unwrap();
        File::create(&folder).unwrap();
        assert!(launch.restore().unwrap_err().to_string().contains("taken the name"));
    }

    #[test]
    fn a_program_that_only_begins_like_node_is_none() {
        for name in ["node", "nodejs", "node18", "node-20.1", "node (deleted)"] {
            assert!(is_node(Path::new("/usr/bin").join(name).as_path()), "{name}");
        }
        for name in ["node_exporter", "nodemon", "deno", "sh", ""] {
            assert!(!is_node(Path::new("/usr/bin").join(name).as_path()), "{name}");
        }
    }

    #[tokio::test]
    async fn a_stranger_on_the_pipe_does_no_more_than_count() {
        let folder = tempfile::tempdir().unwrap();
        let mut launch = Launch::prepare(folder.path(), None).unwrap();
        let mut writer = File::options().write(true).open(folder.path().join(PIPE)).unwrap();
        writer.write_all(&[b'x'; 100_000]).unwrap();
        writer.write_all(b"\n\xff\xfe\n[1,1,1,\"end\",0]\n[2,1,1,\"end\",").unwrap();
        let came = launch.drain().unwrap();
        assert_eq!((came.len(), launch.malformed()), (1, 2));
        writer.write_all(b"3]\n").unwrap();
        assert_eq!(launch.record().await.unwrap().pid, 2, "a line that comes in two parts");
    }
}
