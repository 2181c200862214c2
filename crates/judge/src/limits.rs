//! The size at which a heap gives up, as far as a recording tells.
//!
//! V8 dies when its old generation is full, and what is left after full collections lies there. The limit that it tells of
//! itself holds room for the young generation too: under `--max-old-space-size=60` Node 20 tells 108 MiB and dies at 60.

use heapsoak_store::{Event, Run};

use super::lives::is_out_of_memory;

const MIB: f64 = 1_048_576.0;

/// The limit that a death by out-of-memory named, or else the one that the newest command gave its program.
pub(crate) fn told(runs: &[Run], events: &[Event]) -> Option<f64> {
    let died =
        events.iter().rev().filter(|event| is_out_of_memory(&event.kind)).find_map(|event| of_death(&event.detail));
    died.or_else(|| runs.last().and_then(|run| of_command(&run.begun.command)))
}

/// `out of memory, 59.8 of 60 MiB`
fn of_death(detail: &str) -> Option<f64> {
    let (before, _) = detail.rsplit_once(" MiB")?;
    positive(before.rsplit(' ').next()?)
}

/// `--max-old-space-size=60`, with `_` as well, the last one as V8 takes it.
fn of_command(command: &str) -> Option<f64> {
    let words: Vec<String> = command.split_whitespace().map(|word| word.replace('_', "-")).collect();
    let size = |(place, word): (usize, &String)| match word.strip_prefix("--max-old-space-size")? {
        "" => positive(words.get(place + 1)?),
        rest => positive(rest.strip_prefix('=')?),
    };
    words.iter().enumerate().rev().find_map(size)
}

fn positive(mebibytes: &str) -> Option<f64> {
    mebibytes.parse::<f64>().ok().filter(|size| size.is_finite() && *size > 0.0).map(|size| size * MIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_the_old_generation_is_found_where_it_was_given() {
        assert_eq!(of_command("recorder -- node --max-old-space-size=60 test.js"), Some(60.0 * MIB));
        assert_eq!(of_command("node --max_old_space_size 512 --max-old-space-size=1024 a.js"), Some(1024.0 * MIB));
        for none in ["node a.js", "node --max-old-space-size", "node --max-old-space-size=x", "--max-old-space-size=0"]
        {
            assert_eq!(of_command(none), None, "{none}");
        }
    }

    #[test]
    fn a_death_says_what_its_limit_was() {
        assert_eq!(of_death("out of memory, 59.8 of 60 MiB"), Some(60.0 * MIB));
        assert_eq!(of_death("api: out of memory, limit 4144 MiB"), Some(4144.0 * MIB));
        assert_eq!(of_death("out of memory"), None);
    }
}
