//! JSON read into plain types by one visitor. The types say what they hold; what serde derives
//! would be a reader for each of them, and all of these together the largest part of the page's
//! module.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

/// What a value is made of.
pub(super) enum Shape {
    /// A number, a text, or yes or no.
    Plain,
    /// A list; of this length, where one is given.
    List(Option<usize>),
    /// An object with these fields, of which the first ones must be there.
    Object(&'static [&'static str], usize),
}

/// A place that a value is read into. What returns false expected something else.
pub(super) trait Place {
    /// What is expected, as it is told.
    fn expected(&self) -> &'static str;

    /// The shape of what is to come, which is not `null`.
    fn begin(&mut self) -> Shape {
        Shape::Plain
    }

    fn null(&mut self) -> bool {
        false
    }

    fn flag(&mut self, _: bool) -> bool {
        false
    }

    fn number(&mut self, _: u64) -> bool {
        false
    }

    fn text(&mut self, _: &str) -> bool {
        false
    }

    /// The place of the next element, or of a field by its number.
    fn part(&mut self, _: usize) -> Option<&mut dyn Place> {
        None
    }
}

/// Says which fields an object has: those that must be there; those that may.
macro_rules! object {
    ($name:ident: $($required:ident)*; $($optional:ident)*) => {
        impl Place for $name {
            fn expected(&self) -> &'static str {
                "an object"
            }

            fn begin(&mut self) -> Shape {
                const REQUIRED: &[&str] = &[$(stringify!($required)),*];
                Shape::Object(&[$(stringify!($required),)* $(stringify!($optional),)*], REQUIRED.len())
            }

            fn part(&mut self, at: usize) -> Option<&mut dyn Place> {
                let fields = [$(&mut self.$required as &mut dyn Place,)* $(&mut self.$optional as &mut dyn Place,)*];
                fields.into_iter().nth(at)
            }
        }
    };
}
pub(super) use object;

impl Place for bool {
    fn expected(&self) -> &'static str {
        "a boolean"
    }

    fn flag(&mut self, value: bool) -> bool {
        *self = value;
        true
    }
}

macro_rules! number {
    ($($name:ident)*) => {$(
        impl Place for $name {
            fn expected(&self) -> &'static str {
                stringify!($name)
            }

            fn number(&mut self, value: u64) -> bool {
                Self::try_from(value).map(|value| *self = value).is_ok()
            }
        }
    )*};
}

number!(u64 u32 usize);

impl Place for String {
    fn expected(&self) -> &'static str {
        "a string"
    }

    fn text(&mut self, value: &str) -> bool {
        *self = value.into();
        true
    }
}

/// Absent and `null` are the same.
impl<T: Place + Default> Place for Option<T> {
    fn expected(&self) -> &'static str {
        T::default().expected()
    }

    fn begin(&mut self) -> Shape {
        self.get_or_insert_default().begin()
    }

    fn null(&mut self) -> bool {
        *self = None;
        true
    }

    fn flag(&mut self, value: bool) -> bool {
        self.get_or_insert_default().flag(value)
    }

    fn number(&mut self, value: u64) -> bool {
        self.get_or_insert_default().number(value)
    }

    fn text(&mut self, value: &str) -> bool {
        self.get_or_insert_default().text(value)
    }

    fn part(&mut self, at: usize) -> Option<&mut dyn Place> {
        self.get_or_insert_default().part(at)
    }
}

impl<T: Place + Default> Place for Vec<T> {
    fn expected(&self) -> &'static str {
        "a sequence"
    }

    fn begin(&mut self) -> Shape {
        Shape::List(None)
    }

    fn part(&mut self, _: usize) -> Option<&mut dyn Place> {
        self.push(T::default());
        self.last_mut().map(|last| last as &mut dyn Place)
    }
}

impl<A: Place, B: Place> Place for (A, B) {
    fn expected(&self) -> &'static str {
        "a tuple of size 2"
    }

    fn begin(&mut self) -> Shape {
        Shape::List(Some(2))
    }

    fn part(&mut self, at: usize) -> Option<&mut dyn Place> {
        [&mut self.0 as &mut dyn Place, &mut self.1]
            .into_iter()
            .nth(at)
    }
}

/// Reads a document.
pub(super) fn read<T: Place + Default>(json: &str) -> Result<T, serde_json::Error> {
    let mut value = T::default();
    let mut reader = serde_json::Deserializer::from_str(json);
    Into(&mut value).deserialize(&mut reader)?;
    reader.end().map(|()| value)
}

/// The visitor of all values.
struct Into<'a>(&'a mut dyn Place);

impl Into<'_> {
    fn took<E: Error>(&self, took: bool, what: Unexpected<'_>) -> Result<(), E> {
        if took {
            Ok(())
        } else {
            Err(E::invalid_type(what, &self.0.expected()))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Into<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Into<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.expected())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        let took = self.0.null();
        self.took(took, Unexpected::Unit)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        let took = self.0.flag(value);
        self.took(took, Unexpected::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        let took = self.0.number(value);
        self.took(took, Unexpected::Unsigned(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        let took = self.0.text(value);
        self.took(took, Unexpected::Str(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Shape::List(length) = self.0.begin() else {
            return self.took(false, Unexpected::Seq);
        };
        let mut count = 0;
        while list.next_element_seed(Element(self.0, count))?.is_some() {
            count += 1;
        }
        if length.is_some_and(|length| length != count) {
            Err(A::Error::invalid_length(count, &self))
        } else {
            Ok(())
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Shape::Object(names, required) = self.0.begin() else {
            return self.took(false, Unexpected::Map);
        };
        let mut seen = 0u32;
        while let Some(field) = object.next_key_seed(Key(names))? {
            let Some((at, name)) = field else {
                object.next_value::<IgnoredAny>()?;
                continue;
            };
            if seen & (1 << at) != 0 {
                return Err(A::Error::duplicate_field(name));
            }
            seen |= 1 << at;
            object.next_value_seed(Element(self.0, at))?;
        }
        let missing = names[..required]
            .iter()
            .enumerate()
            .find(|(at, _)| seen & (1 << at) == 0);
        missing.map_or(Ok(()), |(_, name)| Err(A::Error::missing_field(name)))
    }
}

/// A part of a value, which is asked for when there is one.
struct Element<'a>(&'a mut dyn Place, usize);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        let Some(part) = self.0.part(self.1) else {
            return Err(D::Error::invalid_length(self.1 + 1, &self.0.expected()));
        };
        reader.deserialize_any(Into(part))
    }
}

/// The name of a field: its number, or nothing where it is not known.
struct Key(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<(usize, &'static str)>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<(usize, &'static str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self
            .0
            .iter()
            .copied()
            .enumerate()
            .find(|(_, known)| *known == name))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Row {
        name: String,
        pairs: Vec<(usize, u64)>,
        size: Option<u32>,
        done: bool,
    }

    object!(Row: name pairs; size done);

    #[test]
    fn fields_are_read_and_unknown_ones_passed_over() {
        let row: Row = read(r#"{"new":[{"a":1.5}],"na\u006de":"a\"","pairs":[[1,2],[3,4]],"size":null,"done":true}"#).unwrap();
        assert_eq!(
            row,
            Row {
                name: "a\"".into(),
                pairs: alloc::vec![(1, 2), (3, 4)],
                size: None,
                done: true
            }
        );
        assert_eq!(
            read::<Row>(r#"{"name":"","pairs":[],"size":7}"#)
                .unwrap()
                .size,
            Some(7)
        );
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (json, want) in [
            (
                r#"{"name":""}"#,
                "missing field `pairs` at line 1 column 11",
            ),
            (r#"{"name":"","name":""}"#, "duplicate field `name` at"),
            (
                r#"{"name":1}"#,
                "invalid type: integer `1`, expected a string at",
            ),
            (
                r#"{"pairs":{}}"#,
                "invalid type: map, expected a sequence at",
            ),
            (
                r#"{"pairs":[[1]]}"#,
                "invalid length 1, expected a tuple of size 2 at",
            ),
            (
                r#"{"pairs":[[1,2,3]]}"#,
                "invalid length 3, expected a tuple of size 2 at",
            ),
            (
                r#"{"pairs":[[1,-2]]}"#,
                "invalid type: integer `-2`, expected u64 at",
            ),
            (
                r#"{"size":4294967296}"#,
                "invalid type: integer `4294967296`, expected u32 at",
            ),
            (
                r#"{"done":null}"#,
                "invalid type: null, expected a boolean at",
            ),
            ("[]", "invalid type: sequence, expected an object at"),
            ("{", "EOF while parsing an object at"),
        ] {
            let told = read::<Row>(json).unwrap_err().to_string();
            assert!(told.starts_with(want), "{json}: {told}");
        }
    }
}
