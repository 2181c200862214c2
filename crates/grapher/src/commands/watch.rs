//! `grapher --watch`: the picture again and again, until SIGINT or SIGTERM.
//!
//! Nothing that happens to the store ends the watch: it is opened anew for each frame, and what keeps a frame from
//! being drawn is said once, and again only when it changes.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use heapsoak_cli::stop::Stop;
use heapsoak_cli::{clock, duration, exit};
use heapsoak_store::{Reader, StoreError};
use tokio::time::MissedTickBehavior;

use super::graph;
use crate::destination::Output;
use crate::graph as language;
use crate::picture;
use crate::screen::Screen;

/// What is drawn, and how often.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) draw: Draw,
    pub(crate) every: Duration,
}

/// A picture of a store, or one of rrdtool's elements.
#[derive(Debug)]
pub(crate) enum Draw {
    Store(Box<graph::Settings>),
    Script(Box<language::Settings>),
}

impl Draw {
    pub(crate) fn output(&self) -> &Output {
        match self {
            Draw::Store(settings) => &settings.output,
            Draw::Script(settings) => &settings.output,
        }
    }

    fn check(&self, now_us: i64) -> anyhow::Result<()> {
        match self {
            Draw::Store(settings) => settings.picture.check(now_us),
            Draw::Script(settings) => settings.check(now_us),
        }
    }

    /// What is drawn, in words.
    fn subject(&self) -> String {
        match self {
            Draw::Store(settings) => settings.db.display().to_string(),
            Draw::Script(settings) => {
                let mut stores: Vec<String> = settings.script.stores().map(|path| path.display().to_string()).collect();
                stores.dedup();
                stores.join(", ")
            }
        }
    }
}

pub(crate) fn run(settings: &Settings) -> anyhow::Result<u8> {
    settings.draw.output().prepare()?;
    settings.draw.check(clock::now_us())?;
    let screen =
        settings.draw.output().is_screen().then(Screen::enter).transpose().context("stdout cannot be written")?;
    let stop = Stop::install().context("signals cannot be handled")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().context("no timer")?;
    runtime.block_on(watch(settings, &stop, screen))?;
    Ok(exit::OK)
}

async fn watch(settings: &Settings, stop: &Stop, mut screen: Option<Screen>) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(settings.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut drawn = None;
    let mut state = State::Begun;
    loop {
        tokio::select! {
            biased;
            _ = stop.wait() => return Ok(()),
            _ = ticks.tick() => {}
        }
        let begun = Instant::now();
        let next = match frame(&settings.draw, drawn, &mut screen) {
            Ok(seen) => {
                tracing::debug!("drawn in {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
                drawn = seen;
                State::Drawing
            }
            Err(error) => {
                drawn = None;
                if error.downcast_ref::<io::Error>().is_some() {
                    return ended(error);
                }
                State::Waiting(exit::one_line(error.as_ref()))
            }
        };
        match &mut screen {
            // What is told beside the picture would be written over it.
            Some(screen) if screen.is_terminal() => {
                if let State::Waiting(why) = &next
                    && let Err(error) = screen.show(&format!("waiting: {why}\n"))
                {
                    return ended(error.into());
                }
            }
            _ => tell(settings, &state, &next),
        }
        state = next;
    }
}

/// What a frame was drawn from: while it stays the same, a picture of a fixed span stays the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    file: Option<(u64, u64)>,
    marker: u64,
}

/// Opens the store; one that is deleted or replaced at this very moment is looked at again, to say what is there now.
fn open(db: &Path) -> Result<Reader, StoreError> {
    match Reader::open(db) {
        Err(StoreError::Lost { .. } | StoreError::Replaced { .. }) => Reader::open(db),
        opened => opened,
    }
}

/// Draws one frame, unless it would be the one that was drawn last.
fn frame(draw: &Draw, drawn: Option<Seen>, screen: &mut Option<Screen>) -> anyhow::Result<Option<Seen>> {
    match draw {
        Draw::Store(settings) => frame_of_store(settings, drawn, screen).map(Some),
        Draw::Script(settings) => {
            match (screen, settings.has_picture()) {
                (Some(screen), true) => show(screen, &settings.image(clock::now_us())?)?,
                _ => settings.draw(clock::now_us())?,
            }
            Ok(None)
        }
    }
}

fn show(screen: &mut Screen, text: &[u8]) -> io::Result<()> {
    screen.show(&String::from_utf8_lossy(text))
}

fn frame_of_store(
    settings: &graph::Settings,
    drawn: Option<Seen>,
    screen: &mut Option<Screen>,
) -> anyhow::Result<Seen> {
    let reader = open(&settings.db)?;
    let file = std::fs::metadata(&settings.db).ok().map(|found| (found.dev(), found.ino()));
    let seen = Seen { file, marker: reader.change_marker()? };
    if drawn == Some(seen) && settings.picture.is_fixed() {
        return Ok(seen);
    }
    let picture = picture::of_store(&reader, &settings.picture, clock::now_us())?;
    drop(reader);
    let image = settings.output.encode(&picture)?;
    match screen {
        Some(screen) => show(screen, &image)?,
        None => settings.output.put(&image)?,
    }
    Ok(seen)
}

/// A reader that has gone ends the watch, and is no trouble.
fn ended(error: anyhow::Error) -> anyhow::Result<()> {
    match error.downcast_ref::<io::Error>() {
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error.context("stdout cannot be written")),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Begun,
    Drawing,
    Waiting(String),
}

/// Says what has changed, and nothing when nothing has.
fn tell(settings: &Settings, before: &State, now: &State) {
    let (db, out) = (settings.draw.subject(), settings.draw.output().path().display());
    match (before, now) {
        _ if before == now => {}
        (State::Begun, State::Drawing) => {
            tracing::info!("drawing {db} to {out} every {}", duration::format_duration(settings.every));
        }
        (_, State::Waiting(why)) => tracing::warn!("waiting: {why}"),
        _ => tracing::info!("drawing {db} to {out} again"),
    }
}
