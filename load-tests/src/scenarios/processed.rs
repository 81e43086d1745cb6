//! Processed tiles: contrast, gamma and a matrix over the colours of Deflate tiles, each once: what
//! scientists and conservators ask for. Only IIP has words for it.

use crate::ask::Ask;
use crate::pyramid::{Image, tiles};
use crate::scenarios::{CONNECTION_COUNT, PROCESSED, Scenario, State};

pub(super) fn scenario(tiles_max: usize) -> Scenario {
    let mut asks: Vec<Ask> = tiles(Image::Deflate).map(Ask::Processed).collect();
    fastrand::Rng::with_seed(257).shuffle(&mut asks);
    asks.truncate(tiles_max);
    Scenario {
        name: PROCESSED,
        state: State::Cold,
        connection_count: CONNECTION_COUNT,
        floor: false,
        asks,
    }
}
