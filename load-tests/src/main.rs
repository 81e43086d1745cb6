//! `tessera-load`: measures on loopback what a request costs Tessera, beside what sending the same
//! bytes costs at least (nginx, static files) and what the server before it takes (iipsrv).
//! README.md beside this package says how to read the figures.

mod args;
mod ask;
mod budgets;
mod client;
mod cpu;
mod drive;
mod environment;
mod error;
mod harvest;
mod image;
mod interrupt;
mod jpeg;
mod measure;
mod pyramid;
mod report;
mod run;
mod scenarios;
mod servers;
mod stats;
mod swarm;
mod tools;

use std::io::{self, Write as _};
use std::process::ExitCode;

use args::Command;
use error::{LoadError, Trying as _};
use tools::progress;

fn main() -> ExitCode {
    match answer() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            progress(&format!("tessera-load: {error}"));
            ExitCode::from(2)
        }
    }
}

/// Does what the command line asks; false where a check failed.
fn answer() -> Result<bool, LoadError> {
    let options = match args::parse(lexopt::Parser::from_env())? {
        Command::Help => {
            io::stdout().write_all(args::HELP.as_bytes()).trying("cannot print")?;
            return Ok(true);
        }
        Command::Measure(options) => options,
    };
    interrupt::install()?;
    let faults = run::run(&options)?;
    for fault in &faults {
        progress(fault);
    }
    Ok(faults.is_empty() || !options.check)
}
