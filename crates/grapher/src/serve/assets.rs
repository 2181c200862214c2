//! The files of the page, as they are: HTML without a text of any store, style and script.

use axum::Router;
use axum::http::header;
use axum::routing::get;

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml; charset=utf-8";

pub(super) const LIVE: &str = include_str!("assets/live.html");
pub(super) const START: &str = include_str!("assets/start.html");

const FILES: &[(&str, &str, &str)] = &[
    ("/page.css", CSS, include_str!("assets/page.css")),
    ("/icon.svg", SVG, include_str!("assets/icon.svg")),
    // Browsers ask for this one beside a picture that is opened by itself.
    ("/favicon.ico", SVG, include_str!("assets/icon.svg")),
    ("/live.js", JS, include_str!("assets/live.js")),
    ("/start.js", JS, include_str!("assets/start.js")),
    ("/address.js", JS, include_str!("assets/address.js")),
    ("/theme.js", JS, include_str!("assets/theme.js")),
    ("/stream.js", JS, include_str!("assets/stream.js")),
    ("/plot.js", JS, include_str!("assets/plot.js")),
    ("/crosshair.js", JS, include_str!("assets/crosshair.js")),
    ("/ranges.js", JS, include_str!("assets/ranges.js")),
    ("/sources.js", JS, include_str!("assets/sources.js")),
    ("/verdict.js", JS, include_str!("assets/verdict.js")),
    ("/events.js", JS, include_str!("assets/events.js")),
];

/// The routes of the files that both pages load.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new(), |routes, (path, kind, text)| {
        routes.route(path, get(|| async { ([(header::CONTENT_TYPE, *kind)], *text) }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        let pages = [("live.html", LIVE), ("start.html", START)];
        pages.into_iter().chain(FILES.iter().map(|(path, _, text)| (*path, *text)))
    }

    #[test]
    fn no_file_asks_for_anything_of_another_machine() {
        for (path, text) in all() {
            for line in text.lines().filter(|line| !line.contains("http://www.w3.org/")) {
                assert!(!line.contains("://") && !line.contains("\"//"), "{path}: {line}");
            }
        }
    }

    #[test]
    fn no_text_of_a_store_can_become_markup_or_code() {
        for (path, text) in all() {
            for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
                assert!(!text.contains(sink), "{path} uses {sink}");
            }
            // The policy forbids them anyway: what would not work is not there.
            for inline in [" onclick=", " onload=", " style=", "javascript:"] {
                assert!(!text.contains(inline), "{path} has{inline}");
            }
        }
    }
}
