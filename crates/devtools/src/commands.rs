//! The one thing a sampler needs: "send a command, get its answer", whatever carries it.
use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::Error;

/// A pending answer: the `result` object of the command, or why there is none.
pub type Answer<'a> = BoxFuture<'a, Result<Value, Error>>;

/// A way to send DevTools commands: a WebSocket, one of its sessions, or a WebDriver server that passes them on.
///
/// Implementors keep three promises: the future ends at `deadline` at the latest ([`Error::Deadline`]); after a
/// late answer the way stays usable; when the peer is gone calls fail at once with [`Error::Closed`].
pub trait Commands: Send + Sync {
    /// Sends `method` (`Domain.name`) with `params` (an object, or null for none) and waits for its result.
    fn call<'a>(&'a self, method: &'a str, params: Value, deadline: Duration) -> Answer<'a>;
}

impl<T: Commands + ?Sized> Commands for Arc<T> {
    fn call<'a>(&'a self, method: &'a str, params: Value, deadline: Duration) -> Answer<'a> {
        (**self).call(method, params, deadline)
    }
}

impl<T: Commands + ?Sized> Commands for Box<T> {
    fn call<'a>(&'a self, method: &'a str, params: Value, deadline: Duration) -> Answer<'a> {
        (**self).call(method, params, deadline)
    }
}
