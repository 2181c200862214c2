//! A web server of our own on a free port of loopback, whose behaviour can be changed while it runs.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::Result;

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// With the page.
    Serve = 0,
    /// It takes the request, and nothing more.
    Mute = 1,
    /// It hangs up.
    HangUp = 2,
}

/// The server; its thread ends with the process.
pub(crate) struct Site {
    address: SocketAddr,
    manner: Arc<AtomicU8>,
}

impl Site {
    /// Serves one page at every path.
    pub(crate) fn serve(page: &'static str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, manner) = (listener.local_addr()?, Arc::new(AtomicU8::new(Manner::Serve as u8)));
        let now = Arc::clone(&manner);
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming().flatten() {
                match now.load(Ordering::Relaxed) {
                    0 => drop(std::thread::spawn(move || answer(stream, page))),
                    1 => held.push(stream),
                    _ => drop(stream),
                }
            }
        });
        Ok(Self { address, manner })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(crate) fn set(&self, manner: Manner) {
        self.manner.store(manner as u8, Ordering::Relaxed);
    }
}

fn answer(mut stream: TcpStream, page: &str) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
    }
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n";
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{page}", page.len()).as_bytes()).ok()
}
