//! Reads TOML tables and collects all errors, each with its position.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::Range;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::Diagnostic;
use crate::error::UnknownName;

/// A TOML document and the errors found in it so far.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    /// Offsets of the line feeds.
    line_ends: Vec<usize>,
    errors: RefCell<Vec<Diagnostic>>,
}

impl<'a> Document<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        let line_ends = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
        Self {
            file,
            text,
            line_ends,
            errors: RefCell::new(Vec::new()),
        }
    }

    /// Records an error at a byte range of the text.
    pub(crate) fn error(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let error = Diagnostic::at_span(self.file, self.text, span, message).with_help(help);
        self.errors.borrow_mut().push(error);
    }

    /// Records an error for a name that isn't one of the expected ones.
    pub(crate) fn unknown_name(&self, span: Range<usize>, error: &UnknownName) {
        self.error(span, error.to_string(), Some(error.help().to_string()));
    }

    /// Returns the line of a byte offset, counted from 1.
    pub(crate) fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.line_ends.partition_point(|end| *end < offset) + 1).unwrap_or(u32::MAX)
    }

    /// Returns all errors, in the order of the file.
    pub(crate) fn into_errors(self) -> Vec<Diagnostic> {
        let mut errors = self.errors.into_inner();
        errors.sort_by_key(|error| (error.line, error.column));
        errors
    }
}

/// A table of the document.
#[derive(Clone, Debug)]
pub(crate) struct Table<'a> {
    pub(crate) document: &'a Document<'a>,
    pub(crate) span: Range<usize>,
    /// Name for messages: `[gate]`, `[[allow]]`. Empty for the root table.
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

    /// Returns the span of a key's value, or of the table if the key is missing.
    pub(crate) fn span_of(&self, key: &str) -> Range<usize> {
        self.get(key).map_or(self.span.clone(), Spanned::span)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Records an error for each key that isn't one of these.
    pub(crate) fn reject_unknown_keys(&self, known: &[&str]) {
        for (key, _) in self
            .inner
            .iter()
            .filter(|(k, _)| !known.contains(&k.get_ref().as_ref()))
        {
            let error = UnknownName::new("key", key.get_ref(), known.iter().copied());
            let table = if self.name.is_empty() {
                String::new()
            } else {
                format!(" in {}", self.name)
            };
            self.document.error(
                key.span(),
                format!("{error}{table}"),
                Some(error.help().to_owned()),
            );
        }
    }

    fn type_error(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) {
        // An integer may have the right type but be out of range, so the message shows its value.
        let found = match value.get_ref() {
            DeValue::Integer(number) => format!("{number}"),
            DeValue::Array(_) => String::from("a list"),
            other => format!("a {}", other.type_str()),
        };
        self.document.error(
            value.span(),
            format!("invalid `{key}`: expected {expected}, found {found}"),
            None,
        );
    }

    pub(crate) fn string(&self, key: &str) -> Option<String> {
        let value = self.get(key)?;
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.type_error(key, value, "a string");
        }
        text
    }

    /// Returns the strings of a list, each with its span. A missing key is an empty list.
    pub(crate) fn strings(&self, key: &str) -> Vec<(String, Range<usize>)> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.type_error(key, value, "a list of strings");
            return Vec::new();
        };
        let mut out = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => out.push((text.to_owned(), item.span())),
                None => self.type_error(key, item, "a list of strings"),
            }
        }
        out
    }

    /// Returns the value whose name the key contains.
    pub(crate) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.string(key)?;
        let found = choices
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.document.error(
                self.span_of(key),
                format!("invalid value `{text}` for `{key}`"),
                Some(format!("expected one of: {}", names.join(", "))),
            );
        }
        found
    }

    /// Returns a non-negative integer.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        let value = self.get(key)?;
        let number = number(value.get_ref());
        if number.is_none() {
            self.type_error(key, value, "a non-negative integer");
        }
        number
    }

    /// Returns a date such as `2026-01-09`, with or without quotes.
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
            self.document.error(
                value.span(),
                format!("invalid `{key}`: expected a date such as 2027-01-09"),
                None,
            );
        }
        date
    }

    /// Returns a non-negative integer or an inner table.
    pub(crate) fn number_or_table(
        &self,
        key: &str,
        name: &'static str,
    ) -> Option<NumberOrTable<'a>> {
        let value = self.get(key)?;
        if let Some(number) = number(value.get_ref()) {
            return Some(NumberOrTable::Number(number));
        }
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.type_error(
                key,
                value,
                "a non-negative integer, or { min = …, max = … }",
            );
        }
        let inner = Self::new(self.document, name, value.span(), table?);
        Some(NumberOrTable::Table(inner))
    }

    pub(crate) fn table(&self, key: &str, name: &'static str) -> Option<Self> {
        let value = self.get(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.type_error(key, value, "a table");
        }
        table.map(|inner| Self::new(self.document, name, value.span(), inner))
    }

    /// Returns the tables of a list such as `[[allow]]`. A missing key is an empty list.
    pub(crate) fn tables(&self, key: &str, name: &'static str) -> Vec<Self> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.type_error(key, value, "a list of tables");
            return Vec::new();
        };
        let mut out = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_table() {
                Some(inner) => out.push(Self::new(self.document, name, item.span(), inner)),
                None => self.type_error(key, item, "a list of tables"),
            }
        }
        out
    }
}

/// The value of a key that allows both forms.
#[derive(Clone, Debug)]
pub(crate) enum NumberOrTable<'a> {
    Number(u64),
    Table(Table<'a>),
}

fn number(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}
