//! `Purge`: what caches are to forget.

use crate::model::ImageId;

/// What is forgotten, whichever slice of an image it is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purge {
    /// Everything.
    All,
    /// What belongs to the image of this name.
    Image(String),
    /// What belongs to images whose names begin so.
    Prefix(String),
}

impl Purge {
    /// Whether what belongs to an image is to go.
    pub fn takes(&self, image: &ImageId) -> bool {
        match self {
            Self::All => true,
            Self::Image(name) => image.as_str() == name,
            Self::Prefix(prefix) => image.as_str().starts_with(prefix),
        }
    }
}

/// Who is to forget it, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nobody: there is no memcached.
    Alone,
    /// The instances that share memcached, within some seconds.
    Told,
    /// The same, as soon as memcached answers again.
    Later,
}

impl Reach {
    /// In a word, for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Alone => "none",
            Self::Told => "told",
            Self::Later => "later",
        }
    }
}

/// How much was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purged {
    /// Encoded answers.
    pub answers: usize,
    /// Decoded tiles.
    pub tiles: usize,
    /// Open images, and those whose failure was remembered.
    pub images: usize,
    /// What memcached was told, which has it forgotten elsewhere.
    pub reach: Reach,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_goes_by_its_whole_name_and_a_folder_by_its_beginning() {
        let image = |name| ImageId::parse(name).unwrap();
        assert!(Purge::All.takes(&image("a/b.tif")));
        let one = Purge::Image("a/b.tif".to_owned());
        assert!(one.takes(&image("a/b.tif")) && !one.takes(&image("a/b.tif.tif")));
        let folder = Purge::Prefix("a/".to_owned());
        assert!(folder.takes(&image("a/b.tif")) && !folder.takes(&image("ab.tif")));
    }
}
