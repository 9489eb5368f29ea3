//! Zip archives, whose members are read one by one, or several at a time.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::ops::Range;
use std::path::Path;

use zip::ZipArchive;

use super::ahead::{Ahead, Recorder};
use super::position::{Buffered, SharedFile};
use super::{LARGE, Sink, any, batches};
use crate::error::Error;

/// Copies a stream to a temporary file. A zip archive has its directory at the end, so it can't be
/// read from a stream.
pub(super) fn spool(mut reader: impl Read) -> io::Result<File> {
    #[cfg(not(target_os = "wasi"))]
    let mut file = tempfile::tempfile()?;
    #[cfg(target_os = "wasi")]
    let mut file = tempfile::tempfile_in(crate::wasi::temporary_folder())?;
    io::copy(&mut reader, &mut file)?;
    file.flush()?;
    file.rewind()?;
    Ok(file)
}

/// Reads all members of a zip archive.
pub(super) fn read(
    file: File,
    name: &str,
    depth: usize,
    ahead: Option<&Ahead>,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    let error =
        |e: zip::result::ZipError| Error::Archive(Path::new(name).to_owned(), e.to_string());
    let listed = listed_members(&file).map_err(|e| Error::Read(name.into(), e))?;
    let file = SharedFile::new(file);
    let mut archive = Archive::new(Buffered::new(file)).map_err(error)?;
    // Members with the same name hide each other, and so does an archive appended to another one.
    let records = archive.len() as u64;
    if archive.offset() != 0 || listed.is_some_and(|n| n != records) {
        let cause = "two members have the same name, or data precedes the archive; unpack it first";
        return Err(Error::Archive(name.into(), cause.into()));
    }
    let sizes: Vec<u64> = (0..archive.len())
        .map(|at| archive.by_index_data(at).map_or(0, |member| member.size()))
        .collect();
    // Read the other members even if one is broken.
    let mut result = Ok(());
    let mut keep = |read: Result<(), Error>| {
        if result.is_ok() {
            result = read;
        }
    };
    let total = sizes
        .iter()
        .fold(0_u64, |sum, size| sum.saturating_add(*size));
    let ahead = ahead.filter(|_| total >= LARGE && sizes.len() > 1);
    match ahead {
        None => (0..archive.len()).for_each(|at| keep(member(&mut archive, at, name, depth, sink))),
        Some(ahead) => {
            // The directory of the archive isn't copied.
            let read_batch = |batch: Range<usize>, recorder: &mut Recorder<'_, _>| {
                let mut archive = archive.clone();
                for at in batch {
                    let result = member(&mut archive, at, name, depth, recorder);
                    recorder.done(result);
                }
            };
            ahead.in_order(batches(0, &sizes), read_batch, sink, |read, _| {
                keep(read);
                true
            });
        }
    }
    result
}

/// Returns the number of members in the end-of-central-directory record (APPNOTE.TXT, 4.3.16).
/// `None` means that only the zip64 record has the number.
fn listed_members(mut file: &File) -> io::Result<Option<u64>> {
    const MAX_RECORD: u64 = 22 + 0xFFFF;
    let len = file.metadata()?.len();
    file.seek(io::SeekFrom::Start(len.saturating_sub(MAX_RECORD)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    file.rewind()?;
    let record = tail
        .windows(12)
        .rev()
        .find(|w| w.starts_with(b"PK\x05\x06"));
    let count = record.map(|w| u64::from(u16::from_le_bytes([w[10], w[11]])));
    Ok(count.filter(|n| *n != 0xFFFF))
}

/// A zip archive in a file.
type Archive = ZipArchive<Buffered>;

/// Reads a member of an archive, unless it is a directory.
fn member(
    archive: &mut Archive,
    at: usize,
    name: &str,
    depth: usize,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    let error =
        |e: zip::result::ZipError| Error::Archive(Path::new(name).to_owned(), e.to_string());
    let member = archive.by_index(at).map_err(error)?;
    // A directory has a name that ends with `/`, and no content.
    if member.is_dir() && member.size() == 0 && member.compressed_size() == 0 {
        return Ok(());
    }
    let inside = format!("{name}/{}", member.name().map_err(error)?);
    let reader: Box<dyn Read + '_> = Box::new(member);
    any(reader, &inside, depth + 1, sink)
}
