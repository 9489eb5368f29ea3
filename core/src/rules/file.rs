//! Which language a suppression file is written in.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Rule, sanitizer, valgrind};
use crate::mistake::Mistake;

/// The language of a suppression file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// valgrind's: entries in braces.
    Valgrind,
    /// The sanitizers': `type:template` lines.
    Sanitizer,
    /// Nothing but blank lines and comments.
    Empty,
}

impl FileFormat {
    /// The name, as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valgrind => "valgrind",
            Self::Sanitizer => "sanitizer",
            Self::Empty => "empty",
        }
    }
}

/// Reads a suppression file of valgrind's or of a sanitizer's; which of them it is, its first line
/// tells.
///
/// # Errors
/// Every mistake for which the tool that owns the file would refuse it.
pub fn read_file(name: &str, text: &str) -> Result<(FileFormat, Vec<Rule>), Vec<Mistake>> {
    if text.starts_with('\u{feff}') {
        let what =
            "the file begins with a byte order mark, for which the tool that owns it refuses it";
        return Err(alloc::vec![Mistake::at_line(name, text, 1, what)]);
    }
    let format = format_of(name, text).map_err(|mistake| alloc::vec![mistake])?;
    let (rules, mistakes) = match format {
        FileFormat::Valgrind => valgrind::read(name, text),
        FileFormat::Sanitizer => sanitizer::read(name, text),
        FileFormat::Empty => (Vec::new(), Vec::new()),
    };
    if mistakes.is_empty() {
        Ok((format, rules))
    } else {
        Err(mistakes)
    }
}

fn format_of(name: &str, text: &str) -> Result<FileFormat, Mistake> {
    let mut lines = text.lines().enumerate().map(|(at, line)| (at, line.trim()));
    let Some((at, first)) = lines.find(|(_, line)| !line.is_empty() && !line.starts_with('#'))
    else {
        return Ok(FileFormat::Empty);
    };
    let is_list = || text.lines().map(str::trim).any(sanitizer::is_line);
    if first.starts_with('{') || text.lines().any(|line| line.trim() == "{") {
        Ok(FileFormat::Valgrind)
    } else if is_list() && !is_ignore_list(text) {
        Ok(FileFormat::Sanitizer)
    } else {
        let what = if is_ignore_list(text) {
            String::from(
                "this is a list of what the compiler leaves out (-fsanitize-ignorelist), no suppression file: what it names is not in any log",
            )
        } else {
            format!(
                "neither a suppression file of valgrind (`{{`) nor of a sanitizer (`type:template`): `{first}`"
            )
        };
        Err(Mistake::at_line(
            name,
            text,
            u32::try_from(at + 1).unwrap_or(u32::MAX),
            what,
        ))
    }
}

/// `src:`, `fun:`, `type:` and sections in brackets are for clang.
fn is_ignore_list(text: &str) -> bool {
    let own = ["src:", "fun:", "type:", "global:", "mainfile:", "["];
    text.lines()
        .map(str::trim)
        .any(|line| own.iter().any(|start| line.starts_with(start)))
}
