//! The live page, as people meet it: the real binary, a real browser, a store that is being written.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod http;
mod looks;
mod page;
mod stage;
mod states;
mod use_it;
