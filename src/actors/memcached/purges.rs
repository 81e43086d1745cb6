//! `Purges`: this instance's purge log, and how it is kept the same as the one in memcached. No clock has
//! any part in it: whoever writes the log has read it just before, and writes only over what was read.

use std::hash::{BuildHasher as _, RandomState};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use memcache::exp::{GetOptions, MetaCommand, SetMode, SetOptions, build_get, build_set};

use crate::actors::memcached::purge_log::{Epoch, PurgeLog};
use crate::actors::memcached::server::{Server, ServerError};
use crate::actors::purge::Purge;
use crate::metrics;
use crate::model::ImageId;

/// What the log is called.
pub(super) const NAME: &str = "tessera:purges";

/// Bytes of the log at most: some hundred names. Every instance reads it every second.
const LOG_BYTES_MAX: usize = 16_384;

/// Purges that are remembered while the server cannot be told of them; more are that of everything.
const UNTOLD_MAX: usize = 256;

/// How long the server may take over reading or writing it.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it is tried again where others write at the same moment.
const ATTEMPTS_MAX: usize = 8;

/// What is known of purges.
#[derive(Debug)]
pub(super) struct Purges {
    known: Mutex<Known>,
    bytes_max: usize,
    seed: RandomState,
}

#[derive(Debug, Default)]
struct Known {
    log: PurgeLog,
    /// As it was last read or written over there.
    seen: PurgeLog,
    /// Purges of this instance that are not over there yet, each with the count at which it came.
    untold: Vec<(Purge, u64)>,
    /// Purges of others that this instance has not followed yet.
    news: Vec<Purge>,
    count: u64,
}

/// The log as it was read.
struct Read {
    log: PurgeLog,
    /// What tells this state of it from others, where there is one.
    cas: Option<u64>,
    /// Whether it was a log at all.
    is_whole: bool,
}

/// Both logs as one.
struct Joined {
    log: PurgeLog,
    /// Purges of ours up to this count are in it.
    count: u64,
}

impl Purges {
    /// An empty log that servers with room for so many bytes can keep.
    pub(super) fn new(value_bytes_max: usize) -> Self {
        let bytes_max = LOG_BYTES_MAX.min(value_bytes_max);
        Self { known: Mutex::default(), bytes_max, seed: RandomState::new() }
    }

    /// Which names the answers of an image have now.
    pub(super) fn epoch_of(&self, image: &ImageId) -> Epoch {
        self.known().log.epoch_of(image)
    }

    /// Notes a purge, which counts here at once.
    pub(super) fn note(&self, purge: &Purge) {
        let mut known = self.known();
        let id = self.fresh_id(&mut known);
        known.log.note(purge.clone(), id, self.bytes_max);
        let count = known.count;
        if known.untold.len() < UNTOLD_MAX {
            known.untold.push((purge.clone(), count));
        } else {
            known.untold = vec![(Purge::All, count)];
        }
    }

    /// Makes this log and the one on `server` the same.
    ///
    /// # Errors
    /// The server does not answer, or others write all the time; nothing is lost by it.
    pub(super) async fn tell(&self, server: &Arc<Server>) -> Result<(), ServerError> {
        for _ in 0..ATTEMPTS_MAX {
            let read = self.read(server).await?;
            let joined = self.join(&read.log);
            let is_there = read.is_whole && joined.log == read.log;
            if is_there || write(server, &joined.log, read.cas).await? {
                let mut known = self.known();
                known.seen = joined.log;
                known.untold.retain(|(_, count)| joined.count < *count);
                return Ok(());
            }
        }
        Err(ServerError::Busy)
    }

    /// What others purged since this was asked last.
    pub(super) fn news(&self) -> Vec<Purge> {
        mem::take(&mut self.known().news)
    }

    async fn read(&self, server: &Arc<Server>) -> Result<Read, ServerError> {
        let mut options = GetOptions::default();
        options.return_cas = true;
        let Ok(command) = build_get(NAME, &options) else { return Err(ServerError::Busy) };
        let answer = server.ask(&command, PATIENCE).await?;
        let Some(value) = answer.value else {
            return Ok(Read { log: PurgeLog::default(), cas: None, is_whole: true });
        };
        let parsed = PurgeLog::parse(&value);
        let is_whole = parsed.is_some();
        let log = parsed.unwrap_or_else(|| {
            metrics::memcached_error("corrupt");
            self.everything()
        });
        Ok(Read { log, cas: answer.head.cas, is_whole })
    }

    /// What is put in the place of a log of which nobody knows what it said.
    fn everything(&self) -> PurgeLog {
        let mut log = PurgeLog::default();
        log.note(Purge::All, self.fresh_id(&mut self.known()), self.bytes_max);
        log
    }

    /// Takes over what another log says.
    fn join(&self, theirs: &PurgeLog) -> Joined {
        let mut known = self.known();
        let mut log = known.log.joined(theirs, &known.seen, self.bytes_max);
        if log == *theirs && !known.log.is_kin_of(theirs) {
            // Theirs has taken the place of ours: what they were not told of is noted anew.
            for (purge, _) in known.untold.clone() {
                let id = self.fresh_id(&mut known);
                log.note(purge, id, self.bytes_max);
            }
        }
        let news = known.log.news(&log);
        known.news.extend(news);
        known.log = log.clone();
        Joined { log, count: known.count }
    }

    /// A number that no other purge has, by all odds, whoever made it.
    fn fresh_id(&self, known: &mut Known) -> u64 {
        known.count += 1;
        self.seed.hash_one(known.count)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes over what was read; whether it was still that.
async fn write(
    server: &Arc<Server>,
    log: &PurgeLog,
    cas: Option<u64>,
) -> Result<bool, ServerError> {
    let Some(command) = write_command(log, cas) else { return Err(ServerError::Busy) };
    Ok(server.ask(&command, PATIENCE).await?.head.ok())
}

/// Where there was no log, only if there still is none.
fn write_command(log: &PurgeLog, cas: Option<u64>) -> Option<MetaCommand> {
    let mut options = SetOptions::default();
    options.ttl = Some(0);
    options.compare_cas = cas;
    if cas.is_none() {
        options.mode = SetMode::Add;
    }
    build_set(NAME, log.to_bytes(), &options).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purges() -> Purges {
        Purges::new(usize::MAX)
    }

    fn one(name: &str) -> Purge {
        Purge::Image(name.to_owned())
    }

    /// As [`Purges::tell`], with a server that is always there.
    fn tell(purges: &Purges, server: &mut PurgeLog) {
        let joined = purges.join(server);
        server.clone_from(&joined.log);
        let mut known = purges.known();
        known.seen = joined.log;
        known.untold.retain(|(_, count)| joined.count < *count);
    }

    #[test]
    fn a_purge_reaches_the_others_once_and_nobody_hears_of_its_own() {
        let (here, there, mut server) = (purges(), purges(), PurgeLog::default());
        here.note(&one("a"));
        for _ in 0..3 {
            tell(&here, &mut server);
            tell(&there, &mut server);
        }
        assert_eq!((here.news(), there.news()), (vec![], vec![one("a")]));
        let image = ImageId::parse("a").unwrap();
        assert_eq!(here.epoch_of(&image), there.epoch_of(&image));
        assert_eq!(there.news(), []);
    }

    #[test]
    fn a_server_that_lost_the_log_is_told_again_by_those_who_know_it() {
        let (here, there, mut server) = (purges(), purges(), PurgeLog::default());
        here.note(&one("a"));
        tell(&here, &mut server);
        server = PurgeLog::default();
        tell(&there, &mut server);
        assert_eq!(there.news(), []);
        tell(&here, &mut server);
        tell(&there, &mut server);
        assert_eq!((here.news(), there.news()), (vec![], vec![one("a")]));
    }

    #[test]
    fn what_was_not_told_survives_that_others_purge_everything() {
        let (here, there, mut server) = (purges(), purges(), PurgeLog::default());
        here.note(&one("a"));
        there.note(&Purge::All);
        tell(&there, &mut server);
        let before = there.epoch_of(&ImageId::parse("a").unwrap());
        tell(&here, &mut server);
        tell(&there, &mut server);
        assert_eq!((here.news(), there.news()), (vec![Purge::All], vec![one("a")]));
        assert_ne!(there.epoch_of(&ImageId::parse("a").unwrap()), before);
    }

    #[test]
    fn more_than_can_be_remembered_is_everything() {
        let (here, there, mut server) = (purges(), purges(), PurgeLog::default());
        for number in 0..=UNTOLD_MAX {
            here.note(&one(&number.to_string()));
        }
        there.note(&Purge::All);
        tell(&there, &mut server);
        tell(&here, &mut server);
        tell(&there, &mut server);
        assert_eq!(there.news(), [Purge::All]);
    }
}
