//! Stored values of every page or view under an image's name, read in the decode pool one view after the
//! other: small reads, which no cache keeps.

use std::sync::Arc;

use crate::actors::interest::Asker;
use crate::actors::open_image::OpenImage;
use crate::actors::order::RenderError;
use crate::actors::policy::Policy;
use crate::actors::pool::Ticket;
use crate::actors::registry::Found;
use crate::actors::service::{Service, ServiceError};
use crate::actors::tile_source::TileSource;
use crate::imaging::Pixels;
use crate::model::samples::{SamplesRequest, ViewSamples};
use crate::model::{ImageInfo, Reply, SampleType, Slice};
use crate::plan::{self, PlanError};

/// Pages or views that one answer gives values of at most.
const VIEWS_MAX: usize = 256;

impl Service {
    /// The values of all pages, or of all horizontal views at the vertical one that was asked for.
    pub(super) async fn samples(
        &self,
        found: &Found,
        request: SamplesRequest,
        (asker, policy): (&Asker, &Policy),
    ) -> Result<Reply, ServiceError> {
        let image = &found.image;
        if policy.rules.watermarks.of(image.id()).is_some() {
            // Row by row they would be the picture without its mark.
            return Err(PlanError::ValuesOfMarked.into());
        }
        let slices = slices(image)?;
        let mut views = Vec::with_capacity(slices.len());
        for (index, slice) in slices.into_iter().enumerate() {
            let view = if slice == image.id().slice() {
                Arc::clone(image)
            } else {
                let id = image.id().clone().with_slice(slice);
                Arc::clone(&self.registry.lookup(&id).await?.image)
            };
            views.push(self.view_samples(view, index, request, (asker, policy)).await?);
        }
        Ok(Reply::Samples { views, modified_s: image.version().modified_s() })
    }

    async fn view_samples(
        &self,
        image: Arc<OpenImage>,
        index: usize,
        request: SamplesRequest,
        (asker, policy): (&Asker, &Policy),
    ) -> Result<ViewSamples, ServiceError> {
        let source = plan::samples(request, image.info(), &policy.rules.limits)?;
        let ticket = Ticket::cheap(asker, policy.deadlines.cheap);
        let interest = ticket.interest.clone();
        let (tiles, module) = (Arc::clone(&self.observed.tiles), image.module().cloned());
        let read = move |_: &mut _| {
            let (image, tiles, interest) = (&*image, &*tiles, &interest);
            let pixels = TileSource { image, tiles, interest }.assemble(&source)?;
            if image.is_intact() {
                Ok(view_samples(&pixels, image.info(), index))
            } else {
                Err(RenderError::Changed)
            }
        };
        let pool = module.as_ref().map_or(&self.observed.decode_pool, |module| module.pool());
        Ok(pool.run(ticket, read).await??)
    }
}

/// The slice of an image that has one only, else that of each horizontal view.
fn slices(image: &OpenImage) -> Result<Vec<Slice>, PlanError> {
    let horizontal = &image.info().views.horizontal;
    if horizontal.len() < 2 || matches!(image.id().slice(), Slice::Associated(_)) {
        return Ok(vec![image.id().slice()]);
    }
    if VIEWS_MAX < horizontal.len() {
        return Err(PlanError::ViewsOverLimit { views: horizontal.len(), limit: VIEWS_MAX });
    }
    let (_, vertical) = image.id().slice().numbers();
    Ok(horizontal.iter().map(|view| Slice::view(*view, vertical)).collect())
}

fn view_samples(pixels: &Pixels, info: &ImageInfo, index: usize) -> ViewSamples {
    let unit = info.unit();
    // A product of two roundings is next to the whole number that is stored.
    let whole = |sample: f32| (sample / unit).round();
    let values = match pixels {
        Pixels::U8(raster) => raster.samples().iter().map(|it| whole((*it).into())).collect(),
        Pixels::U16(raster) => raster.samples().iter().map(|it| whole((*it).into())).collect(),
        Pixels::F32(raster) => raster.samples().to_vec(),
    };
    let page = info.views.stack.get(index);
    let number = || info.views.horizontal.get(index).copied().unwrap_or(0).to_string();
    ViewSamples {
        name: page
            .map(|page| page.name.clone())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(number),
        scale: page.map_or(1.0, |page| page.scale),
        bands: info.bands().into(),
        is_float: info.samples == SampleType::F32,
        white: match info.samples {
            SampleType::F32 => 1.0,
            other => other.full_range().white / unit,
        },
        values,
    }
}
