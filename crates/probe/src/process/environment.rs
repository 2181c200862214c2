//! What processes were given when they were started.
use std::{fs, path::Path};

/// Whether any process that we may look at was started with `bytes` in its environment. Takes milliseconds.
pub fn any_environment_holds(bytes: &[u8]) -> bool {
    let Ok(all) = fs::read_dir("/proc") else { return false };
    all.flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit())))
        .filter_map(|entry| environment(&entry.path()))
        .any(|environment| holds(&environment, bytes))
}

/// The environment of the process with this folder in `/proc`; none where it may not be seen.
pub(crate) fn environment(process: &Path) -> Option<Vec<u8>> {
    fs::read(process.join("environ")).ok()
}

pub(crate) fn holds(environment: &[u8], bytes: &[u8]) -> bool {
    environment.windows(bytes.len().max(1)).any(|part| part == bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::time::{Duration, Instant};

    #[test]
    fn a_process_is_found_by_what_it_was_given_and_only_while_it_lives() {
        let canary = format!("canary-{}", std::process::id());
        assert!(!any_environment_holds(canary.as_bytes()));
        let mut child = Command::new("sleep").arg("60").env("CANARY", &canary).spawn().unwrap();
        // A process has none for the instant in which it becomes another program.
        let start = Instant::now();
        while !any_environment_holds(canary.as_bytes()) {
            assert!(start.elapsed() < Duration::from_secs(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!any_environment_holds(canary.as_bytes()));
    }
}
