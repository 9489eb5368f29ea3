//! Modules and files of debug information on disk, as anybody may name them: opened without
//! waiting, read only as far as needed.
//!
//! A log is hostile and may name any path. Only regular files are opened (a FIFO would wait, a
//! device never ends), only ELF is read, and all that is read counts against one budget. Nothing of
//! a file is told before its identity is known; see `module.rs`.

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

use super::notes::Trouble;

/// The largest file that is opened, and the most that is held of all files together, in bytes.
pub(super) const MAX_BYTES: u64 = 2 << 30;

/// A shorter file is no ELF. The kernel's files that wait for a reader have a length of 0.
const MIN_BYTES: u64 = 64;

/// A file of sections.
pub(super) type Elf<'a> = object::File<'a, &'a ReadCache<Source>>;

/// What gimli reads.
pub(super) type Slice<'a> = EndianSlice<'a, RunTimeEndian>;

/// Holds whatever was read, until all frames have their names.
pub(super) struct Store {
    files: Arena<ReadCache<Source>>,
    unpacked: Arena<Vec<u8>>,
    left: Rc<Cell<u64>>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            files: Arena::new(),
            unpacked: Arena::new(),
            left: Rc::new(Cell::new(MAX_BYTES)),
        }
    }
}

/// A file that takes what is read from the budget.
pub(super) struct Source {
    file: File,
    left: Rc<Cell<u64>>,
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        let left = self
            .left
            .get()
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other("too much to read"))?;
        self.left.set(left);
        Ok(read)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Opens a regular file of plausible size; the time is that of its last change.
pub(super) fn open(path: &Path) -> Result<(File, Option<SystemTime>), Trouble> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Trouble::Missing,
        _ => Trouble::Unreadable(error.kind().to_string()),
    };
    // To open a FIFO or a device may already wait or do something, so that it is asked before and,
    // since the name may mean something else by then, after.
    let named = path.metadata().map_err(unreadable)?;
    if !named.is_file() {
        return Err(Trouble::NoModule);
    }
    let file = File::open(path).map_err(unreadable)?;
    let opened = file.metadata().map_err(unreadable)?;
    match opened.len() {
        _ if !opened.is_file() => Err(Trouble::NoModule),
        ..MIN_BYTES => Err(Trouble::NoModule),
        size if size > MAX_BYTES => Err(Trouble::TooLarge),
        _ => Ok((file, opened.modified().ok())),
    }
}

impl Store {
    /// Opens an ELF file.
    pub(super) fn elf(&self, path: &Path) -> Result<(Elf<'_>, Option<SystemTime>), Trouble> {
        let (mut file, changed) = open(path)?;
        let mut magic = [0; 4];
        let is_elf = file.read_exact(&mut magic).is_ok() && magic == *b"\x7fELF";
        if !is_elf {
            return Err(Trouble::NoModule);
        }
        let cache = self.files.alloc(ReadCache::new(Source {
            file,
            left: Rc::clone(&self.left),
        }));
        let elf = object::File::parse(&*cache).map_err(|_| Trouble::Broken)?;
        Ok((elf, changed))
    }

    /// A section, unpacked; empty where there is none. One that can't be read, or whose compression
    /// is not known, is an error.
    pub(super) fn section<'a>(&'a self, elf: &Elf<'a>, name: &str) -> Result<Slice<'a>, Trouble> {
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
            .map_err(|_| Trouble::Broken)?;
        if range.compressed_size.max(range.uncompressed_size) > self.left.get() {
            return Err(Trouble::TooLarge);
        }
        let data = section.compressed_data().map_err(|_| Trouble::Broken)?;
        match data.format {
            CompressionFormat::None => Ok(slice(data.data)),
            CompressionFormat::Zlib => self.unpack(data.data, data.uncompressed_size).map(slice),
            _ => Err(Trouble::Compression),
        }
    }

    /// The header says how much there is; no more is taken, whatever the data hold.
    fn unpack(&self, packed: &[u8], size: u64) -> Result<&[u8], Trouble> {
        let mut bytes = Vec::new();
        let read = ZlibDecoder::new(packed)
            .take(size)
            .read_to_end(&mut bytes)
            .map_err(|_| Trouble::Broken)?;
        let left = self
            .left
            .get()
            .checked_sub(read as u64)
            .ok_or(Trouble::TooLarge)?;
        self.left.set(left);
        if read as u64 == size {
            Ok(self.unpacked.alloc(bytes))
        } else {
            Err(Trouble::Broken)
        }
    }
}

/// The checksum that a link to debug information holds.
pub(super) fn checksum(path: &Path) -> Result<u32, Trouble> {
    let (mut file, _) = open(path)?;
    let (mut sum, mut buffer) = (flate2::Crc::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(|_| Trouble::Broken)? {
            0 => return Ok(sum.sum()),
            read => sum.update(&buffer[..read]),
        }
    }
}
