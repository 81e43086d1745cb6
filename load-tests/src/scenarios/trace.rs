//! A viewer trace: people open an image, see its thumbnail, zoom in on something and look around.
//! Every visit is 100 requests in the proportions that published logs of two viewers show: 87 whole
//! tiles, 8 cut by the edge, 4 thumbnails, 1 description. Which tiles, the rules of a viewer
//! decide: all that the window shows at the level that fits it, none twice in a visit, as browsers
//! keep them.

use std::collections::HashSet;

use crate::ask::Ask;
use crate::pyramid::{Image, LEVEL_COUNT, TILE_PX, Tile, grid, level_size_px};
use crate::scenarios::{CONNECTION_COUNT, Scenario, State, TRACE};

const WHOLE_TILES_A_VISIT: usize = 87;
const EDGE_TILES_A_VISIT: usize = 8;
const THUMBNAIL_WIDTHS_PX: [u32; 4] = [90, 150, 200, 400];
/// Columns and rows of screen pixels in the viewer's window.
const WINDOW_PX: (u32, u32) = (1600, 900);
/// Looks around before the visitor starts over from afar.
const PANS_A_ZOOM: u32 = 4;
/// Bounds the walk: about twenty zooms fill a visit.
const ZOOMS_MAX: u32 = 10_000;

/// Visits, one after the other.
pub(crate) fn visits(visit_count: usize) -> Vec<Ask> {
    let mut chance = fastrand::Rng::with_seed(87);
    (0..visit_count).flat_map(|_| visit(&mut chance)).collect()
}

pub(super) fn scenario(visit_count: usize) -> Scenario {
    let asks = visits(visit_count);
    Scenario {
        name: TRACE,
        state: State::Cold,
        connection_count: CONNECTION_COUNT,
        floor: true,
        asks,
    }
}

fn visit(chance: &mut fastrand::Rng) -> Vec<Ask> {
    let image = if chance.bool() { Image::Jpeg } else { Image::Deflate };
    let thumbnails = THUMBNAIL_WIDTHS_PX.map(|width_px| Ask::Thumbnail { image, width_px });
    let mut tiles = Tiles::default();
    for _ in 0..ZOOMS_MAX {
        if tiles.is_full() {
            break;
        }
        zoom(image, chance, &mut tiles);
    }
    let first = [Ask::Info { image }];
    first.into_iter().chain(thumbnails).chain(tiles.asked.into_iter().map(Ask::Tile)).collect()
}

/// Zooms from the whole image to a point, level by level, then looks around there. Every other time
/// the point is on the right edge, else a visit would walk long before it met 8 cut tiles.
fn zoom(image: Image, chance: &mut fastrand::Rng, tiles: &mut Tiles) {
    let mut x = if chance.bool() { 1.0 } else { chance.f64() };
    let mut y = chance.f64();
    let deepest = chance.u32(0..LEVEL_COUNT - 2);
    for level in (deepest..LEVEL_COUNT).rev() {
        tiles.show(image, level, (x, y));
    }
    for _ in 0..PANS_A_ZOOM {
        x = (x + (chance.f64() - 0.5) / 8.0).clamp(0.0, 1.0);
        y = (y + (chance.f64() - 0.5) / 8.0).clamp(0.0, 1.0);
        tiles.show(image, deepest, (x, y));
    }
}

/// The tiles of a visit in the order asked, up to the proportions.
#[derive(Debug, Default)]
struct Tiles {
    asked: Vec<Tile>,
    seen: HashSet<Tile>,
    edge_count: usize,
}

impl Tiles {
    fn is_full(&self) -> bool {
        self.asked.len() == WHOLE_TILES_A_VISIT + EDGE_TILES_A_VISIT
    }

    /// Asks for what the window shows with this point (0 to 1 across the image) at its centre.
    fn show(&mut self, image: Image, level: u32, (x, y): (f64, f64)) {
        let (width, height) = level_size_px(level);
        let (columns, rows) = grid(level);
        let across = shown(x, width, WINDOW_PX.0, columns);
        for row in shown(y, height, WINDOW_PX.1, rows) {
            for column in across.clone() {
                self.ask(Tile { image, level, column, row });
            }
        }
    }

    fn ask(&mut self, tile: Tile) {
        let whole_count = self.asked.len() - self.edge_count;
        let room = if tile.is_edge() {
            self.edge_count < EDGE_TILES_A_VISIT
        } else {
            whole_count < WHOLE_TILES_A_VISIT
        };
        if room && self.seen.insert(tile) {
            self.asked.push(tile);
            self.edge_count += usize::from(tile.is_edge());
        }
    }
}

/// The columns (or rows) of tiles that a window of `window_px` touches: centred on a point as far
/// as the image's ends allow.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a side below 2^15 pixels"
)]
fn shown(centre: f64, side_px: u32, window_px: u32, count: u32) -> std::ops::Range<u32> {
    let centre_px = (centre * f64::from(side_px)) as u32;
    let last_start_px = side_px.saturating_sub(window_px);
    let start_px = centre_px.saturating_sub(window_px / 2).min(last_start_px);
    let end = (start_px + window_px).div_ceil(TILE_PX).min(count);
    start_px / TILE_PX..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_visit_has_the_published_proportions() {
        let asks = scenario(50).asks;
        assert_eq!(asks.len(), 5000);
        for visit in asks.chunks(100) {
            let mut counts = [0; 4];
            for ask in visit {
                match ask {
                    Ask::Tile(tile) if tile.is_edge() => counts[1] += 1,
                    Ask::Tile(_) => counts[0] += 1,
                    Ask::Thumbnail { .. } => counts[2] += 1,
                    Ask::Info { .. } => counts[3] += 1,
                    Ask::Export { .. } | Ask::Processed(_) => panic!("a viewer asks for no such"),
                }
            }
            assert_eq!(counts, [87, 8, 4, 1]);
        }
    }

    #[test]
    fn all_tiles_exist_and_all_levels_are_seen() {
        let mut levels = HashSet::new();
        for ask in scenario(50).asks {
            if let Ask::Tile(tile) = ask {
                let (columns, rows) = grid(tile.level);
                assert!(tile.column < columns && tile.row < rows, "{tile:?}");
                levels.insert(tile.level);
            }
        }
        assert_eq!(levels.len(), 8);
    }

    #[test]
    fn a_window_shows_the_tiles_it_touches_and_stops_at_the_ends() {
        for (centre, side_px, expected) in
            [(0.0, 20_096, 0..7), (1.0, 20_096, 72..79), (0.5, 20_096, 36..43), (0.5, 157, 0..1)]
        {
            let count = u32::div_ceil(side_px, TILE_PX);
            assert_eq!(shown(centre, side_px, 1600, count), expected, "{centre} of {side_px}");
        }
    }

    #[test]
    fn the_same_trace_comes_every_time() {
        assert_eq!(scenario(3).asks, scenario(3).asks);
    }
}
