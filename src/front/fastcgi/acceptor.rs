//! Accepts web servers' connections, as many as are allowed at once, and deals them out over threads:
//! the one that accepts serves too, since a connection that stays there wakes nobody else.

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
    /// Starts to serve a listening socket, on this thread and others. Must be called inside an actix
    /// system.
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
        let threads: Vec<Arbiter> = (1..config.workers).map(|_| Arbiter::new()).collect();
        let slots = Arc::new(Semaphore::new(bounds.connections_max));
        let acceptor = Acceptor {
            listener,
            peers: fastcgi.peers.clone(),
            slots: Arc::clone(&slots),
            seats: Seats::of(threads.iter().map(Arbiter::handle)),
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

    async fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // An answer's last bytes must not wait for the acknowledgement of those before.
                stream.set_nodelay(true)?;
                Ok((Stream::Tcp(stream), Some(peer)))
            }
            Self::Unix(listener) => Ok((Stream::Unix(listener.accept().await?.0), None)),
        }
    }
}

/// A connection that this thread watches.
#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A connection on its way to another thread, watched by nobody.
#[derive(Debug)]
enum Loose {
    Tcp(net::TcpStream),
    Unix(unix::net::UnixStream),
}

impl Stream {
    fn loosen(self) -> io::Result<Loose> {
        match self {
            Self::Tcp(stream) => stream.into_std().map(Loose::Tcp),
            Self::Unix(stream) => stream.into_std().map(Loose::Unix),
        }
    }
}

impl Loose {
    fn watch(self) -> io::Result<Stream> {
        match self {
            Self::Tcp(stream) => TcpStream::from_std(stream).map(Stream::Tcp),
            Self::Unix(stream) => UnixStream::from_std(stream).map(Stream::Unix),
        }
    }
}

/// The threads that serve connections: the one that accepts, and others.
#[derive(Debug)]
struct Seats {
    here: Seat,
    elsewhere: Vec<Seat>,
}

/// A thread that serves.
#[derive(Clone, Debug, Default)]
struct Seat {
    /// Nothing: the one that accepts.
    thread: Option<ArbiterHandle>,
    /// Held once for each connection that is served there, and once more.
    taken: Arc<()>,
}

impl Seats {
    fn of(others: impl Iterator<Item = ArbiterHandle>) -> Self {
        let elsewhere = others.map(|thread| Seat { thread: Some(thread), taken: Arc::default() });
        Self { here: Seat::default(), elsewhere: elsewhere.collect() }
    }

    /// The one that has the fewest connections; here where others have as many.
    fn freest(&self) -> Seat {
        let taken = |seat: &&Seat| Arc::strong_count(&seat.taken);
        std::iter::once(&self.here)
            .chain(&self.elsewhere)
            .min_by_key(taken)
            .unwrap_or(&self.here)
            .clone()
    }
}

struct Acceptor {
    listener: Watched,
    /// Who may connect by TCP; empty: everybody.
    peers: Vec<IpAddr>,
    slots: Arc<Semaphore>,
    seats: Seats,
    serving: Serving,
}

impl Acceptor {
    /// Until the server drains. A connection waits in the system's queue until there is a slot for it.
    async fn run(self) {
        let mut stopping = self.serving.stopping.clone();
        loop {
            let accepted = tokio::select! {
                accepted = self.next() => accepted,
                _ = stopping.changed() => return,
            };
            let seated = accepted.and_then(|(stream, slot)| self.seat(stream, slot));
            if let Err(error) = seated {
                tracing::warn!(%error, "cannot accept a FastCGI connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    /// The next connection from one who may, with its slot.
    async fn next(&self) -> io::Result<(Stream, OwnedSemaphorePermit)> {
        let slots = Arc::clone(&self.slots);
        let slot = slots.acquire_owned().await.map_err(io::Error::other)?;
        loop {
            let (stream, peer) = self.listener.accept().await?;
            match peer {
                Some(address) if !self.is_allowed(address.ip()) => {
                    tracing::debug!(peer = %address, "not one of server.fastcgi_peers");
                }
                _ => return Ok((stream, slot)),
            }
        }
    }

    /// Has a connection served by the thread that has the least to do.
    fn seat(&self, stream: Stream, slot: OwnedSemaphorePermit) -> io::Result<()> {
        let Seat { thread, taken } = self.seats.freest();
        let (serving, places) = (self.serving.clone(), (slot, taken));
        let Some(thread) = thread else {
            actix_rt::spawn(serve(stream, serving, places));
            return Ok(());
        };
        let stream = stream.loosen()?;
        // Threads end when all connections have, so nobody is left to be told that one is gone.
        thread.spawn(async move {
            match stream.watch() {
                Ok(stream) => serve(stream, serving, places).await,
                Err(error) => tracing::warn!(%error, "cannot watch a FastCGI connection"),
            }
        });
        Ok(())
    }

    fn is_allowed(&self, peer: IpAddr) -> bool {
        self.peers.is_empty() || self.peers.contains(&peer.to_canonical())
    }
}

/// Serves a connection on this thread, and gives back the places that it had when it ends.
async fn serve(stream: Stream, serving: Serving, places: (OwnedSemaphorePermit, Arc<()>)) {
    let ended = match stream {
        Stream::Tcp(stream) => converse(stream.into_split(), serving).await,
        Stream::Unix(stream) => converse(stream.into_split(), serving).await,
    };
    match ended {
        Ok(()) => {}
        Err(error) if error.is_nonsense() => {
            tracing::warn!(%error, "a FastCGI connection was ended");
        }
        Err(error) => tracing::debug!(%error, "a FastCGI connection ended"),
    }
    drop(places);
}

async fn converse<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    halves: (R, W),
    serving: Serving,
) -> Result<(), ConnectionError> {
    let Serving { front, bounds, patience, stopping } = serving;
    Connection::new(halves, Intake::new(bounds), patience, stopping).serve(&front).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_that_accepts_serves_until_another_has_less_to_do() {
        let order = actix_rt::System::new().block_on(async {
            let others = [Arbiter::new(), Arbiter::new()];
            let seats = Seats::of(others.iter().map(Arbiter::handle));
            let number = |taken: &Arc<()>| {
                let found = seats.elsewhere.iter().position(|seat| Arc::ptr_eq(&seat.taken, taken));
                found.map_or(0, |at| at + 1)
            };
            let mut held: Vec<Arc<()>> = (0..4).map(|_| seats.freest().taken).collect();
            let mut order: Vec<usize> = held.iter().map(number).collect();
            held.remove(1);
            order.push(number(&seats.freest().taken));
            order
        });
        assert_eq!(order, [0, 1, 2, 0, 1]);
    }
}
