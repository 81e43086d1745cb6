//! How caches are emptied: here, and in every instance that shares memcached.

use std::time::Duration;

use actix::clock::sleep;

use crate::actors::purge::{Purge, Purged, Reach};
use crate::actors::service::Service;
use crate::metrics;

/// How often it is looked what other instances purged.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

impl Service {
    /// Forgets what caches hold, here and wherever memcached is shared. What is being made is answered, and
    /// kept.
    pub async fn purge(&self, purge: &Purge) -> Purged {
        let memcached = self.observed.memcached.as_ref();
        if let Some(memcached) = memcached {
            memcached.note(purge);
        }
        let purged = self.purge_here(purge);
        metrics::purge("here");
        let reach = match memcached {
            None => Reach::Alone,
            Some(memcached) if memcached.tell().await => Reach::Told,
            Some(_) => Reach::Later,
        };
        Purged { reach, ..purged }
    }

    /// Forgets what the caches of this process hold.
    pub fn purge_here(&self, purge: &Purge) -> Purged {
        let images = self.registry.purge(purge);
        metrics::images_closed("purge", images);
        Purged {
            answers: self.shards.purge(purge),
            tiles: self.observed.tiles.purge(purge),
            images,
            reach: Reach::Alone,
        }
    }

    /// Hears what was purged before this process came, so that it finds nothing of that in memcached.
    pub async fn hear_purges(&self) {
        let Some(memcached) = &self.observed.memcached else { return };
        // A server that does not answer is asked again soon.
        let _told = memcached.tell().await;
        for purge in memcached.news() {
            let purged = self.purge_here(&purge);
            metrics::purge("elsewhere");
            tracing::info!(?purge, ?purged, "caches purged, as another instance's were");
        }
    }

    /// Hears what other instances purge for as long as the process lives; ends at once where none can.
    pub async fn follow_purges(self) {
        while self.observed.memcached.is_some() {
            sleep(LOOK_INTERVAL).await;
            self.hear_purges().await;
        }
    }
}
