//! One run, from start to end: the loop, the sampler and the writer side by side, none waiting for another.

mod axis;
mod backoff;
mod ending;
mod layout;
mod open;
mod page_loop;
mod probes;
mod registry;
mod sampler;
mod sources;
mod status;
mod tick;
mod watch_page;
mod writer;

use std::time::Duration;

use heapsoak_cli::clock::{self, Anchor};
use heapsoak_cli::logging::{self, Verbosity};
use heapsoak_cli::redact;
use heapsoak_cli::stop::Stop;
use heapsoak_rrd::Time;
use heapsoak_store::{NewRun, Writer};
use tokio::runtime::Builder;

use self::axis::Axis;
use self::ending::Ending;
use self::page_loop::PageLoop;
use self::probes::{BrowserProbe, LoopProbe, OwnProbe, PageProbe, Probe};
use self::registry::Registry;
use self::sampler::Sampler;
use self::status::{Progress, StatusLine};
use self::tick::Ticker;
use self::writer::WriterThread;
use crate::settings::{HowLong, Soak};

/// What a helper thread of the runtime may still take after the end of a run.
const GRACE: Duration = Duration::from_millis(100);

/// Soaks until it is stopped or ends by itself; the status is the process's.
///
/// # Errors
/// When the run cannot begin, or its end cannot be written.
pub(crate) fn run(settings: &Soak, verbosity: Verbosity) -> anyhow::Result<u8> {
    let stop = Stop::install()?;
    let status = StatusLine::new();
    let log = status.clone();
    logging::init_to(verbosity, move || log.clone());
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(soak(settings, &stop, &status));
    status.clear();
    runtime.shutdown_timeout(GRACE);
    result
}

async fn soak(settings: &Soak, stop: &Stop, status: &StatusLine) -> anyhow::Result<u8> {
    let progress = Progress::default();
    let mut page_loop = PageLoop::prepare(&settings.page, progress.clone()).await?;
    let registry = Registry::default();
    let probes: Vec<Box<dyn Probe>> = vec![
        Box::new(PageProbe::new(registry.add(None, sources::PAGE)?, page_loop.page(), progress.clone())),
        Box::new(BrowserProbe::new(registry.add(None, sources::BROWSER)?, page_loop.processes())),
        Box::new(LoopProbe(registry.add(None, sources::LOOP)?, progress.clone())),
        Box::new(OwnProbe(registry.add(None, sources::OWN)?)),
    ];
    let known = registry.since(0);
    let open::Opened { mut store, layout } = open::open(settings, &known)?;
    let step_us = store.schema().step().micros();
    let axis = Axis::new(Anchor::now());
    begin(&mut store, axis.now(), &page_loop.target())?;
    let (recording, mut writer) = writer::start(store, layout, axis.clone())?;
    recording.event("start", page_loop.target());
    tracing::info!("recording into {} {}", settings.db.display(), status::span(settings.how_long.duration));

    let ticker = Ticker::new(axis.clone(), step_us);
    let step = Duration::from_micros(step_us);
    let mut sampler = Sampler::new(ticker, probes, (registry, known.len()), recording.clone(), step);
    let ending = tokio::select! {
        // In this order: a stop that was asked for is the reason, whatever else ends with it.
        biased;
        signal = stop.wait() => Ending::Stopped(signal),
        reason = writer.failed() => Ending::StoreFailed(reason),
        ending = page_loop.run(&recording, settings.how_long.iterations) => ending,
        ending = after(settings.how_long) => ending,
        never = sampler.run() => match never {},
        never = status.show(progress) => match never {},
    };
    if !matches!(ending, Ending::CannotStart(_) | Ending::StoreFailed(_)) {
        sampler.last().await;
    }
    page_loop.close().await;
    end(writer, axis.now(), ending).await
}

async fn after(how_long: HowLong) -> Ending {
    match how_long.duration {
        Some(duration) => {
            tokio::time::sleep(duration).await;
            Ending::Duration(duration)
        }
        None => std::future::pending().await,
    }
}

fn begin(store: &mut Writer, started: Time, target: &str) -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    store.begin_run(NewRun {
        started,
        pid: std::process::id(),
        target: target.to_owned(),
        command: redact::command_line(&arguments),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time_zone: clock::zone_at(started.as_micros()),
    });
    store.commit()?;
    Ok(())
}

async fn end(writer: WriterThread, time: Time, ending: Ending) -> anyhow::Result<u8> {
    let (reason, status) = (ending.reason(), ending.status());
    // The thread may still wait for a slow disk; a second signal ends the process all the same.
    let written = tokio::task::spawn_blocking(move || writer.end(time, reason, status)).await?;
    match ending {
        Ending::CannotStart(error) => Err(error),
        _ => {
            written?;
            tracing::info!("ended: {}", ending.reason());
            Ok(status)
        }
    }
}
