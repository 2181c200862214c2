//! What the preload of a watched Node program writes into its pipe, in pieces of any length.

use heapsoak_probe::node::Lines;

/// Feeds one input to it; panics where a promise is broken.
pub fn run(bytes: &[u8]) {
    let Some((length, bytes)) = bytes.split_first() else { return };
    let whole = records(bytes, bytes.len().max(1));
    assert_eq!(records(bytes, usize::from(*length).max(1)), whole, "a cut changes what is read");
}

/// How many records, and how many lines that are none.
fn records(bytes: &[u8], length: usize) -> (usize, usize) {
    let (mut lines, mut found) = (Lines::default(), (0, 0));
    for piece in bytes.chunks(length) {
        lines.push(piece, |record| if record.is_ok() { found.0 += 1 } else { found.1 += 1 });
    }
    found
}
