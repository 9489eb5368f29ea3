//! Which commands GitHub's runner would take from the output of a step.
//!
//! Written after the runner's own reader (`ActionCommand.cs`, `ActionCommandManager.cs`), and apart
//! from leakgate's escaping, so that each checks the other. This is more than `act` reads: it knows
//! no `##[…]`.

/// One command that the runner would carry out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Executed {
    /// In lower case.
    pub(crate) name: String,
    pub(crate) properties: Vec<(String, String)>,
    pub(crate) data: String,
}

/// The commands that the runner knows; of any other name it makes plain text.
const KNOWN: &[&str] = &[
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

impl Executed {
    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        self.properties
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Any of the three that are shown at a line of code.
    pub(crate) fn is_annotation(&self) -> bool {
        matches!(self.name.as_str(), "error" | "warning" | "notice")
    }
}

/// The commands in what a step printed on both streams.
pub(crate) fn executed(output: &[u8]) -> Vec<Executed> {
    let text = String::from_utf8_lossy(output);
    let mut stopped: Option<String> = None;
    let mut commands = Vec::new();
    // Each end of a line is one for the runner: \n, \r\n, and \r alone.
    for line in text.split(['\n', '\r']) {
        let known = |name: &str| KNOWN.contains(&name) || stopped.as_deref() == Some(name);
        let Some(command) = read(line, known) else {
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

/// `::name key=value,key=value::data` at the start of a line, or else `##[name
/// key=value;key=value]data` anywhere in it.
fn read(line: &str, known: impl Fn(&str) -> bool) -> Option<Executed> {
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
            &known,
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
            &known,
        )
    };
    current().or_else(legacy)
}

fn command(
    head: &str,
    comma: char,
    codes: &[(&str, &str)],
    data: &str,
    known: impl Fn(&str) -> bool,
) -> Option<Executed> {
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let name = name.to_lowercase();
    if !known(&name) {
        return None;
    }
    let plain = |text: &str| {
        codes.iter().fold(text.to_owned(), |text, (code, meant)| {
            text.replace(code, meant)
        })
    };
    let pairs = properties
        .split(comma)
        .filter_map(|pair| pair.split_once('='));
    let properties = pairs
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.trim().to_owned(), plain(value)));
    Some(Executed {
        name,
        properties: properties.collect(),
        data: plain(data),
    })
}

#[test]
fn commands_stand_at_the_start_and_old_ones_anywhere() {
    let of = |text: &str| {
        executed(text.as_bytes())
            .into_iter()
            .map(|c| format!("{}={}", c.name, c.data))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("  ::ERROR file=a.c,line=3::x%0Ay%25"), ["error=x\ny%"]);
    assert_eq!(
        of("\u{a0}::notice::x\rz::error::no\r\n\t::debug::y"),
        ["notice=x", "debug=y"]
    );
    assert_eq!(
        of("see ##[Warning file=a.c;line=3]x, ##[error]y"),
        ["warning=x, ##[error]y"]
    );
    assert_eq!(
        of("::unknown::x\n: :error::x\n::error x\n##[error x\nstd::error::x"),
        [""; 0]
    );
    assert_eq!(of("::unknown:: ##[group]x"), ["group=x"]);
    let stopped =
        of("::stop-commands::To-1\n::error::a\n##[error]b\n::to-2::\n::tO-1::\n::error::c");
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
