//! `Slice`: which picture of a file that holds several, or of a sequence of files; and what there is to
//! choose from.

/// One picture of a stack, a sequence, a document or a slide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slice {
    /// The picture that a file is opened for: its first page, the first horizontal and the level
    /// (90 degree) vertical view of a sequence.
    #[default]
    Main,
    /// A page of a stack, counted from 0, or an angle of a sequence of files.
    View {
        /// Page of a stack, or horizontal angle in degrees as it stands in the file's name.
        horizontal: u32,
        /// Vertical angle in degrees: 90 is level. Stacks have no other.
        vertical: u32,
    },
    /// A picture beside the main one.
    Associated(Associated),
}

impl Slice {
    /// The vertical angle of what has no other.
    pub const LEVEL_DEG: u32 = 90;

    /// A page of a stack; the first is [`Slice::Main`], so that it has one name.
    pub const fn page(index: u32) -> Self {
        Self::view(index, Self::LEVEL_DEG)
    }

    /// A view by its two numbers; (0, 90) is [`Slice::Main`].
    pub const fn view(horizontal: u32, vertical: u32) -> Self {
        if horizontal == 0 && vertical == Self::LEVEL_DEG {
            Self::Main
        } else {
            Self::View { horizontal, vertical }
        }
    }

    /// Whether a picture without pages and views is asked for so: viewers of sequences send the view of
    /// a plain picture along, with or without its vertical angle.
    pub const fn is_plain(self) -> bool {
        matches!(self, Self::Main | Self::View { horizontal: 0, vertical: 0 | Self::LEVEL_DEG })
    }

    /// Page or horizontal angle, and vertical angle.
    pub const fn numbers(self) -> (u32, u32) {
        match self {
            Self::View { horizontal, vertical } => (horizontal, vertical),
            Self::Main | Self::Associated(_) => (0, Self::LEVEL_DEG),
        }
    }
}

/// What a slide scanner stores beside the slide's own pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Associated {
    /// The slide made small.
    Thumbnail,
    /// The slide's paper label.
    Label,
    /// The whole slide seen by a plain camera.
    Macro,
}

impl Associated {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Thumbnail, Self::Label, Self::Macro];

    /// The word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Thumbnail => "thumbnail",
            Self::Label => "label",
            Self::Macro => "macro",
        }
    }

    /// The picture that a word names, in any case.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word().eq_ignore_ascii_case(word))
    }
}

/// The pictures that a file or sequence offers beside the one that is open.
#[derive(Clone, Debug, PartialEq)]
pub struct Views {
    /// Pages from 0, or horizontal angles; never empty, rising.
    pub horizontal: Vec<u32>,
    /// Vertical angles; never empty, rising.
    pub vertical: Vec<u32>,
    /// The pages of a stack, as many as `horizontal`; empty for what is no stack.
    pub stack: Vec<StackPage>,
    /// What lies beside the main picture.
    pub associated: Vec<Associated>,
}

impl Default for Views {
    /// One picture, and nothing beside it.
    fn default() -> Self {
        let vertical = vec![Slice::LEVEL_DEG];
        Self { horizontal: vec![0], vertical, stack: Vec::new(), associated: Vec::new() }
    }
}

/// A page of a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct StackPage {
    /// Its name, empty where it has none.
    pub name: String,
    /// What its samples are multiplied by to be in the units of the stack: 1 where nothing is said.
    pub scale: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_picture_has_one_name() {
        assert_eq!(Slice::page(0), Slice::Main);
        assert_eq!(Slice::view(0, 90), Slice::Main);
        assert_eq!(Slice::page(3), Slice::View { horizontal: 3, vertical: 90 });
        assert_eq!(Slice::view(0, 0).numbers(), (0, 0));
        assert_eq!(Slice::Main.numbers(), (0, 90));
        assert!(Slice::Main.is_plain() && Slice::view(0, 0).is_plain());
        assert!(!Slice::page(1).is_plain() && !Slice::view(0, 45).is_plain());
    }

    #[test]
    fn words_name_associated_pictures_in_any_case() {
        for known in Associated::ALL {
            assert_eq!(Associated::of_word(&known.word().to_uppercase()), Some(known));
        }
        assert_eq!(Associated::of_word("slide"), None);
    }
}
