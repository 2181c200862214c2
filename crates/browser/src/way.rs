//! How a sampler reaches the page beside the session: which DevTools address a driver's answer gives.
use heapsoak_devtools::{Address, Reach, SocketUrl};
use serde_json::Value;

/// A way to the DevTools protocol of a session's browser, best first.
#[derive(Debug, Clone)]
pub enum Way {
    /// The browser's own server on this machine; the page's target id is [`Session::window`](crate::Session::window).
    Debugger(Address),
    /// A WebSocket to the whole browser, as Selenium Grid offers it; attach to the target `Session::window`.
    Socket(SocketUrl),
    /// Through the driver, by [`Session::commands`](crate::Session::commands).
    Execute,
}

/// What is known about the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Started by us: the address in its answer is one of this machine.
    pub(crate) own: bool,
    /// Its URL holds a password, which a WebSocket would have to carry too.
    pub(crate) credentials: bool,
}

/// Chooses from the capabilities that the driver answered with.
///
/// A driver that we did not start may sit in a container: its `debuggerAddress` is then an address in there, and at
/// the same address here something else may listen. Its own commands reach the right page for sure.
pub(crate) fn choose(capabilities: &Value, place: Place) -> Way {
    let debugger = capabilities["goog:chromeOptions"]["debuggerAddress"].as_str();
    if place.own
        && let Some(address) = debugger.and_then(|text| Address::parse(text, Reach::Loopback).ok())
    {
        return Way::Debugger(address);
    }
    let grid = capabilities["se:cdp"].as_str().filter(|_| !place.credentials);
    match grid.and_then(|text| SocketUrl::parse(text, Reach::Anywhere).ok()) {
        Some(socket) => Way::Socket(socket),
        None => Way::Execute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_address_inside_somebody_elses_container_is_never_dialled_here() {
        let check = |capabilities: Value, own, credentials, expected: &str| {
            let way = format!("{:?}", choose(&capabilities, Place { own, credentials }));
            assert!(way.starts_with(expected), "{capabilities}: {way}");
        };
        let debugger = json!({"goog:chromeOptions": {"debuggerAddress": "localhost:35389"}});
        let grid = json!({"goog:chromeOptions": {"debuggerAddress": "localhost:1"}, "se:cdp": "ws://grid:4444/session/1/se/cdp"});
        check(debugger.clone(), true, false, "Debugger");
        check(debugger, false, false, "Execute");
        check(grid.clone(), false, false, "Socket");
        check(grid, false, true, "Execute");
        check(json!({"se:cdp": "wss://grid/session/1/se/cdp"}), false, false, "Execute");
        check(json!({"goog:chromeOptions": {"debuggerAddress": "10.0.0.1:1"}}), true, false, "Execute");
        check(json!({}), true, false, "Execute");
    }
}
