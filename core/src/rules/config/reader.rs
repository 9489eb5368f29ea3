//! Reading a table of TOML so that every mistake in it is told, each at its place.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::Range;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::mistake::{Mistake, nearest};

/// A document, and the mistakes that were found in it so far.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    /// Where lines end.
    ends: Vec<usize>,
    mistakes: RefCell<Vec<Mistake>>,
}

impl<'a> Document<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
        Self {
            file,
            text,
            ends,
            mistakes: RefCell::new(Vec::new()),
        }
    }

    pub(crate) fn mistake(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let mistake = Mistake::at_span(self.file, self.text, span, message).with_help(help);
        self.mistakes.borrow_mut().push(mistake);
    }

    /// The line in which a place lies, from 1.
    pub(crate) fn line(&self, at: usize) -> u32 {
        u32::try_from(self.ends.partition_point(|end| *end < at) + 1).unwrap_or(u32::MAX)
    }

    /// All mistakes, in the order of the file.
    pub(crate) fn into_mistakes(self) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|m| (m.line, m.column));
        mistakes
    }
}

/// A table of the document.
#[derive(Clone, Debug)]
pub(crate) struct Table<'a> {
    pub(crate) document: &'a Document<'a>,
    pub(crate) span: Range<usize>,
    /// How a person calls it: `[gate]`, `[[allow]]`.
    name: &'static str,
    inner: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    pub(crate) fn new(
        document: &'a Document<'a>,
        name: &'static str,
        span: Range<usize>,
        inner: &'a DeTable<'a>,
    ) -> Self {
        Self {
            document,
            span,
            name,
            inner,
        }
    }

    fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.inner
            .iter()
            .find(|(k, _)| k.get_ref().as_ref() == key)
            .map(|(_, value)| value)
    }

    /// The place of a key's value, or of the table where it has none.
    pub(crate) fn span_of(&self, key: &str) -> Range<usize> {
        self.get(key).map_or(self.span.clone(), Spanned::span)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Every key must be one of these.
    pub(crate) fn only(&self, known: &[&str]) {
        for (key, _) in self
            .inner
            .iter()
            .filter(|(k, _)| !known.contains(&k.get_ref().as_ref()))
        {
            let word: &str = key.get_ref();
            let help = match nearest(word, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", known.join(", ")),
            };
            let place = if self.name.is_empty() {
                String::new()
            } else {
                format!(" in {}", self.name)
            };
            self.document.mistake(
                key.span(),
                format!("unknown key `{word}`{place}"),
                Some(help),
            );
        }
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, what: &str) {
        // A number of the right type that is out of bounds tells more than the name of its type.
        let found = match value.get_ref() {
            DeValue::Integer(number) => format!("{number}"),
            DeValue::Array(_) => String::from("a list"),
            other => format!("a {}", other.type_str()),
        };
        self.document.mistake(
            value.span(),
            format!("`{key}` is {what}, not {found}"),
            None,
        );
    }

    pub(crate) fn string(&self, key: &str) -> Option<String> {
        let value = self.get(key)?;
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong(key, value, "a string");
        }
        text
    }

    /// Strings and their places.
    pub(crate) fn strings(&self, key: &str) -> Vec<(String, Range<usize>)> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(key, value, "a list of strings");
            return Vec::new();
        };
        let mut out = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => out.push((text.to_owned(), item.span())),
                None => self.wrong(key, item, "a list of strings"),
            }
        }
        out
    }

    /// One of some words.
    pub(crate) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.string(key)?;
        let found = words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.document.mistake(
                self.span_of(key),
                format!("`{key}` can't be `{text}`"),
                Some(format!("there are {}", names.join(", "))),
            );
        }
        found
    }

    /// A number that is not negative.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        let value = self.get(key)?;
        let number = number(value.get_ref());
        if number.is_none() {
            self.wrong(key, value, "a whole number from 0 on");
        }
        number
    }

    /// A day: `2026-01-09`, with or without quotes.
    pub(crate) fn date(&self, key: &str) -> Option<Date> {
        let value = self.get(key)?;
        let date = match value.get_ref() {
            DeValue::Datetime(at) if at.time.is_none() => at
                .date
                .map(|d| (i16::try_from(d.year).ok(), d.month, d.day)),
            DeValue::String(text) => text.parse::<Date>().ok().map(|d| {
                (
                    Some(d.year()),
                    d.month().unsigned_abs(),
                    d.day().unsigned_abs(),
                )
            }),
            _ => None,
        };
        let day = |n: u8| i8::try_from(n).ok();
        let date = date.and_then(|(y, m, d)| Date::new(y?, day(m)?, day(d)?).ok());
        if date.is_none() {
            self.document.mistake(
                value.span(),
                format!("`{key}` is a day, such as 2027-01-09"),
                None,
            );
        }
        date
    }

    /// A number, or a table of its own.
    pub(crate) fn number_or_table(
        &self,
        key: &str,
        name: &'static str,
    ) -> Option<Result<u64, Self>> {
        let value = self.get(key)?;
        if let Some(number) = number(value.get_ref()) {
            return Some(Ok(number));
        }
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong(
                key,
                value,
                "a whole number from 0 on, or { min = …, max = … }",
            );
        }
        table.map(|inner| Err(Self::new(self.document, name, value.span(), inner)))
    }

    pub(crate) fn table(&self, key: &str, name: &'static str) -> Option<Self> {
        let value = self.get(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong(key, value, "a table");
        }
        table.map(|inner| Self::new(self.document, name, value.span(), inner))
    }

    /// `[[name]]`
    pub(crate) fn tables(&self, key: &str, name: &'static str) -> Vec<Self> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(key, value, "a list of tables");
            return Vec::new();
        };
        let mut out = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_table() {
                Some(inner) => out.push(Self::new(self.document, name, item.span(), inner)),
                None => self.wrong(key, item, "a list of tables"),
            }
        }
        out
    }
}

fn number(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}
