//! Limits of the system that would end a process without a word.

use nix::sys::signal::{SigSet, Signal};

/// Makes a write beyond the limit of a file's size (`ulimit -f`) an error that can be told and outlived, instead of a
/// death by SIGXFSZ. Call it first in `main`, before there is a second thread. Programs that we start are not concerned.
pub fn outlive_file_size() {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGXFSZ);
    // Blocking a signal fails for no reason but a wrong argument.
    let _ = signals.thread_block();
}
