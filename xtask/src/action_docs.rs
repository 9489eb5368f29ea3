//! `cargo xtask action-docs`: generates the tables of inputs and outputs in docs/action.md from the
//! metadata of the actions.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use saphyr::{LoadableYamlNode, Yaml};

use crate::{Outcome, setup};

const DOCUMENT: &str = "docs/action.md";
const END: &str = "<!-- end -->";

/// The tables: a section of a file.
const TABLES: &[(&str, &str)] = &[
    ("inputs", "action.yml"),
    ("outputs", "action.yml"),
    ("inputs", "publish/action.yml"),
];

/// Updates the tables between their markers.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask action-docs".into());
    }
    let repository = setup::repository()?;
    let path = repository.join(DOCUMENT);
    let current = with_current_tables(&repository, &fs::read_to_string(&path)?)?;
    Ok(fs::write(path, current)?)
}

/// Returns the document with current tables.
fn with_current_tables(repository: &Path, document: &str) -> Outcome<String> {
    let mut document = document.to_owned();
    for (part, file) in TABLES {
        let marker = format!("<!-- {part} of {file} -->\n");
        let start = document
            .find(&marker)
            .ok_or_else(|| format!("{DOCUMENT} has no {}", marker.trim_end()))?
            + marker.len();
        let length = document[start..]
            .find(END)
            .ok_or_else(|| format!("no {END} follows {}", marker.trim_end()))?;
        document.replace_range(start..start + length, &table(repository, part, file)?);
    }
    Ok(document)
}

fn table(repository: &Path, part: &str, file: &str) -> Outcome<String> {
    let text = fs::read_to_string(repository.join(file))?;
    let documents = Yaml::load_from_str(&text)?;
    let entries = documents
        .first()
        .and_then(|action| action.as_mapping_get(part))
        .and_then(Yaml::as_mapping);
    let is_input = part == "inputs";
    let mut table = match is_input {
        true => "| input | default | what it is |\n|---|---|---|\n".to_owned(),
        false => "| output | what it is |\n|---|---|\n".to_owned(),
    };
    for (name, entry) in entries.ok_or_else(|| format!("{file} has no {part}"))? {
        let text = |key: &str| entry.as_mapping_get(key).and_then(Yaml::as_str);
        let name = name.as_str().unwrap_or_default();
        let what = text("description").unwrap_or_default();
        let default = match (
            text("default"),
            entry.as_mapping_get("required").and_then(Yaml::as_bool),
        ) {
            (Some(default), _) => format!("`{default}`"),
            (None, Some(true)) => "required".to_owned(),
            (None, _) => String::new(),
        };
        match is_input {
            true => writeln!(table, "| `{name}` | {default} | {what} |")?,
            false => writeln!(table, "| `{name}` | {what} |")?,
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{examples, release};

    #[test]
    fn tables_are_current() {
        let repository = setup::repository().unwrap();
        let document = fs::read_to_string(repository.join(DOCUMENT)).unwrap();
        assert_eq!(
            with_current_tables(&repository, &document).unwrap(),
            document,
            "run `cargo xtask action-docs`"
        );
    }

    /// Collects all steps that use an action of this repository, with the names of their inputs.
    fn uses<'a>(node: &'a Yaml<'a>, found: &mut Vec<(&'a str, Vec<&'a str>)>) {
        if let Some(items) = node.as_sequence() {
            items.iter().for_each(|item| uses(item, found));
        }
        if let Some(entries) = node.as_mapping() {
            entries.values().for_each(|value| uses(value, found));
            let with = node.as_mapping_get("with").and_then(Yaml::as_mapping);
            let names = with
                .map(|with| with.keys().filter_map(Yaml::as_str).collect())
                .unwrap_or_default();
            let action = node.as_mapping_get("uses").and_then(Yaml::as_str);
            found.extend(
                action
                    .filter(|action| action.starts_with("leakgate/"))
                    .map(|action| (action, names)),
            );
        }
    }

    #[test]
    fn examples_use_existing_inputs_and_the_newest_release() {
        let repository = setup::repository().unwrap();
        let manifest = fs::read_to_string(repository.join(release::MANIFEST)).unwrap();
        let newest = format!("v{}", release::documented_version(&manifest));
        let mut count = 0;
        for example in examples::all(&repository).unwrap() {
            let documents = Yaml::load_from_str(&example.text).unwrap();
            let mut found = Vec::new();
            documents
                .iter()
                .for_each(|document| uses(document, &mut found));
            for (action, names) in found {
                let (action, version) = action.split_once('@').unwrap();
                // Before the first release, `leakgate init` refers to the branch.
                let is_init = version == "main" && example.place.starts_with("docs/init/");
                assert!(
                    version == newest || is_init,
                    "{}: {version}, expected {newest}",
                    example.place
                );
                let file = action
                    .replace("leakgate/leakgate", "")
                    .trim_start_matches('/')
                    .to_owned()
                    + "/action.yml";
                let known = table(&repository, "inputs", file.trim_start_matches('/')).unwrap();
                for name in names {
                    assert!(
                        known.contains(&format!("\n| `{name}` |")),
                        "{}: {action} has no input {name}",
                        example.place
                    );
                }
                count += 1;
            }
        }
        assert!(count >= 5, "found only {count} steps");
    }
}
