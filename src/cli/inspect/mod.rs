//! `tessera inspect FILE`: what a file holds, which levels it lacks, what will be slow and how to mend it.

pub mod advice;
pub mod report;
mod text;

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use crate::model::ImageInfo;

pub use crate::cli::inspect::report::{Report, report};

/// Shows what an image file holds, what will be slow to serve, and how to mend it.
///
/// Exit codes: 0 the file can be served, slow or not; 1 it cannot be opened or read; 2 wrong usage.
#[derive(Args, Clone, Debug)]
pub struct InspectArgs {
    /// The image file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Prints one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// A file that was opened.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// What its header says.
    pub info: Arc<ImageInfo>,
    /// Its length in bytes.
    pub len_bytes: u64,
}

/// Runs `tessera inspect`; `open` knows sources and codecs. The report goes to standard output, an error
/// with its causes to standard error.
pub fn run(
    args: &InspectArgs,
    open: impl FnOnce(&Path) -> Result<Inspected, Box<dyn Error>>,
) -> ExitCode {
    let written = open(&args.file).and_then(|file| {
        let report = report(&args.file.display().to_string(), &file.info, file.len_bytes);
        Ok(write(&mut io::stdout().lock(), &report, args.json)?)
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even standard error is closed, the exit code has to do.
            drop(explain(&mut io::stderr().lock(), &args.file, &*error));
            ExitCode::FAILURE
        }
    }
}

fn write(out: &mut dyn Write, report: &Report, json: bool) -> io::Result<()> {
    if json {
        serde_json::to_writer_pretty(&mut *out, report)?;
        return writeln!(out);
    }
    text::write(out, report)
}

fn explain(out: &mut dyn Write, file: &Path, error: &dyn Error) -> io::Result<()> {
    write!(out, "error: {}: {error}", file.display())?;
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(out, ": {error}")?;
        cause = error.source();
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::CodecError;

    #[test]
    fn an_error_is_told_with_its_causes() {
        let cause = io::Error::new(io::ErrorKind::UnexpectedEof, "the end came early");
        let mut out = Vec::new();
        explain(&mut out, Path::new("a.tif"), &CodecError::Io(cause)).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "error: a.tif: cannot read the image source: the end came early\n");
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_a_failure() {
        let args = InspectArgs { file: PathBuf::from("a.tif"), json: false };
        let code = run(&args, |_| Err(CodecError::malformed("TIFF", "no header").into()));
        assert_eq!(code, ExitCode::FAILURE);
    }
}
