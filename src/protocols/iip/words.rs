//! `Words`: how an IIP answer is worded: objects as lines, tiles bare or framed, exports with a name.

use bytes::{BufMut, Bytes, BytesMut};

use crate::model::samples::ViewSamples;
use crate::model::{ImageId, ImageInfo, Picture};
use crate::protocols::answer::Document;
use crate::protocols::iip::objects::Object;
use crate::protocols::iip::samples;
use crate::protocols::wire::Response;

/// The media type of IIP's own answers.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.netfpx";

/// What kind of answer a query asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Words(pub(crate) Form);

/// The kinds of answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `OBJ`, in the order asked.
    Objects(Vec<Object>),
    /// `JTL` and its like: the file alone.
    Tile,
    /// `TIL`: files, each in a frame.
    RawTiles {
        /// As asked.
        resolution: u32,
    },
    /// `PFL`.
    Profile,
    /// `SPECTRA`.
    Spectra,
    /// `CVT`: a file with a name.
    Export {
        /// To be saved and not shown: asked by POST.
        attachment: bool,
    },
}

impl Words {
    /// The lines that were asked for; none where a picture was.
    pub(crate) fn document(&self, info: &ImageInfo) -> Option<Document> {
        let Form::Objects(objects) = &self.0 else { return None };
        let mut body = String::with_capacity(256);
        for object in objects {
            object.write(info, &mut body);
        }
        // Whoever asks for nothing else reads JSON, also of what is no stack.
        if body.is_empty() && objects.iter().all(|object| *object == Object::Stack) {
            body.push_str("[]\r\n");
        }
        Some(Document { content_type: media_type(objects), body })
    }

    /// Whether it is a tile, bare.
    pub(crate) fn is_tile(&self) -> bool {
        self.0 == Form::Tile
    }

    /// What an answer in lines adds to its head.
    pub(crate) fn add_info_headers(&self, response: Response) -> Response {
        match &self.0 {
            Form::Objects(objects) => {
                let response = add_version_header(objects, response);
                if objects.contains(&Object::Xmp) {
                    // A stranger's XML is to be read, and not to be run.
                    return response.with("Content-Security-Policy", "default-src 'none'; sandbox");
                }
                response
            }
            _ => response,
        }
    }

    /// Stored values as text.
    pub(crate) fn samples(&self, views: &[ViewSamples]) -> Option<Document> {
        match &self.0 {
            Form::Profile => Some(samples::profile(views)),
            Form::Spectra => Some(samples::spectra(views)),
            _ => None,
        }
    }

    /// Tiles in their frames, and the type of that.
    pub(crate) fn framed(&self, tiles: &[(u32, Picture)]) -> (Bytes, &'static str) {
        let mut frames = BytesMut::new();
        if let Form::RawTiles { resolution } = self.0 {
            for (index, tile) in tiles {
                frame_tile(&mut frames, resolution, *index, &tile.bytes);
            }
        }
        (frames.freeze(), MEDIA_TYPE)
    }

    /// An export's file name: `STEM_WIDTHxHEIGHT.SUFFIX`, the size before any turn.
    pub(crate) fn add_picture_headers(
        &self,
        response: Response,
        image: &ImageId,
        picture: &Picture,
    ) -> Response {
        let Form::Export { attachment } = self.0 else { return response };
        let disposition = if attachment { "attachment" } else { "inline" };
        let stem = file_name_part(image.stem());
        let (width, height) = (picture.resolved.size.width(), picture.resolved.size.height());
        let suffix = picture.format.suffix();
        response.with(
            "Content-Disposition",
            format!("{disposition}; filename=\"{stem}_{width}x{height}.{suffix}\""),
        )
    }
}

/// The type that all objects have, but for the version, which is no text; else IIP's own.
fn media_type(objects: &[Object]) -> &'static str {
    let mut types = objects
        .iter()
        .filter(|object| **object != Object::IipVersion)
        .map(|object| object.media_type().unwrap_or(MEDIA_TYPE));
    let first = types.next().unwrap_or(MEDIA_TYPE);
    if types.all(|other| other == first) { first } else { MEDIA_TYPE }
}

/// The header line that `OBJ=IIP,1.0` asks for.
pub(crate) fn add_version_header(objects: &[Object], response: Response) -> Response {
    if objects.contains(&Object::IipVersion) { response.with("IIP", "1.0") } else { response }
}

/// `Tile,RESOLUTION,INDEX,0/LENGTH:`, four bytes of compression (JPEG), four of subtype, the file, CRLF;
/// the length counts from behind the colon to before the line end.
fn frame_tile(frames: &mut BytesMut, resolution: u32, index: u32, file: &[u8]) {
    const COMPRESSION_JPEG: [u8; 4] = [2, 0, 0, 0];
    const SUBTYPE: [u8; 4] = [0, 0x11, 0, 0];
    let length = file.len() + COMPRESSION_JPEG.len() + SUBTYPE.len();
    let head = format!("Tile,{resolution},{index},0/{length}:");
    frames.reserve(head.len() + length + 2);
    frames.put_slice(head.as_bytes());
    frames.put_slice(&COMPRESSION_JPEG);
    frames.put_slice(&SUBTYPE);
    frames.put_slice(file);
    frames.put_slice(b"\r\n");
}

/// A name that is safe between quotes in a header and as a file name on any system.
fn file_name_part(stem: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || " -_.,+=()[]@~".contains(c);
    stem.chars().map(|c| if safe(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_tile_is_framed_to_the_byte() {
        let mut frames = BytesMut::new();
        frame_tile(&mut frames, 0, 7, b"jpeg");
        assert_eq!(&*frames, b"Tile,0,7,0/12:\x02\0\0\0\0\x11\0\0jpeg\r\n".as_slice());
    }

    #[test]
    fn a_file_name_cannot_leave_its_quotes() {
        assert_eq!(file_name_part("a\"b\\c/d;e\u{e9} f"), "a_b_c_d_e_ f");
    }
}
