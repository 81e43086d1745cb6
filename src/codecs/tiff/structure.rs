//! Header, directories and tag values, through the `tiff` crate, with limits held before anything is
//! allocated or walked.

use std::collections::{HashSet, TryReserveError};
use std::sync::Arc;

use tiff::decoder::Decoder;
use tiff::decoder::ifd::Entry;
use tiff::tags::{ByteOrder, IfdPointer, Tag, Type};
use tiff::{Directory, TiffError};

use crate::codecs::number::{filled, u64_of, usize_of_bytes, zeroed};
use crate::codecs::tiff::malformed;
use crate::codecs::window::Window;
use crate::codecs::{CodecError, DecodeLimits};
use crate::model::ReadAt;

/// Entries of one directory: real ones have about 20, and a lying count costs time for each.
const ENTRIES_MAX: u64 = 4096;

/// Values are converted in pieces of this many bytes, a multiple of every type's size.
const PIECE_BYTES: usize = 64 << 10;

/// A file whose directories can be read.
pub(super) struct Structure {
    decoder: Decoder<Window>,
    source: Arc<dyn ReadAt>,
    order: ByteOrder,
    big: bool,
    first: u64,
    directories_max: usize,
    seen: HashSet<u64>,
}

impl Structure {
    /// Reads the header; no directory yet.
    ///
    /// # Errors
    /// `Malformed` where the header breaks off or is none; `Io`.
    pub(super) fn open(source: Arc<dyn ReadAt>, limits: &DecodeLimits) -> Result<Self, CodecError> {
        let mut head = zeroed(usize_of_bytes(source.len_bytes().min(16)))?;
        source.read_exact_at(&mut head, 0)?;
        let (order, big, first) =
            header(&head).ok_or_else(|| malformed("the header is broken or cut short"))?;
        let decoder = point_at(Arc::clone(&source), order, big)?;
        let (directories_max, seen) = (limits.directories_max, HashSet::new());
        Ok(Self { decoder, source, order, big, first, directories_max, seen })
    }

    /// `TIFF` or `BigTIFF`.
    pub(super) const fn container(&self) -> &'static str {
        if self.big { "BigTIFF" } else { "TIFF" }
    }

    /// Bytes of the file.
    pub(super) fn len_bytes(&self) -> u64 {
        self.source.len_bytes()
    }

    /// Bytes that a tag only points to.
    ///
    /// # Errors
    /// `Malformed` where they lie outside the file.
    pub(super) fn bytes_at(&self, offset: u64, len: u64) -> Result<Vec<u8>, CodecError> {
        if offset.checked_add(len).is_none_or(|end| self.source.len_bytes() < end) {
            return Err(malformed(format!(
                "the data at byte {offset} lies beyond the end of the file"
            )));
        }
        let mut bytes = zeroed(usize_of_bytes(len))?;
        self.source.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }

    /// Order of the bytes of numbers.
    pub(super) const fn order(&self) -> ByteOrder {
        self.order
    }

    /// Offset of the first directory in bytes.
    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    /// Reads a directory, once.
    ///
    /// # Errors
    /// `Malformed` where it lies outside the file, is no directory, or was read before (a cycle);
    /// `OverLimit` where it is one too many, or has too many entries.
    pub(super) fn directory(&mut self, offset: u64) -> Result<Directory, CodecError> {
        if !self.seen.insert(offset) {
            return Err(malformed(format!("the directory at byte {offset} is linked twice")));
        }
        if self.directories_max < self.seen.len() {
            let (value, limit) = (u64_of(self.seen.len()), u64_of(self.directories_max));
            return Err(CodecError::OverLimit { what: "directories of a TIFF", value, limit });
        }
        let entries = self.entry_count(offset)?;
        if ENTRIES_MAX < entries {
            let what = "entries of a TIFF directory";
            return Err(CodecError::OverLimit { what, value: entries, limit: ENTRIES_MAX });
        }
        self.decoder.read_directory(IfdPointer(offset)).map_err(|error| error_of(error, offset))
    }

    /// Reads a directory that [`Structure::directory`] has read before.
    ///
    /// # Errors
    /// As that one, where the file changed meanwhile.
    pub(super) fn again(&mut self, offset: u64) -> Result<Directory, CodecError> {
        self.decoder.read_directory(IfdPointer(offset)).map_err(|error| error_of(error, offset))
    }

    fn entry_count(&self, offset: u64) -> Result<u64, CodecError> {
        let mut field = [0; 8];
        let field = if self.big { &mut field[..] } else { &mut field[..2] };
        let end = offset.checked_add(u64_of(field.len()));
        if end.is_none_or(|end| self.source.len_bytes() < end) {
            return Err(malformed(format!(
                "no directory at byte {offset}, beyond the end of the file"
            )));
        }
        self.source.read_exact_at(field, offset)?;
        Ok(number(field, self.order))
    }

    /// The first value of a tag with a whole number; nothing where the directory lacks it.
    ///
    /// # Errors
    /// `Malformed` where its type is no whole number, or it lies outside the file.
    pub(super) fn number(&mut self, from: &Directory, tag: Tag) -> Result<Option<u64>, CodecError> {
        Ok(self.numbers_up_to(from, tag, 1)?.and_then(|values| values.first().copied()))
    }

    /// All values of a tag with whole numbers.
    ///
    /// # Errors
    /// As [`Structure::number`]; `OverLimit` above `count_max` values.
    pub(super) fn numbers(
        &mut self,
        from: &Directory,
        tag: Tag,
        count_max: u64,
    ) -> Result<Option<Box<[u64]>>, CodecError> {
        let count = from.get(tag).map_or(0, Entry::count);
        if count_max < count {
            let what = "values of a TIFF tag";
            return Err(CodecError::OverLimit { what, value: count, limit: count_max });
        }
        self.numbers_up_to(from, tag, count)
    }

    /// The first `count` values of a tag with whole numbers, or all where there are fewer.
    ///
    /// # Errors
    /// As [`Structure::number`].
    pub(super) fn numbers_up_to(
        &mut self,
        from: &Directory,
        tag: Tag,
        count: u64,
    ) -> Result<Option<Box<[u64]>>, CodecError> {
        let Some(entry) = from.get(tag) else { return Ok(None) };
        let value_bytes = match entry.field_type() {
            Type::BYTE | Type::UNDEFINED => 1,
            Type::SHORT => 2,
            Type::LONG | Type::IFD => 4,
            Type::LONG8 | Type::IFD8 => 8,
            _ => return Err(malformed(format!("tag {} is no whole number", tag.to_u16()))),
        };
        let bytes = self.extent(entry, tag, u64_of(value_bytes))?;
        let wanted_bytes = usize_of_bytes(bytes.min(count.saturating_mul(u64_of(value_bytes))));
        let mut values = Vec::new();
        values.try_reserve_exact(wanted_bytes / value_bytes).map_err(out_of_memory)?;
        let mut piece = zeroed(wanted_bytes.min(PIECE_BYTES))?;
        let mut done = 0;
        while done < wanted_bytes {
            let len = piece.len().min(wanted_bytes - done);
            let Some(piece) = piece.get_mut(..len) else { break };
            self.read(from, tag, piece, u64_of(done))?;
            values.extend(piece.chunks_exact(value_bytes).map(|value| number(value, self.order)));
            done += len;
        }
        Ok(Some(values.into_boxed_slice()))
    }

    /// The bytes of a tag of any type, as they stand; nothing where the directory lacks it.
    ///
    /// # Errors
    /// `Malformed` where it lies outside the file; `OverLimit` above `bytes_max`.
    pub(super) fn bytes(
        &mut self,
        from: &Directory,
        tag: Tag,
        bytes_max: u64,
    ) -> Result<Option<Vec<u8>>, CodecError> {
        let Some(entry) = from.get(tag) else { return Ok(None) };
        let len = self.extent(entry, tag, type_bytes(entry.field_type()))?;
        if bytes_max < len {
            let what = "bytes of a TIFF tag";
            return Err(CodecError::OverLimit { what, value: len, limit: bytes_max });
        }
        let mut bytes = filled(usize_of_bytes(len), 0)?;
        self.read(from, tag, &mut bytes, 0)?;
        Ok(Some(bytes))
    }

    /// The first `bytes_max` bytes of a tag of text up to its first NUL, what is no UTF-8 replaced;
    /// empty where the directory lacks it or it is no text.
    ///
    /// # Errors
    /// `Malformed` where it lies outside the file.
    pub(super) fn text(
        &mut self,
        from: &Directory,
        tag: Tag,
        bytes_max: u64,
    ) -> Result<String, CodecError> {
        let is_text = |entry: &&Entry| matches!(entry.field_type(), Type::ASCII | Type::BYTE);
        let Some(entry) = from.get(tag).filter(is_text) else { return Ok(String::new()) };
        let len = self.extent(entry, tag, 1)?.min(bytes_max);
        let mut bytes = zeroed(usize_of_bytes(len))?;
        self.read(from, tag, &mut bytes, 0)?;
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// The first value of a tag of floating point numbers; nothing where the directory lacks it, it
    /// holds something else, or is no finite number.
    ///
    /// # Errors
    /// `Malformed` where it lies outside the file.
    pub(super) fn real(&mut self, from: &Directory, tag: Tag) -> Result<Option<f64>, CodecError> {
        let Some(entry) = from.get(tag).filter(|entry| entry.count() != 0) else {
            return Ok(None);
        };
        let (single, len) = match entry.field_type() {
            Type::FLOAT => (true, 4),
            Type::DOUBLE => (false, 8),
            _ => return Ok(None),
        };
        let mut bytes = [0; 8];
        let (bytes, _) = bytes.split_at_mut(len);
        self.read(from, tag, bytes, 0)?;
        let bits = number(bytes, self.order);
        let value = if single {
            u32::try_from(bits).map_or(f64::NAN, |bits| f32::from_bits(bits).into())
        } else {
            f64::from_bits(bits)
        };
        Ok(Some(value).filter(|value| value.is_finite()))
    }

    /// The values of a tag of fractions, at most `count_max`; nothing where the directory lacks it or
    /// it holds something else.
    ///
    /// # Errors
    /// `Malformed` where it lies outside the file.
    pub(super) fn fractions(
        &mut self,
        from: &Directory,
        tag: Tag,
        count_max: u64,
    ) -> Result<Option<Vec<f64>>, CodecError> {
        let is_fraction =
            |entry: &Entry| entry.field_type() == Type::RATIONAL && entry.count() <= count_max;
        if !from.get(tag).is_some_and(is_fraction) {
            return Ok(None);
        }
        let Some(bytes) = self.bytes(from, tag, count_max.saturating_mul(8))? else {
            return Ok(None);
        };
        let half = |field: &[u8]| u32::try_from(number(field, self.order)).map_or(0.0, f64::from);
        let fraction = |pair: &[u8]| pair.split_at_checked(4).map(|(n, d)| half(n) / half(d));
        Ok(bytes.chunks_exact(8).map(fraction).collect())
    }

    /// Bytes of a tag's values, held against the length of the file.
    fn extent(&self, entry: &Entry, tag: Tag, value_bytes: u64) -> Result<u64, CodecError> {
        let bytes = entry.count().saturating_mul(value_bytes);
        if bytes <= self.source.len_bytes() {
            return Ok(bytes);
        }
        let (tag, count) = (tag.to_u16(), entry.count());
        Err(malformed(format!("tag {tag} claims {count} values, more than the file holds")))
    }

    fn read(
        &mut self,
        from: &Directory,
        tag: Tag,
        target: &mut [u8],
        skip_bytes: u64,
    ) -> Result<(), CodecError> {
        let mut values = self.decoder.read_directory_tags(from);
        let read = values.find_tag_bytes(tag, target, skip_bytes);
        read.map(|_len| ()).map_err(|error| match error {
            TiffError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                CodecError::Io(error)
            }
            _ => malformed(format!("the values of tag {} lie outside the file", tag.to_u16())),
        })
    }
}

/// Byte order, whether BigTIFF, offset of the first directory.
fn header(head: &[u8]) -> Option<(ByteOrder, bool, u64)> {
    let order = match head {
        [b'I', b'I', ..] => ByteOrder::LittleEndian,
        [b'M', b'M', ..] => ByteOrder::BigEndian,
        _ => return None,
    };
    let field = |at: usize, len: usize| Some(number(head.get(at..at + len)?, order));
    match (field(2, 2)?, head.get(4..)?) {
        (42, _) => Some((order, false, field(4, 4)?)),
        // Offsets of 8 bytes, then two zeros.
        (43, _) if field(4, 2)? == 8 && field(6, 2)? == 0 => Some((order, true, field(8, 8)?)),
        _ => None,
    }
}

/// The crate's reader, over `source`.
///
/// As it opens a file it decodes the first image's tags into 32 bytes for each tile, under limits of its
/// own, and refuses kinds of images that we would name. So it opens a file of one pixel in the same
/// byte order and kind, and is then pointed at the real one.
fn point_at(
    source: Arc<dyn ReadAt>,
    order: ByteOrder,
    big: bool,
) -> Result<Decoder<Window>, CodecError> {
    let opened = Decoder::new(Window::new(Arc::new(one_pixel(order, big))));
    let mut decoder = opened.map_err(|error| error_of(error, 0))?;
    *decoder.inner() = Window::new(source);
    Ok(decoder)
}

/// A file of one gray pixel: header, one directory of SHORT values, no data.
fn one_pixel(order: ByteOrder, big: bool) -> Vec<u8> {
    // ImageWidth, ImageLength, BitsPerSample, Compression, PhotometricInterpretation, StripOffsets,
    // RowsPerStrip, StripByteCounts.
    const TAGS: [(u64, u64); 8] =
        [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (278, 1), (279, 1)];
    let mut file = Vec::new();
    let mut put = |value: u64, len: usize| match order {
        ByteOrder::LittleEndian => file.extend(value.to_le_bytes().into_iter().take(len)),
        ByteOrder::BigEndian => file.extend(value.to_be_bytes().into_iter().skip(8 - len)),
    };
    let mark = if order == ByteOrder::LittleEndian { 0x4949 } else { 0x4d4d };
    let wide = if big { 8 } else { 4 };
    put(mark, 2);
    if big {
        for (value, len) in [(43, 2), (8, 2), (0, 2), (16, 8), (u64_of(TAGS.len()), 8)] {
            put(value, len);
        }
    } else {
        for (value, len) in [(42, 2), (8, 4), (u64_of(TAGS.len()), 2)] {
            put(value, len);
        }
    }
    for (tag, value) in TAGS {
        for (value, len) in [(tag, 2), (3, 2), (1, wide), (value, 2), (0, wide - 2)] {
            put(value, len);
        }
    }
    put(0, wide);
    file
}

/// 1 to 8 bytes as a number.
fn number(bytes: &[u8], order: ByteOrder) -> u64 {
    let push = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    match order {
        ByteOrder::LittleEndian => bytes.iter().rev().fold(0, push),
        ByteOrder::BigEndian => bytes.iter().fold(0, push),
    }
}

const fn type_bytes(kind: Type) -> u64 {
    match kind {
        Type::BYTE | Type::SBYTE | Type::ASCII | Type::UNDEFINED => 1,
        Type::SHORT | Type::SSHORT => 2,
        Type::LONG | Type::SLONG | Type::FLOAT | Type::IFD => 4,
        _ => 8,
    }
}

fn error_of(error: TiffError, offset: u64) -> CodecError {
    match error {
        TiffError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            CodecError::Io(error)
        }
        _ => malformed(format!("the directory at byte {offset} is broken or cut short")),
    }
}

fn out_of_memory(error: TryReserveError) -> CodecError {
    CodecError::Io(std::io::Error::new(std::io::ErrorKind::OutOfMemory, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_both_kinds_and_orders_are_read() {
        for (head, expected) in [
            (&b"II*\0\x08\0\0\0"[..], Some((ByteOrder::LittleEndian, false, 8))),
            (b"MM\0*\0\0\x01\0", Some((ByteOrder::BigEndian, false, 256))),
            (b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0", Some((ByteOrder::LittleEndian, true, 16))),
            (b"MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x10", Some((ByteOrder::BigEndian, true, 16))),
            (b"MM\0+\0\x04\0\0\0\0\0\0\0\0\0\x10", None),
            (b"II*\0\x08", None),
            (b"", None),
        ] {
            assert_eq!(header(head), expected, "{head:?}");
        }
    }

    #[test]
    fn the_one_pixel_file_opens_in_every_form() {
        for order in [ByteOrder::LittleEndian, ByteOrder::BigEndian] {
            for big in [false, true] {
                point_at(Arc::new(Vec::new()), order, big).unwrap();
            }
        }
    }
}
