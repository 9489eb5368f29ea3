//! Explanations of codes: of the reasons of a verdict, of problems in logs, of advice about rules,
//! and of diagnoses.

use leakgate_core::advice::{self, CodeHelp};
use leakgate_core::problem::Code;

use super::wrap;
use crate::error::Error;

/// Returns the explanation of a code.
///
/// # Errors
/// Returns an error with the nearest code or all codes if the code is unknown.
pub(super) fn explain(name: &str) -> Result<String, Error> {
    let help = advice::find_code(name)
        .map_err(|error| Error::with_help(error.to_string(), error.help()))?;
    Ok(format!(
        "{}: {}\n\n{}\n\n{}:\n{}\n\nWhat to do:\n{}\n{}",
        help.code,
        help.title,
        wrap(help.meaning),
        help.why_heading(),
        wrap(help.why),
        wrap(help.fix),
        relations(help)
    ))
}

/// Returns the reason of a problem, or the problems that lead to a reason. Empty if there are none.
fn relations(help: &CodeHelp) -> String {
    if let Some(reason) = help.reason().filter(|reason| reason.as_str() != help.code) {
        return format!("\nThe reason in the verdict is {reason}.\n");
    }
    let problems = help.problems().map(Code::as_str);
    let others: Vec<&str> = problems.filter(|code| *code != help.code).collect();
    if others.is_empty() {
        return String::new();
    }
    let list = format!("Problems with this reason: {}.", others.join(", "));
    format!("\n{}\n", wrap(&list).trim_start())
}

/// Returns a list of all codes with their titles.
pub(super) fn list() -> String {
    let codes = advice::codes();
    let width = codes.iter().map(|help| help.code.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (heading, codes) in advice::code_groups() {
        out += &format!("{heading}:\n");
        for help in codes {
            let mark = if help.is_note() { ' ' } else { '!' };
            out += &format!("{mark} {:width$}  {}\n", help.code, help.title);
        }
        out.push('\n');
    }
    out + "! fails the gate, or leakgate rules\n"
}
