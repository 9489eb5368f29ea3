//! The project's own source files, selected by the globs in `[files] own` of `leakgate.toml`.

use globset::{GlobBuilder, GlobMatcher};

use crate::error::Error;

/// Globs that select the project's own source files.
#[derive(Clone, Debug)]
pub(crate) struct OwnSources(Vec<OwnGlob>);

#[derive(Clone, Debug)]
struct OwnGlob {
    /// The glob as written.
    text: String,
    /// File and line of the glob, such as `leakgate.toml:12`.
    origin: String,
    /// Matchers for the glob itself and for all files below a matched directory.
    matchers: [GlobMatcher; 2],
}

impl OwnSources {
    /// Compiles globs, each with its line in `file`. Returns `None` if no glob is valid. Appends an
    /// error for each invalid glob.
    pub(crate) fn new(
        file: &str,
        globs: &[(String, u32)],
        errors: &mut Vec<Error>,
    ) -> Option<Self> {
        let mut all = Vec::new();
        for (text, line) in globs {
            match OwnGlob::new(text, format!("{file}:{line}")) {
                Ok(glob) => all.push(glob),
                Err(error) => errors.push(error),
            }
        }
        (!all.is_empty()).then_some(Self(all))
    }

    /// Returns true if a file of the repository, given by its path there, is the project's own.
    pub(crate) fn contains(&self, file: &str) -> bool {
        self.0.iter().any(|glob| glob.is_match(file))
    }

    /// Checks that every glob matches a file. A glob with a typo would otherwise make the project's
    /// own code count as third-party code.
    ///
    /// # Errors
    /// Returns an error for each glob without a match.
    pub(crate) fn ensure_all_match(&self, files: &[String]) -> Result<(), Error> {
        let errors: Vec<Error> = self
            .0
            .iter()
            .filter(|glob| !files.iter().any(|file| glob.is_match(file)))
            .map(OwnGlob::unmatched_error)
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Error::Several(errors))
        }
    }
}

impl OwnGlob {
    fn new(text: &str, origin: String) -> Result<Self, Error> {
        let glob = text.strip_prefix("./").unwrap_or(text);
        let glob = glob.trim_end_matches('/');
        let error = |error| Error::Glob(text.to_owned(), error);
        let matchers = [
            matcher(glob).map_err(error)?,
            matcher(&format!("{glob}/**")).map_err(error)?,
        ];
        Ok(Self {
            text: text.to_owned(),
            origin,
            matchers,
        })
    }

    fn is_match(&self, file: &str) -> bool {
        self.matchers.iter().any(|matcher| matcher.is_match(file))
    }

    fn unmatched_error(&self) -> Error {
        Error::with_help(
            format!(
                "{}: `{}` matches no file tracked by git",
                self.origin, self.text
            ),
            "write paths relative to the root of the repository",
        )
    }
}

fn matcher(glob: &str) -> Result<GlobMatcher, globset::Error> {
    let glob = GlobBuilder::new(glob).literal_separator(true).build()?;
    Ok(glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_select_directories_and_files() {
        let files = ["src/a.c", "src/deep/b.c", "other/a.c"].map(String::from);
        for (glob, want) in [
            ("src", &files[..2]),
            ("src/", &files[..2]),
            ("./src/**", &files[..2]),
            ("src/*.c", &files[..1]),
            ("**/a.c", &[files[0].clone(), files[2].clone()]),
        ] {
            let mut errors = Vec::new();
            let globs = [(glob.to_owned(), 3)];
            let own = OwnSources::new("leakgate.toml", &globs, &mut errors).unwrap();
            let matched: Vec<String> = files.iter().filter(|f| own.contains(f)).cloned().collect();
            assert_eq!(matched, want, "{glob}");
            assert!(own.ensure_all_match(&files).is_ok());
        }
        let globs = [("scr/**".to_owned(), 3)];
        let own = OwnSources::new("leakgate.toml", &globs, &mut Vec::new()).unwrap();
        let Error::Several(all) = own.ensure_all_match(&files).unwrap_err() else {
            unreachable!()
        };
        assert!(
            all[0]
                .to_string()
                .starts_with("leakgate.toml:3: `scr/**` matches no file"),
            "{}",
            all[0]
        );
    }
}
