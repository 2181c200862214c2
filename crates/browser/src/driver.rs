//! The WebDriver server: one of our own under a guardian, or somebody else's at a URL.
use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use nix::sys::signal::Signal;
use tokio::{
    process::{Child, ChildStdin, Command},
    sync::watch,
    time::{Instant, sleep, timeout_at},
};
use url::Url;

use crate::{BrowserError, Culprit, Trace, culprit, tail::Tail, tree};

/// How often the process list is read while processes end.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The names of run folders begin so.
pub(crate) const PREFIX: &str = "heapsoak-";
/// What chromedriver says once it listens; its port follows.
const READY: &str = "started successfully on port ";
/// What it says when another program has the port that it chose. It does not always end then.
const PORT_TAKEN: &str = "port not available";
/// How often it may choose.
const CHOICES: usize = 4;
/// What Chromium says when V8 gives up: (Reached heap limit) or another reason follows.
const OUT_OF_MEMORY: &str = "V8 javascript OOM";

/// How to start a driver of our own.
#[derive(Debug, Clone)]
pub struct DriverOptions {
    /// The program that calls [`guardian::run`](crate::guardian::run), usually the running one.
    pub guardian_exe: PathBuf,
    /// The arguments that make it do so, before the guardian's own.
    pub guardian_args: Vec<OsString>,
    /// chromedriver, see [`find::driver`](crate::find::driver).
    pub driver: PathBuf,
    /// Where the run folder is made (default: the system's folder for temporary files). The run folder becomes the
    /// TMPDIR of driver and browser and goes when they go.
    pub temp_dir: PathBuf,
    /// How long the driver may take until it listens (default 10 s; it needs 20 ms).
    pub deadline: Duration,
}

impl DriverOptions {
    /// Options with the defaults above.
    pub fn new(guardian_exe: PathBuf, guardian_args: &[&str], driver: PathBuf) -> DriverOptions {
        DriverOptions {
            guardian_exe,
            guardian_args: guardian_args.iter().map(OsString::from).collect(),
            driver,
            temp_dir: std::env::temp_dir(),
            deadline: Duration::from_secs(10),
        }
    }
}

/// A driver that sessions can be opened on.
///
/// Dropping it releases the guardian, which ends the driver and all browsers; [`Driver::end`] also waits and checks.
#[derive(Debug)]
pub struct Driver {
    /// Ends with a slash. May hold credentials: never shown, see [`Driver::url`].
    pub(crate) base: Url,
    own: Option<Own>,
}

/// A driver that we started.
#[derive(Debug)]
struct Own {
    guardian: Child,
    /// Held apart from `guardian`, whose `wait` would let go of it.
    pipe: ChildStdin,
    guardian_pid: i32,
    driver_pid: Option<i32>,
    folder: PathBuf,
    trace: Option<Trace>,
    tail: Tail,
}

impl Driver {
    /// Starts chromedriver on a free port of its own choice and waits until it listens. One that finds its port taken is
    /// started again: it looks for one that is free by IPv6, and another program may have it by IPv4.
    ///
    /// # Errors
    /// [`BrowserError::RunFolder`], [`BrowserError::Spawn`], [`BrowserError::DriverEnded`],
    /// [`BrowserError::PortTaken`] or [`BrowserError::DriverSilent`], the latter three with the driver's last words.
    pub async fn start(options: &DriverOptions) -> Result<Driver, BrowserError> {
        for _ in 1..CHOICES {
            match Driver::start_once(options).await {
                Err(BrowserError::PortTaken { tail }) => tracing::debug!(%tail, "the driver's port was taken"),
                done => return done,
            }
        }
        Driver::start_once(options).await
    }

    async fn start_once(options: &DriverOptions) -> Result<Driver, BrowserError> {
        let until = Instant::now() + options.deadline;
        let wanted = options.clone();
        let mut own = aside(move || Own::make(&wanted)).await?;
        let ready = own.ready(until, options.deadline).await;
        let started = ready.and_then(|port| {
            own.driver_pid = tree::living().iter().find(|process| process.parent == own.guardian_pid).map(|p| p.pid);
            let base = format!("http://127.0.0.1:{port}/");
            base.parse().map_err(|_| unusable(&base, "it is no URL"))
        });
        match started {
            Ok(base) => Ok(Driver { base, own: Some(own) }),
            Err(error) => {
                if let Err(leftover) = own.end(Duration::from_secs(3)).await {
                    tracing::warn!(%leftover, "a failed start could not be undone");
                }
                Err(error)
            }
        }
    }

    /// Somebody else's driver or a Selenium Grid at `url`, such as `http://user:password@grid:4444/`.
    ///
    /// # Errors
    /// [`BrowserError::RemoteUrl`] for a URL that is not http(s), or whose credentials cannot be sent.
    pub fn remote(mut url: Url) -> Result<Driver, BrowserError> {
        let shown = public(&url);
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(unusable(&shown, "it must begin with http:// or https:// and name a host"));
        }
        // The header would carry the percent signs instead of what they stand for.
        if url.username().contains('%') || url.password().is_some_and(|password| password.contains('%')) {
            return Err(unusable(&shown, "its user or password holds characters that a URL must escape; use others"));
        }
        url.set_query(None);
        url.set_fragment(None);
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Driver { base: url, own: None })
    }

    /// The driver's URL without credentials.
    pub fn url(&self) -> Url {
        let mut url = self.base.clone();
        strip(&mut url);
        url
    }

    /// Whether we started it.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    pub(crate) fn has_credentials(&self) -> bool {
        !self.base.username().is_empty() || self.base.password().is_some()
    }

    /// The process id of the driver that we started.
    pub fn pid(&self) -> Option<i32> {
        self.own.as_ref()?.driver_pid
    }

    /// The process id of its guardian, from which driver and browser descend.
    pub fn guardian_pid(&self) -> Option<i32> {
        Some(self.own.as_ref()?.guardian_pid)
    }

    /// The run folder, where the browser's profile and all its temporary files are.
    pub fn run_dir(&self) -> Option<&Path> {
        Some(&self.own.as_ref()?.folder)
    }

    /// By what another process can find what we started, should we be killed; see [`sweep`](crate::sweep).
    pub fn trace(&self) -> Option<&Trace> {
        self.own.as_ref()?.trace.as_ref()
    }

    /// Who keeps a session of our driver from answering; of a remote driver nothing can be seen. Takes 0.3 s.
    pub async fn culprit(&self) -> Option<Culprit> {
        let own = self.own.as_ref()?;
        Some(culprit::look(own.guardian_pid, own.driver_pid).await)
    }

    /// The last words of the driver that we started, in one line.
    pub fn last_words(&self) -> String {
        self.own.as_ref().map(|own| own.tail.line()).unwrap_or_default()
    }

    /// Whether a page of our driver's browser has died because its heap was full. Known some milliseconds after its end.
    pub fn saw_out_of_memory(&self) -> bool {
        self.own.as_ref().is_some_and(|own| own.tail.text().contains(OUT_OF_MEMORY))
    }

    /// Resolves when our driver or its guardian has ended, with the reason; never for a remote driver.
    ///
    /// May be dropped and called again.
    pub async fn ended(&mut self) -> BrowserError {
        match &mut self.own {
            None => std::future::pending().await,
            Some(own) => own.ended().await,
        }
    }

    /// Ends our driver and all its browsers, and sees to it that none is left. Does nothing to a remote driver.
    ///
    /// Takes about 0.3 s. Also clears up after a guardian that was killed.
    ///
    /// # Errors
    /// [`BrowserError::Leftover`] when processes are left at the deadline.
    pub async fn end(mut self, deadline: Duration) -> Result<(), BrowserError> {
        let Some(own) = self.own.take() else { return Ok(()) };
        own.end(deadline).await
    }
}

impl Own {
    fn make(options: &DriverOptions) -> Result<Own, BrowserError> {
        let folder = run_folder(&options.temp_dir)?;
        Own::spawn(options, &folder).map_err(|source| {
            remove(&folder);
            BrowserError::Spawn { program: options.guardian_exe.clone(), source }
        })
    }

    fn spawn(options: &DriverOptions, folder: &Path) -> io::Result<Own> {
        let mut guardian = Command::new(&options.guardian_exe)
            .args(&options.guardian_args)
            .args(["--remove".as_ref(), folder.as_os_str(), "--".as_ref(), options.driver.as_os_str()])
            // What the browser says on its stderr comes to ours: there it tells that a page ran out of memory.
            .args(["--port=0", "--enable-chrome-logs"])
            .env("TMPDIR", folder)
            // Else the dumps of crashed pages pile up in the user's home.
            .env("BREAKPAD_DUMP_LOCATION", folder.join("crashes"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let pipe = guardian.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let guardian_pid = guardian.id().unwrap_or_default().cast_signed();
        let trace = Trace::of(guardian_pid, folder);
        if let Some(Err(error)) = trace.as_ref().map(Trace::mark) {
            tracing::debug!(%error, "the run folder cannot be marked: should we be killed, nobody knows it for ours");
        }
        let (folder, tail) = (folder.to_owned(), Tail::default());
        Ok(Own { guardian, pipe, guardian_pid, driver_pid: None, folder, trace, tail })
    }

    /// Waits until the driver listens; gives its port.
    async fn ready(&mut self, until: Instant, deadline: Duration) -> Result<u16, BrowserError> {
        let mut port = listen(&mut self.guardian, &self.tail);
        let heard = timeout_at(until, port.wait_for(Option::is_some));
        let ended = tokio::select! {
            biased;
            _ = heard => None,
            ended = self.ended() => Some(ended),
        };
        if ended.is_some() {
            // Its last words may still be on their way.
            let _ = timeout_at(Instant::now() + LOOK_AGAIN * 5, port.wait_for(Option::is_some)).await;
        }
        let heard = *port.borrow();
        match (heard, ended) {
            (Some(Heard::PortTaken), _) => Err(BrowserError::PortTaken { tail: self.tail.line() }),
            (_, Some(ended)) => Err(ended),
            (Some(Heard::Port(port)), None) => Ok(port),
            (None, None) => Err(BrowserError::DriverSilent { after: deadline, tail: self.tail.line() }),
        }
    }

    async fn ended(&mut self) -> BrowserError {
        let status = match self.guardian.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        BrowserError::DriverEnded { status, tail: self.tail.line() }
    }

    async fn end(mut self, deadline: Duration) -> Result<(), BrowserError> {
        let until = Instant::now() + deadline;
        // The end of this pipe is the guardian's sign.
        drop(self.pipe);
        // Two thirds are the guardian's; what it has not done by then is done without it.
        let polite = until - deadline / 3;
        let ended = timeout_at(polite, self.guardian.wait()).await.is_ok();
        if !ended {
            tree::signal(&[self.guardian_pid], Signal::SIGKILL);
        }
        loop {
            let (guardian, folder) = (self.guardian_pid, self.folder.clone());
            let left = aside(move || {
                let left = tree::of_run(Some(guardian), &folder);
                if left.is_empty() {
                    remove(&folder);
                }
                left
            })
            .await;
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(BrowserError::Leftover { pids: left, after: deadline });
            }
            tree::signal(&left, Signal::SIGKILL);
            sleep(LOOK_AGAIN).await;
        }
    }
}

/// Does what asks disk and system many questions in a thread of its own. On a disk that is busy a lookup in a directory
/// may wait for seconds, and whoever runs beside us, a sampler for instance, must not wait with it.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

/// The longest name of a run folder: Chromium makes a socket beneath it, and ends at once where the system has no room for
/// the socket's name, which is 107 bytes.
const FOLDER_BYTES: usize = 107 - "/org.chromium.Chromium.XXXXXX/SingletonSocket".len();

/// Where the run folder is made: `wanted`, unless its name is too long for a browser.
fn run_folder_parent(wanted: &Path) -> &Path {
    let room = FOLDER_BYTES - PREFIX.len() - "/XXXXXX".len();
    if wanted.as_os_str().len() <= room {
        return wanted;
    }
    let instead = Path::new("/tmp");
    tracing::warn!(
        "the name of {} is too long for a browser's sockets (more than {room} bytes): {} is used instead",
        wanted.display(),
        instead.display()
    );
    instead
}

/// A folder that only we can read. The guardian removes it.
fn run_folder(parent: &Path) -> Result<PathBuf, BrowserError> {
    let parent = run_folder_parent(parent);
    tempfile::Builder::new()
        .prefix(PREFIX)
        .permissions(fs::Permissions::from_mode(0o700))
        .disable_cleanup(true)
        .tempdir_in(parent)
        .map(|folder| folder.path().to_owned())
        .map_err(|source| BrowserError::RunFolder { path: parent.to_owned(), source })
}

pub(crate) fn remove(folder: &Path) {
    if let Err(error) = fs::remove_dir_all(folder)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(folder = %folder.display(), %error, "the run folder could not be removed");
    }
}

/// What a driver says of its port when it starts.
#[derive(Debug, Clone, Copy)]
enum Heard {
    Port(u16),
    PortTaken,
}

/// Reads all that guardian, driver and browser write, as long as they live. Gives the port once it is said.
fn listen(guardian: &mut Child, tail: &Tail) -> watch::Receiver<Option<Heard>> {
    let (sender, receiver) = watch::channel(None);
    let hear = move |tail: &Tail| {
        if sender.borrow().is_none() {
            let text = tail.text();
            let taken = || text.contains(PORT_TAKEN).then_some(Heard::PortTaken);
            sender.send_replace(parse_port(&text).map(Heard::Port).or_else(taken));
        }
    };
    if let Some(stdout) = guardian.stdout.take() {
        tokio::spawn(tail.clone().drain(stdout, hear.clone()));
    }
    if let Some(stderr) = guardian.stderr.take() {
        tokio::spawn(tail.clone().drain(stderr, hear));
    }
    receiver
}

/// The port out of chromedriver's `ChromeDriver was started successfully on port 41415.`; `None` until it is complete.
fn parse_port(text: &str) -> Option<u16> {
    let rest = &text[text.find(READY)? + READY.len()..];
    let digits = &rest[..rest.find(|c: char| !c.is_ascii_digit())?];
    digits.parse().ok().filter(|port| *port > 0)
}

/// A URL as it may be shown: without credentials.
pub(crate) fn public(url: &Url) -> String {
    let mut url = url.clone();
    strip(&mut url);
    url.to_string()
}

fn strip(url: &mut Url) {
    // Both fail only for URLs that cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
}

fn unusable(url: &str, reason: &'static str) -> BrowserError {
    BrowserError::RemoteUrl { url: url.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_runs_beside_us_does_not_wait_for_the_disk() {
        let (open, opened) = std::sync::mpsc::channel();
        let slow = aside(move || opened.recv_timeout(Duration::from_secs(20)));
        let beside = async { open.send(()) };
        let (slow, beside) = tokio::join!(slow, beside);
        assert_eq!((slow, beside), (Ok(()), Ok(())));
    }

    #[test]
    fn half_a_port_number_is_no_port() {
        let start = "Starting ChromeDriver 156 on port 0\nOnly local connections are allowed.\n";
        let check = |rest: &str| parse_port(&format!("{start}{rest}"));
        assert_eq!(check(""), None);
        assert_eq!(check("ChromeDriver was started successfully on port 414"), None);
        assert_eq!(check("ChromeDriver was started successfully on port 41415."), Some(41415));
        assert_eq!(check("ChromeDriver was started successfully on port 0."), None);
    }

    /// A driver (the guardian is the script itself) that finds its port taken so often, says so, and then does that.
    #[expect(clippy::disallowed_methods, reason = "a script of the test's own, read by nobody before it is whole")]
    async fn started_when_taken(times: usize, then: &str) -> Result<Driver, BrowserError> {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("driver");
        let text = format!(
            "#!/bin/sh\necho x >>{0}/tries\nif [ $(wc -l <{0}/tries) -le {times} ]; then \
             echo '[SEVERE]: bind() failed: Address already in use (98)' >&2; \
             echo 'IPv4 port not available. Exiting...'; {then}; else \
             echo 'ChromeDriver was started successfully on port 4711.'; fi\ncat >/dev/null\n",
            folder.path().display()
        );
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
        let options =
            DriverOptions { temp_dir: folder.path().to_owned(), ..DriverOptions::new(script, &[], "x".into()) };
        Driver::start(&options).await
    }

    #[tokio::test]
    async fn a_port_that_somebody_else_has_is_no_reason_to_give_up() {
        for then in ["exit 1", "sleep 60"] {
            let driver = started_when_taken(CHOICES - 1, then).await.unwrap();
            assert_eq!(driver.url().port(), Some(4711));
            driver.end(Duration::from_secs(3)).await.unwrap();
        }
        let error = started_when_taken(CHOICES, "exit 1").await.unwrap_err();
        assert!(
            matches!(&error, BrowserError::PortTaken { tail } if tail.contains("Address already in use")),
            "{error}"
        );
    }

    #[test]
    fn a_password_in_the_drivers_url_is_never_shown() {
        let driver = Driver::remote("http://me:canary@grid:4444/wd/hub?canary=1".parse().unwrap()).unwrap();
        assert_eq!(driver.url().as_str(), "http://grid:4444/wd/hub/");
        let error = Driver::remote("http://me:can%40ary@grid:4444".parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains("http://grid:4444/") && !error.contains("ary"), "{error}");
        let error = Driver::remote("ftp://me:canary@grid/".parse().unwrap()).unwrap_err().to_string();
        assert!(!error.contains("canary"), "{error}");
    }
}
