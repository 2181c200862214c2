//! DS and RRA as `recorder create` takes them: a definition a line. What is understood reads back as it is written.

use heapsoak_rrd::{Archive, Schema, Source, Step};

/// Feeds one input to it; panics where a promise is broken.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for micros in [1_000_000, 300_000_000, 1_000] {
        let Ok(step) = Step::new(micros) else { continue };
        let sources: Vec<Source> = text.lines().filter_map(|line| line.parse().ok()).collect();
        let archives: Vec<Archive> = text.lines().filter_map(|line| Archive::parse(line, step).ok()).collect();
        for source in &sources {
            assert_eq!(source.to_string().parse::<Source>().as_ref(), Ok(source));
        }
        for archive in &archives {
            assert_eq!(Archive::parse(&archive.to_string(), step).as_ref(), Ok(archive));
        }
        let _ = Schema::new(step, sources, archives);
    }
}
