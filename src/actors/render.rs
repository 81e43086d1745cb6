//! From a plan to an answer's bytes. A tile's reading, decoding, steps and encoding run back to back in
//! one pool job: each hop between threads would cost more than it brings. Only exports go on to the
//! watermark pool, where they are marked, and these and what is slow to encode to the encode pool.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::actors::decoded_tiles::DecodedTiles;
use crate::actors::decoder_tools::DecoderTools;
use crate::actors::heavy_tiles::turn;
use crate::actors::interest::Interest;
use crate::actors::open_image::OpenImage;
use crate::actors::order::{Render, RenderError, Rendered};
use crate::actors::pool::Ticket;
use crate::actors::stopwatch::Stopwatch;
use crate::actors::tile_source::TileSource;
use crate::codecs::{self, About, Encoding};
use crate::imaging::{self, Histogram, Pixels, Raster, Scratch, Spread, Step, Tools, Watermark};
use crate::model::{Format, TileAddress};
use crate::plan::Plan;

/// Pixels above which marking an answer and encoding it are jobs of their own: eight tiles of 256 x 256.
const EXPORT_PX: u64 = 8 * 65_536;

/// What the first job made.
enum Made {
    Answer(Rendered),
    /// To be encoded.
    Pixels(Pixels),
    /// To be marked, then encoded.
    Unmarked(Raster),
}

/// Makes the answer.
///
/// # Errors
/// See [`RenderError`]; nothing half-made is ever returned.
pub async fn render(tools: &DecoderTools, order: Render) -> Result<Rendered, RenderError> {
    let Render { image, plan, interest, deadline, pass_through_bytes_max, timeline } = order;
    let turn = turn(&image, &plan, &tools.tiles, deadline).await?;
    let ticket = Ticket { lane: plan.lane(), deadline, interest };
    let watch = Arc::new(Stopwatch::noting(timeline));
    let job = Job {
        watch: Arc::clone(&watch),
        image: Arc::clone(&image),
        plan: Arc::clone(&plan),
        tiles: Arc::clone(&tools.tiles),
        interest: ticket.interest.clone(),
        pass_through_bytes_max,
    };
    let made = tools.pool_of(&image).run(ticket.clone(), move |scratch| job.make(scratch)).await;
    drop(turn);
    let pixels = match made?? {
        Made::Answer(rendered) => return Ok(rendered),
        Made::Pixels(pixels) => pixels,
        Made::Unmarked(raster) => {
            let plan = Arc::clone(&plan);
            let marking = Arc::clone(&watch);
            let mark = move |_: &mut Scratch| mark(raster, &plan, &marking);
            tools.watermark_pool.run(ticket.clone(), mark).await??.into()
        }
    };
    let encoding = encoding_of(&image, &plan);
    let encode = move |_: &mut Scratch| encode(&pixels, &encoding, &watch);
    tools.encode_pool.run(ticket, encode).await?
}

/// Everything that one answer's pixels are made from.
struct Job {
    watch: Arc<Stopwatch>,
    image: Arc<OpenImage>,
    plan: Arc<Plan>,
    tiles: Arc<DecodedTiles>,
    interest: Interest,
    pass_through_bytes_max: Option<u64>,
}

impl Job {
    fn make(&self, scratch: &mut Scratch) -> Result<Made, RenderError> {
        let made = match self.plan.pass_through {
            Some(at) => match self.pass(at)? {
                Some(rendered) => Ok(Made::Answer(rendered)),
                None => self.draw(scratch),
            },
            None => self.draw(scratch),
        };
        // Bytes of a file that is being written over may decode to anything, and fail as anything.
        if self.image.is_intact() { made } else { Err(RenderError::Changed) }
    }

    /// The stored tile as it is, where that is an answer.
    fn pass(&self, at: TileAddress) -> Result<Option<Rendered>, RenderError> {
        let started = Instant::now();
        let stored = self.image.decode().stored_tile(at, self.plan.encode.embed_icc)?;
        self.watch.decoded(started);
        let fits = |bytes: &Bytes| {
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            self.pass_through_bytes_max.is_none_or(|max| length <= max)
        };
        Ok(stored.filter(|tile| tile.format == self.plan.encode.format && fits(&tile.bytes)).map(
            |tile| Rendered {
                bytes: tile.bytes,
                format: tile.format,
                passed: true,
                spent: self.watch.read(),
            },
        ))
    }

    fn draw(&self, scratch: &mut Scratch) -> Result<Made, RenderError> {
        let started = Instant::now();
        let (image, tiles, interest) = (&*self.image, &*self.tiles, &self.interest);
        let pixels = TileSource { image, tiles, interest }.assemble(&self.plan.source)?;
        self.watch.decoded(started);

        let started = Instant::now();
        let (steps, watermark) = split(&self.plan.steps);
        let histogram = self.histogram(scratch)?;
        let mut tools = Tools { scratch, histogram: histogram.as_deref() };
        let pixels = imaging::apply_at_depth(steps, pixels, &mut tools)?;
        self.watch.processed(started);
        let (export, slow) =
            (EXPORT_PX < pixels.size().area(), self.plan.encode.format != Format::Jpeg);
        let pixels = match watermark {
            None => pixels,
            // Only bytes are marked: the plan refuses other depths.
            Some(_) if export => return Ok(Made::Unmarked(pixels.into_bytes()?)),
            Some(_) => mark(pixels.into_bytes()?, &self.plan, &self.watch)?.into(),
        };
        if export || slow {
            return Ok(Made::Pixels(pixels));
        }
        let encoding = encoding_of(&self.image, &self.plan);
        encode(&pixels, &encoding, &self.watch).map(Made::Answer)
    }

    /// The grays of the whole image, where a step goes by them: counted once, for as long as it is open.
    fn histogram(&self, scratch: &mut Scratch) -> Result<Option<Arc<Histogram>>, RenderError> {
        let Some(overview) = &self.plan.overview else { return Ok(None) };
        if let Some(known) = self.image.histogram() {
            return Ok(Some(known));
        }
        let (image, tiles, interest) = (&*self.image, &*self.tiles, &self.interest);
        let pixels = TileSource { image, tiles, interest }.assemble(&overview.source)?;
        let mut tools = Tools { scratch, histogram: None };
        let raster = imaging::apply(&overview.steps, pixels, &mut tools)?;
        // Two that come at once both count, and find the same.
        Ok(Some(self.image.keep_histogram(Histogram::of(&raster))))
    }
}

/// The steps up to the watermark, and that one, which is the last where there is one.
fn split(steps: &[Step]) -> (&[Step], Option<(&Watermark, &Spread)>) {
    match steps.split_last() {
        Some((Step::Watermark { watermark, spread }, steps)) => (steps, Some((watermark, spread))),
        _ => (steps, None),
    }
}

/// Puts the plan's marks on finished pixels.
fn mark(pixels: Raster, plan: &Plan, watch: &Stopwatch) -> Result<Raster, RenderError> {
    let (_, Some((watermark, spread))) = split(&plan.steps) else { return Ok(pixels) };
    let started = Instant::now();
    let pixels = imaging::watermark(pixels, watermark, spread)?;
    watch.marked(started);
    Ok(pixels)
}

fn encoding_of(image: &OpenImage, plan: &Plan) -> Encoding {
    let (info, encode) = (image.info(), plan.encode);
    let profile = info.icc.as_ref().filter(|_| encode.embed_icc);
    Encoding {
        format: encode.format,
        quality: encode.quality,
        subsampling: encode.subsampling,
        trellis: encode.trellis,
        compression: encode.compression,
        about: About {
            icc: profile.map(|profile| Arc::clone(&profile.bytes)),
            resolution: encode.resolution,
            metadata: encode.metadata.then(|| Arc::clone(&info.metadata)),
        },
    }
}

fn encode(
    pixels: &Pixels,
    encoding: &Encoding,
    watch: &Stopwatch,
) -> Result<Rendered, RenderError> {
    let started = Instant::now();
    let bytes = codecs::encode(pixels, encoding)?;
    watch.encoded(encoding.format.suffix(), started);
    Ok(Rendered { bytes, format: encoding.format, passed: false, spent: watch.read() })
}
