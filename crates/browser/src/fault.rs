//! What can go wrong inside a session, told apart by who is at fault, and what to do about each.
//!
//! Deciding is pure: [`classify`] looks at an error, [`Fault::fate`] names the answer. Acting is the caller's.
use std::{error::Error, io, time::Duration};

use fantoccini::error::{CmdError, ErrorStatus, WebDriver};
use serde_json::Value;

/// Chromedriver's messages carry a stack of addresses; what a person needs is in the first characters.
const MESSAGE_LIMIT: usize = 300;

/// Why a command of a session failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The page's process died (killed, crashed, or out of memory); the session can do nothing more.
    #[error("the page's process crashed; a new session is needed")]
    RendererCrash,
    /// The browser died, or its last window was closed, or somebody deleted the session.
    #[error("the browser is gone: {message}; a new session is needed")]
    BrowserGone {
        /// The driver's words.
        message: String,
    },
    /// The session's window was closed; the browser lives.
    #[error("the session's window was closed; a new session is needed")]
    WindowGone,
    /// The driver does not answer on its port any more.
    #[error("the driver is gone: {message}; a new driver is needed")]
    DriverGone {
        /// What the connection said.
        message: String,
    },
    /// No answer in time: the page, the browser or the driver is stopped or spins.
    #[error("no answer to {what} {}; the page, the browser or the driver is stopped or busy", waited(.after))]
    Unresponsive {
        /// What was being done.
        what: String,
        /// The deadline that passed; `None` when the connection's own limit ended it.
        after: Option<Duration>,
    },
    /// The element that was found is not in the document any more.
    #[error("the element is not in the document any more; find it again")]
    Stale,
    /// No element matches the selector.
    #[error("no element matches '{css}'; check the selector, or whether the page has finished loading")]
    ElementNotFound {
        /// The selector, empty when not known.
        css: String,
    },
    /// The element is there, but outside of the window even after scrolling to it.
    #[error("the element lies outside of the window: {message}; it may be hidden or of size zero")]
    OutOfView {
        /// The driver's words.
        message: String,
    },
    /// The selector is no CSS selector.
    #[error("'{css}' is not a CSS selector: {message}")]
    Selector {
        /// The selector.
        css: String,
        /// The driver's words.
        message: String,
    },
    /// The page opened a dialog, which was dismissed.
    #[error("the page opened a dialog, which was dismissed: {message}")]
    Alert {
        /// The driver's words, which hold the dialog's text.
        message: String,
    },
    /// The browser shows an error page of its own instead of the page.
    #[error("{url} could not be loaded: the browser shows {found}; check the address and that the server runs")]
    ErrorPage {
        /// The page asked for, without credentials.
        url: String,
        /// The error's name or the document's URL.
        found: String,
    },
    /// The driver gave up waiting for the page.
    #[error("the page did not finish in time: {message}")]
    Timeout {
        /// The driver's words.
        message: String,
    },
    /// The driver could not start a browser.
    #[error("the driver did not start a browser: {message}; check that browser and driver have the same version")]
    NotCreated {
        /// The driver's words.
        message: String,
    },
    /// The driver could not start a browser because we are root and the sandbox is on.
    #[error(
        "the browser refuses to run as root with its sandbox on; run as another user, or switch the sandbox off with \
         --no-sandbox if the page can be trusted"
    )]
    RootNeedsNoSandbox,
    /// Anything else; the session is still usable.
    #[error("the driver answered: {message}")]
    Other {
        /// The driver's words.
        message: String,
    },
}

/// What to do about a [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The session is usable: count the failed iteration and go on.
    NextIteration,
    /// End the session and, if it is ours, the driver with all that hangs on it; start anew.
    Restart,
    /// No try will ever succeed.
    Stop,
}

impl Fault {
    /// The name of this fault as the kind of an event.
    pub fn kind(&self) -> &'static str {
        match self {
            Fault::RendererCrash => "renderer_crash",
            Fault::BrowserGone { .. } => "browser_crash",
            Fault::WindowGone => "window_closed",
            Fault::DriverGone { .. } => "driver_crash",
            Fault::Unresponsive { .. } => "unresponsive",
            Fault::Stale => "stale_element",
            Fault::ElementNotFound { .. } => "element_absent",
            Fault::OutOfView { .. } => "out_of_view",
            Fault::Selector { .. } => "selector",
            Fault::Alert { .. } => "alert",
            Fault::ErrorPage { .. } => "error_page",
            Fault::Timeout { .. } => "timeout",
            Fault::NotCreated { .. } | Fault::RootNeedsNoSandbox => "session_not_created",
            Fault::Other { .. } => "driver_error",
        }
    }

    /// What to do about it.
    ///
    /// A driver would often give another session; but one that has lost a page or a browser keeps its processes and its
    /// profile folder, and a stopped page makes it hang as if it were stopped itself. A new one costs 20 ms.
    pub fn fate(&self) -> Fate {
        match self {
            Fault::RendererCrash
            | Fault::BrowserGone { .. }
            | Fault::WindowGone
            | Fault::DriverGone { .. }
            | Fault::Unresponsive { .. }
            | Fault::ErrorPage { .. }
            | Fault::NotCreated { .. } => Fate::Restart,
            Fault::Selector { .. } | Fault::RootNeedsNoSandbox => Fate::Stop,
            Fault::Stale
            | Fault::ElementNotFound { .. }
            | Fault::OutOfView { .. }
            | Fault::Alert { .. }
            | Fault::Timeout { .. }
            | Fault::Other { .. } => Fate::NextIteration,
        }
    }
}

/// Tells what an error of a WebDriver command means. Knows neither selector nor URL: the caller adds them.
pub fn classify(error: &CmdError) -> Fault {
    match error {
        CmdError::Standard(error) => standard(error),
        // Not one of the standard's errors, but what chromedriver sends when the page's process has died.
        CmdError::NotW3C(Value::String(text)) if text == "tab crashed" => Fault::RendererCrash,
        CmdError::NotW3C(answer) => Fault::Other { message: shorten(&format!("not a WebDriver answer: {answer}")) },
        CmdError::FailedC(source) => unreachable(source),
        CmdError::Failed(source) => unreachable(source),
        CmdError::Lost(source) => unreachable(source),
        other => Fault::Other { message: shorten(&other.to_string()) },
    }
}

fn standard(error: &WebDriver) -> Fault {
    let message = shorten(&error.message);
    match error.error {
        // Some versions wrap the crash into a standard error.
        ErrorStatus::UnknownError if message.contains("tab crashed") => Fault::RendererCrash,
        ErrorStatus::InvalidSessionId => Fault::BrowserGone { message },
        ErrorStatus::UnknownError if message.contains("disconnected") => Fault::BrowserGone { message },
        ErrorStatus::UnknownError if message.contains("chrome not reachable") => Fault::BrowserGone { message },
        ErrorStatus::NoSuchWindow => Fault::WindowGone,
        ErrorStatus::StaleElementReference => Fault::Stale,
        ErrorStatus::NoSuchElement => Fault::ElementNotFound { css: String::new() },
        ErrorStatus::MoveTargetOutOfBounds => Fault::OutOfView { message },
        ErrorStatus::InvalidSelector => Fault::Selector { css: String::new(), message },
        ErrorStatus::UnexpectedAlertOpen => Fault::Alert { message },
        ErrorStatus::Timeout | ErrorStatus::ScriptTimeout => Fault::Timeout { message },
        ErrorStatus::SessionNotCreated => Fault::NotCreated { message },
        _ => match net_error(&message) {
            Some(found) => Fault::ErrorPage { url: String::new(), found },
            None => Fault::Other { message },
        },
    }
}

/// `net::ERR_CONNECTION_REFUSED` out of a message, if there is one.
fn net_error(message: &str) -> Option<String> {
    let start = message.find("net::ERR_")?;
    let name = message[start..].split(|c: char| !(c.is_ascii_alphanumeric() || c == ':' || c == '_')).next()?;
    Some(name.to_owned())
}

/// A failed connection: late if its own time limit ended it, else gone.
fn unreachable(error: &(dyn Error + 'static)) -> Fault {
    let mut text = error.to_string();
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return Fault::Unresponsive { what: "the command".to_owned(), after: None };
        }
        text = error.to_string();
        cause = error.source();
    }
    Fault::DriverGone { message: shorten(&text) }
}

/// Whether a session that was not created failed for the sandbox: Chromium then exits at once and says why only on its
/// own stderr, which the driver throws away.
pub(crate) fn not_created(fault: Fault, root: bool, no_sandbox: bool) -> Fault {
    match fault {
        Fault::NotCreated { message } if root && !no_sandbox && exited(&message) => Fault::RootNeedsNoSandbox,
        other => other,
    }
}

fn exited(message: &str) -> bool {
    ["instance exited", "failed to start", "DevToolsActivePort", "crashed"].iter().any(|words| message.contains(words))
}

fn waited(after: &Option<Duration>) -> String {
    match after {
        Some(after) => format!("within {} ms", after.as_millis()),
        None => "within the connection's time limit".to_owned(),
    }
}

/// The first words of a message, in one line, without what would steer a terminal.
pub(crate) fn shorten(text: &str) -> String {
    let line = text.lines().map(str::trim).filter(|line| !line.starts_with('(')).collect::<Vec<_>>().join(" ");
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(MESSAGE_LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(error: CmdError, kind: &str, fate: Fate) {
        let text = format!("{error:?}");
        let fault = classify(&error);
        assert_eq!((fault.kind(), fault.fate()), (kind, fate), "{text}");
    }

    #[test]
    fn each_fault_seen_in_the_wild_gets_its_own_kind_and_answer() {
        let standard = |status, message: &'static str| CmdError::Standard(WebDriver::new(status, message));
        let io = |kind: io::ErrorKind| CmdError::Lost(io::Error::from(kind));
        use ErrorStatus as E;
        check(CmdError::NotW3C(json!("tab crashed")), "renderer_crash", Fate::Restart);
        check(standard(E::UnknownError, "unknown error: tab crashed"), "renderer_crash", Fate::Restart);
        check(CmdError::NotW3C(json!({"status": 6})), "driver_error", Fate::NextIteration);
        check(standard(E::InvalidSessionId, "invalid session id"), "browser_crash", Fate::Restart);
        check(standard(E::UnknownError, "disconnected: not connected to DevTools"), "browser_crash", Fate::Restart);
        check(standard(E::NoSuchWindow, "target window already closed"), "window_closed", Fate::Restart);
        check(io(io::ErrorKind::BrokenPipe), "driver_crash", Fate::Restart);
        check(io(io::ErrorKind::ConnectionRefused), "driver_crash", Fate::Restart);
        check(io(io::ErrorKind::TimedOut), "unresponsive", Fate::Restart);
        check(standard(E::StaleElementReference, "stale element reference"), "stale_element", Fate::NextIteration);
        check(standard(E::NoSuchElement, "no such element"), "element_absent", Fate::NextIteration);
        check(standard(E::MoveTargetOutOfBounds, "(5, 9000) is out of bounds"), "out_of_view", Fate::NextIteration);
        check(standard(E::InvalidSelector, "An invalid or illegal selector"), "selector", Fate::Stop);
        check(standard(E::UnexpectedAlertOpen, "{Alert text : hello}"), "alert", Fate::NextIteration);
        check(
            standard(E::Timeout, "Timed out receiving message from renderer: 24.986"),
            "timeout",
            Fate::NextIteration,
        );
        check(standard(E::SessionNotCreated, "Chrome instance exited"), "session_not_created", Fate::Restart);
        check(standard(E::UnknownError, "net::ERR_CONNECTION_REFUSED\n  (Session"), "error_page", Fate::Restart);
        check(standard(E::UnknownError, "something new"), "driver_error", Fate::NextIteration);
        check(CmdError::NotJson("<html>".to_owned()), "driver_error", Fate::NextIteration);
    }

    #[test]
    fn what_a_driver_says_steers_no_terminal() {
        assert_eq!(shorten("\u{1b}[31mred\u{7}\n (at line 3)\nmore"), "\u{fffd}[31mred\u{fffd} more");
    }

    #[test]
    fn a_browser_that_refuses_root_says_so_only_when_that_can_be_the_cause() {
        let exited = || Fault::NotCreated { message: "session not created: Chrome instance exited".to_owned() };
        assert_eq!(not_created(exited(), true, false), Fault::RootNeedsNoSandbox);
        assert_eq!(not_created(exited(), true, true), exited());
        assert_eq!(not_created(exited(), false, false), exited());
        let version = || Fault::NotCreated { message: "This version only supports Chrome 99".to_owned() };
        assert_eq!(not_created(version(), true, false), version());
    }

    #[test]
    fn a_message_is_one_short_line_without_the_drivers_addresses() {
        assert_eq!(shorten("no such element\n  (Session info: chrome=156)"), "no such element");
        assert_eq!(shorten(&"ä".repeat(5000)).chars().count(), MESSAGE_LIMIT);
        assert_eq!(
            net_error("unknown error: net::ERR_NAME_NOT_RESOLVED (x)").as_deref(),
            Some("net::ERR_NAME_NOT_RESOLVED")
        );
    }
}
