//! Opens modules and debug files from untrusted paths without blocking, and reads only the parts
//! that are needed.
//!
//! A log is untrusted and may name any path. Only regular files are opened, because a FIFO would
//! block and a device may be endless. Only ELF files are read, and all reads count against one
//! budget. No content of a file is reported before its identity is verified; see `module.rs`.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;
use std::time::SystemTime;

use flate2::read::ZlibDecoder;
use gimli::{EndianSlice, RunTimeEndian};
use object::{CompressionFormat, Object, ObjectSection, ReadCache};
use typed_arena::Arena;

use super::notes::LoadError;

/// Maximum size of a file, and of the data read from all files together, in bytes.
pub(super) const MAX_BYTES: u64 = 2 << 30;

/// Minimum size of an ELF file in bytes. Kernel files that block a reader have size 0.
const MIN_BYTES: u64 = 64;

/// A parsed ELF file.
pub(super) type Elf<'a> = object::File<'a, &'a ReadCache<Source>>;

/// Data of a section, as gimli reads it.
pub(super) type Section<'a> = EndianSlice<'a, RunTimeEndian>;

/// Owns all data that was read, until all frames are symbolized.
pub(super) struct Store {
    files: Arena<ReadCache<Source>>,
    decompressed: Arena<Vec<u8>>,
    /// Number of bytes that may still be read.
    budget: Rc<Cell<u64>>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            files: Arena::new(),
            decompressed: Arena::new(),
            budget: Rc::new(Cell::new(MAX_BYTES)),
        }
    }
}

/// A file whose reads count against the budget.
pub(super) struct Source {
    file: File,
    budget: Rc<Cell<u64>>,
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        let budget = self
            .budget
            .get()
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other("read budget exceeded"))?;
        self.budget.set(budget);
        Ok(read)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Opens a regular file of plausible size. Also returns its modification time.
pub(super) fn open(path: &Path) -> Result<(File, Option<SystemTime>), LoadError> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => LoadError::Missing,
        _ => LoadError::Unreadable(error.kind().to_string()),
    };
    // Opening a FIFO or a device may block or have side effects, so check the type before. Check it
    // again afterwards, because the path may refer to another file by then.
    let before = path.metadata().map_err(unreadable)?;
    if !before.is_file() {
        return Err(LoadError::NotElf);
    }
    let file = File::open(path).map_err(unreadable)?;
    let opened = file.metadata().map_err(unreadable)?;
    match opened.len() {
        _ if !opened.is_file() => Err(LoadError::NotElf),
        ..MIN_BYTES => Err(LoadError::NotElf),
        size if size > MAX_BYTES => Err(LoadError::TooLarge),
        _ => Ok((file, opened.modified().ok())),
    }
}

impl Store {
    /// Opens an ELF file. Also returns its modification time.
    pub(super) fn elf(&self, path: &Path) -> Result<(Elf<'_>, Option<SystemTime>), LoadError> {
        let (mut file, modified) = open(path)?;
        let mut magic = [0; 4];
        let is_elf = file.read_exact(&mut magic).is_ok() && magic == *b"\x7fELF";
        if !is_elf {
            return Err(LoadError::NotElf);
        }
        let cache = self.files.alloc(ReadCache::new(Source {
            file,
            budget: Rc::clone(&self.budget),
        }));
        let elf = object::File::parse(&*cache).map_err(|_| LoadError::Corrupt)?;
        Ok((elf, modified))
    }

    /// Returns the decompressed data of a section, or empty data if the section doesn't exist.
    ///
    /// # Errors
    /// Returns an error if the section can't be read or has an unsupported compression.
    pub(super) fn section<'a>(
        &'a self,
        elf: &Elf<'a>,
        name: &str,
    ) -> Result<Section<'a>, LoadError> {
        let endian = if elf.is_little_endian() {
            RunTimeEndian::Little
        } else {
            RunTimeEndian::Big
        };
        let slice = |bytes| EndianSlice::new(bytes, endian);
        let Some(section) = elf.section_by_name(name) else {
            return Ok(slice(&[]));
        };
        let range = section
            .compressed_file_range()
            .map_err(|_| LoadError::Corrupt)?;
        if range.compressed_size.max(range.uncompressed_size) > self.budget.get() {
            return Err(LoadError::TooLarge);
        }
        let data = section.compressed_data().map_err(|_| LoadError::Corrupt)?;
        match data.format {
            CompressionFormat::None => Ok(slice(data.data)),
            CompressionFormat::Zlib => self
                .decompress(data.data, data.uncompressed_size)
                .map(slice),
            _ => Err(LoadError::UnsupportedCompression),
        }
    }

    /// Decompresses data to the size in the section header. Never reads more than that.
    fn decompress(&self, packed: &[u8], size: u64) -> Result<&[u8], LoadError> {
        let mut bytes = Vec::new();
        let read = ZlibDecoder::new(packed)
            .take(size)
            .read_to_end(&mut bytes)
            .map_err(|_| LoadError::Corrupt)?;
        let budget = self
            .budget
            .get()
            .checked_sub(read as u64)
            .ok_or(LoadError::TooLarge)?;
        self.budget.set(budget);
        if read as u64 == size {
            Ok(self.decompressed.alloc(bytes))
        } else {
            Err(LoadError::Corrupt)
        }
    }
}

/// Returns the CRC-32 of a file, as `.gnu_debuglink` contains it.
pub(super) fn checksum(path: &Path) -> Result<u32, LoadError> {
    let (mut file, _) = open(path)?;
    let mut sum = flate2::Crc::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(|_| LoadError::Corrupt)? {
            0 => return Ok(sum.sum()),
            read => sum.update(&buffer[..read]),
        }
    }
}
