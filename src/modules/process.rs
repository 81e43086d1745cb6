//! `Process`: one decoder at work, asked one thing at a time. Whatever becomes of it, it is ended and
//! reaped with its children when it is dropped.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::modules::channel::{Channel, Received};
use crate::modules::error::ModuleError;
use crate::modules::message::{Hello, Numbered, Reply, Request, read_reply, to_bytes};
use crate::modules::words;

/// The binary of this server, whatever became of the file that it was started from.
pub const LAUNCHER: &str = "/proc/self/exe";

/// What is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The name in logs.
    pub name: String,
    /// The binary of this server, through which it is started.
    pub launcher: PathBuf,
    /// The program and its arguments, or the name of a decoder within the binary.
    pub run: Run,
    /// The environment's `PATH`: all that the process gets of it.
    pub path: String,
    /// Bytes of address space.
    pub memory_bytes_max: u64,
}

/// Where a decoder's code is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// In a program of its own, with these arguments.
    Program(PathBuf, Vec<String>),
    /// In this server's binary, under this name.
    Own(&'static str),
}

impl Program {
    /// The confined process, not started.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.launcher);
        command.arg0("tessera").arg("module");
        let name = match &self.run {
            Run::Program(..) => "run",
            Run::Own(name) => name,
        };
        let own = std::process::id().to_string();
        let memory = self.memory_bytes_max.to_string();
        command.args([name, "--parent", &own, "--memory-bytes-max", &memory]);
        if let Run::Program(program, arguments) = &self.run {
            command.arg("--").arg(program).args(arguments);
        }
        command.env_clear().env("PATH", &self.path).current_dir("/").process_group(0);
        command
    }
}

/// A decoder's process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pid: Pid,
    /// Readable once the process has ended.
    ended: OwnedFd,
    channel: Channel,
    status: Option<ExitStatus>,
    /// That of the last request.
    number: u64,
}

impl Process {
    /// Starts a program and waits until it has said who it is.
    ///
    /// # Errors
    /// Where it cannot be started, ends, or says anything else.
    pub fn start(program: &Program, limit: Duration) -> Result<(Self, Hello), ModuleError> {
        let (channel, theirs) = Channel::pair()?;
        let mut command = program.command();
        command.stdin(theirs).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn().map_err(ModuleError::Start)?;
        // Its end of the channel must be open in the child alone, or its death would go unnoticed.
        drop(command);
        let mut process = Self::of(child, channel)?;
        if let Some(stderr) = process.child.stderr.take() {
            words::listen(program.name.clone(), stderr, process.ended.try_clone()?)?;
        }
        match process.hear(limit)? {
            Reply::Hello(hello) => Ok((process, hello.check()?)),
            _ => Err(ModuleError::broke("it answered before it was asked")),
        }
    }

    fn of(mut child: Child, channel: Channel) -> Result<Self, ModuleError> {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let opened = pid
            .ok_or_else(|| io::Error::other("it has no number"))
            .and_then(|pid| Ok((pid, pidfd_open(pid, PidfdFlags::empty())?)));
        match opened {
            Ok((pid, ended)) => Ok(Self { child, pid, ended, channel, status: None, number: 0 }),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(ModuleError::Start(error))
            }
        }
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it can be asked: it lives, and has not spoken unasked.
    pub fn is_fit(&self) -> bool {
        self.ready(Duration::ZERO).is_ok_and(|ready| ready.is_none())
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// See [`ModuleError`]; the process is of no use any more where the error is a
    /// [`ModuleError::death`].
    pub fn ask(
        &mut self,
        request: &Request,
        descriptors: &[BorrowedFd<'_>],
        limit: Duration,
    ) -> Result<Reply, ModuleError> {
        self.tell(request, descriptors)?;
        self.hear(limit)
    }

    /// Says what has no answer.
    ///
    /// # Errors
    /// As [`Process::ask`].
    pub fn tell(
        &mut self,
        request: &Request,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), ModuleError> {
        self.number += 1;
        let message = to_bytes(&Numbered { number: self.number, message: request })?;
        self.channel.send(&message, descriptors).map_err(|_lost| self.has_ended())
    }

    fn hear(&mut self, limit: Duration) -> Result<Reply, ModuleError> {
        if !self.wait(limit)? {
            return Err(self.has_ended());
        }
        let reply = match self.channel.receive() {
            Ok(Received::Message(bytes)) => return read_reply(bytes, self.number),
            Ok(Received::Unfit) => Some("a message that is too long, or with descriptors"),
            Ok(Received::End) | Err(_) => None,
        };
        Err(reply.map_or_else(|| self.has_ended(), ModuleError::broke))
    }

    /// Waits for a message or the process' end; whether the channel has something to say.
    fn wait(&self, limit: Duration) -> Result<bool, ModuleError> {
        self.ready(limit)?.ok_or(ModuleError::TimedOut { limit })
    }

    /// Whether the channel has something to say, or else the process has ended; nothing where neither
    /// is so within `limit`.
    fn ready(&self, limit: Duration) -> io::Result<Option<bool>> {
        let until = Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            let mut ready = [
                PollFd::new(&self.channel, PollFlags::IN),
                PollFd::new(&self.ended, PollFlags::IN),
            ];
            match poll(&mut ready, Some(&left)) {
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
                Ok(0) => return Ok(None),
                Ok(_) => return Ok(Some(!ready[0].revents().is_empty())),
            }
        }
    }

    fn has_ended(&mut self) -> ModuleError {
        match self.end() {
            Ok(status) => ModuleError::Ended { status },
            Err(error) => error.into(),
        }
    }

    /// Ends it, and what it started; how it ended, if it had done so by itself.
    fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        // Until it is reaped below, its number is nobody else's. The group may be gone with it.
        let _gone = kill_process_group(self.pid, Signal::KILL);
        self.child.kill()?;
        let status = self.child.wait()?;
        self.status = Some(status);
        Ok(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::warn!(%error, pid = self.id(), "cannot end a decoder's process");
        }
    }
}
