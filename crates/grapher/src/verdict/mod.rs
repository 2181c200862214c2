//! The verdict in words: the formats in which it is told, and the trend in the picture. What is judged, and how, is
//! the business of `heapsoak-judge`.

mod findings;
pub(crate) mod github;
mod junit;
mod sparkline;
mod text;
mod trend;

pub(crate) use findings::{Finding, of_comparison, of_verdict};
pub(crate) use junit::write as write_junit;
pub(crate) use text::write as write_text;
pub(crate) use trend::draw as draw_trend;

use heapsoak_cli::time::{Span, TimeError, TimeSpec};
use heapsoak_judge::{Answer, Question, judge};
use heapsoak_rrd::Time;
use heapsoak_store::{Info, Reader};

/// What is asked about a store, its times as they were written. `Asked::default()`: the whole recording.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// `None`: the beginning of the recording.
    pub(crate) start: Option<TimeSpec>,
    /// `None`: the end of the recording.
    pub(crate) end: Option<TimeSpec>,
    /// Everything else.
    pub(crate) question: Question,
}

/// Judges what is `asked`, as of `now_us`.
///
/// # Errors
/// When the store cannot be read, a source is not in it, there is nothing to judge, or the time has no ends.
pub(crate) fn of(reader: &Reader, asked: &Asked, now_us: i64) -> anyhow::Result<Answer> {
    let info = reader.info()?;
    let span = span(asked, &info, now_us)?;
    let (start, end) = (Time::from_micros(span.start_us), Time::from_micros(span.end_us));
    Ok(judge(reader, &info, &Question { start: Some(start), end: Some(end), ..asked.question.clone() })?)
}

/// The whole recording, or the part of it that is asked for. Without `--end` it ends where the recording does, so that
/// `--last 1h` of a recording of yesterday is its last hour.
fn span(asked: &Asked, info: &Info, now_us: i64) -> Result<Span, TimeError> {
    let at = |time: Time| time.to_string().parse::<TimeSpec>();
    let end = asked.end.clone().map_or_else(|| at(info.last), Ok)?;
    let start = asked.start.clone().map_or_else(|| at(info.start), Ok)?;
    Span::resolve(&start, &end, now_us)
}
