//! Boxes of JP2, JPX and JPH files: where the codestream is, and what its components mean.
//!
//! # Source
//! T.800, annex I; T.801, annex M, for JPX; T.814, annex D, for JPH.

use std::sync::Arc;

use crate::codecs::flat::read_error;
use crate::codecs::jpeg2000::bytes::Bytes;
use crate::codecs::jpeg2000::{JPEG_2000, malformed, unsupported};
use crate::codecs::number::{usize_of_bytes, zeroed};
use crate::codecs::{CodecError, DecodeLimits};
use crate::model::ReadAt;
use crate::model::image_info::Resolution;

/// Boxes of a file and of all headers in it.
const BOXES_MAX: u32 = 4096;
/// Boxes in boxes: `jplh`, `cgrp`, `colr`.
const DEPTH_MAX: u32 = 3;
/// Entries of a palette.
const PALETTE_MAX: u16 = 1024;

/// `uuid` boxes that hold blocks known from other formats.
const EXIF: [u8; 16] = *b"JpgTiffExif->JP2";
const XMP: [u8; 16] = *b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";
const IPTC: [u8; 16] = *b"\x33\xc7\xa4\xd2\xb8\x1d\x47\x23\xa0\xba\xf1\xa3\xe0\x97\xad\x38";

/// What a file says around its codestream.
#[derive(Debug, Default)]
pub(super) struct Container {
    /// Where the codestream begins, and before where it ends.
    pub(super) codestream: Option<(u64, u64)>,
    /// In the order of the file.
    pub(super) colours: Vec<ColourBox>,
    pub(super) palette: Option<PaletteBox>,
    /// `cmap`: of each channel its component, and its column of the palette if it is looked up there.
    pub(super) mapping: Vec<(u16, Option<u8>)>,
    pub(super) definitions: Vec<Definition>,
    pub(super) resolution: Option<Resolution>,
    /// Exif, XMP, IPTC.
    pub(super) blocks: [Option<Arc<[u8]>>; 3],
    boxes: u32,
}

/// `colr`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ColourBox {
    /// A number, and what belongs to it.
    Enumerated(u32, Vec<u8>),
    /// An ICC profile.
    Profile(Vec<u8>),
    /// Another method.
    Other(u8),
}

/// `pclr`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PaletteBox {
    /// Bits of each column, less one; the highest bit is set for signed ones.
    pub(super) depths: Vec<u8>,
    /// Row by row.
    pub(super) entries: Vec<u32>,
}

/// `cdef`: what a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) channel: u16,
    /// 0 for a colour, 1 for opacity, 2 for opacity that colours were multiplied by.
    pub(super) kind: u16,
    /// The colour, from 1; 0 for all of them.
    pub(super) of: u16,
}

impl Container {
    /// Reads all boxes of a file; bodies of those that say something here alone.
    ///
    /// # Errors
    /// `Malformed`, `OverLimit` or `Io`.
    pub(super) fn read(source: &dyn ReadAt, limits: &DecodeLimits) -> Result<Self, CodecError> {
        let mut container = Self::default();
        let (mut at, end) = (0, source.len_bytes());
        while at < end {
            container.count_box()?;
            // A file that is cut short behind its codestream lacks nothing that is needed.
            let Some(found) = FileBox::at(source, at)? else { break };
            container.take_file_box(source, limits, &found)?;
            at = found.end;
        }
        Ok(container)
    }

    /// A file of so many bytes that is a codestream.
    pub(super) fn bare(len_bytes: u64) -> Self {
        Self { codestream: Some((0, len_bytes)), ..Self::default() }
    }

    /// Whether there are no boxes around the codestream.
    pub(super) const fn is_bare(&self) -> bool {
        self.boxes == 0
    }

    fn count_box(&mut self) -> Result<(), CodecError> {
        self.boxes += 1;
        if BOXES_MAX < self.boxes {
            let (what, value) = ("boxes of a JPEG 2000 file", self.boxes.into());
            return Err(CodecError::OverLimit { what, value, limit: BOXES_MAX.into() });
        }
        Ok(())
    }

    fn take_file_box(
        &mut self,
        source: &dyn ReadAt,
        limits: &DecodeLimits,
        found: &FileBox,
    ) -> Result<(), CodecError> {
        match &found.kind {
            b"jp2c" if self.codestream.is_none() => {
                self.codestream = Some((found.start, found.end));
            }
            b"ftbl" if self.codestream.is_none() => {
                return Err(unsupported("a codestream in fragments (ftbl)"));
            }
            b"jp2h" | b"jpch" | b"jplh" => {
                let bytes_max = limits.icc_bytes_max + limits.metadata_bytes_max;
                if bytes_max < found.len() {
                    let what = "bytes of a JPEG 2000 header box";
                    let (value, limit) = (found.len(), bytes_max);
                    return Err(CodecError::OverLimit { what, value, limit });
                }
                // Of several codestreams and layers, the first.
                if found.kind == *b"jp2h" || self.colours.is_empty() {
                    self.take_header(&found.body(source)?, 0)?;
                }
            }
            b"uuid" if found.len() <= limits.metadata_bytes_max => {
                let body = found.body(source)?;
                if let Some((id, block)) = body.split_first_chunk::<16>() {
                    let [exif, xmp, iptc] = &mut self.blocks;
                    let slot = match *id {
                        EXIF => exif,
                        XMP => xmp,
                        IPTC => iptc,
                        _ => return Ok(()),
                    };
                    slot.get_or_insert_with(|| block.into());
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes the boxes in a header box.
    fn take_header(&mut self, body: &[u8], depth: u32) -> Result<(), CodecError> {
        let mut from = Bytes::of("a box", body);
        while !from.is_empty() {
            self.count_box()?;
            let len = match from.u32()? {
                0 => from.rest().len().saturating_sub(4),
                len => usize_of_bytes(u64::from(len).saturating_sub(8)),
            };
            let kind = from.u32()?.to_be_bytes();
            let body = from.take(len)?;
            match &kind {
                b"colr" => self.colours.extend(colour(Bytes::of("colr", body))?),
                b"pclr" => self.palette = Some(palette(Bytes::of("pclr", body))?),
                b"cmap" => self.mapping = mapping(Bytes::of("cmap", body))?,
                b"cdef" => self.definitions = definitions(Bytes::of("cdef", body))?,
                b"resc" => {
                    self.resolution = resolution(Bytes::of("resc", body))?.or(self.resolution);
                }
                b"resd" => {
                    self.resolution = self.resolution.or(resolution(Bytes::of("resd", body))?);
                }
                b"res " | b"cgrp" if depth < DEPTH_MAX => self.take_header(body, depth + 1)?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// A box of a file: where its body begins, and before where it ends.
#[derive(Debug)]
struct FileBox {
    kind: [u8; 4],
    start: u64,
    end: u64,
}

impl FileBox {
    /// The box that begins at `at`; nothing where the file ends before.
    fn at(source: &dyn ReadAt, at: u64) -> Result<Option<Self>, CodecError> {
        let file_end = source.len_bytes();
        let head_len = usize_of_bytes(file_end - at).min(16);
        let mut head = zeroed(head_len)?;
        source.read_exact_at(&mut head, at).map_err(|error| read_error(JPEG_2000, error))?;
        if head_len < 8 {
            return Ok(None);
        }
        let mut from = Bytes::of("a box", &head);
        let (short, kind) = (from.u32()?, from.u32()?.to_be_bytes());
        let (start, end) = match short {
            0 => (at + 8, file_end),
            1 => (at + 16, at.saturating_add(from.u64()?)),
            len => (at + 8, at.saturating_add(len.into())),
        };
        if end < start {
            return Err(malformed("a box is shorter than its head"));
        }
        Ok(Some(Self { kind, start, end }))
    }

    const fn len(&self) -> u64 {
        self.end - self.start
    }

    fn body(&self, source: &dyn ReadAt) -> Result<Vec<u8>, CodecError> {
        if source.len_bytes() < self.end {
            return Err(malformed("a box breaks off"));
        }
        let mut body = zeroed(usize_of_bytes(self.len()))?;
        source
            .read_exact_at(&mut body, self.start)
            .map_err(|error| read_error(JPEG_2000, error))?;
        Ok(body)
    }
}

fn colour(mut from: Bytes<'_>) -> Result<Option<ColourBox>, CodecError> {
    let method = from.u8()?;
    from.take(2)?;
    Ok(Some(match method {
        1 => ColourBox::Enumerated(from.u32()?, from.rest().to_vec()),
        2 | 3 => ColourBox::Profile(from.rest().to_vec()),
        other => ColourBox::Other(other),
    }))
}

fn palette(mut from: Bytes<'_>) -> Result<PaletteBox, CodecError> {
    let (rows, columns) = (from.u16()?, from.u8()?);
    if !(1..=PALETTE_MAX).contains(&rows) || columns == 0 {
        return Err(malformed(format!("pclr: {rows} entries of {columns} columns")));
    }
    let depths = from.take(columns.into())?.to_vec();
    let mut entries = Vec::new();
    for _ in 0..rows {
        for depth in &depths {
            let bytes = from.take(usize::from((depth & 0x7f) / 8 + 1))?;
            entries.push(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)));
        }
    }
    Ok(PaletteBox { depths, entries })
}

fn mapping(mut from: Bytes<'_>) -> Result<Vec<(u16, Option<u8>)>, CodecError> {
    let mut channels = Vec::new();
    while !from.is_empty() {
        let (component, kind, column) = (from.u16()?, from.u8()?, from.u8()?);
        channels.push((component, (kind == 1).then_some(column)));
    }
    Ok(channels)
}

fn definitions(mut from: Bytes<'_>) -> Result<Vec<Definition>, CodecError> {
    let count = from.u16()?;
    let definition = |_| {
        let (channel, kind, of) = (from.u16()?, from.u16()?, from.u16()?);
        Ok(Definition { channel, kind, of })
    };
    (0..count).map(definition).collect()
}

/// Grid points a metre, as fractions with exponents; nothing where they are none.
fn resolution(mut from: Bytes<'_>) -> Result<Option<Resolution>, CodecError> {
    let vertical = [from.u16()?, from.u16()?].map(f64::from);
    let horizontal = [from.u16()?, from.u16()?].map(f64::from);
    let exponents = [from.u8()?, from.u8()?].map(u8::cast_signed);
    let number = |[above, below]: [f64; 2], exponent: i8| {
        Some(above / below * 10_f64.powi(exponent.into()))
            .filter(|number| number.is_finite() && 0.0 < *number)
    };
    let [vertical_exponent, horizontal_exponent] = exponents;
    let across = number(horizontal, horizontal_exponent);
    let down = number(vertical, vertical_exponent);
    Ok(across.zip(down).map(|(x_per_metre, y_per_metre)| Resolution { x_per_metre, y_per_metre }))
}
