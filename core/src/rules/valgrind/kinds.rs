//! The suppression kinds of valgrind's tools, and the finding kinds that they match.
//!
//! Source: `memcheck/mc_errors.c` (`MC_(is_recognised_suppression)`,
//! `MC_(error_matches_suppression)`), `helgrind/hg_errors.c`, `drd/drd_error.c`,
//! `coregrind/m_errormgr.c` (`core_error_matches_suppression`).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::SuppressionFrame;
use crate::model::{Finding, Kind, Tool};
use crate::rules::ReadError;

/// The part of valgrind that reports an error: a tool, or the core for file descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    Memcheck,
    Helgrind,
    Drd,
    /// The core, which reports errors about file descriptors. Suppressible since valgrind 3.24.
    Core,
}

const MEMCHECK: &[&str] = &[
    "Param",
    "User",
    "CoreMem",
    "Addr1",
    "Addr2",
    "Addr4",
    "Addr8",
    "Addr16",
    "Addr32",
    "Jump",
    "Free",
    "Leak",
    "Overlap",
    "Mempool",
    "Cond",
    "Value0",
    "Value1",
    "Value2",
    "Value4",
    "Value8",
    "Value16",
    "Value32",
    "FishyValue",
    "ReallocZero",
    "BadAlign",
    "BadSize",
    "UnsafeZeroSize",
    "SizeMismatch",
    "AlignMismatch",
];

const HELGRIND: &[&str] = &[
    "Race",
    "FreeMemLock",
    "UnlockUnlocked",
    "UnlockForeign",
    "UnlockBogus",
    "PthAPIerror",
    "LockOrder",
    "Misc",
    "Dubious",
];

const DRD: &[&str] = &[
    "ConflictingAccess",
    "MutexErr",
    "CondErr",
    "CondDestrErr",
    "CondRaceErr",
    "CondWaitErr",
    "SemaphoreErr",
    "BarrierErr",
    "RwlockErr",
    "HoldtimeErr",
    "GenericErr",
    "InvalidThreadId",
    "UnimpHgClReq",
    "UnimpDrdClReq",
];

const CORE: &[&str] = &["FdBadClose", "FdNotClosed", "FdBadUse"];

impl Family {
    pub(crate) const ALL: &'static [Self] =
        &[Self::Memcheck, Self::Helgrind, Self::Drd, Self::Core];

    /// Returns the name used in suppressions.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Memcheck => "Memcheck",
            Self::Helgrind => "Helgrind",
            Self::Drd => "drd",
            Self::Core => "CoreError",
        }
    }

    /// Returns true if the list of tools contains the name. Like valgrind, checks only the first
    /// occurrence of the name, which must be delimited by commas.
    pub(crate) fn is_named_in(self, tools: &str) -> bool {
        let name = self.name();
        tools.find(name).is_some_and(|at| {
            let before = &tools[..at];
            let after = &tools[at + name.len()..];
            (before.is_empty() || before.ends_with(','))
                && (after.is_empty() || after.starts_with(','))
        })
    }

    /// Returns the suppression kinds.
    pub(crate) const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Memcheck => MEMCHECK,
            Self::Helgrind => HELGRIND,
            Self::Drd => DRD,
            Self::Core => CORE,
        }
    }

    pub(crate) fn has_kind(self, kind: &str) -> bool {
        self.kinds().contains(&kind)
    }

    /// Returns the tool whose findings the suppressions match, or `None` for [`Family::Core`],
    /// whose suppressions match findings of every valgrind tool.
    pub(crate) const fn tool(self) -> Option<Tool> {
        match self {
            Self::Memcheck => Some(Tool::Memcheck),
            Self::Helgrind => Some(Tool::Helgrind),
            Self::Drd => Some(Tool::Drd),
            Self::Core => None,
        }
    }
}

/// The data between the kind and the stack of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Extra {
    None,
    /// For `Param`: the system call and its parameter, such as `write(buf)`.
    Parameter(String),
    /// For `Leak`: the leak kinds.
    Leaks(Vec<Kind>),
    /// For `FishyValue`: the function and its argument.
    Argument(String, String),
}

impl Extra {
    /// Parses the first line after the kind. Returns the data, and whether the line is part of it
    /// instead of the stack.
    pub(crate) fn read(kind: &str, line: &str) -> Result<(Self, bool), ReadError> {
        let invalid = |expected: &str| format!("invalid line `{line}`; expected {expected}");
        match kind {
            "Param" if SuppressionFrame::read(line).is_some() => {
                Err("missing system call parameter before the stack, such as `write(buf)`".into())
            }
            "Param" => Ok((Self::Parameter(line.into()), true)),
            "Leak" => {
                if let Some(kinds) = line.strip_prefix("match-leak-kinds:") {
                    return Ok((Self::Leaks(parse_leak_kinds(kinds.trim_start())?), true));
                }
                match SuppressionFrame::read(line) {
                    Some(SuppressionFrame::File(..)) => {
                        Err("valgrind rejects `src:` in the first line of a `Leak` stack".into())
                    }
                    None if line != "}" => {
                        Err(invalid("`match-leak-kinds:` or the first line of the stack").into())
                    }
                    _ => Ok((Self::Leaks(parse_leak_kinds("all")?), false)),
                }
            }
            "FishyValue" => {
                let call = line.strip_suffix(')').and_then(|l| l.split_once('('));
                let (function, argument) = call.ok_or_else(|| invalid("`function(argument)`"))?;
                Ok((Self::Argument(function.into(), argument.into()), true))
            }
            _ => Ok((Self::None, false)),
        }
    }
}

impl Extra {
    /// Returns the line of a suppression file, or an empty string if none is needed.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Parameter(name) => name.clone(),
            Self::Argument(function, argument) => format!("{function}({argument})"),
            Self::Leaks(kinds) if kinds.len() == 4 => String::new(),
            Self::Leaks(kinds) if kinds.is_empty() => String::from("match-leak-kinds: none"),
            Self::Leaks(kinds) => {
                let names: Vec<&str> = kinds
                    .iter()
                    .map(|k| k.as_str().trim_start_matches("leak-"))
                    .collect();
                format!("match-leak-kinds: {}", names.join(","))
            }
        }
    }
}

/// Parses `all`, `none` or a list such as `definite,possible`.
fn parse_leak_kinds(list: &str) -> Result<Vec<Kind>, ReadError> {
    const KINDS: &[(&str, Kind)] = &[
        ("reachable", Kind::LEAK_REACHABLE),
        ("possible", Kind::LEAK_POSSIBLE),
        ("indirect", Kind::LEAK_INDIRECT),
        ("definite", Kind::LEAK_DEFINITE),
    ];
    match list {
        "all" => return Ok(KINDS.iter().map(|(_, kind)| kind.clone()).collect()),
        "none" => return Ok(Vec::new()),
        _ => {}
    }
    let parse_kind = |text: &str| {
        let known = KINDS.iter().find(|(name, _)| *name == text);
        known.map(|(_, kind)| kind.clone()).ok_or_else(|| {
            ReadError::from(format!(
                "unknown leak kind `{text}`; expected one of: definite, indirect, possible, \
                 reachable, all, none"
            ))
        })
    };
    if list.is_empty() {
        return Err("`match-leak-kinds:` is empty".into());
    }
    list.split(',')
        .filter(|text| !text.is_empty())
        .map(parse_kind)
        .collect()
}

/// Returns true if an entry with this family, kind and extra data applies to the finding, whatever
/// its stack. `version` returns valgrind's version, or `None` if the log doesn't show it.
pub(crate) fn matches_kind(
    family: Family,
    kind: &str,
    extra: &Extra,
    finding: &Finding,
    version: impl Fn() -> Option<(u32, u32)>,
) -> bool {
    if family.tool().is_some_and(|tool| tool != finding.tool) || !finding.tool.is_valgrind() {
        return false;
    }
    match family {
        Family::Memcheck => is_memcheck_kind(kind, extra, finding),
        Family::Helgrind if kind == "PthAPIerror" => finding.kind.as_str() == "pth-api-error",
        Family::Helgrind | Family::Drd => finding.kind == Kind::from_name(kind),
        Family::Core => {
            let is_suppressible = version().is_some_and(|v| v >= (3, 24));
            is_suppressible
                && match kind {
                    "FdNotClosed" => {
                        finding.kind == Kind::FD_LEAK || finding.kind == Kind::FD_INHERITED
                    }
                    "FdBadClose" => finding.kind.as_str() == "fd-bad-close",
                    _ => finding.kind.as_str() == "fd-bad-use",
                }
        }
    }
}

fn is_memcheck_kind(kind: &str, extra: &Extra, finding: &Finding) -> bool {
    let found = finding.kind.as_str();
    let is = |kinds: &[&str]| kinds.contains(&found);
    match (kind, extra) {
        ("Leak", Extra::Leaks(kinds)) => kinds.contains(&finding.kind),
        ("Param", Extra::Parameter(name)) => {
            is(&["syscall-param"]) && syscall_parameter(&finding.title) == Some(name)
        }
        ("FishyValue", Extra::Argument(function, argument)) => {
            let title = format!("Argument '{argument}' of function {function} has a fishy");
            is(&["fishy-value"]) && finding.title.starts_with(&title)
        }
        ("User", _) => is(&["client-check"]),
        ("Jump", _) => is(&["invalid-jump"]),
        ("Free", _) => is(&["invalid-free", "mismatched-free"]),
        ("Overlap", _) => is(&["overlap"]),
        ("Mempool", _) => is(&["invalid-mem-pool"]),
        ("Cond" | "Value0", _) => is(&["uninit-condition"]),
        ("ReallocZero", _) => is(&["realloc-size-zero"]),
        ("BadAlign", _) => is(&["invalid-alignment", "invalid-size-and-alignment"]),
        ("BadSize" | "UnsafeZeroSize", _) => is(&["invalid-size"]),
        ("SizeMismatch", _) => is(&["mismatched-allocate-deallocate-size"]),
        ("AlignMismatch", _) => is(&["mismatched-allocate-deallocate-alignment"]),
        // memcheck compares a text that neither the error nor the suppression has.
        ("CoreMem", _) => false,
        (kind, _) => {
            if let Some(size) = kind.strip_prefix("Addr") {
                is(&["invalid-read", "invalid-write"])
                    && access_size(&finding.title).as_deref() == Some(size)
            } else if let Some(size) = kind.strip_prefix("Value") {
                is(&["uninit-value"]) && access_size(&finding.title).as_deref() == Some(size)
            } else {
                false
            }
        }
    }
}

/// Returns the parameter in a headline such as
/// `Syscall param write(buf) points to uninitialised byte(s)`.
pub(crate) fn syscall_parameter(title: &str) -> Option<&str> {
    let rest = title.strip_prefix("Syscall param ")?;
    let end = rest
        .find(" points to ")
        .or_else(|| rest.find(" contains "))?;
    Some(&rest[..end])
}

/// Returns the size in a headline such as `Invalid read of size 4`.
fn access_size(title: &str) -> Option<String> {
    let (_, size) = title.rsplit_once(" of size ")?;
    Some(
        size.chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
            .to_string(),
    )
}
