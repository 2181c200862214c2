//! What leaves the process: files that are replaced whole, and stdout.
//!
//! A reader that polls a file sees the old one or the new one, never a cut one: the bytes go to a file with a random
//! name beside the target, are synced, and take the target's name by a rename. A temp file is locked while its writer
//! lives; [`prepare`] removes those whose writer was killed, so at most one is ever left behind.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use thiserror::Error;

/// Mode of a file that may hold addresses and command lines: the owner only.
pub const PRIVATE: u32 = 0o600;
/// Mode of a file made to be shown to other users; the umask still applies.
pub const SHARED: u32 = 0o644;

/// The mode of what is made for all users, or for one.
#[must_use]
pub fn mode(public: bool) -> u32 {
    if public { SHARED } else { PRIVATE }
}

/// How a temp file's name ends, so that an abandoned one is known.
const SUFFIX: &str = ".heapsoak-tmp";
/// Enough of the target's name to tell temp files of several targets apart, within the 255 bytes of a name.
const NAME_PART: usize = 100;
/// Another process sweeping at the same instant may take a temp file before it is locked: try again.
const TRIES: usize = 8;

/// Why output did not get out.
#[derive(Debug, Error)]
pub enum OutputError {
    /// The target is a symbolic link.
    #[error("{0} is a symbolic link and would be replaced, not followed; name the file it points to")]
    Symlink(PathBuf),
    /// The target is a directory, a device, a pipe …
    #[error("{path} is {kind}, not a file that can be replaced; name a file, or - for stdout")]
    NotAFile {
        /// The target.
        path: PathBuf,
        /// What it is, with its article.
        kind: &'static str,
    },
    /// The target is a database, or a part of one: a recording would be lost for a picture of it.
    #[error("{0} is a database or belongs to one, and would be lost; name another file")]
    Database(PathBuf),
    /// Everybody may replace what is in the directory, and so lead a write elsewhere or forge what was written.
    #[error("{0} may be written by everybody, so that anybody could replace what is put there; chmod o-w it, or +t")]
    OpenToAll(PathBuf),
    /// The path ends in no file name.
    #[error("`{0}` does not name a file; give a file name, or - for stdout")]
    NoName(PathBuf),
    /// The directory is missing or cannot be written.
    #[error("{path} cannot be written; check that its directory exists and may be written, and has space")]
    Unwritable {
        /// The target.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Writing to stdout failed, for another reason than a reader that has gone.
    #[error("stdout cannot be written")]
    Stdout(#[source] io::Error),
}

/// Checks that `path` can be replaced, before the work whose result goes there, and removes temp files that killed
/// writers of the same target left.
///
/// # Errors
/// As [`replace`].
pub fn prepare(path: &Path) -> Result<(), OutputError> {
    let target = Target::check(path)?;
    target.sweep();
    target.temp(PRIVATE).map(drop).map_err(|source| target.unwritable(source))
}

/// Replaces the file at `path` by `bytes`, whole, with `mode` (less the umask) as its permissions.
///
/// # Errors
/// When the target is not a plain file, or its directory cannot be written; the old file is then untouched and no
/// temp file is left.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), OutputError> {
    replace_with(path, mode, |out| out.write_all(bytes))
}

/// As [`replace`], for what is drawn again rather than kept: whoever looks sees whole files only, but a power cut may
/// take the newest one. Nothing waits for the disk.
///
/// # Errors
/// As [`replace`].
pub fn redraw(path: &Path, bytes: &[u8], mode: u32) -> Result<(), OutputError> {
    let target = Target::check(path)?;
    let draw = || {
        let mut temp = target.temp(mode)?;
        temp.write_all(bytes)?;
        temp.persist(&target.path).map(drop).map_err(|failed| failed.error)
    };
    draw().map_err(|source| target.unwritable(source))
}

/// As [`replace`], with what `write` writes: for what is too large to be held in memory.
///
/// # Errors
/// Also when `write` fails; the old file is then untouched.
pub fn replace_with(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), OutputError> {
    let target = Target::check(path)?;
    target.write(write, mode).map_err(|source| target.unwritable(source))
}

/// Runs `write` with a buffered stdout. A reader that has gone (`| head -1`) is success: nobody wants the rest.
///
/// # Errors
/// [`OutputError::Stdout`] for every other failure.
pub fn stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), OutputError> {
    let mut out = BufWriter::new(Watched { inner: io::stdout().lock(), reader_gone: false });
    let result = write(&mut out).and_then(|()| out.flush());
    // What is still buffered was refused: dropping the parts keeps it from being written again.
    let (watched, _unsent) = out.into_parts();
    if watched.reader_gone { Ok(()) } else { result.map_err(OutputError::Stdout) }
}

/// Remembers that the reader has gone, whatever a formatter in between makes of the error.
struct Watched<W> {
    inner: W,
    reader_gone: bool,
}

impl<W: Write> Watched<W> {
    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.reader_gone |= result.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::BrokenPipe);
        result
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.inner.write(bytes);
        self.note(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.inner.flush();
        self.note(result)
    }
}

/// A target that is absent or a plain file, and the directory that holds it.
struct Target {
    path: PathBuf,
    directory: PathBuf,
    prefix: OsString,
}

impl Target {
    fn check(path: &Path) -> Result<Self, OutputError> {
        let name = path.file_name().ok_or_else(|| OutputError::NoName(path.to_owned()))?.to_string_lossy();
        match fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_symlink() => return Err(OutputError::Symlink(path.to_owned())),
            Ok(found) if !found.is_file() => {
                return Err(OutputError::NotAFile { path: path.to_owned(), kind: kind_of(&found) });
            }
            _ => {}
        }
        if is_of_database(path) {
            return Err(OutputError::Database(path.to_owned()));
        }
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        if fs::metadata(&directory).is_ok_and(|found| open_to_all(found.mode())) {
            return Err(OutputError::OpenToAll(directory));
        }
        let part: String = name.chars().take(NAME_PART / 4).collect();
        Ok(Self { path: path.to_owned(), directory, prefix: format!(".{part}.").into() })
    }

    fn unwritable(&self, source: io::Error) -> OutputError {
        OutputError::Unwritable { path: self.path.clone(), source }
    }

    fn write(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>, mode: u32) -> io::Result<()> {
        let mut out = BufWriter::new(self.temp(mode)?);
        write(&mut out)?;
        let temp = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        temp.as_file().sync_all()?;
        temp.persist(&self.path).map_err(|failed| failed.error)?;
        File::open(&self.directory)?.sync_all()
    }

    /// A new, locked temp file; it is removed when dropped.
    fn temp(&self, mode: u32) -> io::Result<NamedTempFile> {
        for _ in 0..TRIES {
            let temp = tempfile::Builder::new()
                .prefix(&self.prefix)
                .suffix(SUFFIX)
                .rand_bytes(8)
                .permissions(Permissions::from_mode(mode))
                .tempfile_in(&self.directory)?;
            // A filesystem without locks only loses the sweep: an unlocked temp file could be swept while in use, so
            // there the sweep cannot lock either and leaves everything alone.
            drop(temp.as_file().try_lock());
            if same_file(temp.as_file(), temp.path()) {
                return Ok(temp);
            }
        }
        Err(io::Error::other("another process keeps removing the temp file"))
    }

    /// Removes temp files of this target that nobody has locked; failing to is no error, they do no harm.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        let prefix = self.prefix.to_string_lossy();
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let random = name.strip_prefix(prefix.as_ref()).and_then(|rest| rest.strip_suffix(SUFFIX));
            if random.is_some_and(|random| random.len() == 8) {
                drop(remove_abandoned(&entry.path()));
            }
        }
    }
}

/// Whether everybody may replace each other's files in a directory of this mode; not so in one such as /tmp.
fn open_to_all(mode: u32) -> bool {
    const OTHERS_WRITE: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    mode & OTHERS_WRITE != 0 && mode & STICKY == 0
}

/// Whether the file is an SQLite database, or lies beside one as its log, index or journal.
fn is_of_database(path: &Path) -> bool {
    let name = path.as_os_str().as_encoded_bytes();
    let main = ["-wal", "-shm", "-journal"].iter().find_map(|end| name.strip_suffix(end.as_bytes()));
    is_database(path) || main.is_some_and(|main| is_database(Path::new(OsStr::from_bytes(main))))
}

fn is_database(path: &Path) -> bool {
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let mut start = [0; MAGIC.len()];
    // To open a pipe would wait for its writer.
    let is_file = fs::metadata(path).is_ok_and(|found| found.is_file());
    is_file && File::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok()) && &start == MAGIC
}

fn remove_abandoned(path: &Path) -> io::Result<()> {
    const O_NOFOLLOW: i32 = 0o400_000;
    const O_NONBLOCK: i32 = 0o4_000;
    let file = OpenOptions::new().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path)?;
    if file.metadata()?.is_file() && file.try_lock().is_ok() && same_file(&file, path) {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Whether `path` still names the open `file`.
fn same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

fn kind_of(found: &fs::Metadata) -> &'static str {
    let kind = found.file_type();
    match () {
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("heap.png");
        replace(&path, b"old", PRIVATE).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        replace(&path, b"new", SHARED).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777 & !0o644, 0);
        assert_eq!(names(directory.path()), ["heap.png"]);
    }

    #[test]
    fn a_symlink_is_neither_followed_nor_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let (target, link) = (directory.path().join("precious"), directory.path().join("heap.png"));
        replace(&target, b"precious", PRIVATE).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(matches!(replace(&link, b"x", SHARED), Err(OutputError::Symlink(_))));
        assert!(matches!(prepare(&link), Err(OutputError::Symlink(_))));
        assert_eq!(fs::read(&target).unwrap(), b"precious");
    }

    #[test]
    fn a_database_is_never_replaced_nor_what_lies_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let store = directory.path().join("soak.db");
        let bytes = b"SQLite format 3\0 and a recording";
        File::create(&store).unwrap().write_all(bytes).unwrap();
        for name in ["soak.db", "soak.db-wal", "soak.db-shm", "soak.db-journal"] {
            let path = directory.path().join(name);
            assert!(matches!(prepare(&path), Err(OutputError::Database(_))), "{name}");
            assert!(matches!(replace(&path, b"x", SHARED), Err(OutputError::Database(_))), "{name}");
            assert!(matches!(redraw(&path, b"x", SHARED), Err(OutputError::Database(_))), "{name}");
        }
        assert_eq!(fs::read(&store).unwrap(), bytes);
        replace(&directory.path().join("other-wal"), b"x", SHARED).unwrap();
    }

    #[test]
    fn what_cannot_be_replaced_is_named_before_the_work() {
        let directory = tempfile::tempdir().unwrap();
        let said = |path: &Path| prepare(path).unwrap_err().to_string();
        assert!(said(directory.path()).contains("is a directory, not a file"));
        assert!(said(Path::new("/dev/null")).contains("is a device"));
        assert!(said(Path::new("/")).contains("does not name a file"));
        assert!(said(&directory.path().join("absent/heap.png")).contains("check that its directory exists"));
    }

    #[test]
    fn temp_files_of_killed_writers_are_swept_and_those_in_use_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("heap.png");
        let target = Target::check(&path).unwrap();
        let in_use = target.temp(PRIVATE).unwrap();
        let (abandoned, kept) = target.temp(PRIVATE).unwrap().keep().unwrap();
        drop(abandoned);
        fs::copy(&kept, directory.path().join(".other.png.12345678.heapsoak-tmp")).unwrap();
        prepare(&path).unwrap();
        assert!(!kept.exists(), "the killed writer's file is still there");
        assert!(in_use.path().exists(), "a living writer's file was taken");
        assert_eq!(names(directory.path()).len(), 2);
    }

    #[test]
    fn a_failed_replacement_leaves_no_temp_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("heap.png");
        let target = Target::check(&path).unwrap();
        // Between the check and the rename a directory takes the name.
        fs::create_dir(&path).unwrap();
        assert!(target.write(|out| out.write_all(b"x"), SHARED).is_err());
        assert_eq!(names(directory.path()), ["heap.png"]);
    }

    #[test]
    fn output_that_ends_in_an_error_replaces_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("soak.xml");
        replace(&path, b"old", SHARED).unwrap();
        let half = replace_with(&path, SHARED, |out| {
            out.write_all(b"new")?;
            Err(io::ErrorKind::InvalidData.into())
        });
        assert!(half.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(directory.path()), ["soak.xml"]);
        replace_with(&path, SHARED, |out| (0..100_000).try_for_each(|_| out.write_all(b"row"))).unwrap();
        assert_eq!(fs::read(&path).unwrap().len(), 300_000);
    }

    #[test]
    fn a_directory_in_which_anybody_could_replace_the_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("heap.png");
        for (mode, fine) in [(0o777, false), (0o757, false), (0o1777, true), (0o775, true), (0o700, true)] {
            fs::set_permissions(directory.path(), Permissions::from_mode(mode)).unwrap();
            assert_eq!(prepare(&path).is_ok(), fine, "{mode:o}");
            assert_eq!(replace(&path, b"x", PRIVATE).is_ok(), fine, "{mode:o}");
        }
        assert_eq!(names(directory.path()), ["heap.png"]);
    }

    #[test]
    fn a_long_name_still_has_room_for_the_temp_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(format!("{}.png", "\u{1F4C8}".repeat(60)));
        prepare(&path).unwrap();
        replace(&path, b"x", SHARED).unwrap();
    }

    #[test]
    fn a_reader_that_has_gone_is_remembered_through_any_formatter() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut watched = Watched { inner: Gone, reader_gone: false };
        assert!(watched.write(b"x").is_err());
        assert!(watched.reader_gone);
    }
}
