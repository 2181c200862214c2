//! The verdict as others read it: the word, the numbers, the sentence. Its serialised keys are fixed.

use serde::Serialize;

/// The word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// It grows without end, as far as can be seen, and the growth matters.
    Leak,
    /// A growth that matters is ruled out.
    Steady,
    /// Neither is shown.
    Undecided,
}

/// What the line of floors looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// No growth that matters.
    Flat,
    /// Growth at a constant rate.
    Linear,
    /// One step makes up most of the growth; the reason says when.
    Step,
    /// The second half grows at less than a quarter of the whole's rate.
    Settling,
    /// The second half grows at less than 0.7 of the whole's rate.
    Slowing,
    /// Too uneven to say.
    Noisy,
}

/// What the verdict stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Sizes after the engine's own full collections.
    NaturalGc,
    /// Sizes after full collections that the recorder asked for.
    CheckpointGc,
    /// Minima of blocks of a heap's samples: weaker, garbage is in them.
    Raw,
    /// Minima of blocks of samples of a source without a collector.
    Blocks,
}

/// A verdict over one source. Rates are per hour, times in unix seconds, durations in seconds from `to`; unknown is `null`.
///
/// `serde` writes exactly the documented keys; what is skipped is for the text and the picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// The source's name.
    pub source: String,
    /// Leak, steady or undecided.
    pub verdict: Word,
    /// The line's shape; unknown with too few floors.
    pub shape: Option<Shape>,
    /// One sentence: why.
    pub reason: String,
    /// What it stands on; unknown without any data.
    pub basis: Option<Basis>,
    /// Floors (or blocks) judged.
    pub n: usize,
    /// Time of the first floor judged.
    pub from: Option<f64>,
    /// Time of the last floor judged.
    pub to: Option<f64>,
    /// Units per hour.
    pub slope_per_hour: Option<f64>,
    /// Its 95 % interval, low end.
    pub slope_low: Option<f64>,
    /// Its 95 % interval, high end.
    pub slope_high: Option<f64>,
    /// Units per iteration.
    pub slope_per_iteration: Option<f64>,
    /// Iterations between `from` and `to`.
    pub iterations: Option<f64>,
    /// The line's value at `to`.
    pub level: Option<f64>,
    /// The limit that was asked about.
    pub limit: Option<f64>,
    /// Seconds after `to` until the limit is reached; unknown when it does not grow, or beyond 30 times what was observed.
    pub limit_reached_in_s: Option<f64>,
    /// Its 95 % interval, low end.
    pub limit_low_s: Option<f64>,
    /// Its 95 % interval, high end; unknown when it may never be reached.
    pub limit_high_s: Option<f64>,
    /// Since when it leaks; the start of the segment when it did so from the beginning, as far as can be told.
    pub onset: Option<f64>,

    /// What to do next, one sentence.
    #[serde(skip)]
    pub advice: String,
    /// Undecided, yet it rises: worth a closer look.
    #[serde(skip)]
    pub is_suspect: bool,
    /// A leak said on fewer than 12 floors, or a heap's samples alone: more recording makes it surer.
    #[serde(skip)]
    pub is_early: bool,
    /// Undecided: about how many more seconds of recording are needed, when that can be told.
    #[serde(skip)]
    pub needed_s: Option<f64>,
    /// The 80 % interval of `limit_reached_in_s`.
    #[serde(skip)]
    pub limit_80_s: Option<(f64, Option<f64>)>,
    /// The level from which on it may die; below `limit` where V8 gives up before.
    #[serde(skip)]
    pub limit_from: Option<f64>,
    /// The limit is reached, if ever, later than 30 times the observed window: too far to say when.
    #[serde(skip)]
    pub is_limit_beyond: bool,
    /// The slope (per hour) above which growth matters here.
    #[serde(skip)]
    pub max_slope_per_hour: Option<f64>,
    /// The floors judged, time and value: for the sparkline and the picture.
    #[serde(skip)]
    pub floors: Vec<(f64, f64)>,
}

impl Verdict {
    /// A verdict that knows nothing but the source.
    pub(crate) fn unknown(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            verdict: Word::Undecided,
            shape: None,
            reason: String::new(),
            basis: None,
            n: 0,
            from: None,
            to: None,
            slope_per_hour: None,
            slope_low: None,
            slope_high: None,
            slope_per_iteration: None,
            iterations: None,
            level: None,
            limit: None,
            limit_reached_in_s: None,
            limit_low_s: None,
            limit_high_s: None,
            onset: None,
            advice: String::new(),
            is_suspect: false,
            is_early: false,
            needed_s: None,
            limit_80_s: None,
            limit_from: None,
            is_limit_beyond: false,
            max_slope_per_hour: None,
            floors: Vec::new(),
        }
    }

    /// The trend's line at `time`, for drawing it: known wherever a slope is.
    pub fn trend_at(&self, time: f64) -> Option<f64> {
        Some(self.level? + self.slope_per_hour? / 3600.0 * (time - self.to?))
    }
}

impl Word {
    /// The word as it is serialised.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Leak => "leak",
            Self::Steady => "steady",
            Self::Undecided => "undecided",
        }
    }
}
