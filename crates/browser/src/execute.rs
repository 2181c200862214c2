//! DevTools commands through the driver, for sessions whose browser cannot be reached directly.
use std::{sync::Arc, time::Duration};

use fantoccini::{Client, error::CmdError};
use heapsoak_devtools::{Answer, Commands, Ending, Error};
use serde_json::Value;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use crate::{Fault, classify, wire::DevTools};

/// JSON-RPC's code for "the server failed"; the driver does not pass the real one on in a form of its own.
const SERVER_ERROR: i64 = -32_000;
const NO_SUCH_METHOD: i64 = -32_601;

/// DevTools commands of a session's page by chromedriver's `goog/cdp/execute`: about 2 ms each.
///
/// It has a connection of its own, so it waits in no queue of ours; but the driver does one command of a session after
/// the other. One command is under way at a time: while the driver hangs, calls end at their deadline and leave
/// nothing behind.
#[derive(Debug, Clone)]
pub struct Execute {
    client: Arc<Mutex<Client>>,
}

impl Execute {
    pub(crate) fn new(client: Client) -> Execute {
        Execute { client: Arc::new(Mutex::new(client)) }
    }

    async fn send(&self, method: &str, params: Value, deadline: Duration) -> Result<Value, Error> {
        let late = || Error::Deadline { what: method.to_owned(), after: deadline };
        let until = Instant::now() + deadline;
        let client = timeout_at(until, Arc::clone(&self.client).lock_owned()).await.map_err(|_| late())?;
        let command = DevTools { method: method.to_owned(), params };
        // The lock goes with the command, not with the caller: who gives up at the deadline does not let the next in.
        let answer = tokio::spawn(async move { client.issue_cmd(command).await });
        match timeout_at(until, answer).await {
            Err(_) => Err(late()),
            Ok(Err(_)) => Err(Error::Closed { what: method.to_owned(), ending: Ending::Dropped }),
            Ok(Ok(answer)) => answer.map_err(|error| translate(method, deadline, &error)),
        }
    }
}

impl Commands for Execute {
    fn call<'a>(&'a self, method: &'a str, params: Value, deadline: Duration) -> Answer<'a> {
        Box::pin(self.send(method, params, deadline))
    }
}

/// A WebDriver error in DevTools' words.
fn translate(method: &str, deadline: Duration, error: &CmdError) -> Error {
    let closed = |ending| Error::Closed { what: method.to_owned(), ending };
    match classify(error) {
        Fault::RendererCrash | Fault::BrowserGone { .. } | Fault::WindowGone => closed(Ending::PeerClosed),
        Fault::DriverGone { message } => closed(Ending::Broken(message)),
        Fault::Unresponsive { .. } => Error::Deadline { what: method.to_owned(), after: deadline },
        fault => Error::Protocol {
            method: method.to_owned(),
            code: if error.is_unknown_command() { NO_SUCH_METHOD } else { SERVER_ERROR },
            message: fault.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fantoccini::error::{ErrorStatus, WebDriver};

    #[test]
    fn a_sampler_can_tell_a_refusal_from_an_end() {
        let error = |status| translate("X.y", Duration::ZERO, &CmdError::Standard(WebDriver::new(status, "words")));
        assert!(error(ErrorStatus::InvalidSessionId).is_closed());
        assert!(matches!(error(ErrorStatus::UnknownCommand), Error::Protocol { code: NO_SUCH_METHOD, .. }));
        assert!(matches!(error(ErrorStatus::UnknownError), Error::Protocol { code: SERVER_ERROR, .. }));
        let lost = CmdError::Lost(std::io::Error::from(std::io::ErrorKind::TimedOut));
        assert!(translate("X.y", Duration::ZERO, &lost).is_deadline());
    }
}
