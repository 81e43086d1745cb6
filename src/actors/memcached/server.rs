//! `Server`: one memcached server as it is asked: within a time, over a bounded number of connections, and
//! not at all while it fails.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use memcache::exp::{MetaCommand, build_noop};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::actors::memcached::breaker::{Breaker, pauses};
use crate::actors::memcached::connection::{Answer, Connection, WireError};
use crate::config::MemcachedServer;
use crate::metrics;

/// Connections to one server at most: each may hold a value on its way.
const CONNECTIONS_MAX: usize = 32;

/// Why a server was of no use to a request.
#[derive(Debug, thiserror::Error)]
pub(super) enum ServerError {
    /// It is left alone.
    #[error("the server is left alone for now")]
    LeftAlone,
    /// All connections to it are in use.
    #[error("all connections to the server are in use")]
    Busy,
    /// It did not answer in time.
    #[error("the server did not answer in time")]
    TimedOut,
    /// Connection, words, or refusal.
    #[error(transparent)]
    Wire(#[from] WireError),
}

impl ServerError {
    /// The label in metrics.
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::LeftAlone => "left_alone",
            Self::Busy => "connections",
            Self::TimedOut => "timeout",
            Self::Wire(WireError::Io(_)) => "io",
            Self::Wire(WireError::Protocol(_)) => "protocol",
            Self::Wire(WireError::Refused(_)) => "refused",
        }
    }

    /// Whether it says that the server is not well. One that refuses, for want of memory, still answers.
    const fn is_failure(&self) -> bool {
        matches!(self, Self::TimedOut | Self::Wire(WireError::Io(_) | WireError::Protocol(_)))
    }
}

/// One server.
#[derive(Debug)]
pub(super) struct Server {
    place: MemcachedServer,
    name: String,
    value_bytes_max: usize,
    probe: Duration,
    idle: Mutex<Vec<Connection>>,
    slots: Semaphore,
    breaker: Mutex<Breaker>,
}

impl Server {
    /// A server that nobody has asked yet. Left alone, it has to answer within `probe` to be asked again.
    pub(super) fn new(place: MemcachedServer, value_bytes_max: usize, probe: Duration) -> Self {
        Self {
            name: place.to_string(),
            place,
            value_bytes_max,
            probe,
            idle: Mutex::default(),
            slots: Semaphore::new(CONNECTIONS_MAX),
            breaker: Mutex::default(),
        }
    }

    /// As it was configured.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is left alone.
    pub(super) fn is_left_alone(&self) -> bool {
        self.breaker().is_open()
    }

    /// One command and its answer, within a time that includes the connecting.
    ///
    /// # Errors
    /// See [`ServerError`]; failures count towards leaving the server alone.
    pub(super) async fn ask(
        self: &Arc<Self>,
        command: &MetaCommand,
        within: Duration,
    ) -> Result<Answer, ServerError> {
        if self.is_left_alone() {
            return Err(ServerError::LeftAlone);
        }
        let deadline = Instant::now() + within;
        let slot = timeout_at(deadline, self.slots.acquire()).await;
        let Ok(Ok(_slot)) = slot else { return Err(ServerError::Busy) };
        let answer = match timeout_at(deadline, self.exchange(command)).await {
            Ok(answer) => answer.map_err(ServerError::Wire),
            Err(_elapsed) => Err(ServerError::TimedOut),
        };
        match &answer {
            Err(error) if error.is_failure() => self.failed(error),
            _ => self.breaker().answered(),
        }
        answer
    }

    async fn exchange(&self, command: &MetaCommand) -> Result<Answer, WireError> {
        let kept = self.idle().pop();
        if let Some(mut kept) = kept {
            match kept.exchange(command, self.value_bytes_max).await {
                // The server closed it meanwhile, and then probably all others too.
                Err(WireError::Io(_)) => self.idle().clear(),
                answer => return self.keep(kept, answer),
            }
        }
        let mut fresh = Connection::open(&self.place).await?;
        let answer = fresh.exchange(command, self.value_bytes_max).await;
        self.keep(fresh, answer)
    }

    /// Keeps a connection that is in step.
    fn keep(
        &self,
        connection: Connection,
        answer: Result<Answer, WireError>,
    ) -> Result<Answer, WireError> {
        if matches!(answer, Ok(_) | Err(WireError::Refused(_))) {
            self.idle().push(connection);
        }
        answer
    }

    fn failed(self: &Arc<Self>, error: &ServerError) {
        if !self.breaker().failed() {
            return;
        }
        self.idle().clear();
        let server = Arc::clone(self);
        tracing::warn!(server = %self.name, %error, "memcached fails and is left alone");
        actix::spawn(async move {
            for pause in pauses() {
                sleep(pause).await;
                if server.is_well().await {
                    break;
                }
            }
            server.breaker().close();
            tracing::info!(server = %server.name, "memcached answers again");
        });
    }

    async fn is_well(&self) -> bool {
        let look = async {
            let mut connection = Connection::open(&self.place).await?;
            let answer = connection.exchange(&build_noop(), self.value_bytes_max).await;
            self.keep(connection, answer)
        };
        matches!(timeout(self.probe, look).await, Ok(Ok(_)))
    }

    /// Sets the gauge that shows whether it is left alone.
    pub(super) fn observe(&self) {
        let is_left_alone = u64::from(self.is_left_alone());
        let server = self.name.clone();
        metrics::level_of("tessera_memcached_left_alone", "server", server, is_left_alone);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
