//! The guardian that the tests of the live page start their browser under: `guardian …` ends it when the test ends,
//! however it ends.

use std::process::ExitCode;

fn main() -> ExitCode {
    heapsoak_browser::guardian::run(std::env::args_os().skip(2))
}
