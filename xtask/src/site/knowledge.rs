//! What `leakgate explain` knows: kinds of findings, codes, and the rules of built-in packs.

use leakgate_core::advice::{self, CodeHelp, Help, Risk};
use leakgate_core::rules;

use crate::Outcome;

/// Returns a section for each kind of finding.
pub(super) fn kinds() -> String {
    let mut page = String::from(
        "A finding has a kind, which says what is wrong.\n\
         `leakgate explain KIND` prints the same texts.\n\
         A `*` in a name matches any text.\n",
    );
    let known = advice::kinds();
    let known = known
        .iter()
        .filter_map(|kind| advice::find_help(&kind.replace('*', "x")));
    for help in known {
        page += &format!("\n## `{}`\n\n{}\n", help.kind, kind(help));
    }
    page
}

fn kind(help: &Help) -> String {
    let mut text = format!("**{}.** {}\n", help.title, help.meaning);
    let sections = [
        ("How to fix it", Some(help.fix)),
        ("If it is intended", help.harmless),
        ("How to learn more", help.more),
    ];
    for (heading, section) in sections {
        if let Some(section) = section {
            text += &format!("\n*{heading}:* {section}\n");
        }
    }
    if matches!(help.risk, Risk::Security(_)) {
        text += "\nSuch a bug may read or write memory that the program doesn't own.\n";
    }
    if let (Some(number), Some(url)) = (help.cwe, help.cwe_url()) {
        text += &format!("\n[CWE-{number}]({url})\n");
    }
    text
}

/// Returns a section for each code, in groups.
pub(super) fn codes() -> String {
    let mut page = String::from(
        "A verdict that fails names each reason with a code, and so does each problem in a log.\n\
         `leakgate explain CODE` prints the same texts, and the page \
         [Codes](../codes.md) lists all codes in tables.\n",
    );
    for (heading, codes) in advice::code_groups() {
        page += &format!("\n## {heading}\n");
        for help in codes {
            page += &code(help);
        }
    }
    page
}

fn code(help: &CodeHelp) -> String {
    let why = help.why_heading();
    let mut text = format!(
        "\n### `{}`\n\n**{}.** {}\n\n*{why}:* {}\n\n*What to do:* {}\n",
        help.code, help.title, help.meaning, help.why, help.fix
    );
    let reason = help.reason().filter(|reason| reason.as_str() != help.code);
    if let Some(reason) = reason {
        text += &format!("\nThe reason in the verdict is [`{reason}`](#{reason}).\n");
    }
    text
}

/// Returns a section for each rule of each pack.
pub(super) fn packs() -> Outcome<String> {
    let mut page = String::from(
        "A pack is a set of built-in rules, which is off by default.\n\
         `leakgate explain pack NAME` prints the same rules.\n\
         The guide [Packs](../packs.md) describes what each pack deliberately doesn't accept.\n",
    );
    for pack in rules::packs() {
        let (description, rules) = pack.read().map_err(|_| "cannot read a built-in pack")?;
        page += &format!("\n## `{}`\n\n{description}\n", pack.name);
        for rule in rules {
            page += &format!(
                "\n### `{}`\n\n{}\n\n```text\n",
                rule.id, rule.metadata.reason
            );
            for line in rule.describe() {
                page += &format!("{line}\n");
            }
            page += "```\n\n";
            for source in &rule.metadata.references {
                page += &format!("- <{source}>\n");
            }
        }
    }
    Ok(page)
}
