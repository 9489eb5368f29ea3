//! Explanations of kinds of findings.

use leakgate_core::advice::{self, Help, Risk};
use leakgate_core::rules::Pack;

use super::wrap;
use crate::error::Error;

/// Returns the explanation of a kind.
///
/// # Errors
/// Returns an error with a suggestion if the kind is unknown.
pub(super) fn explain(name: &str) -> Result<String, Error> {
    let help = advice::find_help(name)
        .filter(|_| advice::misspelled_kind(name).is_none())
        .ok_or_else(|| unknown_kind(name))?;
    let mut out = format!("{name}: {}\n\n{}\n", help.title, wrap(help.meaning));
    for (heading, text) in sections(help) {
        out += &format!("\n{heading}\n{}\n", wrap(text));
    }
    if let (Some(number), Some(url)) = (help.cwe, help.cwe_url()) {
        out += &format!("\nCWE-{number}, {url}\n");
    }
    Ok(out)
}

/// Returns the sections after the meaning: headings and texts.
fn sections(help: &Help) -> impl Iterator<Item = (&'static str, &'static str)> {
    let sections = [
        ("How to fix it:", Some(help.fix)),
        ("If it is intended:", help.harmless),
        ("How to learn more:", help.more),
    ];
    sections
        .into_iter()
        .filter_map(|(heading, text)| Some((heading, text?)))
}

/// Returns a list of all kinds with their titles.
pub(super) fn list() -> String {
    let kinds = advice::kinds();
    let width = kinds.iter().map(|k| k.len()).max().unwrap_or(0);
    let mut out = String::new();
    for help in kinds
        .iter()
        .filter_map(|kind| advice::find_help(&kind.replace('*', "x")))
    {
        let is_security_risk = matches!(help.risk, Risk::Security(_));
        let mark = if is_security_risk { '!' } else { ' ' };
        out += &format!("{mark} {:width$}  {}\n", help.kind, help.title);
    }
    out + "\n! may read or write memory that the program doesn't own\n"
}

/// Returns the error for a name that is neither a kind nor a code.
fn unknown_kind(name: &str) -> Error {
    let kinds = advice::kinds();
    let mut kinds = kinds.into_iter().filter(|kind| !kind.contains('*'));
    let mut codes = advice::codes().into_iter().map(|help| help.code);
    let near = advice::misspelled_kind(name)
        .or_else(|| kinds.find(|kind| is_near(kind, name)))
        .or_else(|| advice::misspelled_code(name))
        .or_else(|| codes.find(|code| is_near(code, name)));
    let help = if Pack::find(name).is_some() {
        format!("for the pack, run `leakgate explain pack {name}`")
    } else if let Some(near) = near {
        format!("did you mean `{near}`?")
    } else {
        "run `leakgate explain kind` for a list of kinds, or `leakgate explain code` for one of \
         codes"
            .to_owned()
    };
    Error::with_help(format!("unknown finding kind or code `{name}`"), help)
}

/// Returns true if one name contains the other, or if every word of `name` occurs in the known
/// one.
fn is_near(known: &str, name: &str) -> bool {
    let name = name.to_lowercase().replace(['_', ' '], "-");
    name.len() > 2
        && (known.contains(&name)
            || name.contains(known)
            || name
                .split('-')
                .all(|word| known.split('-').any(|k| k == word)))
}

#[cfg(test)]
mod tests {
    use super::super::WIDTH;
    use super::*;

    #[test]
    fn unknown_kind_suggests_similar_kind() {
        for (name, want) in [
            ("Use After Fre", "heap-use-after-free"),
            ("Double Free", "double-free"),
            ("leak-definitely", "did you mean `leak-definite`"),
            ("python", "explain pack python"),
            ("trunkated-report", "did you mean `truncated-report`?"),
            ("no_evidence", "did you mean `no-evidence`?"),
            ("zzz", "explain kind"),
        ] {
            assert!(
                explain(name)
                    .unwrap_or_else(|e| e.to_string())
                    .contains(want),
                "{name}"
            );
        }
    }

    #[test]
    fn lines_are_short() {
        let longest = |text: String| text.lines().map(|l| l.chars().count()).max().unwrap();
        assert!(longest(explain("leak-definite").unwrap()) <= WIDTH);
        assert!(longest(list()) <= 110);
    }
}
