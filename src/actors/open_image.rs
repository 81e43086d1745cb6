//! `OpenImage`: an immutable open image that any thread may read, and the clock marks that tell when
//! it was last checked and last used.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::actors::by_lane::ByLane;
use crate::actors::modules::{ListedModule, Modules};
use crate::codecs::{CodecError, Decode, SpareThreads};
use crate::imaging::Histogram;
use crate::metrics;
use crate::model::{ImageId, ImageInfo, ReadAt, Selection, Slice, SourceVersion, Views};
use crate::sources::{FileSource, Folder, Presets, SourceError};

/// Turns a source into an open image, which threads that are spare may help to decode; a parameter so that
/// tests can put in a decoder that fails.
pub type Opener = Arc<
    dyn Fn(
            Arc<dyn ReadAt>,
            Selection,
            &Arc<dyn SpareThreads>,
        ) -> Result<Arc<dyn Decode>, CodecError>
        + Send
        + Sync,
>;

/// Milliseconds since this process first asked for the time.
pub(super) fn now_ms() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Why an image could not be opened. Cloned to everybody who waited for it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OpenError {
    /// No file, or it cannot be read.
    #[error(transparent)]
    Source(#[from] Arc<SourceError>),
    /// The file is no image that we read.
    #[error(transparent)]
    Codec(#[from] Arc<CodecError>),
}

/// The file of an image that is to be opened.
#[derive(Debug)]
pub(super) struct Unopened {
    id: ImageId,
    file: Arc<FileSource>,
    slice: Slice,
    views: Option<Views>,
    suffix: String,
    since: Instant,
}

impl Unopened {
    /// The file of `id` in `folder`.
    ///
    /// # Errors
    /// No such file, or unreadable.
    pub(super) fn find(folder: &Folder, id: &ImageId) -> Result<Self, OpenError> {
        let since = Instant::now();
        let found = folder.source(id).map_err(Arc::new)?;
        let suffix = folder.suffix_of(id);
        let (file, slice, views) = (Arc::new(found.file), found.slice, found.views);
        Ok(Self { id: id.clone(), file, slice, views, suffix, since })
    }

    /// The module that takes the file, if one does.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(super) fn module(&self, modules: &Modules) -> Result<Option<Arc<ListedModule>>, OpenError> {
        let taking = modules.taking(&*self.file, &self.suffix);
        Ok(taking.map_err(|error| Arc::new(CodecError::Io(error)))?)
    }

    /// Opens it, in a process of `module` or with `opener`.
    ///
    /// # Errors
    /// Where it is no image that either reads.
    pub(super) fn open(
        self,
        (opener, spare): (&Opener, &Arc<dyn SpareThreads>),
        module: Option<Arc<ListedModule>>,
    ) -> Result<OpenImage, OpenError> {
        let source = Arc::new(Measured(Arc::clone(&self.file)));
        let decode = match &module {
            Some(module) => module.open(source, self.slice, &self.suffix),
            None => opener(source, Selection { slice: self.slice, ..self.id.selection() }, spare),
        };
        let decode = decode.map_err(Arc::new)?;
        // A file of a sequence knows nothing of the others.
        let info = match self.views {
            Some(views) => Arc::new(ImageInfo { views, ..ImageInfo::clone(decode.info()) }),
            None => Arc::clone(decode.info()),
        };
        metrics::stage("open", self.since.elapsed());
        Ok(OpenImage {
            id: self.id,
            version: *self.file.version(),
            source: self.file,
            decode,
            info,
            module,
            presets: OnceLock::new(),
            turns: ByLane::each(|| Semaphore::new(1)),
            histogram: OnceLock::new(),
            checked_ms: AtomicU64::new(now_ms()),
            used_ms: AtomicU64::new(now_ms()),
        })
    }
}

/// An image, opened.
#[derive(Debug)]
pub struct OpenImage {
    id: ImageId,
    version: SourceVersion,
    source: Arc<FileSource>,
    decode: Arc<dyn Decode>,
    info: Arc<ImageInfo>,
    module: Option<Arc<ListedModule>>,
    presets: OnceLock<Presets>,
    turns: ByLane<Semaphore>,
    histogram: OnceLock<Arc<Histogram>>,
    checked_ms: AtomicU64,
    used_ms: AtomicU64,
}

impl OpenImage {
    /// The module whose processes decode it, if it is one's.
    pub(super) const fn module(&self) -> Option<&Arc<ListedModule>> {
        self.module.as_ref()
    }

    /// Its name.
    pub const fn id(&self) -> &ImageId {
        &self.id
    }

    /// The state of the file that it was opened from.
    pub const fn version(&self) -> &SourceVersion {
        &self.version
    }

    /// What its header says, with the views of its sequence if it is of one.
    pub fn info(&self) -> &Arc<ImageInfo> {
        &self.info
    }

    /// The presets that lie beside it, where they were read.
    pub fn presets(&self) -> Option<&Presets> {
        self.presets.get()
    }

    /// The presets that lie beside it, which the first who asks reads.
    pub(super) fn read_presets(&self, folder: &Folder) -> &Presets {
        self.presets.get_or_init(|| folder.presets(&self.id))
    }

    /// Its codec.
    pub fn decode(&self) -> &dyn Decode {
        self.decode.as_ref()
    }

    /// One permit in each lane, for whoever decodes what all answers of the image need: a viewer must not
    /// wait for an export that waits for its thread.
    pub(super) const fn turns(&self) -> &ByLane<Semaphore> {
        &self.turns
    }

    /// Its grays, once somebody has counted them.
    pub(super) fn histogram(&self) -> Option<Arc<Histogram>> {
        self.histogram.get().cloned()
    }

    /// Keeps its grays, or those that somebody else counted in the meantime.
    pub(super) fn keep_histogram(&self, counted: Histogram) -> Arc<Histogram> {
        Arc::clone(self.histogram.get_or_init(|| Arc::new(counted)))
    }

    /// Whether the file under that name still is the one that was opened, and so are the presets if they
    /// were read; marks the look.
    pub fn is_current(&self, folder: &Folder) -> bool {
        let same = folder.version(&self.id).is_ok_and(|now| now == self.version)
            && self.presets().is_none_or(|read| folder.presets_are_current(&self.id, read));
        if same {
            self.checked_ms.store(now_ms(), Ordering::Relaxed);
        }
        same
    }

    /// Whether what was read just now came from the file as it was opened, not from one written over.
    pub fn is_intact(&self) -> bool {
        self.source.is_unchanged()
    }

    /// Whether the last look is younger than `age`.
    pub fn is_fresh(&self, age: Duration) -> bool {
        let checked = self.checked_ms.load(Ordering::Relaxed);
        u128::from(now_ms().saturating_sub(checked)) < age.as_millis()
    }

    /// Marks it as used now.
    pub fn touch(&self) {
        self.used_ms.store(now_ms(), Ordering::Relaxed);
    }

    /// How long nobody has used it.
    pub fn unused(&self) -> Duration {
        Duration::from_millis(now_ms().saturating_sub(self.used_ms()))
    }

    /// When it was last used, on the clock of this process.
    pub fn used_ms(&self) -> u64 {
        self.used_ms.load(Ordering::Relaxed)
    }
}

/// A source that counts what is read of it.
#[derive(Debug)]
struct Measured(Arc<FileSource>);

impl ReadAt for Measured {
    fn len_bytes(&self) -> u64 {
        self.0.len_bytes()
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
        let started = Instant::now();
        let result = self.0.read_exact_at(buffer, offset_bytes);
        metrics::stage("read", started.elapsed());
        metrics::bytes_read(u64::try_from(buffer.len()).unwrap_or(0));
        result
    }

    fn file(&self) -> Option<BorrowedFd<'_>> {
        self.0.file()
    }
}
