//! Evaluates the condition of a step: `&&`, `||`, `!`, `==`, `!=`, parentheses, text and contexts.
//! <https://docs.github.com/actions/reference/workflows-and-actions/expressions>

use std::iter::Peekable;
use std::vec::IntoIter;

/// Returns true if the condition holds with these values. A context without a value is empty, and
/// the run is not canceled.
pub(super) fn is_true(condition: &str, values: &[(&str, &str)]) -> bool {
    let text = condition
        .trim()
        .trim_start_matches("${{")
        .trim_end_matches("}}");
    let mut parser = Parser {
        words: words(text).into_iter().peekable(),
        values,
    };
    let value = parser.any();
    assert_eq!(parser.words.next(), None, "{condition}");
    !value.is_empty()
}

/// Splits an expression into operators, names, and text with its first quote.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let operator = ["&&", "||", "==", "!=", "cancelled()", "!", "(", ")"]
            .into_iter()
            .find(|operator| rest.starts_with(operator));
        let length = match operator {
            Some(operator) => operator.len(),
            None if first == '\'' => rest[1..].find('\'').unwrap() + 1,
            None => rest
                .find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c))
                .unwrap_or(rest.len()),
        };
        assert!(length > 0, "unsupported expression: {rest}");
        words.push(rest[..length].to_owned());
        rest = rest[length..].trim_start_matches('\'').trim_start();
    }
    words
}

/// Evaluates an expression. Every value is text; true is any text, and false is empty text.
struct Parser<'a> {
    words: Peekable<IntoIter<String>>,
    values: &'a [(&'a str, &'a str)],
}

impl Parser<'_> {
    fn any(&mut self) -> String {
        let mut value = self.all();
        while self.words.next_if_eq("||").is_some() {
            let other = self.all();
            value = if value.is_empty() { other } else { value };
        }
        value
    }

    fn all(&mut self) -> String {
        let mut value = self.comparison();
        while self.words.next_if_eq("&&").is_some() {
            let other = self.comparison();
            value = if value.is_empty() { value } else { other };
        }
        value
    }

    fn comparison(&mut self) -> String {
        let value = self.operand();
        let is_equal = match self.words.next_if(|word| word == "==" || word == "!=") {
            Some(operator) => (value == self.operand()) == (operator == "=="),
            None => return value,
        };
        boolean(is_equal)
    }

    fn operand(&mut self) -> String {
        let word = self.words.next().unwrap();
        match word.as_str() {
            "!" => boolean(self.operand().is_empty()),
            "(" => {
                let value = self.any();
                assert_eq!(self.words.next().as_deref(), Some(")"));
                value
            }
            "cancelled()" => boolean(false),
            name => match name.strip_prefix('\'') {
                Some(text) => text.to_owned(),
                None => {
                    let value = self.values.iter().find(|(known, _)| *known == name);
                    value.map_or(String::new(), |(_, value)| (*value).to_owned())
                }
            },
        }
    }
}

fn boolean(value: bool) -> String {
    if value { "true" } else { "" }.to_owned()
}
