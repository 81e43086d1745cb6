//! One page of a folder's contents, for the gallery: folders first, then files, in natural order.

use std::cmp::Ordering;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Dir, FileType};

use crate::sources::{Folder, SourceError};

/// Files and folders looked at in one folder; what lies beyond is not listed.
const ENTRIES_MAX: usize = 1_000_000;

/// A page of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Folders in it; on the first page only.
    pub folders: Vec<String>,
    /// Files of this page.
    pub files: Vec<ListingEntry>,
    /// The last name of this page, where more follow.
    pub next: Option<String>,
}

/// A file in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingEntry {
    /// Its name within the folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

impl Folder {
    /// Lists files of `path` that `wanted` names, `count_max` a page, those behind the name `after`.
    /// Hidden names and names that are no UTF-8 are left out.
    ///
    /// # Errors
    /// No such folder, or it cannot be read.
    pub fn list(
        &self,
        path: &str,
        after: Option<&str>,
        count_max: usize,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Listing, SourceError> {
        let folder = self.folder(path)?;
        let mut names = Names::default();
        let entries = Dir::read_from(&folder).map_err(std::io::Error::from)?;
        for entry in entries.take(ENTRIES_MAX) {
            let entry = entry.map_err(std::io::Error::from)?;
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            if !name.starts_with('.') {
                names.put(&folder, name, entry.file_type(), wanted);
            }
        }
        Ok(names.page(&folder, after, count_max))
    }
}

#[derive(Default)]
struct Names {
    folders: Vec<String>,
    files: Vec<String>,
}

impl Names {
    fn put(&mut self, folder: &OwnedFd, name: &str, kind: FileType, wanted: &dyn Fn(&str) -> bool) {
        let kind = match kind {
            FileType::Symlink | FileType::Unknown => {
                rustix::fs::statat(folder, name, AtFlags::empty())
                    .map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode))
            }
            known => known,
        };
        match kind {
            FileType::Directory => self.folders.push(name.to_owned()),
            FileType::RegularFile if wanted(name) => self.files.push(name.to_owned()),
            _ => {}
        }
    }

    fn page(mut self, folder: &OwnedFd, after: Option<&str>, count_max: usize) -> Listing {
        self.files.sort_unstable_by(|a, b| natural(a, b));
        self.folders.sort_unstable_by(|a, b| natural(a, b));
        let start = after.map_or(0, |after| {
            self.files.partition_point(|name| natural(name, after) != Ordering::Greater)
        });
        let mut rest = self.files.into_iter().skip(start);
        let page: Vec<String> = rest.by_ref().take(count_max).collect();
        let next = rest.next().and_then(|_| page.last().cloned());
        let files = page.into_iter().map(|name| {
            let found = rustix::fs::statat(folder, name.as_str(), AtFlags::empty());
            let bytes = found.ok().and_then(|stat| u64::try_from(stat.st_size).ok()).unwrap_or(0);
            ListingEntry { name, bytes }
        });
        Listing {
            files: files.collect(),
            folders: if after.is_none() { self.folders } else { Vec::new() },
            next,
        }
    }
}

/// Digits compare as numbers, so that `page 10` follows `page 9`; equal numbers fall back to the text.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    loop {
        let (text_a, digits_a, next_a) = split_number(rest_a);
        let (text_b, digits_b, next_b) = split_number(rest_b);
        let by_text = text_a.cmp(text_b);
        let (number_a, number_b) =
            (digits_a.trim_start_matches('0'), digits_b.trim_start_matches('0'));
        let order = by_text
            .then_with(|| number_a.len().cmp(&number_b.len()))
            .then_with(|| number_a.cmp(number_b));
        if order != Ordering::Equal {
            return order;
        }
        if next_a.is_empty() || next_b.is_empty() {
            return next_a.len().cmp(&next_b.len()).then_with(|| a.cmp(b));
        }
        (rest_a, rest_b) = (next_a, next_b);
    }
}

/// A name's first part without digits, the digits behind it, and the rest.
fn split_number(text: &str) -> (&str, &str, &str) {
    let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let (head, tail) = text.split_at(start);
    let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
    let (digits, rest) = tail.split_at(end);
    (head, digits, rest)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = vec!["p10", "p9", "p1a", "p1", "q", "p009", "a"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a", "p1", "p1a", "p009", "p9", "p10", "q"]);
    }

    #[test]
    fn pages_follow_one_another_and_hide_what_is_hidden() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["1.tif", "2.tif", "3.tif", "10.tif", "x.txt", ".hidden.tif"] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        fs::create_dir(dir.path().join("sub")).unwrap();
        let folder = Folder::open(dir.path(), &[]).unwrap();
        let wanted = |name: &str| {
            std::path::Path::new(name).extension().is_some_and(|suffix| suffix == "tif")
        };
        let names = |listing: &Listing| -> Vec<String> {
            listing.files.iter().map(|file| file.name.clone()).collect()
        };
        let first = folder.list("", None, 3, &wanted).unwrap();
        assert_eq!(names(&first), ["1.tif", "2.tif", "3.tif"]);
        assert_eq!(first.folders, ["sub"]);
        assert_eq!(first.next.as_deref(), Some("3.tif"));
        let second = folder.list("", first.next.as_deref(), 3, &wanted).unwrap();
        assert_eq!(names(&second), ["10.tif"]);
        assert_eq!((second.folders.len(), second.next), (0, None));
        assert!(matches!(folder.list("none", None, 3, &wanted), Err(SourceError::NotFound)));
    }
}
