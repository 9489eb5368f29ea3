//! The distinct patterns of all rules, and which of them match the frames of a log.

use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::super::glob::Glob;
use super::super::sanitizer::{self, Suppression};
use super::super::stack::{FramePattern, StackPattern};
use super::super::valgrind::{FunctionPattern, SuppressionFrame, frames};
use super::super::{Matcher, Rule};
use super::key::{Key, Keys};
use crate::culprit::FrameCache;
use crate::model::{Frame, FrameInfo, GeneratedSuppression, Text, Tool};
use crate::symbol;

/// A pattern that the index looks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Pattern<'r> {
    /// A pattern of `leakgate.toml`.
    Toml(&'r StackPattern),
    /// A line of a valgrind suppression.
    Valgrind(&'r SuppressionFrame),
    /// A template of a sanitizer, for any frame.
    Sanitizer(&'r Suppression),
}

impl<'r> Pattern<'r> {
    /// Returns the patterns of a rule's stack, with `None` for those that match any frame.
    pub(super) fn for_rule(rule: &'r Rule) -> Vec<Option<Self>> {
        match &rule.matcher {
            Matcher::Stack(patterns) => patterns
                .iter()
                .map(|i| (!i.parsed.matches_any_frame()).then_some(Self::Toml(i)))
                .collect(),
            Matcher::Valgrind(entry) => entry
                .locations
                .iter()
                .map(|l| (!l.matches_any_frame()).then_some(Self::Valgrind(l)))
                .collect(),
            Matcher::Sanitizer(suppression) if suppression.kind == "leak" => {
                [Some(Self::Sanitizer(suppression))].into()
            }
            Matcher::Sanitizer(_) => Vec::new(),
        }
    }

    pub(super) fn key(self) -> Key {
        match self {
            Self::Toml(pattern) => match &pattern.parsed {
                FramePattern::Function(glob) | FramePattern::Symbol(glob) => Key::for_name(glob),
                FramePattern::Object(path) | FramePattern::File(path, _) => {
                    Key::for_path(&path.glob)
                }
                FramePattern::Expression(expression) => {
                    Key::from_pieces(expression.literals.clone())
                }
                FramePattern::AnyFrames | FramePattern::RuntimeFrames => Key::Open,
            },
            Self::Valgrind(SuppressionFrame::Function(name)) => Key::for_symbol(name),
            Self::Valgrind(SuppressionFrame::Object(glob) | SuppressionFrame::File(glob, _)) => {
                Key::for_path(glob)
            }
            Self::Valgrind(SuppressionFrame::AnyFrames) => Key::Open,
            Self::Sanitizer(suppression) => Key::for_template(&suppression.template),
        }
    }

    /// Returns true if the pattern matches function names.
    fn is_for_functions(self) -> bool {
        match self {
            Self::Toml(pattern) => matches!(
                pattern.parsed,
                FramePattern::Function(_) | FramePattern::Symbol(_) | FramePattern::Expression(_)
            ),
            Self::Valgrind(line) => matches!(line, SuppressionFrame::Function(_)),
            Self::Sanitizer(_) => false,
        }
    }

    /// Returns true if the pattern has wildcards that valgrind compares with names before
    /// demangling.
    fn is_for_symbols(self) -> bool {
        matches!(
            self,
            Self::Valgrind(SuppressionFrame::Function(FunctionPattern {
                glob: Glob::Wild(_),
                ..
            }))
        )
    }

    /// Returns true if the frame alone decides whether the pattern matches. For valgrind's patterns
    /// for paths, the whole stack matters, so these are only looked up.
    pub(super) fn is_decided_by_frame(self) -> bool {
        !matches!(
            self,
            Self::Valgrind(SuppressionFrame::Object(_) | SuppressionFrame::File(..))
        )
    }

    /// Returns true if the pattern depends on the line of a frame.
    fn has_line(self) -> bool {
        matches!(
            self,
            Self::Toml(StackPattern {
                parsed: FramePattern::File(_, Some(_)),
                ..
            })
        )
    }

    fn matches(self, info: &Arc<FrameInfo>, owner: Owner, cache: &mut FrameCache) -> bool {
        match self {
            Self::Toml(pattern) => pattern.parsed.matches(info, cache),
            Self::Valgrind(SuppressionFrame::Function(name)) => match owner {
                Owner::Valgrind { inlined } => frames::matches_function(name, info, inlined, cache),
                _ => false,
            },
            Self::Valgrind(_) => matches!(owner, Owner::Valgrind { .. }),
            Self::Sanitizer(suppression) => {
                owner == Owner::Lsan && sanitizer::matches_frame(suppression, info, cache)
            }
        }
    }
}

/// The tool that reported a frame. Patterns of one tool don't match frames of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Owner {
    Valgrind { inlined: bool },
    Lsan,
    Other,
}

impl Owner {
    fn number(self) -> usize {
        match self {
            Self::Valgrind { inlined: false } => 0,
            Self::Valgrind { inlined: true } => 1,
            Self::Lsan => 2,
            Self::Other => 3,
        }
    }
}

/// The data of a frame on which its patterns depend.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Texts {
    /// The number of its function, file and module.
    id: usize,
    owner: Owner,
    /// Its line, if any pattern has one.
    line: Option<u32>,
    has_unknown_module: bool,
}

/// The data of a frame on which patterns for functions depend.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Function {
    name: Text,
    demangled: Option<Text>,
    owner: Owner,
}

/// The patterns of all rules, and cached results for the frames seen so far.
#[derive(Debug)]
pub(super) struct Patterns<'r> {
    all: Vec<Pattern<'r>>,
    /// Patterns for functions, looked up by printed names.
    functions: Keys,
    /// Patterns for functions, looked up by printed names and the certain parts of mangled names.
    symbols: Keys,
    /// Patterns for source files and modules.
    paths: Keys,
    /// The patterns that match a function.
    by_function: HashMap<Function, Vec<u32>>,
    /// The patterns whose key is contained in the path of a source file or module.
    by_path: HashMap<Text, Vec<u32>>,
    /// The patterns for source files and modules that match a frame without a module.
    without_module: Vec<u32>,
    /// Whether any pattern has the line of a source file.
    has_lines: bool,
    /// Ids of frames, by the address of their [`FrameInfo`] plus the number of their owner.
    ids: HashMap<usize, u32>,
    /// Ids of frames, by their texts.
    ids_by_texts: HashMap<Texts, u32>,
    /// For each id, the patterns that match the frame, in ascending order.
    by_id: Vec<Vec<u32>>,
}

impl<'r> Patterns<'r> {
    /// Creates the table. `keys` contains `None` for patterns that aren't looked up.
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
            (p.is_for_functions() && !p.is_for_symbols()) || matches!(p, Pattern::Sanitizer(_))
        });
        let symbols = keyed(|p| p.is_for_symbols());
        let paths = keyed(|p| !p.is_for_functions());
        let mut without_module = Vec::new();
        paths.look_up("<unknown module> ???", &mut without_module);
        Self {
            without_module,
            has_lines: all.iter().any(|pattern| pattern.has_line()),
            functions,
            symbols,
            paths,
            all,
            by_function: HashMap::new(),
            by_path: HashMap::new(),
            ids: HashMap::new(),
            ids_by_texts: HashMap::new(),
            by_id: Vec::new(),
        }
    }

    /// Returns the id of a frame. Frames with the same data have the same id.
    pub(super) fn frame_id(&mut self, frame: &Frame, tool: &Tool, cache: &mut FrameCache) -> u32 {
        let owner = match tool {
            Tool::Lsan => Owner::Lsan,
            tool if tool.is_valgrind() => Owner::Valgrind {
                inlined: frame.inlined,
            },
            _ => Owner::Other,
        };
        // The numbers of owners are smaller than the alignment of a frame.
        let key = Arc::as_ptr(&frame.info) as usize + owner.number();
        if let Some(known) = self.ids.get(&key) {
            return *known;
        }
        let texts = Texts {
            id: cache.texts_id(&frame.info),
            owner,
            line: frame.info.line.filter(|_| self.has_lines),
            has_unknown_module: sanitizer::has_unknown_module(&frame.info.raw),
        };
        let number = match self.ids_by_texts.get(&texts) {
            Some(known) => *known,
            None => {
                let number = u32::try_from(self.by_id.len()).unwrap_or(u32::MAX);
                let matched = self.find_for_frame(&frame.info, owner, cache);
                self.by_id.push(matched);
                self.ids_by_texts.insert(texts, number);
                number
            }
        };
        self.ids.insert(key, number);
        number
    }

    /// Returns the patterns that match the frame with this id, in ascending order.
    pub(super) fn matching(&self, id: u32) -> &[u32] {
        self.by_id
            .get(id as usize)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Returns the patterns that may match a generated suppression, which contains the names that
    /// valgrind compared.
    pub(super) fn candidates_in(&self, generated: &GeneratedSuppression) -> Vec<u32> {
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

    fn find_for_frame(
        &mut self,
        info: &Arc<FrameInfo>,
        owner: Owner,
        cache: &mut FrameCache,
    ) -> Vec<u32> {
        let mut found = Vec::new();
        self.find_for_function(info, owner, cache, &mut found);
        for path in [&info.module, &info.file].into_iter().flatten() {
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
        if info.module.is_none() {
            found.extend(&self.without_module);
        }
        found.extend(self.paths.open());
        found.sort_unstable();
        found.dedup();
        let all = &self.all;
        found.retain(|at| {
            let pattern = all[*at as usize];
            pattern.is_for_functions() || pattern.matches(info, owner, cache)
        });
        found
    }

    /// Adds the patterns that match the function of a frame, and the templates that may.
    fn find_for_function(
        &mut self,
        info: &Arc<FrameInfo>,
        owner: Owner,
        cache: &mut FrameCache,
        found: &mut Vec<u32>,
    ) {
        let Some(name) = &info.function else {
            found.append(&mut self.find_for_forms(&["???"], "", info, owner, cache));
            return;
        };
        let function = Function {
            name: Arc::clone(name),
            demangled: info.demangled.clone(),
            owner,
        };
        if let Some(known) = self.by_function.get(&function) {
            return found.extend(known);
        }
        let simple = cache.get(info).name.clone();
        let mut forms: Vec<&str> = [&**name].into();
        for form in [
            symbol::strip_offset(name),
            info.demangled.as_deref().unwrap_or_default(),
            &simple,
        ] {
            if !form.is_empty() && !forms.contains(&form) {
                forms.push(form);
            }
        }
        let matched = self.find_for_forms(&forms, &simple, info, owner, cache);
        found.extend(&matched);
        self.by_function.insert(function, matched);
    }

    /// Returns the patterns that match a function, looked up by the forms of its name. The first
    /// form is the printed name.
    fn find_for_forms(
        &self,
        forms: &[&str],
        simple: &str,
        info: &Arc<FrameInfo>,
        owner: Owner,
        cache: &mut FrameCache,
    ) -> Vec<u32> {
        let mut found = [self.functions.open(), self.symbols.open()].concat();
        for (at, form) in forms.iter().enumerate() {
            // A prefix of another form adds no pieces to those that the other form contains.
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
            let certain = frames::skeletons(info, inlined, cache);
            certain
                .iter()
                .for_each(|skeleton| self.symbols.look_up(skeleton, &mut found));
        }
        found.sort_unstable();
        found.dedup();
        let printed = info.name().map(symbol::strip_offset);
        found.retain(|at| match self.all[*at as usize] {
            Pattern::Sanitizer(_) => owner == Owner::Lsan,
            Pattern::Toml(pattern) => pattern.parsed.matches_function(printed, simple),
            pattern => pattern.matches(info, owner, cache),
        });
        found
    }
}
