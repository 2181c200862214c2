//! `recorder`: soaks a page or watches a program, samples its heap each second, writes round-robin archives to SQLite.

mod args;
mod commands;
pub mod fuzzing;
mod hidden;
mod memory;
mod page;
mod settings;
mod soak;

use std::process::ExitCode;

use clap::Parser;
use heapsoak_browser::guardian;
use heapsoak_cli::{exit, limits, logging};

use args::{Command, CommandLine};

/// The whole program.
pub fn main() -> ExitCode {
    limits::outlive_file_size();
    let command_line = match parsed() {
        Ok(command_line) => command_line,
        Err(status) => return status,
    };
    match command_line.command {
        Some(Command::Guardian { arguments }) => guardian::run(arguments),
        Some(Command::Create(args)) => exit::finish("recorder", commands::create::run(&args)),
        Some(Command::Update(args)) => {
            logging::init(logging::Verbosity::Normal);
            exit::finish("recorder", commands::update::run(&args))
        }
        Some(Command::Import(args)) => {
            logging::init(logging::Verbosity::Normal);
            exit::finish("recorder", commands::import::run(&args))
        }
        Some(Command::Selftest(args)) => {
            logging::init(logging::Verbosity::from_flags(args.verbose == 0, args.verbose));
            exit::finish("recorder", commands::selftest::run(&args))
        }
        None => {
            let verbosity = command_line.soak.verbosity();
            let settings = command_line.soak.settings().unwrap_or_else(|error| error.exit());
            let on_error = if settings.command.is_empty() { exit::TROUBLE } else { exit::RECORDER_FAILED };
            exit::on_panic(on_error);
            exit::finish_with("recorder", soak::run(&settings, verbosity), on_error)
        }
    }
}

/// The command line, or the status of one that is wrong or asks for help: beside a command 2 would look like its own.
fn parsed() -> Result<CommandLine, ExitCode> {
    let arguments = hidden::arguments();
    let on_error = if arguments.iter().any(|word| word == "--") { exit::RECORDER_FAILED } else { exit::TROUBLE };
    CommandLine::try_parse_from(arguments).map_err(|error| {
        // When nobody can be told, the status still tells.
        drop(error.print());
        ExitCode::from(if error.use_stderr() { on_error } else { exit::OK })
    })
}
