//! `tessera serve`: the server.

use std::process::ExitCode;

use clap::Command;

use crate::cli::{CliError, with_settings};
use crate::config::{self, Layers};
use crate::live::Loaded;
use crate::server;

pub(super) fn command() -> Command {
    with_settings(
        Command::new("serve")
            .about("Serves a folder of images, recursively, until SIGTERM")
            .after_help("All settings with their defaults: tessera serve --help"),
    )
}

pub(super) fn run(layers: &Layers) -> Result<ExitCode, CliError> {
    let loaded = Loaded::read(layers)?;
    for warning in config::warnings(layers) {
        server::announce(&format!("warning: {warning}"));
    }
    server::serve(&loaded)?;
    Ok(ExitCode::SUCCESS)
}
