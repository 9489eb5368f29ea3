//! LeakSanitizer's reports: where they begin and end.

use alloc::format;

use super::Sanitizers;
use super::record::{BodyKind, LineContext, ReportBody};
use crate::model::{Amount, Tool};
use crate::parse::collect::Collector;
use crate::parse::lsan;
use crate::problem::Code;

impl Sanitizers {
    /// Opens LeakSanitizer's report after its headline.
    pub(super) fn leaks(&mut self, context: &LineContext<'_>, out: &mut Collector) {
        self.deadly = None;
        self.interrupt(context, out);
        let report = self.report(Tool::Lsan, context, out);
        let has_checkpoints = out.tests.has_checkpoints(context.stream, context.pid);
        let open = &mut out.reports[report];
        // A checkpoint lets the same process report all leaks so far again.
        if has_checkpoints && open.report.totals.leaked.take().is_some() {
            open.leak_checks += 1;
        }
        let this = &mut open.report;
        this.has_header = true;
        this.complete = false;
        self.open = Some(ReportBody::new(report, BodyKind::Leaks, None));
    }

    /// Opens LeakSanitizer's report at a leak record or a table of suppressions. The headline is
    /// missing, or the table has none.
    pub(super) fn open_leaks(
        &mut self,
        text: &[u8],
        context: &LineContext<'_>,
        out: &mut Collector,
    ) {
        let is_table = lsan::record(text).is_none();
        if self.open.as_ref().is_some_and(ReportBody::is_of_leaks) {
            return;
        }
        self.interrupt(context, out);
        let report = self.report(Tool::Lsan, context, out);
        out.reports[report].report.complete = is_table;
        let kind = if is_table {
            BodyKind::Suppressions { then_leaks: false }
        } else {
            BodyKind::Leaks
        };
        self.open = Some(ReportBody::new(report, kind, None));
    }

    /// Reads LeakSanitizer's total, which ends its report.
    pub(super) fn leak_total(
        &mut self,
        total: Amount,
        context: &LineContext<'_>,
        out: &mut Collector,
    ) {
        let open = self
            .open
            .as_ref()
            .filter(|o| o.is_of_leaks())
            .map(|o| o.report);
        match open {
            Some(report) => {
                // A process may check for leaks several times; the totals add up like the records.
                let stated = out.reports[report]
                    .report
                    .totals
                    .leaked
                    .get_or_insert_default();
                *stated = stated.plus(total);
                self.close(true, context.line, out);
            }
            None if self.mixed => {}
            None => {
                let message = format!(
                    "a summary of {} leaked bytes without a report: lines are lost",
                    total.bytes
                );
                out.add_problem(
                    Code::SummaryWithoutReport,
                    context.line,
                    context.pid,
                    message,
                );
            }
        }
    }
}
