//! The patterns of all rules, each once, and which of them take the frames of a log.

use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::super::glob::Glob;
use super::super::sanitizer::{self, Suppression};
use super::super::stack::{Item, What};
use super::super::valgrind::{Location, Name, frames};
use super::super::{Matcher, Rule};
use super::key::{Key, Keys};
use crate::culprit::Names;
use crate::model::{Frame, Generated, Site, Text, Tool};
use crate::symbol;

/// A pattern that is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Pattern<'r> {
    /// Of `leakgate.toml`.
    Item(&'r Item),
    /// Of valgrind.
    Location(&'r Location),
    /// Of a sanitizer, for any frame.
    Template(&'r Suppression),
}

impl<'r> Pattern<'r> {
    /// For each item of a rule's stack its pattern; nothing where the item takes any frame.
    pub(super) fn all_of(rule: &'r Rule) -> Vec<Option<Self>> {
        match &rule.matcher {
            Matcher::Stack(items) => items
                .iter()
                .map(|i| (!i.what.is_any()).then_some(Self::Item(i)))
                .collect(),
            Matcher::Valgrind(entry) => entry
                .locations
                .iter()
                .map(|l| (!l.is_any()).then_some(Self::Location(l)))
                .collect(),
            Matcher::Sanitizer(suppression) if suppression.kind == "leak" => {
                [Some(Self::Template(suppression))].into()
            }
            Matcher::Sanitizer(_) => Vec::new(),
        }
    }

    pub(super) fn key(self) -> Key {
        match self {
            Self::Item(item) => match &item.what {
                What::Function(glob) | What::Symbol(glob) => Key::of_name(glob),
                What::Object(path) | What::File(path, _) => Key::of_path(&path.glob),
                What::Expression(expression) => Key::of_pieces(expression.literals.clone()),
                What::Dots | What::Runtime => Key::Open,
            },
            Self::Location(Location::Function(name)) => Key::of_symbol(name),
            Self::Location(Location::Object(glob) | Location::File(glob, _)) => Key::of_path(glob),
            Self::Location(Location::Dots) => Key::Open,
            Self::Template(suppression) => Key::of_template(&suppression.template),
        }
    }

    /// True where the name of a function decides.
    fn is_for_functions(self) -> bool {
        match self {
            Self::Item(item) => matches!(
                item.what,
                What::Function(_) | What::Symbol(_) | What::Expression(_)
            ),
            Self::Location(location) => matches!(location, Location::Function(_)),
            Self::Template(_) => false,
        }
    }

    /// True where valgrind compares a name before demangling with a wildcard.
    fn is_for_symbols(self) -> bool {
        matches!(
            self,
            Self::Location(Location::Function(Name {
                glob: Glob::Wild(_),
                ..
            }))
        )
    }

    /// True where a site decides. What valgrind's patterns of paths take depends on the whole
    /// stack: these are only looked up.
    pub(super) fn is_decided_by_site(self) -> bool {
        !matches!(
            self,
            Self::Location(Location::Object(_) | Location::File(..))
        )
    }

    fn takes(self, site: &Arc<Site>, owner: Owner, names: &mut Names) -> bool {
        match self {
            Self::Item(item) => item.what.takes(site, names),
            Self::Location(Location::Function(name)) => match owner {
                Owner::Valgrind { inlined } => frames::takes_function(name, site, inlined, names),
                _ => false,
            },
            Self::Location(_) => matches!(owner, Owner::Valgrind { .. }),
            Self::Template(suppression) => {
                owner == Owner::Lsan && sanitizer::on_site(suppression, site, names)
            }
        }
    }
}

/// The tool that found something, as far as a site asks: patterns of one tool take nothing that
/// another has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Owner {
    Valgrind { inlined: bool },
    Lsan,
    Nobody,
}

/// What is known of a function, whichever site it stands at.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Function {
    name: Text,
    demangled: Option<Text>,
    owner: Owner,
}

/// The patterns of all rules, and the sites that they were held against.
#[derive(Debug)]
pub(super) struct Patterns<'r> {
    all: Vec<Pattern<'r>>,
    /// Patterns that look at functions, by their printed names.
    functions: Keys,
    /// Patterns that look at functions, also by what is certain of their mangled names.
    symbols: Keys,
    /// Patterns that look at source files and modules.
    paths: Keys,
    /// The patterns that take a function.
    by_function: HashMap<Function, Vec<u32>>,
    /// The patterns whose key stands in a source file's or module's path.
    by_path: HashMap<Text, Vec<u32>>,
    /// Sites by their place in memory and who found them.
    by_site: HashMap<(usize, Owner), u32>,
    /// The patterns that take each of these sites, in order.
    taken: Vec<Vec<u32>>,
}

impl<'r> Patterns<'r> {
    /// With those patterns that are to be looked up, by their number.
    pub(super) fn new(all: Vec<Pattern<'r>>, keys: &[Option<Key>]) -> Self {
        let keyed = |wanted: fn(Pattern<'_>) -> bool| {
            let numbered = (0u32..).zip(keys.iter().zip(&all));
            Keys::new(
                numbered
                    .filter(|(_, (_, p))| wanted(**p))
                    .filter_map(|(at, (key, _))| Some((at, key.as_ref()?))),
            )
        };
        let functions = keyed(|p| {
            (p.is_for_functions() && !p.is_for_symbols()) || matches!(p, Pattern::Template(_))
        });
        let symbols = keyed(|p| p.is_for_symbols());
        let paths = keyed(|p| !p.is_for_functions());
        Self {
            functions,
            symbols,
            paths,
            all,
            by_function: HashMap::new(),
            by_path: HashMap::new(),
            by_site: HashMap::new(),
            taken: Vec::new(),
        }
    }

    /// The number of a frame's site.
    pub(super) fn site(&mut self, frame: &Frame, tool: &Tool, names: &mut Names) -> u32 {
        let owner = match tool {
            Tool::Lsan => Owner::Lsan,
            tool if tool.is_valgrind() => Owner::Valgrind {
                inlined: frame.inlined,
            },
            _ => Owner::Nobody,
        };
        let key = (Arc::as_ptr(&frame.site) as usize, owner);
        if let Some(known) = self.by_site.get(&key) {
            return *known;
        }
        let number = u32::try_from(self.taken.len()).unwrap_or(u32::MAX);
        let taken = self.at_site(&frame.site, owner, names);
        self.taken.push(taken);
        self.by_site.insert(key, number);
        number
    }

    /// The patterns that take a site, in order.
    pub(super) fn taken(&self, site: u32) -> &[u32] {
        self.taken
            .get(site as usize)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The patterns that may take what valgrind compared itself.
    pub(super) fn within(&self, generated: &Generated) -> Vec<u32> {
        let mut found = [
            self.functions.open(),
            self.symbols.open(),
            self.paths.open(),
        ]
        .concat();
        for written in &generated.frames {
            let text = written.split_once(':').map_or("", |(_, text)| text);
            [&self.functions, &self.symbols, &self.paths]
                .iter()
                .for_each(|keys| keys.look_up(text, &mut found));
        }
        found
    }

    fn at_site(&mut self, site: &Arc<Site>, owner: Owner, names: &mut Names) -> Vec<u32> {
        let mut found = Vec::new();
        self.at_function(site, owner, names, &mut found);
        for path in [&site.module, &site.file].into_iter().flatten() {
            match self.by_path.get(path) {
                Some(known) => found.extend(known),
                None => {
                    let start = found.len();
                    self.paths.look_up(path, &mut found);
                    self.by_path
                        .insert(Arc::clone(path), found[start..].to_vec());
                }
            }
        }
        if site.module.is_none() {
            self.paths.look_up("<unknown module> ???", &mut found);
        }
        found.extend(self.paths.open());
        found.sort_unstable();
        found.dedup();
        let all = &self.all;
        found.retain(|at| {
            let pattern = all[*at as usize];
            pattern.is_for_functions() || pattern.takes(site, owner, names)
        });
        found
    }

    /// The patterns that take a function, and templates that may.
    fn at_function(
        &mut self,
        site: &Arc<Site>,
        owner: Owner,
        names: &mut Names,
        found: &mut Vec<u32>,
    ) {
        let Some(name) = &site.function else {
            found.append(&mut self.with_forms(&["???"], site, owner, names));
            return;
        };
        let function = Function {
            name: Arc::clone(name),
            demangled: site.demangled.clone(),
            owner,
        };
        if let Some(known) = self.by_function.get(&function) {
            return found.extend(known);
        }
        let simple = names.get(site).name.clone();
        let mut forms: Vec<&str> = [&**name].into();
        for form in [
            symbol::without_offset(name),
            site.demangled.as_deref().unwrap_or_default(),
            &simple,
        ] {
            if !form.is_empty() && !forms.contains(&form) {
                forms.push(form);
            }
        }
        let taken = self.with_forms(&forms, site, owner, names);
        found.extend(&taken);
        self.by_function.insert(function, taken);
    }

    fn with_forms(
        &self,
        forms: &[&str],
        site: &Arc<Site>,
        owner: Owner,
        names: &mut Names,
    ) -> Vec<u32> {
        let mut found = [self.functions.open(), self.symbols.open()].concat();
        for (at, form) in forms.iter().enumerate() {
            // Pieces of what begins a longer form stand in that form, too.
            if forms[..at].iter().any(|longer| longer.starts_with(form)) {
                self.functions.look_up_whole(form, &mut found);
            } else {
                self.functions.look_up(form, &mut found);
            }
        }
        if let Owner::Valgrind { inlined } = owner
            && !self.symbols.is_empty()
        {
            self.symbols.look_up(forms[0], &mut found);
            let certain = frames::skeletons(site, inlined, names);
            certain
                .iter()
                .for_each(|skeleton| self.symbols.look_up(skeleton, &mut found));
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|at| {
            let pattern = self.all[*at as usize];
            match pattern {
                Pattern::Template(_) => owner == Owner::Lsan,
                pattern => pattern.takes(site, owner, names),
            }
        });
        found
    }
}
