//! `Service::answer`: the way of a request, top to bottom. Whoever has read it knows the server.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use actix::MailboxError;
use arc_swap::ArcSwap;

use crate::actors::admission::{AdmissionError, AdmissionLimits};
use crate::actors::cache_shard::{Obtain, Origin, ShardError};
use crate::actors::decoder::LookupError;
use crate::actors::interest::{Asker, Interest};
use crate::actors::mail::Mail;
use crate::actors::modules::Modules;
use crate::actors::observed::Observed;
use crate::actors::open_image::{OpenError, OpenImage};
use crate::actors::order::{Render, RenderError, Rendered};
use crate::actors::policy::Policy;
use crate::actors::pool::{PoolError, Ticket};
use crate::actors::registry::{Found, ImageRegistry, RegistrySettings};
use crate::actors::shards::Shards;
use crate::actors::stopwatch::Spent;
use crate::actors::timeline::Timeline;
use crate::codecs::{self, CodecError};
use crate::config::Config;
use crate::metrics;
use crate::model::request::{Conditions, Frame, PictureRequest, TileRange};
use crate::model::{Fault, FaultKind, ImageId, Picture, Reply, Request, Want};
use crate::plan::{self, Lane, Plan, PlanError};
use crate::sources::{Folder, Listing, PresetError, SourceError};

/// How often a request is tried again when its image changed or its decoder was replaced under it.
const ATTEMPTS_MAX: usize = 4;

/// What the access log and the metrics say of a request.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Request class.
    pub class: &'static str,
    /// Format of the answer.
    pub format: &'static str,
    /// What the cache did.
    pub outcome: &'static str,
    /// In which lane it was made; nothing where no plan was needed.
    pub lane: Option<Lane>,
    /// Stored tiles that the answer needs.
    pub tiles: u64,
    /// Their pixels.
    pub source_px: u64,
    /// Where the time of its making went.
    pub spent: Spent,
    /// Its stages, where somebody wants to see them.
    pub timeline: Timeline,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            class: "other",
            format: "none",
            outcome: "none",
            lane: None,
            tiles: 0,
            source_px: 0,
            spent: Spent::default(),
            timeline: Timeline::default(),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The image cannot be opened.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The request does not fit the image or the limits.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The image has no such preset.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// The answer could not be made.
    #[error(transparent)]
    Shard(#[from] ShardError),
    /// The shard is gone.
    #[error("the cache shard does not answer")]
    Mailbox(#[from] MailboxError),
    /// Values could not be read.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The folder cannot be listed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The pool did not do it.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

/// A picture, and who wants it.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    picture: &'a PictureRequest,
    conditions: &'a Conditions,
    asker: &'a Asker,
    policy: &'a Policy,
}

/// Handles to everything that answers.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) folder: Arc<Folder>,
    pub(super) registry: Arc<ImageRegistry>,
    pub(super) shards: Arc<Shards>,
    pub(super) policy: Arc<ArcSwap<Policy>>,
    pub(super) observed: Arc<Observed>,
    pub(super) modules: Arc<Modules>,
}

impl Service {
    /// Answers one request about one image.
    ///
    /// # Errors
    /// See [`ServiceError`]; each has its [`Fault`].
    pub async fn answer(
        &self,
        request: &Request,
        facts: &mut Facts,
    ) -> Result<Reply, ServiceError> {
        let asker = &Asker::new();
        let policy = &*self.policy.load_full();
        let mut attempt = 1;
        loop {
            let started = Instant::now();
            let found = self.lookup(&request.image).await;
            facts.timeline.note("lookup", started);
            let found = found?;
            metrics::stage("lookup", started.elapsed());
            let answered = match &request.want {
                Want::Info => Ok(info(&found, facts)),
                Want::Picture(picture) => {
                    let conditions = &request.conditions;
                    let wanted = Wanted { picture, conditions, asker, policy };
                    self.picture(&found, wanted, facts).await
                }
                Want::Tiles(range) => self.tiles(&found, range, (asker, policy), facts).await,
                Want::Samples(samples) => {
                    (facts.class, facts.format) = ("info", "text");
                    let started = Instant::now();
                    let read = self.samples(&found, *samples, (asker, policy)).await;
                    facts.timeline.note("samples", started);
                    read
                }
            };
            match answered {
                Err(error) if error.is_passing() && attempt < ATTEMPTS_MAX => {
                    attempt += 1;
                }
                answered => return answered,
            }
        }
    }

    /// The image, opened with the quality layers that were asked for, where it has such: whatever numbers
    /// clients make up, an image is opened once for each number that changes its pixels.
    pub(super) async fn lookup(&self, id: &ImageId) -> Result<Found, LookupError> {
        let Some(asked) = id.selection().layers else { return self.registry.lookup(id).await };
        let found = self.registry.lookup(&id.clone().with_layers(None)).await?;
        match found.image.info().layers.and_then(|layers| layers.other(asked)) {
            None => Ok(found),
            other => self.registry.lookup(&id.clone().with_layers(other)).await,
        }
    }

    async fn picture(
        &self,
        found: &Found,
        wanted: Wanted<'_>,
        facts: &mut Facts,
    ) -> Result<Reply, ServiceError> {
        let Wanted { picture: request, conditions, asker, policy } = wanted;
        let image = &found.image;
        let request = &self.with_preset(request, image, (asker, policy)).await?;
        let plan = facts.timeline.timed("plan", || {
            plan::plan(request, image.id(), image.version(), image.info(), &policy.rules)
        })?;
        facts.class = plan.class.label();
        facts.lane = Some(plan.lane());
        facts.tiles += plan.cost.tiles;
        facts.source_px += plan.cost.source_px;
        facts.format = request.format.suffix();
        let etag = plan.key.to_string();
        let modified_s = image.version().modified_s();
        if conditions.are_met_by(&etag, modified_s) {
            facts.outcome = "not_modified";
            return Ok(Reply::NotModified { etag, modified_s });
        }
        let resolved = plan.resolved;
        let kept = facts.timeline.timed("cache", || self.shards.map_of(plan.key).find(plan.key));
        let rendered = match kept {
            Some(rendered) => {
                facts.outcome = "hit";
                rendered
            }
            None => self.obtain(found, plan, (asker, policy), facts).await?,
        };
        metrics::pixels_served(resolved.size.area());
        let Rendered { bytes, format, .. } = rendered;
        Ok(Reply::Picture(Picture { bytes, format, resolved, etag, modified_s }))
    }

    /// The request with what its preset says.
    pub(super) async fn with_preset<'a>(
        &self,
        request: &'a PictureRequest,
        image: &Arc<OpenImage>,
        (asker, policy): (&Asker, &Policy),
    ) -> Result<Cow<'a, PictureRequest>, ServiceError> {
        let Some(name) = &request.preset else { return Ok(Cow::Borrowed(request)) };
        if image.presets().is_none() {
            let (image, folder) = (Arc::clone(image), Arc::clone(&self.folder));
            let ticket = Ticket::cheap(asker, policy.deadlines.cheap);
            let read = move |_: &mut _| {
                image.read_presets(&folder);
            };
            self.observed.decode_pool.run(ticket, read).await?;
        }
        let preset = image.presets().ok_or(RenderError::Changed)?.find(name)?;
        let processing = request.processing.over(preset);
        Ok(Cow::Owned(PictureRequest { processing, preset: None, ..request.clone() }))
    }

    /// Tiles one after the other: those that the cache has cost nothing, and a range takes no more room
    /// than its largest tile.
    async fn tiles(
        &self,
        found: &Found,
        range: &TileRange,
        (asker, policy): (&Asker, &Policy),
        facts: &mut Facts,
    ) -> Result<Reply, ServiceError> {
        // What the client has is compared with the whole answer, not with each tile.
        let conditions = &Conditions::default();
        let mut tiles = Vec::new();
        for index in plan::range(range, found.image.info())? {
            let frame = Frame::IipTile { resolution: range.resolution, index };
            let picture = PictureRequest { frame, ..range.picture.clone() };
            let wanted = Wanted { picture: &picture, conditions, asker, policy };
            match self.picture(found, wanted, facts).await? {
                Reply::Picture(picture) => tiles.push((index, picture)),
                other => return Ok(other),
            }
        }
        Ok(Reply::Tiles(tiles))
    }

    /// Has the answer's shard make it, or waits for the one who makes it already.
    async fn obtain(
        &self,
        found: &Found,
        plan: Plan,
        (asker, policy): (&Asker, &Policy),
        facts: &mut Facts,
    ) -> Result<Rendered, ServiceError> {
        facts.outcome = "fault";
        let key = plan.key;
        let started = Instant::now();
        let deadline = started + *policy.deadlines.of(plan.lane());
        let render = Render {
            image: Arc::clone(&found.image),
            plan: Arc::new(plan),
            interest: Interest::of(asker),
            deadline,
            pass_through_bytes_max: policy.pass_through_bytes_max(),
            timeline: facts.timeline.clone(),
        };
        let message = Obtain { key, render, decoder: found.decoder.clone() };
        let obtained = self.shards.address_of(key).send(Mail::to("cache_shard", message)).await??;
        facts.outcome = match (obtained.from, obtained.rendered.passed) {
            (Origin::Neighbour, _) => "coalesced",
            (Origin::Memcached, _) => "memcached",
            (Origin::Image, true) => "passed",
            (Origin::Image, false) => "miss",
        };
        match obtained.from {
            Origin::Image => facts.spent = obtained.rendered.spent,
            Origin::Neighbour => facts.timeline.note("wait", started),
            Origin::Memcached => {}
        }
        Ok(obtained.rendered)
    }

    /// A page of a folder's images, for the gallery.
    ///
    /// # Errors
    /// No such folder, or no room in the pool.
    pub async fn list(
        &self,
        path: String,
        after: Option<String>,
        count_max: usize,
    ) -> Result<Listing, ServiceError> {
        let folder = Arc::clone(&self.folder);
        let asker = Asker::new();
        let ticket = Ticket::cheap(&asker, self.policy.load().deadlines.cheap);
        let pool = &self.observed.decode_pool;
        let modules = Arc::clone(&self.modules);
        let wanted = move |name: &str| codecs::is_image_name(name) || modules.name(name);
        let listed =
            pool.run(ticket, move |_| folder.list(&path, after.as_deref(), count_max, &wanted));
        Ok(listed.await??)
    }

    /// Sets the gauges that show the state of the cast; called when somebody scrapes.
    pub fn observe(&self) {
        metrics::level("tessera_images_open", u64::try_from(self.registry.len()).unwrap_or(0));
        self.shards.observe();
        self.observed.observe(self.shards.bytes());
        self.modules.observe();
    }

    /// Has requests that come from now on go by these.
    pub fn go_by(&self, policy: Policy, config: &Config) {
        self.policy.store(Arc::new(policy));
        self.registry.go_by(RegistrySettings::of(config));
        self.observed.admission.go_by(AdmissionLimits::of(config));
    }

    /// Images that the registry knows: open, or being opened.
    pub fn images_known(&self) -> usize {
        self.registry.len()
    }

    /// Closes idle images and ends idle processes of modules; call every few seconds.
    pub fn close_idle(&self) {
        self.registry.close_idle();
        self.modules.close_idle();
    }

    /// Ends the processes of modules; call when all requests are answered.
    pub fn stop(&self) {
        self.modules.stop();
    }
}

fn info(found: &Found, facts: &mut Facts) -> Reply {
    facts.class = "info";
    facts.format = "text";
    Reply::Info {
        info: Arc::clone(found.image.info()),
        modified_s: found.image.version().modified_s(),
    }
}

impl ServiceError {
    /// Whether another look at the image may well succeed: it changed, or its decoder was replaced, or
    /// those who led the work had gone.
    fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Shard(
                ShardError::DecoderGone
                    | ShardError::Render(
                        RenderError::Changed | RenderError::Pool(PoolError::Cancelled)
                    )
            ) | Self::Mailbox(_)
                | Self::Render(RenderError::Changed)
        )
    }

    /// Who is to blame, in words that anybody may read.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Lookup(LookupError::Open(OpenError::Source(error))) => source_fault(error),
            Self::Lookup(LookupError::Open(OpenError::Codec(error))) => codec_fault(error),
            Self::Lookup(LookupError::Pool(error)) | Self::Pool(error) => pool_fault(error),
            Self::Plan(error) => error.fault(),
            Self::Preset(error @ PresetError::Absent { .. }) => {
                Fault::bad_request(error.to_string())
            }
            Self::Preset(error @ PresetError::Broken { .. }) => {
                Fault::new(FaultKind::Image, error.to_string())
            }
            Self::Source(error) => source_fault(error),
            Self::Mailbox(_) => busy(),
            Self::Shard(error) => shard_fault(error),
            Self::Render(error) => render_fault(error),
        }
    }
}

fn shard_fault(error: &ShardError) -> Fault {
    match error {
        ShardError::Render(error) => render_fault(error),
        ShardError::Admission(AdmissionError::NoRoom)
        | ShardError::Busy
        | ShardError::DecoderGone => busy(),
        ShardError::Admission(error @ AdmissionError::TooLarge { .. }) => {
            Fault::new(FaultKind::TooLarge, error.to_string())
        }
    }
}

fn render_fault(error: &RenderError) -> Fault {
    match error {
        RenderError::Codec(error) => codec_fault(error),
        RenderError::Imaging(_) => bug(),
        RenderError::Pool(error) => pool_fault(error),
        RenderError::ImageBusy | RenderError::Changed => busy(),
    }
}

fn source_fault(error: &SourceError) -> Fault {
    match error {
        SourceError::NotFound => Fault::not_found("there is no image of this name"),
        SourceError::NoView { .. } => Fault::not_found(error.to_string()),
        error if error.is_shortage() => busy(),
        SourceError::Io(_) => Fault::new(FaultKind::Image, "the image's file cannot be read"),
    }
}

/// Texts of codecs speak of the file's inside and never of its path.
fn codec_fault(error: &CodecError) -> Fault {
    match error {
        CodecError::Absent { .. } => Fault::not_found(error.to_string()),
        CodecError::Malformed { .. }
        | CodecError::Unsupported { .. }
        | CodecError::OverLimit { .. }
        | CodecError::Process { .. } => Fault::new(FaultKind::Image, error.to_string()),
        CodecError::Unready { .. } => busy(),
        CodecError::Io(_) => Fault::new(FaultKind::Image, "the image's file cannot be read"),
    }
}

fn pool_fault(error: &PoolError) -> Fault {
    match error {
        PoolError::Full { .. }
        | PoolError::Expired { .. }
        | PoolError::Cancelled
        | PoolError::Stopped { .. } => busy(),
        PoolError::Panicked { .. } => bug(),
    }
}

fn busy() -> Fault {
    Fault::new(FaultKind::Busy, "the server is busy; try again in a moment")
}

fn bug() -> Fault {
    Fault::new(FaultKind::Bug, "the server failed to make this answer")
}
