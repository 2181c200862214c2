//! `grapher verdict`: leak, steady or undecided, in words, numbers and as the exit status.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::ValueEnum;
use heapsoak_cli::{clock, exit, output};
use heapsoak_judge::{Answer, Judged, word};
use heapsoak_store::Reader;
use heapsoak_verdict::{Comparison, Verdict, Word, compare};
use serde::Serialize;

use crate::verdict::{self, Asked, Finding, github};

/// Where GitHub Actions wants a summary to be added.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// How the verdict is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    Junit,
    Github,
}

/// Over what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Over {
    /// One store.
    One(PathBuf),
    /// The same thing recorded before and after a change.
    Two { before: PathBuf, after: PathBuf },
}

/// What is judged, and how it is told.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) over: Over,
    pub(crate) asked: Asked,
    pub(crate) format: Format,
}

pub(crate) fn run(settings: &Settings) -> anyhow::Result<u8> {
    let now_us = clock::now_us();
    match &settings.over {
        Over::One(db) => {
            let Answer { judged, .. } = ask(db, &settings.asked, now_us)?;
            let findings: Vec<Finding> = judged.iter().map(|one| verdict::of_verdict(one, now_us)).collect();
            let word = word(&judged);
            let verdicts: Vec<&Verdict> = judged.iter().map(|one| &one.verdict).collect();
            tell(settings.format, db, &findings, (word, word.as_str()), &verdicts)
        }
        Over::Two { before, after } => {
            let (comparisons, findings) = both(before, after, &settings.asked, now_us)?;
            let word = of_all(&findings);
            let conclusion = match word {
                Word::Steady => "steady, or growing surely less than before",
                Word::Leak => "leak, or growing surely more than before",
                Word::Undecided => "undecided",
            };
            tell(settings.format, after, &findings, (word, conclusion), &comparisons)
        }
    }
}

fn ask(db: &Path, asked: &Asked, now_us: i64) -> anyhow::Result<Answer> {
    let answer = verdict::of(&Reader::open(db)?, asked, now_us)?;
    if answer.damaged > 0 {
        let db = db.display();
        tracing::warn!("{db}: {} damaged values are left unknown: grapher info --verify names them", answer.damaged);
    }
    Ok(answer)
}

/// Compares the sources that both stores have.
fn both(before: &Path, after: &Path, asked: &Asked, now_us: i64) -> anyhow::Result<(Vec<Comparison>, Vec<Finding>)> {
    let mut old = ask(before, asked, now_us)?.judged;
    let new = ask(after, asked, now_us)?.judged;
    let mut found = (Vec::new(), Vec::new());
    for after in new {
        let same = |old: &Judged| old.verdict.source == after.verdict.source && old.unit == after.unit;
        let Some(place) = old.iter().position(same) else { continue };
        let before = old.swap_remove(place);
        let comparison = compare(before.verdict, after.verdict.clone(), after.unit);
        found.1.push(verdict::of_comparison(&comparison, &after, after.unit, now_us));
        found.0.push(comparison);
    }
    if found.0.is_empty() {
        bail!("{} and {} have no source in common that tells of memory", before.display(), after.display());
    }
    Ok(found)
}

/// One word for all comparisons.
fn of_all(findings: &[Finding]) -> Word {
    if findings.iter().any(Finding::is_failure) {
        Word::Leak
    } else if findings.iter().all(|one| one.word == Word::Steady || !one.decides) {
        Word::Steady
    } else {
        Word::Undecided
    }
}

/// Prints it; the exit status is that of `word`.
fn tell(
    format: Format,
    db: &Path,
    findings: &[Finding],
    (word, conclusion): (Word, &str),
    raw: &impl Serialize,
) -> anyhow::Result<u8> {
    let name = db.file_name().unwrap_or(db.as_os_str()).to_string_lossy();
    output::stdout(|out| match format {
        Format::Text => verdict::write_text(out, findings, conclusion),
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, raw).map_err(io::Error::from)?;
            writeln!(out)
        }
        Format::Junit => verdict::write_junit(out, &name, findings),
        Format::Github => github::annotations(out, findings),
    })?;
    if format == Format::Github
        && let Some(path) = std::env::var_os(STEP_SUMMARY).filter(|path| !path.is_empty()).map(PathBuf::from)
        && let Err(error) = github::add_summary(&path, &name, findings, conclusion)
    {
        tracing::warn!("{}: the summary could not be added: {error}", path.display());
    }
    Ok(match word {
        Word::Steady => exit::OK,
        Word::Leak => exit::LEAK,
        Word::Undecided => exit::UNDECIDED,
    })
}
