//! `grapher`'s command line, with rrdtool's elements and options: a word a line.

/// Feeds one input to it; panics where a promise is broken.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let words: Vec<&str> = text.split('\n').collect();
    grapher::fuzzing::arguments(&words);
}
