//! One change to a suppression that valgrind proposed: near misses, and rules that still hold.

use std::fmt;

use fastrand::Rng;

/// A suppression, in the lines that it has.
#[derive(Clone, PartialEq)]
pub(super) struct Entry {
    name: String,
    kind: String,
    extra: Option<String>,
    places: Vec<String>,
}

/// An edit, or nothing where the entry has no place for it.
type Edit = fn(Entry, &mut Rng) -> Option<Entry>;

/// Every edit with its name, which the name of the file shows.
pub(super) const ALL: [(&str, Edit); 19] = [
    ("letter", letter),
    ("dropped", dropped),
    ("added", added),
    ("swapped", swapped),
    ("kind", kind),
    ("extra", extra),
    ("variant", variant),
    ("static", linkage),
    ("star", star),
    ("question", question),
    ("dots", dots),
    ("dots-inside", dots_inside),
    ("dots-first", dots_first),
    ("base-name", base_name),
    ("star-base-name", star_base_name),
    ("upper-case", upper_case),
    ("tool", tool),
    ("shorter", shorter),
    ("longer", longer),
];

impl Entry {
    /// The trimmed lines between the braces.
    pub(super) fn read(lines: &[&str]) -> Option<Entry> {
        let (name, rest) = lines.split_first()?;
        let (kind, rest) = rest.split_first()?;
        let is_place =
            |line: &&&str| line.starts_with("fun:") || line.starts_with("obj:") || **line == "...";
        let extra = rest
            .first()
            .filter(|line| !is_place(line))
            .map(|line| (*line).to_owned());
        let places = rest
            .iter()
            .filter(is_place)
            .map(|line| (*line).to_owned())
            .collect();
        Some(Entry {
            name: (*name).to_owned(),
            kind: (*kind).to_owned(),
            extra,
            places,
        })
    }

    /// The positions of places that start so and are long enough to be edited.
    fn with_prefix(&self, prefix: &str) -> Vec<usize> {
        let places = self.places.iter().enumerate();
        places
            .filter(|(_, place)| place.starts_with(prefix) && place.len() > 6)
            .map(|(index, _)| index)
            .collect()
    }

    fn replace(mut self, index: usize, place: String) -> Option<Entry> {
        *self.places.get_mut(index)? = place;
        Some(self)
    }

    /// Changes one function's name at a place that the dice choose.
    fn at_letter(self, dice: &mut Rng, change: impl Fn(&str, &str) -> String) -> Option<Entry> {
        let index = dice.choice(self.with_prefix("fun:"))?;
        let place = self.places[index].clone();
        let at = dice.usize(4..place.len());
        let (head, tail) = place.split_at_checked(at)?;
        self.replace(index, change(head, tail))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{{\n   {}\n   {}", self.name, self.kind)?;
        for line in self.extra.iter().chain(&self.places) {
            writeln!(f, "   {line}")?;
        }
        writeln!(f, "}}")
    }
}

fn after_first(text: &str) -> &str {
    let mut letters = text.chars();
    letters.next();
    letters.as_str()
}

fn letter(entry: Entry, dice: &mut Rng) -> Option<Entry> {
    entry.at_letter(dice, |head, tail| format!("{head}x{}", after_first(tail)))
}

fn question(entry: Entry, dice: &mut Rng) -> Option<Entry> {
    entry.at_letter(dice, |head, tail| format!("{head}?{}", after_first(tail)))
}

fn star(entry: Entry, dice: &mut Rng) -> Option<Entry> {
    entry.at_letter(dice, |head, tail| {
        format!("{head}*{}", tail.get(2..).unwrap_or_default())
    })
}

fn dropped(mut entry: Entry, dice: &mut Rng) -> Option<Entry> {
    let index = dice.usize(..entry.places.len());
    (entry.places.len() > 1).then(|| entry.places.remove(index))?;
    Some(entry)
}

fn added(mut entry: Entry, dice: &mut Rng) -> Option<Entry> {
    let index = dice.usize(..entry.places.len());
    let place = *dice.choice(&["fun:*", "fun:malloc", "obj:*"])?;
    entry.places.insert(index, place.to_owned());
    Some(entry)
}

fn swapped(mut entry: Entry, dice: &mut Rng) -> Option<Entry> {
    let index = dice.usize(1..entry.places.len().max(2));
    (index < entry.places.len()).then(|| entry.places.swap(index - 1, index))?;
    Some(entry)
}

fn kind(mut entry: Entry, _: &mut Rng) -> Option<Entry> {
    let (tool, kind) = entry.kind.split_once(':')?;
    let other = match kind {
        "Leak" => "Cond",
        "Cond" => "Value8",
        "Value8" => "Value4",
        "Addr1" => "Addr2",
        "Addr8" => "Addr16",
        "Race" => "Misc",
        "ConflictingAccess" => "GenericErr",
        "MutexErr" => "CondErr",
        "Misc" | "PthAPIerror" | "UnlockBogus" => "Race",
        "FdNotClosed" => "FdBadClose",
        "FdBadClose" | "FdBadUse" => "FdNotClosed",
        _ if tool == "Memcheck" => "Addr1",
        _ => return None,
    };
    entry.kind = format!("{tool}:{other}");
    (other == "Cond" || other == "Addr1").then(|| entry.extra.take());
    Some(entry)
}

fn extra(mut entry: Entry, dice: &mut Rng) -> Option<Entry> {
    let line = entry.extra.as_ref()?;
    let kinds = [
        "reachable",
        "possible,indirect",
        "all",
        "none",
        "indirect,definite",
        "definite",
    ];
    entry.extra = Some(match line.split_once(':') {
        Some((key, _)) => format!("{key}: {}", dice.choice(&kinds)?),
        None => line.replace(')', "x)"),
    });
    Some(entry)
}

/// Constructors and destructors have several symbols with one demangled name.
fn variant(entry: Entry, _: &mut Rng) -> Option<Entry> {
    let turned = |place: &String| {
        let pairs = [
            ("C1E", "C2E"),
            ("C2E", "C1E"),
            ("D1E", "D2E"),
            ("D2E", "D1E"),
            ("D0E", "D1E"),
        ];
        pairs
            .iter()
            .find(|(from, _)| place.contains(from))
            .map(|(from, to)| place.replace(from, to))
    };
    let (index, place) = entry
        .places
        .iter()
        .enumerate()
        .find_map(|(index, place)| Some((index, turned(place)?)))?;
    entry.replace(index, place)
}

/// Functions with and without `static` have different symbols with one demangled name.
fn linkage(entry: Entry, dice: &mut Rng) -> Option<Entry> {
    let index = dice.choice(entry.with_prefix("fun:_Z"))?;
    let place = &entry.places[index];
    let turned = match place.strip_prefix("fun:_ZL") {
        Some(rest) => format!("fun:_Z{rest}"),
        None => place.replacen("_Z", "_ZL", 1),
    };
    entry.replace(index, turned)
}

fn dots(entry: Entry, dice: &mut Rng) -> Option<Entry> {
    let index = dice.usize(..entry.places.len());
    (entry.places.len() > 1).then(|| entry.replace(index, "...".to_owned()))?
}

fn dots_inside(mut entry: Entry, dice: &mut Rng) -> Option<Entry> {
    let last = entry.places.len().checked_sub(1).filter(|last| *last > 1)?;
    let index = dice.usize(1..last);
    entry
        .places
        .splice(index..=index, ["...".to_owned(), "...".to_owned()]);
    Some(entry)
}

fn dots_first(mut entry: Entry, dice: &mut Rng) -> Option<Entry> {
    let index = dice.usize(..entry.places.len());
    entry.places.splice(..index, ["...".to_owned()]);
    Some(entry)
}

fn base_name(entry: Entry, dice: &mut Rng) -> Option<Entry> {
    in_object(entry, dice, "obj:")
}

fn star_base_name(entry: Entry, dice: &mut Rng) -> Option<Entry> {
    in_object(entry, dice, "obj:*/")
}

fn in_object(entry: Entry, dice: &mut Rng, before: &str) -> Option<Entry> {
    let index = dice.choice(entry.with_prefix("obj:"))?;
    let (_, base) = entry.places[index].rsplit_once('/')?;
    let place = format!("{before}{base}");
    entry.replace(index, place)
}

fn upper_case(entry: Entry, dice: &mut Rng) -> Option<Entry> {
    let index = dice.choice(entry.with_prefix("fun:"))?;
    let place = format!("fun:{}", entry.places[index][4..].to_uppercase());
    entry.replace(index, place)
}

fn tool(mut entry: Entry, dice: &mut Rng) -> Option<Entry> {
    let (tool, kind) = entry.kind.split_once(':')?;
    let tools = [
        tool.to_lowercase(),
        format!("Massif,{tool}"),
        format!("{tool},Massif"),
        format!("Massif, {tool}"),
        "*".to_owned(),
    ];
    entry.kind = format!("{}:{kind}", dice.choice(&tools)?);
    Some(entry)
}

fn shorter(mut entry: Entry, dice: &mut Rng) -> Option<Entry> {
    let length = dice.usize(1..entry.places.len().max(2));
    entry.places.truncate(length);
    Some(entry)
}

fn longer(mut entry: Entry, dice: &mut Rng) -> Option<Entry> {
    let place = *dice.choice(&["fun:(below main)", "fun:*", "...", "fun:main"])?;
    entry.places.push(place.to_owned());
    Some(entry)
}
