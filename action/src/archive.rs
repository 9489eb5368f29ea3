//! Reads files, standard input, gzip files and zip archives as named byte streams.
//!
//! The format of a file is detected by its first bytes, not by its name. Nested archives are
//! unpacked to a small depth.

mod ahead;
mod members;
mod position;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::read::MultiGzDecoder;
use leakgate_core::parse::Scan;

pub(crate) use self::ahead::Ahead;
use self::ahead::Recorder;
use self::position::SharedFile;
use crate::error::Error;
use crate::resolve::InputPath;

/// Maximum nesting depth of archives.
const MAX_DEPTH: usize = 4;

/// Number of bytes per read. A chunk fits the second-level cache, where the parser then finds it.
const CHUNK: usize = 128 << 10;

/// Number of bytes of the first read of a small file.
const SMALL_CHUNK: usize = 8 << 10;

/// Size in bytes from which other threads read a file, while this thread parses.
const LARGE: u64 = 1 << 20;

/// Maximum size in bytes, and number, of the files or members that a thread reads in one go.
const BATCH: (u64, usize) = (256 << 10, 64);

/// Receives the streams of an input.
pub(crate) trait Sink {
    /// Begins a new stream.
    fn begin(&mut self, name: &str);
    /// Receives the next bytes of the stream.
    fn bytes(&mut self, chunk: &[u8]);
    /// Receives the next bytes of the stream, in which another thread has looked for markers.
    fn scanned(&mut self, chunk: &[u8], _: &Scan) {
        self.bytes(chunk);
    }
    /// Receives the number of further bytes that were read.
    fn progress(&mut self, bytes: u64);
}

/// Reads inputs to their ends, and passes the result of each to `done`. Other threads read ahead if
/// there are any.
pub(crate) fn read_all<S: Sink>(
    inputs: &[InputPath],
    sizes: &[u64],
    ahead: Option<&Ahead>,
    sink: &mut S,
    mut done: impl FnMut(Result<(), Error>, &mut S),
) {
    let Some(ahead) = ahead else {
        for input in inputs {
            let result = read(input, None, sink);
            done(result, sink);
        }
        return;
    };
    let is_small = |at: &usize| sizes[*at] < LARGE;
    let mut from = 0;
    while from < inputs.len() {
        let small = (from..inputs.len()).take_while(is_small).count();
        if small < 2 {
            let result = read(&inputs[from], Some(ahead), sink);
            done(result, sink);
            from += 1;
            continue;
        }
        let read_batch = |batch: Range<usize>, recorder: &mut Recorder<'_, _>| {
            for input in &inputs[batch] {
                let result = read(input, None, recorder);
                recorder.done(result);
            }
        };
        let batches = batches(from, &sizes[from..from + small]);
        ahead.in_order(batches, read_batch, sink, |result, sink| {
            done(result, sink);
            true
        });
        from += small;
    }
}

/// Divides files of these sizes into batches. `first` is the index of the first one.
fn batches(first: usize, sizes: &[u64]) -> impl Iterator<Item = Range<usize>> {
    let (max_size, max_count) = BATCH;
    let mut from = 0;
    std::iter::from_fn(move || {
        let mut sum = 0;
        let fits = |size: &&u64| {
            sum += **size;
            sum <= max_size
        };
        let count = sizes[from..].iter().take(max_count).take_while(fits);
        let count = count.count().max(1).min(sizes.len() - from);
        let batch = first + from..first + from + count;
        from += count;
        (count > 0).then_some(batch)
    })
}

/// Reads an input to its end. Without `ahead`, no other thread reads.
fn read(input: &InputPath, ahead: Option<&Ahead>, sink: &mut dyn Sink) -> Result<(), Error> {
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
            let ahead_of_large = ahead.filter(|_| start.len() == SMALL_CHUNK && is_large());
            // A pipe can't be rewound.
            if is_zip(&start) && file.rewind().is_ok() {
                return members::read(file, &name, 0, ahead, sink);
            }
            match ahead_of_large {
                Some(ahead) if is_gzip(&start) => gzip(start, file, &name, ahead, sink),
                Some(ahead) if is_plain(&start) && file.rewind().is_ok() => {
                    large(file, &name, ahead, sink)
                }
                _ => any_from(start, file, &name, 0, sink),
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

/// Reads the first bytes of a stream: all of a small log. The bytes before an error are returned,
/// too.
fn start_of(reader: &mut impl Read) -> (Vec<u8>, io::Result<()>) {
    // Clearing a buffer for each would take longer than reading it.
    let mut start = Vec::with_capacity(SMALL_CHUNK);
    let end = reader.take(SMALL_CHUNK as u64).read_to_end(&mut start);
    (start, end.map(drop))
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
        let file = members::spool(start.chain(reader)).map_err(|e| Error::Read(name.into(), e))?;
        return members::read(file, name, depth, None, sink);
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

/// Reads a large log, whose chunks several threads read.
fn large(file: File, name: &str, ahead: &Ahead, sink: &mut dyn Sink) -> Result<(), Error> {
    sink.begin(name);
    let file = SharedFile::new(file);
    let has_ended = AtomicBool::new(false);
    let starts = (0..)
        .step_by(CHUNK)
        .take_while(|_| !has_ended.load(Ordering::Relaxed));
    let read_chunk = |start: u64, recorder: &mut Recorder<'_, io::Result<bool>>| {
        let mut chunk = ahead.buffer();
        chunk.resize(CHUNK, 0);
        let mut filled = 0;
        let result = fill(&mut file.at(start), &mut chunk, &mut filled);
        let is_last = filled < CHUNK;
        if is_last {
            has_ended.store(true, Ordering::Relaxed);
        }
        chunk.truncate(filled);
        recorder.progress(filled as u64);
        recorder.push(chunk);
        recorder.done(result.map(|()| is_last));
    };
    let mut result = Ok(());
    ahead.in_order(starts, read_chunk, sink, |chunk, _| {
        // Other threads may have read parts that were appended in the meantime.
        let goes_on = matches!(chunk, Ok(false));
        result = chunk.map(drop);
        goes_on
    });
    result.map_err(|e| Error::Read(name.into(), e))
}

/// Reads a large gzip file, which another thread unpacks.
fn gzip(
    start: Vec<u8>,
    file: File,
    name: &str,
    ahead: &Ahead,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    let unpack = |(start, file), recorder: &mut Recorder<'_, _>| {
        let result = any_from(start, file, name, 0, recorder);
        recorder.done(result);
    };
    let mut result = Ok(());
    ahead.in_order(std::iter::once((start, file)), unpack, sink, |read, _| {
        result = read;
        true
    });
    result
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use leakgate_core::{Options, Parser};
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
        gz_with(Compression::fast(), bytes)
    }

    fn gz_with(compression: Compression, bytes: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), compression);
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

    /// The result of an input, and the number of streams until then.
    type InputResult = (Result<(), Error>, usize);

    /// Reads inputs with this number of threads. Returns the streams, and the result of each input
    /// with the number of streams until then.
    fn read_with(jobs: usize, inputs: &[InputPath]) -> (Streams, Vec<InputResult>) {
        let scanner = Parser::new(Options::default()).scanner();
        let size = |input: &InputPath| match input {
            InputPath::File(path) => path.metadata().map_or(0, |metadata| metadata.len()),
            InputPath::Stdin => 0,
        };
        let sizes: Vec<u64> = inputs.iter().map(size).collect();
        let ahead = Ahead::for_sizes(&sizes, || jobs, || scanner);
        if let Some(ahead) = &ahead {
            ahead.set_seeks_marker(true);
        }
        let mut streams = Streams::default();
        let mut results = Vec::new();
        read_all(
            inputs,
            &sizes,
            ahead.as_ref(),
            &mut streams,
            |result, streams| {
                results.push((result, streams.0.len()));
            },
        );
        (streams, results)
    }

    fn streams(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in");
        std::fs::write(&path, bytes).unwrap();
        let prefix = path.display().to_string();
        let short = |(name, bytes): (String, Vec<u8>)| (name.replace(&prefix, "in"), bytes);
        let inputs = [InputPath::File(path)];
        let (streams, mut results) = read_with(1, &inputs);
        for jobs in [2, 5] {
            let (same, same_results) = read_with(jobs, &inputs);
            assert!(same.0 == streams.0, "{jobs} jobs");
            assert_eq!(same_results[0].0.is_ok(), results[0].0.is_ok());
        }
        results.remove(0).0?;
        Ok(streams.0.into_iter().map(short).collect())
    }

    /// Returns bytes that differ from those of other seeds, in lines.
    fn noise(seed: usize, size: usize) -> Vec<u8> {
        let byte = |n: usize| match (n * n + seed * 7) % 89 {
            0 => b'\n',
            value => b' ' + value as u8,
        };
        (0..size).map(byte).collect()
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
    fn inputs_are_read_in_order_by_any_number_of_threads() {
        let dir = tempfile::tempdir().unwrap();
        let members: Vec<Vec<u8>> = (0..40).map(|n| noise(n, 70_000)).collect();
        let names: Vec<String> = (0..40).map(|n| format!("{n}.log")).collect();
        let listed: Vec<(&str, &[u8])> = names
            .iter()
            .zip(&members)
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect();
        let archive = zipped(&listed);
        let large_gz = gz_with(Compression::none(), &noise(1, 3 << 20));
        let mut inputs = Vec::new();
        for n in 0..300 {
            let bytes = match n {
                50 | 51 => noise(n, LARGE as usize + CHUNK * 3 + n),
                100 => archive.clone(),
                101 => archive[..archive.len() - 5].to_vec(),
                102 => gz(&noise(n, 3 << 20)),
                104 => large_gz.clone(),
                105 => large_gz[..LARGE as usize + 99].to_vec(),
                103 => b"BZh91AY&SY".to_vec(),
                _ => noise(n, n * n % 50_000),
            };
            let path = dir.path().join(format!("{n}"));
            if n != 60 {
                std::fs::write(&path, bytes).unwrap();
            }
            inputs.push(InputPath::File(path));
        }
        let (streams, results) = read_with(1, &inputs);
        let outcomes = |results: &[InputResult]| -> Vec<(Option<String>, usize)> {
            let message = |result: &Result<(), Error>| result.as_ref().err().map(Error::to_string);
            let pairs = results.iter();
            pairs
                .map(|(result, count)| (message(result), *count))
                .collect()
        };
        let failed = results.iter().filter(|(result, _)| result.is_err());
        assert_eq!((results.len(), failed.count()), (300, 4));
        assert_eq!(streams.0.len(), 300 - 4 + 40);
        for jobs in [2, 3, 8] {
            let (same, same_results) = read_with(jobs, &inputs);
            assert!(same.0 == streams.0, "{jobs} jobs");
            assert_eq!(outcomes(&same_results), outcomes(&results));
        }
    }

    #[test]
    fn batches_cover_all_files() {
        let (size, count) = BATCH;
        for sizes in [
            vec![],
            vec![1; count * 2 + 3],
            vec![size * 2, 1, 1, size, size],
        ] {
            let batches: Vec<Range<usize>> = batches(7, &sizes).collect();
            let covered: Vec<usize> = batches.iter().cloned().flatten().collect();
            assert_eq!(covered, (7..7 + sizes.len()).collect::<Vec<_>>());
            assert!(
                batches
                    .iter()
                    .all(|batch| !batch.is_empty() && batch.len() <= count)
            );
        }
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
