//! Hot tiles: 64 inner tiles over and over, as when many people look at the picture of the day.
//! Every answer is in every server's cache.

use crate::ask::Ask;
use crate::pyramid::{Image, Tile};
use crate::scenarios::{CONNECTION_COUNT, HOT, Scenario, State};

/// Requests of one pass.
const REQUEST_COUNT: usize = 4096;

pub(super) fn scenario() -> Scenario {
    let tiles = Image::ALL.into_iter().flat_map(|image| {
        (0..32).map(move |n| Tile { image, level: 2, column: 4 + n % 8, row: 4 + n / 8 })
    });
    let tiles: Vec<Ask> = tiles.map(Ask::Tile).collect();
    Scenario {
        name: HOT,
        state: State::Warm,
        connection_count: CONNECTION_COUNT,
        floor: true,
        asks: tiles.into_iter().cycle().take(REQUEST_COUNT).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_is_64_whole_tiles() {
        let asks = scenario().asks;
        assert_eq!(asks.len(), REQUEST_COUNT);
        let distinct: std::collections::HashSet<&Ask> = asks.iter().collect();
        assert_eq!(distinct.len(), 64);
        assert!(asks.iter().all(|ask| matches!(ask, Ask::Tile(tile) if !tile.is_edge())));
    }
}
