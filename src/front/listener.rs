//! Listening sockets: bound by us, or inherited from who started us.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use rustix::net::sockopt::{set_tcp_user_timeout, socket_acceptconn};
use rustix::net::{AddressFamily, getsockname};

use crate::config::{Bind, SocketMode};

/// A socket that listens.
#[derive(Debug)]
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A unix socket.
    Unix(UnixListener),
}

impl Listener {
    /// Listens where it was asked; nothing where nowhere was asked. `backlog` connections may wait to be
    /// accepted, and `mode` is for the file of a unix socket; an inherited socket keeps its own.
    ///
    /// # Errors
    /// The address is taken or not ours, or descriptor 0 is no listening socket.
    pub fn open(bind: &Bind, backlog: i32, mode: SocketMode) -> io::Result<Option<Self>> {
        match bind {
            Bind::None => Ok(None),
            Bind::Inherited => inherited().map(Some),
            Bind::Tcp(address) => {
                let listener = TcpListener::bind(address)?;
                rustix::net::listen(&listener, backlog)?;
                Ok(Some(Self::Tcp(listener)))
            }
            Bind::Unix(path) => {
                remove_stale_socket(path)?;
                let listener = UnixListener::bind(path)?;
                if let SocketMode::Bits(bits) = mode {
                    fs::set_permissions(path, fs::Permissions::from_mode(bits))?;
                }
                rustix::net::listen(&listener, backlog)?;
                Ok(Some(Self::Unix(listener)))
            }
        }
    }

    /// A listening socket that somebody else opened.
    ///
    /// # Errors
    /// It is none.
    pub fn adopt(descriptor: OwnedFd) -> io::Result<Self> {
        if !matches!(socket_acceptconn(&descriptor), Ok(true)) {
            return Err(io::Error::other("it is not a listening socket"));
        }
        match getsockname(&descriptor)?.address_family() {
            AddressFamily::INET | AddressFamily::INET6 => Ok(Self::Tcp(descriptor.into())),
            AddressFamily::UNIX => Ok(Self::Unix(descriptor.into())),
            _ => Err(io::Error::other("it is neither an internet nor a unix socket")),
        }
    }

    /// Whether it listens where it was asked.
    pub fn fits(&self, bind: &Bind) -> bool {
        match (self, bind) {
            (Self::Tcp(listener), Bind::Tcp(asked)) => listener.local_addr().is_ok_and(|address| {
                address.ip() == asked.ip() && (asked.port() == 0 || asked.port() == address.port())
            }),
            (Self::Unix(listener), Bind::Unix(path)) => {
                listener.local_addr().is_ok_and(|address| address.as_pathname() == Some(path))
            }
            (_, Bind::Inherited) => true,
            _ => false,
        }
    }

    /// Has the system end connections that take nothing of what is written to them for as long; those that
    /// are accepted inherit it. A unix socket's other side is on this machine, and trusted with it.
    ///
    /// # Errors
    /// Where the system cannot.
    pub fn limit_writes(&self, patience: Duration) -> io::Result<()> {
        if let Self::Tcp(listener) = self {
            let patience_ms = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
            set_tcp_user_timeout(listener, patience_ms)?;
        }
        Ok(())
    }

    /// Where it listens, as settings write it.
    ///
    /// # Errors
    /// Where the system does not say.
    pub fn address(&self) -> io::Result<String> {
        match self {
            Self::Tcp(listener) => Ok(listener.local_addr()?.to_string()),
            Self::Unix(listener) => {
                let address = listener.local_addr()?;
                let path = address.as_pathname().map(|path| path.display().to_string());
                Ok(format!("unix:{}", path.unwrap_or_default()))
            }
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(listener) => listener.as_fd(),
            Self::Unix(listener) => listener.as_fd(),
        }
    }
}

/// The listening socket that spawn-fcgi, lighttpd or `mod_fcgid` leaves as descriptor 0.
fn inherited() -> io::Result<Listener> {
    let descriptor = io::stdin().as_fd().try_clone_to_owned()?;
    if !matches!(socket_acceptconn(&descriptor), Ok(true)) {
        return Err(io::Error::other(
            "it is not a listening socket; `-` is for spawn-fcgi and web servers that start their \
             responders, else give HOST:PORT or unix:PATH",
        ));
    }
    Listener::adopt(descriptor)
}

/// Removes a socket that a server left behind; one that somebody listens on, though he be too busy to
/// accept, stays.
fn remove_stale_socket(path: &Path) -> io::Result<()> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    if metadata.file_type().is_socket() && UnixStream::connect(path).is_err_and(refused) {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rustix::net::{SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

    use super::*;

    fn open(bind: &Bind, backlog: i32) -> io::Result<Option<Listener>> {
        Listener::open(bind, backlog, SocketMode::Umask)
    }

    #[test]
    fn as_many_may_wait_as_the_backlog_says() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.sock");
        for backlog in [1, 16] {
            let _listener = open(&Bind::Unix(path.clone()), backlog).unwrap();
            let address = SocketAddrUnix::new(&path).unwrap();
            let waits = || {
                let flags = SocketFlags::NONBLOCK;
                let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None);
                let socket = socket.unwrap();
                connect(&socket, &address).ok().map(|()| socket)
            };
            let waiting: Vec<OwnedFd> = std::iter::from_fn(waits).take(100).collect();
            // Linux takes one more than it is told.
            assert_eq!(i32::try_from(waiting.len()).unwrap(), backlog + 1);
        }
    }

    #[test]
    fn a_unix_socket_has_the_rights_that_it_was_given() {
        let dir = tempfile::tempdir().unwrap();
        for bits in [0o600, 0o660, 0o666] {
            let path = dir.path().join(bits.to_string());
            let bind = Bind::Unix(path.clone());
            let _listener = Listener::open(&bind, 16, SocketMode::Bits(bits)).unwrap();
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, bits);
        }
    }

    #[test]
    fn a_socket_left_behind_is_replaced_and_one_in_use_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let bind = Bind::Unix(dir.path().join("t.sock"));
        drop(open(&bind, 16).unwrap());
        let listener = open(&bind, 16).unwrap().unwrap();
        assert_eq!(listener.address().unwrap(), bind.to_string());
        let error = open(&bind, 16).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_file_is_never_removed_for_a_socket() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.txt");
        fs::write(&path, "keep").unwrap();
        open(&Bind::Unix(path.clone()), 16).unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), "keep");
    }
}
