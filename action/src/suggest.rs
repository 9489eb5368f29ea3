//! Names that shells complete for options that also accept other values, such as `json=FILE` or a
//! checker of a custom format.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Command, Error};
use leakgate_core::emit::Format;
use leakgate_core::rules::packs;
use leakgate_core::{Tool, advice};

/// A parser that accepts the values of another parser, and suggests names to shells.
///
/// Options with this parser set `hide_possible_values`, because the names aren't all values.
#[derive(Clone)]
pub(crate) struct Suggesting<P> {
    parser: P,
    names: fn() -> Vec<&'static str>,
}

impl<P> Suggesting<P> {
    /// Returns a parser that suggests these names.
    pub(crate) fn new(parser: P, names: fn() -> Vec<&'static str>) -> Self {
        Self { parser, names }
    }
}

impl<P: TypedValueParser> TypedValueParser for Suggesting<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &Command,
        option: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, Error> {
        self.parser.parse_ref(command, option, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.names)().into_iter().map(PossibleValue::new)))
    }
}

/// Returns the names of the report formats.
pub(crate) fn formats() -> Vec<&'static str> {
    Format::ALL.iter().map(|format| format.as_str()).collect()
}

/// Returns the names of the checkers whose reports leakgate reads.
pub(crate) fn tools() -> Vec<&'static str> {
    Tool::names().collect()
}

/// Returns the names of the built-in packs.
pub(crate) fn pack_names() -> Vec<&'static str> {
    packs().iter().map(|pack| pack.name).collect()
}

/// Returns the kinds of findings that have their own explanation.
pub(crate) fn kinds() -> Vec<&'static str> {
    let mut kinds = advice::kinds();
    kinds.retain(|kind| !kind.contains('*'));
    kinds
}

/// Returns the groups of kinds, and the kinds of leaks. All kinds together would make each
/// completion script several times as large.
pub(crate) fn groups() -> Vec<&'static str> {
    let mut names = vec!["errors", "leaks"];
    names.extend(kinds().into_iter().filter(|kind| kind.contains("leak")));
    names
}

/// Returns the codes of verdicts and problems.
pub(crate) fn codes() -> Vec<&'static str> {
    let codes = advice::codes();
    codes.into_iter().map(|help| help.code).collect()
}
