//! What a page, or the server behind it, does to the loop that drives it.

use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use nix::unistd::Uid;

use crate::case::{Fault, Seen, seen};
use crate::processes::{Role, strike};
use crate::site::{Manner, Site};
use crate::stage::{PATIENCE, Recorder, Stage, now, pause, stretched, until};

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "page-spins",
        expected: "told as such at the deadline; ticks go on, page unknown",
        quick: true,
        disk: None,
        play: spins,
    },
    Fault {
        name: "page-out-of-memory",
        expected: "event out_of_memory with the last heap; restart",
        quick: true,
        disk: None,
        play: out_of_memory,
    },
    Fault {
        name: "dialogs",
        expected: "alert, confirm dismissed; a popup comes and goes; no restart",
        quick: true,
        disk: None,
        play: dialogs,
    },
    Fault {
        name: "page-leaves",
        expected: "goes elsewhere, its beforeunload holds nothing up; no restart",
        quick: false,
        disk: None,
        play: leaves,
    },
    Fault {
        name: "page-closes-its-window",
        expected: "told as window_closed, also beside a popup; sampled again",
        quick: false,
        disk: None,
        play: closes,
    },
    Fault {
        name: "element-replaced-always",
        expected: "found again; most iterations succeed",
        quick: false,
        disk: None,
        play: stale,
    },
    Fault {
        name: "error-page-under-way",
        expected: "told; no heap of an error page; restarts until it is back",
        quick: false,
        disk: None,
        play: error_page,
    },
    Fault {
        name: "server-hangs-up",
        expected: "told; no heap of an error page; goes on when it is back",
        quick: true,
        disk: None,
        play: hangs_up,
    },
    Fault {
        name: "server-never-answers",
        expected: "told at the page's deadline; goes on when it is back",
        quick: false,
        disk: None,
        play: mute,
    },
    Fault {
        name: "page-unreachable",
        expected: "exit 2 at the start, says which and why",
        quick: true,
        disk: None,
        play: unreachable,
    },
];

/// A soak of a page of the test's own; as root that needs the sandbox off.
fn soak<'a>(stage: &'a Stage, site: &Site, more: &str) -> Result<Recorder<'a>> {
    let sandbox = if Uid::effective().is_root() { "--no-sandbox" } else { "" };
    stage.soak(&format!("{sandbox} --url {} {more}", site.url()))
}

/// After 8 s the page never lets go again.
fn spins(stage: &Stage) -> Result<Seen> {
    let site = Site::serve("<!doctype html><input id=kw><script>setTimeout(() => { for (;;); }, 8000)</script>")?;
    let soak = soak(stage, &site, "")?;
    let (_, told) = stage.until_event(&["unresponsive"], 0.0)?;
    ensure!(told.contains("the page computes without end"), "{told}");
    let (again, _) = stage.until_event(&["restart"], 0.0)?;
    soak.until_sampled(again)?;
    let ticks = stage.gaps("recorder_rss")?;
    ensure!(ticks.is_empty(), "ticks were missed: {ticks:?}");
    soak.end()?;
    seen("told, restarted, no tick missed", told.chars().take(90).collect::<String>())
}

fn out_of_memory(stage: &Stage) -> Result<Seen> {
    let page = "<!doctype html><input id=kw><script>
        const kept = [];
        setTimeout(() => setInterval(() => { for (let i = 0; i < 4; i++) kept.push(new Array(131072).fill(i + .5)) }, 100), 6000)
        </script>";
    let site = Site::serve(page)?;
    let soak = soak(stage, &site, "--browser-arg=--js-flags=--max-old-space-size=100")?;
    let (at, told) = stage.until_event(&["out_of_memory", "renderer_crash"], 0.0)?;
    ensure!(told.starts_with("out_of_memory"), "{told}");
    let (again, _) = stage.until_event(&["restart"], at)?;
    soak.until_sampled(again)?;
    let peak = stage.number(&format!("select max(heap_used) / 1048576 from maximum where time < {at} + 5"))?;
    ensure!(peak > 50.0, "the greatest heap on record is {peak} MiB");
    soak.end()?;
    seen(format!("told; the greatest heap on record is {peak:.0} MiB"), told)
}

fn dialogs(stage: &Stage) -> Result<Seen> {
    let page = "<!doctype html><input id=kw style='width:300px;height:30px'><script>
        if (location.pathname == '/popup') {
            addEventListener('pagehide', () => navigator.sendBeacon('/popup-closed'));
            setTimeout(close, 1000);
        } else {
            setTimeout(() => alert('one'), 6000);
            setTimeout(() => confirm('two'), 8000);
            setTimeout(() => open('/popup'), 9000);
        }
        </script>";
    let site = Site::serve(page)?;
    let soak = soak(stage, &site, "")?;
    let told = until(PATIENCE, "both dialogs", || {
        let events = stage.events(0.0)?;
        let both = ["one", "two"]
            .iter()
            .all(|text| events.iter().any(|event| event.starts_with("alert") && event.contains(text)));
        Ok(both.then_some(events))
    })?;
    for path in ["/popup", "/popup-closed"] {
        until(PATIENCE, path, || Ok((site.times_asked(path) == 1).then_some(())))?;
    }
    let failures = goes_on(stage, &soak)?;
    soak.end()?;
    let alerts = told.iter().filter(|event| event.starts_with("alert")).count();
    seen(
        format!("{alerts} alerts told, popup opened and closed, no restart"),
        format!("{failures:.0} iterations failed"),
    )
}

/// The page is driven and sampled, by the browser it had from the beginning; gives the iterations that failed.
fn goes_on(stage: &Stage, soak: &Recorder<'_>) -> Result<f64> {
    let done = || stage.number("select total(iterations) from average");
    let before = done()?;
    soak.until_sampled(now() + 2.0)?;
    let more = done()? - before;
    ensure!(more > 3.0, "{more} iterations since");
    let events = stage.events(0.0)?;
    ensure!(!events.iter().any(|event| event.starts_with("restart")), "{events:?}");
    stage.number("select total(failures) from average")
}

/// A dialog that asks whether to leave comes only to a page on which somebody clicked or typed; WebDriver accepts it anyway.
fn leaves(stage: &Stage) -> Result<Seen> {
    let page = "<!doctype html><input id=kw style='width:300px;height:30px'><script>
        if (location.pathname == '/') {
            addEventListener('beforeunload', event => { event.preventDefault(); navigator.sendBeacon('/beforeunload') });
            setTimeout(() => { location = '/elsewhere' }, 7000);
        }
        </script>";
    let site = Site::serve(page)?;
    let soak = soak(stage, &site, "")?;
    for path in ["/beforeunload", "/elsewhere"] {
        until(PATIENCE, path, || Ok((site.times_asked(path) == 1).then_some(())))?;
    }
    let failures = goes_on(stage, &soak)?;
    ensure!(failures < 5.0, "{failures} iterations failed");
    soak.end()?;
    seen("its handler ran, it went, no restart", format!("{failures:.0} iterations failed"))
}

/// The session's window, which the browser lets a script close only where it is told to; what a page opened stays behind.
fn closes(stage: &Stage) -> Result<Seen> {
    let alone = "<!doctype html><input id=kw style='width:300px;height:30px'><script>setTimeout(close, 8000)</script>";
    let beside = "<!doctype html><input id=kw style='width:300px;height:30px'><script>
        if (location.pathname == '/') { setTimeout(() => open('/popup'), 6000); setTimeout(close, 8000) }</script>";
    let mut took = Vec::new();
    for (page, popups) in [(alone, 0), (beside, 1)] {
        let site = Site::serve(page)?;
        let soak = soak(stage, &site, "--browser-arg=--blink-settings=allowScriptsToCloseWindows=true")?;
        let (at, told) = stage.until_event(&["window_closed", "browser_crash", "restart"], 0.0)?;
        ensure!(told.starts_with("window_closed"), "{told}");
        ensure!(site.times_asked("/popup") == popups, "{} popups were opened", site.times_asked("/popup"));
        let (again, _) = stage.until_event(&["navigation"], at)?;
        soak.until_sampled(again)?;
        took.push(format!("{:.1}", again - at));
        let ticks = stage.gaps("recorder_rss")?;
        ensure!(ticks.is_empty(), "ticks were missed: {ticks:?}");
        soak.end()?;
        std::fs::remove_file(stage.db())?;
    }
    seen("2 of 2 told, a new session, sampled again", format!("driven again after {} s", took.join(" and ")))
}

/// Whenever the pointer comes by, the page makes the element anew: the one that was found is gone in each iteration.
fn stale(stage: &Stage) -> Result<Seen> {
    let page = "<!doctype html><body><script>
        const make = () => { document.body.innerHTML = \"<input id=kw style='width:300px;height:30px'>\" };
        make(); addEventListener('mousemove', () => setTimeout(make))</script>";
    let site = Site::serve(page)?;
    let soak = soak(stage, &site, "")?;
    pause(Duration::from_secs(10));
    let (done, failed) =
        (stage.number("select total(iterations) from average")?, stage.number("select total(failures) from average")?);
    ensure!(done > 20.0 && done > 9.0 * failed, "{done} iterations, {failed} failures");
    let restarts = stage.number("select count(*) from event where kind = 'restart'")?;
    ensure!(restarts < 0.5, "{restarts} restarts");
    soak.end()?;
    seen(
        format!("{:.0} % succeed, no restart", 100.0 * done / (done + failed)),
        format!("{done:.0} iterations, {failed:.0} failures"),
    )
}

/// The page goes where nobody listens, all by itself.
fn error_page(stage: &Stage) -> Result<Seen> {
    let page = "<!doctype html><input id=kw style='width:300px;height:30px'><script>
        setTimeout(() => { location = 'http://127.0.0.1:9/' }, 7000)</script>";
    let site = Site::serve(page)?;
    let soak = soak(stage, &site, "")?;
    let (at, told) = stage.until_event(&["error_page"], 0.0)?;
    let (again, _) = stage.until_event(&["navigation"], at)?;
    soak.until_sampled(again)?;
    let between = stage.number(&format!(
        "select count(*) from average where heap_used is not null and time > {at} + 2 and time < {again} - 1"
    ))?;
    ensure!(between < 0.5, "{between} rows of an error page's heap");
    soak.end()?;
    seen("told, restarted, nothing recorded between", told.chars().take(90).collect::<String>())
}

/// The server fails while the browser is started anew.
fn server_away(stage: &Stage, manner: Manner, kind: &str) -> Result<Seen> {
    let site = Site::serve("<!doctype html><input id=kw style='width:300px;height:30px'>")?;
    let soak = soak(stage, &site, "")?;
    site.set(manner);
    strike(soak.pid(), Role::Renderer, Signal::SIGKILL)?;
    let (at, told) = stage.until_event(&[kind], 0.0)?;
    let known = |after: f64| {
        stage.number(&format!("select count(*) from average where heap_used is not null and time > {after}"))
    };
    ensure!(known(at)? < 0.5, "the heap of an error page is recorded");
    site.set(Manner::Serve);
    let back = now();
    soak.until_sampled(back)?;
    let took = now() - back;
    let ticks = stage.gaps("recorder_rss")?;
    ensure!(ticks.is_empty(), "ticks were missed: {ticks:?}");
    soak.end()?;
    ensure!(took <= stretched(60.0), "sampled again after {took} s");
    seen(format!("told; sampled again {took:.0} s after it is back"), told.chars().take(90).collect::<String>())
}

fn hangs_up(stage: &Stage) -> Result<Seen> {
    server_away(stage, Manner::HangUp, "error_page")
}

fn mute(stage: &Stage) -> Result<Seen> {
    server_away(stage, Manner::Mute, "timeout")
}

fn unreachable(stage: &Stage) -> Result<Seen> {
    let sandbox = if Uid::effective().is_root() { "--no-sandbox" } else { "" };
    let mut words = Vec::new();
    for url in ["http://127.0.0.1:1/", "http://127.0.0.1:9/", "file:///no/such/page.html"] {
        let mut recorder = stage.start(&format!("{sandbox} --url {url}"))?;
        let status = recorder.wait(PATIENCE)?;
        let log = stage.log("recorder");
        let last = log.lines().last().unwrap_or_default();
        ensure!(status.code() == Some(2) && last.contains("ERR_"), "{url}: {status}: {log}");
        words.push(
            last.split("shows ").nth(1).unwrap_or_default().split([';', ' ']).next().unwrap_or_default().to_owned(),
        );
    }
    seen("3 of 3: exit 2", words.join(", "))
}
