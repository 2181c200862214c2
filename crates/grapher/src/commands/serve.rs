//! `grapher serve`: the live page, until SIGINT or SIGTERM.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context, bail};
use heapsoak_cli::stop::Stop;
use heapsoak_cli::{exit, output};
use tokio::net::TcpListener;

use crate::serve::{self, Doors};

/// Drawing needs little, and a page asks for one picture at a time: more threads would only cost memory.
const DRAWING_THREADS: usize = 4;

/// What is served, and where.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) db: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) allow_remote: bool,
}

pub(crate) fn run(settings: &Settings) -> anyhow::Result<u8> {
    settings.check()?;
    let stop = Stop::install().context("signals cannot be handled")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(DRAWING_THREADS)
        .build()
        .context("no network and no timer")?;
    let served = runtime.block_on(listen(settings, &stop));
    // A picture that is being drawn is for nobody any more.
    runtime.shutdown_background();
    served.map(|()| exit::OK)
}

async fn listen(settings: &Settings, stop: &Stop) -> anyhow::Result<()> {
    let wanted = settings.listen;
    let listener = TcpListener::bind(wanted).await.with_context(|| cannot_listen(wanted))?;
    let address = listener.local_addr().with_context(|| cannot_listen(wanted))?;
    output::stdout(|out| writeln!(out, "http://{}/", shown(address)))?;
    if !address.ip().is_loopback() {
        tracing::warn!("{address} is reached by other machines, and whoever reaches it sees everything: no password");
    }
    tracing::info!("serving {}; Ctrl-C ends", settings.db.display());
    serve::serve(listener, Doors::new(address), settings.db.clone(), stop).await;
    Ok(())
}

impl Settings {
    fn check(&self) -> anyhow::Result<()> {
        let ip = self.listen.ip();
        if !ip.is_loopback() && !self.allow_remote {
            bail!("{ip} is reached by other machines, and the page has no password: give 127.0.0.1, or --allow-remote");
        }
        Ok(())
    }
}

fn cannot_listen(address: SocketAddr) -> String {
    let port = address.port();
    format!("cannot listen on {address}; stop what has port {port}, or give --listen 127.0.0.1:0 for a free one")
}

/// An address that a browser on this machine can open.
fn shown(address: SocketAddr) -> SocketAddr {
    let ip = if address.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address.ip() };
    SocketAddr::new(ip, address.port())
}

/// `ADDRESS:PORT`; `localhost` is 127.0.0.1, for names of other machines cannot be listened on.
pub(crate) fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let numbers = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    numbers.parse().map_err(|_| format!("`{text}` is no address with a port: write it as 127.0.0.1:8765 or [::1]:8765"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(listen: &str, allow_remote: bool) -> Option<String> {
        let settings = Settings { db: "soak.db".into(), listen: parse_listen(listen).unwrap(), allow_remote };
        settings.check().err().map(|error| error.to_string())
    }

    #[test]
    fn other_machines_are_let_in_only_by_a_word_of_its_own() {
        assert_eq!(refusal("127.0.0.1:8765", false), None);
        assert_eq!(refusal("[::1]:0", false), None);
        assert!(refusal("0.0.0.0:8765", false).is_some_and(|text| text.contains("--allow-remote")));
        assert!(refusal("[::]:8765", false).is_some());
        assert_eq!(refusal("192.168.1.5:8765", true), None);
    }

    #[test]
    fn an_address_is_numbers_or_localhost() {
        assert_eq!(parse_listen("localhost:80"), Ok("127.0.0.1:80".parse().unwrap()));
        for text in ["8765", "127.0.0.1", "example.com:80", "localhost", ""] {
            assert!(parse_listen(text).is_err(), "{text}");
        }
        assert_eq!(shown("0.0.0.0:80".parse().unwrap()).to_string(), "127.0.0.1:80");
    }
}
