//! The suffix of a tile's file name in Deep Zoom and Zoomify: unlike IIIF, both also write `jpeg` and `tiff`.

use crate::model::{Fault, Format};
use crate::protocols::percent::excerpt;

/// Splits `NUMBERS.SUFFIX`.
///
/// # Errors
/// Bad request where there is no suffix or it is of no format.
pub(crate) fn split_format(text: &str) -> Result<(&str, Format), Fault> {
    let (numbers, suffix) = text.rsplit_once('.').unwrap_or((text, ""));
    let format = match suffix {
        "jpeg" => Some(Format::Jpeg),
        "tiff" => Some(Format::Tiff),
        _ => Format::from_suffix(suffix)
            .filter(|format| !matches!(format, Format::Pdf | Format::Jxl)),
    };
    format.map(|format| (numbers, format)).ok_or_else(|| {
        let shown = excerpt(suffix);
        Fault::bad_request(format!(
            "a tile's name ends in .jpg, .jpeg, .png, .webp, .avif, .tif or .gif, not .{shown}"
        ))
    })
}
