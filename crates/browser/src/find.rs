//! Where the browser and its driver are on this machine.
use std::{
    env,
    path::{Path, PathBuf},
};

use nix::unistd::{AccessFlags, access};

use crate::BrowserError;

const BROWSERS: [&str; 6] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "chromium-headless-shell"];
const DRIVERS: [&str; 3] = ["chromedriver", "chromium.chromedriver", "chromium-chromedriver"];
/// Places of Debian and Ubuntu that are not on everybody's PATH.
const PLACES: [&str; 5] =
    ["/usr/bin", "/usr/local/bin", "/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"];
const INSTALL: &str = "apt-get install chromium chromium-driver";

/// The browser called `name` (a name on PATH, or a path), or the first known one when there is no name.
///
/// # Errors
/// [`BrowserError::NotFound`], which says what to install.
pub fn browser(name: Option<&str>) -> Result<PathBuf, BrowserError> {
    match name {
        // The name that WebDriver knows it by stands for all of them.
        Some("chrome") | None => search("browser", &BROWSERS, &folders()),
        Some(name) => search("browser", &[name], &folders()),
    }
}

/// chromedriver.
///
/// # Errors
/// [`BrowserError::NotFound`], which says what to install.
pub fn driver() -> Result<PathBuf, BrowserError> {
    search("driver", &DRIVERS, &folders())
}

fn folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(PLACES.iter().map(PathBuf::from)).collect()
}

fn search(what: &'static str, names: &[&str], folders: &[PathBuf]) -> Result<PathBuf, BrowserError> {
    let found = names.iter().find_map(|name| {
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(|path| executable(path));
        }
        folders.iter().map(|folder| folder.join(name)).find(|path| executable(path))
    });
    found.ok_or_else(|| BrowserError::NotFound { what, tried: names.join(", "), install: INSTALL })
}

fn executable(path: &Path) -> bool {
    path.is_file() && access(path, AccessFlags::X_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn the_first_name_wins_over_the_first_folder_and_a_plain_file_is_no_program() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        for (path, mode) in [(a.join("chromium"), 0o644), (a.join("chrome"), 0o755), (b.join("chromium"), 0o755)] {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::File::create(&path).unwrap().set_permissions(fs::Permissions::from_mode(mode)).unwrap();
        }
        let found = search("browser", &["chromium", "chrome"], &[a, b.clone()]).unwrap();
        assert_eq!(found, b.join("chromium"));
    }

    #[test]
    fn who_has_no_browser_is_told_what_to_install() {
        let error = search("browser", &["chromium"], &[PathBuf::from("/nonexistent")]).unwrap_err();
        expect_test::expect!["no browser found (looked for chromium); install it with `apt-get install chromium chromium-driver`, or name the program by its path"].assert_eq(&error.to_string());
    }
}
