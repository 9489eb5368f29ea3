//! The text of a new `leakgate.toml`.

use super::project::Project;
use super::suppressions::Suppressions;

/// The policy, as it is without a word: what people change most, first.
const GATE: &str = r#"[gate]
# What fails, with its defaults; take the # away to change a line.
# fail-on = ["errors", "leak-definite", "leak-indirect", "leak-possible", "fd-leak"]
# unused-rules = "warn"     # allow | warn | fail: entries below that match nothing any more
# silence = "fail"          # fail | pass: what a log without any checker output means
"#;

const THIRD_PARTY: &str = "# third-party = \"fail\"      # allow | warn | fail: findings in a library, without a frame of your own\n";

/// An interpreter loses hundreds of blocks of its own before a test begins, more than any pack
/// names, and nobody would find theirs among these. What an extension lets the interpreter allocate
/// has its own frames, and fails.
const OF_PYTHON: &str = "# What the interpreter does without a frame of yours is not yours to mend; the default is \"fail\".
third-party = \"allow\"       # allow | warn | fail\n";

const REST: &str = r#"# own = ["src/**"]          # which sources are yours; all of the repository without it
# baseline = "leakgate-baseline.json"   # what is there today, by `leakgate baseline write`: only what is new fails

# What you accept, each with its reason. `leakgate allow FINGERPRINT LOG --reason TEXT` writes such an entry.
# [[allow]]
# id = "plugin-registry"
# kinds = ["leak-definite"]
# stack = ["runtime...", "fun:registry_add", "..."]
# reason = "Plugins stay registered until the process ends."
# limit = { bytes = 4096 }  # more than this fails all the same
# expires = 2031-01-31      # the last day on which it is accepted
"#;

/// The file.
pub(super) fn text(project: &Project, suppressions: &Suppressions) -> String {
    let mut out = String::from(
        "#:schema https://raw.githubusercontent.com/leakgate/leakgate/main/docs/leakgate.schema.json\n\
         # What fails the memory gate, and what is accepted.\n\
         # Every key: https://github.com/leakgate/leakgate/blob/main/docs/rules.md\n\n",
    );
    out += GATE;
    out += if project.jobs.iter().any(|job| job.id == "python") {
        OF_PYTHON
    } else {
        THIRD_PARTY
    };
    out += "\n[files]\n";
    match suppressions.files.as_slice() {
        [] => {
            out += "# suppressions = [\"tests/valgrind.supp\"]   # files of valgrind or a sanitizer, as they are\n"
        }
        files => {
            out += "# Files of valgrind and the sanitizers that were found here. They work as they are.\n";
            out += &list("suppressions", files.iter().map(String::as_str));
        }
    }
    for (file, _) in &suppressions.broken {
        out += &format!("# Left out, since it can't be read: {}\n", quoted(file));
    }
    match project.packs.as_slice() {
        [] => {
            out += "# packs = [\"python\"]        # built-in rules for known leaks of others: `leakgate explain pack`\n"
        }
        packs => {
            out += "# Built-in rules for known leaks of what this project uses: `leakgate explain pack NAME`.\n";
            out += &list("packs", packs.iter().copied());
        }
    }
    out + REST
}

fn list<'a>(key: &str, items: impl Iterator<Item = &'a str>) -> String {
    let items: Vec<String> = items.map(quoted).collect();
    let short = format!("{key} = [{}]\n", items.join(", "));
    if short.len() <= 100 {
        short
    } else {
        format!("{key} = [\n  {},\n]\n", items.join(",\n  "))
    }
}

/// A string of TOML: its basic strings escape what JSON's do, and one character more.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use leakgate_core::{Config, Level, Policy};

    use super::super::project::Job;

    use super::*;

    /// What the file says, with every line that is commented out for a person to take the `#` away.
    fn with_all(text: &str) -> String {
        let is_key = |line: &str| {
            line.starts_with("[[")
                || line
                    .split_once(" = ")
                    .is_some_and(|(key, _)| !key.contains(' '))
        };
        let line = |line: &str| {
            line.strip_prefix("# ")
                .filter(|rest| is_key(rest))
                .unwrap_or(line)
                .to_owned()
        };
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn it_changes_nothing_and_shows_the_defaults() {
        let text = text(&Project::default(), &Suppressions::default());
        let plain = Config::read("leakgate.toml", &text).unwrap();
        assert_eq!((plain.policy, plain.rules.len()), (Policy::default(), 0));
        let full = Config::read("leakgate.toml", &with_all(&text)).unwrap();
        assert_eq!((&full.policy, full.rules.len()), (&Policy::default(), 1));
        assert!(
            full.files.baseline.is_some()
                && full.files.own.len() == 1
                && full.files.packs == ["python"]
        );
    }

    #[test]
    fn the_interpreter_is_somebody_elses() {
        let of = |id| {
            let project = Project {
                jobs: vec![Job {
                    id,
                    ..Job::default()
                }],
                ..Project::default()
            };
            Config::read("leakgate.toml", &text(&project, &Suppressions::default()))
                .unwrap()
                .policy
        };
        let mut expected = Policy::default();
        expected.third_party = Level::Allow;
        assert_eq!(of("python"), expected);
        assert_eq!(of("rust"), Policy::default());
    }

    #[test]
    fn names_of_files_are_strings_whatever_is_in_them() {
        let files = [
            "a\"b.supp".to_owned(),
            "c\n[gate]\\\u{7f}\u{85}.supp".into(),
            "x".repeat(100),
        ];
        let broken = vec![("d\n[gate]".to_owned(), String::new())];
        let project = Project {
            packs: vec!["glib"],
            ..Project::default()
        };
        let text = text(
            &project,
            &Suppressions {
                files: files.to_vec(),
                broken,
            },
        );
        let config = Config::read("leakgate.toml", &text).unwrap();
        assert_eq!(
            config
                .files
                .suppressions
                .iter()
                .map(|(file, _)| file.clone())
                .collect::<Vec<_>>(),
            files
        );
        assert_eq!(config.files.packs, ["glib"]);
    }
}
