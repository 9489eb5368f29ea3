//! Collects the sizes of all sites, run by run.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::{Assessment, Growth, Site, Trend};
use crate::culprit::Workspace;
use crate::model::{Amount, Finding, Kind, Leak, Report, Tool};
use crate::parse::Parsed;
use crate::rules::Rule;
use crate::triage::{Gate, Triage, TriagedFinding};

/// The runs of a program, each with its number of steps.
#[derive(Clone, Debug, Default)]
pub struct Points {
    steps: Vec<u64>,
    /// The tools that wrote the reports of each run, one for each report.
    tools: Vec<Vec<Tool>>,
    stacks: Vec<Stack>,
    /// Indices of the stacks, by fingerprint.
    indices: HashMap<String, usize>,
}

/// The allocations with one fingerprint.
#[derive(Clone, Debug)]
struct Stack {
    fingerprint: String,
    lines: Vec<Line>,
    records: Vec<Record>,
}

/// The line that the culprit frame names. A function may allocate in several lines.
#[derive(Clone, Debug)]
struct Line {
    place: Option<String>,
    function: Option<String>,
    /// The last point with a record, and the kind of leak there.
    latest: (usize, Kind),
    /// The rules that decided about the findings. `None` for a finding without a valid rule.
    rules: Vec<Option<usize>>,
}

/// What one process has in use when it ends.
#[derive(Clone, Copy, Debug)]
struct Record {
    point: usize,
    report: usize,
    line: usize,
    amount: Amount,
}

impl Points {
    /// Adds a run. `step` is the amount of its work, such as a number of requests, which must be
    /// larger than that of the run before.
    pub fn add(&mut self, step: u64, parsed: &Parsed, triage: &Triage, workspace: &dyn Workspace) {
        let point = self.steps.len();
        self.steps.push(step);
        let tools = parsed.reports.iter().map(|report| report.tool.clone());
        self.tools.push(tools.collect());
        let mut lines: HashMap<usize, (usize, usize)> = HashMap::new();
        for (at, report) in parsed.reports.iter().enumerate() {
            let last_check = last_leak_check(report, parsed);
            for record in &report.records {
                let finding = &parsed.findings[record.finding];
                let is_outdated = finding.kind.is_leak() && record.leak_check != last_check;
                let Some(amount) = amount(finding).filter(|_| !is_outdated) else {
                    continue;
                };
                let (stack, line) = *lines.entry(record.finding).or_insert_with(|| {
                    let triaged = &triage.findings[record.finding];
                    self.line(point, finding, triaged, triage, workspace)
                });
                self.stacks[stack].records.push(Record {
                    point,
                    report: at,
                    line,
                    amount: Amount {
                        bytes: amount.bytes.saturating_mul(record.count),
                        blocks: amount.blocks.saturating_mul(record.count),
                    },
                });
            }
        }
    }

    /// Returns the indices of the stack and the line of a finding.
    fn line(
        &mut self,
        point: usize,
        finding: &Finding,
        triaged: &TriagedFinding,
        triage: &Triage,
        workspace: &dyn Workspace,
    ) -> (usize, usize) {
        let fingerprint = triaged.fingerprint.as_str();
        let next = self.stacks.len();
        let at = *self.indices.entry_ref(fingerprint).or_insert(next);
        if at == next {
            self.stacks.push(Stack {
                fingerprint: fingerprint.into(),
                lines: Vec::new(),
                records: Vec::new(),
            });
        }
        let frames = finding.primary().map(|stack| &stack.frames);
        let culprit = triaged.culprit.frame;
        let info = frames
            .zip(culprit)
            .and_then(|(frames, culprit)| frames.get(culprit))
            .map(|frame| &frame.info);
        let place = info.and_then(|info| {
            let printed = info.file.as_deref()?;
            let file = workspace.resolve(printed);
            let file = file.as_deref().unwrap_or(printed);
            Some(match info.line {
                Some(line) => format!("{file}:{line}"),
                None => file.into(),
            })
        });
        let rule = triaged.rule.filter(|rule| {
            let usage = triage.usages.get(*rule);
            usage.is_some_and(|usage| !usage.expired)
        });
        let stack = &mut self.stacks[at];
        let known = stack.lines.iter().position(|line| line.place == place);
        let line = known.unwrap_or_else(|| {
            let name = info.map(|info| triage.names.simple(info).into_owned());
            stack.lines.push(Line {
                place,
                function: name.filter(|name| !name.is_empty()),
                latest: (point, finding.kind.clone()),
                rules: Vec::new(),
            });
            stack.lines.len() - 1
        });
        stack.lines[line].add(point, &finding.kind, rule);
        (at, line)
    }

    /// Assesses every site.
    pub fn finish(self, gate: &Gate) -> Growth {
        let mut sites: Vec<Site> = Vec::new();
        for stack in &self.stacks {
            sites.extend(self.sites_of(stack, gate));
        }
        sites.sort_by(|a, b| {
            let speed = |site: &Site| site.speed();
            a.sort_key().cmp(&b.sort_key()).then_with(|| {
                speed(b)
                    .partial_cmp(&speed(a))
                    .unwrap_or(core::cmp::Ordering::Equal)
            })
        });
        Growth {
            steps: self.steps,
            sites,
        }
    }

    /// Returns a site for each line of a stack. If none of them grows, but all together do, the
    /// lines have moved between the runs, and are one site.
    fn sites_of(&self, stack: &Stack, gate: &Gate) -> Vec<Site> {
        let lines = 0..stack.lines.len();
        let sites: Vec<Site> = lines.map(|line| self.site(stack, &[line], gate)).collect();
        let grows = |site: &Site| site.trend == Trend::Growing;
        if sites.len() > 1 && !sites.iter().any(grows) {
            let mut all: Vec<usize> = (0..stack.lines.len()).collect();
            all.sort_by_key(|line| core::cmp::Reverse(stack.lines[*line].latest.0));
            let together = self.site(stack, &all, gate);
            if grows(&together) {
                return vec![together];
            }
        }
        sites
    }

    /// Returns the site that consists of these lines. The first one names it.
    fn site(&self, stack: &Stack, lines: &[usize], gate: &Gate) -> Site {
        let (amounts, assessment) = self.assess(stack, lines);
        let line = &stack.lines[lines[0]];
        let rules = || lines.iter().flat_map(|line| &stack.lines[*line].rules);
        let deciding: Option<Vec<&Rule>> = rules()
            .map(|rule| rule.and_then(|rule| gate.rules.get(rule)))
            .collect();
        let deciding = deciding.unwrap_or_default();
        let accepts = |rule: &&Rule| assessment.is_within(rule.growth);
        let refusing = deciding.iter().find(|rule| !accepts(rule));
        Site {
            fingerprint: stack.fingerprint.clone(),
            kind: line.latest.1.as_str().into(),
            function: line.function.clone(),
            place: line.place.clone(),
            amounts,
            trend: assessment.trend,
            blocks_rate: assessment.blocks,
            bytes_rate: assessment.bytes,
            is_amortized: assessment.is_amortized,
            next_step: assessment.next_step(&self.steps),
            rule: refusing.or(deciding.first()).map(|rule| rule.id.clone()),
            is_accepted: assessment.trend == Trend::Growing
                && !deciding.is_empty()
                && refusing.is_none(),
        }
    }

    /// Assesses the process with most memory. If it doesn't grow, also assesses all processes
    /// together, unless their number changes: several processes may share the work.
    fn assess(&self, stack: &Stack, lines: &[usize]) -> (Vec<Amount>, Assessment) {
        let (largest, sums) = self.amounts(stack, lines);
        let assessment = Assessment::of(&self.steps, &largest);
        if assessment.trend != Trend::Growing && self.has_same_processes() {
            let together = Assessment::of(&self.steps, &sums);
            if together.trend == Trend::Growing {
                return (sums, together);
            }
        }
        (largest, assessment)
    }

    /// Returns the amounts at each point: the largest of a process, and the sum of all.
    fn amounts(&self, stack: &Stack, lines: &[usize]) -> (Vec<Amount>, Vec<Amount>) {
        let mut largest = vec![Amount::default(); self.steps.len()];
        let mut sums = largest.clone();
        let mut processes: HashMap<(usize, usize), Amount> = HashMap::new();
        let records = stack.records.iter();
        for record in records.filter(|record| lines.contains(&record.line)) {
            let process = processes.entry((record.point, record.report)).or_default();
            *process = process.plus(record.amount);
        }
        for ((point, _), amount) in processes {
            sums[point] = sums[point].plus(amount);
            largest[point].bytes = largest[point].bytes.max(amount.bytes);
            largest[point].blocks = largest[point].blocks.max(amount.blocks);
        }
        (largest, sums)
    }

    /// Returns true if each run has as many processes as the others, under one checker.
    fn has_same_processes(&self) -> bool {
        let first = self.tools.first().and_then(|tools| tools.first());
        let is_first = |tool: &Tool| Some(tool) == first;
        self.tools.iter().all(|tools| tools.iter().all(is_first))
            && self
                .tools
                .windows(2)
                .all(|pair| pair[0].len() == pair[1].len())
    }
}

impl Line {
    fn add(&mut self, point: usize, kind: &Kind, rule: Option<usize>) {
        let is_newer = point > self.latest.0;
        if is_newer || self.latest.1 == Kind::LEAK_REACHABLE {
            self.latest = (point, kind.clone());
        }
        if !self.rules.contains(&rule) {
            self.rules.push(rule);
        }
    }
}

/// Returns the number of the last leak check of a process.
fn last_leak_check(report: &Report, parsed: &Parsed) -> u32 {
    let is_leak = |at: usize| parsed.findings[at].kind.is_leak();
    let records = report.records.iter();
    let leaks = records.filter(|record| is_leak(record.finding));
    leaks.map(|record| record.leak_check).max().unwrap_or(0)
}

/// Returns the amount that one record states about its own blocks. `None` if it is neither a leak
/// nor an open descriptor. Blocks that only these point to have their own records.
///
/// If valgrind before 3.24 writes XML, it lists each descriptor twice: with its stack there, and
/// with its name in a text without stacks, which doesn't count.
fn amount(finding: &Finding) -> Option<Amount> {
    if finding.kind == Kind::FD_LEAK {
        let has_stack = finding
            .primary()
            .is_some_and(|stack| !stack.frames.is_empty());
        return has_stack.then_some(Amount {
            bytes: 0,
            blocks: 1,
        });
    }
    let leak = finding.leak.filter(|_| finding.kind.is_leak())?;
    let Leak {
        bytes,
        blocks,
        direct_bytes,
        ..
    } = leak;
    let is_indirect = finding.kind == Kind::LEAK_INDIRECT;
    Some(Amount {
        bytes: if is_indirect { bytes } else { direct_bytes },
        blocks,
    })
}
