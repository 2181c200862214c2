//! The command line, as clap reads it. It becomes plain settings here; nothing below knows clap.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use heapsoak_chart::{Baseline, Size, Theme};
use heapsoak_cli::duration::parse_period;
use heapsoak_cli::logging::Verbosity;
use heapsoak_cli::size;
use heapsoak_cli::time::TimeSpec;
use heapsoak_rrd::{Cf, SchemaError};

use crate::commands::{export, fetch, first, graph, info, last, lastupdate, serve, watch};
use crate::destination::{ImageFormat, Output};
use crate::export::Format;
use crate::panels::{Names, Wanted};
use crate::picture;

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

const EXPORT_EXAMPLES: &str = "\
Examples:
  grapher export --format csv > soak.csv                       the whole recording, one row length, for a spreadsheet
  grapher export --format csv --last 2h --source heap_used     the same of the last two hours, in their finest rows
  grapher export --format json --out soak.json                 everything: description, events, all archives
  grapher export --format openmetrics --out soak.om && promtool tsdb create-blocks-from openmetrics soak.om data/
  grapher export --format xml --out soak.xml && rrdtool restore soak.xml soak.rrd

csv and openmetrics have the rows of one archive of each function: the finest that reaches back to the begin.
A row is stamped with the end of its time. Unknown is empty in csv, null in json, left out in openmetrics, NaN in xml.";

const SERVE_EXAMPLES: &str = "\
Examples:
  grapher serve                              the live page of soak.db; its address is printed first
  grapher serve --db runs/                   one thumbnail for each .db file of a folder
  grapher serve --listen 127.0.0.1:0         on any free port

The page answers only to the names 127.0.0.1, [::1] and localhost. Through ssh, use one port at both ends:
  ssh -L 8765:127.0.0.1:8765 HOST";

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
    #[command(after_help = EXAMPLES)]
    Graph(GraphArgs),
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
}

/// What is to be done, free of the command line.
#[derive(Debug)]
pub(crate) enum Task {
    Draw(graph::Settings),
    Watch(watch::Settings),
    Fetch(fetch::Settings),
    Export(export::Settings),
    Info(info::Settings),
    Last(last::Settings),
    First(first::Settings),
    LastUpdate(lastupdate::Settings),
    Serve(serve::Settings),
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
            Some(Command::Lastupdate(store)) => Task::LastUpdate(lastupdate::Settings { db: store.db }),
            Some(Command::Serve(serve)) => Task::Serve(serve.settings()),
        })
    }
}

#[derive(Debug, Args)]
struct StoreArg {
    /// The store
    #[arg(long, value_name = "FILE", default_value = "soak.db")]
    db: PathBuf,
}

#[derive(Debug, Args)]
struct DrawArgs {
    #[command(flatten)]
    store: StoreArg,
    /// Where the picture goes, replaced whole; - is stdout [default: heap.png]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The kind of picture [default: by the extension of --out]
    #[arg(long, value_enum)]
    format: Option<ImageFormat>,
    /// Draw again after each such time, until Ctrl-C; a store that is not there yet is waited for
    #[arg(long, value_name = "DURATION", value_parser = parse_period)]
    watch: Option<Duration>,

    /// How far back the picture reaches from its end
    #[arg(long, value_name = "DURATION", value_parser = parse_period, default_value = "10m", conflicts_with = "start")]
    last: Duration,
    /// Where the picture begins, instead of --last
    #[arg(long, short, value_name = "TIME", allow_hyphen_values = true)]
    start: Option<TimeSpec>,
    /// Where the picture ends
    #[arg(long, short, value_name = "TIME", default_value = "now", allow_hyphen_values = true)]
    end: TimeSpec,

    /// The source to draw [default: heap_used, else the first in bytes, else the first]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["series", "panel"])]
    source: Option<String>,
    /// Several sources as lines in one panel
    #[arg(long, value_name = "NAME,…", conflicts_with = "panel")]
    series: Option<Names>,
    /// A panel with these sources; repeated: panels below one another, on one time axis
    #[arg(long, value_name = "NAME,…")]
    panel: Vec<Names>,
    /// Draw a line at this size, and say how near the sources came to it
    #[arg(long, value_name = "SIZE", value_parser = parse_limit)]
    limit: Option<u64>,
    /// Draw major garbage collections as ticks, and the floor that they leave in every panel with a used heap
    #[arg(long)]
    gc: bool,
    /// The headline [default: the source and the target of the run]
    #[arg(long, short)]
    title: Option<String>,
    /// Width of the canvas in pixels; axes and texts come on top
    #[arg(long, short, value_name = "PIXELS", default_value_t = 800)]
    width: u32,
    /// Height of the canvas in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 600)]
    height: u32,
    /// Let --width and --height be those of the whole image
    #[arg(long, visible_alias = "full-size-mode")]
    full_size: bool,
    /// Where the value axis begins: auto is as near to the data as reads well [default: zero for bytes, else auto]
    #[arg(long, value_enum, value_name = "WHERE")]
    y: Option<YAxis>,
    /// Dark ink on white, or light ink on near-black
    #[arg(long, value_enum, default_value_t = ThemeName::Light)]
    theme: ThemeName,
    /// Pixels of the image for each pixel asked for: 2 for sharp screens
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    scale: f64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum YAxis {
    Auto,
    Zero,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ThemeName {
    Light,
    Dark,
}

impl DrawArgs {
    fn task(self, file: Option<PathBuf>) -> anyhow::Result<Task> {
        let out = match (self.out, file) {
            (Some(_), Some(file)) => {
                anyhow::bail!("the picture has two names, --out and {}: give one of them", file.display())
            }
            (out, file) => out.or(file).unwrap_or_else(|| PathBuf::from("heap.png")),
        };
        let output = Output::new(out, self.format)?;
        let last_us = i64::try_from(self.last.as_micros()).unwrap_or(i64::MAX);
        let picture = picture::Settings {
            start: self.start.unwrap_or_else(|| TimeSpec::before_end(last_us)),
            end: self.end,
            wanted: Wanted {
                panels: match (self.source, self.series) {
                    (Some(name), _) => vec![Names(vec![name])],
                    (None, Some(names)) => vec![names],
                    (None, None) => self.panel,
                },
                limit_bytes: self.limit,
                gc: self.gc,
            },
            title: self.title,
            size: Size { width: self.width, height: self.height, full: self.full_size },
            baseline: self.y.map(|y| match y {
                YAxis::Auto => Baseline::Auto,
                YAxis::Zero => Baseline::Zero,
            }),
            theme: match self.theme {
                ThemeName::Light => Theme::Light,
                ThemeName::Dark => Theme::Dark,
            },
            scale: self.scale,
        };
        let draw = graph::Settings { db: self.store.db, output, picture };
        match self.watch {
            None => Ok(Task::Draw(draw)),
            Some(_) if draw.output.is_stdout() => {
                anyhow::bail!("--watch replaces a file again and again, and stdout is none: give --out a file name")
            }
            Some(every) => Ok(Task::Watch(watch::Settings { draw, every })),
        }
    }
}

#[derive(Debug, Args)]
struct GraphArgs {
    #[command(flatten)]
    draw: DrawArgs,
    /// The picture's file, as rrdtool takes it; its elements (DEF, AREA, LINE …) are not drawn yet
    #[arg(value_name = "FILE")]
    words: Vec<String>,
}

impl GraphArgs {
    fn task(self) -> anyhow::Result<Task> {
        if let Some((kind, element)) = self.words.iter().find_map(|word| Some((element_kind(word)?, word))) {
            anyhow::bail!(
                "{kind} is an element of rrdtool's, which grapher does not draw (`{element}`): use --source NAME"
            );
        }
        let mut files = self.words.into_iter();
        let file = files.next().map(PathBuf::from);
        match files.next() {
            Some(more) => anyhow::bail!("`{more}` is neither an option nor the one picture's file: leave it out"),
            None => self.draw.task(file),
        }
    }
}

/// The name of rrdtool's element when `word` is one: `DEF` of `DEF:heap=…`, `LINE2` of `LINE2:heap#ff0000`.
fn element_kind(word: &str) -> Option<&str> {
    const KINDS: [&str; 15] = [
        "DEF",
        "CDEF",
        "VDEF",
        "LINE",
        "AREA",
        "STACK",
        "HRULE",
        "VRULE",
        "TICK",
        "COMMENT",
        "GPRINT",
        "PRINT",
        "SHIFT",
        "TEXTALIGN",
        "XPORT",
    ];
    let (kind, _) = word.split_once(':')?;
    let bare = kind.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    KINDS.contains(&bare).then_some(kind)
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

/// A limit of nothing would be no limit, and no share of it a number.
fn parse_limit(text: &str) -> Result<u64, String> {
    match size::parse_size(text) {
        Ok(0) => Err("is nothing; write a size such as 60MiB".to_owned()),
        Ok(limit) => Ok(limit),
        Err(error) => Err(error.to_string()),
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
    use clap::CommandFactory;

    use super::*;

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
    fn rrdtool_elements_are_refused_by_name_and_never_ignored() {
        let refused = error(&["graph", "heap.png", "LINE2:heap#ff0000:Heap"]);
        assert!(refused.starts_with("LINE2 is an element of rrdtool's"), "{refused}");
        let refused = error(&["graph", "DEF:heap_used=soak.db:heap_used:AVERAGE"]);
        assert!(refused.starts_with("DEF is an element"), "{refused}");
        assert!(matches!(task(&["graph", "C:odd.png"]), Ok(Task::Draw(_))));
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
