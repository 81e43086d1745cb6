//! `Planes`: a run of pixels band by band, as 32-bit floats. Loops over one band's array, without a branch,
//! become vector instructions.

use crate::imaging::sample::Sample;

/// Pixels that are worked on at once: a few kilobytes a band, which stay in the first cache.
pub(super) const BLOCK: usize = 256;

/// One band of a run.
pub(super) type Plane = [f32; BLOCK];

/// The bands of up to [`BLOCK`] pixels, colours apart from alpha. What lies behind the run's end in a plane is
/// of an earlier run, and of no matter.
pub(super) struct Planes {
    /// Colours, or whatever the bands are.
    pub(super) colours: Vec<Plane>,
    /// 0 to 1, where there is one.
    pub(super) alpha: Option<Box<Plane>>,
    /// Planes that an operation may take for its result.
    spare: Vec<Plane>,
}

impl Planes {
    /// Empty ones.
    pub(super) const fn new() -> Self {
        Self { colours: Vec::new(), alpha: None, spare: Vec::new() }
    }

    /// Takes the colours out, for an operation that makes `count` others of them; give them back to
    /// [`Planes::replace`].
    pub(super) fn taken(&mut self, count: usize) -> (Vec<Plane>, Vec<Plane>) {
        let mut made = std::mem::take(&mut self.spare);
        made.resize(count, [0.0; BLOCK]);
        (std::mem::take(&mut self.colours), made)
    }

    /// Puts the new colours in the old ones' place.
    pub(super) fn replace(&mut self, old: Vec<Plane>, made: Vec<Plane>) {
        self.spare = old;
        self.colours = made;
    }

    /// Reads a run of at most [`BLOCK`] pixels of so many colours, and alpha.
    pub(super) fn load<T: Sample>(&mut self, run: &[T], colours: usize, alpha: bool) {
        self.colours.resize(colours, [0.0; BLOCK]);
        let bands = colours + usize::from(alpha);
        for (band, plane) in self.colours.iter_mut().enumerate() {
            load_band(plane, run, bands, band);
        }
        self.alpha = alpha.then(|| {
            let mut plane = self.alpha.take().unwrap_or_else(|| Box::new([0.0; BLOCK]));
            load_band(&mut plane, run, bands, colours);
            let scale = 1.0 / T::TYPE.full_range().white;
            for alpha in plane.iter_mut() {
                *alpha *= scale;
            }
            plane
        });
    }

    /// Writes the run as it is.
    pub(super) fn store(&self, run: &mut [f32]) {
        let planes = self.colours.iter().chain(self.alpha.as_deref());
        let bands = self.colours.len() + usize::from(self.alpha.is_some());
        for (band, plane) in planes.enumerate() {
            for (target, sample) in run.iter_mut().skip(band).step_by(bands).zip(plane) {
                *target = *sample;
            }
        }
    }
}

/// One band of a run; the common numbers of bands by loops of their own, which is several times as fast.
fn load_band<T: Sample>(plane: &mut Plane, run: &[T], bands: usize, band: usize) {
    match bands {
        1 => load_of::<T, 1>(plane, run, band),
        2 => load_of::<T, 2>(plane, run, band),
        3 => load_of::<T, 3>(plane, run, band),
        4 => load_of::<T, 4>(plane, run, band),
        _ => {
            for (target, sample) in plane.iter_mut().zip(run.iter().skip(band).step_by(bands)) {
                *target = (*sample).into();
            }
        }
    }
}

fn load_of<T: Sample, const BANDS: usize>(plane: &mut Plane, run: &[T], band: usize) {
    let (pixels, _) = run.as_chunks::<BANDS>();
    for (target, pixel) in plane.iter_mut().zip(pixels) {
        // `band` is below `BANDS`.
        *target = pixel.get(band).map_or(0.0, |sample| (*sample).into());
    }
}
