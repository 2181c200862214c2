//! What a session is asked to be, and that wish in WebDriver's words.
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use nix::sys::statvfs::statvfs;
use serde_json::{Value, json};

/// A page's bitmaps go through /dev/shm; containers give it 64 MB, which is too small.
const SMALL_SHM_BYTES: u64 = 512 * 1024 * 1024;

/// What a session is to be. `Default` is headless, sandboxed, 1280×800, 10 s a command, 30 s a page.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// The browser's program, see [`find::browser`](crate::find::browser); `None` leaves it to the driver. Ignored by
    /// drivers elsewhere.
    pub browser: Option<PathBuf>,
    /// With a window to look at.
    pub headed: bool,
    /// Without the browser's sandbox: the page is trusted. Root needs it.
    pub no_sandbox: bool,
    /// Further arguments of the browser, such as `--js-flags=--max-old-space-size=60`.
    pub extra_args: Vec<String>,
    /// Width and height of the window in pixels.
    pub window: (u32, u32),
    /// How long any command but those below may take.
    pub command_deadline: Duration,
    /// How long a page may take to load.
    pub page_load_deadline: Duration,
    /// How long the browser may take to start.
    pub open_deadline: Duration,
}

impl Default for SessionOptions {
    fn default() -> SessionOptions {
        SessionOptions {
            browser: None,
            headed: false,
            no_sandbox: false,
            extra_args: Vec::new(),
            window: (1280, 800),
            command_deadline: Duration::from_secs(10),
            page_load_deadline: Duration::from_secs(30),
            open_deadline: Duration::from_secs(30),
        }
    }
}

impl SessionOptions {
    /// The body of WebDriver's New Session. `profile` is the browser's profile folder, `None` for a driver elsewhere.
    pub(crate) fn body(&self, profile: Option<&Path>, small_shm: bool) -> Value {
        let mut chrome = json!({ "args": self.arguments(profile, small_shm) });
        if let (Some(browser), Some(_)) = (&self.browser, profile) {
            chrome["binary"] = json!(browser);
        }
        let wish = json!({
            "browserName": "chrome",
            "pageLoadStrategy": "normal",
            "unhandledPromptBehavior": "dismiss and notify",
            "timeouts": {
                "implicit": 0,
                "pageLoad": millis(self.page_load_deadline),
                "script": millis(self.command_deadline),
            },
            // The driver keeps each line of a page's console until somebody asks for it: 18 kB an iteration were seen.
            "goog:loggingPrefs": { "browser": "OFF", "driver": "OFF" },
            "goog:chromeOptions": chrome,
        });
        json!({ "capabilities": { "alwaysMatch": wish, "firstMatch": [{}] } })
    }

    fn arguments(&self, profile: Option<&Path>, small_shm: bool) -> Vec<String> {
        // No errands of the browser's own: they would show in what is measured.
        let errands = [
            "disable-quic",
            "no-first-run",
            "disable-background-networking",
            "disable-component-update",
            "disable-sync",
        ];
        let mut arguments: Vec<String> = errands.iter().map(|name| format!("--{name}")).collect();
        arguments.push(format!("--window-size={},{}", self.window.0, self.window.1));
        if !self.headed {
            arguments.push("--headless=new".to_owned());
        }
        if self.no_sandbox {
            arguments.push("--no-sandbox".to_owned());
        }
        if small_shm {
            arguments.push("--disable-dev-shm-usage".to_owned());
        }
        if let Some(profile) = profile {
            arguments.push(format!("--user-data-dir={}", profile.display()));
        }
        arguments.extend(self.extra_args.iter().cloned());
        arguments
    }

    /// The longest that any one command may take.
    pub(crate) fn longest(&self) -> Duration {
        self.command_deadline.max(self.page_load_deadline).max(self.open_deadline)
    }
}

/// Whether this machine's /dev/shm is absent or too small for a browser.
pub(crate) fn shm_is_small() -> bool {
    statvfs("/dev/shm").map_or(true, |shm| shm.blocks_available() * shm.fragment_size() < SMALL_SHM_BYTES)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(options: &SessionOptions, profile: Option<&str>) -> String {
        options.arguments(profile.map(Path::new), false).join(" ")
    }

    #[test]
    fn the_sandbox_is_never_off_unless_asked_for() {
        let asked = SessionOptions { no_sandbox: true, ..Default::default() };
        assert!(!arguments(&SessionOptions::default(), Some("/run/p")).contains("sandbox"));
        assert!(arguments(&asked, Some("/run/p")).contains("--no-sandbox"));
    }

    #[test]
    fn a_driver_elsewhere_is_not_told_of_our_folders() {
        let options = SessionOptions { browser: Some("/usr/bin/chromium".into()), ..Default::default() };
        assert!(options.body(Some(Path::new("/run/p")), false).to_string().contains("/usr/bin/chromium"));
        let elsewhere = options.body(None, false).to_string();
        assert!(!elsewhere.contains("chromium") && !elsewhere.contains("user-data-dir"), "{elsewhere}");
    }

    #[test]
    fn a_small_shared_memory_is_not_used() {
        assert!(SessionOptions::default().arguments(None, true).contains(&"--disable-dev-shm-usage".to_owned()));
        assert!(!SessionOptions::default().arguments(None, false).contains(&"--disable-dev-shm-usage".to_owned()));
    }
}
