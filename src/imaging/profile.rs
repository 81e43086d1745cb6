//! ICC profiles (ICC.1:2022): what one is good for, and samples to sRGB by it. The only place that names a
//! colour management library. Colours are mapped by the perceptual intent, without black point
//! compensation: what Little CMS does unless told otherwise.

use std::fmt;
use std::sync::Arc;

use moxcms::{
    BarycentricWeightScale, CmsError, ColorProfile, DataColorSpace, InterpolationMethod, Layout,
    Transform8BitExecutor, TransformF32Executor, TransformOptions,
};
use xxhash_rust::xxh3::xxh3_128;

use crate::imaging::error::ImagingError;
use crate::imaging::ink_table::InkTable;
use crate::imaging::lookup::look_up;
use crate::imaging::raster::Raster;
use crate::model::{ColourModel, Profile};

/// Conversions that one worker keeps: those of the images that are looked at in turn. A CMYK profile's
/// takes a megabyte.
const KEPT_MAX: usize = 8;

/// A profile, looked at once when its image opens: whether it converts, and whether it is sRGB. One that
/// is broken is no error: its image is shown as if it had none.
pub fn read_profile(bytes: Arc<[u8]>) -> Profile {
    let digest = xxh3_128(&bytes);
    let link = Link::of(&bytes, false).ok();
    let space = link.as_ref().map(Link::space);
    let is_srgb = link.is_some_and(Link::changes_nothing);
    Profile { bytes, digest, space, is_srgb }
}

/// The library's own way from one profile to sRGB.
enum Link {
    Gray(Arc<Transform8BitExecutor>),
    Rgb(Arc<Transform8BitExecutor>),
    Cmyk(Arc<TransformF32Executor>),
}

impl Link {
    /// Links a profile with sRGB; `alpha`: for RGB with alpha.
    fn of(profile: &[u8], alpha: bool) -> Result<Self, CmsError> {
        let profile = ColorProfile::new_from_slice(profile)?;
        let srgb = ColorProfile::new_srgb();
        // Tables by tetrahedra, as Little CMS: the nearest to it, and no slower than the others.
        let interpolation_method = InterpolationMethod::Tetrahedral;
        let options = TransformOptions { interpolation_method, ..TransformOptions::default() };
        let transform = |from, to| profile.create_transform_8bit(from, &srgb, to, options);
        Ok(match (profile.color_space, alpha) {
            (DataColorSpace::Gray, _) => Self::Gray(transform(Layout::Gray, Layout::Rgb)?),
            (DataColorSpace::Rgb, false) => Self::Rgb(transform(Layout::Rgb, Layout::Rgb)?),
            (DataColorSpace::Rgb, true) => Self::Rgb(transform(Layout::Rgba, Layout::Rgba)?),
            (DataColorSpace::Cmyk, _) => {
                // In full: nodes between those of the library would be means of means. As floats,
                // since of 16 bit moxcms 0.9.1 takes all that is above 1 of 65535 for that.
                let barycentric_weight_scale = BarycentricWeightScale::High;
                let options = TransformOptions { barycentric_weight_scale, ..options };
                // Four samples a pixel go by the layout of RGB with alpha.
                let (inks, colours) = (Layout::Rgba, Layout::Rgb);
                Self::Cmyk(profile.create_transform_f32(inks, &srgb, colours, options)?)
            }
            _ => return Err(CmsError::UnsupportedProfileConnection),
        })
    }

    const fn space(&self) -> ColourModel {
        match self {
            Self::Gray(_) => ColourModel::Gray,
            Self::Rgb(_) => ColourModel::Rgb,
            Self::Cmyk(_) => ColourModel::Cmyk,
        }
    }

    /// Whether every sample comes out as it went in, but for a rounding. Inks never do.
    fn changes_nothing(self) -> bool {
        let shown = self.space() != ColourModel::Cmyk;
        shown && Conversion::by(self).is_ok_and(|conversion| conversion.changes_nothing())
    }
}

/// How samples of one profile become sRGB.
struct Conversion {
    space: ColourModel,
    by: By,
}

enum By {
    /// Gray stays gray: one byte for each.
    Table(Box<[u8; 256]>),
    Transform(Arc<Transform8BitExecutor>),
    /// From CMYK, by a table of ours: the library's own takes 1.5 times as long, 2.6 times for noise.
    Inks(InkTable),
}

impl Conversion {
    /// Builds the conversion's tables, which for inks takes 20 ms.
    fn by(link: Link) -> Result<Self, CmsError> {
        let space = link.space();
        let by = match link {
            Link::Gray(transform) => By::Table(gray_table(&*transform)?),
            Link::Rgb(transform) => By::Transform(transform),
            Link::Cmyk(transform) => By::Inks(ink_table(&*transform)?),
        };
        Ok(Self { space, by })
    }

    fn changes_nothing(&self) -> bool {
        let keeps = |before: &[u8], after: &[u8]| {
            before.iter().zip(after).all(|(before, after)| before.abs_diff(*after) <= 1)
        };
        match &self.by {
            By::Table(table) => keeps(&(0..=255).collect::<Vec<u8>>(), &**table),
            By::Transform(transform) => {
                let before = rgb_lattice();
                let mut after = vec![0; before.len()];
                transform.transform(&before, &mut after).is_ok() && keeps(&before, &after)
            }
            By::Inks(_) => false,
        }
    }

    fn apply(&self, raster: Raster) -> Result<Raster, CmsError> {
        match &self.by {
            By::Table(table) => Ok(look_up(raster, table)),
            By::Transform(transform) => {
                let mut shown = Raster::zeroed(raster.size(), ColourModel::Rgb, raster.alpha());
                transform.transform(raster.samples(), shown.samples_mut())?;
                Ok(shown)
            }
            By::Inks(table) => Ok(by_ink_table(table, &raster)),
        }
    }
}

/// Every colour whose samples are multiples of 15.
fn rgb_lattice() -> Vec<u8> {
    let steps = || (0..=255).step_by(15);
    let colours = steps().flat_map(|red| steps().map(move |green| [red, green]));
    let colours = colours.flat_map(|[red, green]| steps().map(move |blue| [red, green, blue]));
    colours.flatten().collect()
}

/// What each gray becomes: red, green and blue of it are the same, and stand for one band.
fn gray_table(transform: &Transform8BitExecutor) -> Result<Box<[u8; 256]>, CmsError> {
    let grays: Vec<u8> = (0..=255).collect();
    let mut colours = [0; 3 * 256];
    transform.transform(&grays, &mut colours)?;
    let (colours, _) = colours.as_chunks::<3>();
    let mut table = Box::new([0; 256]);
    for (gray, [_, green, _]) in table.iter_mut().zip(colours) {
        *gray = *green;
    }
    Ok(table)
}

fn ink_table(transform: &TransformF32Executor) -> Result<InkTable, CmsError> {
    let nodes = InkTable::nodes();
    let mut colours = vec![0.0; nodes.len() / 4 * 3];
    transform.transform(&nodes, &mut colours)?;
    Ok(InkTable::new(&colours))
}

fn by_ink_table(table: &InkTable, raster: &Raster) -> Raster {
    let mut shown = Raster::zeroed(raster.size(), ColourModel::Rgb, raster.alpha());
    if !raster.alpha() {
        let (inks, _) = raster.samples().as_chunks();
        table.convert(inks, shown.samples_mut().as_chunks_mut().0);
        return shown;
    }
    // Row by row, inks and alpha apart.
    let (row_len, shown_row_len) = (raster.row_len(), shown.row_len());
    let mut colours = vec![[0; 3]; row_len / 5];
    let rows = raster.samples().chunks_exact(row_len);
    for (row, targets) in rows.zip(shown.samples_mut().chunks_exact_mut(shown_row_len)) {
        let (pixels, _) = row.as_chunks::<5>();
        let inks: Vec<[u8; 4]> = pixels.iter().map(|&[c, m, y, k, _]| [c, m, y, k]).collect();
        table.convert(&inks, &mut colours);
        let (targets, _) = targets.as_chunks_mut::<4>();
        for ((target, &[red, green, blue]), &[.., alpha]) in
            targets.iter_mut().zip(&colours).zip(pixels)
        {
            *target = [red, green, blue, alpha];
        }
    }
    shown
}

/// The conversions that a worker used last, the latest first.
#[derive(Default)]
pub(super) struct Conversions {
    kept: Vec<(Wanted, Conversion)>,
}

/// What one conversion is for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Wanted {
    digest: u128,
    alpha: bool,
}

impl Conversions {
    /// The raster in sRGB: gray stays one band, RGB and CMYK become RGB; alpha is kept.
    ///
    /// # Errors
    /// Where the profile is not for the raster's colours.
    pub(super) fn apply(
        &mut self,
        raster: Raster,
        profile: &Profile,
    ) -> Result<Raster, ImagingError> {
        let colour = raster.colour();
        let conversion = self.obtain(profile, raster.alpha()).map_err(|error| refused(&error))?;
        if conversion.space != colour {
            return Err(ImagingError::ProfileColour { found: colour });
        }
        conversion.apply(raster).map_err(|error| refused(&error))
    }

    fn obtain(&mut self, profile: &Profile, alpha: bool) -> Result<&Conversion, CmsError> {
        let wanted = Wanted { digest: profile.digest, alpha };
        let found = self.kept.iter().position(|(kept, _)| *kept == wanted);
        let latest = match found {
            Some(index) => self.kept.remove(index),
            None => (wanted, Conversion::by(Link::of(profile, alpha)?)?),
        };
        self.kept.truncate(KEPT_MAX - 1);
        self.kept.insert(0, latest);
        self.kept.first().map(|(_, conversion)| conversion).ok_or(CmsError::InvalidProfile)
    }
}

impl fmt::Debug for Conversions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversions").field("kept", &self.kept.len()).finish()
    }
}

fn refused(error: &CmsError) -> ImagingError {
    ImagingError::Profile { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Size;

    const PROPHOTO: &[u8] = include_bytes!("../../tests/golden/profiles/prophoto.icc");
    const CMYK: &[u8] = include_bytes!("../../tests/golden/profiles/cmyk.icc");

    fn profile(bytes: impl Into<Arc<[u8]>>) -> Profile {
        read_profile(bytes.into())
    }

    fn encoded(profile: &ColorProfile) -> Profile {
        read_profile(profile.encode().unwrap().into())
    }

    /// The pixels, one beside the other, converted.
    fn converted<const BANDS: usize>(
        pixels: &[[u8; BANDS]],
        colour: ColourModel,
        alpha: bool,
        profile: &Profile,
    ) -> Result<Raster, ImagingError> {
        let size = Size::new(u32::try_from(pixels.len()).unwrap(), 1).unwrap();
        let raster = Raster::new(size, colour, alpha, pixels.concat()).unwrap();
        Conversions::default().apply(raster, profile)
    }

    fn assert_near(found: &[u8], expected: &[u8], steps: u8, what: &str) {
        assert_eq!(found.len(), expected.len());
        let pairs = found.iter().zip(expected);
        let furthest = pairs.map(|(found, expected)| found.abs_diff(*expected)).max().unwrap();
        assert!(furthest <= steps, "{what}: {furthest} apart in {found:?}, not {expected:?}");
    }

    /// Printed by Little CMS 2.19 through Pillow 13.0: `ImageCms.buildTransform("prophoto.icc",
    /// createProfile("sRGB"), "RGB", "RGB", 0, 0x100)`.
    #[test]
    fn rgb_becomes_what_little_cms_makes_of_it() {
        let vectors = [
            ([0, 0, 0], [0, 0, 0]),
            ([255, 255, 255], [255, 255, 255]),
            ([128, 128, 128], [146, 146, 146]),
            ([200, 100, 50], [255, 80, 47]),
            ([50, 100, 200], [0, 128, 221]),
            ([10, 20, 30], [0, 28, 42]),
            ([60, 180, 70], [0, 209, 49]),
            ([255, 0, 0], [255, 0, 0]),
            ([90, 30, 120], [129, 0, 148]),
        ];
        let (before, after): (Vec<_>, Vec<_>) = vectors.into_iter().unzip();
        let prophoto = profile(PROPHOTO);
        let found = converted(&before, ColourModel::Rgb, false, &prophoto).unwrap();
        assert_near(found.samples(), &after.concat(), 1, "RGB");
        let with_alpha = before.iter().map(|&[r, g, b]| [r, g, b, 77]).collect::<Vec<_>>();
        let found = converted(&with_alpha, ColourModel::Rgb, true, &prophoto).unwrap();
        let expected = after.iter().flat_map(|&[r, g, b]| [r, g, b, 77]).collect::<Vec<_>>();
        assert_near(found.samples(), &expected, 1, "with alpha");
        assert!(found.samples().chunks(4).all(|pixel| pixel[3] == 77));
    }

    /// Printed as above, with "cmyk.icc" and "CMYK".
    #[test]
    fn ink_becomes_what_little_cms_makes_of_it() {
        let vectors = [
            ([0, 0, 0, 0], [255, 255, 255]),
            ([0, 0, 0, 255], [35, 31, 32]),
            ([255, 255, 255, 255], [0, 0, 0]),
            ([255, 0, 0, 0], [0, 174, 239]),
            ([0, 255, 0, 0], [236, 0, 140]),
            ([0, 0, 255, 0], [255, 242, 0]),
            ([128, 64, 32, 16], [122, 158, 186]),
            ([10, 20, 30, 40], [208, 200, 192]),
            ([77, 5, 250, 99], [124, 142, 31]),
            ([200, 180, 20, 100], [53, 59, 110]),
            ([30, 90, 160, 10], [214, 163, 108]),
        ];
        let (before, after): (Vec<_>, Vec<_>) = vectors.into_iter().unzip();
        let cmyk = profile(CMYK);
        let found = converted(&before, ColourModel::Cmyk, false, &cmyk).unwrap();
        assert_near(found.samples(), &after.concat(), 2, "CMYK");
        let with_alpha = before.iter().map(|&[c, m, y, k]| [c, m, y, k, 9]).collect::<Vec<_>>();
        let found = converted(&with_alpha, ColourModel::Cmyk, true, &cmyk).unwrap();
        let expected = after.iter().flat_map(|&[r, g, b]| [r, g, b, 9]).collect::<Vec<_>>();
        assert_near(found.samples(), &expected, 2, "with alpha");
    }

    #[test]
    fn gray_stays_one_band_and_goes_by_its_curve() {
        let linear = encoded(&ColorProfile::new_gray_with_gamma(1.0));
        assert_eq!((linear.space, linear.is_srgb), (Some(ColourModel::Gray), false));
        // IEC 61966-2-1: 0.5 becomes 1.055 * 0.5 ^ (1 / 2.4) - 0.055 = 0.7354.
        let grays = [[0, 1], [128, 2], [255, 3]];
        let found = converted(&grays, ColourModel::Gray, true, &linear).unwrap();
        assert_eq!(found.colour(), ColourModel::Gray);
        assert_near(found.samples(), &[0, 1, 188, 2, 255, 3], 1, "gray");
    }

    #[test]
    fn srgb_is_known_by_what_it_does() {
        assert!(encoded(&ColorProfile::new_srgb()).is_srgb);
        for other in [ColorProfile::new_adobe_rgb(), ColorProfile::new_display_p3()] {
            let other = encoded(&other);
            assert!(other.converts(ColourModel::Rgb) && !other.converts(ColourModel::Gray));
        }
        assert!(!profile(CMYK).is_srgb && profile(CMYK).converts(ColourModel::Cmyk));
    }

    #[test]
    fn a_broken_profile_is_good_for_nothing_and_no_error() {
        let whole = [PROPHOTO, CMYK];
        let cut =
            whole.iter().flat_map(|whole| (0..whole.len()).step_by(61).map(|len| &whole[..len]));
        for broken in cut.chain([&[0; 3144][..]]) {
            let found = profile(broken);
            assert_eq!((found.space, &*found), (None, broken), "{} bytes", broken.len());
        }
        let lab = encoded(&ColorProfile::new_lab());
        assert_eq!(lab.space, None);
    }

    #[test]
    fn a_profile_for_other_colours_is_refused() {
        let error = converted(&[[1, 2, 3]], ColourModel::Rgb, false, &profile(CMYK)).unwrap_err();
        assert!(matches!(error, ImagingError::ProfileColour { .. }));
    }

    #[test]
    fn the_conversions_used_last_are_kept_and_no_more() {
        let mut conversions = Conversions::default();
        let gammas = (0..20_u8)
            .map(|step| encoded(&ColorProfile::new_gray_with_gamma(1.0 + f32::from(step) / 10.0)));
        let profiles: Vec<Profile> = gammas.collect();
        for profile in &profiles {
            conversions.obtain(profile, false).unwrap();
            conversions.obtain(&profiles[0], false).unwrap();
        }
        assert_eq!(conversions.kept.len(), KEPT_MAX);
        let kept = |index: usize| {
            let digest = profiles[index].digest;
            conversions.kept.iter().any(|(wanted, _)| wanted.digest == digest)
        };
        assert!(kept(0) && kept(19) && kept(13) && !kept(12));
    }
}
