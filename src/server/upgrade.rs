//! A new process of this program, as it stands on the disk now, that takes the listening sockets over.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::config::TAKES_OVER;
use crate::modules::Channel;

/// How this process was started.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// Where its file was then, links followed.
    path: PathBuf,
}

impl Program {
    /// To be asked before somebody replaces the file, which then is another.
    ///
    /// # Errors
    /// Where the system does not say.
    pub(super) fn of_process() -> io::Result<Self> {
        Ok(Self { path: fs::read_link("/proc/self/exe")? })
    }

    /// Starts it again with the same arguments, its end of a channel as descriptor 0; the new process'
    /// number and our end.
    ///
    /// # Errors
    /// Where it does not start.
    pub(super) fn start_again(&self) -> io::Result<(u32, Channel)> {
        let line = fs::read("/proc/self/cmdline")?;
        let mut words = line.strip_suffix(b"\0").unwrap_or(&line).split(|byte| *byte == 0);
        let name = OsStr::from_bytes(words.next().unwrap_or_default());
        // A name with a slash leads to the file without a search, and through links as they are now.
        let path = if name.as_bytes().contains(&b'/') { Path::new(name) } else { &self.path };
        let (ours, theirs) = Channel::pair()?;
        let child = Command::new(path)
            .arg0(name)
            .args(words.map(OsStr::from_bytes))
            .env(TAKES_OVER, "stdin")
            .stdin(Stdio::from(theirs))
            .spawn()?;
        Ok((child.id(), ours))
    }
}
