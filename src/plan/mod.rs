//! Decides everything, does nothing: which level, which tiles, which steps, which limits, which key.
//!
//! ```text
//! PictureRequest -> View        which pixels of the full image, at which size    region size tiles
//!                -> Reading     which level, area, reduction and resize          reading aligned filtered
//!                -> Plan        the other steps, encoding, pass-through, cost, key
//! ```
#![deny(clippy::disallowed_types)]

mod aligned;
mod class;
mod cost;
mod cover;
mod depth;
mod encode;
mod error;
mod filtered;
mod key;
mod lane;
mod overview;
mod pass_through;
mod reading;
mod region;
mod rounding;
mod rules;
mod samples;
mod science;
mod size;
mod steps;
mod tiles;
mod view;
mod watermark;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod properties;

use crate::imaging::Step;
use crate::model::processing::Kernel;
use crate::model::request::PictureRequest;
use crate::model::{ImageId, ImageInfo, Resolved, SourceVersion, TileAddress};

pub use class::RequestClass;
pub use cost::Cost;
pub use cover::TileCover;
pub use encode::EncodePlan;
pub use error::PlanError;
pub use key::PlanKey;
pub use lane::Lane;
pub use overview::Overview;
pub use pass_through::PassThrough;
pub use reading::Source;
pub use rules::Rules;
pub use samples::samples;
pub use tiles::range;
pub use watermark::Watermarks;

/// All that is to be done for one picture.
///
/// Assemble [`Plan::source`], apply [`Plan::steps`] in order, encode; or, where
/// [`Plan::pass_through`] names a tile, send that one as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What the answer's bytes depend on; equal for equal bytes, however they were asked for.
    pub key: PlanKey,
    /// The request in numbers, for canonical addresses.
    pub resolved: Resolved,
    /// What kind of request it is, for metrics.
    pub class: RequestClass,
    /// Which pixels of which level are read.
    pub source: Source,
    /// What is done to them, first to last.
    pub steps: Vec<Step>,
    /// How the result becomes a file.
    pub encode: EncodePlan,
    /// The stored tile that is the answer already, if its bytes can be made a file.
    pub pass_through: Option<TileAddress>,
    /// What is counted first, where a step goes by the grays of the whole image.
    pub overview: Option<Overview>,
    /// What it will take.
    pub cost: Cost,
}

impl Plan {
    /// Whether it is cheap or dear to carry out.
    pub const fn lane(&self) -> Lane {
        Lane::of(self.class, &self.cost)
    }
}

/// Holds a request against an image and the rules.
///
/// # Errors
/// Where the request asks for what is not there, not allowed, or over a limit.
pub fn plan(
    request: &PictureRequest,
    image: &ImageId,
    version: &SourceVersion,
    info: &ImageInfo,
    rules: &Rules,
) -> Result<Plan, PlanError> {
    science::check(&request.processing, info)?;
    let view = view::view(tiles::turned(request, info), info, &rules.limits)?;
    let settled = encode::settled(request, rules);
    let answer = request.tilt.size_of(request.rotation.size_of(view.size));
    encode::check_sides(&settled, answer)?;
    let reading = reading::reading(&view, info, request.filter.unwrap_or(rules.filter))
        .ok_or(PlanError::NoLevel)?;
    let margin_px = request.processing.kernel.as_ref().map_or(0, Kernel::radius_px);
    let reading = reading.with_margin(margin_px, info).ok_or(PlanError::NoLevel)?;
    let sizing = [reading.crop.clone(), reading.resize.clone()];
    let mut steps = steps::steps(&settled, info, rules, sizing);
    steps.extend(watermark::step(&view, &reading.source, image, info, &rules.watermarks));
    depth::check(&settled, info, &steps)?;
    let class = RequestClass::of(request.frame, &view, info);
    let encode = encode::encode(request, info, rules, &steps, (&view, class));
    let cost = cost::cost(&reading, (&view, answer), (&steps, encode), info);
    cost::check_source_px(cost.source_px, &rules.limits)?;
    let overview = Overview::of(info, &steps, &rules.limits)?;
    let pass_through = pass_through::tile(request, &reading.source, (&steps, encode), info, rules);
    let mut plan = Plan {
        key: PlanKey::default(),
        resolved: view.resolved(request.quality, info, &rules.limits),
        class,
        source: reading.source,
        steps,
        encode,
        pass_through,
        overview,
        cost,
    };
    plan.key = key::key(&plan, (image, info), version, rules);
    Ok(plan)
}
