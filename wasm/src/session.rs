//! Reading logs.

use leakgate_core::{Options, Parser, Source};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::report::Report;
use crate::{mistakes, options};

/// Reads logs, one after the other, in chunks of any size.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Session {
    parser: Parser,
    sources: Vec<Source>,
    logs: usize,
}

#[wasm_bindgen]
impl Session {
    /// A session that has read nothing. The text of a `leakgate.toml` tells of formats of the
    /// project's own (`[[format]]`); its mistakes are thrown as one `MistakesError`.
    #[wasm_bindgen(constructor)]
    pub fn new(config: Option<String>) -> Result<Self, JsValue> {
        let config =
            options::config(config.as_deref()).map_err(|mistakes| mistakes::error(&mistakes))?;
        Ok(Self {
            parser: Parser::with_formats(Options::default(), &config.formats),
            ..Self::default()
        })
    }

    /// Begins a log; the one before it ends. Each log has to prove something by itself, unless it
    /// belongs to a source, an archive or a folder say: of the logs of one source, which follow
    /// one another, one has to.
    pub fn begin(&mut self, name: &str, source: Option<String>) {
        self.parser.begin(name);
        let at = self.logs;
        self.logs += 1;
        match (source, self.sources.last_mut()) {
            (Some(source), Some(last)) if last.name == source => last.inputs.push(at),
            (source, _) => self.sources.push(Source {
                name: source.unwrap_or_else(|| name.to_owned()),
                inputs: vec![at],
            }),
        }
    }

    /// Reads the next bytes of the log. Where none was begun, it is called `log`.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.logs == 0 {
            self.begin("log", None);
        }
        self.parser.feed(chunk);
    }

    /// What was read so far, while the session goes on: a report that has not ended yet counts as
    /// cut off. It copies what was found, so ask for it seldom.
    pub fn peek(&self) -> Report {
        Self {
            parser: self.parser.clone(),
            sources: self.sources.clone(),
            logs: self.logs,
        }
        .finish()
    }

    /// Ends the last log. The session is used up; what was read can be judged as often as wanted.
    pub fn finish(mut self) -> Report {
        // Without any log nothing would have to prove anything.
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
    use crate::options::Options as Rules;

    const LOG: &[u8] = b"==7==ERROR: LeakSanitizer: detected memory leaks\n\nDirect leak of 4 byte(s) in 1 object(s) allocated from:\n\
        \x20   #0 0x51 in make /src/a.c:3:9\n    #1 0x52 in main /src/a.c:9:9\n\nSUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n";

    #[test]
    fn a_look_in_between_changes_nothing() {
        let found = |report: &Report| {
            let judged = report
                .decide(Rules::default(), Date::constant(2026, 6, 1))
                .unwrap();
            (judged.parsed.findings.len(), judged.parsed.problems.len())
        };
        let mut session = Session::default();
        assert_eq!(found(&session.peek()), (0, 0));
        let (head, rest) = LOG.split_at(LOG.len() - 40);
        session.feed(head);
        assert_eq!(
            found(&session.peek()),
            (1, 1),
            "the finding, and that its report is cut off"
        );
        session.feed(rest);
        assert_eq!(found(&session.peek()), (1, 0));
        assert_eq!(found(&session.finish()), (1, 0));
    }

    #[test]
    fn of_the_logs_of_one_source_one_has_to_speak() {
        let reasons = |source: Option<&str>| {
            let mut session = Session::default();
            for (name, text) in [("a", &b"built\n"[..]), ("b", LOG), ("c", b"done\n")] {
                session.begin(name, source.map(String::from));
                session.feed(text);
            }
            let judged = session
                .finish()
                .decide(Rules::default(), Date::constant(2026, 6, 1))
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
