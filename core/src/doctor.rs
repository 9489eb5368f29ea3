//! Diagnoses of logs: what a log leaves unproven or doesn't show, and the checker options that
//! change it.
//!
//! Sources for the options: valgrind's manual (core and memcheck options), compiler-rt
//! `sanitizer_common/sanitizer_flags.inc`, `lsan/lsan_flags.inc`.

mod allocators;
mod checks;
mod kept;
mod no_stacks;
mod stacks;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::model::{Report, Tool};
use crate::parse::Parsed;
use crate::triage::Triage;

pub(crate) use allocators::Allocators;
use kept::KeptLogs;

/// A gap in the evidence or in the details of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Identifier in kebab-case, such as `no-symbols`.
    pub code: &'static str,
    /// Number of affected stacks, uses, problems, reports or inputs, depending on the code.
    pub count: u64,
    /// Description, including the count.
    pub what: String,
    /// First affected place: index of the input, and line counted from 1. Line 0 means the
    /// whole input.
    pub place: (usize, u64),
    /// The checker that the options belong to. `None` if the gap isn't specific to a checker.
    pub tool: Option<Tool>,
    /// Options for valgrind's command line or for the sanitizer's environment variable. May be
    /// empty.
    pub options: Vec<&'static str>,
    /// Another way to close the gap.
    pub advice: Option<&'static str>,
    /// True if `leakgate run` kept the log. It then sets the options of the next run.
    pub is_of_run: bool,
}

/// Diagnoses parsed logs. Returns the most serious gaps first.
///
/// ```
/// use leakgate_core::doctor::{commands, diagnose};
/// use leakgate_core::triage::triage;
/// use leakgate_core::{Date, Gate, NoWorkspace, Options, Parser, Policy};
///
/// let mut parser = Parser::new(Options::default());
/// parser.begin("run.log");
/// parser.feed(b"==7== Memcheck, a memory error detector\n==7== Command: ./app\n==7== \n\
///     ==7== HEAP SUMMARY:\n==7==     in use at exit: 40 bytes in 1 blocks\n\
///     ==7== Rerun with --leak-check=full to see details of leaked memory\n==7== \n\
///     ==7== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)\n");
/// let parsed = parser.finish();
/// let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 22));
/// let diagnoses = diagnose(&parsed, &triage(&parsed, &gate, &NoWorkspace));
/// assert!(commands(&diagnoses, &parsed)[0].contains("--leak-check=full"));
/// ```
pub fn diagnose(parsed: &Parsed, triage: &Triage) -> Vec<Diagnosis> {
    let mut all = Vec::new();
    let kept = KeptLogs::find(parsed);
    checks::check_silence(parsed, &kept, &mut all);
    checks::check_problems(parsed, &mut all);
    checks::check_tool_suppressions(parsed, &mut all);
    stacks::check(parsed, triage, &mut all);
    no_stacks::check(parsed, &mut all);
    checks::check_origins(parsed, &mut all);
    allocators::check(parsed, triage, &mut all);
    for diagnosis in &mut all {
        let takes_options = |tool: &Tool| tool.is_valgrind() || tool.options_variable().is_some();
        if !diagnosis.tool.as_ref().is_none_or(takes_options) {
            diagnosis.options.clear();
        }
        diagnosis.is_of_run = kept.contains(parsed, diagnosis.place.0);
        if diagnosis.is_of_run {
            diagnosis
                .options
                .retain(|option| !kept::is_set_by_run(option));
        }
    }
    all
}

/// Returns a command for each checker with the options of all its diagnoses. Checkers whose
/// diagnoses have no options are left out. For logs that `leakgate run` kept, the command is
/// `leakgate run` with the variable of the checker.
pub fn commands(diagnoses: &[Diagnosis], parsed: &Parsed) -> Vec<String> {
    let mut runs: Vec<(&Tool, bool)> = diagnoses
        .iter()
        .filter(|d| !d.options.is_empty())
        .filter_map(|d| Some((d.tool.as_ref()?, d.is_of_run)))
        .collect();
    runs.sort_unstable();
    runs.dedup();
    runs.into_iter()
        .filter_map(|(tool, is_of_run)| {
            let is_same =
                |d: &&Diagnosis| d.tool.as_ref() == Some(tool) && d.is_of_run == is_of_run;
            let options = unique_options(diagnoses.iter().filter(is_same));
            command(tool, is_of_run, &options, parsed)
        })
        .collect()
}

/// Returns the options of diagnoses, each once.
fn unique_options<'a>(diagnoses: impl Iterator<Item = &'a Diagnosis>) -> Vec<&'static str> {
    let mut options = Vec::new();
    for option in diagnoses.flat_map(|d| &d.options) {
        if !options.contains(option) {
            options.push(*option);
        }
    }
    options
}

/// Returns the command for a checker with these options. `None` if the checker takes no options.
fn command(tool: &Tool, is_of_run: bool, options: &[&str], parsed: &Parsed) -> Option<String> {
    let is_tool = |r: &&Report| r.tool == *tool;
    let program = parsed
        .reports
        .iter()
        .map(Box::as_ref)
        .filter(is_tool)
        .find_map(|r| r.command.as_deref())
        .unwrap_or("PROGRAM");
    if !tool.is_valgrind() {
        let variable = tool.options_variable()?;
        let options = options.join(":");
        return Some(match is_of_run {
            true => format!("{variable}={options} leakgate run --tool {tool} -- COMMAND"),
            false => format!("{variable}={options} {program}"),
        });
    }
    let options = options.join(" ");
    if is_of_run {
        return Some(format!(
            "VALGRIND_OPTS='{options}' leakgate run --tool {tool} -- COMMAND"
        ));
    }
    let tool_option = if *tool == Tool::Memcheck {
        String::new()
    } else {
        format!(" --tool={tool}")
    };
    Some(format!("valgrind{tool_option} {options} {program}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::culprit::NoWorkspace;
    use crate::parse::Parser;
    use crate::{Date, Gate, Options, Policy};

    /// Returns the codes and the commands for these inputs.
    fn diagnose_inputs(inputs: &[(&str, &str)]) -> (Vec<&'static str>, Vec<String>) {
        let mut parser = Parser::new(Options::default());
        for (name, text) in inputs {
            parser.begin(name);
            parser.feed(text.as_bytes());
        }
        let parsed = parser.finish();
        let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 29));
        let triage = crate::triage::triage(&parsed, &gate, &NoWorkspace);
        let all = diagnose(&parsed, &triage);
        let codes = all.iter().map(|diagnosis| diagnosis.code).collect();
        (codes, commands(&all, &parsed))
    }

    fn memcheck_xml(option: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<valgrindoutput>\n<protocolversion>4</protocolversion>\n\
             <protocoltool>memcheck</protocoltool>\n<pid>7</pid>\n<ppid>6</ppid>\n\
             <tool>memcheck</tool>\n<args><vargv><exe>valgrind</exe><arg>{option}</arg></vargv>\
             <argv><exe>./a</exe></argv></args>\n<status><state>RUNNING</state></status>\n\
             <error><unique>0x0</unique><tid>1</tid><kind>UninitCondition</kind>\n\
             <what>Conditional jump or move depends on uninitialised value(s)</what>\n\
             <stack><frame><ip>0x1</ip><fn>main</fn><file>a.c</file><line>3</line></frame></stack>\n\
             </error>\n<status><state>FINISHED</state></status>\n\
             <errorcounts><pair><count>1</count><unique>0x0</unique></pair></errorcounts>\n\
             </valgrindoutput>\n"
        )
    }

    #[test]
    fn output_of_the_command_in_kept_logs_is_no_silence() {
        let xml = memcheck_xml("--tool=memcheck");
        let outputs = [
            ("k/memcheck/stdout.txt", "hi\n"),
            ("k/memcheck/stderr.txt", ""),
        ];
        let logs = [outputs[0], outputs[1], ("k/memcheck/7.xml", &xml)];
        let (codes, commands) = diagnose_inputs(&logs);
        assert_eq!(codes, ["no-origins"]);
        assert_eq!(
            commands,
            ["VALGRIND_OPTS='--track-origins=yes' leakgate run --tool memcheck -- COMMAND"]
        );
        // Without a report they are.
        assert_eq!(diagnose_inputs(&outputs).0, ["silent"]);
        // Outside of kept logs, one of them is a log like others.
        let (codes, commands) = diagnose_inputs(&[outputs[0], ("k/memcheck/7.xml", &xml)]);
        assert_eq!(codes, ["silent", "no-origins"]);
        assert_eq!(commands, ["valgrind --track-origins=yes ./a"]);
    }

    #[test]
    fn option_in_effect_is_not_recommended() {
        let xml = memcheck_xml("--track-origins=yes");
        assert_eq!(diagnose_inputs(&[("7.xml", &xml)]).0, [""; 0]);
        let stack: String = (0..40)
            .map(|n| format!("    #{n} 0x5{n} in f{n} a.c:{n}\n"))
            .collect();
        let asan = format!(
            "==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
             Direct leak of 4 byte(s) in 1 object(s) allocated from:\n{stack}\n\
             SUMMARY: AddressSanitizer: 4 byte(s) leaked in 1 allocation(s).\n"
        );
        let (codes, commands) = diagnose_inputs(&[("log", &asan)]);
        assert!(codes.contains(&"cut-stacks"), "{codes:?}");
        assert!(
            commands[0].contains("malloc_context_size=100"),
            "{commands:?}"
        );
        // A longer stack shows that the limit is higher.
        let longer = asan.replace(
            "\n\nSUMMARY",
            "\n\nDirect leak of 8 byte(s) in 1 object(s) allocated from:\n\
             STACK    #40 0x540 in main a.c:1\n\nSUMMARY",
        );
        let longer = longer
            .replace("STACK", &stack)
            .replace("4 byte(s) leaked in 1", "12 byte(s) leaked in 2");
        let (codes, _) = diagnose_inputs(&[("log", &longer)]);
        assert!(!codes.contains(&"cut-stacks"), "{codes:?}");
    }
}
