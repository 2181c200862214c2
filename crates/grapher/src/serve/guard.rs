//! Who is answered at all, and what every answer carries.
//!
//! A page of another site can make a browser ask anything of 127.0.0.1, under a name of its own that it lets point
//! here (DNS rebinding). So the name a request asks for decides, not where it comes from.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// No answer takes longer to begin: drawing the largest picture takes a second.
const DEADLINE: Duration = Duration::from_secs(30);

/// What every answer carries: nothing is loaded but from here, nothing runs that is not a file of ours, nobody frames
/// it, nothing is kept.
const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Where the page is served, and so by which names it may be asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doors {
    address: SocketAddr,
}

impl Doors {
    /// For what listens at `address`.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// Whether `host`, as in the field `Host`, is a name of ours with our port.
    ///
    /// Numbers are safe where other machines are let in: only a name can be made to point here by somebody else.
    fn admit(self, host: &str) -> bool {
        let Some((name, port)) = split(host) else { return false };
        if port != self.address.port() {
            return false;
        }
        let loopback = |ip: IpAddr| ip == IpAddr::from([127, 0, 0, 1]) || ip == IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]);
        match name {
            Name::Localhost => true,
            Name::Number(ip) => loopback(ip) || ip == self.address.ip() || !self.address.ip().is_loopback(),
            Name::Other => false,
        }
    }

    fn refusal(self, request: &Request) -> Option<Response> {
        let refuse = |status: StatusCode, says: String| Some((status, says).into_response());
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = (StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered\n").into_response();
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return Some(response);
        }
        let absolute = request.uri().authority().is_none_or(|authority| self.admit(authority.as_str()));
        if !absolute || !self.admit(only(request.headers(), &header::HOST).unwrap_or_default()) {
            let says = format!("not a name of this page: open http://{}/\n", self.address);
            return refuse(StatusCode::MISDIRECTED_REQUEST, says);
        }
        if foreign(request.headers()) || from_elsewhere(request.headers()) {
            return refuse(StatusCode::FORBIDDEN, "pages of other sites are not answered\n".to_owned());
        }
        None
    }
}

/// The middleware around all routes.
pub(super) async fn guard(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    let mut response = match doors.refusal(&request) {
        Some(refusal) => refusal,
        None => tokio::time::timeout(DEADLINE, next.run(request))
            .await
            .unwrap_or_else(|_| (StatusCode::SERVICE_UNAVAILABLE, "it took too long\n").into_response()),
    };
    response.headers_mut().extend(HEADERS);
    response
}

/// The value of a field that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_none() { Some(value) } else { None }
}

/// Whether a browser says that another site's page asks, other than by a link that somebody follows.
fn foreign(headers: &HeaderMap) -> bool {
    let says = |name: &'static str| headers.get(name).map(HeaderValue::as_bytes);
    let another = matches!(says("sec-fetch-site"), Some(b"cross-site" | b"same-site"));
    another && says("sec-fetch-mode") != Some(b"navigate")
}

/// Whether a page of another origin asks: what is too old, or too odd (`null`), to say it as above says it so. Our own
/// origin is the name that is asked for, with `http`, which is all we speak.
fn from_elsewhere(headers: &HeaderMap) -> bool {
    let here = only(headers, &header::HOST).and_then(split);
    let same = |origin: &HeaderValue| {
        let host = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
        here.is_some() && host.and_then(split) == here
    };
    !headers.get_all(header::ORIGIN).iter().all(same)
}

#[derive(Debug, PartialEq, Eq)]
enum Name {
    Localhost,
    Number(IpAddr),
    Other,
}

/// `host[:port]`; without a port it is 80.
fn split(host: &str) -> Option<(Name, u16)> {
    let (name, rest) = match host.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port = match rest.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
        None if rest.is_empty() => 80,
        _ => return None,
    };
    let bracketed = host.starts_with('[');
    let name = match name.parse::<IpAddr>() {
        Ok(ip) if ip.is_ipv6() == bracketed => Name::Number(ip),
        _ if !bracketed && name.eq_ignore_ascii_case("localhost") => Name::Localhost,
        _ => Name::Other,
    };
    Some((name, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(address: &str, host: &str) -> bool {
        Doors::new(address.parse().unwrap()).admit(host)
    }

    #[test]
    fn a_name_that_somebody_else_lets_point_here_is_refused() {
        for host in ["127.0.0.1:8765", "localhost:8765", "LOCALHOST:8765", "[::1]:8765"] {
            assert!(admits("127.0.0.1:8765", host), "{host}");
        }
        for host in [
            "evil.example:8765",
            "evil.example",
            "127.0.0.1",
            "127.0.0.1:80",
            "127.0.0.1:08765x",
            "127.0.0.1:+8765",
            "localhost:",
            "localhost.:8765",
            "localhost.evil.example:8765",
            "127.0.0.1.evil.example:8765",
            "user@localhost:8765",
            "192.168.1.5:8765",
            "::1:8765",
            "[::1]8765",
            "[127.0.0.1]:8765",
            "[localhost]:8765",
            "[::1",
            "2130706433:8765",
            "",
            ":8765",
        ] {
            assert!(!admits("127.0.0.1:8765", host), "{host}");
        }
    }

    #[test]
    fn port_80_need_not_be_said_and_other_machines_come_by_number_only() {
        assert!(admits("127.0.0.1:80", "localhost"));
        assert!(admits("0.0.0.0:8765", "192.168.1.5:8765"));
        assert!(!admits("0.0.0.0:8765", "myhost:8765"));
        assert!(!admits("127.0.0.1:8765", "10.0.0.1:8765"));
    }

    fn status(edit: impl FnOnce(axum::http::request::Builder) -> axum::http::request::Builder) -> Option<u16> {
        let request = edit(Request::builder().uri("/")).body(axum::body::Body::empty()).unwrap();
        Doors::new("127.0.0.1:8765".parse().unwrap()).refusal(&request).map(|response| response.status().as_u16())
    }

    #[test]
    fn only_reading_by_a_name_of_ours_that_is_said_once() {
        const HERE: &str = "localhost:8765";
        assert_eq!(status(|r| r.header("host", HERE)), None);
        assert_eq!(status(|r| r.header("host", HERE).method("HEAD")), None);
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "GETX"] {
            assert_eq!(status(|r| r.header("host", HERE).method(method)), Some(405), "{method}");
        }
        assert_eq!(status(|r| r), Some(421));
        assert_eq!(status(|r| r.header("host", HERE).header("host", "evil.example")), Some(421));
        assert_eq!(status(|r| r.header("host", HERE).uri("http://evil.example/")), Some(421));
        assert_eq!(status(|r| r.header("host", HERE).uri("http://localhost:8765/")), None);
    }

    #[test]
    fn another_site_may_link_here_and_nothing_else() {
        let fetch = |site: &'static str, mode: &'static str| {
            status(|r| r.header("host", "localhost:8765").header("sec-fetch-site", site).header("sec-fetch-mode", mode))
        };
        assert_eq!(fetch("same-origin", "cors"), None);
        assert_eq!(fetch("none", "navigate"), None);
        assert_eq!(fetch("cross-site", "navigate"), None);
        assert_eq!(fetch("cross-site", "no-cors"), Some(403));
        assert_eq!(fetch("same-site", "cors"), Some(403));
    }

    #[test]
    fn a_page_of_another_origin_is_refused_also_by_a_browser_that_tells_the_origin_alone() {
        let from =
            |host: &'static str, origin: &'static str| status(|r| r.header("host", host).header("origin", origin));
        for (host, origin) in [("localhost:8765", "http://localhost:8765"), ("[::1]:8765", "http://[::1]:8765")] {
            assert_eq!(from(host, origin), None, "{origin}");
        }
        for origin in [
            "http://evil.example",
            "http://evil.example:8765",
            "http://localhost",
            "http://localhost:80",
            "http://127.0.0.1:8765",
            "http://localhost:8765.evil.example",
            "http://localhost:8765/",
            "https://localhost:8765",
            "localhost:8765",
            "null",
            "",
        ] {
            assert_eq!(from("localhost:8765", origin), Some(403), "{origin}");
        }
        let twice = status(|r| {
            r.header("host", "localhost:8765").header("origin", "http://localhost:8765").header("origin", "null")
        });
        assert_eq!(twice, Some(403));
    }
}
