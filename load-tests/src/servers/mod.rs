//! The servers under measurement: how each is started on loopback, fairly tuned, and which syntax
//! it is asked in. They live as long as the value that stands for them.

mod guard;
mod iipsrv;
mod nginx;
mod tessera;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::ask::Syntax;
use crate::cpu::{self, Usage};
use crate::error::{LoadError, Trying as _};
use crate::tools::Tool;

use guard::Guard;

/// Encoder quality of every server.
const JPEG_QUALITY: &str = "75";
/// Memory for encoded answers, all processes of a server together: Tessera's default.
const CACHE_MEBIBYTES: u32 = 256;

/// A server and the syntax it is asked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// nginx with the answers as files: what sending these bytes costs at least.
    Floor,
    /// Tessera asked by IIIF 3.
    TesseraIiif,
    /// Tessera asked by IIP.
    TesseraIip,
    /// iipsrv, two processes behind nginx, asked by IIP.
    Peer,
}

impl Kind {
    /// The name in tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Floor => "nginx, static files",
            Self::TesseraIiif => "Tessera, IIIF",
            Self::TesseraIip => "Tessera, IIP",
            Self::Peer => "iipsrv x 2 + nginx, IIP",
        }
    }

    /// How it is asked.
    pub(crate) const fn syntax(self) -> Syntax {
        match self {
            Self::Floor => Syntax::Static,
            Self::TesseraIiif => Syntax::Iiif,
            Self::TesseraIip | Self::Peer => Syntax::Iip,
        }
    }
}

/// What servers are started from.
#[derive(Debug)]
pub(crate) struct Rig {
    /// Holds the two pyramids.
    pub(crate) images: PathBuf,
    /// Configurations, sockets, logs and the floor's files; removed with this value.
    pub(crate) scratch: PathBuf,
    /// The server under test.
    pub(crate) tessera: Tool,
    /// The floor, and the peer's front.
    pub(crate) nginx: Tool,
    /// The peer, unless left out.
    pub(crate) iipsrv: Option<Tool>,
}

impl Rig {
    /// Where the floor's files lie.
    pub(crate) fn floor(&self) -> PathBuf {
        self.scratch.join("floor")
    }

    /// The servers to measure, the floor first.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let peer = self.iipsrv.is_some().then_some(Kind::Peer);
        [Kind::Floor, Kind::TesseraIiif, Kind::TesseraIip].into_iter().chain(peer).collect()
    }

    /// Starts a server with empty caches and waits until it accepts.
    ///
    /// # Errors
    /// Where it cannot be started or does not listen in time.
    pub(crate) fn start(&self, kind: Kind) -> Result<Running, LoadError> {
        match kind {
            Kind::Floor => nginx::start_floor(self),
            Kind::TesseraIiif | Kind::TesseraIip => tessera::start(self),
            Kind::Peer => iipsrv::start(self),
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // What cannot be removed is small and lies in the system's temporary folder.
        fs::remove_dir_all(&self.scratch).ok();
    }
}

/// A server that runs; dropping it stops every process of it.
#[derive(Debug)]
pub(crate) struct Running {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its processes, stopped in this order.
    guards: Vec<Guard>,
}

impl Running {
    /// Processor time and memory of all its processes since they started.
    ///
    /// # Errors
    /// Where `/proc` cannot be read.
    pub(crate) fn usage(&self) -> Result<Usage, LoadError> {
        let pids: Vec<u32> = self.guards.iter().map(Guard::pid).collect();
        cpu::usage(&pids).trying("cannot read /proc")
    }
}

/// A port of 127.0.0.1 that is free now, for servers that cannot choose one themselves.
fn free_port() -> Result<SocketAddr, LoadError> {
    std::net::TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .trying("no free port on 127.0.0.1")
}

/// Whether something accepts at an address.
fn accepts(address: SocketAddr) -> Option<SocketAddr> {
    let connected: io::Result<_> = std::net::TcpStream::connect(address);
    connected.ok().map(|_| address)
}
