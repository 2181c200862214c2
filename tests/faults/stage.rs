//! What a fault is played on: a folder of its own, recorders in it, and what their store says.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::processes;

/// What a machine with more work than cores may need for what usually takes a second.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A time that an idle machine keeps, as this one may: more work than cores makes all of it slower.
pub(crate) fn stretched(seconds: f64) -> f64 {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f64 = load.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0.0);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    #[expect(clippy::cast_precision_loss, reason = "few cores")]
    let per_core = load / cores as f64;
    seconds * (1.0 + per_core)
}

/// One of our two binaries: those that this test was built with, or those of `HEAPSOAK_BIN`.
pub(crate) fn binary(name: &str) -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_recorder"));
    let folder = std::env::var_os("HEAPSOAK_BIN").map(PathBuf::from);
    folder.as_deref().or(built.parent()).unwrap_or(Path::new(".")).join(name)
}

/// Waits a moment.
#[expect(clippy::disallowed_methods, reason = "a test waits for other processes and has no stop signal")]
pub(crate) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// Waits until `done` answers with something; gives it.
pub(crate) fn until<T>(limit: Duration, what: &str, mut done: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = done()? {
            return Ok(found);
        }
        ensure!(began.elapsed() < limit, "{what}: not within {} s", limit.as_secs());
        pause(Duration::from_millis(100));
    }
}

/// A folder for one fault.
pub(crate) struct Stage {
    folder: TempDir,
    /// Where the store lies.
    disk: PathBuf,
}

impl Stage {
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("faults-").tempdir()?;
        std::fs::create_dir(folder.path().join("tmp"))?;
        Ok(Self { disk: folder.path().to_owned(), folder })
    }

    /// A folder whose store lies on a disk of this size. Only where we may mount.
    pub(crate) fn with_disk(size: &str) -> Result<Self> {
        let mut stage = Self::new()?;
        stage.disk = stage.path("disk");
        std::fs::create_dir(&stage.disk)?;
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&stage.disk)
            .status()?;
        ensure!(status.success(), "mount: {status}");
        Ok(stage)
    }

    /// The folder of the store.
    pub(crate) fn disk(&self) -> &Path {
        &self.disk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.disk.join("soak.db")
    }

    /// Writes a file, and says where it is.
    pub(crate) fn file(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path(name);
        File::create(&path)?.write_all(text.as_bytes())?;
        Ok(path)
    }

    /// A command in this folder, whose temporary files stay in it and whose stderr is kept in `NAME.log`.
    pub(crate) fn command(&self, name: &str, program: impl AsRef<std::ffi::OsStr>) -> Result<Command> {
        let log = File::options().create(true).append(true).open(self.path(&format!("{name}.log")))?;
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env("TMPDIR", self.path("tmp"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        Ok(command)
    }

    /// What `NAME.log` holds.
    pub(crate) fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(&format!("{name}.log"))).unwrap_or_default()
    }

    pub(crate) fn recorder(&self, args: &str) -> Result<Command> {
        let mut command = self.command("recorder", binary("recorder"))?;
        command.arg("--db").arg(self.db()).args(args.split_whitespace());
        Ok(command)
    }

    /// A recorder with rows of a second, of which nothing is forgotten while a fault lasts.
    pub(crate) fn start(&self, args: &str) -> Result<Recorder<'_>> {
        self.run(self.recorder(&format!("--rra AVERAGE:0.5:1:20000 --rra MAX:0.5:1:20000 {args}"))?)
    }

    /// The same, once its page has been sampled some times.
    pub(crate) fn soak(&self, args: &str) -> Result<Recorder<'_>> {
        let begun = now();
        let recorder = self.start(args)?;
        recorder.until_sampled(begun)?;
        Ok(recorder)
    }

    pub(crate) fn run(&self, mut command: Command) -> Result<Recorder<'_>> {
        let child = command.spawn().with_context(|| format!("{command:?}"))?;
        Ok(Recorder { stage: self, child })
    }

    /// What the store answers; empty while there is none.
    pub(crate) fn sql(&self, query: &str) -> Result<String> {
        sql(&self.db(), query)
    }

    pub(crate) fn number(&self, query: &str) -> Result<f64> {
        let text = self.sql(query)?;
        text.parse().with_context(|| format!("`{query}` answers `{text}`"))
    }

    /// The events after `time`, as `kind: detail`.
    pub(crate) fn events(&self, after: f64) -> Result<Vec<String>> {
        let rows = self.sql(&format!("select kind || ': ' || detail from event where time >= {after} order by id"))?;
        Ok(rows.lines().map(str::to_owned).collect())
    }

    /// Waits for an event of one of these kinds after `time`; gives its time and text.
    pub(crate) fn until_event(&self, kinds: &[&str], after: f64) -> Result<(f64, String)> {
        let list = kinds.iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(",");
        let query = format!(
            "select time || '|' || kind || ': ' || detail from event where kind in ({list}) and time >= {after} order by id limit 1"
        );
        let found = until(PATIENCE, &format!("an event {kinds:?}"), || {
            let row = self.sql(&query)?;
            Ok(row.split_once('|').map(|(time, text)| (time.to_owned(), text.to_owned())))
        });
        let (time, text) = found.with_context(|| format!("events: {:?}", self.events(after).unwrap_or_default()))?;
        Ok((time.parse()?, text))
    }

    /// Each row of a source from its first known one on.
    pub(crate) fn rows(&self, source: &str) -> Result<Vec<(f64, Option<f64>)>> {
        let from = format!("(select min(time) from average where {source} is not null)");
        let text = self.sql(&format!("select time, {source} from average where time >= {from} order by time"))?;
        let row = |line: &str| -> Result<(f64, Option<f64>)> {
            let (time, value) = line.split_once('|').with_context(|| format!("a row `{line}`"))?;
            Ok((time.parse()?, if value.is_empty() { None } else { Some(value.parse()?) }))
        };
        text.lines().map(row).collect()
    }

    /// The stretches in which a source is unknown between rows that are known: first and last time of each.
    pub(crate) fn gaps(&self, source: &str) -> Result<Vec<(f64, f64)>> {
        let rows = self.rows(source)?;
        let last_known = rows.iter().rposition(|(_, value)| value.is_some()).unwrap_or(0);
        let mut gaps: Vec<(f64, f64)> = Vec::new();
        let mut before_unknown = false;
        for (time, value) in &rows[..last_known] {
            match (value, gaps.last_mut()) {
                (None, Some(gap)) if before_unknown => gap.1 = *time,
                (None, _) => gaps.push((*time, *time)),
                (Some(_), _) => {}
            }
            before_unknown = value.is_none();
        }
        Ok(gaps)
    }

    /// The store is whole, row by row.
    pub(crate) fn verify(&self) -> Result<()> {
        verify(&self.db())
    }

    /// Run folders of browsers that are still there.
    pub(crate) fn run_folders(&self) -> Result<Vec<String>> {
        let names =
            std::fs::read_dir(self.path("tmp"))?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.filter(|name: &Result<String>| name.as_ref().is_ok_and(|name| name.starts_with("heapsoak-"))).collect()
    }
}

/// Asks a store; empty while there is none.
pub(crate) fn sql(db: &Path, query: &str) -> Result<String> {
    if !db.exists() {
        return Ok(String::new());
    }
    let output =
        Command::new("sqlite3").arg(db).args([".timeout 10000", query]).output().context("sqlite3 is installed")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{query}`: {stderr}");
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// SQLite finds nothing wrong with a store, and each row is as it was written.
pub(crate) fn verify(db: &Path) -> Result<()> {
    let whole = sql(db, "pragma integrity_check")?;
    ensure!(whole == "ok", "integrity: {whole}");
    let output = Command::new(binary("grapher")).args(["info", "--verify", "--db"]).arg(db).output()?;
    ensure!(output.status.success(), "info --verify: {}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

/// Now, as the store has it.
pub(crate) fn now() -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "microseconds of this century")]
    let now = heapsoak_cli::clock::now_us() as f64;
    now / 1e6
}

/// A recorder that runs; it is ended with this, and its browser with it.
pub(crate) struct Recorder<'a> {
    stage: &'a Stage,
    child: Child,
}

impl Recorder<'_> {
    pub(crate) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// The recorder itself, when something else stands before it on the command line.
    pub(crate) fn family(&self) -> Vec<i32> {
        processes::family(self.pid())
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        processes::signal(self.pid(), signal)
    }

    /// Waits until the page was sampled three times after `time`.
    pub(crate) fn until_sampled(&self, time: f64) -> Result<()> {
        let query = format!("select count(*) >= 3 from average where heap_used is not null and time > {time}");
        let sampled =
            until(PATIENCE, "three samples of the page", || Ok((self.stage.sql(&query)? == "1").then_some(())));
        sampled.with_context(|| format!("the recorder said: {}", self.stage.log("recorder")))
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        until(limit, "the end of the recorder", || Ok(self.child.try_wait()?))
    }

    pub(crate) fn is_alive(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Asks it to end, and wants it to do so in order.
    pub(crate) fn end(mut self) -> Result<()> {
        self.signal(Signal::SIGTERM)?;
        let status = self.wait(PATIENCE)?;
        if !status.success() {
            bail!("the recorder ended with {status}: {}", self.stage.log("recorder"));
        }
        self.stage.verify()
    }
}

impl Drop for Recorder<'_> {
    fn drop(&mut self) {
        // What a fault left stopped could not end by itself.
        let family = self.family();
        let _ = self.child.kill();
        let _ = self.child.wait();
        pause(Duration::from_millis(200));
        family.into_iter().for_each(|pid| drop(processes::signal(pid, Signal::SIGKILL)));
    }
}
