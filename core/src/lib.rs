//! The core of leakgate: bytes in, verdict and documents out.
//!
//! ```text
//! bytes -> lines -> reports + problems -> triage (rules, baseline, today) -> verdict -> documents
//! ```
//!
//! `no_std` with `alloc`: no I/O, no clock, no environment, nothing of GitHub. Parsing never fails
//! and never panics; what can't be read is a [`Problem`].
//!
//! ```
//! use leakgate_core::{Date, Gate, NoWorkspace, Options, Outcome, Parser, Policy, Source, judge, triage};
//!
//! let log = b"==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
//!     Direct leak of 4 byte(s) in 1 object(s) allocated from:\n    #0 0x51 in make /src/a.c:3:9\n\n\
//!     SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n";
//! let mut parser = Parser::new(Options::default());
//! parser.begin("run.log");
//! parser.feed(log);
//! let parsed = parser.finish();
//!
//! let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 22));
//! let triage = triage(&parsed, &gate, &NoWorkspace);
//! let sources = [Source { name: "run.log".into(), inputs: vec![0] }];
//! let verdict = judge(&parsed, &triage, &sources, &gate);
//! assert_eq!(verdict.outcome, Outcome::Fail);
//! assert_eq!(verdict.reasons[0].code.as_str(), "unexpected-finding");
//! ```
#![no_std]

extern crate alloc;

pub mod advice;
mod baseline;
mod bytes;
mod compare;
mod culprit;
pub mod doctor;
mod document;
pub mod emit;
mod encoding;
mod evidence;
mod fingerprint;
mod format;
mod line;
mod mistake;
mod model;
mod numbers;
mod options;
mod parse;
mod prefix;
mod problem;
mod rules;
mod settle;
pub mod symbol;
mod symbolize;
mod triage;
mod verdict;

pub use crate::baseline::{Baseline, Comparison, Known};
pub use crate::compare::{Change, Side, What, compare};
pub use crate::culprit::{Class, Culprit, NoWorkspace, Workspace};
pub use crate::document::{Claims, Document, Seen, merge};
pub use crate::fingerprint::Fingerprint;
pub use crate::format::Format;
pub use crate::mistake::Mistake;
pub use crate::model::{
    Amount, Entry, Finding, Frame, Generated, Input, Instance, Kind, Leak, LeakSummary, Report,
    Role, ShownLeaks, Site, Stack, Stated, Text, Tool,
};
pub use crate::options::Options;
pub use crate::parse::{Parsed, Parser, XML_GOES_ON, markers};
pub use crate::problem::{Class as ProblemClass, Code, Problem};
pub use crate::rules::{
    About, Advice, AdviceCode, Bounds, Config, Converted, FileFormat, Files, Language, Limit,
    Origin, Pack, Rule, Selector, Source as RuleSource, Wording, Written, convert, packs,
    read_file, suppress,
};
pub use crate::symbolize::{Function, Symbols, symbolize};
pub use crate::triage::{Cause, Disposition, Gate, Item, Triage, Use, triage};
pub use crate::verdict::{
    Canary, End, Level, Outcome, Policy, Ran, Reason, ReasonCode, Silence, Source, Verdict,
    Vouched, Watched, judge, judge_legs, judge_watched,
};

/// A day, as rules name them.
pub use jiff::civil::Date;
