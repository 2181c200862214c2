//! What we are ourselves: our memory, and the signals that we were told to ignore.
use procfs::process::Process;

use crate::Error;

/// The resident set of this process, in bytes, from `/proc/self/statm`. Costs about 10 µs.
///
/// # Errors
/// [`Error::Proc`] when `/proc` cannot be read.
pub fn rss_bytes() -> Result<u64, Error> {
    let failed = |source| Error::Proc { what: "our own memory in /proc/self/statm".to_owned(), source };
    let pages = Process::myself().and_then(|own| own.statm()).map_err(failed)?.resident;
    Ok(pages.saturating_mul(procfs::page_size()))
}

/// The signals that this process ignores, one bit each from signal 1 on: what `nohup` and a shell's background set. Ask
/// before anything listens to signals.
///
/// # Errors
/// [`Error::Proc`] when `/proc` cannot be read.
pub fn ignored_signals() -> Result<u64, Error> {
    let failed = |source| Error::Proc { what: "our own signals in /proc/self/status".to_owned(), source };
    Ok(Process::myself().and_then(|own| own.status()).map_err(failed)?.sigign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_that_breaks_is_ignored_as_the_runtime_has_it() {
        assert_eq!(ignored_signals().unwrap() >> (13 - 1) & 1, 1);
    }

    #[test]
    fn our_own_memory_is_in_bytes_and_follows_an_allocation() {
        let before = rss_bytes().unwrap();
        assert!((1 << 20..1 << 32).contains(&before), "{before}");
        let block = vec![1_u8; 64 << 20];
        assert!(rss_bytes().unwrap() >= before + (60 << 20), "{}", block.len());
    }
}
