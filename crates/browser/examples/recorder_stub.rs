//! The smallest program that soaks a page: what the tests kill, and how a guardian is put into a program.
//!
//! `recorder_stub guardian …` is the guardian; `recorder_stub URL` opens a page, says where, and hovers for ever.
use std::{env, error::Error, io::Write, process::ExitCode, time::Duration};

use heapsoak_browser::{Driver, DriverOptions, Session, SessionOptions, find, guardian};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    match arguments.next() {
        Some(first) if first == "guardian" => guardian::run(arguments),
        Some(url) => match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => end(runtime.block_on(soak(&url.to_string_lossy()))),
            Err(error) => end(Err(error.into())),
        },
        None => end(Err("usage: recorder_stub URL".into())),
    }
}

fn end(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "recorder_stub: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn soak(url: &str) -> Result<(), Box<dyn Error>> {
    let driver = Driver::start(&DriverOptions::new(env::current_exe()?, &["guardian"], find::driver()?)).await?;
    let options = SessionOptions { browser: Some(find::browser(None)?), no_sandbox: true, ..Default::default() };
    let mut session = Session::open(&driver, &options).await?;
    session.goto(&url.parse()?).await?;
    let folder = driver.run_dir().ok_or("no run folder")?.display().to_string();
    writeln!(std::io::stdout(), "{} {folder}", driver.guardian_pid().unwrap_or_default())?;
    loop {
        session.hover("#kw").await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
