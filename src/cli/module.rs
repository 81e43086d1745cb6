//! `tessera module`: what the server starts a decoder's process through. Hidden, since it is of no use at
//! a prompt: descriptor 0 is a socket to the server.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::cli::CliError;
use crate::codecs::jpeg2000::OpenJpeg;
use crate::modules::confinement::become_program;
use crate::modules::{Confinement, helper};

/// The arguments.
#[derive(Debug, Args)]
pub struct ModuleArgs {
    #[command(subcommand)]
    run: Run,
}

/// Which decoder.
#[derive(Debug, Subcommand)]
enum Run {
    /// Decodes JPEG 2000 codestreams
    Openjpeg {
        #[command(flatten)]
        limits: Limits,
    },
    /// Becomes a program
    Run {
        #[command(flatten)]
        limits: Limits,
        /// The program and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
}

/// What the process may take.
#[derive(Debug, Args)]
struct Limits {
    /// The process that it must not outlive
    #[arg(long)]
    parent: i32,
    /// Bytes of address space
    #[arg(long)]
    memory_bytes_max: u64,
}

impl Limits {
    fn take(&self) -> Result<(), CliError> {
        let Self { parent, memory_bytes_max } = *self;
        Confinement { parent, memory_bytes_max }.take().map_err(CliError::Module)
    }
}

/// Confines this process and runs the decoder; returns where it ends.
///
/// # Errors
/// Where it cannot be confined or run.
pub(super) fn run(args: &ModuleArgs) -> Result<ExitCode, CliError> {
    match &args.run {
        Run::Openjpeg { limits } => {
            limits.take()?;
            helper::serve(&OpenJpeg).map_err(CliError::Module)?;
            Ok(ExitCode::SUCCESS)
        }
        Run::Run { limits, command } => {
            limits.take()?;
            let [program, arguments @ ..] = command.as_slice() else {
                return Ok(ExitCode::from(2));
            };
            Err(CliError::Module(become_program(Path::new(program), arguments)))
        }
    }
}
