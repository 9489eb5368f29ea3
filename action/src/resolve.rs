//! Resolves arguments of the command line to inputs: files, directories, globs and standard input.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;
use ignore::WalkBuilder;

use crate::args::NoLogs;
use crate::error::Error;

/// An input to read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum InputPath {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

/// An argument and the inputs that it matched.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedArg {
    /// The argument as given.
    pub text: String,
    /// Indices into [`Inputs::paths`].
    pub paths: Vec<usize>,
}

/// All arguments and inputs. An input that several arguments match occurs once.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    /// Inputs in the order of the arguments.
    pub paths: Vec<InputPath>,
    /// Arguments that could be resolved.
    pub args: Vec<ResolvedArg>,
    /// Errors for arguments that could not be resolved.
    pub errors: Vec<Error>,
    /// Indices into `paths` by canonical path.
    indices: HashMap<InputPath, usize>,
    /// The folder of the last input, and its canonical path.
    folder: Option<(PathBuf, PathBuf)>,
}

impl InputPath {
    /// Returns the name for messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Returns the path of a file, or `None` for standard input.
    pub(crate) fn into_file(self) -> Option<PathBuf> {
        match self {
            Self::Stdin => None,
            Self::File(path) => Some(path),
        }
    }
}

/// Resolves every argument.
pub(crate) fn resolve(args: &[OsString], no_logs: NoLogs) -> Inputs {
    let mut inputs = Inputs::default();
    for arg in args {
        match paths(arg) {
            Ok(paths) if paths.is_empty() && no_logs == NoLogs::Error => {
                inputs.errors.push(no_file(&arg.to_string_lossy()));
            }
            Ok(paths) => {
                let is_listed = paths.len() > 1;
                let paths = paths.into_iter();
                let paths = paths.map(|path| inputs.index(path, is_listed)).collect();
                inputs.args.push(ResolvedArg {
                    text: arg.to_string_lossy().into_owned(),
                    paths,
                });
            }
            Err(error) => inputs.errors.push(error),
        }
    }
    inputs
}

impl Inputs {
    /// Returns the index of an input, after adding it if it is new. `is_listed` is true if its name
    /// comes from a folder's list.
    fn index(&mut self, path: InputPath, is_listed: bool) -> usize {
        let key = match &path {
            InputPath::File(path) if is_listed => InputPath::File(self.canonical(path)),
            InputPath::File(path) => InputPath::File(canonical(path)),
            InputPath::Stdin => InputPath::Stdin,
        };
        *self.indices.entry(key).or_insert_with(|| {
            self.paths.push(path);
            self.paths.len() - 1
        })
    }

    /// Returns the path of a listed file without links. Most inputs are files of one folder, whose
    /// path is resolved once.
    fn canonical(&mut self, path: &Path) -> PathBuf {
        let whole = || canonical(path);
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return whole();
        };
        if path
            .symlink_metadata()
            .map_or(true, |file| file.is_symlink())
        {
            return whole();
        }
        if let Some((known, canonical)) = &self.folder
            && known == folder
        {
            return canonical.join(name);
        }
        let Ok(canonical) = Path::new(".").join(folder).canonicalize() else {
            return whole();
        };
        let file = canonical.join(name);
        self.folder = Some((folder.to_owned(), canonical));
        file
    }
}

/// Returns the path of a file without links, with its name as the file system spells it.
fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Returns the inputs that an argument matches.
fn paths(arg: &OsStr) -> Result<Vec<InputPath>, Error> {
    if arg == "-" {
        return Ok(vec![InputPath::Stdin]);
    }
    let path = Path::new(arg);
    // WebAssembly would take it for the working directory.
    if arg.is_empty() {
        let error = io::ErrorKind::NotFound.into();
        return Err(Error::Read(path.to_owned(), error));
    }
    let text = &*arg.to_string_lossy();
    match path.metadata() {
        Ok(meta) if meta.is_dir() => files_below(path, |_| true),
        Ok(_) => Ok(vec![InputPath::File(path.to_owned())]),
        // A file name may contain these characters, so an existing file takes precedence. On
        // Windows, no name may contain `*` or `?`.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename
            ) && is_glob(text) =>
        {
            matching(text)
        }
        Err(error) => Err(Error::Read(path.to_owned(), error)),
    }
}

/// Returns the error for a glob, a directory or an archive without any file.
pub(crate) fn no_file(name: &str) -> Error {
    Error::with_help(
        format!("{name} matches no file"),
        "check the path, and that the tests wrote their logs; pass --allow-no-logs \
         (`allow-no-logs: true` in the action) if a clean run writes none",
    )
}

fn is_glob(name: &str) -> bool {
    name.contains(['*', '?', '[', '{'])
}

/// Returns the files that a glob matches, sorted.
fn matching(glob: &str) -> Result<Vec<InputPath>, Error> {
    let error = |e| Error::Glob(glob.to_owned(), e);
    let without_dot = Path::new(glob).strip_prefix(".").ok();
    let relative = without_dot.and_then(Path::to_str).unwrap_or(glob);
    let matcher = GlobBuilder::new(relative)
        .literal_separator(true)
        .build()
        .map_err(error)?
        .compile_matcher();
    let base: PathBuf = Path::new(relative)
        .components()
        .take_while(|c| !matches!(c, Component::Normal(part) if is_glob(&part.to_string_lossy())))
        .collect();
    let start = if base.as_os_str().is_empty() {
        Path::new(".")
    } else {
        base.as_path()
    };
    if !start.exists() {
        return Ok(Vec::new());
    }
    files_below(start, |path| {
        matcher.is_match(path.strip_prefix("./").unwrap_or(path))
    })
}

/// Returns the regular files below a directory and symbolic links to files, sorted. Does not follow
/// links to directories.
fn files_below(start: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<InputPath>, Error> {
    let mut files = Vec::new();
    for entry in WalkBuilder::new(start)
        .standard_filters(false)
        .follow_links(false)
        .sort_by_file_name(Ord::cmp)
        .build()
    {
        let entry = entry.map_err(|error| {
            let text = error.to_string();
            Error::Read(
                start.to_owned(),
                error
                    .into_io_error()
                    .unwrap_or_else(|| io::Error::other(text)),
            )
        })?;
        let is_file = match entry.file_type() {
            Some(kind) if kind.is_symlink() => entry.path().metadata().is_ok_and(|m| m.is_file()),
            kind => kind.is_some_and(|k| k.is_file()),
        };
        if is_file && wanted(entry.path()) {
            files.push(InputPath::File(entry.into_path()));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(inputs: &Inputs) -> Vec<String> {
        let name = |p: &InputPath| match p {
            InputPath::Stdin => "-".to_owned(),
            InputPath::File(path) => path.file_name().unwrap().to_string_lossy().into_owned(),
        };
        inputs.paths.iter().map(name).collect()
    }

    #[test]
    fn each_matched_file_is_listed_once() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        for file in ["b.log", "a.log", "sub/c.log", "x[1].log", "note.txt"] {
            std::fs::write(dir.path().join(file), "").unwrap();
        }
        let at = |name: &str| dir.path().join(name).into_os_string();

        let resolve = |args: &[OsString]| super::resolve(args, NoLogs::Error);
        let all = resolve(&[at("*.log"), at("a.log"), at("**/*.log")]);
        assert_eq!(names(&all), ["a.log", "b.log", "x[1].log", "c.log"]);
        assert_eq!(all.args[1].paths, [0]);
        assert_eq!(names(&resolve(&[at("x[1].log")])), ["x[1].log"]);
        assert_eq!(names(&resolve(&[at("")])).len(), 5);

        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("a.log", dir.path().join("z.log")).unwrap();
            std::os::unix::fs::symlink(dir.path(), dir.path().join("loop")).unwrap();
            std::fs::write(dir.path().join("sub/real"), "").unwrap();
            std::os::unix::fs::symlink("sub/real", dir.path().join("link.log")).unwrap();
            assert_eq!(names(&resolve(&[at("[lz]*.log")])), ["link.log", "z.log"]);
            let same = [
                at("a.log"),
                at("loop/a.log"),
                at("loop/[ab].log"),
                at("z.log"),
            ];
            assert_eq!(names(&resolve(&same)), ["a.log", "b.log"]);
        }

        std::fs::create_dir(dir.path().join("empty")).unwrap();
        let nothing = [at("*.none"), at("no/such/dir/*"), at("empty")];
        let none = super::resolve(&nothing, NoLogs::Allowed);
        assert!(none.errors.is_empty() && none.args.iter().all(|arg| arg.paths.is_empty()));
        let none = resolve(&nothing);
        assert!(none.args.is_empty() && none.errors.len() == 3);
        assert!(
            none.errors[0]
                .to_string()
                .contains("*.none matches no file")
        );
        let missing = resolve(&[at("missing.log"), "-".into()]);
        assert!(
            missing.errors[0]
                .to_string()
                .ends_with("missing.log: file not found")
        );
        assert_eq!(names(&missing), ["-"]);
        assert_eq!(resolve(&[at("a{.log")]).errors.len(), 1);
    }
}
