//! The connections: how many there may be, and how long each may be silent.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

/// A browser opens six for each page; who comes when all are taken waits in the system's queue.
const MOST_CONNECTIONS: usize = 64;
/// The whole head of a request must be there after this time, and the next one on an idle connection.
const HEAD_DEADLINE: Duration = Duration::from_secs(20);
/// A peer that takes nothing for so long is gone.
const WRITE_DEADLINE: Duration = Duration::from_secs(20);
/// The bytes of a request's head: the page's own are below 2 kB.
const MOST_HEAD: usize = 16 * 1024;
/// The fields of a request's head: a browser sends fifteen.
const MOST_FIELDS: usize = 64;
/// How long no connection is accepted when the system has no room for one.
const OUT_OF_ROOM: Duration = Duration::from_millis(100);

/// Answers whoever connects, for as long as it is polled; dropping it ends all connections at the next await.
pub(super) async fn serve(listener: TcpListener, routes: Router) {
    let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        // Nobody closes the semaphore.
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let answered = answer(stream, routes.clone());
                connections.spawn(async move {
                    answered.await;
                    drop(slot);
                });
            }
            Err(error) => {
                tracing::debug!("a connection could not be accepted: {error}");
                tokio::time::sleep(OUT_OF_ROOM).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(stream: TcpStream, routes: Router) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("a connection waits for full packets: {error}");
    }
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_DEADLINE));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(MOST_HEAD)
        .max_headers(MOST_FIELDS)
        .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(routes))
        .await;
    if let Err(error) = served {
        tracing::debug!("a connection ended early: {error}");
    }
}
