//! Affinity rules: near which machines a new one is to be placed, and far from which.
//!
//! `instance==db0`, `instance!=web*`, `role==~database`, `instance!=/^web[0-9]+$/`.

use std::fmt;

use super::fault;
use crate::error::{Error, Result};

const WHAT: &str = "affinity rule";

/// A rule, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `instance`, its synonym `container`, or the name of a tag.
    pub key: String,
    /// `==`: on the same server; otherwise `!=`: on another.
    pub equal: bool,
    /// `~`: a wish, which may stay unfulfilled.
    pub soft: bool,
    /// Which machines, by name or id; or which values of the tag.
    pub value: Pattern,
}

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// The very text.
    Exact(String),
    /// Text in which `*` stands for anything.
    Glob(String),
    /// A regular expression, without its slashes.
    Regex(String),
}

impl Rule {
    /// Whether the rule is about machines by name or id, rather than by a tag.
    pub fn names_machines(&self) -> bool {
        self.key.eq_ignore_ascii_case("instance") || self.key.eq_ignore_ascii_case("container")
    }

    /// What is allowed but most likely not meant, in sentences for a warning.
    pub fn doubts(&self) -> Vec<String> {
        let mut list = Vec::new();
        let short = ["inst", "instances", "machine", "vm", "name", "containers"];
        if short.iter().any(|word| self.key.eq_ignore_ascii_case(word)) {
            list.push(format!(
                "'{}' means a tag of that name; machines are meant by instance: {}",
                self.key,
                Rule { key: "instance".to_owned(), ..self.clone() }
            ));
        }
        match &self.value {
            Pattern::Exact(text) | Pattern::Glob(text) => {
                if text.starts_with('/') || text.ends_with('/') {
                    list.push(format!("'{text}' is not a regular expression, which has a slash at both ends"));
                }
                if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
                    list.push(format!("the blanks around '{}' are part of the value", text.trim()));
                }
            }
            Pattern::Regex(_) => {}
        }
        list
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operator, soft) = (if self.equal { "==" } else { "!=" }, if self.soft { "~" } else { "" });
        write!(f, "{}{operator}{soft}{}", self.key, self.value)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Exact(text) | Pattern::Glob(text) => f.write_str(text),
            Pattern::Regex(text) => write!(f, "/{text}/"),
        }
    }
}

/// Takes a rule apart.
///
/// # Errors
/// A usage error that points at the fault.
pub fn check(text: &str) -> Result<Rule> {
    // As the service reads it: the first == decides, wherever a != may be.
    let found = text.find("==").map(|at| (at, true)).or_else(|| text.find("!=").map(|at| (at, false)));
    let Some((operator, equal)) = found else { return Err(without_operator(text)) };
    let key = &text[..operator];
    if let Some((at, letter)) = key.char_indices().find(|(at, letter)| !key_letter(*at, *letter)) {
        let expected = match letter {
            '!' => "expected one operator, == or !=",
            letter if letter.is_whitespace() => "no blanks around the name",
            _ if at == 0 => "expected a letter or _ first",
            _ => "expected letters, digits, - _ .",
        };
        return Err(fault(WHAT, text, at, &format!("KEY character '{}' is not allowed", shown(letter)), expected));
    }
    if key.len() < 2 {
        let message = if key.is_empty() { "there is no KEY" } else { "a KEY has at least two characters" };
        return Err(fault(WHAT, text, key.len(), message, "expected instance, or the name of a tag"));
    }
    let rest = &text[operator + 2..];
    let soft = rest.starts_with('~');
    let value = rest.strip_prefix('~').unwrap_or(rest);
    let start = text.len() - value.len();
    if value.is_empty() {
        return Err(fault(WHAT, text, start, "there is no VALUE", "expected a name, an id, a glob or /a regex/"));
    }
    if let Some((at, letter)) = value.char_indices().find(|(_, letter)| !value_letter(*letter)) {
        let expected = match (at, letter) {
            (0, '=') => "one = too many",
            (0, '~') => "one ~ too many",
            _ => "expected letters, digits, blanks, - : _ . * / ( ) ? + [ ] \\ ^ $ |",
        };
        let message = format!("VALUE character '{}' is not allowed", shown(letter));
        return Err(fault(WHAT, text, start + at, &message, expected));
    }
    Ok(Rule { key: key.to_owned(), equal, soft, value: pattern(value) })
}

fn without_operator(text: &str) -> Error {
    let error = match text.find('=') {
        Some(at) if text[at + 1..].starts_with('~') => {
            return fault(WHAT, text, at, "'=~' is not an operator", "expected ==~ or !=~").hint(retyped(text, at));
        }
        Some(at) => {
            return fault(WHAT, text, at, "'=' is not an operator", "expected == or !=").hint(retyped(text, at));
        }
        None => match text.find('!') {
            Some(at) => fault(WHAT, text, at, "'!' is not an operator", "expected !="),
            None => fault(WHAT, text, text.len(), "there is no operator", "expected == or != and a value"),
        },
    };
    error.hint("examples: instance==db0, instance!=web*, role!=~database")
}

/// The rule with the operator that was most likely meant.
fn retyped(text: &str, at: usize) -> String {
    format!("did you mean {}=={}?", &text[..at], &text[at + 1..])
}

fn key_letter(at: usize, letter: char) -> bool {
    letter.is_ascii_alphabetic() || letter == '_' || at > 0 && (letter.is_ascii_digit() || "-.".contains(letter))
}

fn value_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter.is_whitespace() || "-:_.*/()?+[]\\^$|".contains(letter)
}

/// A letter as it can stand in a message.
fn shown(letter: char) -> String {
    letter.escape_debug().to_string()
}

fn pattern(value: &str) -> Pattern {
    match value.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        Some(regex) if !regex.is_empty() => Pattern::Regex(regex.to_owned()),
        _ if value.contains('*') => Pattern::Glob(value.to_owned()),
        _ => Pattern::Exact(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(text: &str) -> (String, Vec<crate::error::Hint>) {
        let error = check(text).unwrap_err();
        (error.to_string(), error.hints().to_vec())
    }

    #[test]
    fn a_rule_has_a_key_an_operator_and_a_value() {
        let rule = |key: &str, equal, soft, value| Rule { key: key.to_owned(), equal, soft, value };
        for (text, expected) in [
            ("instance==db0", rule("instance", true, false, Pattern::Exact("db0".into()))),
            ("container!=~web*", rule("container", false, true, Pattern::Glob("web*".into()))),
            ("role==~/^web[0-9]$/", rule("role", true, true, Pattern::Regex("^web[0-9]$".into()))),
            ("a.b-c_1!=x y", rule("a.b-c_1", false, false, Pattern::Exact("x y".into()))),
            ("_x==/", rule("_x", true, false, Pattern::Exact("/".into()))),
        ] {
            assert_eq!(check(text).unwrap(), expected, "{text}");
            assert_eq!(check(text).unwrap().to_string(), text);
        }
        assert!(check("CONTAINER==a").unwrap().names_machines());
        assert!(!check("role==a").unwrap().names_machines());
    }

    #[test]
    fn a_single_equals_sign_is_pointed_at() {
        let (message, hints) = refused("instance=web0");
        assert_eq!(message, "affinity rule: '=' is not an operator");
        assert_eq!(hints, ["instance=web0\n        ^ expected == or !=", "did you mean instance==web0?"]);
    }

    #[test]
    fn each_fault_has_its_own_words_and_place() {
        for (text, message, hint) in [
            ("", "affinity rule: there is no operator", "\n^ expected == or != and a value"),
            ("web0", "affinity rule: there is no operator", "web0\n    ^ expected == or != and a value"),
            ("==web0", "affinity rule: there is no KEY", "==web0\n^ expected instance, or the name of a tag"),
            (
                "a==b",
                "affinity rule: a KEY has at least two characters",
                "a==b\n ^ expected instance, or the name of a tag",
            ),
            ("9a==b", "affinity rule: KEY character '9' is not allowed", "9a==b\n^ expected a letter or _ first"),
            ("ro le==b", "affinity rule: KEY character ' ' is not allowed", "ro le==b\n  ^ no blanks around the name"),
            (
                "a!=b==c",
                "affinity rule: KEY character '!' is not allowed",
                "a!=b==c\n ^ expected one operator, == or !=",
            ),
            (
                "role==",
                "affinity rule: there is no VALUE",
                "role==\n      ^ expected a name, an id, a glob or /a regex/",
            ),
            ("role===b", "affinity rule: VALUE character '=' is not allowed", "role===b\n      ^ one = too many"),
            (
                "role!=~we!b",
                "affinity rule: VALUE character '!' is not allowed",
                "role!=~we!b\n         ^ expected letters, digits, blanks, - : _ . * / ( ) ? + [ ] \\ ^ $ |",
            ),
            ("role=~web", "affinity rule: '=~' is not an operator", "role=~web\n    ^ expected ==~ or !=~"),
            ("role!web", "affinity rule: '!' is not an operator", "role!web\n    ^ expected !="),
        ] {
            let (told, hints) = refused(text);
            assert_eq!((told.as_str(), hints[0].as_str()), (message, hint), "{text}");
        }
        assert_eq!(refused("role=~web").1[1], "did you mean role==~web?");
    }

    #[test]
    fn what_is_allowed_but_not_meant_is_told() {
        assert_eq!(
            check("inst==web0").unwrap().doubts(),
            ["'inst' means a tag of that name; machines are meant by instance: instance==web0"]
        );
        assert_eq!(
            check("role==/web").unwrap().doubts(),
            ["'/web' is not a regular expression, which has a slash at both ends"]
        );
        assert_eq!(check("role== web").unwrap().doubts(), ["the blanks around 'web' are part of the value"]);
        assert!(check("instance==web0").unwrap().doubts().is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_a_rule_that_prints_as_it_was_or_an_error_with_a_caret(text in "[a-z=!~é*/ \\PC]{0,20}") {
            match check(&text) {
                Ok(rule) => prop_assert_eq!(rule.to_string(), text),
                Err(error) => prop_assert!(crate::grammar::tests::caret_is_within(error.hints()[0].as_str())),
            }
        }
    }
}
