//! `KeptBlocks`: decoded code-blocks of all open images, and where their precincts have them, as long as
//! there is room. Code-blocks do not end where tiles of viewers do, so that a tile's neighbour needs many of
//! the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::found::{BlockPlace, FoundPrecinct, PrecinctPlace};
use crate::codecs::number::{reserved_for, u64_of, usize_of, usize_of_bytes};

/// Bytes that are kept of all images by default: those of some 8 megapixels of three components.
const BYTES_MAX: u64 = 64 << 20;
/// Bytes of a code-block of the common size.
const COMMON_BYTES: u64 = 8 << 10;
/// Bytes of an entry besides its coefficients.
const ENTRY_BYTES: u64 = 96;

/// Coefficients of a code-block, row by row, in halves.
#[derive(Debug)]
pub(super) struct Coefficients {
    width: usize,
    values: Halves,
}

/// As small as they fit.
#[derive(Debug)]
enum Halves {
    Narrow(Box<[i16]>),
    Wide(Box<[i32]>),
}

impl Coefficients {
    /// Those of so many columns and rows, which need so many bits without their sign.
    ///
    /// # Errors
    /// `Io` where memory is short.
    pub(super) fn new(
        [width, height]: [usize; 2],
        bits: u32,
        rows: impl Iterator<Item = impl Iterator<Item = i32>>,
    ) -> Result<Self, CodecError> {
        let values = if bits < i16::BITS {
            Halves::Narrow(gathered(width * height, rows.map(|row| row.map(narrow)))?)
        } else {
            Halves::Wide(gathered(width * height, rows)?)
        };
        Ok(Self { width, values })
    }

    /// Writes some columns of a row through `convert`.
    pub(super) fn write_row<T>(
        &self,
        (row, column): (u32, u32),
        to: &mut [T],
        convert: impl Fn(i32) -> T,
    ) {
        let start = usize_of(row) * self.width + usize_of(column);
        let range = start..start + to.len();
        match &self.values {
            Halves::Narrow(values) => {
                let from = values.get(range).unwrap_or_default();
                to.iter_mut().zip(from).for_each(|(to, half)| *to = convert(i32::from(*half)));
            }
            Halves::Wide(values) => {
                let from = values.get(range).unwrap_or_default();
                to.iter_mut().zip(from).for_each(|(to, half)| *to = convert(*half));
            }
        }
    }

    fn bytes(&self) -> u64 {
        u64_of(match &self.values {
            Halves::Narrow(values) => size_of_val(&**values),
            Halves::Wide(values) => size_of_val(&**values),
        })
    }
}

/// A number that fits, because it has so few bits.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "held to the range before, without a branch"
)]
fn narrow(value: i32) -> i16 {
    value.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// Rows one after the other.
fn gathered<T>(
    count: usize,
    rows: impl Iterator<Item = impl Iterator<Item = T>>,
) -> Result<Box<[T]>, CodecError> {
    let mut values = reserved_for(count)?;
    // Row by row, because a loop over each row alone is one that processors do in steps of many.
    rows.for_each(|row| values.extend(row));
    Ok(values.into_boxed_slice())
}

/// A tile of an image that was opened.
type Tile = (u64, u32);

/// What is kept by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Block(Tile, BlockPlace),
    Precinct(Tile, PrecinctPlace),
}

/// What is kept.
#[derive(Clone, Debug)]
enum Kept {
    Block(Arc<Coefficients>),
    Precinct(Arc<FoundPrecinct>),
}

#[derive(Clone, Debug)]
struct Weight;

impl Weighter<Key, Kept> for Weight {
    fn weight(&self, _: &Key, kept: &Kept) -> u64 {
        ENTRY_BYTES
            + match kept {
                Kept::Block(coefficients) => coefficients.bytes(),
                Kept::Precinct(found) => found.bytes(),
            }
    }
}

/// Decoded code-blocks of all images, and what the packets of their precincts say.
#[derive(Debug)]
pub struct KeptBlocks {
    kept: Cache<Key, Kept, Weight>,
    images: AtomicU64,
}

impl Default for KeptBlocks {
    fn default() -> Self {
        Self::new(BYTES_MAX)
    }
}

impl KeptBlocks {
    /// Room for so many bytes.
    pub fn new(bytes_max: u64) -> Self {
        let count = usize_of_bytes(bytes_max / COMMON_BYTES);
        Self { kept: Cache::with_weighter(count, bytes_max, Weight), images: AtomicU64::new(0) }
    }

    /// Bytes that are kept.
    pub fn bytes(&self) -> u64 {
        self.kept.weight()
    }

    /// What no other image has that was opened.
    pub(super) fn new_image(&self) -> u64 {
        self.images.fetch_add(1, Ordering::Relaxed)
    }

    /// What is kept of a tile of an image.
    pub(super) const fn of_tile(&self, image: u64, tile: u32) -> KeptOfTile<'_> {
        KeptOfTile { kept: self, tile: (image, tile) }
    }
}

/// What is kept of one tile.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptOfTile<'a> {
    kept: &'a KeptBlocks,
    tile: Tile,
}

impl KeptOfTile<'_> {
    /// A decoded code-block, if it is kept.
    pub(super) fn block(&self, place: BlockPlace) -> Option<Arc<Coefficients>> {
        match self.kept.kept.get(&Key::Block(self.tile, place))? {
            Kept::Block(coefficients) => Some(coefficients),
            Kept::Precinct(_) => None,
        }
    }

    pub(super) fn keep_block(&self, place: BlockPlace, coefficients: Arc<Coefficients>) {
        self.kept.kept.insert(Key::Block(self.tile, place), Kept::Block(coefficients));
    }

    /// What the packets of a precinct say, if that is kept.
    pub(super) fn precinct(&self, place: PrecinctPlace) -> Option<Arc<FoundPrecinct>> {
        match self.kept.kept.get(&Key::Precinct(self.tile, place))? {
            Kept::Precinct(found) => Some(found),
            Kept::Block(_) => None,
        }
    }

    pub(super) fn keep_precinct(&self, place: PrecinctPlace, found: Arc<FoundPrecinct>) {
        self.kept.kept.insert(Key::Precinct(self.tile, place), Kept::Precinct(found));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coefficients(bits: u32) -> Coefficients {
        let rows = [[1, -2, 3], [4, 5, -32_767]];
        let rows = rows.iter().map(|row| row.iter().copied());
        Coefficients::new([3, 2], bits, rows).unwrap()
    }

    #[test]
    fn coefficients_are_written_as_they_were_given_however_wide_they_are() {
        for (bits, bytes) in [(15, 12), (16, 24)] {
            let coefficients = coefficients(bits);
            assert_eq!(coefficients.bytes(), bytes);
            let mut row = [0; 2];
            coefficients.write_row((1, 1), &mut row, |half| half * 2);
            assert_eq!(row, [10, -65_534]);
        }
    }

    #[test]
    fn what_is_kept_is_of_one_tile_of_one_image_and_stays_below_its_limit() {
        let kept = KeptBlocks::new(64 << 10);
        let (first, second) = (kept.new_image(), kept.new_image());
        let place = (0, 1, 2, 3, 4);
        kept.of_tile(first, 0).keep_block(place, Arc::new(coefficients(15)));
        assert!(kept.of_tile(first, 0).block(place).is_some());
        assert!(kept.of_tile(first, 1).block(place).is_none());
        assert!(kept.of_tile(second, 0).block(place).is_none());
        for row in 0..10_000 {
            kept.of_tile(second, 0).keep_block((0, 1, 2, row, 4), Arc::new(coefficients(15)));
        }
        assert!(kept.bytes() <= 64 << 10);
    }
}
