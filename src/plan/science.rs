//! Changes of sample values in the order of iipsrv (its float pipeline):
//!
//! ```text
//! normalise      black and white by MINMAX, CNT=stretch, or the image's own
//! light          SHD
//! twist          CTW
//! tone           GAM
//! invert         INV
//! colour map     CMP
//! convolve       CNV
//! contrast       CNT, and bytes
//! then           resize, flatten, COL=gray or binary, CNT=equalization, mirror, turn, watermark
//! ```

use crate::imaging::{Operation, Step};
use crate::model::processing::{Contrast, Processing, Tone, Twist};
use crate::model::{ColourModel, ImageInfo, SampleRange, SampleType};
use crate::plan::error::PlanError;

/// The step that does what is asked of samples before they are bytes; nothing where nothing is.
pub(super) fn process(processing: &Processing, info: &ImageInfo) -> Option<Step> {
    let keeps_bands = !matches!(info.colour, ColourModel::Multi(_));
    if keeps_bands && !processing.is_in_floats() {
        return None;
    }
    let Processing { light, twist, tone, invert, colour_map, kernel, contrast, .. } = processing;
    let normalise = Operation::Normalise(ranges(processing, info));
    let twist = twist.clone().or_else(|| first_bands(info)).map(Operation::Twist);
    let tone = match *tone {
        Tone::Linear => None,
        Tone::Power(exponent) => Some(Operation::Power(exponent)),
        Tone::Log => Some(Operation::Log),
    };
    let operations = [
        Some(normalise),
        light.map(Operation::Light),
        twist,
        tone,
        invert.then_some(Operation::Invert),
        colour_map.clone().map(Operation::ColourMap),
        kernel.clone().map(Operation::Convolve),
    ];
    let factor = match *contrast {
        Contrast::Factor(factor) => factor,
        Contrast::None | Contrast::Stretch => 1.0,
    };
    Some(Step::Process {
        operations: operations.into_iter().flatten().collect(),
        contrast: factor,
        stretch: *contrast == Contrast::Stretch,
    })
}

/// Refuses what the image's bands do not allow.
///
/// # Errors
/// A band that there is not, or too few of them.
pub(super) fn check(processing: &Processing, info: &ImageInfo) -> Result<(), PlanError> {
    let bands = u16::from(info.colour.shown().bands()).max(info.bands_stored);
    for range in &processing.ranges {
        if let Some(band) = range.band.filter(|band| bands <= *band) {
            return Err(PlanError::NoBand { band, bands });
        }
    }
    if processing.light.is_some() && shown_bands(info) < 3 {
        return Err(PlanError::NoNormals { bands: shown_bands(info) });
    }
    Ok(())
}

/// Whether samples become bytes of RGB before anything is asked of them.
pub(super) const fn is_converted(info: &ImageInfo) -> bool {
    matches!(info.colour, ColourModel::Cmyk | ColourModel::Lab)
}

/// Bands that operations work on, alpha apart.
const fn shown_bands(info: &ImageInfo) -> u8 {
    match info.colour {
        ColourModel::Multi(bands) => bands,
        other => other.shown().bands(),
    }
}

/// Of bands without a meaning, the first three, or the first.
fn first_bands(info: &ImageInfo) -> Option<Twist> {
    let ColourModel::Multi(_) = info.colour else { return None };
    let shown = usize::from(info.colour.shown().bands());
    let row = |band: usize| (0..shown).map(|at| if at == band { 1.0 } else { 0.0 }).collect();
    Twist::new((0..shown).map(row).collect())
}

/// Black and white of each band: the image's own, or what the client says, whose numbers are those of the
/// file.
fn ranges(processing: &Processing, info: &ImageInfo) -> Vec<SampleRange> {
    // Inks and L*a*b* are bytes of RGB by then.
    let is_converted = is_converted(info);
    let own = |band: usize| {
        if is_converted { SampleType::U8.full_range() } else { info.range(band) }
    };
    let units = if is_converted { 1.0 } else { info.unit() };
    let mut ranges: Vec<SampleRange> = (0..usize::from(shown_bands(info))).map(own).collect();
    for asked in &processing.ranges {
        let asked_for = |band: usize| asked.band.is_none_or(|one| usize::from(one) == band);
        for (_, range) in ranges.iter_mut().enumerate().filter(|(band, _)| asked_for(*band)) {
            *range = SampleRange { black: asked.min * units, white: asked.max * units };
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::processing::{BandRange, Kernel};
    use crate::plan::fixtures::pyramid;

    fn operations(processing: &Processing, info: &ImageInfo) -> Vec<Operation> {
        match process(processing, info) {
            Some(Step::Process { operations, .. }) => operations,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_is_done_where_nothing_is_asked() {
        let info = pyramid((200, 200), 256);
        assert_eq!(process(&Processing::default(), &info), None);
        let equalised = Processing { equalise: true, ..Processing::default() };
        assert_eq!(process(&equalised, &info), None);
    }

    #[test]
    fn operations_come_in_the_order_of_iipsrv_however_they_are_asked() {
        let all = Processing {
            kernel: Kernel::of_name("sharpen"),
            invert: true,
            tone: Tone::Log,
            twist: Twist::new(vec![vec![1.0]]),
            ..Processing::default()
        };
        let names: Vec<String> = operations(&all, &pyramid((200, 200), 256))
            .iter()
            .map(|each| format!("{each:?}").split(['(', ' ']).next().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["Normalise", "Twist", "Log", "Invert", "Convolve"]);
    }

    #[test]
    fn a_range_is_in_the_units_of_the_file() {
        let band = |band, min, max| BandRange { band, min, max };
        let asked = |ranges| Processing { ranges, ..Processing::default() };
        let mut info = pyramid((200, 200), 256);
        (info.samples, info.bits) = (SampleType::U16, 12);
        let own = info.range(0);
        let found = ranges(&asked(vec![band(Some(1), 0.0, 4095.0)]), &info);
        assert_eq!(found[0], own);
        assert!((found[1].white - 65_535.0).abs() < 0.1, "{found:?}");
        let found = ranges(&asked(vec![band(None, 5.0, 6.0), band(Some(2), 7.0, 8.0)]), &info);
        assert!(found[0].black < found[2].black && found[0] == found[1]);
        let none = asked(vec![band(Some(3), 0.0, 1.0)]);
        assert!(matches!(check(&none, &info), Err(PlanError::NoBand { band: 3, bands: 3 })));
    }

    #[test]
    fn of_many_bands_the_first_three_are_shown() {
        let mut info = pyramid((200, 200), 256);
        info.colour = ColourModel::Multi(5);
        let operations = operations(&Processing::default(), &info);
        let [Operation::Normalise(ranges), Operation::Twist(twist)] = operations.as_slice() else {
            panic!("{operations:?}");
        };
        assert_eq!((ranges.len(), twist.rows().len(), twist.columns()), (5, 3, 3));
    }
}
