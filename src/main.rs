//! The `tessera` binary: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    tessera::cli::run(std::env::args_os())
}
