//! What an earlier run left behind when it was killed, by its own words in the store.

use std::path::PathBuf;
use std::time::Duration;

use heapsoak_browser::{Trace, sweep};
use heapsoak_store::Guardian;

use super::writer::Recording;

/// A guardian that still clears up by itself is done within 2 s.
const DEADLINE: Duration = Duration::from_secs(5);

/// Ends and removes it, and takes it off the store. That something could not be swept stops no run.
pub(crate) async fn sweep_all(left: Vec<Guardian>, recording: &Recording) {
    let mut nothing_left = true;
    for Guardian { pid, started, boot, folder } in left {
        let trace = Trace { pid, started, boot, folder: PathBuf::from(folder) };
        match sweep(&trace, DEADLINE).await {
            Ok(None) => {}
            Ok(Some(processes)) => {
                let text = format!("{processes} processes and {} of a run that was killed", trace.folder.display());
                recording.event("swept", text);
            }
            Err(error) => {
                nothing_left = false;
                recording.event("leftover", error.to_string());
            }
        }
    }
    if nothing_left {
        recording.guardians(Vec::new());
    }
}
