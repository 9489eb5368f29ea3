//! Parsing of logs in chunks.

use leakgate_core::verdict::Source;
use leakgate_core::{Options, Parser};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::report::Report;
use crate::{diagnostics, options};

/// Parses logs one after the other, in chunks of any size.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Session {
    parser: Parser,
    sources: Vec<Source>,
    logs: usize,
}

#[wasm_bindgen]
impl Session {
    /// Creates a session. `config` is the text of a `leakgate.toml`, of which only the custom
    /// formats (`[[format]]`) matter here. Errors in it are thrown together, as a `MistakesError`.
    #[wasm_bindgen(constructor)]
    pub fn new(config: Option<String>) -> Result<Self, JsValue> {
        let config = options::parse_config(config.as_deref())
            .map_err(|errors| diagnostics::js_error(&errors))?;
        Ok(Self {
            parser: Parser::with_formats(Options::default(), &config.formats),
            ..Self::default()
        })
    }

    /// Begins a log and ends the previous one. Each log must contain checker output, unless it has
    /// a source, such as an archive or a directory: then at least one log of the source must. Logs
    /// of a source must follow each other.
    pub fn begin(&mut self, name: &str, source: Option<String>) {
        self.parser.begin(name);
        let index = self.logs;
        self.logs += 1;
        match (source, self.sources.last_mut()) {
            (Some(source), Some(last)) if last.name == source => last.inputs.push(index),
            (source, _) => self.sources.push(Source {
                name: source.unwrap_or_else(|| name.to_owned()),
                inputs: vec![index],
            }),
        }
    }

    /// Parses the next bytes of the log. If no log was begun, begins one named `log`.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.logs == 0 {
            self.begin("log", None);
        }
        self.parser.feed(chunk);
    }

    /// Returns a report of the data so far, without ending the session. A checker report that has
    /// not ended yet counts as truncated. Copies all findings, so call it rarely.
    pub fn peek(&self) -> Report {
        Self {
            parser: self.parser.clone(),
            sources: self.sources.clone(),
            logs: self.logs,
        }
        .finish()
    }

    /// Ends the session and returns its report.
    pub fn finish(mut self) -> Report {
        // Without any log, no checker output would be required.
        if self.logs == 0 {
            self.begin("log", None);
        }
        Report::new(self.parser.finish(), self.sources)
    }
}

impl Default for Session {
    fn default() -> Self {
        Self {
            parser: Parser::new(Options::default()),
            sources: Vec::new(),
            logs: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use leakgate_core::Date;

    use super::*;
    use crate::LEAK_LOG;
    use crate::options::Options as JudgeOptions;

    #[test]
    fn peek_does_not_change_session() {
        let found = |report: &Report| {
            let judged = report
                .judge_on(JudgeOptions::default(), Date::constant(2026, 6, 1))
                .unwrap();
            (judged.parsed.findings.len(), judged.parsed.problems.len())
        };
        let mut session = Session::default();
        assert_eq!(found(&session.peek()), (0, 0));
        let (head, rest) = LEAK_LOG.split_at(LEAK_LOG.len() - 40);
        session.feed(head);
        assert_eq!(
            found(&session.peek()),
            (1, 1),
            "the finding and a truncated report"
        );
        session.feed(rest);
        assert_eq!(found(&session.peek()), (1, 0));
        assert_eq!(found(&session.finish()), (1, 0));
    }

    #[test]
    fn one_log_per_source_needs_checker_output() {
        let reasons = |source: Option<&str>| {
            let mut session = Session::default();
            for (name, text) in [("a", &b"built\n"[..]), ("b", LEAK_LOG), ("c", b"done\n")] {
                session.begin(name, source.map(String::from));
                session.feed(text);
            }
            let judged = session
                .finish()
                .judge_on(JudgeOptions::default(), Date::constant(2026, 6, 1))
                .unwrap();
            judged
                .verdict
                .reasons
                .iter()
                .map(|reason| (reason.code.as_str(), reason.count))
                .collect::<Vec<_>>()
        };
        assert_eq!(reasons(Some("logs.zip")), [("unexpected-finding", 1)]);
        assert_eq!(
            reasons(None),
            [("unexpected-finding", 1), ("no-evidence", 2)]
        );
    }
}
