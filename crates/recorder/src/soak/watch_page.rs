//! From a WebDriver session to the probe of its page, by the best way that there is.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use heapsoak_browser::{Session, Way};
use heapsoak_devtools::{Client, ConnectOptions};
use heapsoak_probe::page::{Page, PageGc};
use serde_json::json;

/// Each step of attaching answers within milliseconds.
const DEADLINE: Duration = Duration::from_secs(5);

/// Attaches beside the session: on a connection of its own where the browser can be reached, else through the driver.
pub(crate) async fn connect(session: &Session) -> anyhow::Result<Page> {
    match session.devtools_way() {
        Way::Debugger(address) => Ok(Page::connect(&address, session.window(), DEADLINE).await?.0),
        Way::Socket(socket) => {
            let browser = Client::connect_to(&socket, &ConnectOptions::default()).await?;
            let target = json!({ "targetId": session.window(), "flatten": true });
            let answer = browser.call("Target.attachToTarget", target, DEADLINE).await?;
            let id = answer["sessionId"].as_str().context("the browser attached without naming its session")?;
            Ok(Page::attach(Arc::new(browser.session(id)), DEADLINE).await?)
        }
        Way::Execute => Ok(Page::attach(Arc::new(session.commands().await?), DEADLINE).await?),
    }
}

/// Watches the page's garbage collections, where the browser can be reached; elsewhere they are unknown.
pub(crate) fn collections(session: &Session) -> Option<PageGc> {
    match session.devtools_way() {
        Way::Debugger(address) => Some(PageGc::watch(address, session.window().to_owned())),
        Way::Socket(_) | Way::Execute => None,
    }
}
