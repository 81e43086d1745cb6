//! The command line.

use std::path::{Path, PathBuf};

use lexopt::prelude::{Long, Short, ValueExt as _};

use crate::scenarios::NAMES;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Measures what a request costs Tessera, beside nginx with static files and beside iipsrv.

usage: tessera-load [options]

  --tessera FILE    the server to measure       [default: target/release/tessera]
  --iipsrv FILE     the peer                    [default: Debian's iipimage-server]
  --without-peer    leave iipsrv out; budgets that need it are not judged
  --samples DIR     photographs for the image   [default: samples]
  --data DIR        where the image is kept     [default: target/load]
  --quick           shorter: under 2 minutes; the full run takes under 15
  --only SCENARIO   only this one; may be given several times
  --swarm           viewers beside a crawler swarm instead
  --swarm-s SECONDS the same, viewers looking for so long alone and so long beside it
  --check           end with status 1 where a budget is missed or an answer was wrong
  --json FILE       where the figures go        [default: DATA/results.json]
  --update-readme   put the tables into load-tests/README.md
  --help            this text

Paths that are not given are found in the repository that the program was built from. All servers
listen on 127.0.0.1 only and are stopped at the end, also by Ctrl-C.
Status: 0 measured, 1 a check failed, 2 could not measure.
";

/// What to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Print [`HELP`].
    Help,
    /// Measure.
    Measure(Options),
}

/// How long to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Long enough for figures that are published.
    Full,
    /// Long enough to see a mistake.
    Quick,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// What a request costs, scenario by scenario.
    Scenarios,
    /// Viewers beside crawlers.
    Swarm,
}

/// How to measure.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) repository: PathBuf,
    pub(crate) tessera: PathBuf,
    pub(crate) iipsrv: Option<PathBuf>,
    pub(crate) with_peer: bool,
    pub(crate) samples: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) extent: Extent,
    /// Empty means all scenarios.
    pub(crate) only: Vec<String>,
    pub(crate) subject: Subject,
    /// How long viewers look beside a swarm; nothing: until they have seen all.
    pub(crate) swarm_s: Option<u64>,
    pub(crate) check: bool,
    pub(crate) json: PathBuf,
    pub(crate) update_readme: bool,
}

/// Reads the command line.
///
/// # Errors
/// An unknown option, one without its value, or a scenario that does not exist.
pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let mut options = Options {
        repository: repository.to_owned(),
        tessera: repository.join("target/release/tessera"),
        iipsrv: None,
        with_peer: true,
        samples: repository.join("samples"),
        data: repository.join("target/load"),
        extent: Extent::Full,
        only: Vec::new(),
        subject: Subject::Scenarios,
        swarm_s: None,
        check: false,
        json: PathBuf::new(),
        update_readme: false,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Long("tessera") => options.tessera = absolute(&mut parser)?,
            Long("iipsrv") => options.iipsrv = Some(absolute(&mut parser)?),
            Long("without-peer") => options.with_peer = false,
            Long("samples") => options.samples = absolute(&mut parser)?,
            Long("data") => options.data = absolute(&mut parser)?,
            Long("quick") => options.extent = Extent::Quick,
            Long("only") => options.only.push(scenario_name(parser.value()?.string()?)?),
            Long("swarm") => options.subject = Subject::Swarm,
            Long("swarm-s") => {
                options.subject = Subject::Swarm;
                options.swarm_s = Some(parser.value()?.parse()?);
            }
            Long("check") => options.check = true,
            Long("json") => options.json = absolute(&mut parser)?,
            Long("update-readme") => options.update_readme = true,
            _ => return Err(argument.unexpected()),
        }
    }
    if options.json.as_os_str().is_empty() {
        options.json = options.data.join("results.json");
    }
    Ok(Command::Measure(options))
}

/// Servers run in folders of their own, so a path of ours must hold anywhere.
fn absolute(parser: &mut lexopt::Parser) -> Result<PathBuf, lexopt::Error> {
    let given = parser.value()?;
    std::path::absolute(&given).map_err(|error| lexopt::Error::Custom(error.into()))
}

fn scenario_name(name: String) -> Result<String, lexopt::Error> {
    if NAMES.contains(&name.as_str()) {
        return Ok(name);
    }
    let text = format!("no scenario {name:?}; there are: {}", NAMES.join(", "));
    Err(lexopt::Error::Custom(text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &[&str]) -> Result<Command, lexopt::Error> {
        parse(lexopt::Parser::from_args(words))
    }

    #[test]
    fn options_are_read_and_paths_made_absolute() {
        let command = parse_words(&["--quick", "--data", "/x", "--only", "hot tiles", "--check"]);
        let Ok(Command::Measure(options)) = command else { panic!("{command:?}") };
        assert!(
            options.extent == Extent::Quick
                && options.check
                && options.with_peer
                && !options.update_readme
        );
        assert_eq!(options.json, Path::new("/x/results.json"));
        assert_eq!(options.only, ["hot tiles"]);
        assert!(options.tessera.is_absolute());
    }

    #[test]
    fn a_swarm_may_have_a_time() {
        let command = parse_words(&["--swarm-s", "60"]);
        let Ok(Command::Measure(options)) = command else { panic!("{command:?}") };
        assert_eq!((options.subject, options.swarm_s), (Subject::Swarm, Some(60)));
        parse_words(&["--swarm-s", "long"]).unwrap_err();
    }

    #[test]
    fn what_is_unknown_is_named() {
        for (words, part) in [
            (&["--fast"][..], "--fast"),
            (&["--only", "lukewarm"][..], "hot tiles"),
            (&["--data"][..], "--data"),
        ] {
            let text = parse_words(words).unwrap_err().to_string();
            assert!(text.contains(part), "{text}");
        }
    }
}
