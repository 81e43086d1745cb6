//! Started as `iipsrv` or `iipsrv.fcgi`, by whatever link or copy: the command line that iipsrv takes.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use crate::cli::{CliError, serve};
use crate::config::{Layers, RunAs};
use crate::server;

/// The names under which iipsrv is installed.
const NAMES: [&str; 2] = ["iipsrv", "iipsrv.fcgi"];

/// Whether a program's name is one of iipsrv's.
pub(super) fn is_name(program: &OsStr) -> bool {
    let name = Path::new(program).file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| NAMES.contains(&name))
}

pub(super) fn run(arguments: impl Iterator<Item = OsString>) -> Result<ExitCode, CliError> {
    let line = CommandLine::read(arguments)?;
    for argument in &line.ignored {
        server::announce(&format!("warning: iipsrv knows no argument `{argument}`; ignored"));
    }
    serve::run(&Layers { run_as: RunAs::Iipsrv, ..Layers::of_process(None, line.flags) })
}

/// An argument of iipsrv's without its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{argument} needs {value} behind it")]
pub struct MissingValue {
    argument: &'static str,
    value: &'static str,
}

/// What a command line of iipsrv's says.
#[derive(Debug, Default, PartialEq, Eq)]
struct CommandLine {
    flags: Vec<(String, String)>,
    ignored: Vec<String>,
}

impl CommandLine {
    /// iipsrv takes `--bind ADDRESS --backlog NUMBER` in this order only; any order is as well, and what
    /// it would pass over is passed over.
    fn read(arguments: impl Iterator<Item = OsString>) -> Result<Self, MissingValue> {
        let mut line = Self::default();
        let mut words = arguments.map(|word| word.to_string_lossy().into_owned());
        while let Some(word) = words.next() {
            match word.as_str() {
                "--bind" => {
                    let value = "HOST:PORT or the path of a socket";
                    let address = words.next().ok_or(MissingValue { argument: "--bind", value })?;
                    line.flags.push(("server.fastcgi".to_owned(), bind_of(&address)));
                }
                "--backlog" => {
                    let value = "the number of connections that may wait";
                    let number =
                        words.next().ok_or(MissingValue { argument: "--backlog", value })?;
                    line.flags.push(("server.fastcgi_backlog".to_owned(), number));
                }
                _ => line.ignored.push(word),
            }
        }
        Ok(line)
    }
}

/// An address as libfcgi reads it: with a colon HOST:PORT, where no host or `*` is all of them; else the
/// path of a socket.
fn bind_of(address: &str) -> String {
    match address.rsplit_once(':') {
        _ if address.starts_with("unix:") => address.to_owned(),
        Some(("" | "*", port)) => format!("0.0.0.0:{port}"),
        Some((host, port)) if port.parse::<u16>().is_ok() && !host.contains('/') => {
            address.to_owned()
        }
        _ => format!("unix:{address}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<CommandLine, MissingValue> {
        CommandLine::read(words.iter().map(OsString::from))
    }

    #[test]
    fn the_names_are_those_of_iipsrv_and_no_others() {
        for name in ["iipsrv", "/usr/lib/iipimage-server/iipsrv.fcgi", "./iipsrv.fcgi"] {
            assert!(is_name(OsStr::new(name)), "{name}");
        }
        for name in ["tessera", "/usr/bin/tessera", "iipsrv.bak", "", "/iipsrv/tessera"] {
            assert!(!is_name(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn an_address_is_read_as_libfcgi_does() {
        for (address, expected) in [
            ("127.0.0.1:9000", "127.0.0.1:9000"),
            ("localhost:9000", "localhost:9000"),
            (":9000", "0.0.0.0:9000"),
            ("*:9000", "0.0.0.0:9000"),
            ("/run/iipsrv.sock", "unix:/run/iipsrv.sock"),
            ("iipsrv.sock", "unix:iipsrv.sock"),
            ("/odd:9000", "unix:/odd:9000"),
            ("unix:/run/iipsrv.sock", "unix:/run/iipsrv.sock"),
        ] {
            assert_eq!(bind_of(address), expected, "{address}");
        }
    }

    #[test]
    fn bind_and_backlog_come_in_any_order_and_other_words_are_passed_over() {
        let flag = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let bind = flag("server.fastcgi", "127.0.0.1:9000");
        let backlog = flag("server.fastcgi_backlog", "16");
        let usual = read(&["--bind", "127.0.0.1:9000", "--backlog", "16"]).unwrap();
        assert_eq!(usual.flags, [bind.clone(), backlog.clone()]);
        let other = read(&["-v", "--backlog", "16", "--bind", "127.0.0.1:9000"]).unwrap();
        assert_eq!((other.flags, other.ignored), (vec![backlog, bind], vec!["-v".to_owned()]));
        assert_eq!(read(&[]).unwrap(), CommandLine::default());
        let error = read(&["--bind"]).unwrap_err().to_string();
        assert_eq!(error, "--bind needs HOST:PORT or the path of a socket behind it");
    }
}
