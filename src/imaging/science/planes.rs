//! `Planes`: a run of pixels band by band, as 32-bit floats. Loops over one band's array, without a branch,
//! become vector instructions.

#![expect(
    clippy::indexing_slicing,
    reason = "pixel loops: indices are below the length of a block"
)]

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
    #[inline(always)]
    pub(super) fn load<T: Sample>(&mut self, run: &[T], colours: usize, alpha: bool) {
        self.colours.resize(colours, [0.0; BLOCK]);
        if !alpha {
            self.alpha = None;
        }
        let alpha = if alpha {
            Some(&mut **self.alpha.get_or_insert_with(|| Box::new([0.0; BLOCK])))
        } else {
            None
        };
        match (self.colours.as_mut_slice(), alpha) {
            ([gray], None) => part(run.as_chunks().0, &mut [gray]),
            ([gray], Some(alpha)) => part(run.as_chunks().0, &mut [gray, alpha]),
            ([red, green, blue], None) => part(run.as_chunks().0, &mut [red, green, blue]),
            ([red, green, blue], Some(alpha)) => {
                part(run.as_chunks().0, &mut [red, green, blue, alpha]);
            }
            (planes, alpha) => {
                let bands = planes.len() + usize::from(alpha.is_some());
                for (band, plane) in planes.iter_mut().chain(alpha).enumerate() {
                    let samples = run.iter().skip(band).step_by(bands);
                    for (target, sample) in plane.iter_mut().zip(samples) {
                        *target = (*sample).into();
                    }
                }
            }
        }
        let scale = 1.0 / T::TYPE.full_range().white;
        for alpha in self.alpha.iter_mut().flat_map(|plane| plane.iter_mut()) {
            *alpha *= scale;
        }
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

/// Bands apart: the common numbers of them by loops of their own, which become vector instructions.
#[inline(always)]
fn part<T: Sample, const BANDS: usize>(pixels: &[[T; BANDS]], planes: &mut [&mut Plane; BANDS]) {
    for (at, pixel) in pixels.iter().take(BLOCK).enumerate() {
        for band in 0..BANDS {
            planes[band][at] = pixel[band].into();
        }
    }
}
