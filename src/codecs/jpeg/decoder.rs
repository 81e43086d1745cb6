//! A whole JPEG file to samples.

use mozjpeg::decompress::DecompressBuilder;
use mozjpeg::{ColorSpace, Decompress};

use crate::codecs::CodecError;
use crate::codecs::jpeg::JPEG;
use crate::codecs::jpeg::failure::{error_manager, guarded};
use crate::codecs::jpeg::markers::{Frame, frame_of, scan_count};
use crate::codecs::jpeg::splice::StreamColour;
use crate::codecs::number::{u64_of, usize_of, zeroed};
use crate::model::Size;

/// Scans of a progressive stream that are decoded: encoders write about 10, and each costs a pass over
/// all coefficients, so that thousands in a small file would cost minutes.
const SCANS_MAX: usize = 128;

/// Decodes the first `rows` rows of a file that must be exactly `size` pixels of `colour`; gray gives
/// one band, four components give four, the others RGB: `samples[(y * width + x) * bands + band]`. Damage below those rows is not
/// seen.
///
/// # Errors
/// `Malformed` where the file is damaged, cut short, or of another size or colour; `OverLimit` above
/// 128 scans; `Unsupported` for 12 bit and other processes that libjpeg does not read.
pub(crate) fn decode(
    file: &[u8],
    size: Size,
    colour: StreamColour,
    rows: u32,
) -> Result<Vec<u8>, CodecError> {
    check(file, size, colour)?;
    guarded(|| {
        let decoder = DecompressBuilder::new().with_err(error_manager()).from_mem(file)?;
        decode_rows(decoder, colour, size, rows)
    })
}

/// Holds the frame header against what the container promised, before anything is allocated.
fn check(file: &[u8], size: Size, colour: StreamColour) -> Result<(), CodecError> {
    let frame = frame_of(file)
        .ok_or_else(|| CodecError::malformed(JPEG, "no frame header before the first scan"))?;
    if (frame.width_px, frame.height_px) != (size.width(), size.height()) {
        return Err(CodecError::malformed(
            JPEG,
            format!(
                "{}x{} pixels where the container says {}x{}",
                frame.width_px,
                frame.height_px,
                size.width(),
                size.height()
            ),
        ));
    }
    if frame.components != colour.components() {
        let (found, expected) = (frame.components, colour.components());
        let what = format!("{found} components where the container says {expected}");
        return Err(CodecError::malformed(JPEG, what));
    }
    check_scans(file, frame)
}

/// Refuses a file of more than 128 scans.
///
/// # Errors
/// `OverLimit`.
pub(super) fn check_scans(file: &[u8], frame: Frame) -> Result<(), CodecError> {
    let scans = if frame.one_scan { 1 } else { scan_count(file) };
    if scans <= SCANS_MAX {
        return Ok(());
    }
    let (value, limit) = (u64_of(scans), u64_of(SCANS_MAX));
    Err(CodecError::OverLimit { what: "scans of a JPEG", value, limit })
}

fn decode_rows(
    decoder: Decompress<&[u8]>,
    colour: StreamColour,
    size: Size,
    rows: u32,
) -> Result<Vec<u8>, CodecError> {
    let (space, bands) = match colour {
        StreamColour::Gray => (ColorSpace::JCS_GRAYSCALE, 1),
        StreamColour::Rgb | StreamColour::Ycbcr => (ColorSpace::JCS_RGB, 3),
        StreamColour::Four => (ColorSpace::JCS_CMYK, 4),
    };
    let mut decoder = decoder.to_colorspace(space)?;
    if rows == size.height() {
        return Ok(decoder.read_scanlines()?);
    }
    let mut samples = zeroed(usize_of(size.width()) * bands * usize_of(rows))?;
    decoder.read_scanlines_into(&mut samples)?;
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::Encoding;
    use crate::codecs::jpeg::encode;
    use crate::imaging::Raster;
    use crate::model::{ColourModel, Format};

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    fn gray_file() -> Vec<u8> {
        let samples = (0..64 * 64).map(|i| u8::try_from(i * 7 % 251).unwrap()).collect();
        let raster = Raster::new(size(64, 64), ColourModel::Gray, false, samples).unwrap();
        encode(&raster, &Encoding::plain(Format::Jpeg, 90)).unwrap()
    }

    #[test]
    fn a_stream_cut_anywhere_is_an_error_and_no_gray_picture() {
        let file = gray_file();
        decode(&file, size(64, 64), StreamColour::Gray, 64).unwrap();
        for len in (0..file.len() - 64).step_by(37) {
            let error = decode(&file[..len], size(64, 64), StreamColour::Gray, 64).unwrap_err();
            assert!(matches!(error, CodecError::Malformed { .. }), "{len}: {error}");
        }
    }

    #[test]
    fn what_the_container_promised_is_held() {
        let file = gray_file();
        for (size, colour) in [
            (size(65, 64), StreamColour::Gray),
            (size(64, 63), StreamColour::Gray),
            (size(64, 64), StreamColour::Rgb),
        ] {
            let error = decode(&file, size, colour, 1).unwrap_err();
            assert!(matches!(error, CodecError::Malformed { .. }), "{error}");
        }
    }

    #[test]
    fn fewer_rows_are_the_first_ones() {
        let file = gray_file();
        let all = decode(&file, size(64, 64), StreamColour::Gray, 64).unwrap();
        let some = decode(&file, size(64, 64), StreamColour::Gray, 10).unwrap();
        assert_eq!(some, all[..64 * 10]);
    }
}
