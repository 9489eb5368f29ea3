//! Where everything that the dialects read comes together: reports, findings, problems.
//!
//! Memory follows what is different. The text of a frame is read once and shared by all frames that
//! say the same; a record that is the same as an earlier one in kind, sizes and stacks only raises
//! a counter. Addresses are left out of that comparison where anything else is known of a frame,
//! since they change with every process.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hash, Hasher};

use hashbrown::{DefaultHashBuilder, HashMap, HashSet, HashTable};

use super::draft::Draft;
use super::frame::{self, Head};
use crate::bytes::{find, lossy};
use crate::format::Format;
use crate::model::{
    Entry, Finding, Frame, Generated, Input, Instance, Kind, Report, Site, Stack, Text, Tool,
};
use crate::options::Options;
use crate::problem::{Code, Problem};

/// Which grammar a frame's text follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Grammar {
    Valgrind,
    Sanitizer,
    Xml,
    /// A place without a function.
    Place,
    /// A line of `backtrace_symbols`.
    Symbols,
    /// A function without a place.
    Function,
    /// The kernel's.
    Kernel,
    /// Dr. Memory's: the place in brackets.
    Bracket,
    /// Application Verifier's.
    Verifier,
    /// macOS's: the image first.
    Image,
    /// `FUNCTION at FILE:LINE:COLUMN`, as Miri's two lines are joined.
    AtPlace,
}

/// Bytes of a log as shared text.
pub(crate) fn text_of(bytes: &[u8]) -> Text {
    Text::from(&*lossy(bytes))
}

/// Everything that was read so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collector {
    pub(crate) options: Options,
    /// Formats of the project's own.
    pub(crate) formats: Arc<[Format]>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) reports: Vec<Report>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) problems: Vec<Problem>,
    /// A hash of every line of a report, by which a report that stands in the log twice is known.
    pub(crate) prints: Vec<u64>,
    /// Reports that are none, or that stand in the log a second time.
    pub(crate) forgotten: HashSet<usize>,
    /// Reports of a header alone that name a parent: a child that may have gone on with a program
    /// that is not watched.
    pub(crate) bare_children: Vec<usize>,
    /// Reports without an end, after which the same process began a new one.
    pub(crate) replaced: Vec<usize>,
    /// Reports of which somebody wrote down that the process went on as another program.
    pub(crate) went_on: Vec<usize>,
    /// Reports in XML and how many different errors each states before its sums: those that are
    /// neither leaks nor descriptors.
    pub(crate) counted: Vec<(usize, u64)>,
    hasher: DefaultHashBuilder,
    sites: HashTable<(u64, Grammar, Arc<Site>)>,
    folds: HashTable<(u64, usize)>,
    entries: HashMap<(usize, usize), usize>,
    counts: HashMap<Code, usize>,
}

impl Collector {
    pub(crate) fn new(options: Options, formats: &[Format]) -> Self {
        Self {
            options,
            formats: formats.into(),
            ..Self::default()
        }
    }

    /// The index of the input that is being read.
    pub(crate) fn input(&self) -> usize {
        self.inputs.len().saturating_sub(1)
    }

    pub(crate) fn problem(
        &mut self,
        code: Code,
        line: u64,
        pid: Option<u64>,
        message: impl Into<String>,
    ) {
        self.problem_in(self.input(), code, line, pid, message);
    }

    /// The same for an input that has been read already.
    pub(crate) fn problem_in(
        &mut self,
        input: usize,
        code: Code,
        line: u64,
        pid: Option<u64>,
        message: impl Into<String>,
    ) {
        let count = self.counts.entry(code).or_default();
        *count += 1;
        let listed = self.options.max_problems;
        let problem = |code, message| Problem {
            code,
            input,
            line,
            pid,
            message,
        };
        if *count <= listed {
            self.problems.push(problem(code, message.into()));
        } else if *count == listed + 1 {
            self.problems.push(problem(
                Code::MoreProblems,
                format!("more than {listed} problems of the code {code}"),
            ));
        }
    }

    /// Opens a report for a process.
    pub(crate) fn open_report(
        &mut self,
        tool: Tool,
        pid: Option<u64>,
        stream: Option<Text>,
        line: u64,
    ) -> usize {
        self.reports.push(Report {
            tool,
            version: None,
            pid,
            parent: None,
            command: None,
            stream,
            input: self.input(),
            first_line: line,
            last_line: line,
            complete: false,
            has_header: false,
            searches: 0,
            callers: None,
            shown: None,
            stated: crate::model::Stated::default(),
            capped: false,
            printed: 0,
            printed_errors: 0,
            entries: Vec::new(),
        });
        self.prints.push(0);
        self.reports.len() - 1
    }

    /// Counts a line as part of a report.
    pub(crate) fn touch(&mut self, report: usize, raw: &[u8], line: u64) {
        self.reports[report].last_line = line;
        self.prints[report] = self.hash(self.prints[report], raw);
    }

    /// The hash of bytes that follow others. The hasher tells lengths apart without being told of
    /// them.
    fn hash(&self, before: u64, bytes: &[u8]) -> u64 {
        let mut state = self.hasher.build_hasher();
        state.write(bytes);
        state.write_u128(before.into());
        state.finish()
    }

    /// Adds a frame to the draft's open stack, or opens the stack that is due.
    pub(crate) fn push_frame(&mut self, draft: &mut Draft, grammar: Grammar, head: Head<'_>) {
        if let Some((role, label)) = draft.next.take() {
            if draft.stacks.len() >= self.options.max_stacks {
                return;
            }
            draft.stacks.push(Stack {
                role,
                label,
                frames: Vec::new(),
            });
        }
        let max = self.options.max_frames;
        let Some(stack) = draft.stacks.last_mut() else {
            return;
        };
        let count = stack.frames.len();
        if count < max {
            let index = head
                .index
                .unwrap_or(u32::try_from(count).unwrap_or(u32::MAX));
            let site = self.site(grammar, head.site);
            stack.frames.push(Frame {
                index,
                address: head.address,
                inlined: false,
                site,
            });
        } else if count == max {
            let line = draft.first_line;
            self.problem(
                Code::TooManyFrames,
                line,
                None,
                format!("a stack has more than {max} frames; the rest was not kept"),
            );
        }
    }

    /// What stands at a frame: read once for each different text.
    fn site(&mut self, grammar: Grammar, raw: &[u8]) -> Arc<Site> {
        self.shared(grammar, raw, || match grammar {
            Grammar::Sanitizer => frame::sanitizer_site(raw),
            Grammar::Place => frame::place_site(raw),
            Grammar::Symbols => frame::symbols_site(raw),
            Grammar::Function => frame::function_site(raw),
            Grammar::Kernel => frame::kernel_site(raw),
            Grammar::Bracket => frame::bracket_site(raw),
            Grammar::Verifier => frame::verifier_site(raw),
            Grammar::Image => frame::image_site(raw),
            Grammar::AtPlace => frame::at_place_site(raw),
            _ => frame::valgrind_site(raw),
        })
    }

    /// The same for a frame of an XML document, whose parts `read` puts together.
    pub(crate) fn site_or(&mut self, raw: &[u8], read: impl FnOnce() -> Site) -> Arc<Site> {
        self.shared(Grammar::Xml, raw, read)
    }

    fn shared(&mut self, grammar: Grammar, raw: &[u8], read: impl FnOnce() -> Site) -> Arc<Site> {
        let hash = self.hash(0, raw);
        let same = |(h, g, site): &(u64, Grammar, Arc<Site>)| {
            *h == hash && *g == grammar && *site.raw == *raw
        };
        if let Some((.., site)) = self.sites.find(hash, same) {
            return Arc::clone(site);
        }
        let site = Arc::new(read());
        self.sites
            .insert_unique(hash, (hash, grammar, Arc::clone(&site)), |entry| entry.0);
        site
    }

    /// Takes a finished record into a report. A reprint of a record that the report already holds
    /// does not count.
    ///
    /// Returns the finding that the record belongs to.
    pub(crate) fn record(
        &mut self,
        report: usize,
        mut draft: Draft,
        search: u32,
        reprint: bool,
    ) -> Option<usize> {
        draft.mark_inlined();
        let hash = self.fold_hash(&draft);
        let known = self
            .folds
            .find(hash, |(h, at)| {
                *h == hash && same_record(&self.findings[*at], &draft)
            })
            .map(|f| f.1);
        let finding = known.or_else(|| self.new_finding(hash, &mut draft))?;
        let entry = self.entries.get(&(report, finding)).copied();
        if !reprint || entry.is_none() {
            self.reports[report].printed += 1;
            self.reports[report].printed_errors +=
                u64::from(draft.kind.is_error() && draft.kind != Kind::FATAL_SIGNAL);
        }
        let entries = &mut self.reports[report].entries;
        match entry {
            Some(at) => {
                let earlier_search = entries[at].search < search && draft.kind.is_leak();
                entries[at].search = search;
                if reprint || earlier_search {
                    return Some(finding);
                }
                entries[at].count += 1;
            }
            None => {
                self.entries.insert((report, finding), entries.len());
                entries.push(Entry {
                    finding,
                    count: 1,
                    search,
                });
            }
        }
        let (input, pid) = (self.reports[report].input, self.reports[report].pid);
        let at = finding;
        let finding = &mut self.findings[at];
        finding.occurrences += 1;
        if finding.instances.len() < self.options.max_instances {
            let (first_line, last_line) = (draft.first_line, draft.last_line);
            finding.instances.push(Instance {
                input,
                report,
                pid,
                first_line,
                last_line,
            });
        }
        Some(at)
    }

    /// Adds the suppression that valgrind wrote for a record. Equal records whose names differ
    /// before demangling leave none.
    pub(crate) fn generated(&mut self, finding: usize, generated: Generated) {
        let finding = &mut self.findings[finding];
        match &mut finding.generated {
            None if finding.occurrences <= 1 => finding.generated = Some(generated),
            Some(known) if *known == generated => {}
            other => {
                *other = Some(Generated {
                    frames: Vec::new(),
                    ..generated
                })
            }
        }
    }

    fn new_finding(&mut self, hash: u64, draft: &mut Draft) -> Option<usize> {
        let max = self.options.max_findings;
        if self.findings.len() >= max {
            let message = format!("more than {max} different findings; the rest was not kept");
            if self.counts.get(&Code::TooManyFindings).is_none() {
                self.problem(Code::TooManyFindings, draft.first_line, None, message);
            }
            return None;
        }
        let at = self.findings.len();
        self.findings.push(Finding {
            tool: draft.tool.clone(),
            kind: draft.kind.clone(),
            title: Arc::clone(&draft.title),
            leak: draft.leak,
            stacks: core::mem::take(&mut draft.stacks),
            notes: core::mem::take(&mut draft.notes),
            generated: draft.generated.take(),
            occurrences: 0,
            inherited: 0,
            instances: Vec::new(),
        });
        self.folds.insert_unique(hash, (hash, at), |f| f.0);
        Some(at)
    }

    fn fold_hash(&self, draft: &Draft) -> u64 {
        let mut state = self.hasher.build_hasher();
        (&draft.tool, &draft.kind, draft.leak, &draft.generated).hash(&mut state);
        without_addresses(&draft.title).for_each(|part| part.hash(&mut state));
        for stack in &draft.stacks {
            stack.role.hash(&mut state);
            for frame in &stack.frames {
                state.write_u128(Arc::as_ptr(&frame.site) as usize as u128);
            }
        }
        state.finish()
    }

    /// The hash of a finding's stacks, whatever its sizes.
    pub(crate) fn stack_hash(&self, finding: &Finding) -> u64 {
        let mut state = self.hasher.build_hasher();
        for stack in &finding.stacks {
            for frame in &stack.frames {
                frame.site.raw.hash(&mut state);
            }
        }
        state.finish()
    }
}

fn same_record(finding: &Finding, draft: &Draft) -> bool {
    let same_frame = |(a, b): (&Frame, &Frame)| Arc::ptr_eq(&a.site, &b.site);
    let same_stack = |(a, b): (&Stack, &Stack)| {
        a.role == b.role
            && a.frames.len() == b.frames.len()
            && a.frames.iter().zip(&b.frames).all(same_frame)
    };
    finding.kind == draft.kind
        && finding.tool == draft.tool
        && finding.leak == draft.leak
        && (draft.generated.is_none() || finding.generated == draft.generated)
        && finding.stacks.len() == draft.stacks.len()
        && finding.stacks.iter().zip(&draft.stacks).all(same_stack)
        && without_addresses(&finding.title).eq(without_addresses(&draft.title))
}

/// The parts of a headline between its hexadecimal numbers.
fn without_addresses(title: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(title);
    let mut is_first = true;
    core::iter::from_fn(move || {
        let text = rest.take()?;
        let end = find(text.as_bytes(), b"0x");
        rest = end.map(|at| &text[at + 2..]);
        let part = &text[..end.unwrap_or(text.len())];
        let is_first = core::mem::take(&mut is_first);
        Some(if is_first {
            part
        } else {
            part.trim_start_matches(|c: char| c.is_ascii_hexdigit())
        })
    })
}
