//! Logs that `leakgate run --keep-logs` kept: which inputs they are, and what `leakgate run` has
//! already set.

use alloc::collections::BTreeMap;

use crate::parse::Parsed;

/// The output of the command, in the folder of each group of checkers.
const OUTPUTS: [&str; 2] = ["stdout.txt", "stderr.txt"];

/// Options that `leakgate run` sets, whatever the user asks for.
const SET_BY_RUN: &[&str] = &[
    "--error-limit=no",
    "--leak-check=full",
    "--log-file=valgrind.%p.log",
    "--show-leak-kinds=all",
    "log_path=sanitizer.log",
    "max_leaks=0",
    "print_stacktrace=1",
    "symbolize=1",
];

/// Returns true if `leakgate run` sets this option.
pub(super) fn is_set_by_run(option: &str) -> bool {
    SET_BY_RUN.contains(&option)
}

/// The folders of kept logs.
#[derive(Debug)]
pub(super) struct KeptLogs<'a> {
    /// For each folder, the number of the command's outputs and whether a checker wrote something.
    folders: BTreeMap<&'a str, (usize, bool)>,
}

impl<'a> KeptLogs<'a> {
    /// Finds the folders with both outputs of a command.
    pub(super) fn find(parsed: &'a Parsed) -> Self {
        let mut folders: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
        for input in &parsed.inputs {
            let (folder, name) = split(&input.name);
            let (outputs, has_reports) = folders.entry(folder).or_default();
            *outputs += usize::from(OUTPUTS.contains(&name));
            *has_reports |= input.has_output;
        }
        folders.retain(|_, (outputs, _)| *outputs == OUTPUTS.len());
        Self { folders }
    }

    /// Returns true if an input is in a folder of kept logs.
    pub(super) fn contains(&self, parsed: &Parsed, input: usize) -> bool {
        parsed
            .inputs
            .get(input)
            .is_some_and(|input| self.folders.contains_key(split(&input.name).0))
    }

    /// Returns true if an input is the output of a command whose checkers wrote reports to other
    /// files.
    pub(super) fn is_output_next_to_reports(&self, parsed: &Parsed, input: usize) -> bool {
        parsed.inputs.get(input).is_some_and(|input| {
            let (folder, name) = split(&input.name);
            let has_reports = self.folders.get(folder).is_some_and(|(_, has)| *has);
            has_reports && OUTPUTS.contains(&name)
        })
    }
}

/// Splits a path into its folder and its file name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once(['/', '\\']).unwrap_or(("", path))
}
