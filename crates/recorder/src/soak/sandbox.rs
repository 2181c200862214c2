//! Whether the browser runs without its sandbox, which is all that stands between a page and the user who soaks it.

use anyhow::bail;
use heapsoak_cli::redact;
use url::{Host, Url};

use crate::settings;

/// The page that is soaked.
pub(super) enum Soaked<'a> {
    /// The one of our own.
    Own,
    /// Somebody's.
    Other(&'a Url),
}

/// Why the sandbox is off; `None`: it is on.
///
/// As root (`needs_it`) Chromium runs only without. Our own page may then do so, another one only if asked for; and one
/// from another machine only if asked for twice, for whoever can change it then runs programs as this user.
///
/// # Errors
/// When it must be asked for and is not.
pub(super) fn off(
    settings: &settings::Page,
    soaked: &Soaked<'_>,
    needs_it: bool,
) -> anyhow::Result<Option<&'static str>> {
    match soaked {
        Soaked::Own if needs_it && !settings.no_sandbox => {
            Ok(Some("it runs as root, and so only without; the page is our own"))
        }
        Soaked::Other(_) if needs_it && !settings.no_sandbox => bail!(
            "Chromium refuses to run as root with its sandbox; run the recorder as another user, \
             or add --no-sandbox if you trust the page with this machine"
        ),
        Soaked::Other(url) if settings.no_sandbox && !settings.allow_remote_unsandboxed && !is_here(url) => bail!(
            "--no-sandbox is refused for {}, which is not on this machine: whoever can change that page could run \
             programs as you; leave out --no-sandbox, or insist with --allow-remote-unsandboxed",
            redact::url(url.as_str())
        ),
        _ => Ok(settings.no_sandbox.then_some("--no-sandbox")),
    }
}

/// Whether a page comes from this machine.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.to_canonical().is_loopback(),
        None => matches!(url.scheme(), "file" | "data" | "about"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn outcome(url: Option<&str>, asked: bool, insisted: bool, root: bool) -> Result<bool, String> {
        let settings = settings::Page {
            url: url.map(str::to_owned),
            leak_bytes_per_s: 0,
            element: "#kw".to_owned(),
            interval: Duration::from_millis(50),
            webdriver: None,
            browser: None,
            browser_args: Vec::new(),
            headed: false,
            no_sandbox: asked,
            allow_remote_unsandboxed: insisted,
            restarts: 1,
        };
        let url = url.map(|url| url.parse::<Url>().unwrap());
        let soaked = url.as_ref().map_or(Soaked::Own, Soaked::Other);
        off(&settings, &soaked, root).map(|reason| reason.is_some()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_sandbox_is_on_unless_root_shows_our_own_page() {
        assert_eq!(outcome(None, false, false, false), Ok(false));
        assert_eq!(outcome(Some("https://example.org/"), false, false, false), Ok(false));
        assert_eq!(outcome(None, false, false, true), Ok(true));
        let refused = outcome(Some("http://127.0.0.1:1/"), false, true, true).unwrap_err();
        assert!(refused.contains("as another user") && refused.contains("--no-sandbox"), "{refused}");
    }

    #[test]
    fn a_page_of_this_machine_is_trusted_when_asked_for() {
        for url in
            ["http://localhost:1/", "http://a.localhost/", "http://127.9.9.9/", "http://[::1]:8/", "file:///a.html"]
        {
            assert_eq!(outcome(Some(url), true, false, true), Ok(true), "{url}");
        }
    }

    #[test]
    fn a_page_of_another_machine_must_be_insisted_on_and_its_password_is_not_shown() {
        for url in [
            "http://me:canary@example.org/",
            "http://10.0.0.1/",
            "http://[::]/",
            "http://0.0.0.0/",
            "http://localhost.example.org/",
            "http://[::ffff:10.0.0.1]/",
            "file://server/share/a.html",
        ] {
            let refused = outcome(Some(url), true, false, false).unwrap_err();
            assert!(refused.contains("--allow-remote-unsandboxed") && !refused.contains("canary"), "{refused}");
            assert_eq!(outcome(Some(url), true, true, false), Ok(true), "{url}");
        }
    }
}
