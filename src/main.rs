//! The program `mcptask`; all of it is in [`mcptask::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    mcptask::cli::main()
}
