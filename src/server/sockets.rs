//! `Sockets`: the listening sockets by name: given to us by systemd or by the process that we take over
//! from, or bound by us; and copies of all, to hand on.

use std::fs;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;

use crate::config::{Bind, SocketMode, SupervisorConfig};
use crate::front::listener::Listener;
use crate::modules::{Channel, Received};
use crate::server::activation;

/// The message after the last socket.
const THAT_IS_ALL: &[u8] = b".";

/// What stands behind the name of a socket that counts whatever settings say.
const STANDS: char = '!';

/// The message of one who serves, and whose predecessor may go.
const READY: &[u8] = b"ready";

/// Sockets given to us, and those in use.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    given: Vec<Given>,
    in_use: Vec<InUse>,
    /// Sockets on the disk that are ours to remove.
    paths: Vec<PathBuf>,
    /// The one who gave them, and waits to hear that we serve.
    predecessor: Option<Channel>,
}

#[derive(Debug)]
struct InUse {
    name: &'static str,
    socket: OwnedFd,
    has_to_fit: bool,
}

#[derive(Debug)]
struct Given {
    name: String,
    socket: OwnedFd,
    /// Whether it counts only where it listens as the settings say; systemd's word stands above them.
    has_to_fit: bool,
}

impl Sockets {
    /// What systemd or a predecessor gives.
    ///
    /// # Errors
    /// Where a predecessor was promised and there is none.
    pub(super) fn given(config: &SupervisorConfig) -> io::Result<Self> {
        let mut sockets = Self::default();
        let activated = activation::take(config.activated.len());
        for (name, socket) in config.activated.iter().zip(activated) {
            sockets.given.push(Given { name: name.clone(), socket, has_to_fit: false });
        }
        if config.takes_over {
            sockets.take_over()?;
        }
        Ok(sockets)
    }

    fn take_over(&mut self) -> io::Result<()> {
        let mut channel = Channel::inherited()?;
        loop {
            let (received, mut descriptors) = channel.receive_all()?;
            let (name, socket) = match (received, descriptors.pop()) {
                (Received::Message(THAT_IS_ALL), None) => break,
                (Received::Message(name), Some(socket)) => (String::from_utf8_lossy(name), socket),
                _ => return Err(io::Error::other("the process before us sent no sockets")),
            };
            let has_to_fit = !name.ends_with(STANDS);
            let name = name.trim_end_matches(STANDS).to_owned();
            self.given.push(Given { name, socket, has_to_fit });
        }
        self.predecessor = Some(channel);
        Ok(())
    }

    /// The listener of a name: given, or bound as `bind` says; nothing where nowhere was asked.
    ///
    /// # Errors
    /// As [`Listener::open`].
    pub(super) fn open(
        &mut self,
        name: &'static str,
        bind: &Bind,
        backlog: i32,
        mode: SocketMode,
    ) -> io::Result<Option<Listener>> {
        let (listener, has_to_fit) = match self.find(name, bind)? {
            Some((listener, has_to_fit)) => (Some(listener), has_to_fit),
            None => (Listener::open(bind, backlog, mode)?, true),
        };
        let Some(listener) = listener else { return Ok(None) };
        let socket = listener.as_fd().try_clone_to_owned()?;
        self.in_use.push(InUse { name, socket, has_to_fit });
        if let (Bind::Unix(path), true) = (bind, has_to_fit) {
            self.paths.push(path.clone());
        }
        Ok(Some(listener))
    }

    fn find(&mut self, name: &str, bind: &Bind) -> io::Result<Option<(Listener, bool)>> {
        let Some(at) = self.given.iter().position(|given| given.name == name) else {
            return Ok(None);
        };
        let Given { socket, has_to_fit, .. } = self.given.swap_remove(at);
        let listener = Listener::adopt(socket)?;
        // Settings may have changed meanwhile: what listens elsewhere is closed here.
        let fits = !has_to_fit || listener.fits(bind);
        Ok(fits.then_some((listener, has_to_fit)))
    }

    /// Says that we serve, and closes what was given and is of no use.
    pub(super) fn ready(&mut self) {
        self.given.clear();
        let Some(predecessor) = self.predecessor.take() else { return };
        if let Err(error) = predecessor.send(READY, &[]) {
            tracing::warn!(%error, "the process before us has gone already");
        }
    }

    /// Hands all sockets over; waits until the one at the other end serves.
    ///
    /// # Errors
    /// Where it does not.
    pub(super) fn hand_over(&self, mut to: Channel) -> io::Result<()> {
        for InUse { name, socket, has_to_fit } in &self.in_use {
            let name = if *has_to_fit { (*name).to_owned() } else { format!("{name}{STANDS}") };
            to.send(name.as_bytes(), &[socket.as_fd()])?;
        }
        to.send(THAT_IS_ALL, &[])?;
        match to.receive()? {
            Received::Message(READY) => Ok(()),
            _ => Err(io::Error::other("the new process ended before it served")),
        }
    }

    /// Leaves no socket behind that nobody listens on.
    pub(super) fn remove(self) {
        for path in self.paths {
            if let Err(error) = fs::remove_file(path) {
                tracing::warn!(%error, "cannot remove the unix socket");
            }
        }
    }

    /// Closes the copies, so that who connects is refused once the listeners themselves are closed.
    pub(super) fn close_copies(&mut self) {
        self.in_use.clear();
    }
}
