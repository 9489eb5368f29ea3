//! Reading logs.

use leakgate_core::{Options, Parser, Source};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::report::Report;

/// Reads logs, one after the other, in chunks of any size.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Session {
    parser: Parser,
    names: Vec<String>,
}

#[wasm_bindgen]
impl Session {
    /// A session that has read nothing.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self { parser: Parser::new(Options::default()), names: Vec::new() }
    }

    /// Begins a log; the one before it ends. Each log has to prove something by itself.
    pub fn begin(&mut self, name: &str) {
        self.parser.begin(name);
        self.names.push(name.to_owned());
    }

    /// Reads the next bytes of the log. Where none was begun, it is called `log`.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.names.is_empty() {
            self.begin("log");
        }
        self.parser.feed(chunk);
    }

    /// Ends the last log. The session is used up; what was read can be judged as often as wanted.
    pub fn finish(mut self) -> Report {
        // Without any log nothing would have to prove anything.
        if self.names.is_empty() {
            self.begin("log");
        }
        let source = |(at, name)| Source { name, inputs: vec![at] };
        let sources = self.names.into_iter().enumerate().map(source).collect();
        Report::new(self.parser.finish(), sources)
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}
