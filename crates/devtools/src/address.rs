//! Where a DevTools server listens: `HOST:PORT` and `ws://HOST:PORT/PATH`, checked before anything is dialled.
//!
//! Whoever can speak to a DevTools port can run code in the target, and a listing may name any host. So an address
//! carries its [`Reach`], and the only door to the network (`dial`) connects to loopback unless told otherwise.
use std::{fmt, io, net::IpAddr, net::SocketAddr, str::FromStr};

use tokio::net::{TcpStream, lookup_host};
use url::{Host, Url};

use crate::Error;

/// How far a connection may reach. A type and not a flag, so that `Anywhere` is always written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Only this machine's loopback addresses.
    #[default]
    Loopback,
    /// Any host: the caller's user asked for a remote target by name.
    Anywhere,
}

/// The `HOST:PORT` of a DevTools server, such as a browser's `debuggerAddress`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    host: Host,
    port: u16,
    reach: Reach,
}

impl Address {
    /// Understands `127.0.0.1:9222`, `[::1]:9222` and `localhost:9222`; with [`Reach::Anywhere`] any host.
    ///
    /// # Errors
    /// [`Error::Address`] for anything else (no or zero port, user name, path), [`Error::NotLoopback`] for a host that
    /// `reach` does not cover.
    pub fn parse(text: &str, reach: Reach) -> Result<Address, Error> {
        let wrong = |reason: &str| Error::Address { text: public_part(text), reason: reason.to_owned() };
        let (host, port) = text.rsplit_once(':').ok_or_else(|| wrong("it has no port"))?;
        if !port.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(wrong("its port is not a number"));
        }
        let port = port.parse::<u16>().map_err(|_| wrong("its port is not between 1 and 65535"))?;
        let host = Host::parse(host).map_err(|error| wrong(&format!("its host is wrong, {error}")))?;
        Address::checked(host, port, reach).map_err(|error| error.unwrap_or_else(|| wrong("its port is 0")))
    }

    /// `Err(None)` stands for a zero port, which each caller words in its own way.
    fn checked(host: Host, port: u16, reach: Reach) -> Result<Address, Option<Error>> {
        if port == 0 {
            return Err(None);
        }
        let local = match &host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(ip) => is_loopback(IpAddr::V4(*ip)),
            Host::Ipv6(ip) => is_loopback(IpAddr::V6(*ip)),
        };
        match reach {
            Reach::Loopback if !local => Err(Some(Error::NotLoopback { host: host.to_string() })),
            _ => Ok(Address { host, port, reach }),
        }
    }

    /// The port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How far this address was allowed to reach.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// The WebSocket of this server at `path` (`/devtools/page/ID`), as a listing names it.
    ///
    /// # Errors
    /// [`Error::Address`] when `path` cannot be the path of a URL.
    pub fn socket(&self, path: &str) -> Result<SocketUrl, Error> {
        let slash = if path.starts_with('/') { "" } else { "/" };
        SocketUrl::parse(&format!("ws://{self}{slash}{path}"), self.reach)
    }

    /// Connects, trying every address that the host has and `reach` allows. Has no deadline: the caller sets it.
    pub(crate) async fn dial(&self) -> Result<TcpStream, Error> {
        let failed = |source| Error::Connect { address: self.to_string(), source };
        let found: Vec<SocketAddr> = match &self.host {
            Host::Ipv4(ip) => vec![(*ip, self.port).into()],
            Host::Ipv6(ip) => vec![(*ip, self.port).into()],
            Host::Domain(name) => lookup_host((name.as_str(), self.port)).await.map_err(failed)?.collect(),
        };
        // A name may resolve to anything, so the check is made again on what would be dialled.
        let allowed: Vec<SocketAddr> =
            found.into_iter().filter(|to| self.reach == Reach::Anywhere || is_loopback(to.ip())).collect();
        if allowed.is_empty() {
            return Err(Error::NotLoopback { host: self.host.to_string() });
        }
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for to in allowed {
            match TcpStream::connect(to).await {
                Ok(stream) => {
                    // Commands are small and each waits for its answer: Nagle's delay would only add to it.
                    stream.set_nodelay(true).map_err(failed)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(failed(last))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.host, self.port)
    }
}

impl FromStr for Address {
    type Err = Error;

    /// [`Address::parse`] with [`Reach::Loopback`].
    fn from_str(text: &str) -> Result<Address, Error> {
        Address::parse(text, Reach::Loopback)
    }
}

/// The `ws://HOST:PORT/PATH` of one target. Its path is as good as a password, so `Debug` and `Display` leave it out.
#[derive(Clone, PartialEq, Eq)]
pub struct SocketUrl {
    address: Address,
    path: String,
}

impl SocketUrl {
    /// Understands `ws://127.0.0.1:9229/6e8b…`; the port is 80 when left out.
    ///
    /// # Errors
    /// [`Error::Address`] for any other scheme (`wss` is not spoken here), for user names and passwords and for what is
    /// no URL; [`Error::NotLoopback`] for a host that `reach` does not cover.
    pub fn parse(text: &str, reach: Reach) -> Result<SocketUrl, Error> {
        let wrong = |reason: &str| Error::Address { text: public_part(text), reason: reason.to_owned() };
        let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        if url.scheme() != "ws" {
            return Err(wrong(&format!("its scheme is '{}' and not 'ws'", url.scheme())));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it has a user name"));
        }
        let host = url.host().ok_or_else(|| wrong("it has no host"))?.to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        let address =
            Address::checked(host, port, reach).map_err(|error| error.unwrap_or_else(|| wrong("its port is 0")))?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(SocketUrl { address, path: format!("{}{query}", url.path()) })
    }

    /// The server of this target.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Path and query, beginning with `/`. Not for logs.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole URL. Not for logs.
    pub(crate) fn full(&self) -> String {
        format!("ws://{}{}", self.address, self.path)
    }
}

impl fmt::Display for SocketUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ws://{}/…", self.address)
    }
}

impl fmt::Debug for SocketUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SocketUrl({self})")
    }
}

impl FromStr for SocketUrl {
    type Err = Error;

    /// [`SocketUrl::parse`] with [`Reach::Loopback`].
    fn from_str(text: &str) -> Result<SocketUrl, Error> {
        SocketUrl::parse(text, Reach::Loopback)
    }
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// What of a refused address may be printed: no credentials, path or query, no control characters, at most 80 characters.
fn public_part(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let shown = if scheme.is_empty() { host.to_owned() } else { format!("{scheme}://{host}") };
    shown.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        let result = if text.contains("://") {
            SocketUrl::parse(text, Reach::Loopback).map(|url| url.full())
        } else {
            Address::parse(text, Reach::Loopback).map(|address| address.to_string())
        };
        expected.assert_eq(&result.unwrap_or_else(|error| error.to_string()));
    }

    #[test]
    fn loopback_is_understood_in_all_its_forms() {
        check("127.0.0.1:9222", expect!["127.0.0.1:9222"]);
        check("127.1.2.3:1", expect!["127.1.2.3:1"]);
        check("LOCALHOST:65535", expect!["localhost:65535"]);
        check("[::1]:9222", expect!["[::1]:9222"]);
        check("[::ffff:127.0.0.1]:9222", expect!["[::ffff:7f00:1]:9222"]);
        check("ws://127.0.0.1:9229/6e8b-uuid?x=1", expect!["ws://127.0.0.1:9229/6e8b-uuid?x=1"]);
        check("ws://[::1]", expect!["ws://[::1]:80/"]);
    }

    #[test]
    fn another_machine_is_refused_however_it_is_written() {
        for host in
            ["192.0.2.1", "0.0.0.0", "[::]", "[fe80::1]", "example.org", "localhost.example.org", "127.0.0.1.nip.io"]
        {
            let address = Address::parse(&format!("{host}:9222"), Reach::Loopback);
            assert!(matches!(address, Err(Error::NotLoopback { .. })), "{address:?}");
            let url = SocketUrl::parse(&format!("ws://{host}:9222/x"), Reach::Loopback);
            assert!(matches!(url, Err(Error::NotLoopback { .. })), "{url:?}");
            assert!(Address::parse(&format!("{host}:9222"), Reach::Anywhere).is_ok());
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_reason_and_without_its_secrets() {
        check("", expect!["'' is not a DevTools address: it has no port; give HOST:PORT or ws://HOST:PORT/PATH"]);
        check(
            "9222",
            expect!["'9222' is not a DevTools address: it has no port; give HOST:PORT or ws://HOST:PORT/PATH"],
        );
        check(
            ":9222",
            expect![
                "':9222' is not a DevTools address: its host is wrong, empty host; give HOST:PORT or ws://HOST:PORT/PATH"
            ],
        );
        check(
            "127.0.0.1:0",
            expect!["'127.0.0.1:0' is not a DevTools address: its port is 0; give HOST:PORT or ws://HOST:PORT/PATH"],
        );
        check(
            "127.0.0.1:",
            expect![
                "'127.0.0.1:' is not a DevTools address: its port is not between 1 and 65535; give HOST:PORT or ws://HOST:PORT/PATH"
            ],
        );
        check(
            "127.0.0.1:65536",
            expect![
                "'127.0.0.1:65536' is not a DevTools address: its port is not between 1 and 65535; give HOST:PORT or ws://HOST:PORT/PATH"
            ],
        );
        check(
            "127.0.0.1:+1",
            expect![
                "'127.0.0.1:+1' is not a DevTools address: its port is not a number; give HOST:PORT or ws://HOST:PORT/PATH"
            ],
        );
        check(
            "user:pass@127.0.0.1:1",
            expect![
                "'127.0.0.1:1' is not a DevTools address: its host is wrong, invalid international domain name; give HOST:PORT or ws://HOST:PORT/PATH"
            ],
        );
        check(
            "wss://127.0.0.1:1/token",
            expect![
                "'wss://127.0.0.1:1' is not a DevTools address: its scheme is 'wss' and not 'ws'; give HOST:PORT or ws://HOST:PORT/PATH"
            ],
        );
        check(
            "ws://me:canary@127.0.0.1:1/token",
            expect![
                "'ws://127.0.0.1:1' is not a DevTools address: it has a user name; give HOST:PORT or ws://HOST:PORT/PATH"
            ],
        );
        check(
            "ws:///x",
            expect![
                "x is not on this machine: whoever holds a DevTools port may run code through it; use a loopback address, or allow remote addresses on purpose"
            ],
        );
        assert_eq!(
            format!("{:?}", "ws://127.0.0.1:1/token".parse::<SocketUrl>().unwrap()),
            "SocketUrl(ws://127.0.0.1:1/…)"
        );
    }
}
