//! Reads the output of memory checkers and decides whether a build may pass.
//!
//! ```text
//! bytes -> lines -> reports + problems -> triage (rules, baseline, today) -> verdict -> reports for people and machines
//! ```
//!
//! The crate is `no_std` with `alloc`. It does no I/O and has no clock, no environment and no
//! globals. Parsing never fails and never panics: input that can't be read becomes a
//! [`Problem`].
//!
//! ```
//! use leakgate_core::triage::triage;
//! use leakgate_core::verdict::{Source, judge};
//! use leakgate_core::{Date, Gate, NoWorkspace, Options, Outcome, Parser, Policy};
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
#[cfg(test)]
extern crate std;

pub mod advice;
mod bytes;
mod carrier;
pub mod compare;
pub mod culprit;
pub mod custom_format;
pub mod diagnostic;
pub mod doctor;
pub mod document;
pub mod emit;
mod encoding;
pub mod error;
mod expression;
pub mod fingerprint;
#[doc(hidden)]
pub mod full;
pub mod growth;
mod line;
pub mod lock_file;
pub mod model;
mod numbers;
mod options;
pub mod parse;
mod plain;
pub mod policy;
mod prefix;
pub mod problem;
pub mod reason;
pub mod rules;
mod schema;
pub mod suppress;
pub mod symbol;
pub mod symbolize;
pub mod triage;
pub mod verdict;
mod wire;

pub use crate::culprit::{NoWorkspace, Workspace};
pub use crate::model::{Finding, Kind, Report, Tool};
pub use crate::options::Options;
pub use crate::parse::{Parsed, Parser};
pub use crate::policy::Policy;
pub use crate::problem::Problem;
pub use crate::rules::{Config, Rule};
pub use crate::triage::{Baseline, Disposition, Gate, Triage};
pub use crate::verdict::{Outcome, Verdict};

/// A calendar day, used by [`Gate::today`] and the dates of rules.
pub use jiff::civil::Date;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
