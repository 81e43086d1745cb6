//! Accepts web servers' connections, as many as are allowed at once, and deals them out over threads.

use std::io;
use std::net::{self, IpAddr, SocketAddr};
use std::os::unix;
use std::sync::Arc;
use std::time::Duration;

use actix_rt::{Arbiter, ArbiterHandle};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::config::ServerConfig;
use crate::front::exchange::Front;
use crate::front::fastcgi::connection::{Connection, ConnectionError, Patience};
use crate::front::fastcgi::intake::{Bounds, Intake};
use crate::front::listener::Listener;

/// Pause after a failed accept, which mostly means that no descriptors are left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The FastCGI front at work.
#[derive(Debug)]
pub struct FastCgi {
    threads: Vec<Arbiter>,
    slots: Arc<Semaphore>,
    connections_max: u32,
    stopping: watch::Sender<bool>,
    drain: Duration,
}

/// What each connection is served with.
#[derive(Clone, Debug)]
struct Serving {
    front: Front,
    bounds: Bounds,
    patience: Patience,
    stopping: watch::Receiver<bool>,
}

impl FastCgi {
    /// Starts to serve a listening socket. Must be called inside an actix system.
    ///
    /// # Errors
    /// Where the socket cannot be watched.
    pub fn start(listener: Listener, front: &Front, config: &ServerConfig) -> io::Result<Self> {
        let fastcgi = &config.fastcgi;
        let listener = Watched::new(listener)?;
        let (stopping, stopped) = watch::channel(false);
        let bounds = Bounds {
            body_bytes_max: front.body_bytes_max,
            connections_max: usize::try_from(fastcgi.connections_max).unwrap_or(usize::MAX),
        };
        let patience =
            Patience { idle: config.keep_alive, read: fastcgi.read, write: fastcgi.write };
        let serving = Serving { front: front.clone(), bounds, patience, stopping: stopped };
        let threads: Vec<Arbiter> = (0..config.workers.max(1)).map(|_| Arbiter::new()).collect();
        let slots = Arc::new(Semaphore::new(bounds.connections_max));
        let acceptor = Acceptor {
            listener,
            peers: fastcgi.peers.clone(),
            slots: Arc::clone(&slots),
            threads: threads.iter().map(Arbiter::handle).collect(),
            serving,
        };
        actix_rt::spawn(acceptor.run());
        let connections_max = fastcgi.connections_max;
        Ok(Self { threads, slots, connections_max, stopping, drain: config.drain })
    }

    /// Accepts no more, lets the requests in flight finish within the time for draining, and ends.
    pub async fn stop(self) {
        self.stopping.send_replace(true);
        let all_ended = self.slots.acquire_many(self.connections_max);
        if timeout(self.drain, all_ended).await.is_err() {
            tracing::warn!(
                "FastCGI requests were still at work when the time for draining was over"
            );
        }
        for thread in self.threads {
            thread.stop();
        }
    }
}

/// A listener as this runtime watches it.
#[derive(Debug)]
enum Watched {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection, watched by nobody yet: it will be by the thread that serves it.
#[derive(Debug)]
enum Accepted {
    Tcp(net::TcpStream, SocketAddr),
    Unix(unix::net::UnixStream),
}

impl Watched {
    fn new(listener: Listener) -> io::Result<Self> {
        match listener {
            Listener::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                TcpListener::from_std(listener).map(Self::Tcp)
            }
            Listener::Unix(listener) => {
                listener.set_nonblocking(true)?;
                UnixListener::from_std(listener).map(Self::Unix)
            }
        }
    }

    async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok(Accepted::Tcp(stream.into_std()?, peer))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok(Accepted::Unix(stream.into_std()?))
            }
        }
    }
}

struct Acceptor {
    listener: Watched,
    /// Who may connect by TCP; empty: everybody.
    peers: Vec<IpAddr>,
    slots: Arc<Semaphore>,
    threads: Vec<ArbiterHandle>,
    serving: Serving,
}

impl Acceptor {
    /// Until the server drains. A connection waits in the system's queue until there is a slot for it.
    async fn run(self) {
        let mut stopping = self.serving.stopping.clone();
        let mut turns = self.threads.iter().cycle();
        loop {
            let accepted = tokio::select! {
                accepted = self.next() => accepted,
                _ = stopping.changed() => return,
            };
            match accepted {
                Ok((accepted, slot)) => {
                    let serving = self.serving.clone();
                    let start = move || serve(accepted, serving, slot);
                    if !turns.next().is_some_and(|thread| thread.spawn_fn(start)) {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a FastCGI connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// The next connection from one who may, with its slot.
    async fn next(&self) -> io::Result<(Accepted, OwnedSemaphorePermit)> {
        let slots = Arc::clone(&self.slots);
        let slot = slots.acquire_owned().await.map_err(io::Error::other)?;
        loop {
            let accepted = self.listener.accept().await?;
            match accepted {
                Accepted::Tcp(stream, address) if !self.is_allowed(address.ip()) => {
                    tracing::debug!(peer = %address, "not one of server.fastcgi_peers");
                    drop(stream);
                }
                accepted => return Ok((accepted, slot)),
            }
        }
    }

    fn is_allowed(&self, peer: IpAddr) -> bool {
        self.peers.is_empty() || self.peers.contains(&peer.to_canonical())
    }
}

/// Serves a connection on this thread.
fn serve(accepted: Accepted, serving: Serving, slot: OwnedSemaphorePermit) {
    actix_rt::spawn(async move {
        let ended = match accepted {
            Accepted::Tcp(stream, _) => serve_tcp(stream, serving).await,
            Accepted::Unix(stream) => serve_unix(stream, serving).await,
        };
        match ended {
            Ok(()) => {}
            Err(error) if error.is_nonsense() => {
                tracing::warn!(%error, "a FastCGI connection was ended");
            }
            Err(error) => tracing::debug!(%error, "a FastCGI connection ended"),
        }
        drop(slot);
    });
}

async fn serve_tcp(stream: net::TcpStream, serving: Serving) -> Result<(), ConnectionError> {
    // An answer's last bytes must not wait for the acknowledgement of those before.
    stream.set_nodelay(true)?;
    converse(TcpStream::from_std(stream)?.into_split(), serving).await
}

async fn serve_unix(
    stream: unix::net::UnixStream,
    serving: Serving,
) -> Result<(), ConnectionError> {
    converse(UnixStream::from_std(stream)?.into_split(), serving).await
}

async fn converse<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    halves: (R, W),
    serving: Serving,
) -> Result<(), ConnectionError> {
    let Serving { front, bounds, patience, stopping } = serving;
    Connection::new(halves, Intake::new(bounds), patience, stopping).serve(&front).await
}
