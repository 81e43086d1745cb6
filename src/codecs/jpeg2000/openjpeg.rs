//! OpenJPEG in this process, over a codestream in memory.
//!
//! A decoder lives for one call: OpenJPEG follows null pointers where one is used again after an error.
//! Its image starts as null, because a pointer to anything else would be written through
//! (CVE-2025-54874). Its assertions are compiled out (`.cargo/config.toml`), its threads are left out.
#![expect(unsafe_code, reason = "OpenJPEG is a C library")]

use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::slice;

use openjpeg_sys::{
    CODEC_FORMAT, OPJ_BOOL, OPJ_OFF_T, opj_codec_t, opj_create_decompress, opj_decode,
    opj_decoder_set_strict_mode, opj_destroy_codec, opj_dparameters_t, opj_image_comp_t,
    opj_image_destroy, opj_image_t, opj_read_header, opj_set_decode_area,
    opj_set_default_decoder_parameters, opj_set_error_handler, opj_setup_decoder,
    opj_stream_create, opj_stream_destroy, opj_stream_set_read_function,
    opj_stream_set_seek_function, opj_stream_set_skip_function, opj_stream_set_user_data,
    opj_stream_set_user_data_length, opj_stream_t,
};

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::codestream_decoder::{CodestreamDecoder, Plane};
use crate::codecs::jpeg2000::malformed;
use crate::codecs::number::{reserved_for, u64_of, usize_of};
use crate::model::Rect;

/// Bytes that OpenJPEG reads at once where it asks for less; headers and tile data are longer or far
/// shorter.
const BUFFER_BYTES: usize = 4096;

/// Bytes of OpenJPEG's words that are kept.
const WORDS_BYTES_MAX: usize = 200;

const TRUE: OPJ_BOOL = 1;
const FALSE: OPJ_BOOL = 0;

/// OpenJPEG in this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenJpeg;

impl CodestreamDecoder for OpenJpeg {
    fn decode(&self, codestream: &[u8], area: Rect) -> Result<Vec<Plane>, CodecError> {
        let mut cursor = Cursor { bytes: codestream, position: 0 };
        let mut words = Words::default();
        let decoded = decode(&mut cursor, &mut words, area);
        decoded.map_err(|failure| match failure {
            Failure::OpenJpeg => malformed(words.text()),
            Failure::Codec(error) => error,
        })
    }
}

/// Why there are no planes.
enum Failure {
    /// OpenJPEG said no; its words say why.
    OpenJpeg,
    /// We did.
    Codec(CodecError),
}

fn decode(cursor: &mut Cursor<'_>, words: &mut Words, area: Rect) -> Result<Vec<Plane>, Failure> {
    let stream = Stream::over(cursor)?;
    let codec = Codec::new(words)?;
    let image = Image::read(&codec, &stream)?;
    let edges = [area.left(), area.top(), area.right(), area.bottom()].map(i32::try_from);
    let [Ok(left), Ok(top), Ok(right), Ok(bottom)] = edges else { return Err(Failure::OpenJpeg) };
    // SAFETY: codec and image are alive, and the header of this image was read by this codec.
    let set = unsafe { opj_set_decode_area(codec.0, image.0, left, top, right, bottom) };
    done(set)?;
    // SAFETY: codec, stream and image are alive, and this is the first call for this codec.
    done(unsafe { opj_decode(codec.0, stream.0, image.0) })?;
    image.components().iter().map(plane).collect()
}

/// Copies the samples of a component.
fn plane(component: &opj_image_comp_t) -> Result<Plane, Failure> {
    let count = usize_of(component.w).checked_mul(usize_of(component.h));
    let (Some(count), Some(data)) = (count, NonNull::new(component.data)) else {
        return Err(Failure::OpenJpeg);
    };
    let mut samples = reserved_for(count).map_err(Failure::Codec)?;
    // SAFETY: OpenJPEG gives a component `w * h` samples where it gives it any, and they live as long as
    // the image that the component is borrowed of.
    samples.extend_from_slice(unsafe { slice::from_raw_parts(data.as_ptr(), count) });
    Ok(Plane {
        left: component.x0,
        top: component.y0,
        width: component.w,
        height: component.h,
        samples,
    })
}

fn done(result: OPJ_BOOL) -> Result<(), Failure> {
    if result == FALSE { Err(Failure::OpenJpeg) } else { Ok(()) }
}

/// A decoder of raw codestreams.
struct Codec<'a>(*mut opj_codec_t, PhantomData<&'a mut Words>);

impl<'a> Codec<'a> {
    /// A decoder that refuses what breaks off, and says why.
    fn new(words: &'a mut Words) -> Result<Self, Failure> {
        // SAFETY: it takes a number and gives a new codec, or null where memory is short.
        let codec = unsafe { opj_create_decompress(CODEC_FORMAT::OPJ_CODEC_J2K) };
        if codec.is_null() {
            return Err(Failure::OpenJpeg);
        }
        let codec = Self(codec, PhantomData);
        let words = ptr::from_mut(words).cast::<c_void>();
        // SAFETY: `keep` takes what is given here, which outlives the codec by its lifetime.
        done(unsafe { opj_set_error_handler(codec.0, Some(keep), words) })?;
        // SAFETY: a C structure of numbers and arrays of characters, all of which may be zero.
        let mut parameters: opj_dparameters_t = unsafe { std::mem::zeroed() };
        // SAFETY: it fills the structure it is given and keeps no pointer to it.
        unsafe { opj_set_default_decoder_parameters(&raw mut parameters) };
        // SAFETY: the codec is alive, and the parameters are copied.
        done(unsafe { opj_setup_decoder(codec.0, &raw mut parameters) })?;
        // SAFETY: the codec is alive.
        done(unsafe { opj_decoder_set_strict_mode(codec.0, TRUE) })?;
        Ok(codec)
    }
}

impl Drop for Codec<'_> {
    fn drop(&mut self) {
        // SAFETY: it was made by `opj_create_decompress`, and nobody has it any more.
        unsafe { opj_destroy_codec(self.0) };
    }
}

/// What OpenJPEG reads.
struct Stream<'a>(*mut opj_stream_t, PhantomData<&'a mut Cursor<'a>>);

impl<'a> Stream<'a> {
    fn over(cursor: &'a mut Cursor<'_>) -> Result<Self, Failure> {
        // SAFETY: it takes numbers and gives a new stream, or null where memory is short.
        let stream = unsafe { opj_stream_create(BUFFER_BYTES, TRUE) };
        if stream.is_null() {
            return Err(Failure::OpenJpeg);
        }
        let stream = Self(stream, PhantomData);
        let len = u64_of(cursor.bytes.len());
        let cursor = ptr::from_mut(cursor).cast::<c_void>();
        // SAFETY: the stream is alive; the cursor outlives it by its lifetime, and is not freed by it.
        unsafe { opj_stream_set_user_data(stream.0, cursor, None) };
        // SAFETY: the stream is alive.
        unsafe { opj_stream_set_user_data_length(stream.0, len) };
        // SAFETY: the stream is alive, and `read` takes what was set as user data.
        unsafe { opj_stream_set_read_function(stream.0, Some(read)) };
        // SAFETY: the stream is alive, and `skip` takes what was set as user data.
        unsafe { opj_stream_set_skip_function(stream.0, Some(skip)) };
        // SAFETY: the stream is alive, and `seek` takes what was set as user data.
        unsafe { opj_stream_set_seek_function(stream.0, Some(seek)) };
        Ok(stream)
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        // SAFETY: it was made by `opj_stream_create`, and nobody has it any more.
        unsafe { opj_stream_destroy(self.0) };
    }
}

/// What OpenJPEG decodes into.
struct Image(*mut opj_image_t);

impl Image {
    /// Reads the main header.
    fn read(codec: &Codec<'_>, stream: &Stream<'_>) -> Result<Self, Failure> {
        let mut image = Self(ptr::null_mut());
        // SAFETY: codec and stream are alive; the image is null, and what is put there is ours.
        done(unsafe { opj_read_header(stream.0, codec.0, &raw mut image.0) })?;
        if image.0.is_null() { Err(Failure::OpenJpeg) } else { Ok(image) }
    }

    fn components(&self) -> &[opj_image_comp_t] {
        // SAFETY: not null since `Image::read`, and OpenJPEG has returned.
        let image = unsafe { &*self.0 };
        if image.comps.is_null() {
            return &[];
        }
        // SAFETY: OpenJPEG gives an image `numcomps` components where it gives it any, and they live as
        // long as the image.
        unsafe { slice::from_raw_parts(image.comps, usize_of(image.numcomps)) }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // SAFETY: null, which is allowed, or made by OpenJPEG, and nobody has it any more.
        unsafe { opj_image_destroy(self.0) };
    }
}

/// Bytes, and how far they were read.
struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    /// The next bytes, at most so many.
    fn take(&mut self, len_max: usize) -> &'a [u8] {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let taken = rest.get(..len_max).unwrap_or(rest);
        self.position += taken.len();
        taken
    }

    fn go_to(&mut self, position: Option<usize>) -> bool {
        match position.filter(|position| *position <= self.bytes.len()) {
            Some(position) => {
                self.position = position;
                true
            }
            None => false,
        }
    }
}

/// What `opj_stream_read_fn` is to answer at the end.
const END: usize = usize::MAX;

unsafe extern "C" fn read(buffer: *mut c_void, len: usize, cursor: *mut c_void) -> usize {
    // SAFETY: `Stream::over` gave this cursor, and nobody else has it while OpenJPEG runs.
    let cursor = unsafe { &mut *cursor.cast::<Cursor<'_>>() };
    let taken = cursor.take(len);
    if taken.is_empty() {
        return END;
    }
    // SAFETY: OpenJPEG hands over a buffer of its own that has room for `len` bytes, of which at most so
    // many are written.
    unsafe { ptr::copy_nonoverlapping(taken.as_ptr(), buffer.cast::<u8>(), taken.len()) };
    taken.len()
}

unsafe extern "C" fn skip(len: OPJ_OFF_T, cursor: *mut c_void) -> OPJ_OFF_T {
    // SAFETY: `Stream::over` gave this cursor, and nobody else has it while OpenJPEG runs.
    let cursor = unsafe { &mut *cursor.cast::<Cursor<'_>>() };
    let target = isize::try_from(len).ok().and_then(|len| cursor.position.checked_add_signed(len));
    if cursor.go_to(target) { len } else { -1 }
}

unsafe extern "C" fn seek(position: OPJ_OFF_T, cursor: *mut c_void) -> OPJ_BOOL {
    // SAFETY: `Stream::over` gave this cursor, and nobody else has it while OpenJPEG runs.
    let cursor = unsafe { &mut *cursor.cast::<Cursor<'_>>() };
    if cursor.go_to(usize::try_from(position).ok()) { TRUE } else { FALSE }
}

/// What OpenJPEG says first.
#[derive(Default)]
struct Words(String);

impl Words {
    fn text(&self) -> String {
        let text = self.0.trim().trim_end_matches('.');
        if text.is_empty() { "OpenJPEG refuses it".to_owned() } else { format!("OpenJPEG: {text}") }
    }
}

unsafe extern "C" fn keep(message: *const c_char, words: *mut c_void) {
    // SAFETY: `Codec::new` gave these words, and nobody else has them while OpenJPEG runs.
    let words = unsafe { &mut *words.cast::<Words>() };
    if message.is_null() || !words.0.is_empty() {
        return;
    }
    // SAFETY: OpenJPEG hands over a text that ends with a NUL.
    let message = unsafe { CStr::from_ptr(message) };
    words.0.extend(message.to_string_lossy().chars().take(WORDS_BYTES_MAX));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Size;

    #[test]
    fn what_is_no_codestream_is_malformed_in_openjpegs_words() {
        for codestream in [&b""[..], b"\xff\x4f\xff\x51", b"no codestream"] {
            let error = OpenJpeg.decode(codestream, Rect::whole(Size::ONE)).unwrap_err();
            assert!(matches!(error, CodecError::Malformed { .. }), "{error}");
            assert!(error.to_string().contains("OpenJPEG"), "{error}");
        }
    }
}
