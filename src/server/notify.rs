//! `Supervisor`: what is told to the one who started us, as systemd wants to hear it.
//!
//! # Source
//! `sd_notify(3)` and `sd_watchdog_enabled(3)`: datagrams of `NAME=VALUE` to the socket in
//! `NOTIFY_SOCKET`.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt;

use crate::config::SupervisorConfig;

/// Who is told. Clones share the socket.
#[derive(Clone, Debug, Default)]
pub(super) struct Supervisor {
    socket: Option<Arc<UnixDatagram>>,
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// The supervisor that the environment names, if one does. One that cannot be reached is warned of:
    /// it will do what it does with those who say nothing.
    pub(super) fn of(config: &SupervisorConfig) -> Self {
        if config.socket.is_empty() {
            return Self::default();
        }
        match connect(&config.socket) {
            Ok(socket) => Self { socket: Some(Arc::new(socket)), watchdog: config.watchdog },
            Err(error) => {
                tracing::warn!(%error, "NOTIFY_SOCKET cannot be reached");
                Self::default()
            }
        }
    }

    /// Says something.
    pub(super) fn say(&self, state: &str) {
        let Some(socket) = &self.socket else { return };
        if let Err(error) = socket.send(state.as_bytes()) {
            tracing::warn!(%error, state, "the supervisor does not listen");
        }
    }

    /// Says that we live, twice as often as is asked for, as long as the thread that accepts signals and
    /// keeps house comes round to it.
    pub(super) async fn keep_watch(self) {
        let Some(watchdog) = self.watchdog else { return };
        let mut interval = rt::time::interval(watchdog / 2);
        loop {
            interval.tick().await;
            self.say("WATCHDOG=1");
        }
    }
}

/// Connects to a path, or to a name in the abstract namespace, which begins with `@`.
fn connect(name: &OsStr) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    match name.as_bytes().strip_prefix(b"@") {
        Some(name) => socket.connect_addr(&SocketAddr::from_abstract_name(name)?)?,
        None => socket.connect(name)?,
    }
    Ok(socket)
}
