//! The store as its users meet it: real files, real processes, real damage.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod beside;
mod blocks;
mod cost;
mod failures;
mod gc;
mod help;
mod killed;
mod paths;
mod refused;
mod rows;
mod sql;
mod verified;
mod whole;
