//! Paints one tile of the full level: the coarse relief brought to single pixels, fine noise added, sun
//! from the upper left, colours of the ground. This is the loop that runs a billion times.
#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    reason = "pixel loops over rows of a fixed length"
)]

use crate::cli::terrain::layout::TILE_PX;
use crate::cli::terrain::noise::{fraction, lattice_row, smoothstep};
use crate::cli::terrain::palette::{Colour, Palette, RIVER, ROCK, SAND, SHALLOWS, SNOW, TREE, mix};
use crate::cli::terrain::relief::{Grid, Relief, World};
use crate::cli::terrain::spline::{SPACING_PX, join_rows, spread};
use crate::imaging::Raster;
use crate::model::{ColourModel, Size};

const TILE: usize = TILE_PX as usize;

/// Pixels left of the tile that a row begins with: one is needed for the slope, and rows of noise are
/// made of whole cells of 16.
const LEAD: usize = 16;
const WIDTH: usize = LEAD + TILE;

type Row = [f32; WIDTH];

/// What is known of the pixels of one row, index [`LEAD`] being the tile's first.
#[derive(Clone)]
struct Ground {
    /// Row of the world: 0 at its upper edge, 1 at its lower.
    latitude: f32,
    /// Without fine noise, in pixels, 0 at the sea.
    base_px: Row,
    /// With it.
    height_px: Row,
    /// To the bank of the nearest river, negative in its bed.
    bank_px: Row,
    moisture: Row,
    /// How much of a tree stands here, 0 to 1.
    tree: Row,
    /// Fine noise, about -1 to 1, waves of 16, 8 and 4 pixels.
    coarse_grain: Row,
    middle_grain: Row,
    fine_grain: Row,
}

impl Ground {
    const fn empty() -> Self {
        const NIL: Row = [0.0; WIDTH];
        Self {
            latitude: 0.0,
            base_px: NIL,
            height_px: NIL,
            bank_px: NIL,
            moisture: NIL,
            tree: NIL,
            coarse_grain: NIL,
            middle_grain: NIL,
            fine_grain: NIL,
        }
    }

    /// Fine noise of the row `y_px` from column `left` on. Each wave is sheared its own way, or the lattices
    /// would show.
    fn grow_grain(&mut self, left: i32, y_px: i32, seed: u32) {
        lattice_row::<16>(&mut self.coarse_grain, left + y_px * 5 / 16, y_px, seed);
        lattice_row::<8>(&mut self.middle_grain, left - y_px * 9 / 16, y_px + 3, seed ^ 1);
        lattice_row::<4>(&mut self.fine_grain, left + y_px * 7 / 8, y_px + 1, seed ^ 2);
    }

    /// Raises fine relief on the base: bare rock is rough, trees stand out, the rest is nearly smooth.
    fn raise(&mut self, per_peak: f32) {
        for i in 0..WIDTH {
            let height = self.base_px[i] * per_peak;
            let (coarse, medium, fine) =
                (self.coarse_grain[i], self.middle_grain[i], self.fine_grain[i]);
            let bare = ((height - 0.28) * 5.0).clamp(0.0, 1.0);
            let damp = self.moisture[i] + 0.18 * coarse + 0.1 * medium;
            // The wetter, the more of the noise's hills are trees; in the wettest places all are.
            let trees = (2.6 * (damp - 0.62) + 0.7 * medium + 1.1 * fine).clamp(0.0, 1.0);
            let tree = trees * (1.0 - bare);
            let rough = 0.3 + 1.2 * bare;
            let rock_px = rough * (2.4 * (0.5 - coarse.abs()) + 1.1 * medium + 0.3 * fine);
            let crown_px = tree * (1.6 + 1.2 * medium - 1.3 * fine.abs());
            self.tree[i] = tree;
            self.height_px[i] = self.base_px[i] + rock_px + crown_px;
        }
    }
}

/// Paints tiles of one world.
#[derive(Debug)]
pub(super) struct Painter {
    world: World,
    palette: Palette,
}

impl Painter {
    pub(super) fn new(world: World) -> Self {
        Self { world, palette: Palette::new() }
    }

    /// The world that is painted.
    pub(super) const fn world(&self) -> World {
        self.world
    }

    /// Paints the tile whose upper left pixel is `at` (left, top), within the area of `relief`.
    pub(super) fn tile(&self, relief: &Relief, at: (u32, u32)) -> Raster {
        let size = Size::at_least_one(TILE_PX, TILE_PX);
        let mut raster = Raster::zeroed(size, ColourModel::Rgb, false);
        let (mut above, mut here) = (Ground::empty(), Ground::empty());
        self.survey(relief, at, 0, &mut above);
        for (row, pixels) in (1..).zip(raster.samples_mut().chunks_exact_mut(TILE * 3)) {
            self.survey(relief, at, row, &mut here);
            self.colour_row(&above, &here, pixels);
            std::mem::swap(&mut above, &mut here);
        }
        raster
    }

    /// Fills the ground of row `row - 1` of the tile at (`left`, `top`).
    fn survey(&self, relief: &Relief, (left, top): (u32, u32), row: usize, ground: &mut Ground) {
        let (x, y) = ((left - relief.left) as usize, (top - relief.top) as usize);
        expand(&relief.height_px, x, y + row, &mut ground.base_px);
        expand(&relief.bank_px, x, y + row, &mut ground.bank_px);
        expand(&relief.moisture, x, y + row, &mut ground.moisture);
        let (left, y_px) = (left as i32 - LEAD as i32, top as i32 + row as i32 - 1);
        ground.latitude = y_px as f32 / self.world.side_px as f32;
        ground.grow_grain(left, y_px, self.world.seed ^ 0x5EED);
        ground.raise(1.0 / self.world.peak_px());
    }

    fn colour_row(&self, above: &Ground, here: &Ground, pixels: &mut [u8]) {
        for (i, pixel) in (LEAD..WIDTH).zip(pixels.chunks_exact_mut(3)) {
            let under_water = here.height_px[i] < 0.0;
            let heights = if under_water { &here.base_px } else { &here.height_px };
            let heights_above = if under_water { &above.base_px } else { &above.height_px };
            let east = heights[i] - heights[i - 1];
            let south = heights[i] - heights_above[i];
            let colour = if under_water {
                self.sea(here, i, east + south)
            } else {
                self.land(here, i, east, south)
            };
            for (sample, value) in pixel.iter_mut().zip(colour) {
                *sample = value as u8;
            }
        }
    }

    /// The colour of the sea at index `i`: its floor shimmers through, lit as it `rises` to the lower right;
    /// waves on top.
    fn sea(&self, here: &Ground, i: usize, rises: f32) -> Colour {
        let depth = -here.base_px[i].min(0.0) / self.world.peak_px();
        let swell = here.coarse_grain[i] + 0.7 * here.middle_grain[i] + 0.5 * here.fine_grain[i];
        let light = 1.0 + 0.028 * swell + (0.5 * rises).clamp(-0.28, 0.28);
        self.palette.sea(depth + 0.003 * swell).map(|value| (value * light).clamp(0.0, 255.0))
    }

    /// The colour of land at index `i`, whose height changes by these pixels a pixel to the right and
    /// down.
    fn land(&self, here: &Ground, i: usize, east: f32, south: f32) -> Colour {
        let grain = here.coarse_grain[i];
        // Banks are as ragged as the ground.
        let bank_px = here.bank_px[i] + 1.8 * grain + 0.8 * here.middle_grain[i];
        if bank_px < -1.0 {
            let shallow = (bank_px * 0.08 + 1.0).clamp(0.0, 1.0);
            let glint = 1.0 + 0.06 * here.fine_grain[i];
            return mix(RIVER, SHALLOWS, shallow).map(|value| value * glint);
        }
        let steep = east * east + south * south;
        let dry = lit(self.surface(here, i, steep), east, south);
        if 1.0 < bank_px { dry } else { mix(dry, SHALLOWS, 0.5 - 0.5 * bank_px) }
    }

    /// What the land at index `i` is covered with; `steep` is the square of its slope.
    fn surface(&self, here: &Ground, i: usize, steep: f32) -> Colour {
        let height = here.height_px[i] / self.world.peak_px();
        let (coarse, medium, fine) =
            (here.coarse_grain[i], here.middle_grain[i], here.fine_grain[i]);
        let moisture = here.moisture[i] + 0.09 * coarse + 0.05 * medium;
        let shade = 1.0 + 0.07 * fine + 0.05 * medium;
        let grass = self.palette.ground(height + 0.012 * coarse, moisture.min(0.62));
        let mut colour = mix(grass.map(|value| value * shade), TREE, 0.85 * here.tree[i]);
        // Most pixels are neither steep nor shore nor cold: asking first saves a quarter of the time.
        if 0.45 < steep {
            // Layers of stone, bent as the ground is.
            let layer = fraction(height * 90.0 + 0.6 * coarse);
            let light = 0.86 + 0.28 * (layer - 0.5).abs() + 0.08 * fine;
            let bare = smoothstep(0.45, 1.3, steep) * (0.3 + 1.6 * height).min(1.0);
            let stone = ROCK.map(|value| value * light);
            colour = mix(colour, stone, bare * (1.0 - 0.7 * here.tree[i]));
        }
        let shore_px = here.height_px[i] + 1.4 * coarse;
        if shore_px < 5.0 {
            colour = mix(colour, SAND, 1.0 - smoothstep(1.5, 5.0, shore_px));
        }
        // Winters are long at the upper edge of the world.
        let snow_line = 0.2 + 0.42 * here.latitude + 0.02 * coarse + 0.012 * medium;
        if snow_line < height {
            let cold = smoothstep(0.0, 0.06, height - snow_line);
            colour = mix(colour, SNOW, cold * (1.0 - smoothstep(0.7, 2.0, steep)));
        }
        colour
    }
}

/// Sunlight from the upper left, 45 degrees high; shadows keep the blue of the sky.
fn lit(colour: Colour, east: f32, south: f32) -> Colour {
    let facing = (0.5 * (east + south) + 0.707) / (1.0 + east * east + south * south).sqrt();
    let sun = facing.max(0.0);
    let light = [0.36 + 0.92 * sun, 0.42 + 0.84 * sun, 0.50 + 0.72 * sun];
    let under = |band: usize| (colour[band] * light[band]).min(255.0);
    [under(0), under(1), under(2)]
}

/// One row of pixels of a grid: `x` pixels right of its area's corner, `y - 1` below.
fn expand(grid: &Grid, x: usize, y: usize, pixels: &mut Row) {
    // The grid begins three samples before the area: 24 pixels, of which a row leads with 16.
    const SAMPLES: usize = WIDTH / SPACING_PX + 3;
    let first = x / SPACING_PX;
    let from_margin = y + 2 * SPACING_PX - 1;
    let (row, phase) = (from_margin / SPACING_PX, from_margin % SPACING_PX);
    let rows = [0, 1, 2, 3].map(|down| grid.part(row + down, first, SAMPLES));
    let mut joined = [0.0; SAMPLES];
    join_rows(rows, phase, &mut joined);
    spread(&joined, pixels);
}
