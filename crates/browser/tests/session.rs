//! Sessions with the real browser on pages of our own: the whole way, and each fault as it really comes.
#![allow(clippy::unwrap_used, reason = "helper functions of tests")]
mod support;

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use heapsoak_browser::{Driver, DriverOptions, Fate, Fault, Session, SessionOptions, Way, find};
use heapsoak_devtools::{Client, Commands, targets};
use nix::{sys::signal::Signal, unistd::geteuid};
use serde_json::json;
use support::{ALERT, STEADY, TALL, answer, driver, end, options, serve, session, strike, stub};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_session_leaves_no_process_and_no_folder() {
    let driver = driver().await;
    let mut session = session(&driver, STEADY).await;
    session.hover("#kw").await.unwrap();
    let facts = session.facts();
    assert!(facts.browser_pid.is_some() && facts.browser_version.contains('.'), "{facts:?}");
    assert_eq!(facts.browser_version.split('.').next(), facts.driver_version.split('.').next());
    assert!(std::fs::read_dir(driver.run_dir().unwrap()).unwrap().count() > 0);
    let start = Instant::now();
    session.close(2 * SECOND).await.unwrap();
    println!("closed after {:?}", start.elapsed());
    end(driver).await;
    println!("all gone after {:?}", start.elapsed());
}

/// The browser makes a socket beneath its folder, and its name has an end.
#[tokio::test]
async fn a_long_name_of_the_temporary_folder_keeps_no_browser_from_starting() {
    let parent = tempfile::tempdir_in("/tmp").unwrap();
    for bytes in [46, 47, 200] {
        let long = parent.path().join("x".repeat(bytes - parent.path().as_os_str().len() - 1));
        std::fs::create_dir(&long).unwrap();
        let options = DriverOptions {
            temp_dir: long.clone(),
            ..DriverOptions::new(stub(), &["guardian"], find::driver().unwrap())
        };
        let driver = Driver::start(&options).await.unwrap();
        assert_eq!(driver.run_dir().unwrap().starts_with(&long), bytes == 46, "{:?}", driver.run_dir());
        session(&driver, STEADY).await.close(2 * SECOND).await.unwrap();
        end(driver).await;
    }
}

/// The handle that chromedriver keeps for each pointer action would show as 100 B an iteration.
#[tokio::test]
async fn the_hover_leaves_nothing_in_the_pages_heap() {
    let driver = driver().await;
    let mut session = session(&driver, STEADY).await;
    let Way::Debugger(address) = session.devtools_way() else { panic!("{:?}", session.devtools_way()) };
    let pages = targets(&address, SECOND).await.unwrap();
    let page = pages.iter().find(|target| target.id == session.window()).unwrap();
    let devtools = Client::connect_to(&page.socket(&address).unwrap(), &Default::default()).await.unwrap();
    let mut heap = Vec::new();
    for _ in 0..3 {
        for _ in 0..60 {
            session.hover("#kw").await.unwrap();
        }
        for _ in 0..2 {
            devtools.call("HeapProfiler.collectGarbage", json!({}), 5 * SECOND).await.unwrap();
        }
        let usage = devtools.call("Runtime.getHeapUsage", json!({}), SECOND).await.unwrap();
        heap.push(usage["usedSize"].as_f64().unwrap());
    }
    let growth = (heap[2] - heap[0]) / 120.0;
    assert!(growth < 5.0, "{growth} B per hover: {heap:?}");
    end(driver).await;
}

#[tokio::test]
async fn a_crashed_page_is_told_and_the_driver_gives_another_session() {
    let driver = driver().await;
    let mut first = session(&driver, STEADY).await;
    strike(&driver, "--type=renderer", Signal::SIGKILL);
    let fault = first.hover("#kw").await.unwrap_err();
    assert_eq!((&fault, fault.fate()), (&Fault::RendererCrash, Fate::Restart));
    let _ = first.close(2 * SECOND).await;
    session(&driver, STEADY).await.hover("#kw").await.unwrap();
    end(driver).await;
}

#[tokio::test]
async fn a_killed_browser_is_told_from_a_killed_driver() {
    let mut driver = driver().await;
    let mut first = session(&driver, STEADY).await;
    strike(&driver, "--user-data-dir=", Signal::SIGKILL);
    let fault = first.hover("#kw").await.unwrap_err();
    assert_eq!(fault.kind(), "browser_crash", "{fault}");
    let mut second = session(&driver, STEADY).await;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(driver.pid().unwrap()), Signal::SIGKILL).unwrap();
    let ended = tokio::time::timeout(3 * SECOND, driver.ended()).await.unwrap();
    assert!(ended.to_string().contains("the driver ended"), "{ended}");
    let fault = second.hover("#kw").await.unwrap_err();
    assert_eq!((fault.kind(), fault.fate()), ("driver_crash", Fate::Restart), "{fault}");
    end(driver).await;
}

#[tokio::test]
async fn a_stopped_driver_costs_no_more_than_the_deadline_and_is_still_ended() {
    let driver = driver().await;
    let short = SessionOptions { command_deadline: SECOND, ..options() };
    let mut session = Session::open(&driver, &short).await.unwrap();
    session.goto(&serve(STEADY)).await.unwrap();
    session.hover("#kw").await.unwrap();
    strike(&driver, "chromedriver", Signal::SIGSTOP);
    let start = Instant::now();
    let fault = session.hover("#kw").await.unwrap_err();
    assert_eq!((fault.kind(), fault.fate()), ("unresponsive", Fate::Restart));
    assert!(start.elapsed() < 2 * SECOND, "{:?}", start.elapsed());
    assert_eq!(session.close(SECOND / 2).await.unwrap_err().kind(), "unresponsive");
    end(driver).await;
}

#[tokio::test]
async fn a_killed_guardian_is_noticed_and_cleared_up_after() {
    let mut driver = driver().await;
    let _session = session(&driver, STEADY).await;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(driver.guardian_pid().unwrap()), Signal::SIGKILL).unwrap();
    tokio::time::timeout(3 * SECOND, driver.ended()).await.unwrap();
    end(driver).await;
}

#[tokio::test]
async fn an_element_that_was_replaced_is_found_again_and_one_that_is_not_there_is_named() {
    let driver = driver().await;
    let mut session = session(&driver, STEADY).await;
    let page = session.commands().await.unwrap();
    for _ in 0..3 {
        session.hover("#kw").await.unwrap();
        let script = json!({ "expression": "kw.replaceWith(kw.cloneNode()); 1" });
        page.call("Runtime.evaluate", script, SECOND).await.unwrap();
    }
    session.goto(&serve(STEADY)).await.unwrap();
    session.hover("#kw").await.unwrap();
    let absent = Fault::ElementNotFound { css: "#nowhere".to_owned() };
    assert_eq!(session.hover("#nowhere").await, Err(absent));
    assert_eq!(session.hover("[[").await.unwrap_err().fate(), Fate::Stop);
    assert!(page.call("Runtime.bogus", json!({}), SECOND).await.unwrap_err().to_string().contains("-32601"));
    session.goto(&serve(TALL)).await.unwrap();
    session.hover("#kw").await.unwrap();
    end(driver).await;
}

#[tokio::test]
async fn an_error_page_is_not_taken_for_the_page_and_a_dialog_is_one_failed_iteration() {
    let driver = driver().await;
    let mut session = session(&driver, ALERT).await;
    let mut alert = Ok(());
    for _ in 0..50 {
        alert = session.hover("#kw").await;
        if alert.is_err() {
            break;
        }
    }
    assert_eq!(alert.unwrap_err().kind(), "alert");
    // The driver may still be at dismissing it, and say so again.
    let mut after = session.hover("#kw").await;
    for _ in 0..5 {
        let Err(fault) = &after else { break };
        assert_eq!(fault.kind(), "alert");
        after = session.hover("#kw").await;
    }
    after.unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let fault = session.goto(&format!("http://me:canary@{closed}/").parse().unwrap()).await.unwrap_err();
    assert_eq!(fault.kind(), "error_page", "{fault}");
    assert!(!fault.to_string().contains("canary"), "{fault}");
    session.goto(&serve(STEADY)).await.unwrap();
    end(driver).await;
}

#[tokio::test]
async fn root_with_a_sandbox_is_told_what_to_do() {
    if !geteuid().is_root() {
        return;
    }
    let driver = driver().await;
    let fault = Session::open(&driver, &SessionOptions { no_sandbox: false, ..options() }).await.unwrap_err();
    assert_eq!(fault, Fault::RootNeedsNoSandbox);
    end(driver).await;
}

/// A remote driver that answers every command and keeps what it was sent.
fn remote(log: Arc<Mutex<Vec<String>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let log = Arc::clone(&log);
            thread::spawn(move || {
                answer(stream.unwrap(), "application/json", |request| {
                    log.lock().unwrap().push(request.to_owned());
                    let value = match request.split(' ').nth(1).unwrap_or_default() {
                        "/wd/hub/session" => json!({ "sessionId": "1", "capabilities": {} }),
                        path if path.ends_with("/execute/sync") => json!("http://page/"),
                        path if path.ends_with("/window") => json!("w"),
                        _ => json!(null),
                    };
                    json!({ "value": value }).to_string()
                })
            });
        }
    });
    format!("http://me:canary@{address}/wd/hub")
}

/// A driver that begins an answer and never ends it.
fn endless() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                // An answer before the question is another fault.
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"value\":\"");
                while stream.write_all(&[b'x'; 1 << 16]).is_ok() {}
            });
        }
    });
    format!("http://{address}/")
}

#[tokio::test]
async fn an_answer_without_an_end_fills_no_memory() {
    let driver = Driver::remote(endless().parse().unwrap()).unwrap();
    let fault = Session::open(&driver, &SessionOptions::default()).await.unwrap_err();
    assert!(fault.to_string().contains("its answer is longer than 16 MiB"), "{fault}");
}

#[tokio::test]
async fn the_password_of_a_remote_driver_is_in_no_body_and_in_every_header() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let driver = Driver::remote(remote(Arc::clone(&log)).parse().unwrap()).unwrap();
    let mut session = Session::open(&driver, &SessionOptions::default()).await.unwrap();
    session.goto(&"http://page/".parse().unwrap()).await.unwrap();
    let page = session.commands().await.unwrap();
    page.call("Performance.getMetrics", json!({}), SECOND).await.unwrap();
    assert!(matches!(session.devtools_way(), Way::Execute));
    session.close(SECOND).await.unwrap();
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 6, "{log:#?}");
    for request in log.iter() {
        // base64 of `me:canary`
        assert!(request.to_lowercase().contains("authorization: basic bwu6y2fuyxj5"), "{request}");
        assert!(!request.contains("canary"), "{request}");
    }
    assert!(log[5].starts_with("DELETE /wd/hub/session/1 "), "{}", log[5]);
}
