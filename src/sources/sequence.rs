//! Sequences of files: a picture for each angle that something was looked at from, side by side in one
//! folder as `NAME`, a pattern such as `_pyr_`, and `HHH_VVV.SUFFIX`: horizontal and vertical angle in
//! degrees, with at least three digits. A sequence is there if its first view, `000_090`, is.
//!
//! No pattern of wildcards is made of a client's text: names are put together and looked up, and only the
//! list of angles reads the folder, once for each time that an image is opened.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rustix::fs::{Dir, FileType};

use crate::model::{ImageId, Slice, Views};
use crate::sources::SourceError;
use crate::sources::folder::{Folder, ImageSource};

/// Entries of a folder that are looked at for angles; those of files beyond are not listed, but served.
const ENTRIES_MAX: usize = 10_000;

/// Angles of each kind that a refusal names.
const TOLD_MAX: usize = 24;

/// How files of sequences are called.
#[derive(Clone, Debug)]
pub(super) struct Naming {
    /// What stands between name and angles.
    pub(super) pattern: String,
    /// What files may end in, in lower case and without the point; the first that fits counts.
    pub(super) suffixes: &'static [&'static str],
}

/// A sequence that is there.
struct Sequence {
    /// All of a file's name that comes before the angles, below the root.
    start: String,
    suffix: &'static str,
}

impl Sequence {
    fn file_name(&self, horizontal: u32, vertical: u32) -> String {
        format!("{}{horizontal:03}_{vertical:03}.{}", self.start, self.suffix)
    }

    /// The angles in the name of a file of this sequence, whose folder is left out.
    fn angles(&self, name: &str) -> Option<(u32, u32)> {
        let start = self.start.rsplit('/').next().unwrap_or_default();
        let angles = name.strip_prefix(start)?.strip_suffix(self.suffix)?.strip_suffix('.')?;
        let (horizontal, vertical) = angles.split_once('_')?;
        Some((angle(horizontal)?, angle(vertical)?))
    }
}

/// An angle as [`Sequence::file_name`] writes it.
fn angle(text: &str) -> Option<u32> {
    let number = text.parse().ok()?;
    (format!("{number:03}") == text).then_some(number)
}

impl Folder {
    /// The same folder, with sequences of files called so; an empty pattern: none.
    pub fn with_sequences(mut self, pattern: &str, suffixes: &'static [&'static str]) -> Self {
        let naming = Naming { pattern: pattern.to_owned(), suffixes };
        self.sequences = Some(naming).filter(|naming| !naming.pattern.is_empty());
        self
    }

    /// Opens the file of an image's angle.
    pub(super) fn sequence_source(&self, image: &ImageId) -> Result<ImageSource, SourceError> {
        let sequence = self.sequence(image)?;
        let Slice::Associated(what) = image.slice() else {
            let (horizontal, vertical) = image.slice().numbers();
            let views = self.views(&sequence)?;
            return match self.file(&sequence.file_name(horizontal, vertical)) {
                Ok(file) => Ok(ImageSource { file, slice: Slice::Main, views: Some(views) }),
                Err(SourceError::NotFound) => Err(absent(horizontal, vertical, &views)),
                Err(error) => Err(error),
            };
        };
        let wanted = format!("{}: this is a sequence of views", what.word());
        Err(SourceError::NoView { wanted })
    }

    /// The name of the file of an image's angle, which may not be there.
    pub(super) fn sequence_file_name(&self, image: &ImageId) -> Result<String, SourceError> {
        let (horizontal, vertical) = image.slice().numbers();
        Ok(self.sequence(image)?.file_name(horizontal, vertical))
    }

    fn sequence(&self, image: &ImageId) -> Result<Sequence, SourceError> {
        let naming = self.sequences.as_ref().ok_or(SourceError::NotFound)?;
        for suffix in naming.suffixes {
            let start = format!("{}{}", self.start_of(image), naming.pattern);
            let sequence = Sequence { start, suffix };
            match self.file_version(&sequence.file_name(0, Slice::LEVEL_DEG)) {
                Ok(_) => return Ok(sequence),
                Err(SourceError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Err(SourceError::NotFound)
    }

    /// The horizontal angles of files that look level, and the vertical ones of the first horizontal.
    fn views(&self, sequence: &Sequence) -> Result<Views, SourceError> {
        let path = sequence.start.rsplit_once('/').map_or("", |(path, _)| path);
        let folder = self.folder(path)?;
        let mut horizontal = BTreeSet::from([0]);
        let mut vertical = BTreeSet::from([Slice::LEVEL_DEG]);
        for entry in Dir::read_from(&folder).map_err(std::io::Error::from)?.take(ENTRIES_MAX) {
            let entry = entry.map_err(std::io::Error::from)?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            let Some(angles) = sequence.angles(name) else { continue };
            if self.kind_of(path, name, entry.file_type()) != FileType::RegularFile {
                continue;
            }
            if angles.1 == Slice::LEVEL_DEG {
                horizontal.insert(angles.0);
            }
            if angles.0 == 0 {
                vertical.insert(angles.1);
            }
        }
        let (horizontal, vertical) =
            (horizontal.into_iter().collect(), vertical.into_iter().collect());
        Ok(Views { horizontal, vertical, ..Views::default() })
    }
}

fn absent(horizontal: u32, vertical: u32, views: &Views) -> SourceError {
    let mut wanted = format!("view {horizontal},{vertical}: horizontal views are");
    tell(&views.horizontal, &mut wanted);
    wanted.push_str(", vertical views");
    tell(&views.vertical, &mut wanted);
    SourceError::NoView { wanted }
}

/// Appends the first angles, and how many more there are.
fn tell(angles: &[u32], text: &mut String) {
    for angle in angles.iter().take(TOLD_MAX) {
        // Writing to a String cannot fail.
        write!(text, " {angle}").unwrap_or_default();
    }
    if let Some(more) = angles.len().checked_sub(TOLD_MAX).filter(|more| *more != 0) {
        write!(text, " and {more} more").unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::model::{Associated, ReadAt};

    const SUFFIXES: &[&str] = &["tif", "svs"];

    fn id(name: &str) -> ImageId {
        ImageId::parse(name).unwrap()
    }

    /// A folder with empty files of these names and a sequence of three angles in `sub`.
    fn folder(names: &[&str]) -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        let seen = ["sub/a_pyr_000_090.tif", "sub/a_pyr_010_090.tif", "sub/a_pyr_000_045.tif"];
        for (len, name) in seen.iter().chain(names).enumerate() {
            fs::write(dir.path().join(name), "x".repeat(len)).unwrap();
        }
        let folder = Folder::open(dir.path(), &[]).unwrap().with_sequences("_pyr_", SUFFIXES);
        (dir, folder)
    }

    #[test]
    fn each_view_is_a_file_and_all_are_listed() {
        let more = ["sub/a_pyr_1080_090.tif", "sub/a_pyr_010_045.tif"];
        let others = ["sub/a_pyr_20_090.tif", "sub/a_pyr_030_090.svs", "sub/aa_pyr_040_090.tif"];
        let (_dir, folder) = folder(&[&more[..], &others].concat());
        for (slice, len) in [
            (Slice::Main, 0),
            (Slice::view(10, 90), 1),
            (Slice::view(0, 45), 2),
            (Slice::view(1080, 90), 3),
            (Slice::view(10, 45), 4),
        ] {
            let found = folder.source(&id("sub/a").with_slice(slice)).unwrap();
            assert_eq!(found.file.len_bytes(), len, "{slice:?}");
            assert_eq!(found.slice, Slice::Main);
            let views = found.views.unwrap();
            assert_eq!(views.horizontal, [0, 10, 1080]);
            assert_eq!(views.vertical, [45, 90]);
            let version = folder.version(&id("sub/a").with_slice(slice)).unwrap();
            assert_eq!(version.len_bytes, len);
        }
    }

    #[test]
    fn a_view_that_is_not_there_is_refused_with_those_that_are() {
        let (_dir, folder) = folder(&[]);
        let refusal =
            |slice| folder.source(&id("sub/a").with_slice(slice)).unwrap_err().to_string();
        let there = "horizontal views are 0 10, vertical views 45 90";
        assert_eq!(refusal(Slice::view(20, 90)), format!("there is no view 20,90: {there}"));
        assert_eq!(refusal(Slice::view(0, 0)), format!("there is no view 0,0: {there}"));
        let label = refusal(Slice::Associated(Associated::Label));
        assert_eq!(label, "there is no label: this is a sequence of views");
        let many = Views { horizontal: (0..1000).collect(), ..Views::default() };
        let told = absent(5000, 90, &many).to_string();
        assert!(told.contains(" 23 and 976 more,") && told.len() < 200, "{told}");
    }

    #[test]
    fn a_file_of_the_name_comes_first_and_nothing_else_is_a_sequence() {
        let (dir, folder) = folder(&["sub/b", "sub/b_pyr_000_090.tif", "sub/c_pyr_010_090.tif"]);
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("x"), b"secret").unwrap();
        symlink(outside.path().join("x"), dir.path().join("d_pyr_000_090.tif")).unwrap();
        fs::create_dir(dir.path().join("e_pyr_000_090.tif")).unwrap();
        let found = folder.source(&id("sub/b").with_slice(Slice::page(1))).unwrap();
        assert_eq!((found.slice, found.views), (Slice::page(1), None));
        for name in ["sub/c", "sub/*", "sub/?", "d", "e", "sub", "none"] {
            let error = folder.source(&id(name)).unwrap_err();
            assert!(matches!(error, SourceError::NotFound), "{name}: {error}");
            let error = folder.version(&id(name)).unwrap_err();
            assert!(matches!(error, SourceError::NotFound), "{name}: {error}");
        }
        let without = Folder::open(dir.path(), &[]).unwrap().with_sequences("", SUFFIXES);
        assert!(matches!(without.source(&id("sub/a")), Err(SourceError::NotFound)));
    }

    #[test]
    fn affixes_stand_around_a_sequence_but_for_the_suffix() {
        let (_dir, folder) = folder(&["scan_7_pyr_000_090.svs"]);
        let folder = folder.with_affixes("scan_", ".tif");
        assert_eq!(folder.source(&id("7")).unwrap().file.len_bytes(), 3);
    }
}
