//! An index that finds the rules which can match a finding.
//!
//! Trying every rule on every finding would take longer than parsing the log. Each pattern of a
//! rule therefore has a key: a name or a piece of text that every matching frame contains. Each
//! distinct frame of a log is looked up once, only patterns whose key it contains are tried on it,
//! and only rules whose rarest pattern matches a frame of a finding are tried on the finding.

mod anchor;
mod key;
mod pattern;

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use self::anchor::Anchor;
use self::key::Key;
use self::pattern::{Pattern, Patterns};
use super::{Matcher, Rule, sanitizer, stack, valgrind};
use crate::culprit::FrameCache;
use crate::fingerprint::Fingerprint;
use crate::full;
use crate::model::{Finding, Report};

/// Returns the known result of matching a pattern of a rule's stack against a frame, or `None` if
/// the index doesn't know it. The arguments are the indices of pattern and frame.
type KnownMatches<'a> = &'a dyn Fn(usize, usize) -> Option<bool>;

/// All rules of a run, indexed by their rarest patterns.
#[derive(Debug)]
pub(crate) struct Index<'r> {
    rules: &'r [Rule],
    patterns: Patterns<'r>,
    /// For each pattern of a rule's stack, its number in `patterns`. `None` if the pattern isn't
    /// looked up or if the frame alone doesn't decide whether it matches.
    stack_patterns: Vec<Vec<Option<u32>>>,
    /// For each pattern, the rules whose rarest pattern it is, and where it must match.
    by_pattern: Vec<Vec<(u32, Anchor)>>,
    /// Rules with a fingerprint. A rule with exact bytes, as weak fingerprints need it, is found by
    /// these as well.
    by_fingerprint: ByFingerprint<'r>,
    /// Rules without any key, which are always tried.
    unindexed: Vec<u32>,
}

/// Rules by their fingerprint and their exact number of bytes.
type ByFingerprint<'r> = HashMap<&'r str, HashMap<Option<u64>, Vec<u32>>>;

/// The distinct patterns of all rules.
struct NumberedPatterns<'r> {
    all: Vec<Pattern<'r>>,
    /// The key of each pattern.
    keys: Vec<Key>,
    /// For each rule, the numbers of its patterns. `None` for a pattern that matches any frame.
    by_rule: Vec<Vec<Option<u32>>>,
}

impl<'r> NumberedPatterns<'r> {
    fn new(rules: &'r [Rule]) -> Self {
        let mut all = Vec::new();
        let mut keys = Vec::new();
        let mut numbers: HashMap<Pattern<'r>, u32> = HashMap::new();
        let mut number = |pattern: Pattern<'r>| {
            let next = u32::try_from(all.len()).unwrap_or(u32::MAX);
            *numbers.entry(pattern).or_insert_with(|| {
                all.push(pattern);
                keys.push(pattern.key());
                next
            })
        };
        let by_rule = rules
            .iter()
            .map(|rule| {
                Pattern::for_rule(rule)
                    .into_iter()
                    .map(|pattern| pattern.map(&mut number))
                    .collect()
            })
            .collect();
        Self { all, keys, by_rule }
    }

    /// Returns how often each pattern occurs in the rules.
    fn count_uses(&self) -> Vec<u32> {
        let mut uses = vec![0_u32; self.all.len()];
        self.by_rule
            .iter()
            .flatten()
            .flatten()
            .for_each(|pattern| uses[*pattern as usize] += 1);
        uses
    }
}

impl<'r> Index<'r> {
    /// Indexes rules for the findings of these reports.
    pub(crate) fn new(rules: &'r [Rule], reports: &[Box<Report>]) -> Self {
        if !rules.is_empty() {
            full::require();
        }
        let numbered = NumberedPatterns::new(rules);
        let uses = numbered.count_uses();
        let NumberedPatterns {
            all,
            keys,
            mut by_rule,
        } = numbered;
        let mut wanted: Vec<bool> = all
            .iter()
            .zip(&keys)
            .map(|(pattern, key)| pattern.is_decided_by_frame() && !key.is_open())
            .collect();
        let max_frames = max_frames(reports);
        let mut by_pattern = vec![Vec::new(); all.len()];
        let mut by_fingerprint = ByFingerprint::new();
        let mut unindexed = Vec::new();
        for (at, (rule, patterns)) in (0u32..).zip(rules.iter().zip(&by_rule)) {
            let compared = if matches!(rule.matcher, Matcher::Valgrind(_)) {
                max_frames
            } else {
                usize::MAX
            };
            let rank = |(_, p): &(usize, u32)| keys[*p as usize].rank(uses[*p as usize]);
            let compared = patterns.iter().take(compared).enumerate();
            let looked_up = compared.filter_map(|(position, p)| Some((position, (*p)?)));
            let rarest = looked_up.max_by_key(rank);
            if let Some(fingerprint) = &rule.selector.fingerprint {
                let bytes = rule.selector.bytes;
                let size = bytes.min.filter(|_| bytes.min == bytes.max);
                by_fingerprint
                    .entry(fingerprint)
                    .or_default()
                    .entry(size)
                    .or_default()
                    .push(at);
            } else if let Some((position, pattern)) = rarest {
                by_pattern[pattern as usize].push((at, Anchor::new(rule, position)));
                wanted[pattern as usize] = true;
            } else {
                unindexed.push(at);
            }
        }
        let is_looked_up = |p: &u32| wanted[*p as usize] && all[*p as usize].is_decided_by_frame();
        for pattern in by_rule.iter_mut().flatten() {
            *pattern = pattern.filter(is_looked_up);
        }
        let keys: Vec<Option<Key>> = keys
            .into_iter()
            .zip(&wanted)
            .map(|(key, wanted)| wanted.then_some(key))
            .collect();
        Self {
            rules,
            patterns: Patterns::new(all, &keys),
            stack_patterns: by_rule,
            by_pattern,
            by_fingerprint,
            unindexed,
        }
    }

    /// Returns the indices of the rules that match a finding, in ascending order.
    pub(crate) fn matches(
        &mut self,
        finding: &Finding,
        fingerprint: &Fingerprint,
        reports: &[Box<Report>],
        cache: &mut FrameCache,
    ) -> Vec<u32> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        full::require();
        let frames = finding
            .primary()
            .map(|s| s.frames.as_slice())
            .unwrap_or_default();
        let ids: Vec<u32> = frames
            .iter()
            .map(|frame| self.patterns.frame_id(frame, &finding.tool, cache))
            .collect();
        let runtime = anchor::runtime_frames(frames, cache);
        let mut found = self.candidates(finding, fingerprint, &ids, runtime);
        found.retain(|at| {
            let patterns = &self.stack_patterns[*at as usize];
            let known = |at: usize, frame: usize| {
                Some(
                    self.patterns
                        .matching(ids[frame])
                        .binary_search(&patterns[at]?)
                        .is_ok(),
                )
            };
            rule_matches_with(
                &self.rules[*at as usize],
                finding,
                fingerprint,
                reports,
                cache,
                &known,
            )
        });
        found
    }

    /// Returns the rules that may match a finding whose frames have these ids. The first `runtime`
    /// frames are allocators or belong to a runtime.
    fn candidates(
        &self,
        finding: &Finding,
        fingerprint: &Fingerprint,
        ids: &[u32],
        runtime: usize,
    ) -> Vec<u32> {
        let mut found = self.unindexed.clone();
        if let Some(by_size) = self.by_fingerprint.get(fingerprint.as_str()) {
            found.extend(by_size.get(&None).into_iter().flatten());
            let size = finding.leak.map(|l| by_size.get(&Some(l.bytes)));
            found.extend(size.flatten().into_iter().flatten());
        }
        let rules = |pattern: &u32| &self.by_pattern[*pattern as usize];
        for (frame, id) in ids.iter().enumerate() {
            for (rule, anchor) in self.patterns.matching(*id).iter().flat_map(rules) {
                if anchor.allows(frame, runtime) {
                    found.push(*rule);
                }
            }
        }
        if let Some(generated) = &finding.generated_suppression {
            found.extend(
                self.patterns
                    .candidates_in(generated)
                    .iter()
                    .flat_map(rules)
                    .map(|(rule, _)| *rule),
            );
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Returns the smallest number of frames that valgrind keeps in these reports. valgrind ignores the
/// lines of an entry beyond that number.
fn max_frames(reports: &[Box<Report>]) -> usize {
    reports
        .iter()
        .filter_map(|report| report.callers)
        .min()
        .map_or(usize::MAX, |callers| callers as usize)
}

/// Returns true if the rule matches the finding, without an index.
pub(crate) fn rule_matches(
    rule: &Rule,
    finding: &Finding,
    fingerprint: &Fingerprint,
    reports: &[Box<Report>],
    cache: &mut FrameCache,
) -> bool {
    rule_matches_with(rule, finding, fingerprint, reports, cache, &|_, _| None)
}

fn rule_matches_with(
    rule: &Rule,
    finding: &Finding,
    fingerprint: &Fingerprint,
    reports: &[Box<Report>],
    cache: &mut FrameCache,
    known: KnownMatches<'_>,
) -> bool {
    if !rule.selector.matches(finding, fingerprint) {
        return false;
    }
    match &rule.matcher {
        Matcher::Stack(patterns) => stack::matches(patterns, finding, cache, known),
        Matcher::Sanitizer(suppression) => sanitizer::matches(suppression, finding, cache, known),
        Matcher::Valgrind(entry) => {
            let report = finding
                .instances
                .first()
                .and_then(|i| reports.get(i.report).map(Box::as_ref));
            let version = || report.and_then(version_of);
            let has_kind = |family| {
                valgrind::kinds::matches_kind(family, &entry.kind, &entry.extra, finding, version)
            };
            entry.families.iter().any(|family| has_kind(*family))
                && valgrind::frames::matches(
                    entry,
                    finding,
                    report.and_then(|r| r.callers),
                    cache,
                    known,
                )
        }
    }
}

/// Returns the first two numbers of the checker's version. `None` if the report doesn't show it.
pub(crate) fn version_of(report: &Report) -> Option<(u32, u32)> {
    parse_version(report.version.as_deref()?)
}

/// Parses the first two numbers of a version such as `3.24.0`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::parse::Parser;
    use crate::rules::{Config, packs, read_file};
    use crate::{Options, fingerprint};
    use alloc::format;
    use alloc::string::String;
    use std::fs;
    use std::path::Path;

    /// Returns the contents of all files below a directory of real logs or suppression files.
    fn texts(folder: &str) -> Vec<String> {
        let mut folders = vec![
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../snapshots/differential")
                .join(folder),
        ];
        let mut texts = Vec::new();
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder)
                .unwrap()
                .map(|file| file.unwrap().path())
            {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    texts.push(String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned());
                }
            }
        }
        texts
    }

    /// Returns rules of every kind, some of which match many findings.
    fn rules() -> Vec<Rule> {
        let stacks = [
            "'runtime...', 'fun:*'",
            "'...', 'fun:main'",
            "'fun:malloc'",
            "'...', 'fun:?????'",
            "'...', 'fun:*::*'",
            "'...', 're:ma|in'",
            "'...', 're:(?i)MAIN$'",
            "'...', 're:^[a-m]'",
            "'...', 're:.*'",
            "'...', 'obj:*lib*'",
            "'...', 'obj:?*'",
            "'...', 'src:*.c'",
            "'...', 'src:*.cc:2?'",
            "'...', 'fun:main', '...', 're:^_'",
            "'...'",
            "'runtime...', 're:main'",
            "'runtime...', 'runtime...', 'src:*.c'",
            "'fun:*', 'runtime...', 'fun:main'",
            "'runtime...', 'fun:*', 'fun:main'",
            "'fun:*', 'fun:*', 'fun:main'",
        ];
        let entry = |stack: &&str| {
            format!("[[allow]]\nreason = 'x'\nkinds = ['leaks', 'errors']\nstack = [{stack}]\n")
        };
        let config: String = stacks.iter().map(entry).collect();
        let mut rules = Config::read("", &config).unwrap().rules;
        let lists = texts("supp")
            .into_iter()
            .filter_map(|text| read_file("", &text).ok());
        rules.extend(lists.flat_map(|(_, rules)| rules));
        rules.extend(
            read_file(
                "",
                "leak:\nleak:*\nleak:main\nleak:^ma*n$\nleak:.so\nleak:unknown m\n",
            )
            .unwrap()
            .1,
        );
        rules.extend(packs().iter().flat_map(|pack| pack.read().unwrap().1));
        rules
    }

    #[test]
    fn index_finds_exactly_the_matching_rules() {
        let rules = rules();
        let mut found = 0;
        for log in texts("logs") {
            let mut parser = Parser::new(Options::default());
            parser.begin("log");
            parser.feed(log.as_bytes());
            let parsed = parser.finish();
            let mut index = Index::new(&rules, &parsed.reports);
            let mut cache = FrameCache::default();
            let mut other_cache = FrameCache::default();
            for finding in &parsed.findings {
                let fingerprint = fingerprint::fingerprint(finding, &mut cache);
                let got = index.matches(finding, &fingerprint, &parsed.reports, &mut cache);
                let mut fits = |rule: &Rule| {
                    rule_matches(
                        rule,
                        finding,
                        &fingerprint,
                        &parsed.reports,
                        &mut other_cache,
                    )
                };
                let want: Vec<u32> = (0..)
                    .zip(&rules)
                    .filter(|(_, rule)| fits(rule))
                    .map(|(at, _)| at)
                    .collect();
                let wrong = (0..)
                    .zip(&rules)
                    .filter(|(at, _)| got.contains(at) != want.contains(at));
                let wrong: Vec<_> = wrong.map(|(_, rule)| rule.describe()).collect();
                assert_eq!(wrong, [] as [Vec<String>; 0], "{finding:?}");
                found += got.len();
            }
        }
        assert!(found > 1000, "{found}");
    }
}
