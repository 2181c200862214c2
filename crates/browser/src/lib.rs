//! WebDriver: start a driver, hold a session in which every wait has an end, perform actions.
//!
//! # Overview
//!
//! * [`find`] looks for the browser and its driver on this machine and says what to install when there is none.
//! * [`Driver`] is a chromedriver of our own under a [`guardian`], or somebody else's ([`Driver::remote`]).
//! * [`Session`] is one browser window: [`Session::goto`], [`Session::hover`], [`Session::close`].
//! * [`Fault`] is what can go wrong in a session; [`classify`] tells them apart, [`Fault::fate`] says what to do.
//! * [`Culprit`] is who keeps a session from answering; [`sweep`] clears up after a run that was killed.
//! * [`Way`] is how a sampler reaches the page beside the session; [`Execute`] is the way of last resort.
//!
//! # Invariants
//!
//! * Invariant: every command ends. A watchdog ends the wait at the command's deadline, and the connection underneath
//!   has a time limit of its own, so that a client whose driver is stopped becomes free again.
//! * Invariant: no browser outlives us. The driver runs under a guardian that kills all its descendants and removes the
//!   run folder as soon as this process ends, however it ends; [`Driver::end`] does the same and checks the process list.
//! * Invariant: the driving leaves nothing in the page. chromedriver's pointer action keeps a handle (100 B of the page's
//!   heap) per call; each is released right after the hover (see [`Session::hover`]).
//! * Invariant: a password in a driver's URL goes into the `Authorization` header and nowhere else.
//!
//! # Example
//!
//! ```no_run
//! use heapsoak_browser::{Driver, DriverOptions, Session, SessionOptions, find};
//! use std::time::Duration;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! // This program itself is the guardian when it is called as `program guardian …`; see `guardian::run`.
//! let options = DriverOptions::new(std::env::current_exe()?, &["guardian"], find::driver()?);
//! let mut driver = Driver::start(&options).await?;
//! let browser = find::browser(None)?;
//! let mut session = Session::open(&driver, &SessionOptions { browser: Some(browser), ..Default::default() }).await?;
//! session.goto(&"http://127.0.0.1:8080/".parse()?).await?;
//! session.hover("#kw").await?;
//! session.close(Duration::from_secs(1)).await?;
//! driver.end(Duration::from_secs(2)).await?;
//! # Ok(())
//! # }
//! ```
mod bounded;
mod capabilities;
mod culprit;
mod driver;
mod error;
mod execute;
mod fault;
pub mod find;
pub mod guardian;
mod handles;
mod session;
mod sweep;
mod tail;
mod tree;
mod way;
mod wire;

pub use capabilities::SessionOptions;
pub use culprit::Culprit;
pub use driver::{Driver, DriverOptions};
pub use error::BrowserError;
pub use execute::Execute;
pub use fault::{Fate, Fault, classify};
pub use session::{Facts, Session};
pub use sweep::{Trace, sweep};
pub use way::Way;
pub use wire::patiently;
