//! `CacheShard`: the actor of misses. It decides who makes an answer and who waits for it, lets work
//! in, and keeps what was made. Hits never come here: they are read from the [`ReplyMap`] in place.

mod in_flight;
mod making;
mod reply_map;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, ResponseFuture,
    Supervised, WrapFuture,
};
use tokio::sync::oneshot;

use crate::actors::admission::AdmissionError;
use crate::actors::decoder::Decoder;
use crate::actors::mail::Mail;
use crate::actors::order::{Render, RenderError, Rendered};
use crate::metrics;
use crate::model::ImageId;
use crate::plan::PlanKey;

use in_flight::{InFlight, Joined, Lead};
pub use making::Making;
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

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was made of the image.
    Image,
    /// Another who asked had it made.
    Neighbour,
    /// Some instance had left it there.
    Memcached,
}

/// An answer, and where its asker got it from.
#[derive(Clone, Debug)]
pub struct Obtained {
    /// The answer.
    pub rendered: Rendered,
    /// Where it came from.
    pub from: Origin,
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
    making: Making,
    in_flight: InFlight,
    in_flight_count: Arc<AtomicUsize>,
    jobs_max: usize,
}

impl CacheShard {
    /// A shard over `map`; at most `jobs_max` answers of each lane are being made at once. `in_flight_count` tells
    /// metrics how many.
    pub fn new(
        map: Arc<ReplyMap>,
        making: Making,
        in_flight_count: Arc<AtomicUsize>,
        jobs_max: usize,
    ) -> Self {
        Self { map, making, in_flight: InFlight::default(), in_flight_count, jobs_max }
    }

    fn lead(&mut self, message: Obtain, lead: Lead, ctx: &mut Context<Self>) {
        let key = message.key;
        let image = message.render.image.id().clone();
        let work = self.making.clone().find_or_make(message);
        let started = Instant::now();
        ctx.spawn(work.into_actor(self).map(move |result, shard, _| {
            tracing::debug!(?key, took = ?started.elapsed(), ok = result.is_ok(), "answer made");
            shard.finish((key, lead), image, &result);
        }));
    }

    fn finish(&mut self, (key, lead): (PlanKey, Lead), image: ImageId, result: &ObtainResult) {
        if let Ok(obtained) = result {
            self.map.put(key, image, obtained.rendered.clone());
        }
        let askers = self.in_flight.finish(key, lead, result.is_ok());
        for (number, asker) in askers.into_iter().enumerate() {
            let mut answer = result.clone();
            if let (Ok(obtained), 1..) = (&mut answer, number) {
                obtained.from = Origin::Neighbour;
            }
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
            let obtained = Obtained { rendered, from: Origin::Neighbour };
            return Box::pin(std::future::ready(Ok(obtained)));
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
