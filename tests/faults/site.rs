//! A web server of our own on a free port of loopback, whose behaviour can be changed while it runs.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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
    asked: Asked,
}

/// The paths that were asked for, in turn.
type Asked = Arc<Mutex<Vec<String>>>;

impl Site {
    /// Serves one page at every path.
    pub(crate) fn serve(page: &'static str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, manner) = (listener.local_addr()?, Arc::new(AtomicU8::new(Manner::Serve as u8)));
        let asked = Asked::default();
        let (now, noted) = (Arc::clone(&manner), Arc::clone(&asked));
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming().flatten() {
                match now.load(Ordering::Relaxed) {
                    0 => {
                        let noted = Arc::clone(&noted);
                        drop(std::thread::spawn(move || answer(stream, page, &noted)));
                    }
                    1 => held.push(stream),
                    _ => drop(stream),
                }
            }
        });
        Ok(Self { address, manner, asked })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// How often a path was asked for: so a page's script tells us what it did.
    pub(crate) fn times_asked(&self, path: &str) -> usize {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|each| *each == path).count()
    }

    pub(crate) fn set(&self, manner: Manner) {
        self.manner.store(manner as u8, Ordering::Relaxed);
    }
}

fn answer(mut stream: TcpStream, page: &str, asked: &Asked) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(line.split(' ').nth(1)?.to_owned());
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
    }
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n";
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{page}", page.len()).as_bytes()).ok()
}
