//! Parses the workflow commands that GitHub's runner would execute from the output of a step.
//!
//! Follows the runner's own parser (`ActionCommand.cs`, `ActionCommandManager.cs`) and is
//! independent of leakgate's escaping, so each checks the other. Unlike `act`, it supports
//! `##[…]`.

use libtest_mimic::Trial;

use crate::needs::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "workflows",
        commands_start_a_line_and_legacy_ones_are_anywhere()
    )
}

/// A command that the runner would execute.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ExecutedCommand {
    /// Name, in lower case.
    pub(crate) name: String,
    pub(crate) properties: Vec<(String, String)>,
    pub(crate) data: String,
}

/// Commands that the runner supports. Any other name is plain text.
const SUPPORTED: &[&str] = &[
    "add-mask",
    "add-matcher",
    "add-path",
    "debug",
    "echo",
    "endgroup",
    "error",
    "group",
    "internal-set-repo-path",
    "notice",
    "remove-matcher",
    "save-state",
    "set-env",
    "set-output",
    "stop-commands",
    "warning",
];

impl ExecutedCommand {
    /// Returns the value of a property.
    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        self.properties
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns true for commands that GitHub shows at a line of code.
    pub(crate) fn is_annotation(&self) -> bool {
        matches!(self.name.as_str(), "error" | "warning" | "notice")
    }
}

/// Returns the commands in the output of a step (standard output and standard error).
pub(crate) fn executed(output: &[u8]) -> Vec<ExecutedCommand> {
    let text = String::from_utf8_lossy(output);
    let mut stopped: Option<String> = None;
    let mut commands = Vec::new();
    // The runner accepts \n, \r\n, and \r alone as line ends.
    for line in text.split(['\n', '\r']) {
        let is_known = |name: &str| SUPPORTED.contains(&name) || stopped.as_deref() == Some(name);
        let Some(command) = parse(line, is_known) else {
            continue;
        };
        if stopped.as_deref() == Some(command.name.as_str()) {
            stopped = None;
        } else if stopped.is_none() {
            if command.name == "stop-commands" {
                stopped = Some(command.data.to_lowercase());
            }
            commands.push(command);
        }
    }
    commands
}

/// Parses `::name key=value,key=value::data` at the start of a line, or else
/// `##[name key=value;key=value]data` anywhere in it.
fn parse(line: &str, is_known: impl Fn(&str) -> bool) -> Option<ExecutedCommand> {
    let current = || {
        let (head, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
        command(
            head,
            ',',
            &[
                ("%0D", "\r"),
                ("%0A", "\n"),
                ("%3A", ":"),
                ("%2C", ","),
                ("%25", "%"),
            ],
            data,
            &is_known,
        )
    };
    let legacy = || {
        let (head, data) = line.split_once("##[")?.1.split_once(']')?;
        command(
            head,
            ';',
            &[
                ("%0D", "\r"),
                ("%0A", "\n"),
                ("%5D", "]"),
                ("%3B", ";"),
                ("%25", "%"),
            ],
            data,
            &is_known,
        )
    };
    current().or_else(legacy)
}

fn command(
    head: &str,
    separator: char,
    escapes: &[(&str, &str)],
    data: &str,
    is_known: impl Fn(&str) -> bool,
) -> Option<ExecutedCommand> {
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let name = name.to_lowercase();
    if !is_known(&name) {
        return None;
    }
    let unescape = |text: &str| {
        escapes
            .iter()
            .fold(text.to_owned(), |text, (escape, character)| {
                text.replace(escape, character)
            })
    };
    let pairs = properties
        .split(separator)
        .filter_map(|pair| pair.split_once('='));
    let properties = pairs
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.trim().to_owned(), unescape(value)));
    Some(ExecutedCommand {
        name,
        properties: properties.collect(),
        data: unescape(data),
    })
}

fn commands_start_a_line_and_legacy_ones_are_anywhere() {
    let commands = |text: &str| {
        executed(text.as_bytes())
            .into_iter()
            .map(|c| format!("{}={}", c.name, c.data))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        commands("  ::ERROR file=a.c,line=3::x%0Ay%25"),
        ["error=x\ny%"]
    );
    assert_eq!(
        commands("\u{a0}::notice::x\rz::error::no\r\n\t::debug::y"),
        ["notice=x", "debug=y"]
    );
    assert_eq!(
        commands("see ##[Warning file=a.c;line=3]x, ##[error]y"),
        ["warning=x, ##[error]y"]
    );
    assert_eq!(
        commands("::unknown::x\n: :error::x\n::error x\n##[error x\nstd::error::x"),
        [""; 0]
    );
    assert_eq!(commands("::unknown:: ##[group]x"), ["group=x"]);
    let stopped =
        commands("::stop-commands::To-1\n::error::a\n##[error]b\n::to-2::\n::tO-1::\n::error::c");
    assert_eq!(stopped, ["stop-commands=To-1", "error=c"]);
    let properties = executed(b"::error file=a%2Cb%3Ac,line=,title= x=y::m");
    assert_eq!(
        properties[0].properties,
        [
            ("file".to_owned(), "a,b:c".to_owned()),
            ("title".to_owned(), " x=y".to_owned())
        ]
    );
}
