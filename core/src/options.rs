//! The bounds of the parser. Reaching one never loses anything silently: it leaves a
//! [`crate::Problem`].

/// Bounds; [`Options::default`] gives the documented values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of a line. A longer one is read in pieces of this size. Default: 1 MiB.
    pub max_line: usize,
    /// Frames of a stack. The rest is not kept. Default: 512 (valgrind's own maximum is 500).
    pub max_frames: usize,
    /// Stacks of a finding. The rest is not kept. Default: 64.
    pub max_stacks: usize,
    /// Different findings. The rest is not kept. Default: 100,000.
    pub max_findings: usize,
    /// Instances that are listed for a finding; `occurrences` goes on counting. Default: 16.
    pub max_instances: usize,
    /// Processes and sources that are followed at once. Default: 4,096.
    pub max_processes: usize,
    /// Problems that are listed for each code. Default: 100.
    pub max_problems: usize,
    /// valgrind follows children into other programs (`--trace-children=yes`), so that one that
    /// left nothing but its header was killed. Default: false.
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
