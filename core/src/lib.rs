//! The core of leakgate: bytes in, verdict and documents out.
//!
//! ```text
//! bytes -> lines -> reports + problems -> triage (policy) -> verdict -> documents
//! ```
//!
//! `no_std` with `alloc`: no I/O, no clock, no environment, nothing of GitHub. Parsing never fails and never panics; what
//! can't be read is a [`Problem`].
//!
//! ```
//! use leakgate_core::{NoWorkspace, Options, Outcome, Parser, Policy, Source, judge, triage};
//!
//! let log = b"==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
//!     Direct leak of 4 byte(s) in 1 object(s) allocated from:\n    #0 0x51 in make /src/a.c:3:9\n\n\
//!     SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n";
//! let mut parser = Parser::new(Options::default());
//! parser.begin("run.log");
//! parser.feed(log);
//! let parsed = parser.finish();
//!
//! let policy = Policy::default();
//! let triage = triage(&parsed, &policy, &NoWorkspace);
//! let sources = [Source { name: "run.log".into(), inputs: vec![0] }];
//! let verdict = judge(&parsed, &triage, &sources, &policy);
//! assert_eq!(verdict.outcome, Outcome::Fail);
//! assert_eq!(verdict.reasons[0].code.as_str(), "unexpected-finding");
//! ```
#![no_std]

extern crate alloc;

mod bytes;
mod culprit;
pub mod emit;
mod encoding;
mod evidence;
mod fingerprint;
mod line;
mod model;
mod numbers;
mod options;
mod parse;
mod prefix;
mod problem;
mod settle;
pub mod symbol;
mod triage;
mod verdict;

pub use crate::culprit::{Class, Culprit, NoWorkspace, Workspace, advice_without_own_frame};
pub use crate::fingerprint::Fingerprint;
pub use crate::model::{
    Amount, Entry, Finding, Frame, Input, Instance, Kind, Leak, LeakSummary, Report, Role, ShownLeaks, Site, Stack, Stated, Text,
    Tool,
};
pub use crate::options::Options;
pub use crate::parse::{Parsed, Parser, markers};
pub use crate::problem::{Class as ProblemClass, Code, Problem};
pub use crate::triage::{Disposition, Item, Triage, triage};
pub use crate::verdict::{Outcome, Policy, Reason, ReasonCode, Silence, Source, Verdict, judge};
