//! `Memcached`: the cache that instances share. Who leads the making of an answer asks here first, within
//! a budget of time, and hands over what it made; nothing here ever makes a request fail.
//!
//! Of many instances that lack the same answer one is told to make it: the first to ask leaves an empty
//! placeholder that lasts some seconds (`mg` with `N`), and the others wait for what takes its place.
//!
//! # Source
//! memcached's `doc/protocol.txt`, "Meta Commands" and "Miss invalidation", of release 1.6.

mod breaker;
mod connection;
mod entry;
mod filler;
mod purge_log;
mod purges;
mod server;

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::ArbiterHandle;
use memcache::exp::{GetOptions, MetaCommand, Rendezvous, Router as _, build_get};
use tokio::time::sleep;
use xxhash_rust::xxh3::xxh3_64;

use crate::actors::order::Rendered;
use crate::actors::purge::Purge;
use crate::config::MemcachedConfig;
use crate::metrics;
use crate::model::ImageId;
use crate::plan::PlanKey;

use connection::Answer;
use filler::Filler;
use purge_log::Epoch;
use purges::Purges;
use server::{Server, ServerError};

/// How long others wait for one that said it makes an answer, in seconds: longer than most answers take,
/// short enough that an instance that died is not missed for long.
const LEASE_S: u32 = 10;

/// What an entry costs a server beside its value: its name, the server's own head and its rounding.
const ITEM_BYTES: u64 = 512;

/// The first pause before another look for an answer that is being made elsewhere: a tile takes some
/// milliseconds.
const PAUSE_MIN: Duration = Duration::from_millis(2);

/// The longest such pause.
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// What became of a look for an answer.
#[derive(Debug)]
pub enum Sought {
    /// It is there.
    Found(Rendered),
    /// It has to be made.
    Absent(Lease),
}

/// The task to make an answer. Others may be waiting for it.
#[derive(Debug)]
pub struct Lease {
    /// What tells our placeholder from another's, where we left one.
    cas: Option<u64>,
    /// Which purges had been when it was looked for: what is made of a file as it was before a purge is
    /// never found after it.
    epoch: Epoch,
}

/// What one look at a server showed.
enum Look {
    Found(Rendered),
    Ours(u64),
    Others,
    Nothing,
}

#[derive(Debug)]
struct Shelf {
    server: Arc<Server>,
    filler: Filler,
}

/// The servers, and which answer belongs on which.
#[derive(Debug)]
pub struct Memcached {
    shelves: Vec<Shelf>,
    names: Vec<String>,
    router: Rendezvous,
    purges: Purges,
    budget: Duration,
    wait: Duration,
    value_bytes_max: usize,
}

impl Memcached {
    /// Nothing where no server is configured. Connects to none: servers may be started later.
    pub(super) fn start(config: &MemcachedConfig, arbiters: &[ArbiterHandle]) -> Option<Self> {
        if config.servers.is_empty() {
            return None;
        }
        let value_bytes_max = config.item_bytes_max.saturating_sub(ITEM_BYTES);
        let value_bytes_max = usize::try_from(value_bytes_max).unwrap_or(usize::MAX);
        let shelf = |(number, place): (usize, _)| {
            let server = Arc::new(Server::new(place, value_bytes_max, config.budget));
            let arbiter = arbiters.get(number % arbiters.len().max(1));
            let filler = Filler::start(Arc::clone(&server), config.ttl_s, arbiter);
            Shelf { server, filler }
        };
        let shelves: Vec<Shelf> = config.servers.iter().cloned().enumerate().map(shelf).collect();
        Some(Self {
            names: shelves.iter().map(|shelf| shelf.server.name().to_owned()).collect(),
            shelves,
            router: Rendezvous::with_hash_function(xxh3_64),
            purges: Purges::new(value_bytes_max),
            budget: config.budget,
            wait: config.wait,
            value_bytes_max,
        })
    }

    /// Looks for an answer of an image; waits for it where another instance is making it.
    pub(super) async fn seek(&self, key: PlanKey, image: &ImageId) -> Sought {
        let (started, epoch) = (Instant::now(), self.purges.epoch_of(image));
        let (sought, outcome) = self.look_until_found((key, epoch), started).await;
        metrics::memcached_asked(outcome, started.elapsed());
        sought
    }

    async fn look_until_found(
        &self,
        (key, epoch): (PlanKey, Epoch),
        started: Instant,
    ) -> (Sought, &'static str) {
        let absent = |cas| Sought::Absent(Lease { cas, epoch });
        let mut pause = PAUSE_MIN;
        loop {
            let outcome = match self.look(key, epoch).await {
                Look::Found(rendered) if pause == PAUSE_MIN => {
                    return (Sought::Found(rendered), "hit");
                }
                Look::Found(rendered) => return (Sought::Found(rendered), "waited"),
                Look::Ours(cas) => return (absent(Some(cas)), "miss"),
                Look::Others if started.elapsed() + pause < self.wait => {
                    sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                    continue;
                }
                Look::Others => "tired",
                Look::Nothing => "failed",
            };
            return (absent(None), outcome);
        }
    }

    async fn look(&self, key: PlanKey, epoch: Epoch) -> Look {
        let Some(shelf) = self.shelf_of(key) else { return Look::Nothing };
        let Some(command) = look_command(key, epoch) else { return Look::Nothing };
        match shelf.server.ask(&command, self.budget).await {
            Ok(answer) => seen(key, answer),
            Err(error) => {
                metrics::memcached_error(error.reason());
                Look::Nothing
            }
        }
    }

    /// Hands over what was made, or that nothing was, which ends the waiting of others.
    pub(super) fn settle(&self, key: PlanKey, lease: &Lease, made: Option<&Rendered>) {
        let Some(shelf) = self.shelf_of(key) else { return };
        let fitting = made.filter(|made| self.takes(made));
        if made.is_some() && fitting.is_none() {
            metrics::memcached_dropped("size");
        }
        let name = (key, lease.epoch);
        match (fitting, lease.cas) {
            (Some(rendered), _) => shelf.filler.store(name, rendered.clone()),
            (None, Some(cas)) => shelf.filler.release(name, cas),
            (None, None) => {}
        }
    }

    /// Notes a purge: what was stored before is not found here any more.
    pub(super) fn note(&self, purge: &Purge) {
        self.purges.note(purge);
    }

    /// Tells the others of our purges, and hears of theirs; whether the server that keeps the log answered.
    pub(super) async fn tell(&self) -> bool {
        let at = self.router.route(purges::NAME.as_bytes(), &self.names);
        let Some(shelf) = self.shelves.get(at) else { return false };
        let told = self.purges.tell(&shelf.server).await;
        match &told {
            // It is looked after already.
            Ok(()) | Err(ServerError::LeftAlone) => {}
            Err(error) => metrics::memcached_error(error.reason()),
        }
        told.is_ok()
    }

    /// What others purged since this was asked last.
    pub(super) fn news(&self) -> Vec<Purge> {
        self.purges.news()
    }

    fn takes(&self, made: &Rendered) -> bool {
        made.bytes.len() + entry::HEAD_BYTES <= self.value_bytes_max
    }

    /// The server of a key: the same for every instance that is given the same servers, in any order, and
    /// without one of them only that one's keys move.
    fn shelf_of(&self, key: PlanKey) -> Option<&Shelf> {
        self.shelves.get(self.router.route(&key.as_u128().to_le_bytes(), &self.names))
    }

    /// Sets the gauges of every server.
    pub(super) fn observe(&self) {
        for shelf in &self.shelves {
            shelf.server.observe();
        }
    }
}

/// Asks for the value, and where there is none, to leave a placeholder.
fn look_command(key: PlanKey, epoch: Epoch) -> Option<MetaCommand> {
    let mut options = GetOptions::default();
    options.return_cas = true;
    options.vivify_ttl = Some(LEASE_S);
    build_get(entry::name(key, epoch), &options).ok()
}

/// What a server's answer says of `key`.
fn seen(key: PlanKey, answer: Answer) -> Look {
    let Answer { head, value: Some(value) } = answer else { return Look::Nothing };
    match head.cas {
        Some(cas) if value.is_empty() && head.won => return Look::Ours(cas),
        _ if value.is_empty() && head.busy => return Look::Others,
        _ => {}
    }
    let found = entry::read(key, &value);
    if found.is_none() {
        metrics::memcached_error("corrupt");
    }
    found.map_or(Look::Nothing, Look::Found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MemcachedServer;

    fn servers(names: &[&str]) -> Memcached {
        let servers = names.iter().map(|name| MemcachedServer::Tcp((*name).to_owned()));
        let config = MemcachedConfig { servers: servers.collect(), ..MemcachedConfig::default() };
        actix::System::new().block_on(async { Memcached::start(&config, &[]) }).unwrap()
    }

    fn server_of(memcached: &Memcached, number: u64) -> String {
        let key = PlanKey::from_u128(u128::from(xxh3_64(&number.to_le_bytes())) << 32);
        memcached.shelf_of(key).unwrap().server.name().to_owned()
    }

    #[test]
    fn without_one_of_four_servers_only_its_quarter_of_the_keys_moves() {
        let four = servers(&["a:1", "b:1", "c:1", "d:1"]);
        let three = servers(&["d:1", "b:1", "a:1"]);
        let mut moved = 0;
        for number in 0..10_000 {
            let (before, after) = (server_of(&four, number), server_of(&three, number));
            if before == "c:1" {
                moved += 1;
            } else {
                assert_eq!(before, after);
            }
        }
        assert!((2_200..2_800).contains(&moved), "{moved} of 10000 moved");
    }

    #[test]
    fn nothing_is_started_where_no_server_is_configured() {
        assert!(Memcached::start(&MemcachedConfig::default(), &[]).is_none());
    }
}
