//! How values pass between JavaScript and Rust: as JSON, which the core reads and writes anyway.

use js_sys::{JSON, TypeError};
use leakgate_core::Date;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::JsValue;

/// Reads an object; `undefined` and `null` are one without keys.
pub(crate) fn read<T: DeserializeOwned>(value: &JsValue, what: &str) -> Result<T, JsValue> {
    let text = if value.is_undefined() || value.is_null() {
        "{}".to_owned()
    } else {
        JSON::stringify(value)?.into()
    };
    parse(&text).map_err(|why| TypeError::new(&format!("{what}: {why}")).into())
}

/// Reads JSON. What is wrong is said without its place, for nobody has seen the text.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        message
            .rsplit_once(" at line ")
            .map_or(message.clone(), |(head, _)| head.to_owned())
    })
}

/// Makes a value of JavaScript out of JSON.
pub(crate) fn value(json: &str) -> Result<JsValue, JsValue> {
    JSON::parse(json)
}

/// Makes an object of texts.
pub(crate) fn object<const N: usize>(texts: [(&str, String); N]) -> Result<JsValue, JsValue> {
    let object = js_sys::Object::new();
    for (name, text) in texts {
        js_sys::Reflect::set(&object, &name.into(), &text.into())?;
    }
    Ok(object.into())
}

/// Something that was asked for is not there, or can't be done.
pub(crate) fn refusal(message: &str) -> JsValue {
    js_sys::Error::new(message).unchecked_into()
}

/// Today in UTC, so that a rule expires at the same moment everywhere. The core has no clock.
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
    fn what_is_wrong_is_said_without_a_place() {
        assert_eq!(
            parse::<bool>("[]").unwrap_err(),
            "invalid type: sequence, expected a boolean"
        );
    }
}
