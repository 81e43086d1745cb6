//! `Decoder`: the life of one image. It opens, re-checks and closes it, and hands its work to the
//! pools; no pixel is touched on the actor's own thread, so that many tiles are decoded at once.

use std::sync::Arc;
use std::time::Instant;

use actix::{
    Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, ResponseActFuture,
    ResponseFuture, Supervised, WrapFuture,
};
use arc_swap::ArcSwapOption;
use tokio::sync::{Semaphore, oneshot};

use crate::actors::by_lane::ByLane;
use crate::actors::decoder_tools::DecoderTools;
use crate::actors::interest::Asker;
use crate::actors::mail::Mail;
use crate::actors::modules::ListedModule;
use crate::actors::open_image::{OpenError, OpenImage, Unopened};
use crate::actors::order::{Render, RenderError, Rendered};
use crate::actors::pool::{PoolError, Ticket};
use crate::actors::render;
use crate::imaging::Scratch;
use crate::metrics;
use crate::model::ImageId;

/// Panics or dead processes in a row, without one answer between them, after which the image is held to be
/// broken: one bad tile must not close its image, and an image that only kills must not burn a core.
const DEATHS_IN_A_ROW_MAX: usize = 5;

/// Where a Decoder publishes its open image for everybody to read without a message.
pub type Published = Arc<ArcSwapOption<OpenImage>>;

/// Why a Decoder has no open image to give.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LookupError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The pool did not do it.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

impl LookupError {
    /// Whether it says something of the image that still holds in a moment. A missing file may come any
    /// time and asking is cheap; slices that are not there can be named without end; a full pool says
    /// nothing of the image at all.
    pub(super) fn is_lasting(&self) -> bool {
        match self {
            Self::Open(OpenError::Codec(error)) => !error.is_absent() && !error.is_passing(),
            Self::Open(OpenError::Source(_)) => false,
            Self::Pool(error) => matches!(error, PoolError::Panicked { .. }),
        }
    }

    /// Whether there is nothing under that name, or no such slice of it.
    fn is_absent(&self) -> bool {
        match self {
            Self::Open(OpenError::Codec(error)) => error.is_absent(),
            Self::Open(OpenError::Source(_)) => true,
            Self::Pool(_) => false,
        }
    }
}

type LookupResult = Result<Arc<OpenImage>, LookupError>;

/// Asks for the image as its file stands now: opened if it was not, opened anew if the file changed.
#[derive(Debug, Message)]
#[rtype(result = "LookupResult")]
pub struct Lookup;

/// The actor. State is kept over a restart only in what `restarting` leaves.
pub struct Decoder {
    id: ImageId,
    tools: DecoderTools,
    published: Published,
    failure: Option<(LookupError, Instant)>,
    looking: Vec<oneshot::Sender<LookupResult>>,
    permits: ByLane<Arc<Semaphore>>,
    in_flight: usize,
    panicked: bool,
    deaths_in_a_row: usize,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Decoder {
    /// A Decoder that has not opened its image yet.
    pub fn new(id: ImageId, tools: DecoderTools, published: Published) -> Self {
        let permits = ByLane::each(|| Arc::new(Semaphore::new(tools.jobs_max)));
        Self {
            id,
            tools,
            published,
            failure: None,
            looking: Vec::new(),
            permits,
            in_flight: 0,
            panicked: false,
            deaths_in_a_row: 0,
        }
    }

    /// Checks or opens in the pools; the answer goes to everybody who asked meanwhile.
    fn look(&mut self, ctx: &mut Context<Self>) {
        let asker = Asker::new();
        let ticket = Ticket::cheap(&asker, self.tools.deadline);
        let (tools, id) = (self.tools.clone(), self.id.clone());
        let open = self.published.load_full();
        let looked = async move {
            let result = check_or_open(&tools, id, open, ticket).await;
            drop(asker);
            result
        };
        ctx.spawn(looked.into_actor(self).map(|result, actor, ctx| actor.looked(&result, ctx)));
    }

    fn looked(&mut self, result: &LookupResult, ctx: &mut Context<Self>) {
        if let Err(LookupError::Open(OpenError::Codec(error))) = result {
            metrics::codec_failure(error.format(), error.cause());
        }
        match result {
            Ok(open) => {
                self.failure = None;
                self.published.store(Some(Arc::clone(open)));
            }
            Err(error) if error.is_absent() => self.published.store(None),
            Err(error) if error.is_lasting() => {
                self.published.store(None);
                self.hold(error.clone());
                self.panicked |= matches!(error, LookupError::Pool(_));
            }
            // What is published stays, and the next look checks it again before it is used.
            Err(_busy) => {}
        }
        for asker in self.looking.drain(..) {
            // Who has gone needs no answer.
            let _gone = asker.send(result.clone());
        }
        self.restart_when_idle(ctx);
    }

    /// Answers lookups with `error` for a while.
    fn hold(&mut self, error: LookupError) {
        self.failure = Some((error, Instant::now() + self.tools.failure_hold));
    }

    fn rendered(
        &mut self,
        image: &Arc<OpenImage>,
        result: &Result<Rendered, RenderError>,
        ctx: &mut Context<Self>,
    ) {
        self.in_flight -= 1;
        if let Err(RenderError::Codec(error)) = result {
            metrics::codec_failure(&image.info().container, error.cause());
        }
        match result {
            Ok(_) => self.deaths_in_a_row = 0,
            Err(RenderError::Pool(error @ PoolError::Panicked { .. })) => {
                self.panicked = true;
                self.died(LookupError::Pool(error.clone()));
                self.unpublish(image);
            }
            Err(RenderError::Codec(error)) if error.is_deadly() => {
                if self.died(OpenError::Codec(Arc::clone(error)).into()) {
                    self.unpublish(image);
                }
            }
            Err(RenderError::Changed) => self.unpublish(image),
            Err(_) => {}
        }
        self.restart_when_idle(ctx);
    }

    /// Counts a panic or a dead process; whether there have been too many in a row, so that lookups are
    /// answered with `error` for a while.
    fn died(&mut self, error: LookupError) -> bool {
        self.deaths_in_a_row += 1;
        let too_many = DEATHS_IN_A_ROW_MAX <= self.deaths_in_a_row;
        if too_many {
            self.hold(error);
        }
        too_many
    }

    /// Takes `image` back; one that was opened after it stays, or each of many jobs that were at work on
    /// the old one would have the new one opened again.
    fn unpublish(&self, image: &Arc<OpenImage>) {
        let now = self.published.load_full();
        if now.is_some_and(|now| Arc::ptr_eq(&now, image)) {
            self.published.store(None);
        }
    }

    /// A decoder whose job panicked is replaced, once the jobs that did not panic are over.
    fn restart_when_idle(&self, ctx: &mut Context<Self>) {
        if self.panicked && self.in_flight == 0 && self.looking.is_empty() {
            actix::ActorContext::stop(ctx);
        }
    }
}

/// The open image if its file is still the same, else the file opened anew.
async fn check_or_open(
    tools: &DecoderTools,
    id: ImageId,
    open: Option<Arc<OpenImage>>,
    ticket: Ticket,
) -> LookupResult {
    let opened = if open.is_some() { "changed" } else { "first" };
    if let Some(open) = open {
        let folder = Arc::clone(&tools.folder);
        let check = move |_: &mut Scratch| open.is_current(&folder).then_some(open);
        if let Some(current) = tools.check_pool.run(ticket.clone(), check).await? {
            return Ok(current);
        }
    }
    let (folder, opener) = (Arc::clone(&tools.folder), Arc::clone(&tools.opener));
    let (modules, spare) = (Arc::clone(&tools.modules), tools.spare_threads());
    let open = move |_: &mut Scratch| {
        let unopened = Unopened::find(&folder, &id)?;
        match unopened.module(&modules)? {
            Some(module) => Ok(Opened::Later(unopened, module)),
            None => unopened.open((&opener, &spare), None).map(Opened::Now),
        }
    };
    let image = match tools.decode_pool.run(ticket.clone(), open).await?? {
        Opened::Now(image) => image,
        Opened::Later(unopened, module) => {
            let (opener, pool) = (Arc::clone(&tools.opener), Arc::clone(module.pool()));
            let spare = tools.spare_threads();
            let open = move |_: &mut Scratch| unopened.open((&opener, &spare), Some(module));
            pool.run(ticket, open).await??
        }
    };
    metrics::image_opened(&image.info().container, opened);
    Ok(Arc::new(image))
}

/// What the decode pool makes of a file: an image, or work for a module's pool, whose threads may wait.
enum Opened {
    Now(OpenImage),
    Later(Unopened, Arc<ListedModule>),
}

impl Actor for Decoder {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(self.tools.jobs_max);
    }
}

impl Supervised for Decoder {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        metrics::restart("decoder");
        tracing::warn!(image = %self.id, "decoder restarted after a panic");
        self.published.store(None);
        self.panicked = false;
    }
}

impl Handler<Mail<Lookup>> for Decoder {
    /// Not bound to the context: an answer must reach its asker though the actor restarts behind it.
    type Result = ResponseFuture<LookupResult>;

    fn handle(&mut self, mail: Mail<Lookup>, ctx: &mut Self::Context) -> Self::Result {
        let Lookup = mail.take_up();
        if let Some((error, until)) = &self.failure {
            if Instant::now() < *until {
                return Box::pin(std::future::ready(Err(error.clone())));
            }
            self.failure = None;
        }
        let (reply, answer) = oneshot::channel();
        self.looking.push(reply);
        if self.looking.len() == 1 {
            self.look(ctx);
        }
        Box::pin(async move {
            let stopped = LookupError::Pool(PoolError::Stopped { pool: "decode" });
            answer.await.unwrap_or(Err(stopped))
        })
    }
}

impl Handler<Mail<Render>> for Decoder {
    type Result = ResponseActFuture<Self, Result<Rendered, RenderError>>;

    fn handle(&mut self, mail: Mail<Render>, _: &mut Self::Context) -> Self::Result {
        let message = mail.take_up();
        let lane = message.plan.lane();
        let Ok(permit) = Arc::clone(self.permits.of(lane)).try_acquire_owned() else {
            metrics::shed(lane.label(), "image_jobs");
            return Box::pin(std::future::ready(Err(RenderError::ImageBusy)).into_actor(self));
        };
        self.in_flight += 1;
        let (tools, image) = (self.tools.clone(), Arc::clone(&message.image));
        let rendering = async move {
            let result = render::render(&tools, message).await;
            drop(permit);
            result
        };
        Box::pin(rendering.into_actor(self).map(move |result, actor, ctx| {
            actor.rendered(&image, &result, ctx);
            result
        }))
    }
}
