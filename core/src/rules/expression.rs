//! Regular expressions on names, and what must stand in whatever they find.
//!
//! Names are short, so that one engine is enough; a choice among several would put all of them into the page.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use regex_automata::nfa::thompson::pikevm::{Cache, PikeVM};
use regex_automata::nfa::thompson::{BuildError, Compiler, Config};
use regex_automata::util::pool::Pool;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind};

/// The most memory that a compiled expression may take, in bytes.
const MAX_SIZE: usize = 1 << 20;

/// A regular expression, and texts of which one stands in every name that it is found in. There are none where that is not known.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    machine: Arc<Machine>,
    pub(crate) literals: Vec<String>,
}

/// What looks for the expression, and the memory that it uses while it looks.
struct Machine {
    engine: PikeVM,
    caches: Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync>>,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.engine.fmt(f)
    }
}

impl Expression {
    /// Reads an expression; the error is what a person is told.
    pub(crate) fn read(pattern: &str) -> Result<Self, String> {
        // Names are compared byte by byte; tables of Unicode would double the size of the page.
        let parsed = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern).map_err(|e| e.to_string())?;
        let bytes = literals(&parsed).unwrap_or_default();
        let texts: Result<Vec<String>, _> = bytes.into_iter().map(|b| String::from_utf8(b.to_vec())).collect();
        let machine = Arc::new(Machine::new(&parsed).map_err(|e| told(&e))?);
        Ok(Self { machine, literals: texts.unwrap_or_default() })
    }

    pub(crate) fn is_found_in(&self, text: &[u8]) -> bool {
        self.machine.engine.is_match(&mut self.machine.caches.get(), text)
    }
}

impl Machine {
    fn new(expression: &Hir) -> Result<Self, Box<BuildError>> {
        let config = Config::new().utf8(false).nfa_size_limit(Some(MAX_SIZE));
        let machine = Compiler::new().configure(config).build_from_hir(expression)?;
        let engine = PikeVM::new_from_nfa(machine)?;
        let fresh = engine.clone();
        Ok(Self { engine, caches: Pool::new(Box::new(move || fresh.create_cache())) })
    }
}

fn told(error: &BuildError) -> String {
    match error.size_limit() {
        Some(limit) => format!("Compiled regex exceeds size limit of {limit} bytes."),
        None => error.to_string(),
    }
}

/// Texts of which one stands in whatever the expression matches; of several such sets the one whose shortest text is longest.
fn literals(expression: &Hir) -> Option<Vec<&[u8]>> {
    match expression.kind() {
        HirKind::Literal(literal) => Some([&*literal.0].into()),
        HirKind::Capture(capture) => literals(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => literals(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(literals).max_by_key(|all| all.iter().map(|l| l.len()).min()),
        HirKind::Alternation(parts) => Some(parts.iter().map(literals).collect::<Option<Vec<_>>>()?.concat()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_stand_in_a_match_is_known() {
        for (pattern, want) in [
            ("^(net|ui)::S.*_gone1[a-z]", "_gone1"),
            ("ab|cd+", "ab d"),
            ("ab|.*", ""),
            ("(?:work)?", ""),
            ("(work){2,}x?", "work"),
            ("(?i)work", ""),
            (r"\bA::\w+::get\(", "::get("),
            (r"\xff", ""),
        ] {
            let expression = Expression::read(pattern).unwrap();
            assert_eq!(expression.literals.join(" "), want, "{pattern}");
        }
    }
}
