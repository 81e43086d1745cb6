//! `Filler`: what is sent to one server in the background, through a queue bounded by number and bytes.
//! What does not fit is dropped and counted: memcached is a help, and nobody waits for it.

use std::sync::Arc;
use std::time::Duration;

use actix::ArbiterHandle;
use memcache::exp::{DeleteOptions, MetaCommand, SetOptions, build_delete, build_set};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::actors::memcached::entry;
use crate::actors::memcached::purge_log::Epoch;
use crate::actors::memcached::server::Server;
use crate::actors::order::Rendered;
use crate::metrics;
use crate::plan::PlanKey;

/// Commands that may wait for one server.
const QUEUE_MAX: usize = 1024;

/// Bytes of answers that may wait for one server.
const QUEUE_BYTES_MAX: usize = 32 << 20;

/// How long a server may take over one command that nobody waits for.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is to be sent.
enum Order {
    Store { key: PlanKey, epoch: Epoch, rendered: Rendered, _room: OwnedSemaphorePermit },
    Release { key: PlanKey, epoch: Epoch, cas: u64 },
}

/// The queue of one server.
#[derive(Debug)]
pub(super) struct Filler {
    orders: Sender<Order>,
    room: Arc<Semaphore>,
}

impl Filler {
    /// Starts sending to `server`, on `arbiter` where there is one; what is stored is kept for `ttl_s`.
    pub(super) fn start(server: Arc<Server>, ttl_s: u32, arbiter: Option<&ArbiterHandle>) -> Self {
        let (orders, queue) = channel(QUEUE_MAX);
        let work = send_all(server, queue, ttl_s);
        match arbiter {
            Some(arbiter) => {
                // An arbiter that has stopped stops the whole server.
                let _runs = arbiter.spawn(work);
            }
            None => drop(actix::spawn(work)),
        }
        Self { orders, room: Arc::new(Semaphore::new(QUEUE_BYTES_MAX)) }
    }

    /// Has an answer stored.
    pub(super) fn store(&self, (key, epoch): (PlanKey, Epoch), rendered: Rendered) {
        let bytes = u32::try_from(rendered.bytes.len()).unwrap_or(u32::MAX);
        match Arc::clone(&self.room).try_acquire_many_owned(bytes) {
            Ok(room) => self.put(Order::Store { key, epoch, rendered, _room: room }),
            Err(_) => metrics::memcached_dropped("queue"),
        }
    }

    /// Has the placeholder removed that says that we make an answer, if it still is ours.
    pub(super) fn release(&self, (key, epoch): (PlanKey, Epoch), cas: u64) {
        self.put(Order::Release { key, epoch, cas });
    }

    fn put(&self, order: Order) {
        if self.orders.try_send(order).is_err() {
            metrics::memcached_dropped("queue");
        }
    }
}

async fn send_all(server: Arc<Server>, mut queue: Receiver<Order>, ttl_s: u32) {
    while let Some(order) = queue.recv().await {
        if server.is_left_alone() {
            metrics::memcached_dropped("left_alone");
            continue;
        }
        let stores = matches!(order, Order::Store { .. });
        let Some(command) = order.command(ttl_s) else { continue };
        match server.ask(&command, PATIENCE).await {
            Ok(answer) if answer.head.ok() && stores => metrics::memcached_stored(),
            Ok(_) => {}
            Err(error) => metrics::memcached_error(error.reason()),
        }
    }
}

impl Order {
    /// In the words of the protocol; nothing where those cannot say it, which no key of ours makes happen.
    fn command(&self, ttl_s: u32) -> Option<MetaCommand> {
        match self {
            Self::Store { key, epoch, rendered, .. } => {
                let mut options = SetOptions::default();
                options.ttl = Some(ttl_s);
                build_set(entry::name(*key, *epoch), entry::write(*key, rendered), &options).ok()
            }
            Self::Release { key, epoch, cas } => {
                let mut options = DeleteOptions::default();
                options.compare_cas = Some(*cas);
                build_delete(entry::name(*key, *epoch), &options).ok()
            }
        }
    }
}
