//! `grapher`: reads a store, while it is written or later, and never writes it.
//!
//! This file is the table of contents: the command line becomes settings in `args`, each subcommand is a file of
//! `commands`, `picture` turns what a store holds into what is drawn, and `serve` is the live page.

mod aligned;
mod args;
mod collections;
mod commands;
mod destination;
mod drawn;
mod export;
pub mod fuzzing;
mod graph;
mod marks;
mod notice;
mod numbers;
mod panels;
mod picture;
mod screen;
mod serve;
mod verdict;

use std::process::ExitCode;

use clap::Parser;
use heapsoak_cli::{exit, logging};

use crate::args::{CommandLine, Task};

/// The whole program.
pub fn main() -> ExitCode {
    let line = CommandLine::try_parse().unwrap_or_else(|error| args::refuse(&error));
    logging::init(line.verbosity());
    exit::finish("grapher", line.task().and_then(run))
}

fn run(task: Task) -> anyhow::Result<u8> {
    match task {
        Task::Draw(settings) => commands::graph::run(&settings),
        Task::Elements(settings) => graph::run(&settings),
        Task::Watch(settings) => commands::watch::run(&settings),
        Task::Fetch(settings) => commands::fetch::run(&settings),
        Task::Export(settings) => commands::export::run(&settings),
        Task::Info(settings) => commands::info::run(&settings),
        Task::Last(settings) => commands::last::run(&settings),
        Task::First(settings) => commands::first::run(&settings),
        Task::LastUpdate(settings) => commands::lastupdate::run(&settings),
        Task::Serve(settings) => commands::serve::run(&settings),
        Task::Verdict(settings) => commands::verdict::run(&settings),
    }
}
