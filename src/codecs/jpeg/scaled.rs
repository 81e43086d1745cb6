//! Rows of a JPEG file at 1, 1/2, 1/4 or 1/8 of its size: libjpeg leaves the frequencies out that a
//! smaller picture does not show, and computes no pixels of the rows above those asked for.
#![expect(unsafe_code, reason = "libjpeg is C, and mozjpeg's own wrapper skips no rows")]

use std::marker::PhantomData;
use std::mem;
use std::os::raw::{c_uint, c_ulong};
use std::ptr;

use mozjpeg_sys::{
    J_COLOR_SPACE, J_DCT_METHOD, jpeg_create_decompress, jpeg_decompress_struct,
    jpeg_destroy_decompress, jpeg_error_mgr, jpeg_mem_src, jpeg_read_header, jpeg_read_scanlines,
    jpeg_skip_scanlines, jpeg_start_decompress,
};

use crate::codecs::CodecError;
use crate::codecs::jpeg::JPEG;
use crate::codecs::jpeg::failure::{error_manager, guarded};
use crate::codecs::number::{u64_of, usize_of, zeroed};
use crate::model::{ColourModel, Size};

/// Rows of one scaled size of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Pixels of the whole picture at this scale.
    pub(super) size: Size,
    /// Sides are halved so many times: 0 to 3.
    pub(super) halvings: u32,
    /// Rows that are left out above.
    pub(super) top: u32,
    /// Rows that are decoded.
    pub(super) rows: u32,
    /// `Gray`, `Rgb` or `Cmyk`, as the file's components say.
    pub(super) colour: ColourModel,
}

/// Decodes the rows of `part`: `samples[(y * width + x) * bands + band]`, four components as stored.
///
/// # Errors
/// `Malformed` where the file is damaged, cut short, or no longer of the size that was known of it;
/// `Unsupported` for processes that libjpeg does not read.
pub(super) fn decode(file: &[u8], part: Part) -> Result<Vec<u8>, CodecError> {
    guarded(|| {
        let mut decoder = Decoder::new(file);
        decoder.start(part)?;
        decoder.read(part)
    })
}

/// libjpeg's decoder, over a file in memory.
struct Decoder<'a> {
    /// Boxed, as the error manager: libjpeg keeps pointers to both.
    state: Box<jpeg_decompress_struct>,
    _errors: Box<jpeg_error_mgr>,
    _file: PhantomData<&'a [u8]>,
}

impl<'a> Decoder<'a> {
    fn new(file: &'a [u8]) -> Self {
        let mut errors = Box::new(error_manager());
        // SAFETY: a C structure of integers, enumerations that have a 0, nullable pointers and `Option`s
        // of function pointers, all of which may be zero.
        let mut state: Box<jpeg_decompress_struct> = Box::new(unsafe { mem::zeroed() });
        state.common.err = ptr::from_mut(&mut *errors);
        // SAFETY: the structure and its error manager stay where they are until `drop`.
        unsafe { jpeg_create_decompress(&raw mut *state) };
        let mut decoder = Self { state, _errors: errors, _file: PhantomData };
        let len = c_ulong::try_from(file.len()).unwrap_or(0);
        // SAFETY: the bytes are borrowed for as long as the decoder lives.
        unsafe { jpeg_mem_src(&mut decoder.state, file.as_ptr(), len) };
        decoder
    }

    /// Reads the header and sets the scale.
    fn start(&mut self, part: Part) -> Result<(), CodecError> {
        // SAFETY: the source was set; errors unwind to `guarded`.
        unsafe { jpeg_read_header(&mut self.state, true.into()) };
        self.state.scale_num = 1;
        self.state.scale_denom = 1 << part.halvings;
        self.state.dct_method = J_DCT_METHOD::JDCT_ISLOW;
        self.state.out_color_space = match part.colour {
            ColourModel::Gray => J_COLOR_SPACE::JCS_GRAYSCALE,
            ColourModel::Cmyk => J_COLOR_SPACE::JCS_CMYK,
            _ => J_COLOR_SPACE::JCS_RGB,
        };
        // SAFETY: the header was read.
        unsafe { jpeg_start_decompress(&mut self.state) };
        let (width, height) = (self.state.output_width, self.state.output_height);
        let bands = self.state.output_components;
        if (width, height) == (part.size.width(), part.size.height())
            && bands == i32::from(part.colour.bands())
        {
            return Ok(());
        }
        let what = format!("{width}x{height} pixels of {bands} components, not as its header said");
        Err(CodecError::malformed(JPEG, what))
    }

    fn read(&mut self, part: Part) -> Result<Vec<u8>, CodecError> {
        let row_bytes = usize_of(part.size.width()) * usize::from(part.colour.bands());
        let mut samples = zeroed(row_bytes * usize_of(part.rows))?;
        if 0 < part.top {
            // SAFETY: decompression was started.
            let skipped = unsafe { jpeg_skip_scanlines(&mut self.state, part.top) };
            if skipped != part.top {
                return Err(ends_after(skipped.into()));
            }
        }
        let mut rows: Vec<*mut u8> =
            samples.chunks_exact_mut(row_bytes).map(<[u8]>::as_mut_ptr).collect();
        let mut done = 0;
        while let Some(left) = rows.get_mut(done..).filter(|left| !left.is_empty()) {
            let count = c_uint::try_from(left.len()).unwrap_or(0);
            // SAFETY: `count` pointers to rows of `output_width * output_components` bytes, which
            // `start` has compared.
            let read = unsafe { jpeg_read_scanlines(&mut self.state, left.as_mut_ptr(), count) };
            if read == 0 {
                return Err(ends_after(u64_of(done)));
            }
            done += usize_of(read);
        }
        drop(rows);
        Ok(samples)
    }
}

fn ends_after(rows: u64) -> CodecError {
    CodecError::malformed(JPEG, format!("the picture ends after {rows} rows"))
}

impl Drop for Decoder<'_> {
    fn drop(&mut self) {
        // SAFETY: the structure was created and is not used afterwards.
        unsafe { jpeg_destroy_decompress(&mut self.state) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::Encoding;
    use crate::codecs::jpeg::encode;
    use crate::imaging::Raster;
    use crate::model::Format;

    /// 300 x 500 pixels, YCbCr with colour differences halved both ways, or gray.
    fn file(colour: ColourModel) -> Vec<u8> {
        let size = Size::new(300, 500).unwrap();
        let len = Raster::<u8>::samples_len(size, colour, false);
        let samples = (0..len).map(|i| u8::try_from((i * i / 977 + i) % 256).unwrap()).collect();
        let raster = Raster::new(size, colour, false, samples).unwrap();
        encode(&raster, &Encoding::plain(Format::Jpeg, 80)).unwrap()
    }

    fn whole(colour: ColourModel, halvings: u32) -> Part {
        let size = Size::new(300, 500).unwrap().halved_up(halvings);
        Part { size, halvings, top: 0, rows: size.height(), colour }
    }

    #[test]
    fn bands_of_rows_are_those_of_the_whole_at_every_scale() {
        let mut compared = 0;
        for colour in [ColourModel::Gray, ColourModel::Rgb] {
            let file = file(colour);
            for halvings in 0..=3 {
                let whole = whole(colour, halvings);
                let expected = decode(&file, whole).unwrap();
                let row_bytes = expected.len() / usize_of(whole.rows);
                for (top, rows) in [(16, 16), (16, 7), (32, 30), (48, 14)] {
                    let samples = decode(&file, Part { top, rows, ..whole }).unwrap();
                    let first = usize_of(top) * row_bytes;
                    assert!(
                        samples == expected[first..first + samples.len()],
                        "{colour:?} 1/{} from row {top}",
                        1 << halvings
                    );
                    compared += 1;
                }
            }
        }
        assert_eq!(compared, 32);
    }

    #[test]
    fn a_file_cut_short_is_malformed_at_every_scale() {
        let file = file(ColourModel::Rgb);
        for halvings in 0..=3 {
            for len in (0..file.len() - 64).step_by(401) {
                let error = decode(&file[..len], whole(ColourModel::Rgb, halvings)).unwrap_err();
                assert!(matches!(error, CodecError::Malformed { .. }), "{len}: {error}");
            }
        }
    }

    #[test]
    fn a_file_of_another_size_than_was_known_is_malformed() {
        let file = file(ColourModel::Gray);
        let size = Size::new(301, 500).unwrap();
        let error = decode(&file, Part { size, ..whole(ColourModel::Gray, 0) }).unwrap_err();
        assert!(matches!(error, CodecError::Malformed { .. }), "{error}");
    }
}
