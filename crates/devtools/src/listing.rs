//! What a DevTools server says over plain HTTP: its version, and the targets that can be watched.
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1, header::HOST};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::{task::JoinSet, time::timeout};
use url::Url;

use crate::{Address, Error, SocketUrl};

/// Longest listing taken, in bytes: pages with `data:` URLs of a few hundred kB are listed with all of it.
const MAX_LISTING: usize = 16 << 20;

/// A target that a DevTools server offers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Target {
    /// The server's name for it. For a browser's page this is also its WebDriver window handle.
    pub id: String,
    /// `page`, `iframe`, `service_worker`, `browser`, `node` …
    #[serde(rename = "type")]
    pub kind: String,
    /// The document's URL as asked for (an error page keeps the URL that failed), or a Node program's `file://` URL.
    #[serde(default)]
    pub url: String,
    /// The document's title, or a Node program's script.
    #[serde(default)]
    pub title: String,
    /// Its socket as the server names it; none when the server takes no further client. Use [`Target::socket`].
    #[serde(rename = "webSocketDebuggerUrl", default)]
    pub web_socket_debugger_url: Option<String>,
}

impl Target {
    /// The socket of this target at the server that was asked: only the path is taken from the listing, so that it
    /// cannot lead to another host, and so that it works through a forwarded port.
    ///
    /// # Errors
    /// [`Error::Answer`] when the listing names no usable socket.
    pub fn socket(&self, address: &Address) -> Result<SocketUrl, Error> {
        socket_of(self.web_socket_debugger_url.as_deref(), address, "/json/list")
    }
}

/// What a DevTools server is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Version {
    /// Product and version: `Chrome/156.0.…`, `node.js/v20.…`.
    #[serde(rename = "Browser")]
    pub product: String,
    /// Version of the protocol: `1.3`.
    #[serde(rename = "Protocol-Version", default)]
    pub protocol: String,
    /// The browser's own socket; Node has none. Use [`Version::socket`].
    #[serde(rename = "webSocketDebuggerUrl", default)]
    pub web_socket_debugger_url: Option<String>,
}

impl Version {
    /// The browser's own socket at the server that was asked.
    ///
    /// # Errors
    /// [`Error::Answer`] when the server names none, as Node does.
    pub fn socket(&self, address: &Address) -> Result<SocketUrl, Error> {
        socket_of(self.web_socket_debugger_url.as_deref(), address, "/json/version")
    }
}

/// The targets of the server at `address` (`GET /json/list`), within `deadline`.
///
/// # Errors
/// [`Error::Connect`], [`Error::Deadline`], and [`Error::Http`] for an answer that is not such a list.
pub async fn targets(address: &Address, deadline: Duration) -> Result<Vec<Target>, Error> {
    ask(address, "/json/list", deadline).await
}

/// What the server at `address` is (`GET /json/version`), within `deadline`.
///
/// # Errors
/// As [`targets`].
pub async fn version(address: &Address, deadline: Duration) -> Result<Version, Error> {
    ask(address, "/json/version", deadline).await
}

fn socket_of(listed: Option<&str>, address: &Address, path: &str) -> Result<SocketUrl, Error> {
    let wrong = |reason: String| Error::Answer { method: path.to_owned(), reason };
    let listed = listed.ok_or_else(|| wrong("it names no socket, perhaps another debugger holds it".to_owned()))?;
    let url = Url::parse(listed).map_err(|error| wrong(format!("its socket is not a URL, {error}")))?;
    address.socket(url.path())
}

async fn ask<T: DeserializeOwned>(address: &Address, path: &str, deadline: Duration) -> Result<T, Error> {
    let late = |_| Error::Deadline { what: format!("{path} of {address}"), after: deadline };
    let body = timeout(deadline, get(address, path)).await.map_err(late)??;
    serde_json::from_slice(&body).map_err(|error| http_error(address, path, &error))
}

async fn get(address: &Address, path: &str) -> Result<Bytes, Error> {
    let stream = address.dial().await?;
    let failed = |error: hyper::Error| http_error(address, path, &error);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // Dropped with this future, the set ends the connection's task: a deadline leaves nothing behind.
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let request = Request::get(path)
        .header(HOST, address.to_string())
        .body(Empty::<Bytes>::new())
        .map_err(|error| http_error(address, path, &error))?;
    let response = sender.send_request(request).await.map_err(failed)?;
    if response.status() != StatusCode::OK {
        return Err(http_error(address, path, &format!("HTTP status {}", response.status())));
    }
    let body = Limited::new(response.into_body(), MAX_LISTING).collect().await;
    Ok(body.map_err(|error| http_error(address, path, &error))?.to_bytes())
}

fn http_error(address: &Address, path: &str, reason: &dyn std::fmt::Display) -> Error {
    // The words may quote what the server sent.
    let reason = reason.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
    Error::Http { address: address.to_string(), path: path.to_owned(), reason }
}
