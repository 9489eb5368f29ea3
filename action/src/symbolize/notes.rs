//! What is said of modules whose frames got no names: once for each, however many frames there are.

use std::fmt;

/// Why a module gives no names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// There is no such file.
    Missing,
    /// It is no regular file, or no ELF.
    NoModule,
    /// More than is read.
    TooLarge,
    /// It can't be opened; the reason.
    Unreadable(String),
    /// It is an ELF file, and can't be read as one.
    Broken,
    /// Its debug information is compressed in a way that is not known here.
    Compression,
    /// Its build id is not that of the log.
    OtherBuild,
    /// The log names no build id.
    NoBuildId,
    /// It has changed since the program ran.
    Changed,
    /// It was stripped, and its dynamic symbols don't name every frame.
    Stripped,
    /// More modules than are opened.
    TooMany,
    /// Another lookup took too long, and nothing is looked up any more.
    TooLong,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "there is no such file here; check the log where the program was built",
            Self::NoModule => "it is no ELF file",
            Self::TooLarge => "there is too much to read in it",
            Self::Unreadable(why) => return write!(f, "it can't be read: {why}"),
            Self::Broken => "it is broken",
            Self::Compression => "its debug information is compressed in a way that leakgate does not know; link without it, or with zlib",
            Self::OtherBuild => "the file here has another build id than the one in the log; check the log where the program was built, before it is built anew",
            Self::NoBuildId => "the log names no build id for it, so nothing tells whether the file here is the one that ran; clang 14, gcc 13 and newer name it if the linker has written one (-Wl,--build-id)",
            Self::Changed => "the file has changed since the program ran",
            Self::Stripped => "has no names for some frames: it was stripped, and no separate debug information for it is installed",
            Self::TooMany => "the log names more modules than leakgate opens",
            Self::TooLong => "the names of another module took too long",
        })
    }
}

/// So many modules are told of one by one.
const MOST: usize = 16;

/// What happened to the modules of a log, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Notes {
    modules: Vec<(String, Option<Trouble>)>,
}

impl Notes {
    /// Takes the next module, and what is wrong with it.
    pub(super) fn module(&mut self, name: &str, trouble: Option<Trouble>) {
        self.modules.push((name.to_owned(), trouble));
    }

    /// A frame of a module has no name, since nothing tells its names.
    pub(super) fn bare(&mut self, module: usize) {
        if let Some((_, trouble)) = self.modules.get_mut(module) {
            trouble.get_or_insert(Trouble::Stripped);
        }
    }

    /// The notes, a line for each module.
    pub(super) fn lines(self) -> Vec<String> {
        let told = self
            .modules
            .into_iter()
            .filter_map(|(name, trouble)| match trouble? {
                Trouble::Stripped => Some(format!("{name} {}", Trouble::Stripped)),
                Trouble::Compression => {
                    Some(format!("{name} has no lines: {}", Trouble::Compression))
                }
                trouble => Some(format!("{name} is not symbolized: {trouble}")),
            });
        let mut lines: Vec<String> = told.collect();
        let more = lines.len().saturating_sub(MOST);
        lines.truncate(MOST);
        if more > 0 {
            lines.push(format!(
                "{more} more modules have frames that are not symbolized"
            ));
        }
        lines
    }
}
