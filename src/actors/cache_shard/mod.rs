//! `CacheShard`: the actor of misses. It decides who makes an answer and who waits for it, lets work
//! in, and keeps what was made. Hits never come here: they are read from the [`ReplyMap`] in place.

mod in_flight;
mod reply_map;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, MailboxError, Message,
    ResponseFuture, Supervised, WrapFuture,
};
use tokio::sync::oneshot;

use crate::actors::admission::AdmissionError;
use crate::actors::decoder::Decoder;
use crate::actors::mail::Mail;
use crate::actors::order::{Render, RenderError, Rendered};
use crate::actors::room::Room;
use crate::metrics;
use crate::model::ImageId;
use crate::plan::PlanKey;

use in_flight::{InFlight, Joined, Lead};
pub use reply_map::ReplyMap;

/// Why a shard has no answer. Cloned to everybody who waited.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ShardError {
    /// It could not be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// No room for it.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
    /// As many answers as may are being made in this shard.
    #[error("the cache shard is busy")]
    Busy,
    /// The image's decoder was replaced meanwhile.
    #[error("the image's decoder was replaced")]
    DecoderGone,
}

/// An answer, and whether its asker waited for another's work.
#[derive(Clone, Debug)]
pub struct Obtained {
    /// The answer.
    pub rendered: Rendered,
    /// Whether somebody else led.
    pub coalesced: bool,
}

type ObtainResult = Result<Obtained, ShardError>;

/// Asks for an answer that the map does not have.
#[derive(Debug, Message)]
#[rtype(result = "ObtainResult")]
pub struct Obtain {
    /// Its key.
    pub key: PlanKey,
    /// How it is made.
    pub render: Render,
    /// Who makes it.
    pub decoder: Addr<Decoder>,
}

/// The actor.
#[derive(Debug)]
pub struct CacheShard {
    map: Arc<ReplyMap>,
    room: Room,
    in_flight: InFlight,
    in_flight_count: Arc<AtomicUsize>,
    jobs_max: usize,
}

impl CacheShard {
    /// A shard over `map`; at most `jobs_max` answers of each lane are being made at once. `in_flight_count` tells
    /// metrics how many.
    pub fn new(
        map: Arc<ReplyMap>,
        room: Room,
        in_flight_count: Arc<AtomicUsize>,
        jobs_max: usize,
    ) -> Self {
        Self { map, room, in_flight: InFlight::default(), in_flight_count, jobs_max }
    }

    fn lead(&mut self, message: Obtain, lead: Lead, ctx: &mut Context<Self>) {
        let Obtain { key, render, decoder } = message;
        let image = render.image.id().clone();
        let room = self.room.clone();
        let work = async move {
            let permit = room.admit(&render).await?;
            let rendered = decoder.send(Mail::to("decoder", render)).await;
            drop(permit);
            match rendered {
                Ok(rendered) => rendered.map_err(ShardError::Render),
                Err(MailboxError::Closed | MailboxError::Timeout) => Err(ShardError::DecoderGone),
            }
        };
        let started = Instant::now();
        ctx.spawn(work.into_actor(self).map(move |result, shard, _| {
            tracing::debug!(?key, took = ?started.elapsed(), ok = result.is_ok(), "answer made");
            shard.finish((key, lead), image, &result);
        }));
    }

    fn finish(
        &mut self,
        (key, lead): (PlanKey, Lead),
        image: ImageId,
        result: &Result<Rendered, ShardError>,
    ) {
        if let Ok(rendered) = result {
            self.map.put(key, image, rendered.clone());
        }
        let askers = self.in_flight.finish(key, lead, result.is_ok());
        for (number, asker) in askers.into_iter().enumerate() {
            let coalesced = number != 0;
            let answer = result.clone().map(|rendered| Obtained { rendered, coalesced });
            // Who has gone needs no answer.
            let _gone = asker.send(answer);
        }
        self.in_flight_count.store(self.in_flight.len(), Ordering::Relaxed);
    }
}

impl Actor for CacheShard {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(self.jobs_max);
    }
}

impl Supervised for CacheShard {
    fn restarting(&mut self, _: &mut Self::Context) {
        metrics::restart("cache_shard");
        // The work of those who waited is lost with the old context; they are told by the closed reply.
        self.in_flight = InFlight::default();
        self.in_flight_count.store(0, Ordering::Relaxed);
    }
}

impl Handler<Mail<Obtain>> for CacheShard {
    type Result = ResponseFuture<ObtainResult>;

    fn handle(&mut self, mail: Mail<Obtain>, ctx: &mut Self::Context) -> Self::Result {
        let message = mail.take_up();
        // Made between the asker's look at the map and this message.
        if let Some(rendered) = self.map.peek(message.key) {
            metrics::coalesced();
            return Box::pin(std::future::ready(Ok(Obtained { rendered, coalesced: true })));
        }
        let lane = message.render.plan.lane();
        let (reply, answer) = oneshot::channel();
        match self.in_flight.join(
            (message.key, lane),
            &message.render.interest,
            reply,
            self.jobs_max,
        ) {
            Joined::Waits => metrics::coalesced(),
            Joined::Leads(lead) => self.lead(message, lead, ctx),
            Joined::Refused => {
                metrics::shed(lane.label(), "shard_jobs");
                return Box::pin(std::future::ready(Err(ShardError::Busy)));
            }
        }
        self.in_flight_count.store(self.in_flight.len(), Ordering::Relaxed);
        Box::pin(async move { answer.await.unwrap_or(Err(ShardError::DecoderGone)) })
    }
}
