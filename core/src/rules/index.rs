//! Which rules can match a finding at all.
//!
//! Holding every rule against every finding would take longer than reading the log. Each rule therefore has one key: a name or a piece
//! of text that must stand in a frame of whatever it matches. The frames of a log are looked up once each, and only rules whose
//! key was found are tried.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use aho_corasick::{AhoCorasick, MatchKind};
use hashbrown::HashMap;

use super::glob::{Glob, text_of};
use super::stack::What;
use super::valgrind::frames::squeezed;
use super::valgrind::{Location, Name};
use super::{Matcher, Rule, sanitizer, stack, valgrind};
use crate::culprit::Names;
use crate::fingerprint::Fingerprint;
use crate::model::{Finding, Report, Site, Text};
use crate::symbol;

/// Names that stand in too many stacks to tell anything.
const COMMON: &[&str] = &[
    "malloc",
    "calloc",
    "realloc",
    "strdup",
    "main",
    "_start",
    "(belowmain)",
    "start_thread",
    "clone",
    "???",
    "operatornew",
    "operatornew[]",
    "_Znwm",
    "_Znam",
    "_Znwj",
    "_Znaj",
];

/// What must stand in a frame.
enum Key {
    /// One of these names, without blanks.
    Exact(Vec<String>),
    /// This text, within a name, a path or a module.
    Piece(String),
    /// The finding has this fingerprint.
    Fingerprint(String),
    None,
}

impl Key {
    /// How much it tells.
    fn rank(&self) -> usize {
        const MANY: usize = 1 << 20;
        match self {
            Self::None => 0,
            Self::Exact(names) if COMMON.contains(&names[0].as_str()) => 1,
            Self::Piece(piece) => piece.len() + 1,
            Self::Exact(names) => MANY + names[0].len(),
            Self::Fingerprint(_) => MANY << 1,
        }
    }
}

/// All rules of a run, by their keys.
#[derive(Debug)]
pub(crate) struct Index<'r> {
    rules: &'r [Rule],
    exact: HashMap<String, Vec<u32>>,
    pieces: Option<AhoCorasick>,
    /// The rules of each piece.
    by_piece: Vec<Vec<u32>>,
    fingerprints: HashMap<String, Vec<u32>>,
    always: Vec<u32>,
    /// The rules whose key was found at a site.
    sites: HashMap<usize, Vec<u32>>,
    /// The same for the name of a function: many sites lie in one.
    functions: HashMap<Text, Vec<u32>>,
    /// The same for a file or module.
    paths: HashMap<Text, Vec<u32>>,
}

impl<'r> Index<'r> {
    pub(crate) fn new(rules: &'r [Rule], reports: &[Report]) -> Self {
        // Of a longer entry valgrind compares no more locations than it keeps frames.
        let callers = reports.iter().filter_map(|r| r.callers).min().map_or(usize::MAX, |n| n as usize);
        let mut index = Self {
            rules,
            exact: HashMap::new(),
            pieces: None,
            by_piece: Vec::new(),
            fingerprints: HashMap::new(),
            always: Vec::new(),
            sites: HashMap::new(),
            functions: HashMap::new(),
            paths: HashMap::new(),
        };
        let mut pieces: HashMap<String, usize> = HashMap::new();
        for (at, rule) in (0u32..).zip(rules) {
            match key_of(rule, callers) {
                Key::Exact(names) => names.into_iter().for_each(|name| index.exact.entry(name).or_default().push(at)),
                Key::Fingerprint(text) => index.fingerprints.entry(text).or_default().push(at),
                Key::None => index.always.push(at),
                Key::Piece(piece) => {
                    let next = pieces.len();
                    let id = *pieces.entry(piece).or_insert(next);
                    if id == index.by_piece.len() {
                        index.by_piece.push(Vec::new());
                    }
                    index.by_piece[id].push(at);
                }
            }
        }
        let mut patterns = vec![String::new(); pieces.len()];
        pieces.into_iter().for_each(|(piece, id)| patterns[id] = piece);
        if !patterns.is_empty() {
            index.pieces = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&patterns).ok();
            if index.pieces.is_none() {
                index.always.extend(index.by_piece.drain(..).flatten());
            }
        }
        index
    }

    /// The rules that match a finding, in their order.
    pub(crate) fn matches(
        &mut self,
        finding: &Finding,
        fingerprint: &Fingerprint,
        reports: &[Report],
        names: &mut Names,
    ) -> Vec<u32> {
        let mut found = self.candidates(finding, fingerprint, names);
        found.retain(|at| match &self.rules[*at as usize].matcher {
            // What was found at a site was held against it there.
            Matcher::Sanitizer(suppression) if sanitizer::is_for(suppression, finding) && !self.always.contains(at) => true,
            _ => holds(&self.rules[*at as usize], finding, fingerprint, reports, names),
        });
        found
    }

    fn candidates(&mut self, finding: &Finding, fingerprint: &Fingerprint, names: &mut Names) -> Vec<u32> {
        let mut found = self.always.clone();
        found.extend(self.fingerprints.get(fingerprint.as_str()).into_iter().flatten());
        for frame in finding.primary().into_iter().flat_map(|s| &s.frames) {
            let key = Arc::as_ptr(&frame.site) as usize;
            if !self.sites.contains_key(&key) {
                let rules = self.at_site(&frame.site, names);
                self.sites.insert(key, rules);
            }
            found.extend(self.sites.get(&key).into_iter().flatten());
        }
        for written in finding.generated.iter().flat_map(|g| &g.frames) {
            self.look_up(written.split_once(':').map_or("", |(_, text)| text), &mut found);
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn at_site(&mut self, site: &Arc<Site>, names: &mut Names) -> Vec<u32> {
        let mut found = match site.function.as_ref() {
            None => self.at_names(&["???"]),
            Some(function) => match self.functions.get(function) {
                Some(known) => known.clone(),
                None => {
                    let plain = symbol::without_offset(function);
                    let simple = names.get(site).name.as_str();
                    let mut forms = vec![&**function];
                    for form in [plain, site.demangled.as_deref().unwrap_or_default(), simple] {
                        if !form.is_empty() && !forms.contains(&form) {
                            forms.push(form);
                        }
                    }
                    let found = self.at_names(&forms);
                    self.functions.insert(Arc::clone(function), found.clone());
                    found
                }
            },
        };
        for path in [&site.module, &site.file].into_iter().flatten() {
            let mut here = Vec::new();
            match self.paths.get(path) {
                Some(known) => here.extend(known),
                None => {
                    self.look_up(path, &mut here);
                    self.paths.insert(Arc::clone(path), here.clone());
                }
            }
            found.append(&mut here);
        }
        if site.module.is_none() {
            self.look_up("<unknown module> ???", &mut found);
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|at| match &self.rules[*at as usize].matcher {
            Matcher::Sanitizer(suppression) => sanitizer::on_site(suppression, site, names),
            _ => true,
        });
        found
    }

    /// The rules whose key stands in one of the forms of a name, and whose pattern takes it.
    fn at_names(&self, names: &[&str]) -> Vec<u32> {
        let mut found = Vec::new();
        names.iter().for_each(|name| self.look_up(name, &mut found));
        found.sort_unstable();
        found.dedup();
        found.retain(|at| match &self.rules[*at as usize].matcher {
            Matcher::Stack(items) => items.iter().any(|item| match &item.what {
                What::Function(glob) | What::Symbol(glob) => !glob.is_any() && names.iter().any(|name| glob.matches(name)),
                What::Object(_) | What::File(..) => true,
                _ => false,
            }),
            _ => true,
        });
        found
    }

    fn look_up(&self, text: &str, found: &mut Vec<u32>) {
        found.extend(self.exact.get(&*squeezed(text)).into_iter().flatten());
        for hit in self.pieces.iter().flat_map(|p| p.find_overlapping_iter(text)) {
            found.extend(&self.by_piece[hit.pattern().as_usize()]);
        }
    }
}

/// Holds one rule against one finding.
pub(crate) fn holds(rule: &Rule, finding: &Finding, fingerprint: &Fingerprint, reports: &[Report], names: &mut Names) -> bool {
    if !rule.selector.holds(finding, fingerprint) {
        return false;
    }
    match &rule.matcher {
        Matcher::Stack(items) => stack::matches(items, finding, names),
        Matcher::Sanitizer(suppression) => sanitizer::matches(suppression, finding, names),
        Matcher::Valgrind(entry) => {
            let report = finding.instances.first().and_then(|i| reports.get(i.report));
            let version = report.and_then(|r| version(r.version.as_deref()?));
            let about = |family| valgrind::kinds::is_about(family, &entry.kind, &entry.extra, finding, version);
            entry.families.iter().any(|family| about(*family))
                && valgrind::frames::matches(entry, finding, report.and_then(|r| r.callers), names)
        }
    }
}

/// `3.24.0`
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn key_of(rule: &Rule, callers: usize) -> Key {
    if let Some(fingerprint) = &rule.selector.fingerprint {
        return Key::Fingerprint(fingerprint.clone());
    }
    let best = |keys: &mut dyn Iterator<Item = Key>| keys.max_by_key(Key::rank).unwrap_or(Key::None);
    match &rule.matcher {
        Matcher::Stack(items) => best(&mut items.iter().map(|item| match &item.what {
            What::Function(glob) | What::Symbol(glob) => name_key(glob),
            What::Object(path) | What::File(path, _) => piece_key(&path.glob),
            _ => Key::None,
        })),
        Matcher::Valgrind(entry) => best(&mut entry.locations.iter().take(callers).map(|location| match location {
            Location::Function(Name { glob: Glob::Exact(name), demangled, .. }) => {
                let other = demangled.as_deref().map(|d| squeezed(d).into_owned());
                Key::Exact([Some(squeezed(name).into_owned()), other].into_iter().flatten().collect())
            }
            Location::Function(Name { glob, .. }) => mangled_key(glob),
            Location::Object(glob) | Location::File(glob, _) => piece_key(glob),
            Location::Dots => Key::None,
        })),
        Matcher::Sanitizer(suppression) if suppression.kind == "leak" => {
            let template = suppression.template.split('$').next().unwrap_or_default();
            let template = template.strip_prefix('^').unwrap_or(template);
            let longest = template.split('*').max_by_key(|piece| piece.len()).unwrap_or_default();
            if longest.is_empty() { Key::None } else { Key::Piece(longest.into()) }
        }
        Matcher::Sanitizer(_) => Key::None,
    }
}

fn name_key(glob: &Glob) -> Key {
    match glob {
        Glob::Exact(name) => Key::Exact(vec![squeezed(name).into_owned()]),
        Glob::Wild(_) => piece_key(glob),
    }
}

/// Of a pattern that a mangled name may match only what stands in the demangled one as well is a key: an identifier behind its length, or
/// letters that are no part of the mangling.
fn mangled_key(glob: &Glob) -> Key {
    const SHORTEST: usize = 3;
    let Some(piece) = text_of(glob.needle()) else { return Key::None };
    let mut longest = "";
    let mut rest = piece.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = rest[at..].bytes().take_while(u8::is_ascii_digit).count();
        let length: usize = rest[at..at + digits].parse().unwrap_or(0);
        rest = &rest[at + digits..];
        let identifier = rest.get(..length).unwrap_or(rest);
        // Anonymous namespaces are printed otherwise.
        if identifier.len() > longest.len() && identifier != "_GLOBAL__N_1" {
            longest = identifier;
        }
        rest = &rest[identifier.len()..];
    }
    let begins_within =
        !piece.starts_with("_Z") && !piece.contains("_GLOBAL_") && !piece.starts_with(|c: char| c.is_ascii_digit());
    match longest.len() {
        SHORTEST.. => Key::Piece(longest.into()),
        _ if begins_within && piece.len() >= SHORTEST => Key::Piece(piece),
        _ => Key::None,
    }
}

fn piece_key(glob: &Glob) -> Key {
    let piece = match glob {
        Glob::Exact(text) => Some(text.clone()),
        Glob::Wild(_) => text_of(glob.needle()),
    };
    piece.filter(|p| !p.is_empty()).map_or(Key::None, Key::Piece)
}
