//! `tessera check-config`: what is in force and where each value came from, without starting anything;
//! here, or where a file says how iipsrv was run.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};

use crate::cli::{CliError, layers, with_settings};
use crate::config::{self, Foreign, Layers, RunAs};
use crate::server;

/// Largest file of iipsrv's read, in bytes; what is behind is cut off.
const FOREIGN_BYTES_MAX: u64 = 1 << 20;

pub(super) fn command() -> Command {
    let from = Arg::new("from")
        .long("from")
        .value_name("FILE")
        .help(
            "In place of this environment: a file that iipsrv was run with, of variables, or a unit \
             of systemd, or a snippet of nginx, lighttpd or Apache",
        )
        .value_parser(value_parser!(PathBuf));
    with_settings(
        Command::new("check-config")
            .about("Says which settings would be in force and where each came from; exit code 2 where one is wrong"),
    )
    .arg(from)
}

pub(super) fn run(matches: &ArgMatches) -> Result<ExitCode, CliError> {
    let mut layers = layers(matches);
    let mut out = io::stdout().lock();
    if let Some(path) = matches.get_one::<PathBuf>("from") {
        let foreign = read(path)?;
        for note in &foreign.notes {
            writeln!(out, "# note: {note}")?;
        }
        layers = in_its_place(foreign, layers);
    }
    let (config, origins) = config::load(&layers)?;
    server::check(&config)?;
    for warning in config::warnings(&layers) {
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

fn read(path: &Path) -> Result<Foreign, CliError> {
    let mut text = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(FOREIGN_BYTES_MAX).read_to_end(&mut text))
        .map_err(|source| CliError::Foreign { path: path.display().to_string(), source })?;
    Ok(Foreign::read(&String::from_utf8_lossy(&text)))
}

/// The layers of a Tessera in the place of the iipsrv that was run so; what the command line says still
/// counts above it.
fn in_its_place(foreign: Foreign, layers: Layers) -> Layers {
    let path = layers.environment.iter().find(|(name, _)| name == "PATH").cloned();
    let bind = foreign.bind.map(|bind| ("server.fastcgi".to_owned(), bind));
    Layers {
        environment: foreign.environment.into_iter().chain(path).collect(),
        flags: bind.into_iter().chain(layers.flags).collect(),
        run_as: RunAs::Iipsrv,
        ..layers
    }
}
