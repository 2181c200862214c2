//! What can go wrong between us and a DevTools peer, told apart by what the caller must do about it.
use std::{io, time::Duration};

/// Why a connection is over. Once it is over it never comes back: connect anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ending {
    /// The peer closed the socket, or died and the kernel closed it.
    #[error("the peer closed the connection")]
    PeerClosed,
    /// The transport failed, or the peer broke the rules of the WebSocket protocol.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The peer sent something that is no DevTools message, so nothing it says can be trusted.
    #[error("the peer does not speak the DevTools protocol: {0}")]
    NotDevTools(String),
    /// The last handle was dropped, or the runtime that carried the connection ended.
    #[error("this side ended the connection")]
    Dropped,
}

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A host:port or a ws:// URL could not be understood. `text` never holds a URL's path or password.
    #[error("'{text}' is not a DevTools address: {reason}; give HOST:PORT or ws://HOST:PORT/PATH")]
    Address {
        /// What was given, without path, query and credentials.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The address is not on this machine and the caller did not allow that.
    #[error(
        "{host} is not on this machine: whoever holds a DevTools port may run code through it; \
         use a loopback address, or allow remote addresses on purpose"
    )]
    NotLoopback {
        /// The host that was refused.
        host: String,
    },
    /// No connection to the address.
    #[error("cannot connect to {address}: {source}; is the browser or the inspector running there")]
    Connect {
        /// `host:port`.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// Something answers at the address, but not as a DevTools server.
    #[error("{address} did not answer {path} as a DevTools server: {reason}; check that the port is the debugger's")]
    Http {
        /// `host:port`.
        address: String,
        /// The path asked for (`/json/list`), or `the WebSocket handshake`.
        path: String,
        /// What came instead.
        reason: String,
    },
    /// No answer in time. The connection is still usable; the answer, should it come, is dropped.
    #[error("no answer to {what} within {} ms; the peer is busy or stopped", after.as_millis())]
    Deadline {
        /// The method, or what was being done.
        what: String,
        /// How long was waited.
        after: Duration,
    },
    /// The connection is over.
    #[error("{what} cannot be done: {ending}; connect again")]
    Closed {
        /// The method that was called.
        what: String,
        /// Why the connection is over.
        ending: Ending,
    },
    /// The peer refused the command.
    #[error("the peer refused {method}: {message} (code {code})")]
    Protocol {
        /// The method that was called.
        method: String,
        /// JSON-RPC error code (-32601 no such method, -32000 server error, -32001 no such session).
        code: i64,
        /// The peer's words, at most 500 characters of them.
        message: String,
    },
    /// The peer's answer has not the shape that the method promises.
    #[error("the answer to {method} is not understood: {reason}; the peer may be of an unknown version")]
    Answer {
        /// The method that was called.
        method: String,
        /// What is missing or wrong.
        reason: String,
    },
}

impl Error {
    /// True when the peer is only late: the connection is worth keeping.
    pub fn is_deadline(&self) -> bool {
        matches!(self, Error::Deadline { .. })
    }

    /// True when the connection is over: every later call fails at once.
    pub fn is_closed(&self) -> bool {
        matches!(self, Error::Closed { .. })
    }
}
