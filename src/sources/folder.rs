//! A folder of images. Names are resolved beneath it by the kernel (`openat2`), so that no trick with
//! links, dots or races leads out of it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::model::{ImageId, ReadAt, Slice, SourceVersion, Views};
use crate::sources::sequence::Naming;

/// Why a name gave no image bytes.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No such file, no regular file, or one that lies outside of the root.
    #[error("no such image")]
    NotFound,
    /// There is a sequence of this name, without that view.
    #[error("there is no {wanted}")]
    NoView {
        /// What was asked for, with what there is.
        wanted: String,
    },
    /// It is there but cannot be opened.
    #[error("the image cannot be opened")]
    Io(#[from] io::Error),
}

impl SourceError {
    /// Whether the system is short of something for the moment: the image is not to blame.
    pub fn is_shortage(&self) -> bool {
        let Self::Io(error) = self else { return false };
        let errno = Errno::from_io_error(error);
        matches!(errno, Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM))
    }
}

/// An image folder and the folders that links in it may lead into.
#[derive(Debug)]
pub struct Folder {
    root: OwnedFd,
    root_path: PathBuf,
    extra: Vec<(PathBuf, OwnedFd)>,
    name_prefix: String,
    name_suffix: String,
    pub(super) sequences: Option<Naming>,
}

/// An image's bytes.
#[derive(Debug)]
pub struct ImageSource {
    /// The file.
    pub file: FileSource,
    /// Which picture of this file.
    pub slice: Slice,
    /// The views that there are, where the file is one of a sequence.
    pub views: Option<Views>,
}

impl Folder {
    /// Opens the folder itself.
    ///
    /// # Errors
    /// Where `root` or one of `roots_extra` is no folder that can be read.
    pub fn open(root: &Path, roots_extra: &[PathBuf]) -> io::Result<Self> {
        let mut extra = Vec::new();
        for path in roots_extra {
            let named = |error| named(path, &error);
            let path = path.canonicalize().map_err(named)?;
            let folder = open_folder(&path).map_err(named)?;
            extra.push((path, folder));
        }
        let root_path = root.canonicalize().map_err(|error| named(root, &error))?;
        Ok(Self {
            root: open_folder(&root_path)?,
            root_path,
            extra,
            name_prefix: String::new(),
            name_suffix: String::new(),
            sequences: None,
        })
    }

    /// The same folder, with texts put before and behind every name.
    pub fn with_affixes(mut self, prefix: &str, suffix: &str) -> Self {
        prefix.clone_into(&mut self.name_prefix);
        suffix.clone_into(&mut self.name_suffix);
        self
    }

    /// Opens an image's bytes: the file of its name, else the file of its view in a sequence.
    ///
    /// # Errors
    /// Not found, which is also the answer to names that lead outside; no such view; IO otherwise.
    pub fn source(&self, image: &ImageId) -> Result<ImageSource, SourceError> {
        match self.file(&self.file_name(image)) {
            Err(SourceError::NotFound) => self.sequence_source(image),
            Ok(file) => Ok(ImageSource { file, slice: image.slice(), views: None }),
            Err(error) => Err(error),
        }
    }

    /// The version of an image's file as it lies there now.
    ///
    /// # Errors
    /// As [`Folder::source`].
    pub fn version(&self, image: &ImageId) -> Result<SourceVersion, SourceError> {
        match self.file_version(&self.file_name(image)) {
            Err(SourceError::NotFound) => self.file_version(&self.sequence_file_name(image)?),
            found => found,
        }
    }

    /// Opens a file by its name below the root.
    pub(super) fn file(&self, name: &str) -> Result<FileSource, SourceError> {
        // O_NONBLOCK: a named pipe in the folder must not hang the thread that opens it.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        FileSource::new(File::from(self.open_beneath(name, flags)?))
    }

    /// The version of a file by its name below the root.
    pub(super) fn file_version(&self, name: &str) -> Result<SourceVersion, SourceError> {
        version_of(&File::from(self.open_beneath(name, OFlags::PATH | OFlags::CLOEXEC)?))
    }

    /// Opens a folder below the root; empty: the root itself.
    pub(super) fn folder(&self, path: &str) -> Result<OwnedFd, SourceError> {
        let name = if path.is_empty() { "." } else { path };
        self.open_beneath(name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC)
    }

    /// An image's file name below the root.
    pub(super) fn file_name(&self, image: &ImageId) -> String {
        format!("{}{}", self.start_of(image), self.name_suffix)
    }

    /// What stands behind the last dot of an image's file name, in lower case.
    pub fn suffix_of(&self, image: &ImageId) -> String {
        let name = self.file_name(image);
        name.rsplit_once('.').map_or("", |(_, suffix)| suffix).to_lowercase()
    }

    /// An image's file name without what is put behind every name.
    pub(super) fn start_of(&self, image: &ImageId) -> String {
        format!("{}{image}", self.name_prefix)
    }

    pub(super) fn open_beneath(&self, name: &str, flags: OFlags) -> Result<OwnedFd, SourceError> {
        match openat2(&self.root, Path::new(name), flags) {
            Ok(file) => Ok(file),
            // The kernel's word for "this leads out".
            Err(Errno::XDEV) => self.open_extra(name, flags),
            Err(Errno::NOSYS | Errno::PERM) => open_without_links(&self.root, name, flags),
            Err(errno) => Err(source_error(errno)),
        }
    }

    /// Follows a link that leaves the root, if it ends in one of the extra folders.
    fn open_extra(&self, name: &str, flags: OFlags) -> Result<OwnedFd, SourceError> {
        let target =
            self.root_path.join(name).canonicalize().map_err(|_error| SourceError::NotFound)?;
        for (path, folder) in &self.extra {
            if let Ok(rest) = target.strip_prefix(path) {
                // A link to the extra folder itself leaves nothing.
                let rest = if rest.as_os_str().is_empty() { Path::new(".") } else { rest };
                return openat2(folder, rest, flags).map_err(source_error);
            }
        }
        Err(SourceError::NotFound)
    }
}

/// An error that says which folder.
fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

fn openat2(folder: &OwnedFd, name: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    loop {
        match rustix::fs::openat2(folder, name, flags, Mode::empty(), resolve) {
            // Something was renamed while the kernel looked; it asks to be asked again.
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return other,
        }
    }
}

/// Where `openat2` is not to be had (kernels before 5.6, some sandboxes): step by step, no links at all.
fn open_without_links(root: &OwnedFd, name: &str, flags: OFlags) -> Result<OwnedFd, SourceError> {
    let (folders, last) = name.rsplit_once('/').unwrap_or(("", name));
    let mut at = rustix::io::dup(root).map_err(source_error)?;
    for folder in folders.split('/').filter(|segment| !segment.is_empty()) {
        let step = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        at = rustix::fs::openat(&at, folder, step, Mode::empty()).map_err(source_error)?;
    }
    rustix::fs::openat(&at, last, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(source_error)
}

/// Whatever says "there is no such thing here" is not found; the rest is IO.
fn source_error(errno: Errno) -> SourceError {
    match errno {
        Errno::NOENT
        | Errno::NOTDIR
        | Errno::LOOP
        | Errno::XDEV
        | Errno::NAMETOOLONG
        | Errno::NXIO
        | Errno::ISDIR
        | Errno::INVAL => SourceError::NotFound,
        other => SourceError::Io(other.into()),
    }
}

/// An open regular file, read by position.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    version: SourceVersion,
}

impl FileSource {
    fn new(file: File) -> Result<Self, SourceError> {
        let version = version_of(&file)?;
        Ok(Self { file, version })
    }

    /// Opens a file that its owner named, for work at the command line: no root holds here.
    ///
    /// # Errors
    /// Where it cannot be opened or is no regular file.
    pub fn open_path(path: &Path) -> Result<Self, SourceError> {
        Self::new(File::open(path)?)
    }

    /// The version when the file was opened.
    pub const fn version(&self) -> &SourceVersion {
        &self.version
    }

    /// Whether the open file still is what it was: a file that is written over in place is not.
    pub fn is_unchanged(&self) -> bool {
        version_of(&self.file).is_ok_and(|now| now == self.version)
    }
}

fn version_of(file: &File) -> Result<SourceVersion, SourceError> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(SourceError::NotFound);
    }
    Ok(SourceVersion {
        len_bytes: metadata.len(),
        modified_ns: i128::from(metadata.mtime()) * 1_000_000_000
            + i128::from(metadata.mtime_nsec()),
        inode: metadata.ino(),
    })
}

impl ReadAt for FileSource {
    fn len_bytes(&self) -> u64 {
        self.version.len_bytes
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset_bytes)
    }

    fn file(&self) -> Option<BorrowedFd<'_>> {
        Some(self.file.as_fd())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn id(name: &str) -> ImageId {
        ImageId::parse(name).unwrap()
    }

    fn is_not_found(result: &Result<ImageSource, SourceError>) -> bool {
        matches!(result, Err(SourceError::NotFound))
    }

    #[test]
    fn links_inside_are_followed_and_links_outside_are_not() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), b"secret").unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/x"), b"inside").unwrap();
        symlink("a/x", dir.path().join("near")).unwrap();
        symlink(outside.path().join("secret"), dir.path().join("far")).unwrap();
        symlink(outside.path(), dir.path().join("farfolder")).unwrap();
        symlink("../../../../etc/passwd", dir.path().join("up")).unwrap();
        symlink("loop", dir.path().join("loop")).unwrap();

        let folder = Folder::open(dir.path(), &[]).unwrap();
        assert_eq!(folder.source(&id("near")).unwrap().file.len_bytes(), 6);
        for name in ["far", "farfolder/secret", "up", "loop", "a", "none", "a/x/y", "near/z"] {
            assert!(is_not_found(&folder.source(&id(name))), "{name}");
        }
        let folder = Folder::open(dir.path(), &[outside.path().to_owned()]).unwrap();
        assert_eq!(folder.source(&id("far")).unwrap().file.len_bytes(), 6);
        assert_eq!(folder.source(&id("farfolder/secret")).unwrap().file.len_bytes(), 6);
        assert!(is_not_found(&folder.source(&id("up"))));
    }

    #[test]
    fn without_openat2_no_link_is_followed_at_all() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/x"), b"inside").unwrap();
        symlink("a/x", dir.path().join("near")).unwrap();
        symlink("a", dir.path().join("b")).unwrap();
        let folder = Folder::open(dir.path(), &[]).unwrap();
        let open = |name| open_without_links(&folder.root, name, OFlags::RDONLY);
        open("a/x").unwrap();
        assert!(matches!(open("near"), Err(SourceError::NotFound)));
        assert!(matches!(open("b/x"), Err(SourceError::NotFound)));
    }

    #[test]
    fn a_pipe_is_no_image_and_hangs_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, dir.path().join("pipe"), mode).unwrap();
        let folder = Folder::open(dir.path(), &[]).unwrap();
        assert!(is_not_found(&folder.source(&id("pipe"))));
    }

    #[test]
    fn a_replaced_or_rewritten_file_has_another_version() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, b"one").unwrap();
        let folder = Folder::open(dir.path(), &[]).unwrap();
        let source = folder.source(&id("x")).unwrap().file;
        assert_eq!(folder.version(&id("x")).unwrap(), *source.version());
        assert!(source.is_unchanged());

        fs::write(dir.path().join("y"), b"two").unwrap();
        fs::rename(dir.path().join("y"), &path).unwrap();
        assert_ne!(folder.version(&id("x")).unwrap(), *source.version());
        assert!(source.version().inode != folder.version(&id("x")).unwrap().inode);

        let source = folder.source(&id("x")).unwrap().file;
        fs::write(&path, b"three").unwrap();
        assert!(!source.is_unchanged());
    }

    #[test]
    fn affixes_stand_around_every_name() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("scan_7.tif"), b"x").unwrap();
        let folder = Folder::open(dir.path(), &[]).unwrap().with_affixes("scan_", ".tif");
        assert_eq!(folder.source(&id("7")).unwrap().file.len_bytes(), 1);
        assert_eq!(folder.suffix_of(&id("7")), "tif");
    }
}
