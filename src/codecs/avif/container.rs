//! The HEIF container of an AVIF file: one picture, its alpha, its profile, Exif and XMP.
//!
//! # Source
//! ISO/IEC 14496-12 (boxes), ISO/IEC 23008-12 (items and properties), AVIF 1.1.

use std::borrow::Cow;

use crate::codecs::CodecError;
use crate::codecs::number::{reserved, u64_of};
use crate::model::Size;

/// A coded picture.
#[derive(Debug)]
pub(super) struct Av1 {
    /// The body of its `av1C`.
    pub(super) config: Vec<u8>,
    /// Its open bitstream units.
    pub(super) data: Vec<u8>,
}

/// What a file is made of.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    /// Pixels.
    pub(super) size: Size,
    /// Bits of a sample.
    pub(super) bits: u8,
    /// Whether there is one plane.
    pub(super) is_gray: bool,
    /// The picture.
    pub(super) colour: Av1,
    /// Its alpha, one plane.
    pub(super) alpha: Option<Av1>,
    /// The profile.
    pub(super) icc: Option<&'a [u8]>,
    /// Exif without a prefix.
    pub(super) exif: Option<Vec<u8>>,
    /// XMP.
    pub(super) xmp: Option<Vec<u8>>,
}

/// Something that has bytes in the file, numbered from 1 on.
struct Item<'a> {
    kind: [u8; 4],
    /// What follows the item's name in its entry.
    media_type: &'static [u8],
    /// Not to be shown of its own.
    hidden: bool,
    /// How it refers to the first item.
    refers: Option<[u8; 4]>,
    /// Numbers of its properties.
    properties: Vec<u8>,
    data: Cow<'a, [u8]>,
}

/// The bit of a property without which an item cannot be read.
const ESSENTIAL: u8 = 0x80;

/// The whole file.
///
/// # Errors
/// `OverLimit` above 4 GiB; `Io` where memory is short.
pub(super) fn file(parts: &Parts<'_>) -> Result<Vec<u8>, CodecError> {
    let mut properties = Properties::default();
    let items = items(parts, &mut properties);
    let head = boxed(*b"ftyp", &[b"avif\0\0\0\0avifmif1miaf"]);
    // The offsets are as long as they are, whatever they say.
    let meta_len = meta(&items, &properties, 0).len();
    let data_at = head.len() + meta_len + 8;
    let data_len: usize = items.iter().map(|item| item.data.len()).sum();
    let len = data_at + data_len;
    let over = |_too_long| CodecError::OverLimit {
        what: "bytes of an AVIF file",
        value: u64_of(len),
        limit: u32::MAX.into(),
    };
    u32::try_from(len).map_err(over)?;
    let mut file = reserved(len)?;
    file.extend(head);
    file.extend(meta(&items, &properties, data_at));
    file.extend(number(data_len + 8));
    file.extend(b"mdat");
    for item in items {
        file.extend_from_slice(&item.data);
    }
    Ok(file)
}

fn items<'a>(parts: &'a Parts<'_>, properties: &mut Properties) -> Vec<Item<'a>> {
    let picture = |properties, data: &'a Av1, hidden| Item {
        kind: *b"av01",
        media_type: b"",
        hidden,
        refers: hidden.then_some(*b"auxl"),
        properties,
        data: Cow::Borrowed(&data.data),
    };
    let about = |kind, media_type, data| Item {
        kind,
        media_type,
        hidden: false,
        refers: Some(*b"cdsc"),
        properties: Vec::new(),
        data,
    };
    let sides = [parts.size.width(), parts.size.height()].map(u32::to_be_bytes).concat();
    let size = properties.add(full_boxed(*b"ispe", 0, &[&sides]));
    let channels: &[u8] =
        if parts.is_gray { &[1, parts.bits] } else { &[3, parts.bits, parts.bits, parts.bits] };
    let mut of_colour = vec![
        size,
        properties.add(full_boxed(*b"pixi", 0, &[channels])),
        ESSENTIAL | properties.add(boxed(*b"av1C", &[&parts.colour.config])),
        // BT.709, sRGB, BT.601, full range.
        properties.add(boxed(*b"colr", &[b"nclx\0\x01\0\x0d\0\x06\x80"])),
    ];
    if let Some(icc) = parts.icc {
        of_colour.push(properties.add(boxed(*b"colr", &[b"prof", icc])));
    }
    let mut items = vec![picture(of_colour, &parts.colour, false)];
    if let Some(alpha) = &parts.alpha {
        let role = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0";
        let of_alpha = vec![
            size,
            properties.add(full_boxed(*b"pixi", 0, &[&[1, parts.bits]])),
            ESSENTIAL | properties.add(boxed(*b"av1C", &[&alpha.config])),
            properties.add(full_boxed(*b"auxC", 0, &[role])),
        ];
        items.push(picture(of_alpha, alpha, true));
    }
    if let Some(exif) = &parts.exif {
        // The TIFF begins at once.
        items.push(about(*b"Exif", b"", Cow::Owned([&[0; 4], &**exif].concat())));
    }
    if let Some(xmp) = &parts.xmp {
        items.push(about(*b"mime", b"application/rdf+xml\0", Cow::Borrowed(xmp)));
    }
    items
}

/// Properties, numbered from 1 on as they come: fewer than 128.
#[derive(Default)]
struct Properties {
    boxes: Vec<u8>,
    count: u8,
}

impl Properties {
    fn add(&mut self, property: Vec<u8>) -> u8 {
        self.boxes.extend(property);
        self.count += 1;
        self.count
    }
}

/// The description of all items, whose data begin at byte `data_at`.
fn meta(items: &[Item<'_>], properties: &Properties, data_at: usize) -> Vec<u8> {
    let numbered = || (1_u16..).zip(items);
    let count = short(items.len());
    let (mut infos, mut places, mut references, mut associations) =
        (count.to_vec(), [&[0x44, 0][..], &count].concat(), Vec::new(), Vec::new());
    let mut at = data_at;
    let mut associated = 0;
    for (id, item) in numbered() {
        let id = id.to_be_bytes();
        // Version 2, the lowest that names the kind; flag 1 is "hidden".
        let flags = 0x0200_0000 | u32::from(item.hidden);
        let entry: [&[u8]; 5] = [&id, &[0, 0], &item.kind, &[0], item.media_type];
        infos.extend(full_boxed(*b"infe", flags, &entry));
        places.extend([&id[..], &[0, 0, 0, 1], &number(at), &number(item.data.len())].concat());
        at += item.data.len();
        if let Some(kind) = item.refers {
            references.extend(boxed(kind, &[&id, &[0, 1, 0, 1]]));
        }
        if let Ok(count @ 1..) = u8::try_from(item.properties.len()) {
            associated += 1;
            associations.extend([&id[..], &[count], &item.properties].concat());
        }
    }
    let handler = full_boxed(*b"hdlr", 0, &[&[0; 4], b"pict", &[0; 13]]);
    let primary = full_boxed(*b"pitm", 0, &[&[0, 1]]);
    let references =
        if references.is_empty() { references } else { full_boxed(*b"iref", 0, &[&references]) };
    let of_items = [
        boxed(*b"ipco", &[&properties.boxes]),
        full_boxed(*b"ipma", 0, &[&number(associated), &associations]),
    ];
    full_boxed(
        *b"meta",
        0,
        &[
            &handler,
            &primary,
            &full_boxed(*b"iloc", 0, &[&places]),
            &full_boxed(*b"iinf", 0, &[&infos]),
            &references,
            &boxed(*b"iprp", &[&of_items.concat()]),
        ],
    )
}

/// A box of these parts.
fn boxed(name: [u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    [&[&number(len + 8)[..], &name], parts].concat().concat()
}

/// A box that begins with a version (the high byte) and flags.
fn full_boxed(name: [u8; 4], version_and_flags: u32, parts: &[&[u8]]) -> Vec<u8> {
    boxed(name, &[&[&version_and_flags.to_be_bytes()[..]], parts].concat())
}

fn number(value: usize) -> [u8; 4] {
    u32::try_from(value).unwrap_or(u32::MAX).to_be_bytes()
}

fn short(value: usize) -> [u8; 2] {
    u16::try_from(value).unwrap_or(u16::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn av1(data: &[u8]) -> Av1 {
        Av1 { config: vec![0x81, 0, 0, 0], data: data.to_vec() }
    }

    #[test]
    fn each_item_is_where_the_file_says() {
        let parts = Parts {
            size: Size::new(300, 2).unwrap(),
            bits: 8,
            is_gray: false,
            colour: av1(b"colour"),
            alpha: Some(av1(b"alpha")),
            icc: Some(b"icc"),
            exif: Some(b"II*\0".to_vec()),
            xmp: Some(b"<x/>".to_vec()),
        };
        let file = file(&parts).unwrap();
        let at = file.windows(4).position(|name| name == b"iloc").unwrap() + 12;
        let mut found = Vec::new();
        for entry in file[at..].chunks_exact(14).take(4) {
            let number = |at: usize| {
                let bytes = entry[at..at + 4].try_into().unwrap();
                usize::try_from(u32::from_be_bytes(bytes)).unwrap()
            };
            found.push(&file[number(6)..number(6) + number(10)]);
        }
        assert_eq!(found, [&b"colour"[..], b"alpha", b"\0\0\0\0II*\0", b"<x/>"]);
    }

    #[test]
    fn a_picture_alone_refers_to_nothing() {
        let parts = Parts {
            size: Size::ONE,
            bits: 10,
            is_gray: true,
            colour: av1(b"gray"),
            alpha: None,
            icc: None,
            exif: None,
            xmp: None,
        };
        let file = file(&parts).unwrap();
        assert!(file.ends_with(b"mdatgray"));
        assert!(!file.windows(4).any(|name| name == b"iref"));
    }
}
