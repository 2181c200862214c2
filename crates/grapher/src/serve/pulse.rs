//! Tells those who listen that a store has changed. One task looks, four times a second, at the stores that somebody
//! listens to, and at none when nobody does.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use heapsoak_store::Reader;
use tokio::sync::{Notify, watch};

/// A sample a second is on the page within a second.
const EVERY: Duration = Duration::from_millis(250);

/// What of a store was seen; a page is drawn anew when it is another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Seen {
    files: [Option<Stamp>; 2],
    content: Content,
}

/// A file from outside: while it is the same, nobody has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    id: (u64, u64),
    changed: (i64, i64),
    length: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Content {
    #[default]
    NotSeen,
    Marker {
        file: Option<(u64, u64)>,
        marker: u64,
    },
    Trouble(String),
}

/// Who listens to which store.
#[derive(Debug, Clone, Default)]
pub(super) struct Pulse {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    watched: Mutex<HashMap<PathBuf, watch::Sender<Seen>>>,
    wake: Notify,
}

impl Shared {
    fn watched(&self) -> MutexGuard<'_, HashMap<PathBuf, watch::Sender<Seen>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pulse {
    /// Begins to look once somebody listens. It ends with the runtime.
    pub(super) fn start() -> Self {
        let pulse = Self::default();
        tokio::spawn(look_for_ever(Arc::clone(&pulse.shared)));
        pulse
    }

    /// What is seen of the store from now on; dropping it ends the listening.
    pub(super) fn listen(&self, path: &Path) -> watch::Receiver<Seen> {
        let listener = self.shared.watched().entry(path.to_owned()).or_default().subscribe();
        self.shared.wake.notify_one();
        listener
    }
}

async fn look_for_ever(shared: Arc<Shared>) {
    loop {
        let known: Vec<(PathBuf, Seen)> = {
            let mut watched = shared.watched();
            watched.retain(|_, sender| sender.receiver_count() > 0);
            watched.iter().map(|(path, sender)| (path.clone(), sender.borrow().clone())).collect()
        };
        if known.is_empty() {
            shared.wake.notified().await;
            continue;
        }
        for (path, before) in known {
            let looked = tokio::task::spawn_blocking(move || (look(&path, &before), path)).await;
            let Ok((seen, path)) = looked else { continue };
            if let Some(sender) = shared.watched().get(&path) {
                sender.send_if_modified(|known| {
                    let beats = known.content != seen.content;
                    *known = seen;
                    beats
                });
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Opens the store only when its files have changed: a reader that stays open would keep its writer from leaving one
/// whole file behind.
fn look(path: &Path, before: &Seen) -> Seen {
    let files = [stamp(path), stamp(&wal(path))];
    if before.content != Content::NotSeen && before.files == files {
        return before.clone();
    }
    let content = match Reader::open(path).and_then(|reader| reader.change_marker()) {
        Ok(marker) => Content::Marker { file: files[0].map(|stamp| stamp.id), marker },
        Err(error) => Content::Trouble(error.to_string()),
    };
    Seen { files, content }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(path).ok()?;
    Some(Stamp { id: (found.dev(), found.ino()), changed: (found.mtime(), found.mtime_nsec()), length: found.size() })
}

fn wal(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push("-wal");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_comes_and_goes_is_seen_and_a_quiet_one_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("soak.db");
        let absent = look(&path, &Seen::default());
        assert!(matches!(&absent.content, Content::Trouble(says) if says.contains("does not exist")));
        assert_eq!(look(&path, &absent), absent);
        drop(std::fs::File::create(&path).unwrap());
        let foreign = look(&path, &absent);
        assert_ne!(foreign.content, absent.content);
        // What was seen of a file that is the same outside is taken as it is: nothing was opened.
        let marked = Seen { content: Content::Marker { file: None, marker: 7 }, ..foreign };
        assert_eq!(look(&path, &marked), marked);
    }

    #[test]
    fn nobody_is_looked_after_once_all_have_gone() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let pulse = Pulse::start();
            let mut listener = pulse.listen(Path::new("nowhere.db"));
            listener.changed().await.unwrap();
            assert_eq!(pulse.shared.watched().len(), 1);
            drop(listener);
            tokio::time::timeout(Duration::from_secs(5), async {
                while !pulse.shared.watched().is_empty() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            })
            .await
            .unwrap();
        });
    }
}
