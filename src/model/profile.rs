//! `Profile`: an embedded ICC profile, and what was found out about it when its image was opened.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::model::pixel::ColourModel;

/// What is done with the colours of an image that has a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ColourRule {
    /// Samples stay as they are, and the profile goes with them.
    #[default]
    Embed,
    /// Samples become sRGB, and no profile goes with them.
    Convert,
}

/// An ICC profile. Dereferences to its bytes, which are never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// The profile as the file has it.
    pub bytes: Arc<[u8]>,
    /// A number for these bytes: equal for equal profiles, of whichever image.
    pub digest: u128,
    /// The colours that it can be used to convert to sRGB; none where it is broken, or for what is
    /// neither gray, RGB nor CMYK.
    pub space: Option<ColourModel>,
    /// Whether that would change no sample by more than one step of 8 bit.
    pub is_srgb: bool,
}

impl Profile {
    /// Whether samples of this colour model are to be converted by it, and would change.
    pub fn converts(&self, colour: ColourModel) -> bool {
        self.space == Some(colour) && !self.is_srgb
    }
}

impl Deref for Profile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("len", &self.bytes.len())
            .field("space", &self.space)
            .field("is_srgb", &self.is_srgb)
            .finish_non_exhaustive()
    }
}
