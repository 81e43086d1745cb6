//! YCbCr samples that are not JPEG (TIFF 6.0, section 21): data units of luma and shared colour
//! differences, to RGB.
#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    reason = "a pixel loop; tables of 256 entries are indexed by bytes, and sums clamped to 0..=255"
)]

use tiff::Directory;
use tiff::tags::Tag;

use crate::codecs::CodecError;
use crate::codecs::number::{usize_of, zeroed};
use crate::codecs::tiff::structure::Structure;
use crate::codecs::tiff::{metadata, unsupported};
use crate::model::Size;

/// Fixed point: products are held with this many bits after the point.
const POINT_BITS: u32 = 16;

/// Columns and rows of luma that share one pair of colour differences: 1, 2 or 4 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subsampling {
    /// Columns.
    pub(super) horizontal: usize,
    /// Rows.
    pub(super) vertical: usize,
}

impl Subsampling {
    /// Every pixel has colour differences of its own.
    pub(super) const NONE: Self = Self { horizontal: 1, vertical: 1 };

    /// Reads `YCbCrSubSampling`, by default 2, 2.
    ///
    /// # Errors
    /// `Unsupported` where a number is none of 1, 2, 4.
    pub(super) fn read(structure: &mut Structure, from: &Directory) -> Result<Self, CodecError> {
        let values = structure.numbers(from, Tag::ChromaSubsampling, 2)?;
        let pair = match values.as_deref() {
            None => [2, 2],
            Some(&[horizontal, vertical]) => [horizontal, vertical],
            Some(_) => [0, 0],
        };
        if !pair.iter().all(|factor| matches!(factor, 1 | 2 | 4)) {
            return Err(unsupported(format!("YCbCr subsampling {} by {}", pair[0], pair[1])));
        }
        Ok(Self { horizontal: pair[0] as usize, vertical: pair[1] as usize })
    }

    /// Bytes of one data unit: its luma samples, then Cb and Cr.
    const fn unit_bytes(self) -> usize {
        self.horizontal * self.vertical + 2
    }

    /// Bytes of one row of data units of a tile.
    fn unit_row_bytes(self, tile: Size) -> usize {
        usize_of(tile.width()).div_ceil(self.horizontal) * self.unit_bytes()
    }

    /// Bytes of a tile's first `rows` rows of pixels, rounded up to whole units.
    pub(super) fn rows_bytes(self, tile: Size, rows: u32) -> usize {
        usize_of(rows).div_ceil(self.vertical) * self.unit_row_bytes(tile)
    }
}

/// From Y, Cb, Cr to red, green, blue, as tables in fixed point.
///
/// `red = luma[y] + red[cr]`, `green = luma[y] + green_cb[cb] + green_cr[cr]`, `blue = luma[y] + blue[cb]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conversion {
    luma: [i32; 256],
    red: [i32; 256],
    green_cb: [i32; 256],
    green_cr: [i32; 256],
    blue: [i32; 256],
}

impl Conversion {
    /// Reads `YCbCrCoefficients` (by default ITU-R BT.601) and `ReferenceBlackWhite` (by default the
    /// full range).
    ///
    /// # Errors
    /// `Malformed` where the tags lie outside the file.
    pub(super) fn read(structure: &mut Structure, from: &Directory) -> Result<Self, CodecError> {
        const COEFFICIENTS: u16 = 529;
        const REFERENCE_BLACK_WHITE: u16 = 532;
        let weights = metadata::reals(structure, from, Tag::Unknown(COEFFICIENTS), 3)?;
        let weights = weights.and_then(|values| <[f64; 3]>::try_from(values).ok());
        let ranges = metadata::reals(structure, from, Tag::Unknown(REFERENCE_BLACK_WHITE), 6)?;
        let ranges = ranges.and_then(|values| <[f64; 6]>::try_from(values).ok());
        Ok(Self::new(weights.unwrap_or([0.299, 0.587, 0.114]), ranges.unwrap_or(FULL_RANGE)))
    }

    /// `weights` of red, green, blue in luma; `ranges`: black and white of Y, of Cb, of Cr.
    fn new(weights: [f64; 3], ranges: [f64; 6]) -> Self {
        let [red, green, blue] = weights;
        let (luma, cb, cr) = (&ranges[..2], &ranges[2..4], &ranges[4..]);
        let (red_factor, blue_factor) = (2.0 - 2.0 * red, 2.0 - 2.0 * blue);
        Self {
            luma: table(luma, 255.0),
            red: table(cr, 127.0 * red_factor),
            green_cb: table(cb, -127.0 * blue_factor * blue / green),
            green_cr: table(cr, -127.0 * red_factor * red / green),
            blue: table(cb, 127.0 * blue_factor),
        }
    }

    fn rgb(&self, y: u8, cb: u8, cr: u8) -> [u8; 3] {
        let (y, cb, cr) = (usize::from(y), usize::from(cb), usize::from(cr));
        let luma = self.luma[y] + (1 << (POINT_BITS - 1));
        [luma + self.red[cr], luma + self.green_cb[cb] + self.green_cr[cr], luma + self.blue[cb]]
            .map(|value| (value >> POINT_BITS).clamp(0, 255) as u8)
    }
}

/// Every code of a sample whose black becomes 0 and whose white becomes `span`, in fixed point.
fn table(range: &[f64], span: f64) -> [i32; 256] {
    let (black, white) = (range[0], range[1]);
    std::array::from_fn(|code| fixed((f64::from(code as u8) - black) * span / (white - black)))
}

/// Black and white of Y, Cb, Cr where no tag says otherwise.
const FULL_RANGE: [f64; 6] = [0.0, 255.0, 128.0, 255.0, 128.0, 255.0];

/// A factor in fixed point; bounded so that three of them add up without overflow, and 0 where a file's
/// fractions divide by zero.
fn fixed(value: f64) -> i32 {
    if value.is_nan() {
        0
    } else {
        (value.clamp(-8192.0, 8191.0) * f64::from(1 << POINT_BITS)).round() as i32
    }
}

/// The upper left `area` of a tile as RGB. `units` holds at least
/// [`Subsampling::rows_bytes`]`(tile, area.height())` bytes: per unit the luma samples row by row, then
/// Cb and Cr, which stand for the whole unit.
///
/// # Errors
/// `Io` where memory is short.
pub(super) fn to_rgb(
    conversion: &Conversion,
    subsampling: Subsampling,
    units: &[u8],
    tile: Size,
    area: Size,
) -> Result<Vec<u8>, CodecError> {
    let (width, row_bytes) = (usize_of(area.width()), usize_of(area.width()) * 3);
    let mut samples = zeroed(row_bytes * usize_of(area.height()))?;
    let (across, down) = (subsampling.horizontal, subsampling.vertical);
    let unit_rows = units.chunks_exact(subsampling.unit_row_bytes(tile));
    for (band, unit_row) in samples.chunks_mut(row_bytes * down).zip(unit_rows) {
        for (row, line) in band.chunks_exact_mut(row_bytes).enumerate() {
            let unit_row = unit_row.chunks_exact(subsampling.unit_bytes());
            for (unit, run) in
                unit_row.zip(line.chunks_mut(across * 3)).take(width.div_ceil(across))
            {
                let (luma, differences) = unit.split_at(across * down);
                let luma = &luma[row * across..];
                for (pixel, y) in run.chunks_exact_mut(3).zip(luma) {
                    pixel.copy_from_slice(&conversion.rgb(*y, differences[0], differences[1]));
                }
            }
        }
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standard() -> Conversion {
        Conversion::new([0.299, 0.587, 0.114], FULL_RANGE)
    }

    #[test]
    fn colours_follow_bt_601() {
        for ([y, cb, cr], expected) in [
            ([0, 128, 128], [0, 0, 0]),
            ([255, 128, 128], [255, 255, 255]),
            ([76, 85, 255], [254, 0, 0]),
            ([150, 44, 21], [0, 255, 1]),
            ([29, 255, 107], [0, 0, 254]),
        ] {
            assert_eq!(standard().rgb(y, cb, cr), expected);
        }
    }

    #[test]
    fn headroom_is_stretched() {
        let video =
            Conversion::new([0.299, 0.587, 0.114], [16.0, 235.0, 128.0, 240.0, 128.0, 240.0]);
        assert_eq!(video.rgb(16, 128, 128), [0, 0, 0]);
        assert_eq!(video.rgb(235, 128, 128), [255, 255, 255]);
        assert_eq!(video.rgb(0, 128, 128), [0, 0, 0]);
    }

    #[test]
    fn absurd_fractions_do_not_overflow() {
        for weights in [[0.0; 3], [f64::NAN; 3], [1e300, 0.0, -1e300]] {
            for ranges in [[0.0; 6], [f64::INFINITY; 6], [0.0, 1e-300, 0.0, 1e-300, 0.0, 1e-300]] {
                let conversion = Conversion::new(weights, ranges);
                for code in [0, 1, 128, 255] {
                    conversion.rgb(code, 255 - code, code);
                }
            }
        }
    }

    #[test]
    fn units_are_spread_over_their_pixels_and_cropped() {
        let subsampling = Subsampling { horizontal: 2, vertical: 2 };
        let tile = Size::new(4, 4).unwrap();
        // Four units, gray, each with four luma samples.
        let units: Vec<u8> = (0..4)
            .flat_map(|unit| [10, 11, 12, 13].map(|y| unit * 20 + y).into_iter().chain([128, 128]))
            .collect();
        assert_eq!(subsampling.rows_bytes(tile, 3), units.len());
        let rgb = to_rgb(&standard(), subsampling, &units, tile, Size::new(3, 3).unwrap()).unwrap();
        let gray: Vec<u8> = rgb.chunks(3).map(|pixel| pixel[0]).collect();
        assert_eq!(gray, [10, 11, 30, 12, 13, 32, 50, 51, 70]);
    }
}
