//! A page probe against a real Chromium: its readings, what disturbs it, and what it leaves behind.
#![allow(clippy::unwrap_used, reason = "a test that cannot reach its browser has failed")]
#[path = "../../devtools/tests/support/mod.rs"]
mod support;

use std::{
    process::Command,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use heapsoak_devtools::{Client, Commands, Ending};
use heapsoak_probe::{
    Error,
    page::{Loss, Page, PageReading, lost},
    process::{Kind, tree},
};
use serde_json::{Value, json};
use support::{PATIENCE, Victim, chromium, page_target};
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

async fn open(url: &str) -> (Victim, Page, Client) {
    let (browser, address) = chromium(url).await;
    let target = page_target(&address).await;
    let (page, client) = Page::connect(&address, &target.id, PATIENCE).await.unwrap();
    (browser, page, client)
}

/// The first sample in which all is known, once the document is loaded whose URL begins so.
async fn settled(page: &mut Page, client: &Client, url: &str) -> PageReading {
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < PATIENCE, "{url} is not shown");
        sleep(Duration::from_millis(20)).await;
        if !page.document_url(PATIENCE).await.unwrap().starts_with(url)
            || evaluate(client, "document.readyState").await != "complete"
        {
            continue;
        }
        let reading = page.sample(PATIENCE).await.unwrap();
        if all(&reading).iter().all(Option::is_some) {
            return reading;
        }
    }
}

async fn evaluate(client: &Client, expression: &str) -> Value {
    let params = json!({"expression": expression, "returnByValue": true});
    client.call("Runtime.evaluate", params, PATIENCE).await.unwrap()["result"]["value"].clone()
}

fn all(reading: &PageReading) -> [Option<f64>; 7] {
    let PageReading { heap_used, heap_total, embedder_heap, backing_store, dom_nodes, listeners, documents } = *reading;
    [heap_used, heap_total, embedder_heap, backing_store, dom_nodes, listeners, documents]
}

#[tokio::test]
async fn every_reading_follows_what_it_is_named_for_and_survives_a_change_of_process() {
    let (_browser, mut page, client) = open("data:text/html,<p>one</p>").await;
    let before = settled(&mut page, &client, "data:text/html,").await;
    let grow = "window.kept = [new ArrayBuffer(8e6), Array.from({length: 2e5}, (_, n) => ({n}))];
        for (let n = 0; n < 20000; n++) document.body.append(document.createElement('b'));
        for (let n = 0; n < 50; n++) addEventListener('x' + n, () => n); 0";
    evaluate(&client, grow).await;
    let after = settled(&mut page, &client, "data:text/html,").await;
    let grown = |of: fn(&PageReading) -> Option<f64>| of(&after).unwrap() - of(&before).unwrap();
    assert!(grown(|it| it.heap_used) > 2e6, "{before:?} {after:?}");
    assert!(after.heap_total >= after.heap_used);
    assert!(grown(|it| it.backing_store) >= 8e6, "{before:?} {after:?}");
    assert!(grown(|it| it.embedder_heap) > 5e5, "{before:?} {after:?}");
    assert_eq!((grown(|it| it.dom_nodes), grown(|it| it.listeners)), (20_000.0, 50.0));

    // A port where nothing listens: `chrome-error:` lives in a process of its own.
    client.call("Page.navigate", json!({"url": "http://127.0.0.1:1/"}), PATIENCE).await.unwrap();
    let moved = settled(&mut page, &client, "chrome-error://chromewebdata/").await;
    assert_ne!(moved.dom_nodes, after.dom_nodes);
}

#[tokio::test]
async fn a_busy_page_still_says_its_heap_and_the_rest_is_unknown() {
    let (_browser, mut page, client) = open("about:blank").await;
    page.sample(PATIENCE).await.unwrap();
    evaluate(&client, "setTimeout(() => { const end = Date.now() + 2500; while (Date.now() < end); }, 0); 0").await;
    sleep(Duration::from_millis(100)).await;
    let start = Instant::now();
    for _ in 0..2 {
        let busy = page.sample(SECOND).await.unwrap();
        assert!(busy.heap_used.is_some() && busy.dom_nodes.is_some(), "{busy:?}");
        assert_eq!((busy.embedder_heap, busy.backing_store), (None, None));
    }
    assert!(start.elapsed() < Duration::from_millis(1800), "{:?}", start.elapsed());
    let start = Instant::now();
    while page.sample(SECOND).await.unwrap().embedder_heap.is_none() {
        assert!(start.elapsed() < PATIENCE);
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(client.unclaimed_answers(), 0, "each command waited for the one before");
}

#[tokio::test]
async fn sampling_leaves_nothing_in_the_page() {
    let (_browser, mut page, _client) = open("about:blank").await;
    let floor = async |page: &Page| {
        // The second collection takes what finalisers of the first one let go.
        page.collector().collect(PATIENCE).await.unwrap();
        page.collector().collect(PATIENCE).await.unwrap().after
    };
    for _ in 0..50 {
        page.sample(PATIENCE).await.unwrap();
    }
    let before = floor(&page).await;
    let start = Instant::now();
    for _ in 0..300 {
        assert!(page.sample(PATIENCE).await.unwrap().heap_used.is_some());
    }
    let each = start.elapsed() / 300;
    let grown = floor(&page).await - before;
    println!("{grown} bytes in 300 samples of {each:?} each");
    // One object handle kept by each sample would be 9,600 bytes.
    assert!(grown.abs() < 3000.0, "{grown} bytes in 300 samples");
}

#[tokio::test]
async fn a_dead_page_is_an_error_and_a_stopped_one_is_unknown() {
    let (browser, address) = chromium("about:blank").await;
    let target = page_target(&address).await;
    let (mut page, client) = Page::connect(&address, &target.id, PATIENCE).await.unwrap();
    let missing = Page::connect(&address, "no such window", PATIENCE).await;
    assert!(matches!(missing, Err(Error::NoSuchPage { listed: 1.., .. })));

    browser.signal("-STOP");
    for _ in 0..3 {
        assert_eq!(page.sample(Duration::from_millis(100)).await.unwrap(), PageReading::default());
    }
    browser.signal("-KILL");
    client.closed().await;
    for _ in 0..2 {
        assert!(matches!(page.sample(SECOND).await, Err(Error::DevTools(error)) if error.is_closed()));
    }
}

#[tokio::test]
async fn a_crashed_page_is_told_at_once_and_a_reload_brings_its_readings_back() {
    let (browser, mut page, client) = open("about:blank").await;
    let (crash, mut second) = (lost(&client), lost(&client).boxed());
    for process in tree(browser.pid()).unwrap().into_iter().filter(|process| process.kind == Kind::Renderer) {
        Command::new("kill").args(["-KILL", &process.pid.to_string()]).status().unwrap();
    }
    assert_eq!(timeout(PATIENCE, crash).await.unwrap(), Loss::Crashed);
    assert_eq!(page.sample(Duration::from_millis(100)).await.unwrap(), PageReading::default());
    client.call("Page.navigate", json!({"url": "data:text/html,back"}), PATIENCE).await.unwrap();
    settled(&mut page, &client, "data:text/html,back").await;
    assert_eq!((&mut second).now_or_never(), Some(Loss::Crashed));
    let closed = lost(&client);
    browser.signal("-KILL");
    assert_eq!(timeout(PATIENCE, closed).await.unwrap(), Loss::Closed(Ending::PeerClosed));
}

#[tokio::test]
async fn a_navigation_in_the_midst_of_a_sample_is_at_most_unknown() {
    let (_browser, mut page, client) = open("about:blank").await;
    let sampling = async {
        let (mut known, mut taken) = (0, 0);
        loop {
            known += usize::from(page.sample(SECOND).await.unwrap().heap_used.is_some());
            taken += 1;
            println!("{known} of {taken} samples known");
            sleep(Duration::from_millis(10)).await;
        }
    };
    let navigating = async {
        // From one process to another and back.
        for url in ["http://127.0.0.1:1/", "data:text/html,x"].repeat(4) {
            client.call("Page.navigate", json!({"url": url}), PATIENCE).await.unwrap();
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = navigating => {}
        () = sampling => {}
    }
    settled(&mut page, &client, "data:text/html,x").await;
}

#[tokio::test]
async fn strange_answers_are_unknown_and_never_zero() {
    struct Strange(Value);
    impl Commands for Strange {
        fn call<'a>(&'a self, _: &'a str, _: Value, _: Duration) -> heapsoak_devtools::Answer<'a> {
            Box::pin(async { Ok(self.0.clone()) })
        }
    }
    for answer in [
        json!(null),
        json!([]),
        json!({"metrics": 7}),
        json!({"metrics": [7, {}, {"name": "Nodes"}, {"name": "JSHeapUsedSize", "value": "1"}]}),
        json!({"metrics": [{"name": "Nodes", "value": -1}], "embedderHeapUsedSize": -1, "backingStorageSize": null}),
    ] {
        let mut page = Page::attach(std::sync::Arc::new(Strange(answer.clone())), SECOND).await.unwrap();
        assert_eq!(page.sample(SECOND).await.unwrap(), PageReading::default(), "{answer}");
    }
}
