//! Folding of records: equal records become one finding with a counter.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hash, Hasher};

use super::Collector;
use crate::bytes::find;
use crate::model::{Finding, Frame, GeneratedSuppression, Instance, Kind, RecordCount, Stack};
use crate::parse::finding_builder::FindingBuilder;
use crate::parse::harness::test_in_stacks;
use crate::problem::Code;

impl Collector {
    /// Adds a finished record to a report and returns the index of its finding, or `None` if there
    /// are too many findings. With `reprint`, a record that the report already contains is not
    /// counted again.
    pub(crate) fn add_record(
        &mut self,
        report: usize,
        mut draft: FindingBuilder,
        reprint: bool,
    ) -> Option<usize> {
        draft.mark_inlined();
        let hash = self.fold_hash(&draft);
        let known = self
            .folded
            .find(hash, |(h, at)| {
                *h == hash && same_record(&self.findings[*at], &draft)
            })
            .map(|f| f.1);
        let finding = known.or_else(|| self.new_finding(hash, &mut draft))?;
        let open = &mut self.reports[report];
        let record = self.records.get(&(report, finding)).copied();
        if !reprint || record.is_none() {
            open.report.printed += 1;
            open.printed_errors +=
                u64::from(draft.kind.is_error() && draft.kind != Kind::FATAL_SIGNAL);
        }
        let leak_check = open.leak_checks;
        let tests = self.tests.of_record(
            &open.report,
            draft.first_line,
            draft.kind.is_leak(),
            self.tests_in_stacks[finding].as_ref(),
        );
        let records = &mut open.report.records;
        if let Some(at) = record {
            let is_repeated = records[at].leak_check < leak_check && draft.kind.is_leak();
            records[at].leak_check = leak_check;
            if reprint || is_repeated {
                return Some(finding);
            }
            records[at].count += 1;
        } else {
            self.records.insert((report, finding), records.len());
            records.push(RecordCount {
                finding,
                count: 1,
                leak_check,
            });
        }
        let instance = Instance {
            input: open.report.input,
            report,
            pid: open.report.pid,
            first_line: draft.first_line,
            last_line: draft.last_line,
        };
        let max_instances = self.options.max_instances;
        let folded = &mut self.findings[finding];
        folded.add_tests(tests, false);
        folded.occurrences += 1;
        if folded.instances.len() < max_instances {
            if folded.instances.is_empty() {
                // Most findings have only one.
                folded.instances.reserve_exact(1);
            }
            folded.instances.push(instance);
        }
        Some(finding)
    }

    /// Adds the suppression that valgrind generated for a record. If equal records have different
    /// suppressions, because their mangled names differ, its frames are removed.
    pub(crate) fn add_generated_suppression(
        &mut self,
        finding: usize,
        generated: GeneratedSuppression,
    ) {
        let finding = &mut self.findings[finding];
        match &mut finding.generated_suppression {
            None if finding.occurrences <= 1 => finding.generated_suppression = Some(generated),
            Some(known) if *known == generated => {}
            other => {
                *other = Some(GeneratedSuppression {
                    frames: Vec::new(),
                    ..generated
                })
            }
        }
    }

    /// Adds a finding without records. Returns `None` if there are too many.
    fn new_finding(&mut self, hash: u64, draft: &mut FindingBuilder) -> Option<usize> {
        let max = self.options.max_findings;
        if self.findings.len() >= max {
            let message = format!("more than {max} different findings; the others were dropped");
            if self.problem_counts.get(&Code::TooManyFindings).is_none() {
                self.add_problem(Code::TooManyFindings, draft.first_line, None, message);
            }
            return None;
        }
        // Most findings have one stack and few frames, which take a fraction of the usual capacity.
        draft.stacks.shrink_to_fit();
        for stack in &mut draft.stacks {
            stack.frames.shrink_to_fit();
        }
        let at = self.findings.len();
        self.tests_in_stacks.push(test_in_stacks(&draft.stacks));
        self.findings.push(Finding {
            tool: draft.tool.clone(),
            kind: draft.kind.clone(),
            title: Arc::clone(&draft.title),
            leak: draft.leak,
            stacks: core::mem::take(&mut draft.stacks),
            notes: core::mem::take(&mut draft.notes),
            generated_suppression: draft.generated.take(),
            occurrences: 0,
            inherited: 0,
            instances: Vec::new(),
            tests: Vec::new(),
            more_tests: false,
        });
        self.folded.insert_unique(hash, (hash, at), |f| f.0);
        Some(at)
    }

    /// Hashes the parts of a record by which equal records are recognized.
    fn fold_hash(&self, draft: &FindingBuilder) -> u64 {
        let mut state = self.hasher.build_hasher();
        (&draft.tool, &draft.kind, draft.leak, &draft.generated).hash(&mut state);
        without_addresses(&draft.title).for_each(|part| part.hash(&mut state));
        for stack in &draft.stacks {
            stack.role.hash(&mut state);
            for frame in &stack.frames {
                state.write_u128(Arc::as_ptr(&frame.info) as usize as u128);
            }
        }
        state.finish()
    }

    /// Hashes the stacks of a finding, ignoring sizes.
    pub(crate) fn stack_hash(&self, finding: &Finding) -> u64 {
        let mut state = self.hasher.build_hasher();
        for stack in &finding.stacks {
            for frame in &stack.frames {
                frame.info.raw.hash(&mut state);
            }
        }
        state.finish()
    }
}

/// Returns true if the record is another occurrence of the finding.
fn same_record(finding: &Finding, draft: &FindingBuilder) -> bool {
    let same_frame = |(a, b): (&Frame, &Frame)| Arc::ptr_eq(&a.info, &b.info);
    let same_stack = |(a, b): (&Stack, &Stack)| {
        a.role == b.role
            && a.frames.len() == b.frames.len()
            && a.frames.iter().zip(&b.frames).all(same_frame)
    };
    finding.kind == draft.kind
        && finding.tool == draft.tool
        && finding.leak == draft.leak
        && (draft.generated.is_none() || finding.generated_suppression == draft.generated)
        && finding.stacks.len() == draft.stacks.len()
        && finding.stacks.iter().zip(&draft.stacks).all(same_stack)
        && without_addresses(&finding.title).eq(without_addresses(&draft.title))
}

/// Returns the parts of a headline between its hexadecimal numbers.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use crate::model::Tool;
    use crate::parse::collect::FrameSyntax;
    use crate::parse::frame::SplitFrame;

    /// Adds a record with one frame.
    fn add(out: &mut Collector, report: usize, number: u32) -> Option<usize> {
        let mut draft = FindingBuilder::new(Tool::Lsan, Kind::UNKNOWN, "title", 1);
        let text = format!("f{number} /a.c:1");
        let frame = SplitFrame {
            index: None,
            address: None,
            text: text.as_bytes(),
        };
        out.push_frame(&mut draft, FrameSyntax::Sanitizer, frame);
        out.add_record(report, draft, false)
    }

    #[test]
    fn nothing_is_stored_after_the_last_finding() {
        let options = Options {
            max_findings: 2,
            ..Options::default()
        };
        let mut out = Collector::new(options, &[]);
        let report = out.open_report(Tool::Lsan, None, None, 1);
        let added: Vec<_> = (0..100).filter_map(|n| add(&mut out, report, n)).collect();
        assert_eq!(added, [0, 1]);
        assert_eq!(out.findings.len(), 2);
        assert_eq!(out.frames.len(), 2);
        assert_eq!(out.records.len(), 2);
        assert_eq!(out.problems.len(), 1);
        assert_eq!(add(&mut out, report, 1), Some(1));
        assert_eq!(out.findings[1].occurrences, 2);
    }
}
