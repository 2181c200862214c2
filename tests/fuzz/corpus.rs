//! The inputs that fuzzing found worth keeping, and those that once broke something, fed to the parsers again.

#![allow(unreachable_pub, reason = "the fuzzers use the same modules as a library")]
#![allow(clippy::unwrap_used, reason = "an input that cannot be read must fail the test")]
#![allow(clippy::disallowed_methods, reason = "a store of any bytes is no output")]

mod inputs;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

fn feed(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus").join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no inputs", folder.display());
    let breaks = |file: &PathBuf| {
        let bytes = fs::read(file).unwrap();
        catch_unwind(|| run(&bytes)).is_err()
    };
    files.retain(breaks);
    assert!(files.is_empty(), "broken by {files:#?}");
}

macro_rules! targets {
    ($($target:ident),* $(,)?) => { $(#[test] fn $target() { feed(stringify!($target), inputs::$target::run); })* };
}

targets!(arguments, csv, definitions, devtools, node, rpn, sizes, store, times, update, xml);
