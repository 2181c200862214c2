//! The command line of `grapher verdict`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use heapsoak_cli::duration::{parse_duration, parse_period};
use heapsoak_cli::size::{parse_rate, parse_size};
use heapsoak_cli::time::TimeSpec;
use heapsoak_judge::Question;

use super::StoreArg;
use crate::commands::verdict::{Format, Over, Settings};
use crate::verdict::Asked;

pub(super) const EXAMPLES: &str = "\
Examples:
  grapher verdict                                          every source of memory in soak.db, the whole recording
  grapher verdict --db soak.db --limit 60MiB               and when 60 MiB are reached
  grapher verdict --source heap_used --last 1h --max-slope 100KiB/h
  grapher verdict --from-iteration 1000 --format junit > verdict.xml
  grapher verdict --compare before.db after.db             did the fix work?

Exit status: 0 steady, 1 leak, 3 undecided, 2 usage or trouble.
The heap of each target decides (heap_used; the memory of a process without a heap; or what --source names). A leak of
another source counts where it was seen right after full collections, or when a process has grown by half. With
--compare the run after the change decides; where that is undecided, growth surely less than before is 0, more is 1.

json is an array with an object for each source; times are unix seconds, slopes per hour, unknown is null.";

#[derive(Debug, Args)]
pub(super) struct VerdictArgs {
    #[command(flatten)]
    store: StoreArg,
    /// Compare two recordings, made before and after a change
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"], conflicts_with_all = ["db", "start", "end", "last", "from_iteration"])]
    compare: Option<Vec<PathBuf>>,
    /// Only this source; may be repeated [default: what tells of the targets' memory]
    #[arg(long, value_name = "NAME")]
    source: Vec<String>,

    /// How far back to look from the end [default: to the beginning of the recording]
    #[arg(long, value_name = "DURATION", value_parser = parse_period, conflicts_with = "start")]
    last: Option<Duration>,
    /// Where to begin, instead of --last
    #[arg(long, short, value_name = "TIME", allow_hyphen_values = true)]
    start: Option<TimeSpec>,
    /// Where to end [default: the end of the recording]
    #[arg(long, short, value_name = "TIME", allow_hyphen_values = true)]
    end: Option<TimeSpec>,
    /// Leave out what came before this iteration of the last run
    #[arg(long, value_name = "N", conflicts_with_all = ["last", "start"])]
    from_iteration: Option<u64>,

    /// What to leave out at the beginning of each life, while caches fill [default: 1m, or a fifth of it if that is more]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    warm_up: Option<Duration>,
    /// The size at which the program dies [default: its --max-old-space-size, or the heap limit that was recorded]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    limit: Option<u64>,
    /// The growth up to which nobody cares [default: 1MiB/h, or 2 % of the floor per hour if that is more]
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    max_slope: Option<f64>,
    /// How the verdict is told
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl VerdictArgs {
    pub(super) fn settings(self) -> Settings {
        let before_end = |last: Duration| TimeSpec::before_end(i64::try_from(last.as_micros()).unwrap_or(i64::MAX));
        #[expect(clippy::cast_precision_loss, reason = "sizes are at most 2^53")]
        let limit = self.limit.map(|bytes| bytes as f64);
        Settings {
            over: match <[PathBuf; 2]>::try_from(self.compare.unwrap_or_default()) {
                Ok([before, after]) => Over::Two { before, after },
                Err(_) => Over::One(self.store.db),
            },
            asked: Asked {
                start: self.start.or(self.last.map(before_end)),
                end: self.end,
                question: Question {
                    sources: self.source,
                    from_iteration: self.from_iteration,
                    warm_up_s: self.warm_up.map(|warm_up| warm_up.as_secs_f64()),
                    limit,
                    max_slope_per_hour: self.max_slope.map(|per_second| per_second * 3600.0),
                    ..Question::default()
                },
            },
            format: self.format,
        }
    }
}
