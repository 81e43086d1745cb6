//! `tessera manual` and `tessera completions SHELL`: the page for man(1) and the files for shells, made
//! of the command line itself.

use std::io;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use crate::cli::{CliError, command};

pub(super) fn manual_command() -> Command {
    Command::new("manual").about("Prints the page for man(1)")
}

pub(super) fn completions_command() -> Command {
    let shell = Arg::new("SHELL").required(true).value_parser(value_parser!(Shell));
    Command::new("completions").about("Prints completions for a shell").arg(shell)
}

pub(super) fn print_manual() -> Result<ExitCode, CliError> {
    let mut out = io::stdout().lock();
    clap_mangen::Man::new(command()).render(&mut out)?;
    let mut root = command();
    root.build();
    for subcommand in root.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        clap_mangen::Man::new(subcommand.clone()).render_synopsis_section(&mut out)?;
        clap_mangen::Man::new(subcommand.clone()).render_description_section(&mut out)?;
        clap_mangen::Man::new(subcommand.clone()).render_options_section(&mut out)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn print_completions(matches: &ArgMatches) -> Result<ExitCode, CliError> {
    if let Some(shell) = matches.get_one::<Shell>("SHELL") {
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut command(), "tessera", &mut script);
        io::Write::write_all(&mut io::stdout().lock(), &script)?;
    }
    Ok(ExitCode::SUCCESS)
}
