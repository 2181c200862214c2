//! The command line, as clap reads it. It becomes plain settings here; nothing below knows clap.

mod draw;
mod verdict;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};
use heapsoak_cli::duration::parse_period;
use heapsoak_cli::logging::Verbosity;
use heapsoak_cli::output;
use heapsoak_cli::time::TimeSpec;
use heapsoak_rrd::{Cf, SchemaError};

use self::draw::{DrawArgs, GRAPH_EXAMPLES, GraphArgs};
use crate::commands::{export, fetch, first, graph, info, last, lastupdate, serve, watch};
use crate::export::Format;
use crate::graph as language;

/// The store that is meant when none is named.
const DEFAULT_DB: &str = "soak.db";

const EXAMPLES: &str = "\
Examples:
  grapher                                    draw the last 10 minutes of soak.db to heap.png
  grapher --watch 5s --out heap.png          the same, again every 5 seconds, until Ctrl-C
  grapher --last 2h --source rss --out rss.svg
  grapher --panel heap_used,heap_floor --panel rss --panel gc_pause_ms --limit 60MiB
  grapher --start 2026-01-31T14:00 --end start+1h --out - > hour.png
  grapher fetch AVERAGE --start now-1m --format csv
  grapher info --verify

Times: unix seconds, ISO 8601 (local without a zone), now, now-10m, end-2h, start+1h; m is always minutes, months are mon.
Durations: 50ms, 5s, 10m, 2h, 7d. Exit status: 0 done, 2 usage or trouble.";

const FETCH_EXAMPLES: &str = "\
Examples:
  grapher fetch AVERAGE                                        the last day, at the finest archive that covers it
  grapher fetch --db soak.db MAX --start now-10m --format csv
  grapher fetch AVERAGE --start 1700000000 --end start+2h --resolution 60 --format json

A row is stamped with the end of its time. Unknown is nan in the table, empty in csv, null in json.";

const SERVE_EXAMPLES: &str = "\
Examples:
  grapher serve                              the live page of soak.db; its address is printed first
  grapher serve --db runs/                   one thumbnail for each .db file of a folder
  grapher serve --listen 127.0.0.1:0         on any free port

The page answers only to the names 127.0.0.1, [::1] and localhost. Through ssh, use one port at both ends:
  ssh -L 8765:127.0.0.1:8765 HOST";

const EXPORT_EXAMPLES: &str = "\
Examples:
  grapher export --format csv > soak.csv                       the whole recording, one row length, for a spreadsheet
  grapher export --format csv --last 2h --source heap_used     the same of the last two hours, in their finest rows
  grapher export --format json --out soak.json                 everything: description, events, all archives
  grapher export --format openmetrics --out soak.om && promtool tsdb create-blocks-from openmetrics soak.om data/
  grapher export --format xml --out soak.xml && rrdtool restore soak.xml soak.rrd

csv and openmetrics have the rows of one archive of each function: the finest that reaches back to the begin.
A row is stamped with the end of its time. Unknown is empty in csv, null in json, left out in openmetrics, NaN in xml.";

/// Draws the store, fetches from it and tells about it; never writes it.
#[derive(Debug, Parser)]
#[command(name = "grapher", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    draw: DrawArgs,
    /// Say errors only
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Say more (-vv: everything)
    #[arg(long, short, global = true, action = ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Draw a picture once, or again and again with --watch (what grapher does without a subcommand)
    #[command(after_help = GRAPH_EXAMPLES, disable_help_flag = true, mut_arg("height", |height| height.short('h')))]
    Graph(Box<GraphArgs>),
    /// Print the rows of an archive
    #[command(after_help = FETCH_EXAMPLES)]
    Fetch(FetchArgs),
    /// Turn the store into what other programs read: CSV, JSON, OpenMetrics, rrdtool's XML
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Tell what is in the store: sources, archives, runs
    Info(InfoArgs),
    /// Print the time of the last update, in unix seconds
    Last(StoreArg),
    /// Print the time of the oldest row of an archive, in unix seconds
    First(FirstArgs),
    /// Print the last update as it was handed in
    Lastupdate(StoreArg),
    /// Serve a live page of a store, or of a folder of stores
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Say whether it leaks: leak, steady or undecided, with the rate, its interval and the time to a limit
    #[command(after_help = verdict::EXAMPLES)]
    Verdict(verdict::VerdictArgs),
}

/// Ends the program as clap does; an option of rrdtool's that is not here is said with what to do instead.
pub(crate) fn refuse(error: &clap::Error) -> ! {
    let option = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(option)) if error.kind() == ErrorKind::UnknownArgument => Some(option),
        _ => None,
    };
    match option.and_then(|option| language::reason(option)) {
        Some(reason) => CommandLine::command().error(ErrorKind::UnknownArgument, reason).exit(),
        None => error.exit(),
    }
}

/// What is to be done, free of the command line.
#[derive(Debug)]
pub(crate) enum Task {
    Draw(graph::Settings),
    Elements(Box<language::Settings>),
    Watch(watch::Settings),
    Fetch(fetch::Settings),
    Export(export::Settings),
    Info(info::Settings),
    Last(last::Settings),
    First(first::Settings),
    LastUpdate(lastupdate::Settings),
    Serve(serve::Settings),
    Verdict(crate::commands::verdict::Settings),
}

impl CommandLine {
    pub(crate) fn verbosity(&self) -> Verbosity {
        Verbosity::from_flags(self.quiet, self.verbose)
    }

    /// The settings of the subcommand.
    ///
    /// Fails for what clap cannot see: an unknown picture format, rrdtool's elements, watching into a pipe.
    pub(crate) fn task(self) -> anyhow::Result<Task> {
        Ok(match self.command {
            None => self.draw.task(None)?,
            Some(Command::Graph(graph)) => graph.task()?,
            Some(Command::Fetch(fetch)) => Task::Fetch(fetch.settings()),
            Some(Command::Export(export)) => Task::Export(export.settings()?),
            Some(Command::Info(info)) => Task::Info(info.settings()),
            Some(Command::Last(store)) => Task::Last(last::Settings { db: store.db }),
            Some(Command::First(first)) => Task::First(first::Settings { db: first.store.db, archive: first.rraindex }),
            Some(Command::Verdict(verdict)) => Task::Verdict(verdict.settings()),
            Some(Command::Lastupdate(store)) => Task::LastUpdate(lastupdate::Settings { db: store.db }),
            Some(Command::Serve(serve)) => Task::Serve(serve.settings()),
        })
    }
}

#[derive(Debug, Args)]
struct StoreArg {
    /// The store
    #[arg(long, value_name = "FILE", default_value = DEFAULT_DB)]
    db: PathBuf,
}

#[derive(Debug, Args)]
struct FetchArgs {
    #[command(flatten)]
    store: StoreArg,
    /// Consolidation function: AVERAGE, MIN, MAX or LAST
    #[arg(value_name = "CF", value_parser = parse_cf)]
    cf: Cf,
    /// Where the rows begin
    #[arg(long, short, value_name = "TIME", default_value = "end-1day", allow_hyphen_values = true)]
    start: TimeSpec,
    /// Where the rows end
    #[arg(long, short, value_name = "TIME", default_value = "now", allow_hyphen_values = true)]
    end: TimeSpec,
    /// The length of a row that is wanted; the archive nearest to it answers [default: the finest]
    #[arg(long, short, value_name = "DURATION", value_parser = parse_period)]
    resolution: Option<Duration>,
    /// Only this source; may be repeated
    #[arg(long, value_name = "NAME")]
    source: Vec<String>,
    /// How the rows are printed: table is rrdtool's layout
    #[arg(long, value_enum, default_value_t = fetch::Format::Table)]
    format: fetch::Format,
}

impl FetchArgs {
    fn settings(self) -> fetch::Settings {
        fetch::Settings {
            db: self.store.db,
            cf: self.cf,
            start: self.start,
            end: self.end,
            resolution: self.resolution,
            sources: self.source,
            format: self.format,
        }
    }
}

/// People write `average`; the library knows `AVERAGE`.
fn parse_cf(text: &str) -> Result<Cf, SchemaError> {
    text.to_ascii_uppercase().parse().map_err(|_| SchemaError::Cf { text: text.to_owned() })
}

#[derive(Debug, Args)]
struct ExportArgs {
    #[command(flatten)]
    store: StoreArg,
    /// What the store is turned into
    #[arg(long, value_enum)]
    format: Format,
    /// Where it goes, replaced whole; - is stdout
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// Let other users of the machine read it, too: mode 644, less the umask, and 600 otherwise
    #[arg(long)]
    public: bool,
    /// Only archives of this function; may be repeated, but for csv [default: AVERAGE; json and xml: all]
    #[arg(long, value_name = "CF", value_parser = parse_cf)]
    cf: Vec<Cf>,
    /// Only this source; may be repeated
    #[arg(long, value_name = "NAME")]
    source: Vec<String>,
    /// How far back the rows reach from their end [default: to the begin of the recording]
    #[arg(long, value_name = "DURATION", value_parser = parse_period, conflicts_with = "start")]
    last: Option<Duration>,
    /// Where the rows begin, instead of --last
    #[arg(long, short, value_name = "TIME", allow_hyphen_values = true)]
    start: Option<TimeSpec>,
    /// Where the rows end [default: now]
    #[arg(long, short, value_name = "TIME", allow_hyphen_values = true)]
    end: Option<TimeSpec>,
}

impl ExportArgs {
    fn settings(self) -> anyhow::Result<export::Settings> {
        let before_end = |last: Duration| TimeSpec::before_end(i64::try_from(last.as_micros()).unwrap_or(i64::MAX));
        let start = self.start.or(self.last.map(before_end));
        if self.format == Format::Xml && (start.is_some() || self.end.is_some()) {
            anyhow::bail!("xml has archives as a whole: leave out --start, --end and --last, or choose another format");
        }
        if self.format == Format::Csv && self.cf.len() > 1 {
            anyhow::bail!("csv has one function, and --cf names {}: make a file for each", self.cf.len());
        }
        Ok(export::Settings {
            db: self.store.db,
            format: self.format,
            out: self.out,
            mode: output::mode(self.public),
            functions: self.cf,
            sources: self.source,
            start,
            end: self.end,
        })
    }
}

#[derive(Debug, Args)]
struct InfoArgs {
    #[command(flatten)]
    store: StoreArg,
    /// Check every row against its checksum, and name those that are damaged
    #[arg(long)]
    verify: bool,
    /// How it is printed: text is rrdtool's lines of `key = value`
    #[arg(long, value_enum, default_value_t = info::Format::Text)]
    format: info::Format,
}

impl InfoArgs {
    fn settings(self) -> info::Settings {
        info::Settings { db: self.store.db, verify: self.verify, format: self.format }
    }
}

#[derive(Debug, Args)]
struct FirstArgs {
    #[command(flatten)]
    store: StoreArg,
    /// The number of the archive, from 0, as `info` has it
    #[arg(long, value_name = "N", default_value_t = 0)]
    rraindex: usize,
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// The store, or a folder of stores; one that is not there yet is waited for
    #[arg(long, value_name = "FILE|FOLDER", default_value = "soak.db")]
    db: PathBuf,
    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8765", value_parser = serve::parse_listen)]
    listen: SocketAddr,
    /// Let other machines in where --listen names an address that they reach: there is no password
    #[arg(long)]
    allow_remote: bool,
}

impl ServeArgs {
    fn settings(self) -> serve::Settings {
        serve::Settings { db: self.db, listen: self.listen, allow_remote: self.allow_remote }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::Names;
    use heapsoak_chart::Size;

    fn task(words: &[&str]) -> anyhow::Result<Task> {
        CommandLine::try_parse_from(std::iter::once(&"grapher").chain(words))?.task()
    }

    fn error(words: &[&str]) -> String {
        task(words).map_or_else(|e| e.to_string(), |task| format!("accepted as {task:?}"))
    }

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn no_subcommand_draws_soak_db_to_heap_png() {
        let Ok(Task::Draw(settings)) = task(&[]) else { panic!("not a drawing") };
        assert_eq!(settings.db, PathBuf::from("soak.db"));
        assert_eq!(settings.picture.start, TimeSpec::before_end(600_000_000));
        assert_eq!(settings.picture.size, Size { width: 800, height: 600, full: false });
    }

    #[test]
    fn the_original_command_line_is_taken_word_for_word() {
        let words = [
            "graph",
            "heap.png",
            "--start",
            "now-10m",
            "--title",
            "Used Heap Size",
            "--width",
            "800",
            "--height",
            "600",
            "--font",
            "DEFAULT:14:monospace",
            "DEF:heap_used=soak.db:heap_used:AVERAGE",
            "AREA:heap_used#ff0000",
        ];
        let Ok(Task::Elements(settings)) = task(&words) else { panic!("{}", error(&words)) };
        assert_eq!(settings.look.page.size, Size { width: 800, height: 600, full: false });
        assert_eq!((settings.look.page.title.as_str(), settings.look.font.size), ("Used Heap Size", 19.0));
        assert_eq!(settings.start, "now-10m".parse().unwrap());
    }

    #[test]
    fn short_options_mean_what_they_mean_to_rrdtool() {
        let words = [
            "graph",
            "-w",
            "500",
            "-h",
            "200",
            "-s",
            "-1h",
            "-e",
            "now",
            "-t",
            "T",
            "-v",
            "V",
            "-l",
            "-5",
            "-u",
            "1e9",
            "-r",
            "-b",
            "1024",
            "-X",
            "6",
            "-S",
            "60",
            "-E",
            "-a",
            "SVG",
            "-z",
            "-c",
            "BACK#000000",
            "-W",
            "W",
            "-D",
            "-g",
            "-n",
            "DEFAULT:8",
            "x.svg",
            "DEF:a=x.db:a:MAX",
            "LINE1:a#f00",
        ];
        let Ok(Task::Elements(settings)) = task(&words) else { panic!("{}", error(&words)) };
        assert_eq!(settings.look.page.size, Size { width: 500, height: 200, full: true });
        assert_eq!((settings.look.lower, settings.look.upper, settings.look.rigid), (Some(-5.0), Some(1e9), true));
        assert_eq!((settings.step_us, settings.lazy), (Some(60_000_000), true));
        assert_eq!(settings.look.vertical_label, "V");
    }

    #[test]
    fn how_much_is_said_can_be_asked_for_although_v_is_a_label() {
        let said = |words: &[&str]| CommandLine::try_parse_from(words).map(|line| (line.verbose, line.quiet)).unwrap();
        assert_eq!(said(&["grapher", "graph", "--verbose", "--verbose"]), (2, false));
        assert_eq!(said(&["grapher", "graph", "-q"]), (0, true));
        assert_eq!(said(&["grapher", "info", "-v"]), (1, false));
    }

    #[test]
    fn options_that_would_have_no_effect_are_refused() {
        let elements = ["DEF:a=x.db:a:MAX", "LINE1:a#f00"];
        let refused = |words: &[&str]| error(&[&["graph", "x.png"], words].concat());
        assert!(refused(&["--rigid"]).contains("rrdtool's options are for its elements"));
        assert!(refused(&[&["--db", "y.db"][..], &elements].concat()).contains("name the file in each DEF"));
        assert!(refused(&[&["--source", "a"][..], &elements].concat()).contains("--source is for pictures without"));
        assert!(refused(&[&["--format", "svg", "-a", "PNG"][..], &elements].concat()).contains("two kinds of picture"));
        assert!(refused(&["FOO:a"]).contains("`FOO:a` is neither an option nor an element"));
        assert!(refused(&["--right-axis-label", "x"]).contains("--right-axis"));
    }

    #[test]
    fn a_picture_with_two_names_or_a_watched_pipe_is_refused() {
        assert!(error(&["graph", "a.png", "--out", "b.png"]).contains("two names"));
        assert!(error(&["graph", "a.png", "b.png"]).contains("`b.png` is neither"));
        assert!(error(&["--watch", "5s", "--out", "-"]).contains("stdout is none"));
    }

    #[test]
    fn functions_are_taken_in_any_case_and_times_before_now_with_a_hyphen() {
        let Ok(Task::Fetch(settings)) = task(&["fetch", "average", "--start", "-1h"]) else { panic!("not a fetch") };
        assert_eq!(settings.cf, Cf::Average);
        assert_eq!(settings.start, "-1h".parse().unwrap());
        assert!(error(&["fetch", "MEDIAN"]).contains("MEDIAN"));
    }

    #[test]
    fn panels_keep_their_order_and_a_name_said_twice_is_one() {
        let Ok(Task::Draw(settings)) = task(&["--panel", "a, b,a", "--panel", "c"]) else { panic!("not a drawing") };
        let names: Vec<Vec<String>> = settings.picture.wanted.panels.into_iter().map(|Names(names)| names).collect();
        assert_eq!(names, [vec!["a", "b"], vec!["c"]]);
    }

    #[test]
    fn last_and_start_exclude_each_other() {
        assert!(error(&["--last", "1h", "--start", "now-2h"]).contains("cannot be used with"));
    }
}
