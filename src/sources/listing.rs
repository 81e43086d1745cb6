//! One page of a folder's contents, for the gallery: folders first, then files, in natural order.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Dir, FileType, OFlags};

use crate::sources::{Folder, SourceError};

/// Files and folders looked at in one folder; what lies beyond is not listed.
const ENTRIES_MAX: usize = 1_000_000;

/// Folders listed of one folder: the first ones.
const FOLDERS_MAX: usize = 1000;

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
    /// Hidden names, names that are no UTF-8 and links that lead out are left out. Memory is that of the
    /// page, not of the folder.
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
        let after_or_first =
            |name: &str| after.is_none_or(|after| natural(name, after) == Ordering::Greater);
        let mut folders = First::new(if after.is_none() { FOLDERS_MAX } else { 0 });
        // One more than the page tells whether another follows.
        let mut files = First::new(count_max.saturating_add(1));
        let entries = Dir::read_from(&folder).map_err(std::io::Error::from)?;
        for entry in entries.take(ENTRIES_MAX) {
            let entry = entry.map_err(std::io::Error::from)?;
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            match self.kind_of(path, name, entry.file_type()) {
                FileType::Directory => folders.put(name),
                FileType::RegularFile if wanted(name) && after_or_first(name) => files.put(name),
                _ => {}
            }
        }
        Ok(page(&folder, folders, files, count_max))
    }

    /// What a name is once links are followed, as far as they may be.
    pub(super) fn kind_of(&self, path: &str, name: &str, listed: FileType) -> FileType {
        if !matches!(listed, FileType::Symlink | FileType::Unknown) {
            return listed;
        }
        let full = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
        let target = self.open_beneath(&full, OFlags::PATH | OFlags::CLOEXEC).ok();
        let stat = target.and_then(|target| rustix::fs::fstat(&target).ok());
        stat.map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode))
    }
}

fn page(folder: &OwnedFd, folders: First, files: First, count_max: usize) -> Listing {
    let mut names = files.into_sorted();
    let more = count_max < names.len();
    names.truncate(count_max);
    let next = names.last().filter(|_| more).cloned();
    let files = names.into_iter().map(|name| {
        let found = rustix::fs::statat(folder, name.as_str(), AtFlags::empty());
        let bytes = found.ok().and_then(|stat| u64::try_from(stat.st_size).ok()).unwrap_or(0);
        ListingEntry { name, bytes }
    });
    Listing { files: files.collect(), folders: folders.into_sorted(), next }
}

/// The first names of many in natural order; the last of them is at the heap's top.
struct First {
    names: BinaryHeap<Natural>,
    count_max: usize,
}

impl First {
    fn new(count_max: usize) -> Self {
        Self { names: BinaryHeap::new(), count_max }
    }

    fn put(&mut self, name: &str) {
        if self.names.len() < self.count_max {
            self.names.push(Natural(name.to_owned()));
        } else if let Some(mut last) = self.names.peek_mut()
            && natural(name, &last.0) == Ordering::Less
        {
            name.clone_into(&mut last.0);
        }
    }

    fn into_sorted(self) -> Vec<String> {
        self.names.into_sorted_vec().into_iter().map(|Natural(name)| name).collect()
    }
}

/// A name that compares as [`natural`] does.
#[derive(PartialEq, Eq)]
struct Natural(String);

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        natural(&self.0, &other.0)
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
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
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = vec!["p10", "p9", "p1a", "p1", "q", "p009", "a"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a", "p1", "p1a", "p009", "p9", "p10", "q"]);
    }

    #[test]
    fn links_that_lead_out_are_not_listed() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("x.tif"), b"secret").unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::write(dir.path().join("sub/a.tif"), b"a").unwrap();
        let link = |to: &Path, name| {
            symlink(to, dir.path().join("sub").join(name)).unwrap();
        };
        link("a.tif".as_ref(), "near.tif");
        link(".".as_ref(), "here");
        link(&outside.path().join("x.tif"), "far.tif");
        link(outside.path(), "out");
        let folder = Folder::open(dir.path(), &[]).unwrap();
        let listing = folder.list("sub", None, 9, &|_| true).unwrap();
        let names: Vec<&str> = listing.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!((names, listing.folders), (vec!["a.tif", "near.tif"], vec!["here".to_owned()]));
        let folder = Folder::open(dir.path(), &[outside.path().to_owned()]).unwrap();
        let listing = folder.list("sub", None, 9, &|_| true).unwrap();
        assert_eq!((listing.files.len(), listing.folders.len()), (3, 2));
    }

    #[test]
    fn pages_follow_one_another_and_hide_what_is_hidden() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["1.tif", "2.tif", "3.tif", "10.tif", "x.txt", ".hidden.tif"] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        fs::create_dir(dir.path().join("sub")).unwrap();
        let folder = Folder::open(dir.path(), &[]).unwrap();
        let wanted = |name: &str| Path::new(name).extension().is_some_and(|suffix| suffix == "tif");
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
