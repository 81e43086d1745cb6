//! `ModuleImage`: an image that a module's process decodes. To all others it is a codec like any; what
//! the process says of it is checked here, byte by byte.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::actors::module::{Module, Worker};
use crate::codecs::number::{usize_of_bytes, zeroed};
use crate::codecs::{CodecError, Decode, DecodeLimits, StoredTile};
use crate::imaging::{Pixels, Raster, read_profile};
use crate::model::{ImageInfo, Profile, ReadAt, Rect, SampleType, TileAddress};
use crate::modules::{Description, ModuleError, Reply, Request, SharedMemory};

/// An open image.
#[derive(Debug)]
pub(super) struct ModuleImage {
    subject: Subject,
    description: Description,
    info: Arc<ImageInfo>,
}

/// What a process is given to open.
#[derive(Debug)]
struct Subject {
    module: Arc<Module>,
    /// The number that the image has in every process.
    number: u64,
    /// Processes hold the image open for as long as this lives.
    alive: Arc<()>,
    source: Arc<dyn ReadAt>,
    suffix: String,
    limits: DecodeLimits,
}

impl ModuleImage {
    /// Has a process of `module` open the image.
    ///
    /// # Errors
    /// What the process says of the file; that it failed; `Unready`.
    pub(super) fn open(
        module: &Arc<Module>,
        source: Arc<dyn ReadAt>,
        suffix: &str,
        limits: &DecodeLimits,
    ) -> Result<Self, CodecError> {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let subject = Subject {
            module: Arc::clone(module),
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            alive: Arc::default(),
            source,
            suffix: suffix.to_owned(),
            limits: limits.clone(),
        };
        let number = Some(subject.number);
        let (description, info) = module.run(number, |worker| subject.describe(worker))?;
        Ok(Self { subject, description, info: Arc::new(info) })
    }

    fn decode(&self, worker: &mut Worker, level: usize, rect: Rect) -> Result<Pixels, ModuleError> {
        let subject = &self.subject;
        if !worker.has(subject.number) && subject.describe(worker)?.0 != self.description {
            return Err(ModuleError::broke("it describes an image otherwise than before"));
        }
        let info = &self.info;
        let samples = rect.size().area() * u64::from(info.bands());
        let bytes = samples * u64::from(info.samples.bytes());
        let memory = SharedMemory::new(bytes)?;
        let request = Request::Decode { image: subject.number, level, part: rect.into(), bytes };
        let limit = subject.module.limits().decode;
        match worker.process.ask(&request, &[memory.as_fd()], limit)? {
            Reply::Pixels { bytes: written } if written == bytes => {
                Ok(pixels(&memory, bytes, rect, info)?)
            }
            Reply::Pixels { bytes: written } => {
                Err(ModuleError::broke(format!("{written} bytes of pixels, not {bytes}")))
            }
            _ => Err(ModuleError::broke("pixels were asked for, and something else came")),
        }
    }
}

impl Subject {
    /// Has a process open it; what it says, checked.
    fn describe(&self, worker: &mut Worker) -> Result<(Description, ImageInfo), ModuleError> {
        let copy = if self.source.file().is_none() { Some(self.copy()?) } else { None };
        let copy = copy.as_ref().map(AsFd::as_fd);
        let none = || io::Error::other("a source without bytes");
        let file = self.source.file().or(copy).ok_or_else(none)?;
        let bytes = self.limits.icc_bytes_max;
        let memory = SharedMemory::new(bytes)?;
        let request = Request::Open { image: self.number, suffix: self.suffix.clone(), bytes };
        let limit = self.module.limits().open;
        let Reply::Image(description) =
            worker.process.ask(&request, &[file, memory.as_fd()], limit)?
        else {
            return Err(ModuleError::broke("an image was to be opened, and something else came"));
        };
        worker.opened(self.number, &self.alive)?;
        let icc = profile(&memory, description.icc_bytes, bytes)?;
        let info = description.info(icc, &self.limits)?;
        Ok((description, info))
    }

    /// The bytes of what is no file, for another process.
    fn copy(&self) -> Result<SharedMemory, ModuleError> {
        let (value, limit) = (self.source.len_bytes(), self.limits.tile_bytes_max);
        if limit < value {
            let what = "bytes of an image that is no file";
            return Err(CodecError::OverLimit { what, value, limit }.into());
        }
        let mut bytes = zeroed(usize_of_bytes(value))?;
        self.source.read_exact_at(&mut bytes, 0)?;
        Ok(SharedMemory::holding(&bytes)?)
    }
}

impl Decode for ModuleImage {
    fn info(&self) -> &Arc<ImageInfo> {
        &self.info
    }

    fn decode_tile(&self, at: TileAddress) -> Result<Pixels, CodecError> {
        let level = self.info.stored.get(at.stored).filter(|level| level.is_in_file());
        let rect = level.and_then(|_| self.info.tile_rect(at));
        let rect = rect.ok_or_else(|| CodecError::malformed("image", "there is no such tile"))?;
        let number = Some(self.subject.number);
        self.subject.module.run(number, |worker| self.decode(worker, at.stored, rect))
    }

    fn stored_tile(&self, _: TileAddress, _: bool) -> Result<Option<StoredTile>, CodecError> {
        Ok(None)
    }
}

/// The profile that was written, if one was.
fn profile(
    memory: &SharedMemory,
    bytes: u64,
    bytes_max: u64,
) -> Result<Option<Profile>, ModuleError> {
    if bytes_max < bytes {
        return Err(ModuleError::broke("a profile larger than its memory"));
    }
    if bytes == 0 {
        return Ok(None);
    }
    let mut icc = zeroed(usize_of_bytes(bytes))?;
    memory.read(&mut icc, 0)?;
    Ok(Some(read_profile(icc.into())))
}

/// The pixels that were written.
fn pixels(
    memory: &SharedMemory,
    bytes: u64,
    rect: Rect,
    info: &ImageInfo,
) -> Result<Pixels, CodecError> {
    let mut written = zeroed(usize_of_bytes(bytes))?;
    memory.read(&mut written, 0)?;
    let (size, colour, alpha) = (rect.size(), info.colour, info.alpha);
    let pixels = match info.samples {
        SampleType::U8 => Raster::new(size, colour, alpha, written).map(Pixels::U8),
        SampleType::U16 => {
            let (words, _) = written.as_chunks();
            let samples = words.iter().map(|word| u16::from_ne_bytes(*word)).collect();
            Raster::new(size, colour, alpha, samples).map(Pixels::U16)
        }
        SampleType::F32 => {
            let (words, _) = written.as_chunks();
            let samples = words.iter().map(|word| f32::from_ne_bytes(*word)).collect();
            Raster::new(size, colour, alpha, samples).map(Pixels::F32)
        }
    };
    pixels.map_err(|error| CodecError::Io(io::Error::other(error)))
}
