//! `Words`: how an IIP answer is worded: objects as lines, tiles bare or framed, exports with a name.

use bytes::{BufMut, Bytes, BytesMut};

use crate::model::{ImageId, ImageInfo, Picture};
use crate::protocols::answer::Document;
use crate::protocols::iip::objects::Object;
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
    /// `TIL`: the file in a frame.
    RawTile {
        /// As asked.
        resolution: u32,
        /// As asked.
        index: u32,
    },
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
            Form::Tile | Form::RawTile { .. } | Form::Export { .. } => response,
        }
    }

    /// The body and its type where it is not the file alone.
    pub(crate) fn framed(&self, picture: &Picture) -> Option<(Bytes, &'static str)> {
        match self.0 {
            Form::RawTile { resolution, index } => {
                Some((tile_frame(resolution, index, &picture.bytes), MEDIA_TYPE))
            }
            Form::Objects(_) | Form::Tile | Form::Export { .. } => None,
        }
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
fn tile_frame(resolution: u32, index: u32, file: &[u8]) -> Bytes {
    const COMPRESSION_JPEG: [u8; 4] = [2, 0, 0, 0];
    const SUBTYPE: [u8; 4] = [0, 0x11, 0, 0];
    let length = file.len() + COMPRESSION_JPEG.len() + SUBTYPE.len();
    let head = format!("Tile,{resolution},{index},0/{length}:");
    let mut frame = BytesMut::with_capacity(head.len() + length + 2);
    frame.put_slice(head.as_bytes());
    frame.put_slice(&COMPRESSION_JPEG);
    frame.put_slice(&SUBTYPE);
    frame.put_slice(file);
    frame.put_slice(b"\r\n");
    frame.freeze()
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
        assert_eq!(
            &*tile_frame(0, 7, b"jpeg"),
            b"Tile,0,7,0/12:\x02\0\0\0\0\x11\0\0jpeg\r\n".as_slice()
        );
    }

    #[test]
    fn a_file_name_cannot_leave_its_quotes() {
        assert_eq!(file_name_part("a\"b\\c/d;e\u{e9} f"), "a_b_c_d_e_ f");
    }
}
