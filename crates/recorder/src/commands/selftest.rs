//! `recorder selftest`: does the detector detect? Our own page is soaked twice side by side in the real browser, once with
//! a leak of a known rate and once without, and both are judged.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use heapsoak_cli::{exit, output, size};
use heapsoak_judge::{Question, judge};
use heapsoak_store::Reader;
use heapsoak_verdict::{Verdict, Word};

use crate::args::SelftestArgs;
use crate::settings::{HowLong, Judging, Page, Soak, StoreShape};
use crate::soak::{self, sentence};

/// Bytes a second that the leaking page retains: a hundredth of it is the least that matters to a verdict.
const LEAK: u64 = 32 << 10;
/// Both soaks together; with the starts of two browsers it is over within two minutes.
const DURATION: Duration = Duration::from_secs(85);
/// Thirty floors after the warm-up.
const CHECKPOINT: Duration = Duration::from_secs(2);
/// Until the engine has compiled what the page runs; the page is small.
const WARM_UP: Duration = Duration::from_secs(20);

/// Soaks, judges, says both verdicts.
///
/// # Errors
/// When a page cannot be soaked or its recording not be judged, and when stdout is gone.
pub(crate) fn run(args: &SelftestArgs) -> anyhow::Result<u8> {
    let scratch =
        tempfile::Builder::new().prefix("heapsoak-").tempdir().context("no folder for the run can be made")?;
    let folder = args.keep.as_deref().unwrap_or(scratch.path());
    let (leaking, steady) = (settings(folder, "leak.db", LEAK), settings(folder, "steady.db", 0));
    let statuses = soak::run_both(&leaking, &steady)?;
    if statuses != (exit::OK, exit::OK) {
        anyhow::bail!("a soak ended with {} and {}, not with 0; -v tells why", statuses.0, statuses.1);
    }
    let found = [verdict(&leaking.db)?, verdict(&steady.db)?];
    #[expect(clippy::cast_precision_loss, reason = "32768 is exact")]
    let rate = size::format_size(LEAK as f64);
    let wanted =
        [(format!("a page that leaks {rate}/s"), Word::Leak), ("a page that does not".to_owned(), Word::Steady)];
    let all_right = found.iter().zip(&wanted).all(|(verdict, (_, word))| verdict.verdict == *word);
    output::stdout(|out| {
        for (verdict, (page, word)) in found.iter().zip(&wanted) {
            let right = if verdict.verdict == *word { "right" } else { "wrong" };
            writeln!(out, "{page}: {}, which is {right}. {}.", verdict.verdict.as_str(), sentence(verdict))?;
        }
        writeln!(out, "selftest: {}", if all_right { "passed" } else { "failed" })
    })?;
    Ok(if all_right { exit::OK } else { exit::ENDED })
}

fn settings(folder: &Path, name: &str, leak_bytes_per_s: u64) -> Soak {
    let page = Page {
        url: None,
        leak_bytes_per_s,
        element: "#kw".to_owned(),
        interval: Duration::from_millis(100),
        webdriver: None,
        browser: None,
        browser_args: Vec::new(),
        headed: false,
        no_sandbox: false,
        allow_remote_unsandboxed: false,
        restarts: 0,
    };
    Soak {
        db: folder.join(name),
        page: Some(page),
        command: Vec::new(),
        nodes: Vec::new(),
        pids: Vec::new(),
        how_long: HowLong { duration: Some(DURATION), iterations: None },
        judging: Judging { checkpoint_gc: Some(CHECKPOINT), ..Judging::default() },
        shape: StoreShape { step: None, heartbeat: None, rras: Vec::new() },
    }
}

/// The verdict over the heap of the page.
fn verdict(db: &Path) -> anyhow::Result<Verdict> {
    let reader = Reader::open(db)?;
    let sources = vec!["heap_used".to_owned()];
    let question = Question { sources, warm_up_s: Some(WARM_UP.as_secs_f64()), ..Question::default() };
    let answer = judge(&reader, &reader.info()?, &question)?;
    answer.judged.into_iter().map(|judged| judged.verdict).next().context("the recording has no heap_used")
}
