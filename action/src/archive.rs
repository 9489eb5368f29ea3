//! Reads files, standard input, gzip files and zip archives as named byte streams.
//!
//! The format of a file is detected by its first bytes, not by its name. Nested archives are
//! unpacked to a small depth.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use crate::error::Error;
use crate::resolve::InputPath;

/// Maximum nesting depth of archives.
const MAX_DEPTH: usize = 4;

/// Number of bytes per read. A chunk fits the second-level cache, where the parser then finds it.
const CHUNK: usize = 128 << 10;

/// Number of bytes of the first read of a small file.
const SMALL_CHUNK: usize = 8 << 10;

/// Size in bytes from which a separate thread reads a file, while this thread parses the previous
/// chunk.
const LARGE: u64 = 4 << 20;

/// Receives the streams of an input.
pub(crate) trait Sink {
    /// Begins a new stream.
    fn begin(&mut self, name: &str);
    /// Receives the next bytes of the stream.
    fn bytes(&mut self, chunk: &[u8]);
    /// Receives the number of further bytes that were read.
    fn progress(&mut self, bytes: u64);
}

/// Reads an input to its end.
pub(crate) fn read(input: &InputPath, sink: &mut dyn Sink) -> Result<(), Error> {
    match input {
        InputPath::Stdin => any(io::stdin().lock(), "-", 0, sink),
        InputPath::File(path) => {
            let name = path.display().to_string();
            let mut file = File::open(path).map_err(|e| Error::Read(path.clone(), e))?;
            let (start, end) = start_of(&mut file);
            end.map_err(|e| Error::Read(path.clone(), e))?;
            let is_large = || {
                file.metadata()
                    .is_ok_and(|metadata| metadata.len() >= LARGE)
            };
            let is_ahead = start.len() == SMALL_CHUNK && is_plain(&start) && is_large();
            // A pipe can't be rewound.
            if is_zip(&start) && file.rewind().is_ok() {
                zip(file, &name, 0, sink)
            } else if is_ahead && file.rewind().is_ok() {
                plain_ahead(file, &name, sink)
            } else {
                any_from(start, file, &name, 0, sink)
            }
        }
    }
}

fn is_zip(magic: &[u8]) -> bool {
    magic.starts_with(b"PK\x03\x04") || magic.starts_with(b"PK\x05\x06")
}

/// Unsupported archive formats: their first bytes and their names.
const UNSUPPORTED: &[(&[u8], &str)] = &[
    (b"\xFD7zX", "xz"),
    (b"\x28\xB5\x2F\xFD", "zstd"),
    (b"BZh", "bzip2"),
    (b"7z\xBC\xAF", "7-Zip"),
    (b"Rar!", "RAR"),
];

fn is_plain(magic: &[u8]) -> bool {
    !is_zip(magic)
        && !is_gzip(magic)
        && !UNSUPPORTED
            .iter()
            .any(|(start, _)| magic.starts_with(start))
}

fn is_gzip(magic: &[u8]) -> bool {
    magic.starts_with(b"\x1f\x8b\x08")
}

/// Reads the first bytes of a stream: all of a small log, because clearing a large buffer for each
/// would take longer than reading it. The bytes before an error are returned, too.
fn start_of(reader: &mut impl Read) -> (Vec<u8>, io::Result<()>) {
    let mut start = vec![0; SMALL_CHUNK];
    let mut filled = 0;
    let end = fill(reader, &mut start, &mut filled);
    start.truncate(filled);
    (start, end)
}

/// Reads until the buffer is full or the input ends. Adds the number of bytes to `filled`.
fn fill(reader: &mut impl Read, buffer: &mut [u8], filled: &mut usize) -> io::Result<()> {
    while *filled < buffer.len() {
        match reader.read(&mut buffer[*filled..]) {
            Ok(0) => break,
            Ok(n) => *filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn any(mut reader: impl Read, name: &str, depth: usize, sink: &mut dyn Sink) -> Result<(), Error> {
    let (start, end) = start_of(&mut reader);
    match end {
        Ok(()) => any_from(start, reader, name, depth, sink),
        Err(error) => any_from(start, Failed(Some(error)), name, depth, sink),
    }
}

/// The rest of a stream that can't be read.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Reads a stream whose first bytes were read already.
fn any_from(
    start: Vec<u8>,
    reader: impl Read,
    name: &str,
    depth: usize,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(Error::Archive(
            name.into(),
            "archives are nested too deeply".into(),
        ));
    }
    if let Some((_, format)) = UNSUPPORTED
        .iter()
        .find(|(magic, _)| start.starts_with(magic))
    {
        return Err(Error::Archive(
            name.into(),
            format!("{format} is not supported; unpack it first"),
        ));
    }
    if is_gzip(&start) {
        let reader = BufReader::with_capacity(CHUNK, start.chain(reader));
        let mut packed = MultiGzDecoder::new(reader);
        let inside: &mut dyn Read = &mut packed;
        return any(inside, name, depth + 1, sink);
    }
    if is_zip(&start) {
        let file = spool(start.chain(reader)).map_err(|e| Error::Read(name.into(), e))?;
        return zip(file, name, depth, sink);
    }
    plain(start, reader, name, sink)
}

/// Reads a log whose first bytes were read already. `buffer` contains them.
fn plain(
    mut buffer: Vec<u8>,
    mut reader: impl Read,
    name: &str,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    sink.begin(name);
    sink.progress(buffer.len() as u64);
    sink.bytes(&buffer);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => {
                sink.progress(n as u64);
                sink.bytes(&buffer[..n]);
                if n == buffer.len() {
                    buffer.resize(CHUNK, 0);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::Read(name.into(), error)),
        }
    }
}

/// Like [`plain`], but reads ahead in a second thread.
fn plain_ahead(mut file: File, name: &str, sink: &mut dyn Sink) -> Result<(), Error> {
    sink.begin(name);
    let (full, chunks) = mpsc::sync_channel::<io::Result<Vec<u8>>>(2);
    let (spent, empty) = mpsc::channel::<Vec<u8>>();
    for _ in 0..3 {
        let _ = spent.send(Vec::new());
    }
    thread::scope(|scope| {
        scope.spawn(move || {
            for mut buffer in empty {
                buffer.resize(CHUNK, 0);
                let mut filled = 0;
                let read = fill(&mut file, &mut buffer, &mut filled);
                let last = read.is_err() || filled < CHUNK;
                buffer.truncate(filled);
                let chunk = read.map(|()| buffer);
                if full.send(chunk).is_err() || last {
                    return;
                }
            }
        });
        for chunk in chunks {
            let chunk = chunk.map_err(|e| Error::Read(name.into(), e))?;
            sink.progress(chunk.len() as u64);
            sink.bytes(&chunk);
            // The reader may have finished already.
            let _ = spent.send(chunk);
        }
        Ok(())
    })
}

/// Copies a stream to a temporary file. A zip archive has its directory at the end, so it can't be
/// read from a stream.
fn spool(mut reader: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut reader, &mut file)?;
    file.flush()?;
    file.rewind()?;
    Ok(file)
}

fn zip(file: File, name: &str, depth: usize, sink: &mut dyn Sink) -> Result<(), Error> {
    let error =
        |e: zip::result::ZipError| Error::Archive(Path::new(name).to_owned(), e.to_string());
    let listed = listed_members(&file).map_err(|e| Error::Read(name.into(), e))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(error)?;
    // Members with the same name hide each other, and so does an archive appended to another one.
    let records = archive.len() as u64;
    if archive.offset() != 0 || listed.is_some_and(|n| n != records) {
        let cause = "two members have the same name, or data precedes the archive; unpack it first";
        return Err(Error::Archive(name.into(), cause.into()));
    }
    // Read the other members even if one is broken.
    let mut result = Ok(());
    for at in 0..archive.len() {
        let read = member(&mut archive, at, name, depth, sink);
        result = result.and(read);
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

fn member(
    archive: &mut ZipArchive<BufReader<File>>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use zip::write::SimpleFileOptions;

    #[derive(Default)]
    struct Streams(Vec<(String, Vec<u8>)>);

    impl Sink for Streams {
        fn begin(&mut self, name: &str) {
            self.0.push((name.to_owned(), Vec::new()));
        }
        fn bytes(&mut self, chunk: &[u8]) {
            self.0.last_mut().unwrap().1.extend_from_slice(chunk);
        }
        fn progress(&mut self, _: u64) {}
    }

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, bytes) in members {
            out.start_file(*name, SimpleFileOptions::default()).unwrap();
            out.write_all(bytes).unwrap();
        }
        out.finish().unwrap().into_inner()
    }

    fn streams(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in");
        std::fs::write(&path, bytes).unwrap();
        let mut sink = Streams::default();
        read(&InputPath::File(path.clone()), &mut sink)?;
        let prefix = path.display().to_string();
        let short = |(name, bytes): (String, Vec<u8>)| (name.replace(&prefix, "in"), bytes);
        Ok(sink.0.into_iter().map(short).collect())
    }

    #[test]
    fn nested_archives_are_unpacked() {
        let one = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
        assert_eq!(streams(b"abc").unwrap(), [one("in", "abc")]);
        assert_eq!(streams(b"").unwrap(), [one("in", "")]);
        assert_eq!(
            streams(&[gz(b"ab"), gz(b"c")].concat()).unwrap(),
            [one("in", "abc")]
        );
        let archive = zipped(&[
            ("1_build.txt", b"x"),
            ("build/2_test.txt", b"y"),
            ("z.gz", &gz(b"w")),
        ]);
        let want = [
            one("in/1_build.txt", "x"),
            one("in/build/2_test.txt", "y"),
            one("in/z.gz", "w"),
        ];
        assert_eq!(streams(&archive).unwrap(), want);
        assert_eq!(streams(&gz(&archive)).unwrap(), want);
        assert_eq!(
            streams(&zipped(&[("a.zip", &archive)])).unwrap()[0].0,
            "in/a.zip/1_build.txt"
        );
    }

    #[test]
    fn bytes_before_the_end_of_a_cut_archive_are_read() {
        for size in [20, SMALL_CHUNK / 4, SMALL_CHUNK] {
            let text: Vec<u8> = (0..size * 4).map(|n| (n * n % 253) as u8).collect();
            let packed = gz(&text);
            let mut sink = Streams::default();
            let cut = &packed[..packed.len() - 4];
            assert!(matches!(any(cut, "in", 0, &mut sink), Err(Error::Read(..))));
            assert!(sink.0 == [("in".to_owned(), text)], "{size}");
        }
    }

    #[test]
    fn member_with_a_slash_at_its_end_is_read_if_it_has_content() {
        let mut archive = zipped(&[("a.log_", b"text"), ("b", b"")]);
        for at in 0..archive.len() - 6 {
            if archive[at..].starts_with(b"a.log_") {
                archive[at + 5] = b'/';
            }
        }
        let want = ("in/a.log/".to_owned(), b"text".to_vec());
        assert_eq!(streams(&archive).unwrap()[0], want);
    }

    #[test]
    fn hidden_members_are_an_error() {
        let twice = [zipped(&[("a.log", b"x")]), zipped(&[("a.log", b"y")])].concat();
        assert!(matches!(streams(&twice), Err(Error::Archive(..))));
        let mut same_name = zipped(&[("a.log", b"x"), ("b.log", b"y")]);
        for at in 0..same_name.len() - 5 {
            if same_name[at..].starts_with(b"b.log") {
                same_name[at] = b'a';
            }
        }
        assert!(matches!(streams(&same_name), Err(Error::Archive(..))));
    }

    #[test]
    fn large_file_is_read_completely() {
        let bytes: Vec<u8> = (0..(LARGE as usize + CHUNK + 7))
            .map(|n| (n % 251) as u8)
            .collect();
        assert!(streams(&bytes).unwrap() == [("in".to_owned(), bytes)]);
    }

    #[test]
    fn broken_and_deeply_nested_archives_are_errors() {
        let archive = zipped(&[("a", b"text")]);
        assert!(matches!(
            streams(&archive[..archive.len() - 5]),
            Err(Error::Archive(..))
        ));
        let packed = gz(&b"text".repeat(1000));
        assert!(matches!(
            streams(&packed[..packed.len() - 3]),
            Err(Error::Read(..))
        ));
        let mut deep = b"x".to_vec();
        for _ in 0..8 {
            deep = gz(&deep);
        }
        assert!(matches!(streams(&deep), Err(Error::Archive(..))));
        assert!(
            streams(b"BZh91AY&SY")
                .unwrap_err()
                .to_string()
                .contains("bzip2 is not supported")
        );
    }
}
