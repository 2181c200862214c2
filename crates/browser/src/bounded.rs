//! A connection on which no answer is longer than what a driver has to say: a peer that never ends one fills no memory.
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};

/// Bytes that may come between two commands. Answers have a few KB; a capability with an extension in it, some MiB.
const MOST: u64 = 16 << 20;
/// Bytes that are read at once.
const CHUNK: usize = 8 << 10;

/// A stream that fails when too much came since it was last written to.
#[derive(Debug)]
pub(crate) struct Bounded<T> {
    inner: T,
    came: u64,
}

impl<T> Bounded<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, came: 0 }
    }
}

impl<T: Read + Unpin> Read for Bounded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut chunk = [0; CHUNK];
        let room = buffer.remaining().min(CHUNK);
        let mut part = ReadBuf::new(&mut chunk[..room]);
        ready!(Pin::new(&mut self.inner).poll_read(context, part.unfilled()))?;
        buffer.put_slice(part.filled());
        self.came += part.filled().len() as u64;
        Poll::Ready(match self.came {
            0..=MOST => Ok(()),
            _ => Err(io::Error::other(format!("its answer is longer than {} MiB", MOST >> 20))),
        })
    }
}

impl<T: Write + Unpin> Write for Bounded<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.came = 0;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl<T: Connection> Connection for Bounded<T> {
    fn connected(&self) -> Connected {
        self.inner.connected()
    }
}
