//! `recorder update`: readings of one's own into a store, as `rrdtool update` takes them, or a line each from stdin.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use heapsoak_cli::stop::Stop;
use heapsoak_cli::{clock, exit, time};
use heapsoak_rrd::{Reading, Time};
use heapsoak_store::Writer;

use crate::args::UpdateArgs;

/// Lines read ahead of the store.
const QUEUE: usize = 4096;
/// More than a thousand sources need; a pipe without an end of line must not fill the memory.
const LONGEST_LINE: u64 = 64 << 10;
/// Readings are written at once when no more of them come within this time.
const IDLE: Duration = Duration::from_millis(200);
/// And after this time at the latest.
const SOON: Duration = Duration::from_secs(1);

/// Applies all readings, one commit at the end; those of a pipe are committed at each pause, each second, and when a signal
/// asks to stop.
pub(crate) fn run(args: &UpdateArgs) -> anyhow::Result<u8> {
    let from_stdin = args.readings == ["-"];
    if !from_stdin && args.readings.iter().any(|reading| reading == "-") {
        bail!("`-` stands alone: it reads every reading from stdin");
    }
    let mut updates = Updates::open(args)?;
    let outcome = if from_stdin { updates.stdin() } else { updates.arguments(&args.readings) };
    // What was applied before an error stays applied.
    updates.store.close()?;
    outcome?;
    Ok(if updates.refused { exit::ENDED } else { exit::OK })
}

struct Updates {
    store: Writer,
    /// Position in the line → source; `None`: all, in their order.
    template: Option<Vec<usize>>,
    skip_past: bool,
    keep_going: bool,
    refused: bool,
}

impl Updates {
    fn open(args: &UpdateArgs) -> anyhow::Result<Self> {
        let store = Writer::open(&args.db)?;
        let template = args.template.as_deref().map(|text| template(text, &store)).transpose()?;
        let (skip_past, keep_going) = (args.skip_past_updates, args.keep_going);
        Ok(Self { store, template, skip_past, keep_going, refused: false })
    }

    fn arguments(&mut self, readings: &[String]) -> anyhow::Result<()> {
        for (number, reading) in (1..).zip(readings) {
            if !self.apply("reading", number, reading) {
                break;
            }
        }
        Ok(())
    }

    fn stdin(&mut self) -> anyhow::Result<()> {
        let stop = Stop::install().context("signals cannot be handled")?;
        let (sender, lines) = sync_channel(QUEUE);
        // It ends with the process when we stop before the end of the input.
        std::thread::Builder::new()
            .name("stdin".into())
            .spawn(move || read_lines(BufReader::new(io::stdin()), &sender))?;
        self.lines(&lines, &stop)
    }

    fn lines(&mut self, lines: &Receiver<io::Result<Vec<u8>>>, stop: &Stop) -> anyhow::Result<()> {
        let mut number = 0;
        let mut written = Instant::now();
        while stop.requested().is_none() {
            let (goes_on, idle) = match lines.recv_timeout(IDLE) {
                Ok(line) => (self.line(&mut number, line)?, false),
                Err(RecvTimeoutError::Timeout) => (true, true),
                Err(RecvTimeoutError::Disconnected) => (false, false),
            };
            if !goes_on {
                return Ok(());
            }
            if idle || written.elapsed() >= SOON {
                self.store.commit()?;
                written = Instant::now();
            }
        }
        for line in lines.try_iter().take(QUEUE) {
            if !self.line(&mut number, line)? {
                break;
            }
        }
        Ok(())
    }

    /// Applies one line, if there is something in it; false when the rest shall not be tried.
    fn line(&mut self, number: &mut u64, line: io::Result<Vec<u8>>) -> anyhow::Result<bool> {
        *number += 1;
        let line = line.context("stdin cannot be read")?;
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        Ok(text.is_empty() || self.apply("line", *number, text))
    }

    /// Applies one reading; false when the rest shall not be tried.
    fn apply(&mut self, what: &str, number: u64, text: &str) -> bool {
        match self.update(text) {
            Ok(()) => true,
            Err(reason) => {
                self.refused = true;
                // A stderr that is gone must not stop the readings.
                let _ = writeln!(io::stderr(), "{what} {number}: {reason:#}");
                self.keep_going
            }
        }
    }

    fn update(&mut self, text: &str) -> anyhow::Result<()> {
        let (time, values) = split(text)?;
        let time = Time::from_micros(parse_time(time, clock::now_us())?);
        if self.skip_past && time <= self.store.last() {
            return Ok(());
        }
        let readings: Vec<Reading> = values.split(':').map(Reading::from_text).collect();
        let readings = match &self.template {
            None => readings,
            Some(template) => spread(template, readings, self.store.schema().sources().len())?,
        };
        Ok(self.store.update(time, &readings)?)
    }
}

fn read_lines(mut input: impl BufRead, sender: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut line = Vec::new();
        let read = match input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(found) if found as u64 == LONGEST_LINE && !line.ends_with(b"\n") => {
                Err(io::Error::other("a line is longer than 64 KiB: are these readings, a line each?"))
            }
            Ok(_) => Ok(line),
            Err(error) => Err(error),
        };
        let end = read.is_err();
        if sender.send(read).is_err() || end {
            return;
        }
    }
}

fn template(text: &str, store: &Writer) -> anyhow::Result<Vec<usize>> {
    let sources = store.schema().sources();
    let mut positions = Vec::new();
    for name in text.split(':') {
        let Some(position) = sources.iter().position(|source| source.name.as_str() == name) else {
            let known: Vec<_> = sources.iter().map(|source| source.name.as_str()).collect();
            bail!("--template names `{name}`, which the store does not have; it has {}", known.join(", "));
        };
        if positions.contains(&position) {
            bail!("--template names `{name}` twice");
        }
        positions.push(position);
    }
    Ok(positions)
}

/// Readings in the order of the template become one for each source; those not named are unknown.
fn spread(template: &[usize], readings: Vec<Reading>, sources: usize) -> anyhow::Result<Vec<Reading>> {
    if readings.len() != template.len() {
        bail!("expected {} values as --template has names, found {}", template.len(), readings.len());
    }
    let mut all = vec![Reading::Unknown; sources];
    for (position, reading) in template.iter().zip(readings) {
        all[*position] = reading;
    }
    Ok(all)
}

/// The time and the values of `T:v:v…` or `T@v:v…`; the second lets T have colons of its own.
pub(crate) fn split(text: &str) -> anyhow::Result<(&str, &str)> {
    text.split_once('@')
        .or_else(|| text.split_once(':'))
        .with_context(|| format!("`{text}` has no values; write TIME:VALUE with one value for each source"))
}

/// A reading's time: `N`, unix seconds (to the microsecond, what is beyond is cut), or any time of the command line.
pub(crate) fn parse_time(text: &str, now_us: i64) -> anyhow::Result<i64> {
    if text == "N" {
        return Ok(now_us);
    }
    match unix_micros(text) {
        Some(us) if text.starts_with('-') => Ok(now_us.saturating_add(us)),
        Some(us) => Ok(us),
        None => Ok(time::parse_time(text, now_us)?),
    }
}

/// Decimal seconds as whole microseconds: through a double, the last digit would be lost.
fn unix_micros(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') || fraction.contains('.') {
        return None;
    }
    let fraction = fraction.get(..6).unwrap_or(fraction);
    let micros =
        whole.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(format!("{fraction:0<6}").parse().ok()?)?;
    Some(if negative { -micros } else { micros })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_its_microseconds() {
        assert_eq!(unix_micros("1234567893.402"), Some(1_234_567_893_402_000));
        assert_eq!(unix_micros("1234567893.4019999"), Some(1_234_567_893_401_999));
        assert_eq!(unix_micros("5"), Some(5_000_000));
        assert_eq!(unix_micros("-5.5"), Some(-5_500_000));
        for wrong in ["", ".5", "1.2.3", "now", "1e3", "99999999999999999999"] {
            assert_eq!(unix_micros(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_line_without_an_end_fills_no_memory() {
        let lines = |input: &[u8]| {
            let (sender, lines) = sync_channel(QUEUE);
            read_lines(input, &sender);
            lines
                .try_iter()
                .map(|line| line.map(|line| line.len()).map_err(|error| error.to_string()))
                .collect::<Vec<_>>()
        };
        assert_eq!(lines(b"N:1\nN:2"), [Ok(4), Ok(3)]);
        let endless = lines(&vec![b'1'; 200_000]);
        assert!(matches!(&endless[..], [Err(reason)] if reason.contains("64 KiB")), "{endless:?}");
    }

    #[test]
    fn a_negative_time_is_before_now_as_in_rrdtool() {
        assert_eq!(parse_time("-10", 100_000_000).unwrap(), 90_000_000);
        assert_eq!(parse_time("N", 7).unwrap(), 7);
    }

    #[test]
    fn an_at_style_time_may_have_colons() {
        assert_eq!(split("2026-01-01T10:00:00Z@1:2").unwrap(), ("2026-01-01T10:00:00Z", "1:2"));
        assert_eq!(split("5:1:U").unwrap(), ("5", "1:U"));
        assert!(split("5").is_err());
    }

    #[test]
    fn what_the_template_does_not_name_is_unknown() {
        let spread = spread(&[2, 0], vec![Reading::from(1.0), Reading::from(2.0)], 3).unwrap();
        assert_eq!(spread, [Reading::from(2.0), Reading::Unknown, Reading::from(1.0)]);
        assert!(super::spread(&[0], vec![], 3).is_err());
    }
}
