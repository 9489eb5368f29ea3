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
    modules: Vec<(String, Option<Trouble>, u64)>,
}

impl Notes {
    /// Takes a new module and what is wrong with it; the number names it from now on.
    pub(super) fn module(&mut self, name: &str, trouble: Option<Trouble>) -> usize {
        self.modules.push((name.to_owned(), trouble, 0));
        self.modules.len() - 1
    }

    /// Counts a place of a module for which there is no name.
    pub(super) fn nameless(&mut self, module: usize) {
        if let Some((.., places)) = self.modules.get_mut(module) {
            *places += 1;
        }
    }

    /// The notes, a line for each module.
    pub(super) fn lines(self) -> Vec<String> {
        let told = self.modules.into_iter().filter_map(|(name, trouble, places)| match trouble {
            Some(trouble) => Some(format!("{name} is not symbolized: {trouble}")),
            None if places > 0 => Some(format!(
                "{name} has no names for some frames: it was stripped, and no separate debug information for it is installed"
            )),
            None => None,
        });
        let mut lines: Vec<String> = told.collect();
        let more = lines.len().saturating_sub(MOST);
        lines.truncate(MOST);
        if more > 0 {
            lines.push(format!("{more} more modules have frames that are not symbolized"));
        }
        lines
    }
}
