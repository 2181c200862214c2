//! A command that is started and watched, from its start to its end.

use std::ffi::OsString;
use std::process::ExitStatus;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use heapsoak_probe::node::{Launch, Status};
use std::os::unix::process::ExitStatusExt;
use tempfile::TempDir;

use super::axis::Axis;
use super::command::{self, Running, StartError};
use super::ending::Ending;
use super::program_watch::{Place, ProgramWatch};
use super::registry::{Block, Registry};
use super::run_folder;
use super::sources;
use super::watch_probe::{SharedWatch, WatchProbe};
use super::writer::Recording;

/// A command that was asked to end has this long before it is ended.
const TERMINATE: Duration = Duration::from_secs(5);

/// A command and what watches it.
pub(crate) struct CommandTarget {
    command: Vec<OsString>,
    /// The folder of the preload and its pipe.
    folder: Option<TempDir>,
    launch: Option<Launch>,
    /// Why there is neither.
    unwatched: Option<String>,
    registry: Registry,
    process: Block,
    whole: Block,
    watch: SharedWatch,
    running: Option<Running>,
}

impl CommandTarget {
    /// Makes ready to watch; starts nothing yet. `checkpoint` is the time between two full collections, if asked for.
    ///
    /// # Errors
    /// When a source cannot be had.
    pub(crate) fn prepare(
        command: &[OsString],
        registry: &Registry,
        checkpoint: Option<Duration>,
    ) -> anyhow::Result<Self> {
        let (folder, launch, unwatched) = match run_folder::make(checkpoint) {
            Ok((folder, launch)) => (Some(folder), Some(launch), None),
            Err(reason) => (None, None, Some(reason)),
        };
        Ok(Self {
            command: command.to_vec(),
            folder,
            launch,
            unwatched,
            process: registry.add(None, sources::PROCESS)?,
            whole: registry.add(None, sources::TREE)?,
            registry: registry.clone(),
            watch: SharedWatch::default(),
            running: None,
        })
    }

    /// The command line, for people.
    pub(crate) fn target(&self) -> String {
        let words: Vec<_> = self.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        heapsoak_cli::redact::command_line(&words)
    }

    /// The probe of the command.
    pub(crate) fn probe(&self, axis: Axis) -> WatchProbe {
        WatchProbe::new(Arc::clone(&self.watch), None, axis)
    }

    /// Starts it. Its streams are ours.
    ///
    /// # Errors
    /// As `env` has them: not found, or not to be run.
    pub(crate) fn start(&mut self, recording: &Recording) -> Result<(), StartError> {
        let given = std::env::var_os("NODE_OPTIONS");
        let variable = self.launch.as_ref().and_then(|launch| launch.environment(given.as_deref(), &self.command));
        if let Some(reason) = &self.unwatched {
            tracing::warn!("the heap of Node programs is not watched: {reason}");
            recording.event("not_watched", format!("the heap of Node programs: {reason}"));
        } else if variable.is_none() {
            recording.event(
                "not_watched",
                "Node's permission model keeps the heap from being read; memory of the process is",
            );
        }
        let launch = self.launch.take().filter(|_| variable.is_some());
        let running = command::start(&self.command, variable.map(|(name, value)| (name.into(), value)))?;
        let place = Place {
            root: Some(running.pid()),
            label: None,
            registry: self.registry.clone(),
            recording: recording.clone(),
            process: self.process,
            whole: Some(self.whole),
        };
        let watch = ProgramWatch::new(place, launch);
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
        self.running = Some(running);
        Ok(())
    }

    /// Waits for its end, passes signals on meanwhile, and tells how it ended. Cancel safe until the end has come.
    pub(crate) async fn run(&mut self, axis: &Axis) -> Ending {
        let Some(running) = &mut self.running else { return std::future::pending().await };
        let ended = running.wait().await;
        self.running = None;
        match ended {
            Ok(status) => self.told(status, axis),
            Err(error) => Ending::GaveUp(format!("how the command ended cannot be known: {error}")),
        }
    }

    /// Waits for its end without watching it. Gives its status; none when it had ended before.
    pub(crate) async fn outlast(&mut self, reason: &str) -> Option<u8> {
        let running = self.running.as_mut()?;
        tracing::error!("{reason}: the command goes on unrecorded");
        // Its Node programs find no reader, and stop telling.
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let status = running.wait().await.ok().map(command::status_of);
        self.running = None;
        status
    }

    /// Ends a command that still runs when the run ends for another reason.
    pub(crate) async fn close(&mut self, axis: &Axis) {
        if let Some(running) = &mut self.running {
            running.terminate();
            if tokio::time::timeout(TERMINATE, running.wait()).await.is_err() {
                running.kill();
            }
            if let Ok(status) = running.wait().await {
                self.told(status, axis);
            }
            self.running = None;
        }
        self.keep_preload_that_is_needed();
    }

    fn told(&self, status: ExitStatus, axis: &Axis) -> Ending {
        let how = match (status.code(), status.signal()) {
            (Some(code), _) => Status::Code(code),
            (None, Some(signal)) => Status::Signal(signal),
            (None, None) => Status::Unknown,
        };
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken out: there is nothing to sample any more, and unknown is what the samples say from now on.
        let reason = watch.take().map(|mut watch| watch.end(axis.now(), how)).unwrap_or_default();
        Ending::Command { reason, status: command::status_of(status) }
    }

    /// A program that outlives its command (a daemon) starts Node programs with our preload: without the file they would
    /// not start at all.
    fn keep_preload_that_is_needed(&mut self) {
        let Some(folder) = self.folder.take() else { return };
        let name = folder.path().as_os_str().as_encoded_bytes().to_vec();
        if heapsoak_probe::process::any_environment_holds(&name) {
            let kept = folder.keep();
            tracing::info!("{} is kept for programs that still run", kept.display());
        }
    }
}
