//! What befalls a store is a state of the page, and what is in a store is never more than text.

use std::fs;

use serde_json::json;

use crate::page::Page;
use crate::stage::Stage;

const DESK: (u32, u32) = (1280, 900);
const MARKUP: &str =
    "\"'><img src=x onerror=\"window.pwned=1\"><script>window.pwned=1</script><svg onload=window.pwned=1>";

#[tokio::test]
async fn a_store_that_comes_goes_and_is_replaced_is_followed_without_a_reload() {
    let stage = Stage::new();
    let server = stage.serve(&["--db", "soak.db"]);
    let page = Page::open(&server.url, "/", DESK).await;
    page.until("document.querySelector('#says').textContent.includes('does not exist')").await;
    assert_eq!(page.eval("document.body.dataset.state").await, json!("waiting"));
    let feed = stage.store("soak.db", 100);
    page.until_shown().await;
    let verdict = "!document.querySelector('#verdict').hidden";
    page.until(verdict).await;
    let of_the_first = page.text("#verdict summary").await;
    // The recorder was killed a while ago.
    drop(feed);
    stage.store_of("old.db", 900, "http://other/").writer.close().unwrap();
    fs::remove_file(stage.path("soak.db")).unwrap();
    page.until("document.body.dataset.state === 'waiting'").await;
    // What was drawn last is still there, but pale; there is nothing to judge.
    assert_eq!(page.eval(verdict).await, json!(false));
    assert_eq!(page.eval("!!document.querySelector('#canvas svg')").await, json!(true));
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(stage.path(&format!("soak.db{suffix}")));
    }
    fs::rename(stage.path("old.db"), stage.path("soak.db")).unwrap();
    page.until("document.querySelector('#target').textContent.includes('http://other/')").await;
    page.until(verdict).await;
    assert_ne!(page.text("#verdict summary").await, of_the_first);
    fs::File::create(stage.path("junk")).unwrap().set_len(5000).unwrap();
    fs::rename(stage.path("junk"), stage.path("soak.db")).unwrap();
    page.until("document.body.dataset.state === 'trouble'").await;
    assert!(page.text("#says").await.contains("not a heapsoak store"));
    assert_eq!(page.eval(verdict).await, json!(false));
    page.close().await;
}

#[tokio::test]
async fn a_server_that_ends_and_comes_back_is_found_again_and_silence_is_said() {
    let stage = Stage::new();
    let feed = stage.store("soak.db", 60);
    let server = stage.serve(&[]);
    let (url, port) = (server.url.clone(), server.address().to_owned());
    let page = Page::open(&url, "/?last=1m", DESK).await;
    page.until_shown().await;
    let (status, _, _) = server.terminate();
    assert_eq!(status, Some(0));
    page.until("document.body.dataset.state === 'lost'").await;
    // Nothing is written any more.
    let _again = stage.serve(&["--listen", &port]);
    page.until_shown().await;
    page.until("document.querySelector('#recording').textContent.startsWith('no data since')").await;
    drop(feed);
    // The browser itself reports the connections that were refused; nothing else was wrong.
    let complaints = page.end().await;
    assert!(
        complaints.iter().all(|text| text.contains("ERR_CONNECTION_REFUSED") || text.contains("net::ERR")),
        "{complaints:#?}"
    );
}

#[tokio::test]
async fn a_hostile_store_runs_no_script_and_makes_no_element() {
    let stage = Stage::new();
    let name = "<img src=x onerror=window.pwned=1>.db";
    let mut feed = stage.store_of(name, 120, MARKUP);
    for kind in ["navigation", MARKUP, "javascript:window.pwned=1"] {
        feed.event(30, kind, MARKUP);
        feed.event(60, kind, "\u{202e}\u{0}\n]]></script><script>window.pwned=1</script>");
    }
    feed.writer.commit().unwrap();
    let server = stage.serve(&["--db", "."]);
    let mut page = Page::open(&server.url, "/", DESK).await;
    page.until("document.querySelectorAll('.card').length === 1").await;
    page.until("document.querySelector('.thumbnail').complete").await;
    assert_eq!(page.text(".card h2").await, name);
    let link = page.eval("document.querySelector('.card').getAttribute('href')").await;
    page.goto(link.as_str().unwrap()).await;
    page.until_shown().await;
    page.until("document.querySelectorAll('#events button').length === 6").await;
    let x = page
        .eval("import('/plot.js').then(({ view }) => view.marks.find((m) => m.says.includes('onerror')).x)")
        .await
        .as_f64()
        .unwrap();
    let plot = page.point("#plot", 0.0, 0.5).await;
    page.hover_at((plot.0 + x, plot.1)).await;
    page.until("document.querySelector('#readout').textContent.includes('onerror')").await;
    let injected =
        "document.querySelectorAll('img[src=x], [onerror], [onload], script:not([src]), #canvas script').length";
    assert_eq!(page.eval(injected).await, json!(0));
    assert_eq!(page.eval("'pwned' in window").await, json!(false));
    // The picture by itself is a document of its own.
    let query = page.eval("document.querySelector('#as-svg').getAttribute('href')").await;
    page.goto(query.as_str().unwrap()).await;
    assert_eq!(page.eval("[document.documentElement.tagName, 'pwned' in window].join()").await, json!("svg,false"));
    page.close().await;
}

#[tokio::test]
async fn values_that_are_damaged_and_sources_that_are_not_there_are_said() {
    let stage = Stage::new();
    stage.store("soak.db", 300).writer.close().unwrap();
    let sql = "update point set value = 1e9 where slot % 7 = 0 and source = (select min(source) from point)";
    let done = std::process::Command::new("sqlite3").arg(stage.path("soak.db")).arg(sql).status().unwrap();
    assert!(done.success());
    let server = stage.serve(&[]);
    let page = Page::open(&server.url, "/?panel=heap_used&panel=gone", DESK).await;
    page.until_shown().await;
    let says = page.text("#says").await;
    assert!(says.contains("values are damaged and left out"), "{says}");
    assert!(says.contains("not in this store: gone"), "{says}");
    page.click("summary").await;
    page.eval("(() => { document.querySelector('#start').value = 'yesteryear'; document.querySelector('#more').requestSubmit(); })()").await;
    page.until("document.querySelector('#says').textContent.includes('yesteryear')").await;
    let complaints = page.end().await;
    assert!(complaints.iter().all(|text| text.contains("400")), "{complaints:#?}");
}
