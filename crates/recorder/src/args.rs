//! The command line, as clap reads it. It becomes plain settings here; nothing below knows clap.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use heapsoak_cli::{duration, logging::Verbosity, size};

use crate::settings::{HowLong, Judging, Node, Page, Process, Soak, StoreShape};

const EXAMPLES: &str = "\
Examples:
  recorder                                   soak a page of our own until Ctrl-C, into soak.db
  recorder --leak 20KiB/s --duration 10m     the same page, made to leak
  recorder --url http://127.0.0.1:8080/ --element '#search' --interval 50ms
  recorder --db x.db -- node --max-old-space-size=60 test.js
  recorder --node api=127.0.0.1:9229 --pid db=4711
  recorder --checkpoint-gc 60s --duration 30m --fail-on-leak       a gate: 1 when the page leaks
  recorder selftest                          does the detector detect: a page with a leak and one without, in two minutes
  recorder create --db t.db --step 1 DS:heap_used:GAUGE:2:0:U RRA:AVERAGE:0.5:3:2400
  recorder update --db t.db N:31457280

Exit status: 0 ended as asked, 1 the run ended by itself, a reading was refused or --fail-on-leak saw a leak, 2 usage or
trouble. With -- COMMAND: the command's own, 128+N for signal N, 125 the recorder failed, 126/127 it cannot be run/is not
found; with --fail-on-leak a leak makes 1 of the 0 of a command, and of a run that --duration or a signal to us ended.";

const IMPORT_EXAMPLES: &str = "\
Examples:
  rrdtool dump heap.rrd | recorder import --db heap.db -       sources, archives, rows and state of a .rrd
  recorder import --db other.db other.csv                      a header line such as time,heap_used,rss
  recorder import --db other.db --source heap_used --step 5s other.csv
  recorder import --db other.db --start 2026-01-31T14:00 relative.csv

Times: unix seconds, ISO 8601 (local without a zone), or seconds from 0. Unknown: an empty cell, NaN or U.
CSV is appended to a store that is there if it begins after its last update; a dump always makes a new store.";

const SELFTEST_HELP: &str = "\
Exit status: 0 the leak is called a leak and the steady page steady, 1 one of them is not, 2 trouble.";

/// Soaks a page or watches a program, samples its heap each second, writes round-robin archives to one SQLite file.
#[derive(Debug, Parser)]
#[command(name = "recorder", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) soak: SoakArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a store with sources and archives of your own, as `rrdtool create`
    Create(CreateArgs),
    /// Write readings into a store, as `rrdtool update`
    Update(UpdateArgs),
    /// Make a store of rrdtool's XML dump or of CSV
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Does the detector detect? Soaks our own page with a leak and without, in the real browser, for two minutes
    #[command(after_help = SELFTEST_HELP)]
    Selftest(SelftestArgs),
    /// Hold a driver and its browser, and end them when the recorder is gone
    #[command(hide = true, disable_help_flag = true)]
    Guardian {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

/// What to soak, for how long, and what to keep.
#[derive(Debug, Args)]
pub(crate) struct SoakArgs {
    /// The store: made when absent, continued when it is there
    #[arg(long, value_name = "FILE", default_value = "soak.db")]
    db: PathBuf,

    /// Command to start and watch; the streams, the signals and the exit status are its own
    #[arg(last = true, help_heading = "What", value_name = "COMMAND")]
    command: Vec<OsString>,
    /// Attach to a running Node program by its inspector: [LABEL=]HOST:PORT or [LABEL=]ws://…; may be repeated
    #[arg(long = "node", help_heading = "What", value_name = "[LABEL=]ADDRESS", value_parser = parse_labelled)]
    nodes: Vec<(Option<String>, String)>,
    /// Let --node name an inspector on another machine: whoever can reach it can run code there
    #[arg(long, help_heading = "What", requires = "nodes")]
    allow_remote_inspector: bool,
    /// Watch a running process and its descendants: [LABEL=]PID; may be repeated
    #[arg(long = "pid", help_heading = "What", value_name = "[LABEL=]PID", value_parser = parse_pid)]
    pids: Vec<(Option<String>, u32)>,
    /// Ask the Node programs of --pid to open their inspectors (SIGUSR1), and watch their heaps too
    #[arg(long, help_heading = "What", requires = "pids")]
    attach: bool,
    /// Soak the page of our own beside a command, --node or --pid, too
    #[arg(long, help_heading = "What")]
    page: bool,
    /// Page to soak [default: a page of our own, served on loopback, if nothing else is watched]
    #[arg(long, help_heading = "What", conflicts_with = "leak")]
    url: Option<String>,
    /// Let the page of our own retain this much heap, for instance 20KiB/s
    #[arg(long, help_heading = "What", value_name = "RATE", value_parser = parse_rate)]
    leak: Option<u64>,
    /// Element to hover over in each iteration [default: #kw]
    #[arg(long, help_heading = "What", value_name = "CSS")]
    element: Option<String>,
    /// Time between the starts of two iterations [default: 50ms]
    #[arg(long, help_heading = "What", value_parser = duration::parse_duration)]
    interval: Option<Duration>,
    /// Use a running driver or a Selenium Grid instead of starting chromedriver
    #[arg(long, help_heading = "What", value_name = "URL")]
    webdriver: Option<String>,
    /// Browser to start: a name on PATH or a path [default: the first Chromium found]
    #[arg(long, help_heading = "What", value_name = "NAME")]
    browser: Option<String>,
    /// Further argument of the browser, for instance --browser-arg=--js-flags=--max-old-space-size=60; may be repeated
    #[arg(long = "browser-arg", help_heading = "What", value_name = "ARG", allow_hyphen_values = true)]
    browser_args: Vec<String>,
    /// Show the browser's window
    #[arg(long, help_heading = "What")]
    headed: bool,
    /// Start the browser without its sandbox, which is all that stands between a page and you
    #[arg(long, help_heading = "What")]
    no_sandbox: bool,
    /// Let --no-sandbox show a page of another machine: whoever can change it can then run programs as you
    #[arg(long, help_heading = "What", requires = "no_sandbox")]
    allow_remote_unsandboxed: bool,

    /// End after this time [default: until stopped]
    #[arg(long, help_heading = "How long", value_parser = duration::parse_duration)]
    duration: Option<Duration>,
    /// End after so many iterations [default: until stopped]
    #[arg(long, help_heading = "How long", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    iterations: Option<u64>,
    /// Restarts of the browser in a row, none of them healthy, before the run gives up [default: 20]
    #[arg(long, help_heading = "How long", value_name = "N")]
    restarts: Option<u32>,

    /// Ask the target for a full collection this often, at the end of an iteration, for floors without garbage: surer and
    /// sooner verdicts, at the cost of a pause each time. Never done otherwise
    #[arg(long, help_heading = "Verdict", value_name = "DURATION", value_parser = parse_checkpoint)]
    checkpoint_gc: Option<Duration>,
    /// End with 1 when the verdict at the end is leak; not a command's that ended with another status than 0
    #[arg(long, help_heading = "Verdict")]
    fail_on_leak: bool,
    /// Stop with 1 as soon as two looks in a row say leak; the first is after FIRST, each later one after twice the time
    #[arg(long, help_heading = "Verdict", value_name = "FIRST", num_args = 0..=1, require_equals = true,
        default_missing_value = "5m", value_parser = duration::parse_period)]
    stop_on_leak: Option<Duration>,
    /// What the verdict leaves out at the beginning [default: 1m, or a fifth of the run if that is more]
    #[arg(long, help_heading = "Verdict", value_name = "DURATION", value_parser = duration::parse_duration)]
    warm_up: Option<Duration>,

    /// Time between two samples [default: 1s, or what the store has]
    #[arg(long, help_heading = "Store", value_parser = duration::parse_duration)]
    step: Option<Duration>,
    /// A reading counts for at most this long [default: two steps]
    #[arg(long, help_heading = "Store", value_parser = duration::parse_duration)]
    heartbeat: Option<Duration>,
    /// Archive to keep, CF:xff:n:rows; repeated: replaces the default archives
    #[arg(long = "rra", help_heading = "Store", value_name = "CF:xff:n:rows")]
    rras: Vec<String>,

    /// Say more; twice: everything
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Say errors only
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
}

/// The element of the page of our own.
const ELEMENT: &str = "#kw";
const INTERVAL: Duration = Duration::from_millis(50);
const RESTARTS: u32 = 20;

/// A source's name has 19 characters, of which the longest of a target, `array_buffers`, takes 13 and `_` one.
const LONGEST_LABEL: usize = 5;

fn parse_labelled(text: &str) -> Result<(Option<String>, String), String> {
    let Some((label, rest)) = text.split_once('=').filter(|(label, _)| !label.contains([':', '/'])) else {
        return Ok((None, text.to_owned()));
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if label.is_empty() || label.len() > LONGEST_LABEL || !label.bytes().all(fits) {
        return Err(format!("`{label}` is not a label; write 1 to {LONGEST_LABEL} letters, digits or `-`"));
    }
    Ok((Some(label.to_owned()), rest.to_owned()))
}

fn parse_pid(text: &str) -> Result<(Option<String>, u32), String> {
    let (label, pid) = parse_labelled(text)?;
    match pid.parse() {
        Ok(pid) if pid > 0 => Ok((label, pid)),
        _ => Err(format!("`{pid}` is not a process id; write a number, as `pgrep` prints it")),
    }
}

/// As `rrdtool create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The store to make
    #[arg(long, value_name = "FILE")]
    pub(crate) db: PathBuf,
    /// Updates must be later than this
    #[arg(short = 'b', long, default_value = "now-10s", allow_hyphen_values = true)]
    pub(crate) start: String,
    /// Seconds between two samples, or a duration; as rrdtool, 300 when not given
    #[arg(short, long, default_value = "300", value_parser = duration::parse_duration)]
    pub(crate) step: Duration,
    /// Replace a store that is there; it is refused otherwise
    #[arg(long, conflicts_with = "no_overwrite")]
    pub(crate) overwrite: bool,
    /// Refuse when the store is there: this is so in any case
    #[arg(short = 'O', long)]
    pub(crate) no_overwrite: bool,
    /// DS:name:TYPE:heartbeat:min:max and RRA:CF:xff:n:rows
    #[arg(required = true, value_name = "DS|RRA")]
    pub(crate) definitions: Vec<String>,
}

/// As `rrdtool update`.
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// The store to write
    #[arg(long, value_name = "FILE", default_value = "soak.db")]
    pub(crate) db: PathBuf,
    /// The sources that the readings are of, in this order; the others become unknown
    #[arg(short, long, value_name = "A:B")]
    pub(crate) template: Option<String>,
    /// Pass over readings that are not after the last update
    #[arg(short, long)]
    pub(crate) skip_past_updates: bool,
    /// Apply the readings after one that is refused, too
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// T:v[:v…], where T is unix seconds or N for now; `-` reads a line each from stdin
    #[arg(required = true, value_name = "READING", allow_hyphen_values = true)]
    pub(crate) readings: Vec<String>,
}

/// What to make a store of.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The store to make; CSV is appended to one that is there
    #[arg(long, value_name = "FILE")]
    pub(crate) db: PathBuf,
    /// rrdtool's XML dump, or CSV with a column `time` (or timestamp, at, t_s); - is stdin
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Replace a store that is there
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Take only this column of CSV; may be repeated
    #[arg(long = "source", value_name = "NAME")]
    pub(crate) sources: Vec<String>,
    /// Where times of CSV that count from 0 begin [default: so that the last one is now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) start: Option<String>,
    /// Time that one PDP covers [default: the usual time between two lines, in whole seconds]
    #[arg(long, value_parser = duration::parse_duration)]
    pub(crate) step: Option<Duration>,
    /// A reading counts for at most this long [default: two steps]
    #[arg(long, value_parser = duration::parse_duration)]
    pub(crate) heartbeat: Option<Duration>,
    /// Archive to keep, CF:xff:n:rows; repeated [default: those of a recording, and one of every step of the file]
    #[arg(long = "rra", value_name = "CF:xff:n:rows")]
    pub(crate) rras: Vec<String>,
}

/// How the detector is tested.
#[derive(Debug, Args)]
pub(crate) struct SelftestArgs {
    /// Keep the two stores, leak.db and steady.db, in this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) keep: Option<PathBuf>,
    /// Say more; twice: everything
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// Two collections within a second would measure little but each other.
fn parse_checkpoint(text: &str) -> Result<Duration, String> {
    let every = duration::parse_period(text).map_err(|error| error.to_string())?;
    if every < Duration::from_secs(1) {
        return Err(format!("`{text}` is too often for full collections; write 1s or more"));
    }
    Ok(every)
}

fn parse_rate(text: &str) -> Result<u64, String> {
    let rate = size::parse_rate(text).map_err(|error| error.to_string())?;
    // The page retains whole doubles; a rate beyond this would fill any heap within a second.
    const MOST: f64 = 1024.0 * 1024.0 * 1024.0;
    if rate > MOST {
        return Err(format!("`{text}` is more than the page can retain; write at most 1GiB/s"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against MOST, never negative")]
    Ok(rate as u64)
}

impl SoakArgs {
    /// How much is told on stderr.
    pub(crate) fn verbosity(&self) -> Verbosity {
        // Beside a command stderr is the command's.
        let quiet = self.quiet || (!self.command.is_empty() && self.verbose == 0);
        Verbosity::from_flags(quiet, self.verbose)
    }

    /// Whether a page is driven: the one that is named, or ours when asked for or when nothing else is watched.
    fn drives_a_page(&self) -> bool {
        let nothing_else = self.command.is_empty() && self.nodes.is_empty() && self.pids.is_empty();
        nothing_else || self.page || self.url.is_some() || self.leak.is_some()
    }

    /// The options that are given and say how a page is driven.
    fn of_a_page(&self) -> Vec<&'static str> {
        let options = [
            ("--element", self.element.is_some()),
            ("--interval", self.interval.is_some()),
            ("--webdriver", self.webdriver.is_some()),
            ("--browser", self.browser.is_some()),
            ("--browser-arg", !self.browser_args.is_empty()),
            ("--headed", self.headed),
            ("--no-sandbox", self.no_sandbox),
            ("--iterations", self.iterations.is_some()),
            ("--restarts", self.restarts.is_some()),
        ];
        options.into_iter().filter_map(|(name, given)| given.then_some(name)).collect()
    }

    /// The plain settings of a soak.
    ///
    /// # Errors
    /// When an option of a page is given and none is driven: it would do nothing, and `--iterations` never end the run.
    pub(crate) fn settings(self) -> Result<Soak, clap::Error> {
        let drives = self.drives_a_page();
        let idle = if drives { Vec::new() } else { self.of_a_page() };
        if !idle.is_empty() {
            let idle = idle.join(", ");
            let refusal = format!(
                "{idle}: no page is driven beside a command, --node or --pid unless asked for; \
                 name one with --url, add --page for the page of our own, or leave out {idle}"
            );
            return Err(CommandLine::command().error(ErrorKind::MissingRequiredArgument, refusal));
        }
        let page = drives.then(|| Page {
            url: self.url,
            leak_bytes_per_s: self.leak.unwrap_or(0),
            element: self.element.unwrap_or_else(|| ELEMENT.to_owned()),
            interval: self.interval.unwrap_or(INTERVAL),
            webdriver: self.webdriver,
            browser: self.browser,
            browser_args: self.browser_args,
            headed: self.headed,
            no_sandbox: self.no_sandbox,
            allow_remote_unsandboxed: self.allow_remote_unsandboxed,
            restarts: self.restarts.unwrap_or(RESTARTS),
        });
        let remote = self.allow_remote_inspector;
        let attach = self.attach;
        Ok(Soak {
            db: self.db,
            page,
            command: self.command,
            nodes: self.nodes.into_iter().map(|(label, place)| Node { label, place, remote }).collect(),
            pids: self.pids.into_iter().map(|(label, pid)| Process { label, pid, attach }).collect(),
            how_long: HowLong { duration: self.duration, iterations: self.iterations },
            judging: Judging {
                checkpoint_gc: self.checkpoint_gc,
                fail_on_leak: self.fail_on_leak,
                stop_on_leak: self.stop_on_leak,
                warm_up: self.warm_up,
            },
            shape: StoreShape { step: self.step, heartbeat: self.heartbeat, rras: self.rras },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(arguments: &str) -> Result<Soak, String> {
        let line = CommandLine::try_parse_from(["recorder"].into_iter().chain(arguments.split_whitespace()));
        line.and_then(|line| line.soak.settings()).map_err(|error| {
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        })
    }

    #[test]
    fn an_option_of_a_page_that_would_do_nothing_is_refused_by_name() {
        for what in ["--pid 1", "--node 127.0.0.1:9229", "-- node a.js"] {
            for option in [
                "--element p",
                "--interval 1s",
                "--webdriver http://127.0.0.1:4444",
                "--browser chromium",
                "--browser-arg=--mute-audio",
                "--headed",
                "--no-sandbox",
                "--iterations 5",
                "--restarts 1",
            ] {
                let (name, _) = option.split_once([' ', '=']).unwrap_or((option, ""));
                let said = settings(&format!("{option} {what}")).unwrap_err();
                assert!(
                    said.contains(&format!("{name}: no page")) && said.contains("--page"),
                    "{option} {what}: {said}"
                );
            }
            assert!(settings(what).unwrap().page.is_none(), "{what}");
        }
        let both = settings("--pid 1 --headed --iterations 5").unwrap_err();
        assert!(both.contains("--headed, --iterations: "), "{both}");
    }

    #[test]
    fn an_option_of_a_page_is_heard_wherever_a_page_is_driven() {
        for what in
            ["", "--pid 1 --url http://127.0.0.1:1/", "--node 127.0.0.1:9229 --page", "--leak 1KiB/s -- node a.js"]
        {
            let given = settings(&format!("--iterations 5 --element p --interval 1s --restarts 1 {what}")).unwrap();
            let page = given.page.unwrap();
            assert_eq!(given.how_long.iterations, Some(5), "{what}");
            assert_eq!(
                (page.element.as_str(), page.interval, page.restarts),
                ("p", Duration::from_secs(1), 1),
                "{what}"
            );
        }
        let page = settings("").unwrap().page.unwrap();
        assert_eq!((page.element.as_str(), page.interval, page.restarts), ("#kw", Duration::from_millis(50), 20));
    }
}
