//! What a DevTools server says: messages, addresses, listings, and a browser's trace.

use heapsoak_devtools::{Address, Reach, SocketUrl, Target, Version, wire};
use serde_json::Value;

/// Feeds one input to it; panics where a promise is broken.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = (wire::head(text), wire::outcome(text), wire::params(text));
    for reach in [Reach::Loopback, Reach::Anywhere] {
        if let Ok(address) = Address::parse(text, reach) {
            assert!(Address::parse(&address.to_string(), reach).is_ok_and(|again| again == address));
            let _ = address.socket(text);
        }
        let _ = SocketUrl::parse(text, reach);
    }
    let _ = (serde_json::from_str::<Vec<Target>>(text), serde_json::from_str::<Version>(text));
    if let Ok(Value::Array(events)) = serde_json::from_str(text) {
        heapsoak_probe::page::read_trace(&events);
    }
}
