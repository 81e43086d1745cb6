//! The canonical address of a picture: IIIF Image API 3.0, section 4.8; 2.1, section 4.7.

use std::fmt::{self, Write};

use crate::model::geometry::proportion;
use crate::model::request::{PictureRequest, Quality};
use crate::model::{Limits, Rect, Resolved};
use crate::protocols::iiif::quality;
use crate::protocols::iiif::rotation;
use crate::protocols::settings::IiifVersion;

/// Appends `/region/size/rotation/quality.format` to the base URI, with the word of a quality beyond the
/// standard's where one was asked for. Version 1.1 has no canonical address; its words would be those of 2.1.
pub(crate) fn push(
    version: IiifVersion,
    (asked, extension): (&PictureRequest, Option<&'static str>),
    resolved: &Resolved,
    limits: &Limits,
    into: &mut String,
) {
    // Writing to a String cannot fail.
    write_frame(version, resolved, limits, into).unwrap_or_default();
    into.push('/');
    rotation::push(asked, into);
    into.push('/');
    let same = resolved.is_default_quality;
    let quality = quality::print(if same { Quality::Default } else { asked.quality });
    into.push_str(extension.unwrap_or(quality));
    into.push('.');
    into.push_str(asked.format.suffix());
}

fn write_frame(
    version: IiifVersion,
    resolved: &Resolved,
    limits: &Limits,
    into: &mut String,
) -> fmt::Result {
    let region = resolved.region;
    if region == Rect::whole(resolved.image) {
        into.push_str("/full/");
    } else {
        let (left, top) = (region.left(), region.top());
        write!(into, "/{left},{top},{},{}/", region.width(), region.height())?;
    }
    match version {
        IiifVersion::V1 | IiifVersion::V2 => write_size_v2(resolved, into),
        IiifVersion::V3 => write_size_v3(resolved, limits, into),
    }
}

fn write_size_v3(resolved: &Resolved, limits: &Limits, into: &mut String) -> fmt::Result {
    let (region, size) = (resolved.region.size(), resolved.size);
    let (width, height) = (size.width(), size.height());
    if resolved.is_max {
        into.write_str("max")
    } else if size.fits(region) {
        write!(into, "{width},{height}")
    } else if size == limits.largest(region) {
        into.write_str("^max")
    } else {
        write!(into, "^{width},{height}")
    }
}

/// Version 2 writes the width alone where the height follows from it.
fn write_size_v2(resolved: &Resolved, into: &mut String) -> fmt::Result {
    let (region, size) = (resolved.region.size(), resolved.size);
    let (width, height) = (size.width(), size.height());
    if resolved.is_max {
        into.write_str("full")
    } else if u64::from(height)
        == proportion(region.height().into(), width.into(), region.width().into())
    {
        write!(into, "{width},")
    } else {
        write!(into, "{width},{height}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::request::{Frame, Rotation};
    use crate::model::{Format, Size};

    fn resolved(image: (u32, u32), region: [u32; 4], size: (u32, u32), is_max: bool) -> Resolved {
        let sized = |(width, height)| Size::new(width, height).unwrap();
        let [left, top, width, height] = region;
        Resolved {
            image: sized(image),
            region: Rect::new(left, top, sized((width, height))).unwrap(),
            size: sized(size),
            is_max,
            is_default_quality: true,
        }
    }

    #[test]
    fn the_address_is_the_one_of_the_standard() {
        let frame = Frame::IipTile { resolution: 0, index: 0 };
        let plain = PictureRequest::plain(frame, Format::Jpeg);
        let (quality, rotation) = (Quality::Gray, Rotation::Quarter);
        let gray = PictureRequest {
            quality,
            rotation,
            mirror: true,
            ..PictureRequest::plain(frame, Format::Jpeg)
        };
        let small = (64, 56);
        let whole = [0, 0, 64, 56];
        for (resolved, asked, v3, v2) in [
            (
                resolved(small, whole, small, true),
                &plain,
                "/full/max/0/default.jpg",
                "/full/full/0/default.jpg",
            ),
            (
                Resolved {
                    is_default_quality: false,
                    ..resolved(small, [32, 28, 32, 28], (16, 14), false)
                },
                &gray,
                "/32,28,32,28/16,14/!90/gray.jpg",
                "/32,28,32,28/16,/!90/gray.jpg",
            ),
            (
                // The image itself is gray.
                resolved(small, whole, small, true),
                &gray,
                "/full/max/!90/default.jpg",
                "/full/full/!90/default.jpg",
            ),
            (
                resolved(small, whole, (50, 50), false),
                &plain,
                "/full/50,50/0/default.jpg",
                "/full/50,50/0/default.jpg",
            ),
            (
                resolved(small, whole, (100, 88), false),
                &plain,
                "/full/^100,88/0/default.jpg",
                "/full/100,/0/default.jpg",
            ),
            (
                resolved(small, whole, (1000, 875), false),
                &plain,
                "/full/^max/0/default.jpg",
                "/full/1000,/0/default.jpg",
            ),
        ] {
            let limits = Limits { output_side_px_max: 1000, ..Limits::default() };
            for (version, expected) in [(IiifVersion::V3, v3), (IiifVersion::V2, v2)] {
                let mut text = String::new();
                push(version, (asked, None), &resolved, &limits, &mut text);
                assert_eq!(text, expected);
            }
        }
    }
}
