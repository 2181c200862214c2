//! The program `grapher`; all of it is in the library beside it, where tests and fuzzers reach its parsers.

use std::process::ExitCode;

fn main() -> ExitCode {
    grapher::main()
}
