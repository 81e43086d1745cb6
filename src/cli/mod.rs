//! The command line: one file a subcommand. Flags of settings are made from `config`'s rows, so that
//! none can be forgotten.

pub mod check_config;
pub mod http_client;
pub mod iipsrv;
pub mod inspect;
pub mod manual;
pub mod module;
mod replay;
pub mod serve;
pub mod terrain;
mod top;

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Arg, ArgMatches, Args as _, Command, FromArgMatches as _, value_parser};

use crate::cli::http_client::ClientError;
use crate::cli::inspect::{InspectArgs, Inspected};
use crate::cli::module::ModuleArgs;
use crate::cli::replay::ReplayArgs;
use crate::cli::terrain::TerrainArgs;
use crate::cli::top::TopArgs;
use crate::codecs::{self, DecodeLimits};
use crate::config::keys::KEYS;
use crate::config::{ConfigError, Layers};
use crate::model::{ReadAt as _, Selection};
use crate::server::ServeError;
use crate::sources::FileSource;

/// What a subcommand may end in.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A setting.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An argument of iipsrv's.
    #[error(transparent)]
    Iipsrv(#[from] iipsrv::MissingValue),
    /// The server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The terrain.
    #[error(transparent)]
    Terrain(#[from] terrain::TerrainError),
    /// A file that iipsrv was run with.
    #[error("cannot read {path}")]
    Foreign {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Standard output.
    #[error("cannot write the report")]
    Output(#[from] io::Error),
    /// An access log.
    #[error("cannot read the log {path}")]
    Log {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A server that was asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A decoder's process.
    #[error("cannot run the decoder")]
    Module(#[source] io::Error),
}

/// Reads the arguments and runs the subcommand. Exit codes: 0 done, 1 failed, 2 wrong arguments or
/// settings.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter().peekable();
    if arguments.peek().is_some_and(|program| iipsrv::is_name(program)) {
        return exit_code(iipsrv::run(arguments.skip(1)));
    }
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            // Help goes to standard output, faults to standard error; a closed one is nobody's fault.
            let _closed = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let result = match matches.subcommand() {
        Some(("serve", matches)) => serve::run(&layers(matches)),
        Some(("check-config", matches)) => check_config::run(matches),
        Some(("inspect", matches)) => inspect_file(matches),
        Some(("terrain", matches)) => make_terrain(matches),
        Some(("manual", _)) => manual::print_manual(),
        Some(("completions", matches)) => manual::print_completions(matches),
        Some(("top", matches)) => show_top(matches),
        Some(("replay", matches)) => replay_log(matches),
        Some(("module", matches)) => run_module(matches),
        _ => Ok(ExitCode::from(2)),
    };
    exit_code(result)
}

fn exit_code(result: Result<ExitCode, CliError>) -> ExitCode {
    result.unwrap_or_else(|error| {
        let _closed = writeln!(io::stderr(), "tessera: {}", with_causes(&error));
        let is_setting = matches!(
            error,
            CliError::Config(_)
                | CliError::Foreign { .. }
                | CliError::Iipsrv(_)
                | CliError::Serve(ServeError::Mark(_) | ServeError::Module(_) | ServeError::Tls(_))
        );
        ExitCode::from(if is_setting { 2 } else { 1 })
    })
}

fn command() -> Command {
    Command::new("tessera")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Streams gigapixel images to web viewers over IIP, IIIF, Deep Zoom and Zoomify")
        .after_help(
            "Try:\n  tessera serve samples\n  tessera inspect samples/science/retina.tif\n\n\
             Then open http://127.0.0.1:8182/ in a browser.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(serve::command())
        .subcommand(check_config::command())
        .subcommand(InspectArgs::augment_args(Command::new("inspect")))
        .subcommand(TerrainArgs::augment_args(Command::new("terrain")))
        .subcommand(manual::manual_command())
        .subcommand(manual::completions_command())
        .subcommand(ReplayArgs::augment_args(Command::new("replay")))
        .subcommand(TopArgs::augment_args(Command::new("top")))
        .subcommand(ModuleArgs::augment_args(Command::new("module")).hide(true))
}

fn inspect_file(matches: &ArgMatches) -> Result<ExitCode, CliError> {
    match InspectArgs::from_arg_matches(matches) {
        Ok(args) => Ok(inspect::run(&args, open_file)),
        Err(error) => error.exit(),
    }
}

fn open_file(path: &Path) -> Result<Inspected, Box<dyn Error>> {
    let source = Arc::new(FileSource::open_path(path)?);
    let len_bytes = source.len_bytes();
    let image = codecs::open(source, Selection::default(), &DecodeLimits::default())?;
    Ok(Inspected { info: Arc::clone(image.info()), len_bytes })
}

fn make_terrain(matches: &ArgMatches) -> Result<ExitCode, CliError> {
    match TerrainArgs::from_arg_matches(matches) {
        Ok(args) => terrain::run(&args)?,
        Err(error) => error.exit(),
    }
    Ok(ExitCode::SUCCESS)
}

fn replay_log(matches: &ArgMatches) -> Result<ExitCode, CliError> {
    match ReplayArgs::from_arg_matches(matches) {
        Ok(args) => replay::run(&args),
        Err(error) => error.exit(),
    }
}

fn show_top(matches: &ArgMatches) -> Result<ExitCode, CliError> {
    match TopArgs::from_arg_matches(matches) {
        Ok(args) => top::run(&args),
        Err(error) => error.exit(),
    }
}

fn run_module(matches: &ArgMatches) -> Result<ExitCode, CliError> {
    match ModuleArgs::from_arg_matches(matches) {
        Ok(args) => module::run(&args),
        Err(error) => error.exit(),
    }
}

/// The folder argument, `--config`, and one flag for each setting.
fn with_settings(command: Command) -> Command {
    let folder = Arg::new("DIR")
        .help("The folder of images; names in addresses are relative to it")
        .value_parser(value_parser!(PathBuf));
    let file = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .help("A TOML file of settings")
        .value_parser(value_parser!(PathBuf));
    let shorts = [
        Arg::new("bind")
            .long("bind")
            .value_name("ADDR|unix:PATH")
            .help("Where to listen; port 0: any free one [default: 127.0.0.1:8182]"),
        Arg::new("admin")
            .long("admin")
            .value_name("ADDR|none")
            .help("Where /metrics and /health listen [default: 127.0.0.1:8183]"),
        Arg::new("fastcgi")
            .long("fastcgi")
            .value_name("ADDR|unix:PATH|-")
            .help("Where web servers reach it by FastCGI; -: descriptor 0 [default: none]")
            .allow_hyphen_values(true),
        Arg::new("backlog")
            .long("backlog")
            .value_name("NUMBER")
            .help("FastCGI connections that may wait to be accepted [default: 2048]"),
    ];
    let rows = KEYS.iter().map(|key| {
        let default = if key.default.is_empty() { "none" } else { key.default };
        Arg::new(key.name)
            .long(key.flag())
            .value_name("VALUE")
            .help(format!("{} [default: {default}]", key.doc))
            .help_heading(
                "Settings (also as TESSERA_* and in the TOML file; see docs/configuration.md)",
            )
            .hide_short_help(true)
            .allow_hyphen_values(true)
    });
    command.arg(folder).arg(file).args(shorts).args(rows)
}

/// The settings that a command line gives.
fn layers(matches: &ArgMatches) -> Layers {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let mut flags: Vec<(String, String)> =
        KEYS.iter().filter_map(|key| Some((key.name.to_owned(), text(key.name)?))).collect();
    let shorts = [
        ("bind", "server.bind"),
        ("admin", "server.admin"),
        ("fastcgi", "server.fastcgi"),
        ("backlog", "server.fastcgi_backlog"),
    ];
    for (short, name) in shorts {
        flags.extend(text(short).map(|value| (name.to_owned(), value)));
    }
    if let Some(folder) = matches.get_one::<PathBuf>("DIR") {
        flags.push(("images.root".to_owned(), folder.to_string_lossy().into_owned()));
    }
    Layers::of_process(matches.get_one::<PathBuf>("config").cloned(), flags)
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.ends_with(&part) {
            text = format!("{text}: {part}");
        }
        cause = error.source();
    }
    text
}
