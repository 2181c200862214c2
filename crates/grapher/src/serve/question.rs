//! What a page asks for, read from the query of its address: the same words as on the command line.

use anyhow::{Context, bail, ensure};
use heapsoak_chart::{Baseline, Size, Theme};
use heapsoak_cli::duration::parse_period;
use heapsoak_cli::size::parse_size;
use heapsoak_cli::time::TimeSpec;

/// As many panels as can be told apart on a tall screen.
const MOST_PANELS: usize = 8;
/// As many sources as can be told apart in one picture.
const MOST_SOURCES: usize = 24;
/// What a screen has; the least is what a picture needs.
const WIDTHS: std::ops::RangeInclusive<u32> = 200..=4096;
const HEIGHTS: std::ops::RangeInclusive<u32> = 120..=4096;

/// The time that is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Range {
    /// From the start of the newest run to its end.
    Run,
    Between(TimeSpec, TimeSpec),
}

/// One request for a picture, within what can be drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    /// The name of the store.
    pub(super) db: Option<String>,
    /// The sources of each panel, top to bottom; none: those that tell most.
    pub(super) panels: Vec<Vec<String>>,
    pub(super) range: Range,
    /// `None`: by the unit.
    pub(super) baseline: Option<Baseline>,
    /// A line at so many bytes.
    pub(super) limit_bytes: Option<u64>,
    /// Major collections as ticks, and the floor beside every used heap.
    pub(super) gc: bool,
    /// The trend of the recording with its interval, and the verdict in words.
    pub(super) trend: bool,
    pub(super) theme: Theme,
    pub(super) size: Size,
}

impl Question {
    /// Reads the pairs of a query. A key that is not known is passed over: it is the page's own.
    pub(super) fn parse(pairs: &[(String, String)]) -> anyhow::Result<Self> {
        let last = |key: &str| pairs.iter().rev().find(|(k, _)| k == key).map(|(_, value)| value.as_str());
        let panels = panels(pairs)?;
        Ok(Self {
            db: last("db").map(str::to_owned),
            panels,
            range: range(last("last"), last("start"), last("end"))?,
            baseline: match last("y") {
                None | Some("") => None,
                Some("auto") => Some(Baseline::Auto),
                Some("zero") => Some(Baseline::Zero),
                Some(other) => bail!("y is `{other}`: give auto or zero"),
            },
            limit_bytes: last("limit").filter(|text| !text.is_empty()).map(parse_size).transpose()?,
            gc: last("gc") == Some("1"),
            trend: last("trend") == Some("1"),
            theme: match last("theme") {
                Some("dark") => Theme::Dark,
                _ => Theme::Light,
            },
            size: Size {
                width: pixels("width", last("width"), 1200)?.clamp(*WIDTHS.start(), *WIDTHS.end()),
                height: pixels("height", last("height"), 600)?.clamp(*HEIGHTS.start(), *HEIGHTS.end()),
                full: true,
            },
        })
    }
}

fn panels(pairs: &[(String, String)]) -> anyhow::Result<Vec<Vec<String>>> {
    let asked = pairs.iter().filter(|(key, _)| key == "panel");
    let panels: Vec<Vec<String>> = asked
        .map(|(_, value)| value.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
        .filter(|names: &Vec<String>| !names.is_empty())
        .collect();
    let sources: usize = panels.iter().map(Vec::len).sum();
    ensure!(panels.len() <= MOST_PANELS, "{} panels are too many: give at most {MOST_PANELS}", panels.len());
    ensure!(sources <= MOST_SOURCES, "{sources} sources are too many: give at most {MOST_SOURCES}");
    Ok(panels)
}

fn range(last: Option<&str>, start: Option<&str>, end: Option<&str>) -> anyhow::Result<Range> {
    let end = end.filter(|text| !text.is_empty()).map_or_else(|| Ok(TimeSpec::now()), str::parse)?;
    match (start.filter(|text| !text.is_empty()), last) {
        (Some(start), _) => Ok(Range::Between(start.parse()?, end)),
        (None, Some("run")) => Ok(Range::Run),
        (None, last) => {
            let length = parse_period(last.unwrap_or("10m"))?;
            let length_us = i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
            Ok(Range::Between(TimeSpec::before_end(length_us), end))
        }
    }
}

fn pixels(key: &str, text: Option<&str>, otherwise: u32) -> anyhow::Result<u32> {
    text.map_or(Ok(otherwise), |text| text.parse().with_context(|| format!("{key} is `{text}`: give pixels")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> anyhow::Result<Question> {
        let pairs: Vec<(String, String)> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        Question::parse(&pairs)
    }

    fn error(query: &str) -> String {
        parse(query).map_or_else(|error| error.to_string(), |question| format!("taken as {question:?}"))
    }

    #[test]
    fn an_empty_query_is_the_last_ten_minutes_to_now() {
        let question = parse("").unwrap();
        assert_eq!(question.range, Range::Between(TimeSpec::before_end(600_000_000), TimeSpec::now()));
        assert_eq!((question.db, question.panels.len()), (None, 0));
    }

    #[test]
    fn panels_keep_their_order_and_empty_ones_go() {
        let question = parse("panel=heap_used,heap_total&panel=&panel=rss,&last=run").unwrap();
        assert_eq!(question.panels, [vec!["heap_used", "heap_total"], vec!["rss"]]);
        assert_eq!(question.range, Range::Run);
    }

    #[test]
    fn a_picture_that_would_eat_the_machine_is_made_smaller_or_refused() {
        let size = parse("width=4000000000&height=1").unwrap().size;
        assert_eq!((size.width, size.height), (4096, 120));
        assert!(error(&"panel=a&".repeat(9)).contains("at most 8"));
        assert!(error(&format!("panel={}", "a,".repeat(25))).contains("at most 24"));
    }

    #[test]
    fn nonsense_is_said_with_its_remedy() {
        assert!(error("last=soon").contains("soon"));
        assert!(error("start=yesteryear").contains("yesteryear"));
        assert!(error("width=wide").contains("give pixels"));
        assert!(error("limit=lots").contains("lots"));
        assert!(error("y=7").contains("auto or zero"));
    }
}
