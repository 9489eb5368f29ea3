//! Links from places to the files of the commit.

use alloc::format;
use alloc::string::String;

use crate::emit::escape::push_percent_encoded;
use crate::emit::{Location, RenderOptions};

/// Maximum length of a URL. Longer ones would take the space of other findings.
const MAX_URL: usize = 400;

/// Returns the URL of a location in the repository. `None` without
/// [`RenderOptions::files_url`], or if the path can't be that of a file in the repository.
pub(super) fn url(location: &Location, options: &RenderOptions<'_>) -> Option<String> {
    let mut url = format!("{}/", options.files_url?.trim_end_matches('/'));
    if !is_relative(&location.file) {
        return None;
    }
    push_percent_encoded(&location.file, &mut url);
    if let Some(line) = location.line {
        url += &format!("#L{line}");
    }
    (url.len() <= MAX_URL).then_some(url)
}

/// Makes a code span a link, if there is a URL.
pub(super) fn linked(code: String, url: Option<String>) -> String {
    // A code span takes precedence over brackets: <https://github.github.com/gfm/#code-spans>.
    match url {
        Some(url) if !code.is_empty() => format!("[{code}]({url})"),
        _ => code,
    }
}

/// Returns true if a path stays below the root that it is relative to.
fn is_relative(path: &str) -> bool {
    let is_plain = |part: &str| {
        !matches!(part, "" | "." | "..") && !part.contains('\\') && !part.ends_with(':')
    };
    path.split('/').all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str, line: Option<u32>) -> Option<String> {
        let location = Location {
            file: file.into(),
            line,
            column: Some(9),
        };
        let options = RenderOptions {
            files_url: Some("https://h/o/r/blob/abc"),
            ..RenderOptions::default()
        };
        url(&location, &options)
    }

    #[test]
    fn only_paths_in_the_repository_are_linked() {
        assert_eq!(
            of("src/a b#(1)|é.c", Some(8)).as_deref(),
            Some("https://h/o/r/blob/abc/src/a%20b%23%281%29%7C%C3%A9.c#L8")
        );
        assert_eq!(
            of("a.c", None).as_deref(),
            Some("https://h/o/r/blob/abc/a.c")
        );
        for path in [
            "/usr/a.c",
            "../a.c",
            "a/../../b.c",
            "C:/a.c",
            "a\\b.c",
            "",
            "a//b.c",
        ] {
            assert_eq!(of(path, Some(1)), None, "{path}");
        }
        assert_eq!(of(&"é/".repeat(100), Some(1)), None);
        assert_eq!(of(&format!("{}.c", "é".repeat(100)), Some(1)), None);
    }

    #[test]
    fn code_is_linked_only_with_a_url() {
        let link = |code: &str, url: Option<&str>| linked(code.into(), url.map(String::from));
        assert_eq!(link("`a`", Some("u")), "[`a`](u)");
        assert_eq!(link("`a`", None), "`a`");
        assert_eq!(link("", Some("u")), "");
    }
}
