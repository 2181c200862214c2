//! The last words of a program: its output is read all the time, so that it never blocks, and only the end is kept.
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};

/// Enough for the lines that say why a driver failed, or V8's last collections before a page's end.
const KEPT_BYTES: usize = 16 * 1024;

/// A shared buffer of at most [`KEPT_BYTES`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Tail(Arc<Mutex<Vec<u8>>>);

impl Tail {
    pub(crate) fn push(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        let surplus = kept.len().saturating_sub(KEPT_BYTES);
        kept.drain(..surplus);
    }

    /// What is kept.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// What is kept, as one line for an error message.
    pub(crate) fn line(&self) -> String {
        self.text().lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" | ")
    }

    /// Reads `source` to its end; calls `seen` after each piece.
    pub(crate) async fn drain(self, mut source: impl AsyncRead + Unpin, mut seen: impl FnMut(&Tail)) {
        let mut piece = [0_u8; 1024];
        loop {
            match source.read(&mut piece).await {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    self.push(&piece[..count]);
                    seen(&self);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_chatty_driver_does_not_grow_us() {
        let tail = Tail::default();
        tail.clone().drain(&[b'x'; 100_000][..], |_| ()).await;
        tail.push(b"\nlast words\n");
        assert_eq!(tail.text().len(), KEPT_BYTES);
        assert!(tail.line().ends_with("| last words"));
    }
}
