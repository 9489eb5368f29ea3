//! Conversions between JavaScript and Rust values. They use JSON, which the core supports anyway.

use js_sys::{JSON, TypeError};
use leakgate_core::Date;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::JsValue;

/// Deserializes an object. `undefined` and `null` are empty objects.
///
/// # Errors
/// A `TypeError` that starts with `name`, the name of the argument.
pub(crate) fn from_js<T: DeserializeOwned>(value: &JsValue, name: &str) -> Result<T, JsValue> {
    let text = if value.is_undefined() || value.is_null() {
        "{}".to_owned()
    } else {
        JSON::stringify(value)?.into()
    };
    parse(&text).map_err(|message| TypeError::new(&format!("{name}: {message}")).into())
}

/// Parses JSON. Error messages omit the line and column, because the caller has not seen the text.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        message
            .rsplit_once(" at line ")
            .map_or(message.clone(), |(head, _)| head.to_owned())
    })
}

/// Parses JSON into a JavaScript value.
pub(crate) fn json_to_js(json: &str) -> Result<JsValue, JsValue> {
    JSON::parse(json)
}

/// Returns an object with string properties.
pub(crate) fn string_object<const N: usize>(
    texts: [(&str, String); N],
) -> Result<JsValue, JsValue> {
    let object = js_sys::Object::new();
    for (name, text) in texts {
        js_sys::Reflect::set(&object, &name.into(), &text.into())?;
    }
    Ok(object.into())
}

/// Returns a JavaScript `Error`.
pub(crate) fn js_error(message: &str) -> JsValue {
    js_sys::Error::new(message).unchecked_into()
}

/// Returns the current date in UTC, so rules expire at the same moment everywhere. The core has no
/// clock. `None` if the host's clock is unusable.
pub(crate) fn today() -> Option<Date> {
    const LENGTH: usize = "YYYY-MM-DD".len();
    String::from(js_sys::Date::new_0().to_iso_string())
        .get(..LENGTH)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_error_omits_position() {
        assert_eq!(
            parse::<bool>("[]").unwrap_err(),
            "invalid type: sequence, expected a boolean"
        );
    }
}
