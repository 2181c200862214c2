//! A page of our own to soak, served on loopback: an input `#kw`, and on request a leak of a known rate.
//!
//! It is the control of every measurement: steady without a leak, and with one it retains just what was asked for.

use std::net::Ipv4Addr;

use anyhow::Context;
use axum::Router;
use axum::http::header;
use axum::routing::get;
use tokio::net::TcpListener;

const HTML: &str = include_str!("page.html");

/// The page being served; it ends with the process.
pub(crate) struct OwnPage {
    /// `http://127.0.0.1:PORT/`
    pub(crate) url: String,
}

/// Serves the page on a free port of 127.0.0.1; it retains `leak` bytes of its heap per second.
pub(crate) async fn serve(leak_bytes_per_s: u64) -> anyhow::Result<OwnPage> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("the page of our own cannot be served: no port of 127.0.0.1 is free")?;
    let url = format!("http://{}/", listener.local_addr()?);
    let html = HTML.replace("/*LEAK*/0", &leak_bytes_per_s.to_string());
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    let app = Router::new()
        .route("/", get(move || async move { (headers, html) }))
        // Without an icon Chromium asks for one at each visit and reports a 404.
        .route("/favicon.ico", get(|| async { axum::http::StatusCode::NO_CONTENT }));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::warn!("the page of our own is served no more: {error}");
        }
    });
    Ok(OwnPage { url })
}
