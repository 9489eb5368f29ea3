//! Which error an entry's kind means.
//!
//! Source: `memcheck/mc_errors.c` (`MC_(is_recognised_suppression)`,
//! `MC_(error_matches_suppression)`), `helgrind/hg_errors.c`, `drd/drd_error.c`,
//! `coregrind/m_errormgr.c` (`core_error_matches_suppression`).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Location;
use crate::model::{Finding, Kind, Tool};

/// Whose errors: a tool's, or valgrind's own about file descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    Memcheck,
    Helgrind,
    Drd,
    /// Errors about file descriptors; known since 3.24.
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

    /// The name by which entries mean it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Memcheck => "Memcheck",
            Self::Helgrind => "Helgrind",
            Self::Drd => "drd",
            Self::Core => "CoreError",
        }
    }

    /// True where the list of tools names it: the first place of its name counts, and stands
    /// between commas.
    pub(crate) fn is_named_in(self, tools: &str) -> bool {
        let name = self.name();
        tools.find(name).is_some_and(|at| {
            let (before, after) = (&tools[..at], &tools[at + name.len()..]);
            (before.is_empty() || before.ends_with(','))
                && (after.is_empty() || after.starts_with(','))
        })
    }

    /// The kinds of its entries.
    pub(crate) const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Memcheck => MEMCHECK,
            Self::Helgrind => HELGRIND,
            Self::Drd => DRD,
            Self::Core => CORE,
        }
    }

    pub(crate) fn knows(self, kind: &str) -> bool {
        self.kinds().contains(&kind)
    }

    /// The tool whose findings its entries are about; any of valgrind's for [`Family::Core`].
    pub(crate) const fn tool(self) -> Option<Tool> {
        match self {
            Self::Memcheck => Some(Tool::Memcheck),
            Self::Helgrind => Some(Tool::Helgrind),
            Self::Drd => Some(Tool::Drd),
            Self::Core => None,
        }
    }
}

/// What stands between the kind and the stack.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Extra {
    None,
    /// `Param`: the system call and its parameter, `write(buf)`.
    Parameter(String),
    /// `Leak`: the kinds of leaks.
    Leaks(Vec<Kind>),
    /// `FishyValue`: the function and its argument.
    Argument(String, String),
}

impl Extra {
    /// Reads what may stand in the first line after the kind; true where it took the line.
    pub(crate) fn read(kind: &str, line: &str) -> Result<(Self, bool), String> {
        let wrong = |what: &str| format!("`{line}` is no {what}");
        match kind {
            "Param" if Location::read(line).is_some() => Err(String::from(
                "a `Param` names the system call's parameter first, such as `write(buf)`",
            )),
            "Param" => Ok((Self::Parameter(line.into()), true)),
            "Leak" => {
                if let Some(kinds) = line.strip_prefix("match-leak-kinds:") {
                    return Ok((Self::Leaks(leak_kinds(kinds.trim_start())?), true));
                }
                match Location::read(line) {
                    Some(Location::File(..)) => Err(String::from(
                        "the first line of a Leak's stack can't be `src:`: valgrind refuses the file",
                    )),
                    None if line != "}" => Err(wrong("location, and no `match-leak-kinds:`")),
                    _ => Ok((Self::Leaks(leak_kinds("all")?), false)),
                }
            }
            "FishyValue" => {
                let call = line.strip_suffix(')').and_then(|l| l.split_once('('));
                let (function, argument) = call.ok_or_else(|| wrong("`function(argument)`"))?;
                Ok((Self::Argument(function.into(), argument.into()), true))
            }
            _ => Ok((Self::None, false)),
        }
    }
}

impl Extra {
    /// The line as valgrind reads it; empty where there is none.
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

/// `definite,possible`, `all`, `none`.
pub(crate) fn leak_kinds(list: &str) -> Result<Vec<Kind>, String> {
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
    let kind = |word: &str| {
        let known = KINDS.iter().find(|(name, _)| *name == word);
        known.map(|(_, kind)| kind.clone()).ok_or_else(|| {
            format!("`{word}` is no kind of leak; there are definite, indirect, possible, reachable, all and none")
        })
    };
    if list.is_empty() {
        return Err(String::from("`match-leak-kinds:` names no kind of leak"));
    }
    list.split(',')
        .filter(|word| !word.is_empty())
        .map(kind)
        .collect()
}

/// True when an entry of this family, kind and extra is about the finding.
pub(crate) fn is_about(
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
        Family::Memcheck => memcheck(kind, extra, finding),
        Family::Helgrind if kind == "PthAPIerror" => finding.kind.as_str() == "pth-api-error",
        Family::Helgrind | Family::Drd => finding.kind == Kind::from_name(kind),
        Family::Core => {
            let known = version().is_some_and(|v| v >= (3, 24));
            known
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

fn memcheck(kind: &str, extra: &Extra, finding: &Finding) -> bool {
    let found = finding.kind.as_str();
    let is = |kinds: &[&str]| kinds.contains(&found);
    match (kind, extra) {
        ("Leak", Extra::Leaks(kinds)) => kinds.contains(&finding.kind),
        ("Param", Extra::Parameter(name)) => {
            is(&["syscall-param"]) && parameter(&finding.title) == Some(name)
        }
        ("FishyValue", Extra::Argument(function, argument)) => {
            let said = format!("Argument '{argument}' of function {function} has a fishy");
            is(&["fishy-value"]) && finding.title.starts_with(&said)
        }
        ("User", _) => is(&["client-check"]),
        ("Jump", _) => is(&["invalid-jump"]),
        ("Free", _) => is(&["invalid-free", "mismatched-free"]),
        ("Overlap", _) => is(&["overlap"]),
        ("Mempool", _) => is(&["invalid-mem-pool"]),
        ("Cond" | "Value0", _) => is(&["uninit-condition"]),
        ("ReallocZero", _) => is(&["realloc-size-zero"]),
        ("BadAlign", _) => is(&["invalid-alignment"]),
        ("BadSize" | "UnsafeZeroSize", _) => is(&["invalid-size"]),
        ("SizeMismatch", _) => is(&["mismatched-allocate-deallocate-size"]),
        ("AlignMismatch", _) => is(&["mismatched-allocate-deallocate-alignment"]),
        // The tool compares a text that neither side has.
        ("CoreMem", _) => false,
        (kind, _) => {
            if let Some(size) = kind.strip_prefix("Addr") {
                is(&["invalid-read", "invalid-write"])
                    && size_of(&finding.title).as_deref() == Some(size)
            } else if let Some(size) = kind.strip_prefix("Value") {
                is(&["uninit-value"]) && size_of(&finding.title).as_deref() == Some(size)
            } else {
                false
            }
        }
    }
}

/// `Syscall param write(buf) points to uninitialised byte(s)`
pub(crate) fn parameter(title: &str) -> Option<&str> {
    let rest = title.strip_prefix("Syscall param ")?;
    let end = rest
        .find(" points to ")
        .or_else(|| rest.find(" contains "))?;
    Some(&rest[..end])
}

/// `Invalid read of size 4`
fn size_of(title: &str) -> Option<String> {
    let (_, size) = title.rsplit_once(" of size ")?;
    Some(
        size.chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
            .to_string(),
    )
}
