//! The whole way from bytes to a verdict and its reports.

use leakgate_core::emit::{self, Format, RenderOptions, Run};
use leakgate_core::triage::triage;
use leakgate_core::verdict::{Source, judge};
use leakgate_core::{Date, Gate, NoWorkspace, Options, Outcome, Parser, Policy};

/// Parses one input from chunks, checks that the verdict is plausible, and returns the report in a
/// format.
pub fn document<'a>(chunks: impl Iterator<Item = &'a [u8]>, format: Format) -> String {
    let mut parser = Parser::new(Options::default());
    parser.begin("log");
    chunks.for_each(|chunk| parser.feed(chunk));
    let parsed = parser.finish();
    let gate = Gate::new(Policy::default(), Date::constant(2026, 6, 1));
    let triage = triage(&parsed, &gate, &NoWorkspace);
    let sources = [Source {
        name: "log".into(),
        inputs: vec![0],
    }];
    let verdict = judge(&parsed, &triage, &sources, &gate);
    match verdict.outcome {
        Outcome::Pass => {
            assert!(!parsed.reports.is_empty(), "a pass without a report");
            assert!(
                parsed.reports.iter().all(|r| r.complete),
                "a pass with a truncated report"
            );
        }
        _ => assert!(!verdict.reasons.is_empty(), "a failure without a reason"),
    }
    let run = Run::new(&parsed, &gate, &triage, &verdict);
    let style = RenderOptions {
        color: true,
        show_accepted: true,
        suggest_rules: true,
        ..RenderOptions::default()
    };
    emit::render(&run, format, &style)
}
