//! The server without a browser: who is answered, what every answer carries, what it costs to be rude.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::stage::{Server, Stage};

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
}

/// The whole answer to a request as it is written, but that the connection ends after it.
fn raw(server: &Server, request: &str) -> String {
    let mut stream = connect(server);
    // A server that has read enough of a request may end the connection before all is written.
    let _ = stream.write_all(request.replacen("\r\n", "\r\nconnection: close\r\n", 1).as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(server: &Server, path: &str) -> String {
    raw(server, &format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", server.address()))
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[test]
fn every_answer_forbids_what_the_page_does_not_need() {
    let stage = Stage::new();
    let server = stage.serve(&["--db", "nowhere.db"]);
    for path in ["/", "/live.js", "/page.css", "/view", "/nothing", "/picture.svg", "/view?width=wide"] {
        let answer = get(&server, path);
        for field in [
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cross-origin-resource-policy: same-origin",
            "cache-control: no-store",
        ] {
            assert!(answer.contains(field), "{path}: {answer}");
        }
    }
}

#[test]
fn only_reading_of_what_is_in_the_table_is_answered() {
    let stage = Stage::new();
    let _feed = stage.store("soak.db", 30);
    let server = stage.serve(&[]);
    let here = server.address();
    for (request, expected) in [
        (format!("GET / HTTP/1.1\r\nhost: {here}\r\n\r\n"), "200"),
        (format!("HEAD / HTTP/1.1\r\nhost: {here}\r\n\r\n"), "200"),
        (format!("HEAD /changes HTTP/1.1\r\nhost: {here}\r\n\r\n"), "200"),
        (format!("POST / HTTP/1.1\r\nhost: {here}\r\ncontent-length: 0\r\n\r\n"), "405"),
        (format!("DELETE /view HTTP/1.1\r\nhost: {here}\r\n\r\n"), "405"),
        (format!("OPTIONS * HTTP/1.1\r\nhost: {here}\r\n\r\n"), "405"),
        ("GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n".to_owned(), "421"),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "421"),
        ("GET / HTTP/1.0\r\n\r\n".to_owned(), "421"),
        (format!("GET http://evil.example/ HTTP/1.1\r\nhost: {here}\r\n\r\n"), "421"),
        (format!("GET /../../etc/passwd HTTP/1.1\r\nhost: {here}\r\n\r\n"), "404"),
        (format!("GET /%2e%2e/etc/passwd HTTP/1.1\r\nhost: {here}\r\n\r\n"), "404"),
        (format!("GET /view?db=/etc/passwd HTTP/1.1\r\nhost: {here}\r\n\r\n"), "404"),
        (format!("GET /soak.db HTTP/1.1\r\nhost: {here}\r\n\r\n"), "404"),
        (format!("GET /view?last=soon HTTP/1.1\r\nhost: {here}\r\n\r\n"), "400"),
        (
            format!("GET / HTTP/1.1\r\nhost: {here}\r\nsec-fetch-site: cross-site\r\nsec-fetch-mode: no-cors\r\n\r\n"),
            "403",
        ),
        (format!("GET /view HTTP/1.1\r\nhost: {here}\r\norigin: http://evil.example\r\n\r\n"), "403"),
        (format!("GET /view HTTP/1.1\r\nhost: {here}\r\norigin: http://127.0.0.1:1\r\n\r\n"), "403"),
        (format!("GET /changes HTTP/1.1\r\nhost: {here}\r\norigin: null\r\n\r\n"), "403"),
        (format!("GET /view HTTP/1.1\r\nhost: {here}\r\norigin: http://{here}\r\n\r\n"), "200"),
        (format!("GET / HTTP/1.1\r\nhost: {here}\r\nx: {}\r\n\r\n", "x".repeat(40_000)), "431"),
        (format!("GET /{} HTTP/1.1\r\nhost: {here}\r\n\r\n", "x".repeat(40_000)), "414"),
    ] {
        let answer = raw(&server, &request);
        let told: String = request.chars().take(90).collect();
        // What does not fit may be cut off before its answer is read.
        let cut = answer.is_empty() && matches!(expected, "431" | "414");
        assert!(
            status(&answer) == expected || cut || (expected == "414" && status(&answer) == "431"),
            "{told:?}: {answer:.300}"
        );
    }
    assert!(get(&server, "/picture.png").contains("content-type: image/png"));
    assert!(get(&server, "/view").contains("\"state\":\"shown\""));
}

#[test]
fn a_picture_is_whole_or_refused_and_no_length_of_time_is_trouble() {
    let stage = Stage::new();
    let _feed = stage.store("soak.db", 30);
    let server = stage.serve(&[]);
    for (path, expected, words) in [
        ("/picture.svg?start=0", "200", "image/svg+xml"),
        ("/picture.png?last=5000d&panel=rss,heap_floor&panel=lag", "200", "image/png"),
        ("/view?start=0&end=99999999999", "200", "\"state\":\"shown\""),
        ("/picture.svg?panel=rss&panel=rsss", "404", "has no source \"rsss\": it has heap_used, rss, dom_nodes, lag"),
        ("/picture.png?panel=rsss", "404", "rsss"),
        // The page shows what there is, and says what is not.
        ("/view?panel=rsss", "200", "\"unknown\":[\"rsss\"]"),
        ("/picture.svg?start=now&end=now-1h", "400", "is after end"),
        ("/view?start=now&end=now-1h", "400", "\"state\":\"refused\""),
        ("/picture.svg?start=5&end=5", "400", "shows no time"),
    ] {
        let answer = get(&server, path);
        assert!(status(&answer) == expected && answer.contains(words), "{path}: {answer:.600}");
    }
}

#[test]
fn listeners_and_connections_have_an_end_and_a_signal_ends_them_all_within_a_second() {
    let stage = Stage::new();
    let _feed = stage.store("soak.db", 30);
    let server = stage.serve(&[]);
    let listen = format!("GET /changes HTTP/1.1\r\nhost: {}\r\n\r\n", server.address());
    let listeners: Vec<(TcpStream, bool)> = (0..30)
        .map(|_| {
            let mut stream = connect(&server);
            stream.write_all(listen.as_bytes()).unwrap();
            let mut head = [0; 12];
            stream.read_exact(&mut head).unwrap();
            let listens = head.ends_with(b"200");
            (stream, listens)
        })
        .collect();
    assert_eq!(listeners.iter().filter(|(_, listens)| *listens).count(), 24);
    // Others are still answered, also beside those that say nothing.
    let _silent: Vec<TcpStream> = (0..20).map(|_| connect(&server)).collect();
    assert_eq!(status(&get(&server, "/view")), "200");
    let (ended, _, took) = server.terminate();
    assert_eq!(ended, Some(0));
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn a_port_that_is_taken_and_an_address_that_others_reach_are_refused_with_the_remedy() {
    let stage = Stage::new();
    let server = stage.serve(&[]);
    for (listen, words) in [(server.address(), "--listen 127.0.0.1:0"), ("0.0.0.0:0", "--allow-remote")] {
        let output = stage.grapher(&["--listen", listen]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.starts_with("grapher: ") && said.contains(words) && said.lines().count() == 1, "{said}");
        assert!(output.stdout.is_empty());
    }
    let open = stage.serve(&["--listen", "0.0.0.0:0", "--allow-remote"]);
    assert!(open.url.starts_with("http://127.0.0.1:"), "{}", open.url);
    let (_, said, _) = open.terminate();
    assert!(said.contains("WARN") && said.contains("no password"), "{said}");
}
