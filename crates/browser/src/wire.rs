//! The connection to a driver: fantoccini's client, with a time limit around it and another one under it.
use std::{future::Future, time::Duration};

use fantoccini::{Client, error::CmdError, wd::WebDriverCompatibleCommand};
use hyper::Method;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::connect::Connect;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tower::ServiceExt as _;
use url::{ParseError, Url};

use crate::{Fault, bounded::Bounded, classify};

/// The connection's own limit lies this far behind the longest deadline: the watchdog speaks first, because it knows
/// what was being done; the limit only frees the client.
const BEHIND: Duration = Duration::from_secs(2);
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A client of the session `id` at `base`, which may hold credentials.
///
/// fantoccini turns them into a header for each command. Its own New Session would copy them into the body as well; so
/// that command is ours ([`NewSession`]) and clients are always made for a session that exists. Its way of closing
/// would send no header; so that is ours too ([`DeleteSession`]) and the client is told not to close by itself.
pub(crate) async fn client(base: &Url, id: &str, longest: Duration) -> Result<Client, Fault> {
    let client = Client::with_existing_session(base.as_str(), id, connector(longest))
        .await
        .map_err(|error| Fault::DriverGone { message: error.to_string() })?;
    client.persist().await.map_err(|error| classify(&error))?;
    Ok(client)
}

fn connector(longest: Duration) -> impl Connect + Clone + Unpin {
    let https = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
    let mut connector = TimeoutConnector::new(https.map_response(Bounded::new));
    connector.set_connect_timeout(Some(CONNECT_LIMIT));
    connector.set_read_timeout(Some(longest + BEHIND));
    connector.set_write_timeout(Some(longest + BEHIND));
    // The clock of the reader also runs while the connection is idle: a command must find it wound up.
    connector.set_reset_reader_on_write(true);
    connector
}

/// A timer that is this much late shows that we were stopped ourselves, or the machine was: an answer may have come.
const OVERSLEPT: Duration = Duration::from_secs(1);

/// Waits until the deadline; once more when we were stopped meanwhile and not there to see an answer. `None`: none came.
pub async fn patiently<T>(deadline: Duration, answer: impl Future<Output = T>) -> Option<T> {
    let (begun, mut answer) = (Instant::now(), std::pin::pin!(answer));
    match timeout(deadline, &mut answer).await {
        Ok(answer) => Some(answer),
        Err(_) if begun.elapsed() > deadline + OVERSLEPT => timeout(deadline, answer).await.ok(),
        Err(_) => None,
    }
}

/// Waits for a command, at most until its deadline.
pub(crate) async fn within<T>(
    what: &str,
    deadline: Duration,
    command: impl Future<Output = Result<T, CmdError>>,
) -> Result<T, Fault> {
    match patiently(deadline, command).await {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(error)) => Err(match classify(&error) {
            Fault::Unresponsive { after, .. } => Fault::Unresponsive { what: what.to_owned(), after },
            fault => fault,
        }),
        None => Err(Fault::Unresponsive { what: what.to_owned(), after: Some(deadline) }),
    }
}

/// WebDriver's New Session, with the whole body.
#[derive(Debug)]
pub(crate) struct NewSession(pub(crate) Value);

impl WebDriverCompatibleCommand for NewSession {
    fn endpoint(&self, base: &Url, _session: Option<&str>) -> Result<Url, ParseError> {
        base.join("session")
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.0.to_string()))
    }

    fn is_new_session(&self) -> bool {
        true
    }
}

/// WebDriver's Navigate To. fantoccini's own first asks the page where it is, which an absolute URL does not need.
#[derive(Debug)]
pub(crate) struct Navigate(pub(crate) String);

impl WebDriverCompatibleCommand for Navigate {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/url", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "url": self.0 }).to_string()))
    }
}

/// WebDriver's Delete Session, with its answer.
#[derive(Debug)]
pub(crate) struct DeleteSession;

impl WebDriverCompatibleCommand for DeleteSession {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        (Method::DELETE, None)
    }
}

/// chromedriver's own endpoint that passes a DevTools command on to the session's page.
#[derive(Debug)]
pub(crate) struct DevTools {
    pub(crate) method: String,
    pub(crate) params: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        let params = if self.params.is_null() { json!({}) } else { self.params.clone() };
        (Method::POST, Some(json!({ "cmd": self.method, "params": params }).to_string()))
    }
}
