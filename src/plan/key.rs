//! `PlanKey`: a number for the bytes of an answer. It is made of what is carried out and not of what was
//! asked, so that the same pixels asked for in other words, or over another protocol, are the same key.

use std::fmt;

use xxhash_rust::xxh3::Xxh3;

use crate::imaging::{CropBox, Operation, Shrink, Spread, Step, Threshold, Watermark};
use crate::model::request::Rotation;
use crate::model::{
    Bands, Blend, Field, Filter, Format, ImageId, ImageInfo, Position, Selection, Size, Slice,
    SourceVersion, Subsampling,
};
use crate::plan::Plan;
use crate::plan::encode::EncodePlan;
use crate::plan::pass_through::PassThrough;
use crate::plan::reading::Source;
use crate::plan::rules::Rules;

/// 128 bits of XXH3 over the image's name and version and all of the plan that changes bytes. Shown as
/// 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanKey(u128);

impl PlanKey {
    /// The key that a number stands for.
    pub const fn from_u128(number: u128) -> Self {
        Self(number)
    }

    /// The number, evenly spread.
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for PlanKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The key of a plan whose other fields are set.
pub(super) fn key(
    plan: &Plan,
    (image, info): (&ImageId, &ImageInfo),
    version: &SourceVersion,
    rules: &Rules,
) -> PlanKey {
    let mut digest = Digest(Xxh3::new());
    // Another release may draw or encode the same plan differently.
    digest.text(env!("CARGO_PKG_VERSION"));
    digest.text(image.as_str());
    let Selection { slice, bands, layers } = image.selection();
    digest.slice(slice);
    digest.number(layers.map_or(0, |layers| layers.get().into()));
    digest.tag(match bands {
        Bands::Shown => 0,
        Bands::All => 1,
        Bands::OfPages => 2,
    });
    digest.number(version.len_bytes);
    digest.bytes(&version.modified_ns.to_le_bytes());
    digest.source(&plan.source);
    for step in &plan.steps {
        digest.step(step);
    }
    // No step has this tag: the list ends here.
    digest.tag(u8::MAX);
    digest.encode(&plan.encode);
    if plan.encode.metadata {
        // The only text that is not the file's own, but may be a setting's.
        digest.text(info.metadata.text(Field::Rights).unwrap_or_default());
    }
    // A bound decides which of the two answers a stored tile gets.
    if let (Some(_), PassThrough::On { bytes_max }) = (plan.pass_through, rules.pass_through) {
        digest.tag(1);
        digest.number(bytes_max.unwrap_or(u64::MAX));
    }
    PlanKey(digest.0.digest128())
}

/// A number for what is shown of an image: equal for equal pixels, whatever becomes of them.
pub(super) fn seed(image: &ImageId, source: &Source, size: Size) -> u64 {
    let mut digest = Digest(Xxh3::new());
    digest.text(image.as_str());
    digest.slice(image.slice());
    digest.source(source);
    digest.number(size.width().into());
    digest.number(size.height().into());
    digest.0.digest()
}

/// Writes values so that no two different sequences look alike: fixed widths, or the length first.
struct Digest(Xxh3);

impl Digest {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    fn tag(&mut self, tag: u8) {
        self.bytes(&[tag]);
    }

    fn text(&mut self, text: &str) {
        self.bytes(&text.len().to_le_bytes());
        self.bytes(text.as_bytes());
    }

    fn slice(&mut self, slice: Slice) {
        match slice {
            Slice::Main => self.tag(0),
            Slice::View { horizontal, vertical } => {
                self.tag(1);
                self.number(horizontal.into());
                self.number(vertical.into());
            }
            Slice::Associated(which) => self.text(which.word()),
        }
    }

    fn source(&mut self, source: &Source) {
        self.bytes(&source.stored.to_le_bytes());
        let area = source.area;
        for edge in [area.left(), area.top(), area.width(), area.height()] {
            self.number(edge.into());
        }
        self.tag(match source.shrink {
            Shrink::None => 0,
            Shrink::Mean(_) => 1,
            Shrink::Pick(_) => 2,
        });
        self.number(source.shrink.factor().into());
    }

    fn watermark(&mut self, watermark: &Watermark, spread: &Spread) {
        self.bytes(&watermark.mark.digest().to_le_bytes());
        self.tag(match watermark.blend {
            Blend::Normal => 0,
            Blend::Additive => 1,
        });
        self.tag(match watermark.position {
            Position::Random => 0,
            Position::Centre => 1,
            Position::Tiled => 2,
            Position::TopLeft => 3,
            Position::TopRight => 4,
            Position::BottomLeft => 5,
            Position::BottomRight => 6,
        });
        self.number(watermark.probability.to_bits());
        self.number(watermark.opacity.to_bits());
        self.number(spread.seed);
        for pixels in [spread.side_px, spread.left_px, spread.top_px] {
            self.number(pixels.into());
        }
    }

    fn encode(&mut self, encode: &EncodePlan) {
        match encode.format {
            Format::Jpeg => {
                self.tag(0);
                self.subsampling(encode.subsampling);
                self.tag(encode.trellis.into());
            }
            Format::Png => self.tag(1),
            Format::Webp => self.tag(2),
            Format::Avif => self.tag(3),
            Format::Tiff => {
                self.tag(4);
                self.text(encode.compression.word());
                self.subsampling(encode.subsampling);
            }
            Format::Gif => self.tag(5),
            Format::Pdf => {
                self.tag(6);
                self.subsampling(encode.subsampling);
                self.tag(encode.trellis.into());
            }
            Format::Jxl => self.tag(7),
        }
        self.bytes(&encode.quality.to_le_bytes());
        self.tag(encode.embed_icc.into());
        self.tag(encode.metadata.into());
        match encode.resolution {
            Some(resolution) => {
                self.tag(1);
                self.number(resolution.x_per_metre.to_bits());
                self.number(resolution.y_per_metre.to_bits());
            }
            None => self.tag(0),
        }
    }

    fn subsampling(&mut self, subsampling: Subsampling) {
        self.tag(match subsampling {
            Subsampling::Quarter => 0,
            Subsampling::Half => 1,
            Subsampling::Full => 2,
        });
    }

    fn resize(&mut self, crop: CropBox, to: Size, filter: Filter) {
        for edge in [crop.left, crop.top, crop.width, crop.height] {
            self.number(edge.to_bits());
        }
        self.number(to.width().into());
        self.number(to.height().into());
        self.tag(match filter {
            Filter::Nearest => 0,
            Filter::Bilinear => 1,
            Filter::CatmullRom => 2,
            Filter::Lanczos3 => 3,
        });
    }

    fn step(&mut self, step: &Step) {
        match *step {
            // What ranges and profiles are is the image's business, whose version the key holds.
            Step::ToBytes { .. } => self.tag(7),
            Step::Widen(to) => {
                self.tag(14);
                self.tag(to.bytes());
            }
            Step::LabToRgb => self.tag(8),
            Step::CmykToRgb => self.tag(9),
            Step::ToSrgb { .. } => self.tag(10),
            Step::Resize { crop, to, filter } => {
                self.tag(0);
                self.resize(crop, to, filter);
            }
            Step::Mirror => self.tag(1),
            Step::Turn(rotation) => {
                self.tag(2);
                self.tag(match rotation {
                    Rotation::None => 0,
                    Rotation::Quarter => 1,
                    Rotation::Half => 2,
                    Rotation::ThreeQuarters => 3,
                });
            }
            Step::Tilt(tilt) => {
                self.tag(15);
                self.number(tilt.microdegrees().into());
            }
            Step::Flatten(under) => {
                self.tag(3);
                self.bytes(&under);
            }
            Step::Gray => self.tag(4),
            Step::Bitonal(threshold) => {
                self.tag(5);
                self.tag(match threshold {
                    Threshold::Middle => 0,
                    Threshold::OfImage => 1,
                    Threshold::Dithered => 2,
                });
            }
            Step::Equalise => self.tag(11),
            Step::Crop(part) => {
                self.tag(12);
                for edge in [part.left(), part.top(), part.width(), part.height()] {
                    self.number(edge.into());
                }
            }
            Step::Extend(to) => {
                self.tag(15);
                self.number(to.width().into());
                self.number(to.height().into());
            }
            Step::Process { ref operations, contrast, stretch } => {
                self.tag(13);
                self.number(u64_of(operations.len()));
                for operation in operations {
                    self.operation(operation);
                }
                self.float(contrast);
                self.tag(stretch.into());
            }
            Step::Colour => self.tag(6),
            Step::Watermark { ref watermark, ref spread } => {
                self.tag(100);
                self.watermark(watermark, spread);
            }
        }
    }
}

impl Digest {
    fn float(&mut self, number: f32) {
        self.bytes(&number.to_bits().to_le_bytes());
    }

    fn operation(&mut self, operation: &Operation) {
        match operation {
            Operation::Normalise(ranges) => {
                self.tag(0);
                self.number(u64_of(ranges.len()));
                for range in ranges {
                    self.float(range.black);
                    self.float(range.white);
                }
            }
            Operation::Light(light) => {
                self.tag(1);
                self.float(light.azimuth_deg);
                self.float(light.elevation_deg);
            }
            Operation::Twist(matrix) => {
                self.tag(2);
                self.number(u64_of(matrix.rows().len()));
                for row in matrix.rows() {
                    self.floats(row);
                }
            }
            Operation::Power(exponent) => {
                self.tag(3);
                self.float(*exponent);
            }
            Operation::Log => self.tag(4),
            Operation::Invert => self.tag(5),
            Operation::ColourMap(map) => {
                self.tag(6);
                // The debug form of a map tells all of it.
                self.text(&format!("{map:?}"));
            }
            Operation::Convolve(kernel) => {
                self.tag(7);
                self.floats(kernel.weights());
            }
        }
    }

    fn floats(&mut self, numbers: &[f32]) {
        self.number(u64_of(numbers.len()));
        for number in numbers {
            self.float(*number);
        }
    }
}

fn u64_of(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use crate::model::request::Frame;
    use crate::model::{ColourRule, ImageInfo};
    use crate::plan::Rules;
    use crate::plan::fixtures::{jpeg, planned_by, profile, pyramid};

    #[test]
    fn a_rule_of_colour_that_changes_bytes_changes_the_key_and_no_other() {
        let plain = pyramid((200, 200), 256);
        let profiled = |is_srgb| {
            let icc = Some(profile(Some(plain.colour), is_srgb));
            ImageInfo { icc, ..plain.clone() }
        };
        let tile = jpeg(Frame::IipTile { resolution: 0, index: 0 });
        let key = |info: &ImageInfo, colour| {
            let rules = Rules { colour, ..Rules::default() };
            planned_by(&tile, info, &rules).unwrap().key
        };
        let (embed, convert) = (ColourRule::Embed, ColourRule::Convert);
        assert_eq!(key(&plain, embed), key(&plain, convert));
        assert_ne!(key(&profiled(false), embed), key(&profiled(false), convert));
        assert_ne!(key(&profiled(false), convert), key(&plain, convert));
        // Both send the samples as they are, without the profile.
        assert_eq!(key(&profiled(true), convert), key(&plain, convert));
    }
}
