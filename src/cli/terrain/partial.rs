//! The unfinished file: `NAME.partial` with the tiles so far, `NAME.journal` with what is known of them.
//! The file gets its name by a rename when it is complete, never before.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use crate::cli::terrain::block::Block;
use crate::cli::terrain::error::TerrainError;
use crate::cli::terrain::journal::Record;
use crate::cli::terrain::layout::Layout;
use crate::codecs::tiff::writer::{HEADER_BYTES, TileSpan};

/// A file on disk and its name.
#[derive(Debug)]
struct Named {
    path: PathBuf,
    file: File,
}

/// A terrain on its way. Holds a lock for as long as it lives; the system drops it with the process.
#[derive(Debug)]
pub(super) struct Partial {
    path: PathBuf,
    data: Named,
    journal: Named,
    data_bytes: u64,
    journal_bytes: u64,
    records: Vec<Record>,
    spans: Vec<Vec<TileSpan>>,
}

impl Partial {
    /// Opens what an earlier run left of the terrain that `signature` names, or starts anew.
    ///
    /// # Errors
    /// Where the files cannot be made or read, or another process holds them.
    pub(super) fn open(path: &Path, signature: &str, layout: Layout) -> Result<Self, TerrainError> {
        let data = Named::open(path, "partial")?;
        data.lock()?;
        let journal = Named::open(path, "journal")?;
        let mut partial = Self {
            path: path.to_owned(),
            data,
            journal,
            data_bytes: HEADER_BYTES,
            journal_bytes: 0,
            records: Vec::new(),
            spans: Vec::new(),
        };
        partial.recover(signature, layout)?;
        Ok(partial)
    }

    /// Takes back every record up to the first that is torn, and cuts both files there.
    fn recover(&mut self, signature: &str, layout: Layout) -> Result<(), TerrainError> {
        let text = self.journal.read_all()?;
        let blocks = usize::try_from(layout.blocks()).unwrap_or(usize::MAX);
        if let Some(rest) = text.strip_prefix(signature.as_bytes()) {
            for bytes in rest.chunks_exact(Record::encoded_bytes(layout)).take(blocks) {
                let Some(record) = Record::decode(bytes) else { break };
                if !self.tiles_are_whole(&record)? {
                    break;
                }
                self.journal_bytes += count(bytes.len());
                self.remember(record);
            }
        } else {
            self.journal.truncate(0)?;
            self.journal.write_at(signature.as_bytes(), 0)?;
        }
        self.journal_bytes += count(signature.len());
        self.journal.truncate(self.journal_bytes)?;
        self.data.truncate(self.data_bytes)
    }

    fn tiles_are_whole(&self, record: &Record) -> Result<bool, TerrainError> {
        // The length comes from a file: only what is there is allocated.
        let available = self.data.len_bytes()?.saturating_sub(self.data_bytes);
        let Some(len) = usize::try_from(record.data_bytes()).ok() else { return Ok(false) };
        if available < record.data_bytes() {
            return Ok(false);
        }
        let mut tiles = vec![0; len];
        let read = self.data.file.read_exact_at(&mut tiles, self.data_bytes);
        read.map_err(|error| TerrainError::io("read", &self.data.path, error))?;
        Ok(xxh3_64(&tiles) == record.tiles_hash)
    }

    fn remember(&mut self, record: Record) {
        let mut offset_bytes = self.data_bytes;
        let spans = record.tile_bytes.iter().map(|&len_bytes| {
            let span = TileSpan { offset_bytes, len_bytes };
            offset_bytes += u64::from(len_bytes);
            span
        });
        self.spans.push(spans.collect());
        self.data_bytes = offset_bytes;
        self.records.push(record);
    }

    /// Blocks that are finished: the first ones of the layout.
    pub(super) fn blocks_done(&self) -> u32 {
        u32::try_from(self.records.len()).unwrap_or(u32::MAX)
    }

    /// What is known of the finished blocks, in order.
    pub(super) fn records(&self) -> &[Record] {
        &self.records
    }

    /// Where the tiles of a finished block are; none for any other.
    pub(super) fn spans(&self, block: u32) -> &[TileSpan] {
        let index = usize::try_from(block).unwrap_or(usize::MAX);
        self.spans.get(index).map_or(&[], Vec::as_slice)
    }

    /// Where the next bytes will be written, from the start of the file.
    pub(super) const fn data_bytes(&self) -> u64 {
        self.data_bytes
    }

    /// Adds the next block. From here on a kill does not lose it.
    pub(super) fn append(&mut self, block: &Block) -> Result<(), TerrainError> {
        let record = Record::of(block);
        self.data.write_at(&block.tiles.concat(), self.data_bytes)?;
        let bytes = record.encode();
        self.journal.write_at(&bytes, self.journal_bytes)?;
        self.journal_bytes += count(bytes.len());
        self.remember(record);
        Ok(())
    }

    /// Adds bytes that no journal knows: they are cheap to make again.
    pub(super) fn extend(&mut self, bytes: &[u8]) -> Result<TileSpan, TerrainError> {
        self.data.write_at(bytes, self.data_bytes)?;
        let span = TileSpan {
            offset_bytes: self.data_bytes,
            len_bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        };
        self.data_bytes += count(bytes.len());
        Ok(span)
    }

    /// Writes the header, makes all of it durable, and gives the file its name.
    pub(super) fn publish(self, header: &[u8]) -> Result<(), TerrainError> {
        self.data.write_at(header, 0)?;
        let failed = |error| TerrainError::io("write", &self.data.path, error);
        self.data.file.sync_all().map_err(failed)?;
        let failed = |error| TerrainError::io("rename", &self.data.path, error);
        fs::rename(&self.data.path, &self.path).map_err(failed)?;
        remove_journal(&self.path)?;
        sync_folder(&self.path)
    }
}

/// Removes the journal of a terrain that is complete, if a kill between two steps left one.
pub(super) fn remove_journal(path: &Path) -> Result<(), TerrainError> {
    let journal = beside(path, "journal");
    match fs::remove_file(&journal) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(TerrainError::io("remove", &journal, error))
        }
        _ => Ok(()),
    }
}

/// Makes the rename itself durable.
fn sync_folder(path: &Path) -> Result<(), TerrainError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| TerrainError::io("sync", folder, error))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

impl Named {
    fn open(path: &Path, suffix: &str) -> Result<Self, TerrainError> {
        let path = beside(path, suffix);
        let opened =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(|error| TerrainError::io("create", &path, error))?;
        Ok(Self { path, file })
    }

    fn lock(&self) -> Result<(), TerrainError> {
        match self.file.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(TerrainError::Busy(self.path.clone())),
            Err(TryLockError::Error(error)) => Err(TerrainError::io("lock", &self.path, error)),
        }
    }

    fn read_all(&self) -> Result<Vec<u8>, TerrainError> {
        let mut bytes = Vec::new();
        let read = (&self.file).read_to_end(&mut bytes);
        read.map_err(|error| TerrainError::io("read", &self.path, error))?;
        Ok(bytes)
    }

    fn len_bytes(&self) -> Result<u64, TerrainError> {
        let metadata = self.file.metadata();
        Ok(metadata.map_err(|error| TerrainError::io("read", &self.path, error))?.len())
    }

    fn write_at(&self, bytes: &[u8], at_bytes: u64) -> Result<(), TerrainError> {
        let written = self.file.write_all_at(bytes, at_bytes);
        written.map_err(|error| TerrainError::io("write", &self.path, error))
    }

    fn truncate(&self, len_bytes: u64) -> Result<(), TerrainError> {
        let cut = self.file.set_len(len_bytes);
        cut.map_err(|error| TerrainError::io("write", &self.path, error))
    }
}
