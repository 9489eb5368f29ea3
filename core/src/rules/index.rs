//! Which rules can match a finding at all.
//!
//! Holding every rule against every finding would take longer than reading the log. Each pattern of
//! a rule therefore has one key: a name or a piece of text that must stand in whatever it takes.
//! The sites of a log are looked up once each, only patterns whose key was found there
//! are held against them, and only rules whose rarest pattern takes a frame of a finding are tried.

mod key;
mod pattern;

use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use self::key::Key;
use self::pattern::{Pattern, Patterns};
use super::{Matcher, Rule, sanitizer, stack, valgrind};
use crate::culprit::Names;
use crate::fingerprint::Fingerprint;
use crate::model::{Finding, Report};

/// What an index knows already: whether an item of a rule's stack takes a frame, both by their
/// place.
type Known<'a> = &'a dyn Fn(usize, usize) -> Option<bool>;

/// All rules of a run, by what they need.
#[derive(Debug)]
pub(crate) struct Index<'r> {
    rules: &'r [Rule],
    patterns: Patterns<'r>,
    /// For each item of a rule's stack the number of its pattern, where the pattern is looked up
    /// and a site decides about it.
    items: Vec<Vec<Option<u32>>>,
    /// The rules whose rarest pattern this is.
    by_pattern: Vec<Vec<u32>>,
    /// Rules that name a fingerprint; where they name the one size of a weak one, by that too.
    by_fingerprint: HashMap<&'r str, HashMap<Option<u64>, Vec<u32>>>,
    /// Rules that nothing can be looked up for.
    always: Vec<u32>,
}

impl<'r> Index<'r> {
    pub(crate) fn new(rules: &'r [Rule], reports: &[Report]) -> Self {
        // Of a longer entry valgrind compares no more locations than it keeps frames.
        let callers = reports
            .iter()
            .filter_map(|r| r.callers)
            .min()
            .map_or(usize::MAX, |n| n as usize);
        let mut numbers: HashMap<Pattern<'r>, u32> = HashMap::new();
        let (mut all, mut keys): (Vec<Pattern<'r>>, Vec<Key>) = (Vec::new(), Vec::new());
        let mut number = |pattern: Pattern<'r>| {
            let next = u32::try_from(all.len()).unwrap_or(u32::MAX);
            *numbers.entry(pattern).or_insert_with(|| {
                all.push(pattern);
                keys.push(pattern.key());
                next
            })
        };
        let mut items: Vec<Vec<Option<u32>>> = rules
            .iter()
            .map(|r| {
                Pattern::all_of(r)
                    .into_iter()
                    .map(|p| p.map(&mut number))
                    .collect()
            })
            .collect();
        let mut users = vec![0_u32; all.len()];
        items
            .iter()
            .flatten()
            .flatten()
            .for_each(|p| users[*p as usize] += 1);
        let decides = |at: u32| all[at as usize].is_decided_by_site();
        let mut wanted: Vec<bool> = (0u32..)
            .zip(&keys)
            .map(|(at, key)| decides(at) && !key.is_open())
            .collect();
        let mut by_pattern = vec![Vec::new(); all.len()];
        let mut by_fingerprint: HashMap<&str, HashMap<Option<u64>, Vec<u32>>> = HashMap::new();
        let mut always = Vec::new();
        for (at, (rule, items)) in (0u32..).zip(rules.iter().zip(&items)) {
            let compared = if matches!(rule.matcher, Matcher::Valgrind(_)) {
                callers
            } else {
                usize::MAX
            };
            let rank = |p: &&u32| keys[**p as usize].rank(users[**p as usize]);
            let rarest = items.iter().take(compared).flatten().max_by_key(rank);
            if let Some(fingerprint) = &rule.selector.fingerprint {
                let bytes = rule.selector.bytes;
                let size = bytes.min.filter(|_| bytes.min == bytes.max);
                by_fingerprint
                    .entry(fingerprint)
                    .or_default()
                    .entry(size)
                    .or_default()
                    .push(at);
            } else if let Some(pattern) = rarest {
                by_pattern[*pattern as usize].push(at);
                wanted[*pattern as usize] = true;
            } else {
                always.push(at);
            }
        }
        for item in items.iter_mut().flatten() {
            *item = item.filter(|p| wanted[*p as usize] && decides(*p));
        }
        let keys: Vec<Option<Key>> = keys
            .into_iter()
            .zip(&wanted)
            .map(|(key, wanted)| wanted.then_some(key))
            .collect();
        Self {
            rules,
            patterns: Patterns::new(all, &keys),
            items,
            by_pattern,
            by_fingerprint,
            always,
        }
    }

    /// The rules that match a finding, in their order.
    pub(crate) fn matches(
        &mut self,
        finding: &Finding,
        fingerprint: &Fingerprint,
        reports: &[Report],
        names: &mut Names,
    ) -> Vec<u32> {
        let frames = finding
            .primary()
            .map(|s| s.frames.as_slice())
            .unwrap_or_default();
        let sites: Vec<u32> = frames
            .iter()
            .map(|frame| self.patterns.site(frame, &finding.tool, names))
            .collect();
        let mut found = self.candidates(finding, fingerprint, &sites);
        found.retain(|at| {
            let items = &self.items[*at as usize];
            let known = |item: usize, frame: usize| {
                Some(
                    self.patterns
                        .taken(sites[frame])
                        .binary_search(&items[item]?)
                        .is_ok(),
                )
            };
            holds_with(
                &self.rules[*at as usize],
                finding,
                fingerprint,
                reports,
                names,
                &known,
            )
        });
        found
    }

    fn candidates(&self, finding: &Finding, fingerprint: &Fingerprint, sites: &[u32]) -> Vec<u32> {
        let mut found = self.always.clone();
        if let Some(by_size) = self.by_fingerprint.get(fingerprint.as_str()) {
            found.extend(by_size.get(&None).into_iter().flatten());
            let size = finding.leak.map(|l| by_size.get(&Some(l.bytes)));
            found.extend(size.flatten().into_iter().flatten());
        }
        let rules = |pattern: &u32| &self.by_pattern[*pattern as usize];
        for site in sites {
            found.extend(self.patterns.taken(*site).iter().flat_map(rules));
        }
        if let Some(generated) = &finding.generated {
            found.extend(self.patterns.within(generated).iter().flat_map(rules));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Holds one rule against one finding.
pub(crate) fn holds(
    rule: &Rule,
    finding: &Finding,
    fingerprint: &Fingerprint,
    reports: &[Report],
    names: &mut Names,
) -> bool {
    holds_with(rule, finding, fingerprint, reports, names, &|_, _| None)
}

fn holds_with(
    rule: &Rule,
    finding: &Finding,
    fingerprint: &Fingerprint,
    reports: &[Report],
    names: &mut Names,
    known: Known<'_>,
) -> bool {
    if !rule.selector.holds(finding, fingerprint) {
        return false;
    }
    match &rule.matcher {
        Matcher::Stack(items) => stack::matches(items, finding, names, known),
        Matcher::Sanitizer(suppression) => sanitizer::matches(suppression, finding, names, known),
        Matcher::Valgrind(entry) => {
            let report = finding
                .instances
                .first()
                .and_then(|i| reports.get(i.report));
            let version = || report.and_then(|r| version(r.version.as_deref()?));
            let about = |family| {
                valgrind::kinds::is_about(family, &entry.kind, &entry.extra, finding, version)
            };
            entry.families.iter().any(|family| about(*family))
                && valgrind::frames::matches(
                    entry,
                    finding,
                    report.and_then(|r| r.callers),
                    names,
                    known,
                )
        }
    }
}

/// `3.24.0`
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::{Config, Options, Parser, fingerprint, packs, read_file};
    use alloc::format;
    use alloc::string::String;
    use std::fs;
    use std::path::Path;

    /// The files within a folder of real logs and suppression files.
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

    /// Rules of every kind, some of which match much.
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
    fn an_index_finds_what_matches_and_nothing_else() {
        let rules = rules();
        let mut found = 0;
        for log in texts("logs") {
            let mut parser = Parser::new(Options::default());
            parser.begin("log");
            parser.feed(log.as_bytes());
            let parsed = parser.finish();
            let (mut index, mut names) = (Index::new(&rules, &parsed.reports), Names::default());
            let mut apart = Names::default();
            for finding in &parsed.findings {
                let fingerprint = fingerprint::of(finding, &mut names);
                let got = index.matches(finding, &fingerprint, &parsed.reports, &mut names);
                let mut fits =
                    |rule: &Rule| holds(rule, finding, &fingerprint, &parsed.reports, &mut apart);
                let want: Vec<u32> = (0..)
                    .zip(&rules)
                    .filter(|(_, rule)| fits(rule))
                    .map(|(at, _)| at)
                    .collect();
                let odd = (0..)
                    .zip(&rules)
                    .filter(|(at, _)| got.contains(at) != want.contains(at));
                let odd: Vec<_> = odd.map(|(_, rule)| rule.describe()).collect();
                assert_eq!(odd, [] as [Vec<String>; 0], "{finding:?}");
                found += got.len();
            }
        }
        assert!(found > 1000, "{found}");
    }
}
