//! Whether a plan asks for a stored tile exactly as it is stored.

use crate::imaging::Step;
use crate::model::request::PictureRequest;
use crate::model::{Format, ImageInfo, TileAddress, TileEncoding};
use crate::plan::encode::EncodePlan;
use crate::plan::reading::Source;
use crate::plan::rules::Rules;

/// Whether stored tiles may be sent undecoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassThrough {
    /// All are decoded and encoded anew.
    Off,
    /// They may.
    On {
        /// Larger ones are encoded anew, to spare the network; none: whatever their size.
        bytes_max: Option<u64>,
    },
}

/// The stored tile that answers the request as it is: of its format, whole, with nothing done to it and
/// no quality asked for.
pub(super) fn tile(
    request: &PictureRequest,
    source: &Source,
    (steps, encode): (&[Step], EncodePlan),
    info: &ImageInfo,
    rules: &Rules,
) -> Option<TileAddress> {
    if rules.pass_through == PassThrough::Off
        || request.encoder_quality.is_some()
        || !steps.is_empty()
        // Its bytes are the file's, which does not say what the answer would.
        || encode.metadata
    {
        return None;
    }
    let tile = source.single_tile(info)?;
    let level = info.stored.get(tile.stored)?;
    let same_format = match level.encoding {
        TileEncoding::Jpeg => request.format == Format::Jpeg,
        TileEncoding::Webp => request.format == Format::Webp,
        TileEncoding::Other => false,
    };
    // At the edge the file holds padding that only a decoder can take away.
    let is_whole = source.area.size() == level.tile;
    (same_format && is_whole).then_some(tile)
}

#[cfg(test)]
mod tests {
    use crate::model::request::Frame;
    use crate::model::{ColourModel, ColourRule, ImageInfo};
    use crate::plan::Rules;
    use crate::plan::fixtures::{jpeg, planned_by, profile, pyramid};

    #[test]
    fn what_is_converted_is_not_passed_through_and_what_is_srgb_is() {
        let mut info = pyramid((1001, 701), 256);
        let inner = jpeg(Frame::IipTile { resolution: 2, index: 5 });
        let passes = |info: &ImageInfo, colour| {
            let rules = Rules { colour, ..Rules::default() };
            planned_by(&inner, info, &rules).unwrap().pass_through.is_some()
        };
        let (embed, convert) = (ColourRule::Embed, ColourRule::Convert);
        assert!(passes(&info, embed) && passes(&info, convert));
        info.icc = Some(profile(Some(ColourModel::Rgb), true));
        assert!(passes(&info, embed) && passes(&info, convert));
        info.icc = Some(profile(Some(ColourModel::Rgb), false));
        assert!(passes(&info, embed) && !passes(&info, convert));
        info.colour = ColourModel::Cmyk;
        assert!(!passes(&info, embed) && !passes(&info, convert));
    }
}
