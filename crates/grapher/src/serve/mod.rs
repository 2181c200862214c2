//! The live page: a small HTTP server that draws the store anew whenever it has changed.
//!
//! `connections` bounds who may connect and for how long, `guard` decides who is answered at all, `routes` is the
//! table of everything that is. A request becomes a `question`, a `scene` is what the store says to it, and `view` puts
//! that into JSON beside its SVG. `pulse` tells listening pages that a store has changed. The page itself is in
//! `assets`: it holds no text of the store until its script asks, and puts texts in as texts.
//!
//! Invariant: no path is ever made of what a request says; a store is looked up by name among those that are served.
//! Invariant: with nobody listening nothing is polled.

mod assets;
mod connections;
mod guard;
mod history;
mod judgement;
mod library;
mod pulse;
mod question;
mod routes;
mod scene;
mod stores;
mod view;

use std::path::PathBuf;

use heapsoak_cli::stop::Stop;
use tokio::net::TcpListener;

pub(crate) use guard::Doors;

/// Serves the store, or the folder of stores, at `db` until the stop is asked for.
pub(crate) async fn serve(listener: TcpListener, doors: Doors, db: PathBuf, stop: &Stop) {
    let routes = routes::router(doors, db);
    tokio::select! {
        biased;
        _ = stop.wait() => {}
        () = connections::serve(listener, routes) => {}
    }
}
