//! Which stores are served: one file, or all of a folder. A name is looked up among those that are there; no path is
//! made of it.

use std::path::{Path, PathBuf};

/// More are counted, not shown: each costs a look into a file.
pub(super) const MOST_SHOWN: usize = 100;

/// A store that is served. It need not be there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The file's name: what it is called in addresses.
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// What `--db` named.
#[derive(Debug, Clone)]
pub(super) struct Library {
    db: PathBuf,
}

impl Library {
    pub(super) fn new(db: PathBuf) -> Self {
        Self { db }
    }

    /// A folder that appears later is one from then on.
    pub(super) fn is_folder(&self) -> bool {
        self.db.is_dir()
    }

    /// What the start page calls it.
    pub(super) fn name(&self) -> String {
        name(&self.db)
    }

    /// The stores, by name. Files that end in `.db`, and nothing below.
    pub(super) fn all(&self) -> Vec<Place> {
        if !self.is_folder() {
            return vec![Place { name: self.name(), path: self.db.clone() }];
        }
        let entries = std::fs::read_dir(&self.db).into_iter().flatten().flatten();
        let mut places: Vec<Place> = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "db") && path.is_file())
            .map(|path| Place { name: name(&path), path })
            .collect();
        places.sort_by(|a, b| a.name.cmp(&b.name));
        places
    }

    /// The store that is called so; without a name the only one.
    pub(super) fn find(&self, wanted: Option<&str>) -> Option<Place> {
        let all = self.all();
        match wanted {
            None if !self.is_folder() => all.into_iter().next(),
            None => None,
            Some(wanted) => all.into_iter().find(|place| place.name == wanted),
        }
    }
}

fn name(path: &Path) -> String {
    // `.` and `..` have no last part, but stand for a folder that has one.
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    path.file_name().or(whole.file_name()).unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_never_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let touch = |name: &str| drop(std::fs::File::create(folder.path().join(name)).unwrap());
        std::fs::create_dir(folder.path().join("inner.db")).unwrap();
        for name in ["b.db", "a.db", "a.db-wal", "notes.txt", "inner.db/c.db"] {
            touch(name);
        }
        let library = Library::new(folder.path().to_owned());
        let names: Vec<String> = library.all().into_iter().map(|place| place.name).collect();
        assert_eq!(names, ["a.db", "b.db"]);
        assert!(library.find(Some("a.db")).is_some());
        for name in ["../a.db", "./a.db", "inner.db/c.db", "/etc/passwd", "notes.txt", "a.db-wal", "", "a.db\0"] {
            assert_eq!(library.find(Some(name)), None, "{name:?}");
        }
        assert_eq!(library.find(None), None);
    }

    #[test]
    fn a_single_file_is_waited_for_and_no_other_is_served() {
        let library = Library::new("nowhere/soak.db".into());
        let place = library.find(None).unwrap();
        assert_eq!((place.name.as_str(), place.path.to_str().unwrap()), ("soak.db", "nowhere/soak.db"));
        assert_eq!(library.find(Some("soak.db")), Some(place));
        assert_eq!(library.find(Some("other.db")), None);
    }
}
