//! The client against the peers it is for: a real Chromium and a real Node.
mod support;

use std::time::{Duration, Instant};

use heapsoak_devtools::{Client, ConnectOptions, Ending, Error, targets, version};
use serde_json::json;
use support::{PATIENCE, chromium, node, page_target};
use tokio::time::timeout;

#[tokio::test]
async fn a_browser_answers_on_a_page_socket_and_on_a_flattened_session() {
    let (_browser, address) = chromium("data:text/html,<title>soak</title><p>hello").await;
    let version = version(&address, PATIENCE).await.unwrap();
    assert!(version.product.starts_with("Chrome/"), "{version:?}");

    let target = page_target(&address).await;
    let page = Client::connect_to(&target.socket(&address).unwrap(), &ConnectOptions::default()).await.unwrap();
    let usage = page.call("Runtime.getHeapUsage", json!({}), PATIENCE).await.unwrap();
    assert!(usage["usedSize"].as_f64().unwrap() > 1e5, "{usage}");

    let browser = Client::connect_to(&version.socket(&address).unwrap(), &ConnectOptions::default()).await.unwrap();
    let session = browser.attach(&target.id, PATIENCE).await.unwrap();
    let mut events = session.subscribe();
    session.call("Runtime.enable", json!({}), PATIENCE).await.unwrap();
    let event = timeout(PATIENCE, events.recv()).await.unwrap().unwrap();
    assert_eq!(event.method, "Runtime.executionContextCreated");

    let refused = page.call("No.such", json!({}), PATIENCE).await;
    assert!(matches!(refused, Err(Error::Protocol { code: -32601, .. })), "{refused:?}");
    let stranger = browser.session("no such session").call("Runtime.getHeapUsage", json!({}), PATIENCE).await;
    assert!(matches!(stranger, Err(Error::Protocol { code: -32001, .. })), "{stranger:?}");
    let missing = "no such target";
    assert!(matches!(browser.attach(missing, PATIENCE).await, Err(Error::Protocol { .. })));
}

#[tokio::test]
async fn a_stopped_browser_hangs_nobody_and_a_killed_one_is_noticed_at_once() {
    let (browser, address) = chromium("about:blank").await;
    let url = version(&address, PATIENCE).await.unwrap().socket(&address).unwrap();
    let client = Client::connect_to(&url, &ConnectOptions::default()).await.unwrap();
    client.call("Browser.getVersion", json!({}), PATIENCE).await.unwrap();

    browser.signal("-STOP");
    let short = Duration::from_millis(150);
    for _ in 0..3 {
        let late = client.call("Browser.getVersion", json!({}), short).await;
        assert!(late.unwrap_err().is_deadline());
    }
    let options = ConnectOptions { deadline: short, ..ConnectOptions::default() };
    assert!(Client::connect_to(&url, &options).await.unwrap_err().is_deadline());
    assert!(version(&address, short).await.unwrap_err().is_deadline());

    browser.signal("-CONT");
    client.call("Browser.getVersion", json!({}), PATIENCE).await.unwrap();
    assert_eq!(client.unclaimed_answers(), 3, "late answers are dropped, not taken for later ones");

    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.call("Target.getTargets", json!({}), PATIENCE).await }
    });
    browser.signal("-STOP");
    browser.signal("-KILL");
    let start = Instant::now();
    assert_eq!(timeout(PATIENCE, client.closed()).await.unwrap(), Ending::PeerClosed);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    // Whether the call was answered before the kill is chance; that it has ended is not.
    timeout(Duration::from_secs(1), waiting).await.unwrap().unwrap().ok();
    let start = Instant::now();
    let after = client.call("Browser.getVersion", json!({}), PATIENCE).await;
    assert!(after.unwrap_err().is_closed() && start.elapsed() < Duration::from_millis(100));
    assert!(version(&address, Duration::from_secs(1)).await.is_err());
}

#[tokio::test]
async fn a_node_program_answers_on_its_inspector() {
    let (program, url) = node("setInterval(() => {}, 1000)").await;
    let client = Client::connect(&url, PATIENCE).await.unwrap();
    let usage = client.call("Runtime.getHeapUsage", json!({}), PATIENCE).await.unwrap();
    assert!(usage["usedSize"].as_f64().unwrap() > 1e6, "{usage}");

    let address = url.strip_prefix("ws://").and_then(|rest| rest.split('/').next()).unwrap().parse().unwrap();
    let target = targets(&address, PATIENCE).await.unwrap().remove(0);
    assert_eq!((target.kind.as_str(), target.socket(&address).unwrap()), ("node", url.parse().unwrap()));
    assert!(version(&address, PATIENCE).await.unwrap().product.starts_with("node.js/"));

    program.signal("-KILL");
    assert_eq!(timeout(PATIENCE, client.closed()).await.unwrap(), Ending::PeerClosed);
}
