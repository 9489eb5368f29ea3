//! Which files of the repository are one's own: `[files] own` of `leakgate.toml`.

use globset::{GlobBuilder, GlobMatcher};

use crate::error::Error;

/// The patterns, each with what it is read from.
#[derive(Clone, Debug)]
pub(crate) struct Own(Vec<Pattern>);

#[derive(Clone, Debug)]
struct Pattern {
    written: String,
    /// `leakgate.toml:12`
    place: String,
    /// The pattern itself, and everything below a folder that it takes.
    globs: [GlobMatcher; 2],
}

impl Own {
    /// Reads the patterns, each with its line. Nothing where there are none.
    pub(crate) fn read(
        file: &str,
        patterns: &[(String, u32)],
        errors: &mut Vec<Error>,
    ) -> Option<Self> {
        let mut all = Vec::new();
        for (written, line) in patterns {
            let pattern = written
                .strip_prefix("./")
                .unwrap_or(written)
                .trim_end_matches('/');
            let glob = |pattern: &str| {
                GlobBuilder::new(pattern)
                    .literal_separator(true)
                    .build()
                    .map(|g| g.compile_matcher())
            };
            match glob(pattern).and_then(|itself| Ok([itself, glob(&format!("{pattern}/**"))?])) {
                Ok(globs) => all.push(Pattern {
                    written: written.clone(),
                    place: format!("{file}:{line}"),
                    globs,
                }),
                Err(error) => errors.push(Error::Pattern(written.clone(), error)),
            }
        }
        (!all.is_empty()).then_some(Self(all))
    }

    /// True for a file of the repository, by its path there.
    pub(crate) fn has(&self, file: &str) -> bool {
        self.0.iter().any(|pattern| pattern.has(file))
    }

    /// A pattern without any file is a slip, and would make one's own code somebody else's.
    pub(crate) fn check(&self, files: &[String]) -> Result<(), Error> {
        let idle = |pattern: &&Pattern| !files.iter().any(|file| pattern.has(file));
        let all = self.0.iter().filter(idle);
        let errors: Vec<Error> = all
            .map(|p| {
                Error::Usage(format!(
                    "{}: `{}` matches no file that git tracks; paths begin at the root of the repository",
                    p.place, p.written
                ))
            })
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Error::Several(errors))
        }
    }
}

impl Pattern {
    fn has(&self, file: &str) -> bool {
        self.globs.iter().any(|glob| glob.is_match(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_patterns_are_written_as_people_do() {
        let files = ["src/a.c", "src/deep/b.c", "other/a.c"].map(String::from);
        for (pattern, want) in [
            ("src", &files[..2]),
            ("src/", &files[..2]),
            ("./src/**", &files[..2]),
            ("src/*.c", &files[..1]),
            ("**/a.c", &[files[0].clone(), files[2].clone()]),
        ] {
            let mut errors = Vec::new();
            let own = Own::read("leakgate.toml", &[(pattern.to_owned(), 3)], &mut errors).unwrap();
            let has: Vec<String> = files.iter().filter(|f| own.has(f)).cloned().collect();
            assert_eq!(has, want, "{pattern}");
            assert!(own.check(&files).is_ok());
        }
        let own = Own::read(
            "leakgate.toml",
            &[("scr/**".to_owned(), 3)],
            &mut Vec::new(),
        )
        .unwrap();
        let told = own.check(&files).unwrap_err();
        let Error::Several(all) = told else {
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
