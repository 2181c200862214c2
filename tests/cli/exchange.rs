//! Stores and the files of other programs, both ways, by the binaries: real rrdtool, and promtool where it is installed,
//! judge what is written and write what is read.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

#[path = "exchange_bench.rs"]
mod bench;
#[path = "exchange_csv.rs"]
mod csv;
#[path = "exchange_openmetrics.rs"]
mod openmetrics;
#[path = "exchange_verdict.rs"]
mod verdict;
#[path = "exchange_xml.rs"]
mod xml;
