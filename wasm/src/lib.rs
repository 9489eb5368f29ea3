//! leakgate's core for the browser: a log goes in, in chunks, and a document comes out. Nothing is sent anywhere.

use leakgate_core::emit::{self, Excerpt, Format, Run, Style};
use leakgate_core::{Date, NoWorkspace, Options, Parser, Policy, Silence, Source};
use wasm_bindgen::prelude::wasm_bindgen;

/// Reads logs and decides, as `leakgate check` does.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Gate {
    parser: Parser,
    names: Vec<String>,
}

/// A page has no sources to show lines of.
struct NoSources;

impl Excerpt for NoSources {
    fn line(&self, _: &str, _: u32) -> Option<String> {
        None
    }
}

#[wasm_bindgen]
impl Gate {
    /// A gate that has read nothing.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self { parser: Parser::new(Options::default()), names: Vec::new() }
    }

    /// Begins a log; the one before it ends.
    pub fn begin(&mut self, name: &str) {
        self.parser.begin(name);
        self.names.push(name.to_owned());
    }

    /// Reads the next bytes of the log.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.names.is_empty() {
            self.begin("log");
        }
        self.parser.feed(chunk);
    }

    /// Decides, and writes the document of schema `leakgate/v1`. `silence_passes` tells what a log without checker output means.
    pub fn finish(self, silence_passes: bool) -> String {
        let parsed = self.parser.finish();
        let silence = if silence_passes { Silence::Pass } else { Silence::Fail };
        let mut policy = Policy::default();
        policy.silence = silence;
        // Without rules nothing expires, so any day will do.
        let gate = leakgate_core::Gate::new(policy, Date::constant(2026, 1, 1));
        let triage = leakgate_core::triage(&parsed, &gate, &NoWorkspace);
        let source = |(at, name): (usize, &String)| Source { name: name.clone(), inputs: vec![at] };
        let sources: Vec<Source> = self.names.iter().enumerate().map(source).collect();
        let verdict = leakgate_core::judge(&parsed, &triage, &sources, &gate);
        let run = Run {
            parsed: &parsed,
            gate: &gate,
            triage: &triage,
            verdict: &verdict,
            workspace: &NoWorkspace,
            sources: &NoSources,
            changes: None,
        };
        let mut out = String::new();
        // Writing into a string can't fail.
        let _ = emit::write(&run, Format::Json, &Style::default(), &mut out);
        out
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;

    #[test]
    fn a_pasted_log_gives_the_document_of_the_command_line() {
        let mut gate = Gate::new();
        for chunk in [
            &b"==7==ERROR: LeakSanitizer: detected memory leaks\n\nDirect leak of 4 byte(s) in 1 ob"[..],
            b"ject(s) allocated from:\n    #0 0x51 in make /src/a.c:3:9\n\n",
            b"SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n",
        ] {
            gate.feed(chunk);
        }
        let document = gate.finish(false);
        assert!(document.starts_with("{\"schema\":\"leakgate/v1\""), "{document}");
        assert!(document.contains("\"outcome\":\"fail\"") && document.contains("\"line\":3"), "{document}");
        let silent = |passes| {
            let mut gate = Gate::new();
            gate.feed(b"nothing\n");
            gate.finish(passes)
        };
        assert!(silent(false).contains("no-evidence") && silent(true).contains("\"outcome\":\"pass\""));
    }
}
