//! Measures what a hover costs the page: bytes of its heap after forced collections, and time.
//!
//! `hover_cost [HOVERS]` prints one line. The page is a static one with an input, given as a data URL.
use std::{
    env,
    error::Error,
    io::Write,
    process::ExitCode,
    time::{Duration, Instant},
};

use heapsoak_browser::{Driver, DriverOptions, Session, SessionOptions, Way, find, guardian};
use heapsoak_devtools::{Client, targets};
use serde_json::json;

const ROUNDS: u32 = 8;
const PAGE: &str = "data:text/html,<title>static</title><input id=kw style='width:300px;height:30px'>";
const DEADLINE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let first = arguments.next();
    if first.as_ref().is_some_and(|first| first == "guardian") {
        return guardian::run(arguments);
    }
    let hovers = first.and_then(|text| text.to_str()?.parse().ok()).unwrap_or(4000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let measured = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(measure(hovers)));
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "hover_cost: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(hovers: u32) -> Result<(), Box<dyn Error>> {
    let driver = Driver::start(&DriverOptions::new(env::current_exe()?, &["guardian"], find::driver()?)).await?;
    let options = SessionOptions { browser: Some(find::browser(None)?), no_sandbox: true, ..Default::default() };
    let mut session = Session::open(&driver, &options).await?;
    session.goto(&PAGE.parse()?).await?;
    let devtools = connect(&session).await?;
    for _ in 0..200 {
        session.hover("#kw").await?;
    }
    let (used, blink) = heap(&devtools).await?;
    let (mut heaps, mut embedders, mut spent) = (vec![(0.0, used)], vec![(0.0, blink)], Duration::ZERO);
    for round in 1..=ROUNDS {
        let start = Instant::now();
        for _ in 0..hovers / ROUNDS {
            session.hover("#kw").await?;
        }
        spent += start.elapsed();
        let done = f64::from(round * (hovers / ROUNDS));
        let (used, blink) = heap(&devtools).await?;
        heaps.push((done, used));
        embedders.push((done, blink));
    }
    let each = spent.as_secs_f64() * 1e3 / f64::from(hovers / ROUNDS * ROUNDS);
    let (used, blink) = (slope(&heaps), slope(&embedders));
    writeln!(std::io::stdout(), "{hovers} hovers: heap {used:.2} B, embedder heap {blink:.2} B, {each:.2} ms each")?;
    session.close(DEADLINE).await?;
    Ok(driver.end(DEADLINE).await?)
}

async fn connect(session: &Session) -> Result<Client, Box<dyn Error>> {
    let Way::Debugger(address) = session.devtools_way() else { return Err("no debugger address".into()) };
    let pages = targets(&address, DEADLINE).await?;
    let page = pages.iter().find(|page| page.id == session.window()).ok_or("the page is not listed")?;
    Ok(Client::connect_to(&page.socket(&address)?, &Default::default()).await?)
}

/// Heap and embedder heap in bytes, after two collections: the second takes what the first has only unlinked.
async fn heap(devtools: &Client) -> Result<(f64, f64), Box<dyn Error>> {
    for _ in 0..2 {
        devtools.call("HeapProfiler.collectGarbage", json!({}), DEADLINE).await?;
    }
    let usage = devtools.call("Runtime.getHeapUsage", json!({}), DEADLINE).await?;
    let bytes = |name: &str| usage[name].as_f64().unwrap_or(f64::NAN);
    Ok((bytes("usedSize"), bytes("embedderHeapUsedSize")))
}

/// Least squares: bytes per hover.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let (x, y) = (points.iter().map(|p| p.0).sum::<f64>() / count, points.iter().map(|p| p.1).sum::<f64>() / count);
    let over: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    over / points.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}
