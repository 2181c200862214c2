//! The control: a page that keeps nothing, soaked for ten minutes, must not look as if it leaked because of us.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::case::{Fault, Seen, seen};
use crate::stage::{Stage, binary};

pub(crate) const FAULTS: &[Fault] = &[Fault {
    name: "self-leak",
    expected: "10 min at 10 iterations a second: steady, surely less than 1 byte an iteration",
    quick: false,
    disk: None,
    play: control,
}];

/// Until the page's own caches are filled.
const BASELINE: f64 = 120.0;

/// Bytes an iteration: 36 KiB an hour at this pace, far below what the verdict calls a leak.
const MOST: f64 = 1.0;

fn control(stage: &Stage) -> Result<Seen> {
    let mut soak = stage.start("--interval 100ms --duration 10m --checkpoint-gc 20s")?;
    let status = soak.wait(Duration::from_secs(900))?;
    ensure!(status.success(), "{status}: {}", stage.log("recorder"));
    stage.verify()?;
    let verdict = std::process::Command::new(binary("grapher"))
        .args(["verdict", "--source", "heap_used", "--db"])
        .arg(stage.db())
        .output()?;
    let said = String::from_utf8_lossy(&verdict.stdout).lines().next().unwrap_or_default().to_owned();
    ensure!(verdict.status.success(), "{}: {said}", verdict.status);
    let rows = stage.sql(&format!(
        "select time, after_bytes from gc where forced = 1 and time > (select min(time) from gc) + {BASELINE}"
    ))?;
    let floors: Vec<(f64, f64)> = rows
        .lines()
        .filter_map(|row| row.split_once('|'))
        .filter_map(|(time, bytes)| Some((time.parse().ok()?, bytes.parse().ok()?)))
        .collect();
    ensure!(floors.len() >= 15, "only {} floors", floors.len());
    let rate = stage.number("select avg(iterations) from average where iterations is not null")?;
    let (slope, error) = slope(&floors);
    let (per_iteration, within) = (slope / rate, 2.0 * error / rate);
    // The whole interval must lie below, and be narrow enough to say so: 23 floors were alike to the byte on a busy machine,
    // and a page that was made to keep 2 bytes an iteration showed 1.91 ± 0.06.
    ensure!(
        within < MOST && per_iteration + within < MOST,
        "{per_iteration:.2} ± {within:.2} bytes an iteration; {said}"
    );
    seen(format!("{per_iteration:.2} ± {within:.2} bytes an iteration, {} floors", floors.len()), said)
}

/// Least squares: the slope and its standard error.
fn slope(points: &[(f64, f64)]) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "a few dozen points")]
    let n = points.len() as f64;
    let (x, y) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let spread = points.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>();
    let slope = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / spread;
    let left = points.iter().map(|p| (p.1 - y - slope * (p.0 - x)).powi(2)).sum::<f64>();
    (slope, (left / (n - 2.0) / spread).sqrt())
}
