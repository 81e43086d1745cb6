//! `Metadata`: what a file says in words, and the blocks that are carried along unread.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A fact in words, by the name that IIP has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// A remark.
    Comment,
    /// Who made the picture.
    Creator,
    /// When it was made or changed, as the file has it.
    Date,
    /// What it shows.
    Description,
    /// Words to find it by.
    Keywords,
    /// Who made the camera or scanner.
    Make,
    /// The camera or scanner.
    Model,
    /// Whose it is.
    Rights,
    /// The program that wrote the file.
    Software,
    /// What it is called.
    Title,
}

impl Field {
    /// All of them, by name.
    pub const ALL: [Self; 10] = [
        Self::Comment,
        Self::Creator,
        Self::Date,
        Self::Description,
        Self::Keywords,
        Self::Make,
        Self::Model,
        Self::Rights,
        Self::Software,
        Self::Title,
    ];

    /// IIP's name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Creator => "creator",
            Self::Date => "date",
            Self::Description => "description",
            Self::Keywords => "keywords",
            Self::Make => "make",
            Self::Model => "model",
            Self::Rights => "rights",
            Self::Software => "software",
            Self::Title => "title",
        }
    }
}

/// What is known about a picture beside its pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Exif, as the TIFF that it is, without a prefix.
    pub exif: Option<Arc<[u8]>>,
    /// XMP, as the XML that it is.
    pub xmp: Option<Arc<[u8]>>,
    /// IPTC's records (IIM), without Photoshop's frame.
    pub iptc: Option<Arc<[u8]>>,
    texts: BTreeMap<Field, Arc<str>>,
}

impl Metadata {
    /// Blocks alone: Exif, XMP, IPTC.
    pub fn of_blocks([exif, xmp, iptc]: [Option<Arc<[u8]>>; 3]) -> Self {
        Self { exif, xmp, iptc, texts: BTreeMap::new() }
    }

    /// What a field says, never empty.
    pub fn text(&self, field: Field) -> Option<&str> {
        self.texts.get(&field).map(|text| &**text)
    }

    /// All fields that say something, by name.
    pub fn texts(&self) -> impl Iterator<Item = (Field, &str)> {
        self.texts.iter().map(|(field, text)| (*field, &**text))
    }

    /// Takes what a field says, without blanks and NULs around it, where it says something and nothing
    /// was said before.
    pub fn add(&mut self, field: Field, text: &str) {
        let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        if !text.is_empty() {
            self.texts.entry(field).or_insert_with(|| text.into());
        }
    }

    /// Takes what `other` says beyond this.
    pub fn add_all(&mut self, other: &Self) {
        for (field, text) in other.texts() {
            self.add(field, text);
        }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.exif.is_none() && self.xmp.is_none() && self.iptc.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_says_something_counts() {
        let mut metadata = Metadata::default();
        metadata.add(Field::Title, " \0");
        assert!(metadata.is_empty());
        metadata.add(Field::Title, "A title\0");
        metadata.add(Field::Title, "another");
        assert_eq!(metadata.text(Field::Title), Some("A title"));
        assert!(!metadata.is_empty());
    }

    #[test]
    fn fields_are_sorted_by_name() {
        let names = Field::ALL.map(Field::name);
        assert!(names.is_sorted() && Field::ALL.is_sorted());
    }
}
