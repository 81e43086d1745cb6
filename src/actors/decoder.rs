//! `Decoder`: the life of one image. It opens, re-checks and closes it, and hands its work to the
//! pools; no pixel is touched on the actor's own thread, so that many tiles are decoded at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{
    Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, ResponseActFuture, Supervised,
    WrapFuture,
};
use arc_swap::ArcSwapOption;
use tokio::sync::{Semaphore, oneshot};

use crate::actors::decoded_tiles::DecodedTiles;
use crate::actors::interest::{Asker, Interest};
use crate::actors::open_image::{OpenError, OpenImage, Opener};
use crate::actors::pool::{Pool, PoolError, Ticket};
use crate::actors::render::{self, RenderError, Rendered};
use crate::metrics;
use crate::model::ImageId;
use crate::plan::Plan;
use crate::sources::Folder;

/// What every Decoder works with.
#[derive(Clone)]
pub struct DecoderTools {
    /// Where files are.
    pub folder: Arc<Folder>,
    /// How files are opened.
    pub opener: Opener,
    /// Where tiles are decoded.
    pub decode_pool: Arc<Pool>,
    /// Where exports and slow formats are encoded.
    pub encode_pool: Arc<Pool>,
    /// Decoded tiles of all images.
    pub tiles: Arc<DecodedTiles>,
    /// Jobs of one image at once.
    pub jobs_max: usize,
    /// How long a job may wait for its turn.
    pub deadline: Duration,
    /// How long a failure is answered without trying again.
    pub failure_hold: Duration,
    /// Stored tiles of more bytes are not passed through.
    pub pass_through_bytes_max: Option<u64>,
}

impl std::fmt::Debug for DecoderTools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecoderTools").field("folder", &self.folder).finish_non_exhaustive()
    }
}

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

type LookupResult = Result<Arc<OpenImage>, LookupError>;

/// Asks for the image as its file stands now: opened if it was not, opened anew if the file changed.
#[derive(Debug, Message)]
#[rtype(result = "LookupResult")]
pub struct Lookup;

/// Asks for one answer of the image.
#[derive(Debug, Message)]
#[rtype(result = "Result<Rendered, RenderError>")]
pub struct Render {
    /// The image that the plan was made for.
    pub image: Arc<OpenImage>,
    /// What to do.
    pub plan: Arc<Plan>,
    /// Who waits for it.
    pub interest: Interest,
    /// When it is of no use any more.
    pub deadline: Instant,
}

/// The actor. State is kept over a restart only in what `restarting` leaves.
pub struct Decoder {
    id: ImageId,
    tools: DecoderTools,
    published: Published,
    failure: Option<(LookupError, Instant)>,
    looking: Vec<oneshot::Sender<LookupResult>>,
    permits: Arc<Semaphore>,
    in_flight: usize,
    panicked: bool,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Decoder {
    /// A Decoder that has not opened its image yet.
    pub fn new(id: ImageId, tools: DecoderTools, published: Published) -> Self {
        let permits = Arc::new(Semaphore::new(tools.jobs_max));
        Self {
            id,
            tools,
            published,
            failure: None,
            looking: Vec::new(),
            permits,
            in_flight: 0,
            panicked: false,
        }
    }

    /// Opens or checks in the pool; the answer goes to everybody who asked meanwhile.
    fn look(&mut self, ctx: &mut Context<Self>) {
        let asker = Asker::new();
        let ticket = Ticket::prompt(&asker, self.tools.deadline);
        let (pool, folder) = (Arc::clone(&self.tools.decode_pool), Arc::clone(&self.tools.folder));
        let (opener, id) = (Arc::clone(&self.tools.opener), self.id.clone());
        let open = self.published.load_full();
        let looked = async move {
            let job = pool.run(ticket, move |_| match open {
                Some(open) if open.is_current(&folder) => Ok(open),
                _ => OpenImage::open(&folder, &id, &opener).map(Arc::new),
            });
            let result = job.await;
            drop(asker);
            result
        };
        ctx.spawn(looked.into_actor(self).map(|result, actor, ctx| {
            let result = match result {
                Ok(opened) => opened.map_err(LookupError::Open),
                Err(error) => Err(LookupError::Pool(error)),
            };
            actor.looked(&result, ctx);
        }));
    }

    fn looked(&mut self, result: &LookupResult, ctx: &mut Context<Self>) {
        match result {
            Ok(open) => {
                self.failure = None;
                self.published.store(Some(Arc::clone(open)));
            }
            Err(error) => {
                self.published.store(None);
                // A file that is not there may come any moment, and asking is cheap.
                if !is_missing(error) {
                    self.failure = Some((error.clone(), Instant::now() + self.tools.failure_hold));
                }
                self.panicked |= matches!(error, LookupError::Pool(PoolError::Panicked { .. }));
            }
        }
        for asker in self.looking.drain(..) {
            // Who has gone needs no answer.
            let _gone = asker.send(result.clone());
        }
        self.restart_when_idle(ctx);
    }

    fn rendered(&mut self, result: &Result<Rendered, RenderError>, ctx: &mut Context<Self>) {
        self.in_flight -= 1;
        match result {
            Err(RenderError::Pool(PoolError::Panicked { .. })) => {
                self.panicked = true;
                self.published.store(None);
            }
            Err(RenderError::Changed) => self.published.store(None),
            _ => {}
        }
        self.restart_when_idle(ctx);
    }

    /// A decoder whose job panicked is replaced, once the jobs that did not panic are over.
    fn restart_when_idle(&self, ctx: &mut Context<Self>) {
        if self.panicked && self.in_flight == 0 && self.looking.is_empty() {
            actix::ActorContext::stop(ctx);
        }
    }
}

fn is_missing(error: &LookupError) -> bool {
    matches!(error, LookupError::Open(OpenError::Source(_)))
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

impl Handler<Lookup> for Decoder {
    type Result = ResponseActFuture<Self, LookupResult>;

    fn handle(&mut self, _: Lookup, ctx: &mut Self::Context) -> Self::Result {
        if let Some((error, until)) = &self.failure {
            if Instant::now() < *until {
                return Box::pin(std::future::ready(Err(error.clone())).into_actor(self));
            }
            self.failure = None;
        }
        let (reply, answer) = oneshot::channel();
        self.looking.push(reply);
        if self.looking.len() == 1 {
            self.look(ctx);
        }
        let answer = async move {
            let stopped = LookupError::Pool(PoolError::Stopped { pool: "decode" });
            answer.await.unwrap_or(Err(stopped))
        };
        Box::pin(answer.into_actor(self))
    }
}

impl Handler<Render> for Decoder {
    type Result = ResponseActFuture<Self, Result<Rendered, RenderError>>;

    fn handle(&mut self, message: Render, _: &mut Self::Context) -> Self::Result {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            metrics::shed("image_jobs");
            return Box::pin(std::future::ready(Err(RenderError::ImageBusy)).into_actor(self));
        };
        self.in_flight += 1;
        let tools = self.tools.clone();
        let rendering = async move {
            let result = render::render(&tools, message).await;
            drop(permit);
            result
        };
        Box::pin(rendering.into_actor(self).map(|result, actor, ctx| {
            actor.rendered(&result, ctx);
            result
        }))
    }
}
