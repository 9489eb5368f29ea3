//! Renders a new `leakgate.toml`.

use super::project::Project;
use super::suppressions::Suppressions;

/// The default policy, with the most frequently changed keys first.
const GATE: &str = r#"[gate]
# Findings that fail the gate. These are the defaults; uncomment a line to change it.
# fail-on = ["errors", "leak-definite", "leak-indirect", "leak-possible", "fd-leak"]
"#;

/// The policy of a Python extension. In front of an object that the garbage collector tracks is a
/// header, which is the start of its block (`Include/internal/pycore_gc.h`).
const PYTHON_GATE: &str = r#"[gate]
# Findings that fail the gate. The default also has "leak-possible": blocks with pointers only to
# their inside, as every object has that Python's garbage collector tracks.
fail-on = ["errors", "leak-definite", "leak-indirect", "fd-leak"]
"#;

const MORE_LEVELS: &str = r#"# unused-rules = "warn"     # allow | warn | fail: rules that match no finding
# silence = "fail"          # fail | pass: a log without any checker output
"#;

const THIRD_PARTY: &str = "\
# third-party = \"fail\"      # allow | warn | fail: findings without a frame of your code
";

/// The interpreter leaks hundreds of blocks before a test begins, more than any pack covers. Leaks
/// of an extension module would be lost among them. Blocks that the interpreter allocates for an
/// extension module have frames of the module, and still fail.
const PYTHON_THIRD_PARTY: &str = "\
# Ignore findings of the interpreter that have no frame of your code. The default is \"fail\".
third-party = \"allow\"       # allow | warn | fail
";

const REST: &str = r#"# own = ["src/**"]          # your source files; by default the repository
# Created by `leakgate baseline write`; only new or grown findings fail.
# baseline = "leakgate-baseline.json"

# Accepted findings, each with a reason. `leakgate allow FINGERPRINT LOG --reason TEXT` adds one.
# [[allow]]
# id = "plugin-registry"
# kinds = ["leak-definite"]
# stack = ["runtime...", "fun:registry_add", "..."]
# reason = "Plugins stay registered until the process ends."
# limit = { bytes = 4096 }  # larger leaks fail
# expires = 2031-01-31      # last day on which the finding is accepted
"#;

/// Returns the configuration of a project.
pub(super) fn render(
    project: &Project,
    suppressions: &Suppressions,
    allocators: &[String],
) -> String {
    let mut out = String::from(
        "#:schema https://raw.githubusercontent.com/leakgate/leakgate/main/docs/leakgate.schema.json\n\
         # Configuration of the memory gate: which findings fail, and which are accepted.\n\
         # All keys: https://github.com/leakgate/leakgate/blob/main/docs/rules.md\n\n",
    );
    let is_python = project.jobs.iter().any(|job| job.id == "python");
    out += if is_python { PYTHON_GATE } else { GATE };
    out += MORE_LEVELS;
    out += if is_python {
        PYTHON_THIRD_PARTY
    } else {
        THIRD_PARTY
    };
    out += "\n[files]\n";
    match suppressions.files.as_slice() {
        [] => {
            out += "# Suppression files of valgrind or a sanitizer.\n\
                    # suppressions = [\"tests/valgrind.supp\"]\n"
        }
        files => {
            out += "# Suppression files of valgrind or a sanitizer, as found in this project.\n";
            out += &list("suppressions", files.iter().map(String::as_str));
        }
    }
    for (file, _) in &suppressions.unreadable {
        out += &format!(
            "# Skipped because it cannot be parsed: {}\n",
            toml_string(file)
        );
    }
    if !allocators.is_empty() {
        out += "# Functions of this project that allocate for their callers. Leaks are shown at the \
                callers.\n";
        let patterns: Vec<String> = allocators
            .iter()
            .map(|name| format!("fun:{name}"))
            .collect();
        out += &list("allocators", patterns.iter().map(String::as_str));
    }
    match project.packs.as_slice() {
        [] => {
            out += "# packs = [\"python\"]        # built-in rules for libraries: \
                    `leakgate explain pack`\n"
        }
        packs => {
            out +=
                "# Built-in rules for libraries of this project: `leakgate explain pack NAME`.\n";
            out += &list("packs", packs.iter().copied());
        }
    }
    out + REST
}

/// Returns a key with an array, with one item per line if it is long.
fn list<'a>(key: &str, items: impl Iterator<Item = &'a str>) -> String {
    let items: Vec<String> = items.map(toml_string).collect();
    let short = format!("{key} = [{}]\n", items.join(", "));
    if short.len() <= 100 {
        short
    } else {
        format!("{key} = [\n  {},\n]\n", items.join(",\n  "))
    }
}

/// Returns a basic TOML string. Its escapes are those of JSON, and DEL.
fn toml_string(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use leakgate_core::policy::Level;
    use leakgate_core::{Config, Policy};

    use super::super::project::Job;

    use super::*;

    /// Uncomments all keys.
    fn uncomment(text: &str) -> String {
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
    fn defaults_are_shown_and_unchanged() {
        let text = render(&Project::default(), &Suppressions::default(), &[]);
        let plain = Config::read("leakgate.toml", &text).unwrap();
        assert_eq!((plain.policy, plain.rules.len()), (Policy::default(), 0));
        let full = Config::read("leakgate.toml", &uncomment(&text)).unwrap();
        assert_eq!((&full.policy, full.rules.len()), (&Policy::default(), 1));
        assert!(
            full.files.baseline.is_some()
                && full.files.own.len() == 1
                && full.files.packs == ["python"]
        );
    }

    #[test]
    fn python_ignores_findings_of_the_interpreter() {
        let policy = |id| {
            let project = Project {
                jobs: vec![Job {
                    id,
                    ..Job::default()
                }],
                ..Project::default()
            };
            Config::read(
                "leakgate.toml",
                &render(&project, &Suppressions::default(), &[]),
            )
            .unwrap()
            .policy
        };
        let mut expected = Policy::default();
        expected.third_party = Level::Allow;
        expected
            .set_fail_on(["errors", "leak-definite", "leak-indirect", "fd-leak"])
            .unwrap();
        assert_eq!(policy("python"), expected);
        assert_eq!(policy("rust"), Policy::default());
    }

    #[test]
    fn file_names_are_escaped() {
        let files = [
            "a\"b.supp".to_owned(),
            "c\n[gate]\\\u{7f}\u{85}.supp".into(),
            "x".repeat(100),
        ];
        let unreadable = vec![("d\n[gate]".to_owned(), String::new())];
        let project = Project {
            packs: vec!["glib"],
            ..Project::default()
        };
        let text = render(
            &project,
            &Suppressions {
                files: files.to_vec(),
                unreadable,
            },
            &["xmalloc".to_owned()],
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
        assert!(text.contains("allocators = [\"fun:xmalloc\"]\n"), "{text}");
    }
}
