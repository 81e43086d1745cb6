//! `Making`: how an answer that a shard lacks is come by: from memcached, or made of the image, once there
//! is room for its pixels.

use std::sync::Arc;
use std::time::Instant;

use actix::MailboxError;

use crate::actors::cache_shard::{Obtain, ObtainResult, Obtained, Origin, ShardError};
use crate::actors::mail::Mail;
use crate::actors::memcached::{Memcached, Sought};
use crate::actors::order::Rendered;
use crate::actors::room::Room;

/// What all shards make answers with.
#[derive(Clone, Debug)]
pub struct Making {
    /// The budget of bytes.
    pub room: Room,
    /// The cache that instances share, if there is one.
    pub memcached: Option<Arc<Memcached>>,
}

impl Making {
    /// The answer from wherever it is. A stored tile that is sent as it is costs less to read than to ask
    /// for elsewhere, so memcached never hears of it.
    pub(super) async fn find_or_make(self, order: Obtain) -> ObtainResult {
        let shared = self.memcached.clone().filter(|_| order.render.plan.pass_through.is_none());
        let Some(memcached) = shared else {
            return self.make(order).await.map(of_image);
        };
        let (key, started) = (order.key, Instant::now());
        let sought = memcached.seek(key, order.render.image.id()).await;
        order.render.timeline.note("memcached", started);
        let lease = match sought {
            Sought::Found(rendered) => return Ok(Obtained { rendered, from: Origin::Memcached }),
            Sought::Absent(lease) => lease,
        };
        let made = self.make(order).await;
        memcached.settle(key, &lease, made.as_ref().ok());
        made.map(of_image)
    }

    async fn make(&self, order: Obtain) -> Result<Rendered, ShardError> {
        let Obtain { render, decoder, .. } = order;
        let started = Instant::now();
        let permit = self.room.admit(&render).await;
        render.timeline.note("room", started);
        let permit = permit?;
        let rendered = decoder.send(Mail::to("decoder", render)).await;
        drop(permit);
        match rendered {
            Ok(rendered) => rendered.map_err(ShardError::Render),
            Err(MailboxError::Closed | MailboxError::Timeout) => Err(ShardError::DecoderGone),
        }
    }
}

fn of_image(rendered: Rendered) -> Obtained {
    Obtained { rendered, from: Origin::Image }
}
