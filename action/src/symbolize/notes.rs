//! Notes about modules that could not be used: one for each module, regardless of the number of
//! its frames.

use std::fmt;

/// Reason why a module could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LoadError {
    /// The file does not exist.
    Missing,
    /// The file isn't a regular file or isn't an ELF file.
    NotElf,
    /// The file exceeds the size limit.
    TooLarge,
    /// The file can't be opened, with the cause.
    Unreadable(String),
    /// The ELF file is corrupt.
    Corrupt,
    /// The debug information has an unsupported compression.
    UnsupportedCompression,
    /// The build id differs from the one in the log.
    BuildIdMismatch,
    /// The log has no build id for the module.
    NoBuildId,
    /// The file was modified after the program started.
    Modified,
    /// The module was stripped, and its dynamic symbols don't cover every frame.
    Stripped,
    /// The log has more modules than the limit.
    TooMany,
    /// An earlier lookup timed out, and no further lookups are made.
    Timeout,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => {
                "file not found on this machine; check the log where the program was built"
            }
            Self::NotElf => "not an ELF file",
            Self::TooLarge => "the file exceeds the size limit",
            Self::Unreadable(cause) => return write!(f, "cannot read the file: {cause}"),
            Self::Corrupt => "the ELF file is corrupt",
            Self::UnsupportedCompression => {
                "unsupported compression of debug information; link without compression or with \
                 zlib"
            }
            Self::BuildIdMismatch => {
                "the file on this machine has another build id than the log; check the log where \
                 the program was built, before it is rebuilt"
            }
            Self::NoBuildId => {
                "the log has no build id for it, so the file on this machine may be another build; \
                 clang 14, gcc 13 and newer print build ids if the linker writes them \
                 (-Wl,--build-id)"
            }
            Self::Modified => "the file was modified after the program started",
            Self::Stripped => {
                "has no symbols for some frames: it was stripped, and no debug file is installed"
            }
            Self::TooMany => "the log has more modules than leakgate opens",
            Self::Timeout => "the lookup in another module timed out",
        })
    }
}

/// Maximum number of modules with a note each.
const MAX_NOTES: usize = 16;

/// Modules of a log in order of appearance, each with its error.
#[derive(Debug, Default)]
pub(super) struct Notes {
    modules: Vec<(String, Option<LoadError>)>,
}

impl Notes {
    /// Adds the next module with its error.
    pub(super) fn add_module(&mut self, name: &str, error: Option<LoadError>) {
        self.modules.push((name.to_owned(), error));
    }

    /// Records that a frame of a stripped module has no name.
    pub(super) fn mark_stripped(&mut self, module: usize) {
        if let Some((_, error)) = self.modules.get_mut(module) {
            error.get_or_insert(LoadError::Stripped);
        }
    }

    /// Returns a line for each module with an error, up to a limit.
    pub(super) fn lines(self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .modules
            .into_iter()
            .filter_map(|(name, error)| Some(note(&name, &error?)))
            .collect();
        let omitted = lines.len().saturating_sub(MAX_NOTES);
        lines.truncate(MAX_NOTES);
        if omitted > 0 {
            lines.push(format!(
                "{omitted} more modules have frames that are not symbolized"
            ));
        }
        lines
    }
}

fn note(name: &str, error: &LoadError) -> String {
    match error {
        LoadError::Stripped => format!("{name} {error}"),
        LoadError::UnsupportedCompression => format!("{name} has no line numbers: {error}"),
        _ => format!("{name} is not symbolized: {error}"),
    }
}
