//! `Syslog`: lines as datagrams to the system's log, as syslog(3) sends them.
//!
//! # Source
//! RFC 3164, sections 4.1.1 and 4.1.3 (priority and tag); syslogd on the other side adds the time.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process;

/// Where syslogd listens.
pub(super) const SOCKET: &str = "/dev/log";

/// The facility of programs that have none of their own, times eight; iipsrv's too.
const FACILITY_USER: u8 = 1 << 3;

/// Bytes of a line that are sent: what every syslogd takes (RFC 5424, section 6.1, asks for 2048).
const LINE_BYTES_MAX: usize = 2000;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    Error,
    Warning,
    Info,
    Debug,
}

impl Severity {
    const fn number(self) -> u8 {
        match self {
            Self::Error => 3,
            Self::Warning => 4,
            Self::Info => 6,
            Self::Debug => 7,
        }
    }
}

/// The system's log.
#[derive(Debug)]
pub(super) struct Syslog {
    socket: UnixDatagram,
    path: Box<Path>,
}

impl Syslog {
    /// Opens the log at `path`.
    ///
    /// # Errors
    /// Nobody listens there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        // A log that is full loses a line; the server must not wait for it.
        socket.set_nonblocking(true)?;
        socket.connect(path)?;
        Ok(Self { socket, path: path.into() })
    }

    /// Sends one line.
    ///
    /// # Errors
    /// Nobody takes it.
    pub(super) fn send(&self, severity: Severity, line: &str) -> io::Result<()> {
        let line = line.trim_end();
        let line = line.get(..line.floor_char_boundary(LINE_BYTES_MAX)).unwrap_or(line);
        let priority = FACILITY_USER + severity.number();
        let datagram = format!("<{priority}>tessera[{}]: {line}", process::id());
        if self.socket.send(datagram.as_bytes()).is_ok() {
            return Ok(());
        }
        // syslogd was restarted, and its socket is another.
        self.socket.connect(&self.path)?;
        self.socket.send(datagram.as_bytes()).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(daemon: &UnixDatagram) -> String {
        let mut bytes = [0; 4096];
        let length = daemon.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    #[test]
    fn a_line_has_priority_and_tag_and_finds_a_daemon_that_was_restarted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        Syslog::open(&path).unwrap_err();
        let daemon = UnixDatagram::bind(&path).unwrap();
        let syslog = Syslog::open(&path).unwrap();
        syslog.send(Severity::Warning, "something\n").unwrap();
        assert_eq!(taken(&daemon), format!("<12>tessera[{}]: something", process::id()));
        drop(daemon);
        std::fs::remove_file(&path).unwrap();
        syslog.send(Severity::Info, "lost").unwrap_err();
        let daemon = UnixDatagram::bind(&path).unwrap();
        syslog.send(Severity::Info, &"\u{e9}".repeat(5000)).unwrap();
        let line = taken(&daemon);
        assert!(line.starts_with("<14>tessera[") && line.len() < 2048, "{}", line.len());
    }
}
