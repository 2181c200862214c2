//! A writer at full speed that says on a pipe what it has committed, killed again and again: nothing it said is lost.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use heapsoak_rrd::{Archive, Reading, Source, Step, Time};
use heapsoak_store::{Existing, Reader, StoreError, Writer};

use crate::case::{Fault, Seen, seen};
use crate::stage::{Stage, pause};

pub(crate) const FAULTS: &[Fault] = &[Fault {
    name: "writer-killed-200",
    expected: "200 kills at full speed: nothing lost that was said to be written",
    quick: false,
    disk: None,
    play: killed,
}];

const KILLS: usize = 200;
const BEGUN: i64 = 1_700_000_000;

fn killed(stage: &Stage) -> Result<Seen> {
    let (mut committed, mut ahead) = (0, 0);
    for kill in 1..=KILLS {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--write")
            .arg(stage.db())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("stdout of the writer")?);
        let mut first = String::new();
        lines.read_line(&mut first)?;
        pause(Duration::from_micros(fastrand::u64(0..60_000)));
        child.kill()?;
        child.wait()?;
        let mut rest = String::new();
        lines.read_to_string(&mut rest)?;
        // A last line without its end may have lost digits.
        let whole = rest.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let last = whole.lines().last().unwrap_or(first.trim());
        let said: i64 = last.parse().with_context(|| format!("kill {kill}: the writer said `{last}`"))?;
        let reader = Reader::open(&stage.db())?;
        let stored = reader.last()?.whole_secs() - BEGUN;
        ensure!(stored >= said && stored <= said + 1, "kill {kill}: {said} was said to be written, {stored} is there");
        let damage = reader.verify()?;
        ensure!(damage.is_empty(), "kill {kill}: {damage:?}");
        (committed, ahead) = (stored, ahead + usize::from(stored > said));
    }
    seen(
        format!("{KILLS} kills, {committed} commits, none lost"),
        format!("{ahead} times one more was there than was said"),
    )
}

/// The writer: goes on with the store, and says each commit, until it is killed.
pub(crate) fn write(db: &Path) -> ExitCode {
    match write_on(db) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write_on(db: &Path) -> Result<()> {
    let mut writer = match Writer::open(db) {
        Err(StoreError::Absent { .. }) => {
            let step = Step::new(1_000_000)?;
            let source = "DS:a:GAUGE:2:U:U".parse::<Source>()?;
            let archives = [Archive::parse("AVERAGE:0.5:1:500", step)?, Archive::parse("MAX:0.5:3:500", step)?];
            Writer::create(db, step, &[source.into()], &archives, Time::from_secs(BEGUN), Existing::Refuse)?
        }
        opened => opened?,
    };
    let mut out = std::io::stdout();
    for number in (writer.last().whole_secs() - BEGUN + 1).. {
        writer.update(Time::from_secs(BEGUN + number), &[Reading::from(1.5)])?;
        writer.commit()?;
        if number % 50 == 0 {
            writer.checkpoint()?;
        }
        writeln!(out, "{number}")?;
        out.flush()?;
    }
    Ok(())
}
