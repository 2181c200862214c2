//! `grapher graph` with rrdtool's elements: its graph language, read, worked out and drawn.
//!
//! The way: [`words`] → [`parse`] → [`elements`] (what is said) → [`data`] and [`rows`] (DEF), [`rpn`] (CDEF), [`vdef`],
//! [`mod@format`] (PRINT) → [`work`] (what it comes to) → [`draw`] (a picture). The numbers are those of rrdtool on the same
//! data. What it has and grapher has not is refused by name.

mod data;
mod draw;
mod elements;
mod format;
mod options;
mod parse;
mod refused;
mod rows;
mod rpn;
mod text;
mod there;
mod vdef;
mod words;
mod work;

use std::path::PathBuf;
use std::time::Duration;

use heapsoak_cli::time::{Span, TimeSpec};
use heapsoak_cli::{clock, exit, output};

use crate::destination::Output;
use data::Scope;
use work::Worked;

pub(crate) use draw::{Look, Page};
pub(crate) use elements::Script;
pub(crate) use options::Options;
pub(crate) use refused::reason;

/// Whether a word of the command line is an element, and not a file.
pub(crate) fn is_element(word: &str) -> bool {
    elements::kind(word).is_some()
}

/// An expression and a format from outside, without the stores and the picture around them.
pub(crate) fn fuzz(text: &str) {
    use rpn::Known;
    let _ = (vdef::function(text), words::color(text), text::control(text));
    if let Ok(format) = format::TimeFormat::parse(text) {
        let _ = format.write(Some(1_700_000_000_000_000));
    }
    if let Ok(format) = format::Format::parse(text) {
        for value in [0.0, -1.5e300, f64::NAN, f64::INFINITY, 123_456.789] {
            let _ = format.write(value, 1000.0, &mut format::Magnitude::default());
        }
    }
    let known = |name: &str| match name {
        "a" => Some(Known::Rows(0)),
        "b" => Some(Known::Rows(1)),
        "v" => Some(Known::Single(2)),
        _ => None,
    };
    let Ok(program) = rpn::parse(text, &known) else { return };
    let values = |from: f64| vec![from, f64::NAN, f64::INFINITY, -from, 1e18, from, from];
    let of = |step_us, from| rows::Rows { start_us: 1_700_000_000_000_000, step_us, values: values(from) };
    let both = [of(1_000_000, 5.0), of(3_000_000, 0.0)];
    let single = vdef::Single { value: 2.5, when_us: None };
    let inputs = rpn::Inputs { rows: &|index| both.get(index), single: &|_| Some(single), now_s: 1.7e9 };
    let _ = rpn::eval(&program, &inputs, &mut rpn::Budget::small());
}

/// What is drawn, and where it goes.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) script: Script,
    pub(crate) output: Output,
    pub(crate) look: Look,
    pub(crate) start: TimeSpec,
    pub(crate) end: TimeSpec,
    /// The least length of a row.
    pub(crate) step_us: Option<i64>,
    /// Whether a picture that is new enough stays.
    pub(crate) lazy: bool,
}

/// Draws once, and prints what rrdtool prints: the picture's size, which data and characters have not, then a line for
/// each PRINT.
pub(crate) fn run(settings: &Settings) -> anyhow::Result<u8> {
    if settings.has_picture() {
        settings.output.prepare()?;
    }
    settings.draw(clock::now_us())?;
    Ok(exit::OK)
}

impl Settings {
    /// Only numbers make no picture, as with rrdtool.
    pub(crate) fn has_picture(&self) -> bool {
        self.script.parts.iter().any(elements::Part::is_drawn)
    }

    /// Fails for what no store can mend.
    pub(crate) fn check(&self, now_us: i64) -> anyhow::Result<()> {
        Span::resolve(&self.start, &self.end, now_us)?;
        Ok(())
    }

    pub(crate) fn draw(&self, now_us: i64) -> anyhow::Result<()> {
        let span = Span::resolve(&self.start, &self.end, now_us)?;
        let scope = Scope::new(span, now_us, self.look.page.size.width, self.step_us);
        let stays = self.stays(scope);
        let prints = self.script.parts.iter().any(|part| matches!(part, elements::Part::Printed(_)));
        if stays.is_some() && !prints {
            return self.print(stays, &[]);
        }
        let worked = Worked::of(&self.script, scope, self.look.base.unwrap_or(1000.0))?;
        let size = match stays {
            Some(size) => Some(size),
            None if self.has_picture() => {
                let picture = draw::picture(&self.script, &worked, &self.look, scope);
                let image = self.output.encode(&picture)?;
                self.output.put(&image)?;
                there::size_of(&image)
            }
            None => Some((0, 0)),
        };
        self.print(size, &worked.printed)
    }

    /// The picture alone, with nothing printed.
    pub(crate) fn image(&self, now_us: i64) -> anyhow::Result<Vec<u8>> {
        let span = Span::resolve(&self.start, &self.end, now_us)?;
        let scope = Scope::new(span, now_us, self.look.page.size.width, self.step_us);
        let worked = Worked::of(&self.script, scope, self.look.base.unwrap_or(1000.0))?;
        self.output.encode(&draw::picture(&self.script, &worked, &self.look, scope))
    }

    /// The size of the picture that is there, if it may stay.
    fn stays(&self, scope: Scope) -> Option<(u32, u32)> {
        if !self.lazy || self.output.is_stdout() {
            return None;
        }
        let length_us = scope.span.end_us.saturating_sub(scope.span.start_us).unsigned_abs();
        let pixel = Duration::from_micros(length_us / u64::from(self.look.page.size.width.max(1)));
        let moves = self.start.moves() || self.end.moves();
        let stores: Vec<PathBuf> = self.script.stores().map(ToOwned::to_owned).collect();
        there::may_stay(self.output.path(), scope.now_us, pixel, moves, &stores)
    }

    fn print(&self, size: Option<(u32, u32)>, lines: &[String]) -> anyhow::Result<()> {
        if self.output.is_stdout() && self.has_picture() {
            if !lines.is_empty() {
                tracing::warn!("PRINT is not printed, for the picture goes to stdout: name a file for it");
            }
            return Ok(());
        }
        output::stdout(|out| {
            if let Some((width, height)) = size {
                writeln!(out, "{width}x{height}")?;
            }
            lines.iter().try_for_each(|line| writeln!(out, "{line}"))
        })?;
        Ok(())
    }
}
