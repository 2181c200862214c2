//! One run, from start to end: the loop, the sampler and the writer side by side, none waiting for another.

mod attached;
mod axis;
mod backoff;
mod browser_args;
mod checkpoint;
mod command;
mod command_target;
mod ending;
mod health;
mod judgement;
mod layout;
mod open;
mod page_loop;
mod probes;
mod program_labels;
mod program_watch;
mod registry;
mod run_folder;
mod sampler;
mod sandbox;
mod service;
mod sources;
mod status;
mod sweep;
mod targets;
mod tick;
mod watch_page;
mod watch_probe;
mod writer;

pub(crate) use self::judgement::sentence;
pub(crate) use self::open::DEFAULT_ARCHIVES;

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context;
use heapsoak_cli::clock::{self, Anchor};
use heapsoak_cli::logging::{self, Verbosity};
use heapsoak_cli::stop::Stop;
use heapsoak_cli::{exit, redact};
use heapsoak_rrd::Time;
use heapsoak_store::{NewRun, Writer};
use tokio::runtime::Builder;

use self::axis::Axis;
use self::ending::Ending;
use self::health::Health;
use self::judgement::Judgement;
use self::sampler::Sampler;
use self::service::Manager;
use self::status::{Progress, StatusLine};
use self::targets::Targets;
use self::tick::Ticker;
use self::writer::WriterThread;
use crate::settings::Soak;

/// What a helper thread of the runtime may still take after the end of a run.
const GRACE: Duration = Duration::from_millis(100);

/// Soaks until it is stopped or ends by itself; the status is the process's.
///
/// # Errors
/// When the run cannot begin, or its end cannot be written.
pub(crate) fn run(settings: &Soak, verbosity: Verbosity) -> anyhow::Result<u8> {
    // A command gets the signals that we get, and decides itself whether to end.
    let stop = if settings.command.is_empty() { Stop::install()? } else { Stop::by_hand().0 };
    let status = StatusLine::new()?;
    let log = status.clone();
    logging::init_to(verbosity, move || log.clone());
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.context("the recorder cannot begin; are too many files open, or too few allowed (ulimit -n)?")?;
    let result = runtime.block_on(soak(settings, &stop, Some(&status)));
    status.clear();
    runtime.shutdown_timeout(GRACE);
    result
}

/// Soaks both side by side, without a status line; a stop ends both.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_both(one: &Soak, other: &Soak) -> anyhow::Result<(u8, u8)> {
    let stop = Stop::install()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let both = async { tokio::join!(soak(one, &stop, None), soak(other, &stop, None)) };
    let (one, other) = runtime.block_on(both);
    runtime.shutdown_timeout(GRACE);
    Ok((one?, other?))
}

async fn soak(settings: &Soak, stop: &Stop, status: Option<&StatusLine>) -> anyhow::Result<u8> {
    let progress = Progress::default();
    let axis = Axis::new(Anchor::now());
    let mut targets = Targets::prepare(settings, &progress, &axis).await?;
    let registry = targets.registry();
    let known = registry.since(0);
    let open::Opened { mut store, layout, kept } = open::open(settings, &known)?;
    axis.not_before(store.last());
    let step_us = store.schema().step().micros();
    let left = store.left_guardians().to_vec();
    let started = axis.now();
    begin(&mut store, started, &targets.names())?;
    let health = Health::default();
    let (recording, mut writer) = writer::start(store, layout, axis.clone(), health.clone())?;
    recording.event("start", targets.names());
    if let Some(kept) = kept {
        recording.event("log_kept", kept);
    }
    tracing::info!("recording into {} {}", settings.db.display(), status::span(settings.how_long.duration));

    sweep::sweep_all(left, &recording).await;

    let ticker = Ticker::new(axis.clone(), step_us);
    let step = Duration::from_micros(step_us);
    let (manager, pulse) = (Manager::of_environment(), recording.pulse());
    let judgement = Judgement::new(settings, started);
    let mut sampler = Sampler::new(ticker, targets.probes(), (registry, known.len()), recording.clone(), step);
    let ending = match targets.start(&recording) {
        Err(error) => Ending::CommandNotStarted(error),
        Ok(()) => tokio::select! {
            // In this order: a stop that was asked for is the reason, whatever else ends with it.
            biased;
            signal = stop.wait() => Ending::Stopped(signal),
            reason = writer.failed() => Ending::StoreFailed { reason, command: None },
            ending = targets.run(&recording, &axis, settings.how_long.iterations) => ending,
            ending = after(settings, &progress) => ending,
            ending = judgement.decided(settings.judging.stop_on_leak) => ending,
            never = sampler.run() => match never {},
            never = manager.keep_told(&progress, &health, &pulse, step) => match never {},
            never = health::watch(health.clone(), recording.clone()) => match never {},
            never = status_line(settings, status, &progress, &health) => match never {},
        },
    };
    let ending = match ending {
        Ending::StoreFailed { reason, .. } => {
            let command = targets.outlast(&reason, &recording).await;
            Ending::StoreFailed { reason, command }
        }
        other => other,
    };
    manager.stopping(&ending.reason()).await;
    if ending.has_sampled() {
        sampler.last().await;
    }
    targets.close(&recording, &axis).await;
    // Where it ends badly anyhow a leak changes nothing.
    let leak = if settings.judging.fail_on_leak && ending.status() == exit::OK {
        writer.flushed().await;
        judgement.leak().await
    } else {
        Ok(None)
    };
    end(writer, axis.now(), ending, leak).await
}

/// Beside a command nothing is written on stderr, which is the command's.
async fn status_line(settings: &Soak, status: Option<&StatusLine>, progress: &Progress, health: &Health) -> Infallible {
    match status.filter(|_| settings.command.is_empty()) {
        Some(status) => status.show(progress, health).await,
        None => std::future::pending().await,
    }
}

async fn after(settings: &Soak, progress: &Progress) -> Ending {
    let Some(duration) = settings.how_long.duration else { return std::future::pending().await };
    tokio::time::sleep(duration).await;
    match settings.page.is_some() && progress.iterations() == 0 {
        true => Ending::NeverDriven(duration),
        false => Ending::Duration(duration),
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

async fn end(
    writer: WriterThread,
    time: Time,
    ending: Ending,
    leak: anyhow::Result<Option<String>>,
) -> anyhow::Result<u8> {
    let (reason, status) = match &leak {
        Ok(None) => (ending.reason(), ending.status()),
        Ok(Some(leak)) => (format!("{}; leak: {leak}", ending.reason()), exit::LEAK),
        Err(error) => (format!("{}; {error:#}", ending.reason()), exit::TROUBLE),
    };
    let is_bad =
        matches!(ending, Ending::Leak(_) | Ending::GaveUp(_) | Ending::NeverDriven(_)) || matches!(leak, Ok(Some(_)));
    // The thread may still wait for a slow disk; a second signal ends the process all the same.
    let told = reason.clone();
    let written = tokio::task::spawn_blocking(move || writer.end(time, reason, status)).await?;
    match ending {
        Ending::CannotStart(error) => Err(error),
        Ending::CommandNotStarted(error) => {
            exit::report("recorder", &error);
            Ok(status)
        }
        Ending::StoreFailed { command: Some(1..), .. } => {
            written.unwrap_or_else(|error| exit::report("recorder", error.as_ref()));
            Ok(status)
        }
        _ => {
            written?;
            leak?;
            // Told beside a command too, whose own status it may have changed.
            if is_bad {
                tracing::error!("ended: {told}")
            } else {
                tracing::info!("ended: {told}")
            }
            Ok(status)
        }
    }
}
