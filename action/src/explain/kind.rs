//! Kinds of findings, explained.

use leakgate_core::advice::{self, Help, Risk};

use crate::error::Error;

/// Widest line of a text.
const WIDTH: usize = 100;

/// A kind.
pub(super) fn one(name: &str) -> Result<String, Error> {
    let help = advice::named(name).ok_or_else(|| unknown(name))?;
    let mut out = format!("{name}: {}\n\n{}\n", help.title, wrapped(help.meaning));
    for (head, text) in parts(help) {
        out += &format!("\n{head}\n{}\n", wrapped(text));
    }
    if let Some(number) = help.cwe {
        out += &format!("\nCWE-{number}, https://cwe.mitre.org/data/definitions/{number}.html\n");
    }
    Ok(out)
}

fn parts(help: &Help) -> impl Iterator<Item = (&'static str, &'static str)> {
    let parts = [
        ("What usually fixes it:", Some(help.fix)),
        ("What is often harmless:", help.harmless),
        ("How to learn more:", help.more),
    ];
    parts
        .into_iter()
        .filter_map(|(head, text)| Some((head, text?)))
}

/// Every kind with its name for people.
pub(super) fn all() -> String {
    let kinds = advice::kinds();
    let width = kinds.iter().map(|k| k.len()).max().unwrap_or(0);
    let mut out = String::new();
    for help in kinds
        .iter()
        .filter_map(|kind| advice::named(&kind.replace('*', "x")))
    {
        let mark = if matches!(help.risk, Risk::Security(_)) {
            '!'
        } else {
            ' '
        };
        out += &format!("{mark} {:width$}  {}\n", help.kind, help.title);
    }
    out + "\n! memory may be read or written that is not the program's to use\n"
}

fn unknown(name: &str) -> Error {
    let near = advice::kinds()
        .into_iter()
        .filter(|kind| !kind.contains('*'))
        .find(|kind| is_near(kind, name));
    let help = near.map_or_else(
        || "`leakgate explain kind` lists all".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Error::Usage(format!("nothing is known of `{name}`; {help}"))
}

/// One holds the other, or all words of it.
fn is_near(kind: &str, name: &str) -> bool {
    let name = name.to_lowercase().replace(['_', ' '], "-");
    name.len() > 2
        && (kind.contains(&name)
            || name.contains(kind)
            || name
                .split('-')
                .all(|word| kind.split('-').any(|k| k == word)))
}

/// Lines of words, indented.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::from(" ")];
    for word in text.replace('`', "").split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < WIDTH => {
                *line += &format!(" {word}")
            }
            _ => lines.push(format!("  {word}")),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_part_of_its_name() {
        for (name, want) in [
            ("Use After Fre", "heap-use-after-free"),
            ("Double Free", "double-free"),
            ("zzz", "explain kind"),
        ] {
            assert!(
                one(name).unwrap_or_else(|e| e.to_string()).contains(want),
                "{name}"
            );
        }
    }

    #[test]
    fn lines_are_short_enough_to_read() {
        let longest = |text: String| text.lines().map(|l| l.chars().count()).max().unwrap();
        assert!(longest(one("leak-definite").unwrap()) <= WIDTH);
        assert!(longest(all()) <= 110);
    }
}
