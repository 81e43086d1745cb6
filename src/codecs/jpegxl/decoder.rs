//! A picture to interleaved samples of the whole range of their type.

use jxl_oxide::{AllocTracker, FrameBufferSample, JxlImage, JxlThreadPool};

use crate::codecs::CodecError;
use crate::codecs::jpegxl::JPEG_XL;
use crate::codecs::number::{filled, usize_of};
use crate::model::Size;

/// Bytes that a decoder may hold for each sample: floats, some copies of them, and room for what is kept
/// of a frame whatever its size.
const BYTES_A_SAMPLE_MAX: usize = 64;
const BYTES_MIN: usize = 64 << 20;

/// Decodes the first frame, which must be `size` pixels of `bands` samples, alpha last:
/// `samples[(y * width + x) * bands + band]`.
///
/// # Errors
/// `Malformed` where the picture is damaged, of another size or of other bands.
pub(crate) fn decode<T: FrameBufferSample + Copy + Default>(
    file: &[u8],
    size: Size,
    bands: usize,
) -> Result<Vec<T>, CodecError> {
    let broken = |what: String| CodecError::malformed(JPEG_XL, what);
    let len = usize_of(size.width()) * usize_of(size.height()) * bands;
    let bytes_max = len.saturating_mul(BYTES_A_SAMPLE_MAX).max(BYTES_MIN);
    let image = JxlImage::builder()
        .pool(JxlThreadPool::none())
        .alloc_tracker(AllocTracker::with_limit(bytes_max))
        .read(file)
        .map_err(|error| broken(error.to_string()))?;
    let (width, height) = (image.width(), image.height());
    if (width, height) != (size.width(), size.height()) {
        let expected = format!("{}x{}", size.width(), size.height());
        return Err(broken(format!("{width}x{height} pixels where the container says {expected}")));
    }
    let render = image.render_frame(0).map_err(|error| broken(error.to_string()))?;
    let mut stream = render.stream();
    if usize_of(stream.channels()) != bands {
        let found = stream.channels();
        return Err(broken(format!("{found} channels where the container says {bands}")));
    }
    let mut samples = filled(len, T::default())?;
    if stream.write_to_buffer(&mut samples) == len {
        Ok(samples)
    } else {
        Err(broken("it has fewer samples than its header says".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_picture_is_malformed() {
        for file in [&b""[..], b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n", b"something"] {
            let error = decode::<u8>(file, Size::new(8, 8).unwrap(), 3).unwrap_err();
            assert!(matches!(error, CodecError::Malformed { .. }), "{error}");
        }
    }
}
