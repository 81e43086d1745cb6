//! The programs that the bench stands on, found before anything starts, each with the remedy where
//! it is missing.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{LoadError, Trying as _};

/// A program and what it says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    /// How it is started.
    pub(crate) path: PathBuf,
    /// Its name and version, for the report.
    pub(crate) version: String,
}

/// Debian's place for iipsrv, which is on nobody's `PATH`.
const IIPSRV: &str = "/usr/lib/iipimage-server/iipsrv.fcgi";

/// nginx; Debian keeps it in a folder that a plain user's `PATH` may lack.
pub(crate) fn nginx() -> Result<Tool, LoadError> {
    probe(&["nginx", "/usr/sbin/nginx"], "-v", "apt-get install nginx-light")
}

/// The `vips` command.
pub(crate) fn vips() -> Result<Tool, LoadError> {
    probe(&["vips"], "--version", "apt-get install libvips-tools")
}

/// iipsrv: the one given, else Debian's.
pub(crate) fn iipsrv(given: Option<&Path>) -> Result<Tool, LoadError> {
    let path = given.unwrap_or(Path::new(IIPSRV)).to_owned();
    let remedy = "apt-get install iipimage-server, or leave it out with --without-peer";
    require(&path, remedy)?;
    let version = if given.is_some() {
        path.display().to_string()
    } else {
        said_by(Command::new("dpkg-query").args(["-W", "-f=iipsrv ${Version}", "iipimage-server"]))
            .unwrap_or_else(|_| "iipsrv".to_owned())
    };
    Ok(Tool { path, version })
}

/// The server under test.
pub(crate) fn tessera(path: &Path) -> Result<Tool, LoadError> {
    require(path, "cargo build --release, or name a binary with --tessera")?;
    let version = said_by(Command::new(path).arg("--version")).trying("cannot run tessera")?;
    Ok(Tool { path: path.to_owned(), version })
}

/// Runs a program to its end.
///
/// # Errors
/// With the end of what it wrote, where it fails.
pub(crate) fn run(command: &mut Command) -> Result<(), LoadError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().trying(format!("cannot run {program}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(LoadError::Failed { program, text })
}

/// The first line that a program writes, to either stream.
pub(crate) fn said_by(command: &mut Command) -> io::Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    let text = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned())
}

/// Tells the person in front of the screen what goes on.
pub(crate) fn progress(text: &str) {
    // Nobody to tell is no reason to stop.
    writeln!(io::stderr().lock(), "{text}").ok();
}

fn probe(names: &[&str], flag: &str, remedy: &'static str) -> Result<Tool, LoadError> {
    for name in names {
        if let Ok(version) = said_by(Command::new(name).arg(flag)) {
            let version = version.replace("nginx version: ", "");
            return Ok(Tool { path: PathBuf::from(name), version });
        }
    }
    Err(LoadError::Missing { program: (*names).join(" or "), remedy })
}

fn require(path: &Path, remedy: &'static str) -> Result<(), LoadError> {
    if path.try_exists().unwrap_or(false) {
        Ok(())
    } else {
        Err(LoadError::Missing { program: path.display().to_string(), remedy })
    }
}
