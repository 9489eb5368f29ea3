//! Suppression files: detects the format and reads the rules.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::{Rule, sanitizer, valgrind};
use crate::diagnostic::Diagnostic;
use crate::full;

/// The format of a suppression file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// valgrind: entries in braces.
    Valgrind,
    /// Sanitizers: `type:template` lines.
    Sanitizer,
    /// Only blank lines and comments.
    Empty,
}

impl FileFormat {
    /// Returns the name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valgrind => "valgrind",
            Self::Sanitizer => "sanitizer",
            Self::Empty => "empty",
        }
    }
}

/// Reads a suppression file of valgrind or a sanitizer, and detects its format.
///
/// # Errors
/// Returns every error for which the tool itself would reject the file.
///
/// ```
/// use leakgate_core::rules::{FileFormat, read_file};
///
/// let text = "{\n   made by make\n   Memcheck:Leak\n   fun:malloc\n   fun:make\n}\n";
/// let (format, rules) = read_file("valgrind.supp", text).unwrap();
/// assert_eq!(format, FileFormat::Valgrind);
/// assert_eq!(rules[0].id, "made by make");
/// assert_eq!(rules[0].origin.to_string(), "valgrind.supp:1");
///
/// let errors = read_file("lsan.supp", "leek:make\n").unwrap_err();
/// assert_eq!(errors[0].line, 1);
/// ```
pub fn read_file(name: &str, text: &str) -> Result<(FileFormat, Vec<Rule>), Vec<Diagnostic>> {
    full::require();
    if text.starts_with('\u{feff}') {
        let message = "unexpected byte order mark: valgrind and the sanitizers reject such files";
        return Err(vec![Diagnostic::at_line(name, text, 1, message)]);
    }
    let format = detect_format(name, text).map_err(|error| vec![error])?;
    let (rules, errors) = match format {
        FileFormat::Valgrind => valgrind::read(name, text),
        FileFormat::Sanitizer => sanitizer::read(name, text),
        FileFormat::Empty => (Vec::new(), Vec::new()),
    };
    if errors.is_empty() {
        Ok((format, rules))
    } else {
        Err(errors)
    }
}

fn detect_format(name: &str, text: &str) -> Result<FileFormat, Diagnostic> {
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
        let message = if is_ignore_list(text) {
            String::from(
                "this is a compiler ignore list (-fsanitize-ignorelist), not a suppression file",
            )
        } else if let Some(kind) = suppression_type(first) {
            sanitizer::unknown_type(kind)
        } else {
            format!(
                "`{first}` starts neither a valgrind suppression (`{{`) nor a sanitizer \
                 suppression (`type:template`)"
            )
        };
        Err(Diagnostic::at_line(
            name,
            text,
            u32::try_from(at + 1).unwrap_or(u32::MAX),
            message,
        ))
    }
}

/// Returns the type of a line that looks like a sanitizer's suppression: `leek` in `leek:foo`.
fn suppression_type(line: &str) -> Option<&str> {
    let (kind, template) = line.split_once(':')?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (!kind.is_empty() && !template.is_empty() && kind.chars().all(fits)).then_some(kind)
}

/// Returns true if the text contains `src:`, `fun:`, `type:` lines or bracketed sections, which
/// only clang's ignore lists have.
fn is_ignore_list(text: &str) -> bool {
    let prefixes = ["src:", "fun:", "type:", "global:", "mainfile:", "["];
    text.lines()
        .map(str::trim)
        .any(|line| prefixes.iter().any(|prefix| line.starts_with(prefix)))
}
