//! Where and on what a run was made: without it, figures mean nothing.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::servers::Rig;
use crate::tools::said_by;

/// The machine, the commit and the programs, as lines for people.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    pub(crate) date: String,
    pub(crate) commit: String,
    pub(crate) machine: String,
    pub(crate) programs: Vec<String>,
    pub(crate) dataset: String,
}

/// Finds out; what cannot be found is "unknown".
pub(crate) fn look(rig: &Rig, repository: &Path, effort: &str) -> Environment {
    let peer = rig.iipsrv.as_ref().map(|tool| tool.version.clone());
    let programs = [rig.tessera.version.clone(), rig.nginx.version.clone()];
    let size_mebibytes =
        |name: &str| fs::metadata(rig.images.join(name)).map_or(0, |metadata| metadata.len() >> 20);
    Environment {
        date: said(Command::new("date").args(["-u", "+%Y-%m-%d"])),
        commit: commit(repository),
        machine: machine(),
        programs: programs.into_iter().chain(peer).collect(),
        dataset: format!(
            "20096 x 15104 pixels, tiles of 256: JPEG quality 85 ({} MiB), Deflate ({} MiB); \
             {effort} run",
            size_mebibytes("jpeg.tif"),
            size_mebibytes("deflate.tif"),
        ),
    }
}

fn commit(repository: &Path) -> String {
    let git =
        |arguments: &[&str]| said(Command::new("git").arg("-C").arg(repository).args(arguments));
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]) != "unknown";
    let suffix = if changed { " with changes" } else { "" };
    format!("{}{suffix}", git(&["rev-parse", "--short=10", "HEAD"]))
}

fn machine() -> String {
    let model = field("/proc/cpuinfo", "model name");
    let memory_kibibytes: u64 = field("/proc/meminfo", "MemTotal")
        .split_whitespace()
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0);
    let core_count = thread::available_parallelism().map_or(1, usize::from);
    let kernel = said(Command::new("uname").args(["-s", "-r"]));
    format!("{model}, {core_count} cores, {} GiB, {kernel}", memory_kibibytes >> 20)
}

/// The value of the first line `name : value` in a file of `/proc`.
fn field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)
        .map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
}

/// What a command says, or "unknown" where it says nothing.
fn said(command: &mut Command) -> String {
    said_by(command).ok().filter(|text| !text.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}
