//! The matrix of a job, from the contexts `matrix` and `strategy`, which `action.yml` passes on.
//!
//! Source: <https://docs.github.com/actions/reference/workflows-and-actions/contexts>.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A leg of a matrix.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct MatrixLeg {
    /// Index of the leg, from 0.
    pub(crate) index: u32,
    /// Number of legs; 1 for a job without a matrix.
    pub(crate) total: u32,
}

impl MatrixLeg {
    /// Parses the context `strategy`. `None` if it is unknown or invalid.
    pub(super) fn from_strategy(json: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case")]
        struct Strategy {
            job_index: u32,
            job_total: u32,
        }
        let strategy: Strategy = serde_json::from_str(json).ok()?;
        let leg = Self {
            index: strategy.job_index,
            total: strategy.job_total,
        };
        (leg.index < leg.total).then_some(leg)
    }
}

/// Returns all values in a JSON text as strings, in their order. Empty if the text is invalid.
pub(super) fn values(json: &str) -> Vec<String> {
    serde_json::from_str(json).map_or(Vec::new(), |Values(values)| values)
}

/// The scalar values in any JSON value. Unlike `serde_json::Value`, it keeps the order of keys.
struct Values(Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValuesVisitor)
    }
}

struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Values, E> {
        Ok(Values(Vec::new()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Values, E> {
        Ok(Values(vec![value.to_string()]))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Values, E> {
        Ok(Values(vec![value.to_string()]))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Values, E> {
        Ok(Values(vec![value.to_string()]))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Values, E> {
        Ok(Values(vec![value.to_string()]))
    }

    fn visit_str<E>(self, value: &str) -> Result<Values, E> {
        Ok(Values(vec![value.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Values, A::Error> {
        let mut all = Vec::new();
        while let Some(Values(values)) = items.next_element()? {
            all.extend(values);
        }
        Ok(Values(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Values, A::Error> {
        let mut all = Vec::new();
        while let Some((_, Values(values))) = entries.next_entry::<String, Values>()? {
            all.extend(values);
        }
        Ok(Values(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_order() {
        let json = r#"{"os":"ubuntu","compiler":{"name":"gcc","version":14},"lto":true,"extra":[1.5,null]}"#;
        assert_eq!(values(json), ["ubuntu", "gcc", "14", "true", "1.5"]);
        for empty in ["null", "", "{", "{}"] {
            assert_eq!(values(empty), Vec::<String>::new(), "{empty}");
        }
    }

    #[test]
    fn index_of_a_leg_is_below_the_total() {
        let leg = |index: u32, total: u32| {
            let json = format!(
                r#"{{"fail-fast":true,"job-index":{index},"job-total":{total},"max-parallel":2}}"#
            );
            MatrixLeg::from_strategy(&json)
        };
        assert_eq!(leg(1, 2), Some(MatrixLeg { index: 1, total: 2 }));
        assert_eq!(leg(2, 2), None);
        for invalid in ["", "null", "{}"] {
            assert_eq!(MatrixLeg::from_strategy(invalid), None, "{invalid}");
        }
    }
}
