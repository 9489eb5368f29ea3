//! Bounds of the parser.

/// Bounds of the parser. [`Options::default`] returns the documented values.
///
/// Reaching a bound never hides data silently: it leaves a [`Problem`](crate::Problem).
///
/// ```
/// use leakgate_core::{Options, Parser};
///
/// let mut options = Options::default();
/// options.max_frames = 1;
/// let mut parser = Parser::new(options);
/// parser.begin("run.log");
/// parser.feed(b"==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
///     Direct leak of 4 byte(s) in 1 object(s) allocated from:\n    #0 0x51 in make /src/a.c:3:9\n\
///     #1 0x52 in main /src/a.c:9:2\n\n\
///     SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n");
/// let parsed = parser.finish();
/// assert_eq!(parsed.findings[0].stacks[0].frames.len(), 1);
/// assert_eq!(parsed.problems[0].code.as_str(), "too-many-frames");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Length of a line, in bytes. Longer lines are read in pieces. Default: 1 MiB.
    pub max_line: usize,
    /// Frames of a stack. Further frames are dropped. Default: 512 (valgrind's maximum is 500).
    pub max_frames: usize,
    /// Stacks of a finding. Further stacks are dropped. Default: 64.
    pub max_stacks: usize,
    /// Distinct findings. Further findings are dropped. Default: 100,000.
    pub max_findings: usize,
    /// Instances listed for a finding. Further instances are only counted. Default: 16.
    pub max_instances: usize,
    /// Processes and log sources that are open at the same time. Default: 4,096.
    pub max_processes: usize,
    /// Problems listed for each code. Default: 100.
    pub max_problems: usize,
    /// True if valgrind follows child processes (`--trace-children=yes`). Then a report that ends
    /// after its header means that the process was killed. Default: false.
    pub children_are_traced: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_line: 1 << 20,
            max_frames: 512,
            max_stacks: 64,
            max_findings: 100_000,
            max_instances: 16,
            max_processes: 4096,
            max_problems: 100,
            children_are_traced: false,
        }
    }
}
