//! The client against peers that lie, stall, flood and vanish. Each peer is a few lines of WebSocket or TCP server.
#![allow(clippy::unwrap_used, reason = "a peer that cannot play its part has failed the test")]
use std::{future::Future, time::Duration};

use futures_util::{SinkExt, StreamExt};
use heapsoak_devtools::{Address, Client, ConnectOptions, Ending, Error, targets};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::{sleep, timeout},
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

const PATIENCE: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(100);

type Peer = WebSocketStream<TcpStream>;

/// A client connected to a peer that acts out `play`.
async fn client_of<F: Future<Output = ()> + Send + 'static>(
    max_message_bytes: usize,
    play: impl FnOnce(Peer) -> F + Send + 'static,
) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: Address = listener.local_addr().unwrap().to_string().parse().unwrap();
    tokio::spawn(async move { play(accept_async(listener.accept().await.unwrap().0).await.unwrap()).await });
    let options = ConnectOptions { deadline: PATIENCE, max_message_bytes };
    Client::connect_to(&address.socket("/x").unwrap(), &options).await.unwrap()
}

/// The address of a server that writes `bytes` to whoever connects, once it has been asked something.
async fn server_that_says(bytes: Vec<u8>) -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string().parse().unwrap();
    tokio::spawn(async move {
        let mut stream = listener.accept().await.unwrap().0;
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        stream.write_all(&bytes).await.ok();
        sleep(PATIENCE).await;
    });
    address
}

async fn ask(peer: &mut Peer) -> u64 {
    let Some(Ok(Message::Text(text))) = peer.next().await else { panic!("no command") };
    serde_json::from_str::<Value>(&text).unwrap()["id"].as_u64().unwrap()
}

async fn say(peer: &mut Peer, value: Value) {
    peer.send(Message::text(value.to_string())).await.unwrap();
}

#[tokio::test]
async fn late_answers_unknown_ids_and_answers_out_of_order_never_reach_the_wrong_call() {
    let client = client_of(1 << 20, |mut peer| async move {
        let late = ask(&mut peer).await;
        let (first, second) = (ask(&mut peer).await, ask(&mut peer).await);
        for id in [late, 4_000_000_000, second, first, second] {
            say(&mut peer, json!({"id": id, "result": {"id": id}})).await;
        }
        let last = ask(&mut peer).await;
        say(&mut peer, json!({"id": last, "error": {"code": -32000, "message": "no"}})).await;
        peer.next().await;
    })
    .await;
    assert!(client.call("A.late", json!({}), SHORT).await.unwrap_err().is_deadline());
    let (first, second) =
        tokio::join!(client.call("A.first", json!({}), PATIENCE), client.call("A.second", json!({}), PATIENCE));
    assert_eq!((first.unwrap(), second.unwrap()), (json!({"id": 2}), json!({"id": 3})));
    let refused = client.call("A.last", Value::Null, PATIENCE).await.unwrap_err();
    assert_eq!(refused.to_string(), "the peer refused A.last: no (code -32000)");
    assert_eq!(client.unclaimed_answers(), 3);
}

#[tokio::test]
async fn garbage_ends_the_connection_with_a_reason_and_every_wait_with_it() {
    let garbage = [
        Message::text("hello"),
        Message::text("[1]"),
        Message::text(r#"{"id":1}"#),
        Message::text(r#"{"id":1,"result":{}"#),
        Message::text("[".repeat(100_000)),
        Message::binary(r#"{"id":1,"result":{}}"#),
    ];
    for message in garbage {
        let client = client_of(1 << 20, |mut peer| async move {
            ask(&mut peer).await;
            peer.send(message).await.unwrap();
            peer.next().await;
        })
        .await;
        let error = client.call("A.b", json!({}), PATIENCE).await.unwrap_err();
        assert!(matches!(error, Error::Closed { ending: Ending::NotDevTools(_), .. }), "{error:?}");
        assert!(client.call("A.b", json!({}), PATIENCE).await.unwrap_err().is_closed());
    }
}

#[tokio::test]
async fn a_message_over_the_limit_is_not_taken() {
    let client = client_of(10_000, |mut peer| async move {
        let id = ask(&mut peer).await;
        say(&mut peer, json!({"id": id, "result": {"text": "x".repeat(10_000)}})).await;
        peer.next().await;
    })
    .await;
    let error = client.call("A.b", json!({}), PATIENCE).await.unwrap_err();
    assert!(matches!(error, Error::Closed { ending: Ending::Broken(_), .. }), "{error:?}");
}

#[tokio::test]
async fn a_flood_of_events_neither_blocks_a_call_nor_grows_without_end() {
    let client = client_of(1 << 20, |mut peer| async move {
        let id = ask(&mut peer).await;
        for n in 0..20_000 {
            say(&mut peer, json!({"method": "A.flood", "params": {"n": n}})).await;
        }
        say(&mut peer, json!({"id": id, "result": {}})).await;
        peer.next().await;
    })
    .await;
    let mut asleep = client.subscribe();
    let mut other = client.session("S").subscribe();
    client.call("A.b", json!({}), PATIENCE).await.unwrap();
    let read = std::iter::from_fn(|| asleep.try_recv()).count() as u64;
    assert_eq!(read + asleep.dropped(), 20_000);
    assert!(read <= 1024 && other.try_recv().is_none());
}

#[tokio::test]
async fn a_peer_that_reads_nothing_costs_a_deadline_and_is_not_sent_what_nobody_waits_for() {
    let (wake, awake) = oneshot::channel::<()>();
    let client = client_of(1 << 20, |mut peer| async move {
        awake.await.unwrap();
        let mut small = 0;
        loop {
            let Some(Ok(Message::Text(text))) = peer.next().await else { return };
            let command: Value = serde_json::from_str(&text).unwrap();
            small += u64::from(command["method"] == "A.small");
            if command["method"] == "A.last" {
                return say(&mut peer, json!({"id": command["id"], "result": {"small": small}})).await;
            }
        }
    })
    .await;
    // More than the buffers of a socket hold, and less than the peer refuses: from here on nothing can be written.
    let large = json!({"text": "x".repeat(15 << 20)});
    assert!(client.call("A.large", large, SHORT).await.unwrap_err().is_deadline());
    let small = (0..200).map(|_| client.call("A.small", json!({}), SHORT));
    assert!(futures_util::future::join_all(small).await.into_iter().all(|it| it.unwrap_err().is_deadline()));
    wake.send(()).unwrap();
    let last = client.call("A.last", json!({}), PATIENCE).await.unwrap();
    assert_eq!(last, json!({"small": 0}));
}

#[tokio::test]
async fn the_last_handle_takes_the_connection_with_it_even_when_the_peer_reads_nothing() {
    let (wake, awake) = oneshot::channel::<()>();
    let (gone, told) = oneshot::channel();
    let client = client_of(1 << 20, |mut peer| async move {
        awake.await.unwrap();
        while let Some(Ok(_)) = peer.next().await {}
        gone.send(()).unwrap();
    })
    .await;
    assert!(client.call("A.large", json!({"text": "x".repeat(15 << 20)}), SHORT).await.unwrap_err().is_deadline());
    let (closed, mut events) = (client.closed(), client.subscribe());
    let session = client.session("S");
    drop(client);
    assert!(session.call("A.b", json!({}), SHORT).await.unwrap_err().is_deadline(), "a session is a handle, too");
    drop(session);
    assert_eq!(timeout(PATIENCE, closed).await.unwrap(), Ending::Dropped);
    assert_eq!(timeout(PATIENCE, events.recv()).await.unwrap(), None);
    wake.send(()).unwrap();
    timeout(PATIENCE, told).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_cancelled_call_leaves_nothing_behind() {
    let client = client_of(1 << 20, |mut peer| async move {
        let (dropped, kept) = (ask(&mut peer).await, ask(&mut peer).await);
        say(&mut peer, json!({"id": dropped, "result": {"wrong": true}})).await;
        say(&mut peer, json!({"id": kept, "result": {}})).await;
        peer.next().await;
    })
    .await;
    assert!(timeout(SHORT, client.call("A.b", json!({}), PATIENCE)).await.is_err());
    assert_eq!(client.call("A.b", json!({}), PATIENCE).await.unwrap(), json!({}));
    assert_eq!(client.unclaimed_answers(), 1);
}

#[tokio::test]
async fn a_server_that_is_no_devtools_server_is_named_and_hangs_nobody() {
    let answer = |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes();
    let says = [
        b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n".to_vec(),
        b"HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1/json/list\r\ncontent-length: 0\r\n\r\n".to_vec(),
        answer("<html>"),
        answer(r#"{"id":"x"}"#),
        answer(r#"[{"id":1,"type":"page"}]"#),
    ];
    for bytes in says {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let address = server_that_says(bytes.clone()).await;
        let error = targets(&address, PATIENCE).await.unwrap_err();
        assert!(matches!(error, Error::Http { .. }), "{shown}: {error:?}");
        let url = server_that_says(bytes).await.socket("/x").unwrap();
        let options = ConnectOptions { deadline: PATIENCE, ..ConnectOptions::default() };
        let error = Client::connect_to(&url, &options).await.unwrap_err();
        assert!(matches!(error, Error::Http { .. }), "{shown}: {error:?}");
    }
    let silent = server_that_says(Vec::new()).await;
    assert!(targets(&silent, SHORT).await.unwrap_err().is_deadline());
    let url = server_that_says(Vec::new()).await.socket("/x").unwrap();
    let options = ConnectOptions { deadline: SHORT, ..ConnectOptions::default() };
    assert!(Client::connect_to(&url, &options).await.unwrap_err().is_deadline());
}

#[tokio::test]
async fn a_listing_cannot_lead_to_another_host() {
    let body = r#"[{"id":"A","type":"page","webSocketDebuggerUrl":"ws://192.0.2.1:1/devtools/page/A"},{"id":"B","type":"page"}]"#;
    let address =
        server_that_says(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()).await;
    let listed = targets(&address, PATIENCE).await.unwrap();
    assert_eq!(listed[0].socket(&address).unwrap(), address.socket("/devtools/page/A").unwrap());
    assert!(matches!(listed[1].socket(&address), Err(Error::Answer { .. })));
}
