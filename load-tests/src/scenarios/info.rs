//! Descriptions: `info.json` by IIIF, the four objects that OpenSeadragon asks for by IIP. Both
//! images in turn, over and over.

use crate::ask::Ask;
use crate::pyramid::Image;
use crate::scenarios::{CONNECTION_COUNT, DESCRIPTIONS, Scenario, State};

/// Requests of one pass.
const REQUEST_COUNT: usize = 4096;

pub(super) fn scenario() -> Scenario {
    let asks = Image::ALL.map(|image| Ask::Info { image });
    Scenario {
        name: DESCRIPTIONS,
        state: State::Warm,
        connection_count: CONNECTION_COUNT,
        floor: true,
        asks: asks.into_iter().cycle().take(REQUEST_COUNT).collect(),
    }
}
