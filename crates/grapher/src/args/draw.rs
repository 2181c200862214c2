//! The command line of a picture: `grapher` alone, and `grapher graph`, which also takes rrdtool's elements.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};
use heapsoak_chart::{Baseline, Size, Theme};
use heapsoak_cli::duration::parse_period;
use heapsoak_cli::size;
use heapsoak_cli::time::TimeSpec;

use super::{DEFAULT_DB, StoreArg, Task};
use crate::aligned::Alignment;
use crate::commands::{graph, watch};
use crate::destination::{ImageFormat, Output};
use crate::graph::{self as language, Options, Page, Script};
use crate::panels::{Names, Wanted};
use crate::picture;

pub(super) const GRAPH_EXAMPLES: &str = "\
Examples:
  grapher graph heap.png --last 2h
  grapher graph heap.png --start now-10m --title \"Used Heap Size\" --width 800 --height 600 \\
    --font DEFAULT:14:monospace DEF:heap_used=soak.db:heap_used:AVERAGE AREA:heap_used#ff0000
  grapher graph heap.png --watch 5s -w 800 -h 300 -l 0 DEF:a=soak.db:heap_used:AVERAGE \\
    VDEF:top=a,MAXIMUM LINE2:a#ff0000:heap HRULE:60e6#000000:limit \\
    'GPRINT:top:highest %6.1lf %sB'

The elements and their numbers are rrdtool's, and what is not drawn is refused. Differences:
now-5m is 5 minutes, never months. A file of rrdtool's is imported first:
  rrdtool dump x.rrd | recorder import --db x.db -
As in rrdtool -h is the height and -v the vertical label here: use --help and --verbose. The
picture's size is printed as WxH, then a line for each PRINT.";

#[derive(Debug, Args)]
pub(super) struct DrawArgs {
    #[command(flatten)]
    store: StoreArg,
    /// Where the picture goes, replaced whole; - is stdout [default: heap.png; stdout for term, json and csv]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Let other users of the machine read it, too: mode 644, less the umask, and 600 otherwise
    #[arg(long)]
    public: bool,
    /// The kind of picture [default: by the extension of --out]
    #[arg(long, value_enum)]
    format: Option<ImageFormat>,
    /// Draw the run of this store beside, both from their start; legends and dashes tell them apart
    #[arg(long, value_name = "FILE", conflicts_with_all = ["last", "start", "end", "trend"])]
    compare: Option<PathBuf>,
    /// Let the axis count iterations passed since the start of the run, instead of time
    #[arg(long, conflicts_with = "trend")]
    iterations: bool,
    /// Draw again after each such time, until Ctrl-C; a store that is not there yet is waited for
    #[arg(long, value_name = "DURATION", value_parser = parse_period)]
    watch: Option<Duration>,

    /// How far back the picture reaches from its end [default: 10m; with elements 1day, as in rrdtool]
    #[arg(long, value_name = "DURATION", value_parser = parse_period, conflicts_with = "start")]
    last: Option<Duration>,
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
    /// Draw the trend of the recording so far with its interval, and say the verdict
    #[arg(long)]
    trend: bool,
    /// The headline [default: the source and the target of the run]
    #[arg(long, short)]
    title: Option<String>,
    /// Width of the canvas in pixels; axes and texts come on top [default: 800; with elements 400, as in rrdtool]. Of
    /// --format term: columns [default: the terminal's]
    #[arg(long, short, value_name = "PIXELS")]
    width: Option<u32>,
    /// Height of the canvas in pixels [default: 600; with elements 100, as in rrdtool]
    #[arg(long, value_name = "PIXELS")]
    height: Option<u32>,
    /// Let --width and --height be those of the whole image
    #[arg(long, visible_alias = "full-size-mode", short_alias = 'D')]
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

impl YAxis {
    fn baseline(self) -> Baseline {
        match self {
            YAxis::Auto => Baseline::Auto,
            YAxis::Zero => Baseline::Zero,
        }
    }
}

impl ThemeName {
    fn theme(self) -> Theme {
        match self {
            ThemeName::Light => Theme::Light,
            ThemeName::Dark => Theme::Dark,
        }
    }
}

impl DrawArgs {
    pub(super) fn task(self, file: Option<PathBuf>) -> anyhow::Result<Task> {
        let output = self.output(file, None, (self.width, self.height))?;
        let (width, height) = if output.is_text() { (None, None) } else { (self.width, self.height) };
        let alignment = (self.compare.is_some() || self.iterations).then(|| Alignment {
            whole: self.last.is_none() && self.start.is_none(),
            other: self.compare.clone(),
            iterations: self.iterations,
        });
        let picture = picture::Settings {
            alignment,
            start: self.begin(TimeSpec::before_end(600_000_000)),
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
            trend: self.trend,
            title: self.title,
            size: Size { width: width.unwrap_or(800), height: height.unwrap_or(600), full: self.full_size },
            baseline: self.y.map(YAxis::baseline),
            theme: self.theme.theme(),
            scale: self.scale,
        };
        let draw = graph::Settings { db: self.store.db, output, picture };
        Self::once_or_again(watch::Draw::Store(Box::new(draw)), self.watch)
    }

    /// rrdtool's language, with rrdtool's defaults, for the numbers depend on the width and the time.
    fn elements(self, file: Option<PathBuf>, options: Options, elements: &[String]) -> anyhow::Result<Task> {
        let own = [
            ("--source", self.source.is_some()),
            ("--series", self.series.is_some()),
            ("--panel", !self.panel.is_empty()),
            ("--limit", self.limit.is_some()),
            ("--gc", self.gc),
            ("--trend", self.trend),
            ("--compare", self.compare.is_some()),
            ("--iterations", self.iterations),
        ];
        if let Some((option, _)) = own.iter().find(|(_, given)| *given) {
            anyhow::bail!("{option} is for pictures without elements: say it by DEF, LINE, AREA, HRULE or TICK");
        }
        if self.store.db != Path::new(DEFAULT_DB) {
            let db = self.store.db.display();
            anyhow::bail!("--db {db} is for pictures without elements: name the file in each DEF, as in DEF:a={db}:…");
        }
        let output = self.output(file, options.image_format(), (None, None))?;
        let size = Size { width: self.width.unwrap_or(400), height: self.height.unwrap_or(100), full: self.full_size };
        let (theme, baseline) = (self.theme.theme(), self.y.map(YAxis::baseline));
        options.check(baseline)?;
        let start = self.begin("end-1day".parse()?);
        let (step_us, lazy) = (options.step_us(), options.lazy());
        let look =
            options.look(Page { title: self.title.unwrap_or_default(), size, scale: self.scale, theme, baseline });
        let script = Script::parse(elements)?;
        let settings = language::Settings { script, output, look, start, end: self.end, step_us, lazy };
        Self::once_or_again(watch::Draw::Script(Box::new(settings)), self.watch)
    }

    fn output(
        &self,
        file: Option<PathBuf>,
        format: Option<ImageFormat>,
        size: (Option<u32>, Option<u32>),
    ) -> anyhow::Result<Output> {
        let out = match (self.out.clone(), file) {
            (Some(_), Some(file)) => {
                anyhow::bail!("the picture has two names, --out and {}: give one of them", file.display())
            }
            (out, file) => out.or(file),
        };
        match (self.format, format) {
            (Some(one), Some(other)) if one != other => {
                anyhow::bail!("--format and --imgformat ask for two kinds of picture: give one of them")
            }
            (one, other) => Ok(Output::new(out, one.or(other), size)?.public(self.public)),
        }
    }

    fn begin(&self, default: TimeSpec) -> TimeSpec {
        let before_end = |last: Duration| TimeSpec::before_end(i64::try_from(last.as_micros()).unwrap_or(i64::MAX));
        self.start.clone().or(self.last.map(before_end)).unwrap_or(default)
    }

    fn once_or_again(draw: watch::Draw, every: Option<Duration>) -> anyhow::Result<Task> {
        match (every, draw) {
            (Some(_), draw) if draw.output().is_stdout() && !draw.output().is_screen() => {
                anyhow::bail!(
                    "--watch replaces a file again and again, and stdout is none: give --out a file name, or --format term"
                )
            }
            (Some(every), draw) => Ok(Task::Watch(watch::Settings { draw, every })),
            (None, watch::Draw::Store(settings)) => Ok(Task::Draw(*settings)),
            (None, watch::Draw::Script(settings)) => Ok(Task::Elements(settings)),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct GraphArgs {
    #[command(flatten)]
    draw: DrawArgs,
    /// The picture's file, and rrdtool's elements: DEF CDEF VDEF LINE AREA STACK HRULE VRULE TICK COMMENT GPRINT PRINT
    #[arg(value_name = "FILE|ELEMENT")]
    words: Vec<String>,
    /// Say more (twice: everything)
    #[arg(long, action = ArgAction::Count)]
    verbose: u8,
    /// Print help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
    // Last, for its heading holds for all that follows.
    #[command(flatten)]
    options: Options,
}

impl GraphArgs {
    pub(super) fn task(self) -> anyhow::Result<Task> {
        let (elements, files): (Vec<String>, Vec<String>) =
            self.words.into_iter().partition(|word| language::is_element(word));
        let mut files = files.into_iter();
        let file = files.next().map(PathBuf::from);
        if let Some(more) = files.next() {
            anyhow::bail!("`{more}` is neither an option nor an element (DEF:, AREA: …) nor the one picture's file");
        }
        if !elements.is_empty() {
            return self.draw.elements(file, self.options, &elements);
        }
        if !self.options.is_empty() {
            anyhow::bail!(
                "rrdtool's options are for its elements, and there is none: add DEF:… and AREA:…, or leave them out"
            );
        }
        self.draw.task(file)
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
