//! The loop: a browser, a page, and one pass through the scenario after another.
//!
//! It owns driver and session, tells the probes what to watch, and after a fault starts again what the fault took
//! away. Sampling and writing go on meanwhile; they wait for it at no point.

use std::time::{Duration, Instant};

use anyhow::Context;
use heapsoak_browser::{
    BrowserError, Driver, DriverOptions, Facts, Fate, Fault, Session, SessionOptions, Trace, find, patiently,
};
use heapsoak_cli::size;
use heapsoak_probe::page::Page;
use heapsoak_probe::process::ProcessTree;
use heapsoak_store::Guardian;
use nix::unistd::Uid;
use tokio::time::MissedTickBehavior;
use url::Url;

use super::backoff::Backoff;
use super::browser_args;
use super::checkpoint::{Asked, Checkpoints};
use super::ending::Ending;
use super::probes::{Collections, Handover};
use super::sandbox::{self, Soaked};
use super::status::Progress;
use super::watch_page;
use super::writer::Recording;
use crate::page::{self, OwnPage};
use crate::settings;

/// A session that is closed politely takes 0.1 s; after this the driver is ended anyway.
const CLOSE: Duration = Duration::from_millis(800);
/// Until no process of the browser is left.
const END: Duration = Duration::from_secs(3);
/// Each command of an iteration has a deadline; this one is for all of them together.
const ITERATION: Duration = Duration::from_secs(20);
/// Between two tries to watch a page that is driven well.
const WATCH_AGAIN: Duration = Duration::from_secs(5);
/// A page may make its element some time after it was loaded.
const APPEARS: Duration = Duration::from_secs(10);
/// Until the browser's words about a crash are heard.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// Failed iterations in a row, none good between them, that make a new session worth a try.
const FAILED_IN_A_ROW: u32 = 50;

/// How the driver is had.
enum DriverSource {
    Own(DriverOptions),
    Remote(Url),
}

/// A page that is soaked in a browser.
pub(crate) struct PageLoop {
    settings: settings::Page,
    url: Url,
    /// Served as long as it is held.
    _own_page: Option<OwnPage>,
    source: DriverSource,
    options: SessionOptions,
    progress: Progress,
    page: Handover<Page>,
    collections: Handover<Collections>,
    processes: Handover<ProcessTree>,
    checkpoints: Option<Checkpoints>,
    /// Why the browser has no sandbox; none: it has one.
    unsandboxed: Option<&'static str>,
    /// When it was last tried in vain to watch the page.
    unwatched: Option<Instant>,
    driver: Option<Driver>,
    session: Option<Session>,
}

/// What ended a session.
enum Broken {
    Session(Fault),
    Driver(BrowserError),
}

impl PageLoop {
    /// Finds browser and driver, serves the page of our own if that is the one, and starts nothing yet.
    ///
    /// # Errors
    /// When there is no browser or driver, a URL is none, or root forgot that the sandbox refuses root.
    pub(crate) async fn prepare(
        settings: &settings::Page,
        progress: Progress,
        checkpoints: Option<Checkpoints>,
    ) -> anyhow::Result<Self> {
        let source = match &settings.webdriver {
            Some(url) => DriverSource::Remote(Url::parse(url).map_err(|error| {
                anyhow::anyhow!(
                    "--webdriver {}: {error}; write it whole, as in http://HOST:4444/",
                    heapsoak_cli::redact::url(url)
                )
            })?),
            None => {
                let own = std::env::current_exe().context("the recorder does not find itself")?;
                DriverSource::Own(DriverOptions::new(own, &["guardian"], find::driver()?))
            }
        };
        let local = matches!(source, DriverSource::Own(_));
        let browser =
            if local || settings.browser.is_some() { Some(find::browser(settings.browser.as_deref())?) } else { None };
        let own_page = match &settings.url {
            None => Some(page::serve(settings.leak_bytes_per_s).await?),
            Some(_) => None,
        };
        let text = own_page.as_ref().map(|page| page.url.as_str()).or(settings.url.as_deref()).unwrap_or_default();
        let url = Url::parse(text).with_context(|| {
            let shown = heapsoak_cli::redact::url(text);
            format!("`{shown}` is not a URL; write it whole, for instance http://127.0.0.1:8080/")
        })?;
        let soaked = if own_page.is_some() { Soaked::Own } else { Soaked::Other(&url) };
        let unsandboxed = sandbox::off(settings, &soaked, local && Uid::effective().is_root())?;
        if let Some(reason) = unsandboxed {
            tracing::warn!("the browser runs without its sandbox: {reason}");
        }
        let options = SessionOptions {
            browser,
            extra_args: browser_args::checked(&settings.browser_args, unsandboxed.is_none())?,
            headed: settings.headed,
            no_sandbox: unsandboxed.is_some(),
            ..Default::default()
        };
        Ok(Self {
            settings: settings.clone(),
            url,
            _own_page: own_page,
            source,
            options,
            progress,
            page: Handover::new(),
            collections: Handover::new(),
            processes: Handover::new(),
            checkpoints,
            unsandboxed,
            unwatched: None,
            driver: None,
            session: None,
        })
    }

    /// Where the page to watch is left for its probe.
    pub(crate) fn page(&self) -> Handover<Page> {
        self.page.share()
    }

    /// Where the page's garbage collections are left for their probe.
    pub(crate) fn collections(&self) -> Handover<Collections> {
        self.collections.share()
    }

    /// Where the browser's processes are left for their probe.
    pub(crate) fn processes(&self) -> Handover<ProcessTree> {
        self.processes.share()
    }

    /// The page's URL, without a password.
    pub(crate) fn target(&self) -> String {
        heapsoak_cli::redact::url(self.url.as_str())
    }

    /// Passes through the scenario until `iterations` are done, starting again after each fault, until that is in vain.
    pub(crate) async fn run(&mut self, recording: &Recording, iterations: Option<u64>) -> Ending {
        if let Some(reason) = self.unsandboxed {
            recording.event("no_sandbox", reason);
        }
        let mut backoff = Backoff::new(self.settings.restarts);
        loop {
            let began = Instant::now();
            let broken = match self.session(recording, iterations).await {
                Ok(ending) => return ending,
                Err(broken) => broken,
            };
            self.page.withdraw();
            self.collections.withdraw();
            let (kind, reason) = self.tell(&broken).await;
            // Nothing was ever driven: this is no fault of a soak but of the command line or the machine.
            if self.progress.iterations() == 0 {
                return Ending::CannotStart(broken.into_error(&self.settings));
            }
            recording.event(kind, reason.as_str());
            if broken.is_final() {
                return Ending::GaveUp(reason);
            }
            self.clear(recording).await;
            let Some(wait) = backoff.next(began.elapsed(), fastrand::f64()) else {
                return Ending::GaveUp(format!(
                    "{} restarts in a row did not help; the last time: {reason}",
                    self.settings.restarts
                ));
            };
            tokio::time::sleep(wait).await;
            self.progress.restarted();
            recording.event("restart", "a new browser");
        }
    }

    /// Ends session, browser and driver, within about a second.
    pub(crate) async fn close(&mut self, recording: &Recording) {
        self.page.withdraw();
        self.collections.withdraw();
        self.processes.withdraw();
        self.clear(recording).await;
    }

    /// One session, from its opening to the fault that ends it or to the end of the run.
    async fn session(&mut self, recording: &Recording, iterations: Option<u64>) -> Result<Ending, Broken> {
        self.open(recording).await?;
        let mut pace = tokio::time::interval(self.settings.interval.max(Duration::from_millis(1)));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (loaded, mut failed_in_a_row) = (Instant::now(), 0);
        loop {
            pace.tick().await;
            match self.iterate().await {
                Ok(()) => {
                    failed_in_a_row = 0;
                    self.progress.iterated();
                    if let Some(checkpoints) = &mut self.checkpoints {
                        checkpoints.iterated(recording).await;
                    }
                    self.keep_watching(recording).await;
                    if iterations.is_some_and(|wanted| self.progress.iterations() >= wanted) {
                        return Ok(Ending::Iterations(self.progress.iterations()));
                    }
                }
                Err(Broken::Session(fault))
                    if fault.fate() == Fate::NextIteration
                        && (self.progress.iterations() > 0 || loaded.elapsed() < APPEARS) =>
                {
                    failed_in_a_row += 1;
                    self.progress.failed();
                    // The first of a series is an event; a series is not thousands of them.
                    if failed_in_a_row == 1 && self.progress.iterations() > 0 {
                        recording.event(fault.kind(), fault.to_string());
                    }
                    if failed_in_a_row >= FAILED_IN_A_ROW && loaded.elapsed() >= APPEARS {
                        return Err(Broken::Session(fault));
                    }
                }
                Err(broken) => return Err(broken),
            }
        }
    }

    /// One pass: the pointer moves over the element.
    async fn iterate(&mut self) -> Result<(), Broken> {
        let (Some(driver), Some(session)) = (&mut self.driver, &mut self.session) else {
            return Err(Broken::Session(Fault::WindowGone));
        };
        tokio::select! {
            biased;
            result = patiently(ITERATION, session.hover(&self.settings.element)) => {
                let late = || Fault::Unresponsive { what: "an iteration".to_owned(), after: Some(ITERATION) };
                result.unwrap_or_else(|| Err(late())).map_err(Broken::Session)
            }
            error = driver.ended() => Err(Broken::Driver(error)),
        }
    }

    async fn open(&mut self, recording: &Recording) -> Result<(), Broken> {
        if self.driver.is_none() {
            let driver = match &self.source {
                DriverSource::Own(options) => Driver::start(options).await.map_err(Broken::Driver)?,
                DriverSource::Remote(url) => Driver::remote(url.clone()).map_err(Broken::Driver)?,
            };
            recording.guardians(driver.trace().and_then(guardian).into_iter().collect());
            self.driver = Some(driver);
        }
        let Some(driver) = &self.driver else { return Err(Broken::Session(Fault::WindowGone)) };
        let session = Session::open(driver, &self.options).await.map_err(Broken::Session)?;
        let facts = session.facts();
        recording.event("session", words(&facts));
        let session = self.session.insert(session);
        session.goto(&self.url).await.map_err(Broken::Session)?;
        recording.event("navigation", heapsoak_cli::redact::url(self.url.as_str()));
        // Now that the page is there, not before: the heap of an empty or an error page is not the page's.
        let asked = self.checkpoints.as_mut().map_or_else(Asked::default, |checkpoints| checkpoints.watch(None));
        match watch_page::collections(session) {
            Some(watch) => self.collections.give(Collections { watch, recording: recording.clone(), asked }),
            None => self.collections.withdraw(),
        }
        self.unwatched = None;
        self.watch(recording).await;
        match facts.browser_pid.and_then(|pid| u32::try_from(pid).ok()) {
            Some(pid) => self.processes.give(ProcessTree::new(pid)),
            None => self.processes.withdraw(),
        }
        Ok(())
    }

    async fn watch(&mut self, recording: &Recording) {
        let Some(session) = &self.session else { return };
        match watch_page::connect(session).await {
            Ok(page) => {
                if let Some(checkpoints) = &mut self.checkpoints {
                    checkpoints.watch(Some(page.collector()));
                }
                self.page.give(page);
                if self.unwatched.take().is_some() {
                    recording.event("page_watched", "the page is sampled again");
                }
            }
            Err(error) => {
                if self.unwatched.replace(Instant::now()).is_none() {
                    recording.event("page_not_watched", format!("{error:#}"));
                }
            }
        }
    }

    /// A page that is driven well is sampled too: a connection that broke by itself is made again.
    async fn keep_watching(&mut self, recording: &Recording) {
        if self.page.is_lost() {
            self.page.withdraw();
            recording.event("page_not_watched", "the connection to the page's DevTools broke");
            self.unwatched = Some(Instant::now());
        }
        if self.unwatched.is_some_and(|tried| tried.elapsed() >= WATCH_AGAIN) {
            self.watch(recording).await;
        }
    }

    /// Takes away all that a fault may have spoilt.
    async fn clear(&mut self, recording: &Recording) {
        if let Some(session) = self.session.take() {
            // What it answers proves nothing; the driver's end looks at the processes.
            if let Err(fault) = session.close(CLOSE).await {
                tracing::debug!("the session was not closed politely: {fault}");
            }
        }
        let Some(driver) = self.driver.take() else { return };
        match driver.end(END).await {
            Ok(()) => recording.guardians(Vec::new()),
            // What is left stays noted, for the next run to sweep.
            Err(error) => recording.event("leftover", error.to_string()),
        }
    }

    /// What has happened, as an event: of a crash also whether memory was the cause, of a silence also who.
    async fn tell(&self, broken: &Broken) -> (&'static str, String) {
        let (kind, reason) = broken.tell();
        let (Broken::Session(fault), Some(driver)) = (broken, &self.driver) else { return (kind, reason) };
        match fault {
            Fault::RendererCrash => {
                tokio::time::sleep(LAST_WORDS).await;
                if !driver.saw_out_of_memory() {
                    return (kind, reason);
                }
                let heap = self.progress.last_heap().map_or_else(|| "unknown".to_owned(), size::format_size);
                ("out_of_memory", format!("out of memory, the page's heap was {heap} when it was last seen"))
            }
            Fault::Unresponsive { .. } => match driver.culprit().await {
                Some(culprit) => (kind, format!("{culprit}: {reason}")),
                None => (kind, reason),
            },
            _ => (kind, reason),
        }
    }
}

impl Broken {
    /// Whether no restart can help. One helps also an iteration that fails again and again.
    fn is_final(&self) -> bool {
        matches!(self, Self::Session(fault) if fault.fate() == Fate::Stop)
    }

    fn tell(&self) -> (&'static str, String) {
        match self {
            Self::Session(fault) => (fault.kind(), fault.to_string()),
            Self::Driver(error) => ("driver_crash", error.to_string()),
        }
    }

    fn into_error(self, settings: &settings::Page) -> anyhow::Error {
        match self {
            Self::Session(fault @ Fault::DriverGone { .. }) => match &settings.webdriver {
                Some(url) => anyhow::Error::new(fault)
                    .context(format!("no driver answers at {}; start one there", heapsoak_cli::redact::url(url))),
                None => fault.into(),
            },
            Self::Session(fault) => fault.into(),
            Self::Driver(error) => error.into(),
        }
    }
}

/// As the store takes it; a folder whose name is no text is not noted.
fn guardian(trace: &Trace) -> Option<Guardian> {
    let Trace { pid, started, boot, folder } = trace.clone();
    Some(Guardian { pid, started, boot, folder: folder.to_str()?.to_owned() })
}

/// `chrome 156.0.8078.79, driver 156.0.8078.79`
fn words(facts: &Facts) -> String {
    format!("{} {}, driver {}", facts.browser_name, facts.browser_version, facts.driver_version)
}
