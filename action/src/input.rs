//! What a name on the command line stands for: a file, a directory, a pattern, standard input.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;
use ignore::WalkBuilder;

use crate::error::Error;

/// Something to read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

/// A name, and the places (by index) that it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// As given.
    pub name: String,
    /// Indices into [`Inputs::places`].
    pub places: Vec<usize>,
}

/// All names and places. A place that several names mean is read once.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    /// What to read, in order.
    pub places: Vec<Place>,
    /// What was named.
    pub named: Vec<Named>,
    /// Names that can't be followed.
    pub errors: Vec<Error>,
    known: HashMap<Place, usize>,
}

/// Follows every name.
pub(crate) fn resolve(names: &[OsString]) -> Inputs {
    let mut inputs = Inputs::default();
    for name in names {
        let places = match places(name) {
            Ok(places) => places,
            Err(error) => {
                inputs.errors.push(error);
                continue;
            }
        };
        let places = places
            .into_iter()
            .map(|place| inputs.index(place))
            .collect();
        inputs.named.push(Named {
            name: name.to_string_lossy().into_owned(),
            places,
        });
    }
    inputs
}

impl Inputs {
    fn index(&mut self, place: Place) -> usize {
        let key = match &place {
            Place::File(path) => Place::File(path.canonicalize().unwrap_or_else(|_| path.clone())),
            Place::Stdin => Place::Stdin,
        };
        *self.known.entry(key).or_insert_with(|| {
            self.places.push(place);
            self.places.len() - 1
        })
    }
}

fn places(name: &OsStr) -> Result<Vec<Place>, Error> {
    if name == "-" {
        return Ok(vec![Place::Stdin]);
    }
    let path = Path::new(name);
    let name = &*name.to_string_lossy();
    match path.metadata() {
        Ok(meta) if meta.is_dir() => files_below(path, |_| true),
        Ok(_) => Ok(vec![Place::File(path.to_owned())]),
        // A file may have such a name; only when it has not, the name is a pattern.
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_pattern(name) => matching(name),
        Err(error) => Err(Error::Read(path.to_owned(), error)),
    }
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '[', '{'])
}

/// Files that a pattern matches, sorted; none is no mistake here: the verdict calls it silence.
fn matching(pattern: &str) -> Result<Vec<Place>, Error> {
    let error = |e| Error::Pattern(pattern.to_owned(), e);
    let plain = pattern.strip_prefix("./").unwrap_or(pattern);
    let glob = GlobBuilder::new(plain)
        .literal_separator(true)
        .build()
        .map_err(error)?
        .compile_matcher();
    let base: PathBuf = Path::new(plain)
        .components()
        .take_while(
            |c| !matches!(c, Component::Normal(part) if is_pattern(&part.to_string_lossy())),
        )
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
        glob.is_match(path.strip_prefix("./").unwrap_or(path))
    })
}

/// Regular files below a directory, and links to such files, sorted. Links to directories are not
/// followed.
fn files_below(start: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<Place>, Error> {
    let mut files = Vec::new();
    for entry in WalkBuilder::new(start)
        .standard_filters(false)
        .follow_links(false)
        .sort_by_file_path(Ord::cmp)
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
            files.push(Place::File(entry.into_path()));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(inputs: &Inputs) -> Vec<String> {
        let name = |p: &Place| match p {
            Place::Stdin => "-".to_owned(),
            Place::File(path) => path.file_name().unwrap().to_string_lossy().into_owned(),
        };
        inputs.places.iter().map(name).collect()
    }

    #[test]
    fn names_become_files_and_each_file_is_read_once() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        for file in ["b.log", "a.log", "sub/c.log", "x[1].log", "note.txt"] {
            std::fs::write(dir.path().join(file), "").unwrap();
        }
        let at = |name: &str| dir.path().join(name).into_os_string();

        let all = resolve(&[at("*.log"), at("a.log"), at("**/*.log")]);
        assert_eq!(names(&all), ["a.log", "b.log", "x[1].log", "c.log"]);
        assert_eq!(all.named[1].places, [0]);
        assert_eq!(names(&resolve(&[at("x[1].log")])), ["x[1].log"]);
        assert_eq!(names(&resolve(&[at("")])).len(), 5);

        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("a.log", dir.path().join("z.log")).unwrap();
            std::os::unix::fs::symlink(dir.path(), dir.path().join("loop")).unwrap();
            std::fs::write(dir.path().join("sub/real"), "").unwrap();
            std::os::unix::fs::symlink("sub/real", dir.path().join("link.log")).unwrap();
            assert_eq!(names(&resolve(&[at("[lz]*.log")])), ["link.log", "z.log"]);
        }

        let none = resolve(&[at("*.none"), at("no/such/dir/*")]);
        assert!(none.errors.is_empty() && none.named.iter().all(|n| n.places.is_empty()));
        let missing = resolve(&[at("missing.log"), "-".into()]);
        assert!(
            missing.errors[0]
                .to_string()
                .ends_with("missing.log: there is no such file")
        );
        assert_eq!(names(&missing), ["-"]);
        assert_eq!(resolve(&[at("a{.log")]).errors.len(), 1);
    }
}
