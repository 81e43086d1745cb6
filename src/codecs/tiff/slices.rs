//! Which directories of a file are pages, levels of a page, or pictures beside them. TIFF leaves that to
//! the writer: documents chain pages of any size, stacks pages of one size, pyramids the levels of one
//! page, slides a thumbnail, a label and a macro behind it, and some all of these in turn.
//!
//! The rules, in this order, for a directory behind the first full image:
//! a mask is nothing; what a description names is beside the slide; what is marked as reduced, or is tiled
//! and clearly smaller with the same aspect, is a level of the page before it, unless levels hang below
//! pages; what is marked as a page or has the first one's size is a page; so is any other picture that is
//! stored as the first one, in a file without chained levels.

use tiff::Directory;
use tiff::tags::Tag;

use crate::codecs::number::usize_of;
use crate::codecs::tiff::associated;
use crate::codecs::tiff::ome;
use crate::codecs::tiff::outline::{Outline, below};
use crate::codecs::tiff::structure::Structure;
use crate::codecs::{CodecError, DecodeLimits};
use crate::model::{Associated, Size, Slice, StackPage, Views};

/// Bytes of a page's name that are read.
const NAME_BYTES_MAX: u64 = 256;

/// Bytes of a description that are looked at for words.
const WORDS_BYTES_MAX: u64 = 256;

/// Bytes of OME-XML: it has an element for each plane of a long series. What is longer is not read, and
/// the file is what its directories say.
const OME_BYTES_MAX: u64 = 8 << 20;

const PAGE_NAME: Tag = Tag::Unknown(285);
const DOCUMENT_NAME: Tag = Tag::Unknown(269);
const STO_NITS: Tag = Tag::Unknown(37439);

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Not empty.
    pages: Vec<Listed>,
    /// One of a kind.
    associated: Vec<(Associated, Outline)>,
    /// The directories below the first page, where they were read.
    below_main: Option<Vec<Outline>>,
}

/// One picture, with what may be its levels.
#[derive(Debug)]
pub(super) struct Page {
    /// The full image.
    pub(super) full: Outline,
    /// The directories that hang below it.
    pub(super) below: Vec<Outline>,
    /// Those that follow it, where levels are chained.
    pub(super) chained: Vec<Outline>,
}

/// A directory of the chain.
#[derive(Debug)]
struct Listed {
    outline: Outline,
    /// The beginning of its description.
    description: String,
    named: StackPage,
    /// If it is a page: the directories behind it that may be its levels.
    chained: Vec<Outline>,
}

impl Contents {
    /// Reads the chain of directories, and what hangs below the first page.
    ///
    /// # Errors
    /// `Malformed` where the chain is broken or the first directory holds no picture; `OverLimit` where
    /// it is too long; `Io`.
    pub(super) fn read(
        structure: &mut Structure,
        limits: &DecodeLimits,
    ) -> Result<Self, CodecError> {
        let mut chain = read_chain(structure)?;
        if let Some(contents) = of_ome(structure, &mut chain)? {
            return Ok(contents);
        }
        // What comes before the first full image is no part of it.
        let is_full = |listed: &Listed| !listed.outline.is_reduced() && !listed.outline.is_mask();
        let main = chain.iter().flatten().position(is_full).unwrap_or(0);
        let chain: Vec<Listed> = chain.into_iter().flatten().skip(main).collect();
        let mut below_main = Vec::new();
        if let Some(main) = chain.first() {
            let directory = structure.again(main.outline.offset)?;
            below_main = below(structure, &directory, limits)?;
        }
        Ok(sorted(chain, below_main))
    }

    /// What there is to choose from.
    pub(super) fn views(&self) -> Views {
        let associated = self.associated.iter().map(|(what, _)| *what).collect();
        if self.pages.len() < 2 {
            return Views { associated, ..Views::default() };
        }
        let stack: Vec<StackPage> = self.pages.iter().map(|page| page.named.clone()).collect();
        let horizontal = (0_u32..).take(stack.len()).collect();
        Views { horizontal, stack, associated, ..Views::default() }
    }

    /// The directories of a slice.
    ///
    /// # Errors
    /// `Absent` where there is no such slice; as [`Contents::read`] for what hangs below it.
    pub(super) fn page(
        mut self,
        structure: &mut Structure,
        slice: Slice,
        limits: &DecodeLimits,
    ) -> Result<Page, CodecError> {
        let index = match slice {
            Slice::Main => 0,
            Slice::View { horizontal, vertical } => {
                if !matches!(vertical, 0 | Slice::LEVEL_DEG) {
                    return Err(CodecError::absent(format!(
                        "vertical view {vertical}: only 90 is"
                    )));
                }
                usize_of(horizontal)
            }
            Slice::Associated(what) => return self.beside(what),
        };
        let count = self.pages.len();
        let Some(listed) = self.pages.get_mut(index) else {
            return Err(CodecError::absent(format!("page {index}: the file has {count}")));
        };
        let chained = std::mem::take(&mut listed.chained);
        let full = listed.outline;
        let below = if let Some(known) = self.below_main.take().filter(|_| index == 0) {
            known
        } else {
            let directory = structure.again(full.offset)?;
            below(structure, &directory, limits)?
        };
        Ok(Page { full, below, chained })
    }

    fn beside(&self, what: Associated) -> Result<Page, CodecError> {
        if let Some((_, full)) = self.associated.iter().find(|(known, _)| *known == what) {
            return Ok(Page { full: *full, below: Vec::new(), chained: Vec::new() });
        }
        let known: Vec<&str> = self.associated.iter().map(|(what, _)| what.word()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let what = what.word();
        Err(CodecError::absent(format!("{what}: of such pictures the file has {known}")))
    }
}

/// The directories of the chain by their number; nothing for those that hold no picture.
fn read_chain(structure: &mut Structure) -> Result<Vec<Option<Listed>>, CodecError> {
    let mut chain = Vec::new();
    let mut next = Some(structure.first());
    while let Some(offset) = next {
        let directory = structure.directory(offset)?;
        match Listed::read(structure, &directory, offset) {
            Ok(listed) => chain.push(Some(listed)),
            Err(CodecError::Io(error)) => return Err(CodecError::Io(error)),
            // What has no sizes is no picture; a file that begins so is broken.
            Err(error) if chain.is_empty() => return Err(error),
            Err(_) => chain.push(None),
        }
        next = directory.next().map(|pointer| pointer.0);
    }
    Ok(chain)
}

impl Listed {
    fn read(structure: &mut Structure, from: &Directory, offset: u64) -> Result<Self, CodecError> {
        let outline = Outline::read(structure, from, offset)?;
        // Words only tell pictures apart: where they are broken, there are none.
        let mut text = |tag, bytes_max| match structure.text(from, tag, bytes_max) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(CodecError::Io(error)) => Err(CodecError::Io(error)),
            Err(_) => Ok(String::new()),
        };
        let description = text(Tag::ImageDescription, WORDS_BYTES_MAX)?;
        let mut name = text(DOCUMENT_NAME, NAME_BYTES_MAX)?;
        if name.is_empty() {
            name = text(PAGE_NAME, NAME_BYTES_MAX)?;
        }
        let scale = structure.real(from, STO_NITS)?.map_or(1.0, narrowed);
        Ok(Self { outline, description, named: StackPage { name, scale }, chained: Vec::new() })
    }
}

/// A scale as stacks tell it: text of nine digits holds no more.
#[expect(
    clippy::as_conversions,
    reason = "rounds to the nearest, and what is too large is checked"
)]
#[expect(clippy::cast_possible_truncation, reason = "rounds to the nearest")]
fn narrowed(scale: f64) -> f32 {
    let narrow = scale as f32;
    if narrow.is_finite() { narrow } else { 1.0 }
}

/// The contents of a file whose first description is OME-XML, by that; nothing for any other.
fn of_ome(
    structure: &mut Structure,
    chain: &mut [Option<Listed>],
) -> Result<Option<Contents>, CodecError> {
    let Some(Some(first)) = chain.first() else { return Ok(None) };
    if !ome::is_ome(&first.description) {
        return Ok(None);
    }
    let directory = structure.again(first.outline.offset)?;
    let bytes = match structure.bytes(&directory, Tag::ImageDescription, OME_BYTES_MAX) {
        Ok(bytes) => bytes.unwrap_or_default(),
        Err(CodecError::OverLimit { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default());
    let Some(told) = ome::parse(&text, chain.len()) else { return Ok(None) };
    let outline = |(what, at): &(Associated, usize)| {
        let listed = chain.get(*at)?.as_ref()?;
        Some((*what, listed.outline))
    };
    let associated = told.associated.iter().filter_map(outline).collect();
    let plane = |(at, name): (usize, String)| {
        let listed = chain.get_mut(at)?.take()?;
        Some(Listed { named: StackPage { name, scale: 1.0 }, ..listed })
    };
    let pages: Vec<Listed> = told.planes.into_iter().filter_map(plane).collect();
    Ok((!pages.is_empty()).then_some(Contents { pages, associated, below_main: None }))
}

/// What a directory is to the page before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Page,
    Level,
    Associated(Associated),
    Stranger,
}

/// What the roles of all directories depend on.
struct Rules {
    main: Outline,
    is_aperio: bool,
    /// Levels hang below pages, and none is chained.
    has_below: bool,
    /// There are levels in the chain.
    has_chained: bool,
}

/// Gives each directory its role; the first of `chain` is the full image of the first page.
fn sorted(chain: Vec<Listed>, below_main: Vec<Outline>) -> Contents {
    let Some(main) = chain.first() else { return Contents::default() };
    let full = main.outline;
    let mut rules = Rules {
        main: full,
        is_aperio: associated::is_aperio(&main.description),
        has_below: below_main.iter().any(|outline| outline.is_reduction(full.size, full.size)),
        has_chained: false,
    };
    let mut others = chain.iter().enumerate().skip(1);
    rules.has_chained =
        others.any(|(index, listed)| rules.role(index, listed, &full) == Role::Level);

    let mut contents = Contents { below_main: Some(below_main), ..Contents::default() };
    for (index, listed) in chain.into_iter().enumerate() {
        let page = contents.pages.last_mut();
        let role =
            page.as_ref().map_or(Role::Page, |page| rules.role(index, &listed, &page.outline));
        match (role, page) {
            (Role::Page, _) => contents.pages.push(listed),
            (Role::Level, Some(page)) => page.chained.push(listed.outline),
            (Role::Associated(what), _) => {
                if contents.associated.iter().all(|(known, _)| *known != what) {
                    contents.associated.push((what, listed.outline));
                }
            }
            (Role::Level | Role::Stranger, _) => {}
        }
    }
    if 1 < contents.pages.len() {
        // Levels of several pages in one run: nobody knows whose they are.
        for page in &mut contents.pages {
            if !is_steady(&page.chained) {
                page.chained.clear();
            }
        }
    }
    contents
}

impl Rules {
    fn role(&self, index: usize, listed: &Listed, page: &Outline) -> Role {
        let outline = &listed.outline;
        let is_sized_as_main = outline.size == self.main.size;
        if outline.is_mask() {
            return Role::Stranger;
        }
        if !outline.is_page()
            && !is_sized_as_main
            && let Some(what) = self.associated(index, listed)
        {
            return Role::Associated(what);
        }
        if self.is_level(outline, page) {
            return Role::Level;
        }
        let is_alike = !self.has_chained && outline.is_tiled() == self.main.is_tiled();
        if !outline.is_reduced() && (outline.is_page() || is_sized_as_main || is_alike) {
            return Role::Page;
        }
        Role::Stranger
    }

    fn associated(&self, index: usize, listed: &Listed) -> Option<Associated> {
        let outline = &listed.outline;
        let by_order = || associated::of_aperio(index, outline).filter(|_| self.is_aperio);
        let by_shape = || associated::is_thumbnail(&self.main, outline);
        associated::named(&listed.description)
            .or_else(by_order)
            .or_else(|| by_shape().then_some(Associated::Thumbnail))
    }

    fn is_level(&self, outline: &Outline, page: &Outline) -> bool {
        !self.has_below
            && !outline.is_page()
            && outline.is_reduction(page.size, page.size)
            && (outline.is_reduced()
                || outline.is_tiled()
                    && page.is_tiled()
                    && is_clearly_smaller(outline.size, page.size))
    }
}

/// Whether a size is at most three quarters of another: scanned pages differ by some pixels.
fn is_clearly_smaller(size: Size, than: Size) -> bool {
    u64::from(size.longer()) * 4 <= u64::from(than.longer()) * 3
}

/// Whether each is smaller than the one before.
fn is_steady(levels: &[Outline]) -> bool {
    levels.windows(2).all(|pair| match pair {
        [larger, smaller] => smaller.size.fits(larger.size) && smaller.size != larger.size,
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory: width, height, whether it is tiled, subfile type, description.
    type Row = (u32, u32, bool, u64, &'static str);

    fn listed(row: &Row, at: usize) -> Listed {
        let (width, height, is_tiled, subfile_type, description) = *row;
        let outline = Outline {
            offset: at.try_into().unwrap(),
            size: Size::new(width, height).unwrap(),
            tile: is_tiled.then(|| Size::new(64, 64).unwrap()),
            subfile_type,
        };
        let named = StackPage { name: String::new(), scale: 1.0 };
        Listed { outline, description: description.to_owned(), named, chained: Vec::new() }
    }

    /// What the directories are: `p` a page, a digit a level of that page, `t`, `l`, `m` beside it.
    fn roles(rows: &[Row], below: &[Row]) -> String {
        let outline = |(at, row): (usize, &Row)| listed(row, at);
        let chain: Vec<Listed> = rows.iter().enumerate().map(outline).collect();
        let below = below.iter().enumerate().map(outline).map(|listed| listed.outline).collect();
        let contents = sorted(chain, below);
        let mut roles = vec!['-'; rows.len()];
        let mut put =
            |outline: &Outline, role| roles[usize::try_from(outline.offset).unwrap()] = role;
        for (digit, page) in ('0'..).zip(&contents.pages) {
            put(&page.outline, 'p');
            page.chained.iter().for_each(|level| put(level, digit));
        }
        for (what, outline) in &contents.associated {
            put(outline, what.word().chars().next().unwrap());
        }
        roles.into_iter().collect()
    }

    const FULL: Row = (800, 600, true, 0, "");
    const HALF: Row = (400, 300, true, 0, "");
    const QUARTER: Row = (200, 150, true, 0, "");
    const STRIPS: Row = (800, 600, false, 0, "");

    const fn reduced(row: Row) -> Row {
        (row.0, row.1, row.2, 1, row.4)
    }

    const fn page(row: Row) -> Row {
        (row.0, row.1, row.2, 2, row.4)
    }

    #[test]
    fn directories_are_pages_levels_or_beside_them() {
        let label = (387, 463, false, 1, "Aperio Image Library v11.2.1 \nlabel 387x463");
        let aperio = (800, 600, true, 0, "Aperio Image Library v11.2.1 \r\n46000x32914");
        for (name, rows, expected) in [
            ("one picture", &[FULL][..], "p"),
            ("a pyramid", &[FULL, reduced(HALF), reduced(QUARTER)], "p00"),
            ("a pyramid without marks", &[FULL, HALF, QUARTER], "p00"),
            ("a stack", &[FULL, FULL, FULL], "ppp"),
            ("a stack with marks", &[page(FULL), page(HALF), page(QUARTER)], "ppp"),
            ("a stack of pyramids", &[FULL, HALF, FULL, HALF, QUARTER], "p0p11"),
            ("a mixed-up stack of pyramids", &[FULL, FULL, HALF, HALF], "pp--"),
            ("pages, one with levels", &[page(FULL), page(FULL), reduced(HALF)], "pp1"),
            ("a document", &[STRIPS, (700, 900, false, 0, ""), (400, 300, false, 0, "")], "ppp"),
            ("scans of nearly one size", &[FULL, (799, 599, true, 0, "")], "pp"),
            ("strips made smaller", &[STRIPS, (400, 300, false, 1, "")], "p0"),
            ("a mask", &[FULL, (800, 600, true, 4, ""), (400, 300, true, 5, ""), HALF], "p--0"),
            ("an overview in strips", &[FULL, (80, 60, false, 0, ""), HALF], "pt0"),
            ("another size behind levels", &[FULL, HALF, (90, 90, true, 0, "")], "p0-"),
            ("strips behind tiles", &[FULL, (90, 90, false, 0, "")], "p-"),
            ("words", &[FULL, (90, 90, false, 0, "Macro"), (90, 50, true, 0, "Label")], "pml"),
            ("words on pages", &[FULL, (800, 600, true, 0, "label 7")], "pp"),
            (
                "a slide",
                &[aperio, (80, 61, false, 0, ""), HALF, label, (90, 30, false, 9, "\nmacro")],
                "pt0lm",
            ),
            (
                "a slide without words",
                &[aperio, HALF, (9, 9, false, 1, ""), (9, 3, false, 9, "")],
                "p0lm",
            ),
        ] {
            assert_eq!(roles(rows, &[]), expected, "{name}");
        }
    }

    #[test]
    fn levels_below_pages_leave_the_chain_to_pages() {
        assert_eq!(roles(&[FULL, FULL, HALF], &[HALF]), "ppp");
        assert_eq!(roles(&[FULL, reduced(HALF)], &[HALF]), "p-");
        assert_eq!(roles(&[FULL, HALF], &[(90, 10, true, 1, "")]), "p0");
    }
}
