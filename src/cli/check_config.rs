//! `tessera check-config`: what is in force and where each value came from, without starting anything.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Command;

use crate::cli::{CliError, with_settings};
use crate::config::{self, Layers};
use crate::server;

pub(super) fn command() -> Command {
    with_settings(
        Command::new("check-config")
            .about("Says which settings would be in force and where each came from; exit code 2 where one is wrong"),
    )
}

pub(super) fn run(layers: &Layers) -> Result<ExitCode, CliError> {
    let (config, origins) = config::load(layers)?;
    server::check(&config)?;
    let mut out = io::stdout().lock();
    for warning in config::warnings(layers) {
        writeln!(out, "# warning: {warning}")?;
    }
    for origin in origins {
        writeln!(
            out,
            "{:<32} {:<24} # {}",
            origin.name,
            format!("{:?}", origin.value),
            origin.origin
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
