//! Cold tiles: each tile once, in an order that no read-ahead foresees, asked of a server that has
//! just started. From the JPEG pyramid that is pass-through for servers that know it; from the
//! Deflate pyramid it is one decode and one encode each.

use crate::ask::Ask;
use crate::pyramid::{Image, tiles};
use crate::scenarios::{COLD_DEFLATE, COLD_JPEG, CONNECTION_COUNT, Scenario, State};

pub(super) fn scenario(image: Image, tiles_max: usize) -> Scenario {
    let mut asks: Vec<Ask> = tiles(image).map(Ask::Tile).collect();
    fastrand::Rng::with_seed(256).shuffle(&mut asks);
    asks.truncate(tiles_max);
    let (name, floor) = match image {
        Image::Jpeg => (COLD_JPEG, true),
        Image::Deflate => (COLD_DEFLATE, false),
    };
    Scenario { name, state: State::Cold, connection_count: CONNECTION_COUNT, floor, asks }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tile_is_asked_twice() {
        let asks = scenario(Image::Deflate, usize::MAX).asks;
        let distinct: std::collections::HashSet<&Ask> = asks.iter().collect();
        assert_eq!((asks.len(), distinct.len()), (6270, 6270));
        assert_eq!(scenario(Image::Jpeg, 100).asks.len(), 100);
    }
}
