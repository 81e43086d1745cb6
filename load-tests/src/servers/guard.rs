//! A server process that cannot outlive the bench: stopped when dropped, and by `timeout` where the
//! bench itself is killed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::cpu;
use crate::error::{LoadError, Trying as _};
use crate::interrupt;

/// Longest life of a server, longer than any full run.
const LIFE_MAX: &str = "1800";
/// How long a server may take to listen, and to stop.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at a server that starts or stops.
const GLANCE: Duration = Duration::from_millis(5);
/// How much of a log an error quotes.
const LOG_BYTES_QUOTED: usize = 600;

/// One process and its descendants.
#[derive(Debug)]
pub(crate) struct Guard {
    server: &'static str,
    child: Child,
    log: PathBuf,
}

impl Guard {
    /// Starts a program with both its streams in `log`.
    ///
    /// # Errors
    /// Where it cannot be started; a program that ends at once shows in [`Guard::wait_for`].
    pub(crate) fn spawn(
        server: &'static str,
        command: &Command,
        log: &Path,
    ) -> Result<Self, LoadError> {
        let file = File::create(log).trying("cannot make a log file")?;
        let copy = file.try_clone().trying("cannot make a log file")?;
        let mut bounded = Command::new("timeout");
        bounded.arg("--kill-after=5").arg(LIFE_MAX).arg(command.get_program());
        bounded.args(command.get_args());
        bounded.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let child = bounded
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(copy)
            .spawn()
            .trying(format!("cannot start {server}"))?;
        Ok(Self { server, child, log: log.to_owned() })
    }

    /// The process whose tree is the server.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the server has written so far.
    pub(crate) fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into()).unwrap_or_default()
    }

    /// Looks again and again until `ready` finds what shows that the server is up.
    ///
    /// # Errors
    /// Where the server ends or nothing is found in time; the error quotes its log.
    pub(crate) fn wait_for<T>(
        &mut self,
        mut ready: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T, LoadError> {
        let start = Instant::now();
        loop {
            interrupt::check()?;
            if let Some(found) = ready(self) {
                return Ok(found);
            }
            let ended = self.child.try_wait().trying("cannot watch a server")?.is_some();
            if ended || PATIENCE < start.elapsed() {
                return Err(self.not_listening(start.elapsed()));
            }
            pause();
        }
    }

    fn not_listening(&self, waited: Duration) -> LoadError {
        let log = self.log();
        let mut start = log.len().saturating_sub(LOG_BYTES_QUOTED);
        while !log.is_char_boundary(start) {
            start += 1;
        }
        let text = match log.get(start..).unwrap_or_default().trim() {
            "" => "nothing".to_owned(),
            text => text.to_owned(),
        };
        LoadError::NotListening { server: self.server, waited_s: waited.as_secs_f64(), text }
    }

    fn has_ended_by(&mut self, deadline: Instant) -> bool {
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            pause();
        }
        false
    }
}

impl Drop for Guard {
    /// Asks the server to end, then makes it.
    fn drop(&mut self) {
        // Every step may find the process gone already, which is what is wanted.
        let family = cpu::descendants(&[self.pid()]).unwrap_or_default();
        kill_process(Pid::from_child(&self.child), Signal::TERM).ok();
        if !self.has_ended_by(Instant::now() + PATIENCE) {
            for pid in family.into_iter().filter_map(|pid| Pid::from_raw(pid.try_into().ok()?)) {
                kill_process(pid, Signal::KILL).ok();
            }
            self.child.wait().ok();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the bench has no arbiter that a sleep could block")]
fn pause() {
    thread::sleep(GLANCE);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spawn(script: &str) -> Guard {
        let name = format!("tessera-load-guard-{}-{}", std::process::id(), fastrand::u64(..));
        let log = std::env::temp_dir().join(name);
        let guard = Guard::spawn("a script", Command::new("sh").args(["-c", script]), &log);
        guard.unwrap()
    }

    #[test]
    fn a_server_is_ready_when_its_log_says_so_and_dies_with_its_guard() {
        let mut guard = spawn("echo ready; exec sleep 60");
        guard.wait_for(|guard| guard.log().contains("ready").then_some(())).unwrap();
        let pid = guard.pid();
        fs::remove_file(&guard.log).unwrap();
        drop(guard);
        assert!(!Path::new(&format!("/proc/{pid}")).try_exists().unwrap());
    }

    #[test]
    fn a_server_that_ends_is_quoted() {
        let mut guard = spawn("echo no such folder; exit 1");
        let error = guard.wait_for(|_| None::<()>).unwrap_err().to_string();
        fs::remove_file(&guard.log).unwrap();
        assert!(error.contains("no such folder"), "{error}");
    }
}
