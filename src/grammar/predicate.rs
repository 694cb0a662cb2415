//! VMAPI's predicates, JSON by which its list is narrowed: `{"and":[{"eq":["brand","lx"]},{"ge":["ram",1024]}]}`.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::judge::{Query, Test};
use super::{fault, nearest};
use crate::error::{Error, Result};

/// No predicate is nested deeper.
const MAX_DEPTH: usize = 50;
/// What compares a field with a constant.
const COMPARE: &[&str] = &["eq", "ne", "le", "ge"];
/// What combines predicates.
const COMBINE: &[&str] = &["and", "or"];
const FORM: &str = r#"expected {"eq":["FIELD",VALUE]}"#;

/// Checks a predicate.
///
/// # Errors
/// A usage error with a caret at the fault.
pub fn check(text: &str) -> Result<()> {
    read(text).map(drop)
}

/// Reads a predicate.
///
/// # Errors
/// As [`check`].
pub fn read(text: &str) -> Result<Query> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(value) => of(text, value, 0),
        Err(error) => {
            let line: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
            let at = line + error.column().saturating_sub(1);
            let at = if error.is_eof() { text.len() } else { at };
            Err(fault("the predicate", text, at, "this is not JSON", FORM))
        }
    }
}

fn wrong<T>(text: &str, part: &RawValue, message: &str, expected: &str) -> Result<T> {
    Err(at(text, part.get(), message, expected))
}

/// The fault at a part of the text, which is borrowed from it.
fn at(text: &str, part: &str, message: &str, expected: &str) -> Error {
    let at = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    fault("the predicate", text, at, message, expected)
}

fn of(text: &str, value: &RawValue, depth: usize) -> Result<Query> {
    if depth > MAX_DEPTH {
        return wrong(
            text,
            value,
            "it is nested too deeply",
            &format!("at most {MAX_DEPTH} predicates within another"),
        );
    }
    let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(value.get()) else {
        return wrong(text, value, "a predicate is an object", FORM);
    };
    let mut all = members.into_iter();
    let (Some((operator, operands)), None) = (all.next(), all.next()) else {
        return wrong(text, value, "a predicate has one member", "several are one within {\"and\":[...]}");
    };
    let list = serde_json::from_str::<Vec<&RawValue>>(operands.get()).ok();
    match operator.as_str() {
        name if COMBINE.contains(&name) => match list.filter(|list| list.len() >= 2) {
            Some(list) => {
                let parts = list.into_iter().map(|part| of(text, part, depth + 1)).collect::<Result<_>>()?;
                Ok(if name == "and" { Query::All(parts) } else { Query::Any(parts) })
            }
            None => wrong(text, operands, &format!("{name} combines two predicates or more"), "expected [...,...]"),
        },
        name if COMPARE.contains(&name) => compared(text, name, operands, list),
        // The service takes them, and finds nothing.
        "lt" => wrong(text, value, "lt finds nothing, whatever the value", "use le"),
        "gt" => wrong(text, value, "gt finds nothing, whatever the value", "use ge"),
        name => {
            let known = [COMPARE, COMBINE].concat();
            let expected = nearest(name, &known)
                .map_or(format!("known are {}", known.join(", ")), |near| format!("did you mean {near}?"));
            wrong(text, value, &format!("there is no operator '{}'", crate::sensitive::quoted(name)), &expected)
        }
    }
}

/// A field and a constant.
fn compared(text: &str, operator: &str, operands: &RawValue, list: Option<Vec<&RawValue>>) -> Result<Query> {
    let is_text = |value: &RawValue| value.get().starts_with('"');
    let is_plain = |value: &RawValue| !value.get().starts_with(['[', '{', 'n']);
    match list.as_deref() {
        Some([field, _]) if !is_text(field) => {
            wrong(text, field, "the name of a field is a text", "expected \"FIELD\"")
        }
        Some([_, constant]) if !is_plain(constant) => {
            wrong(text, constant, "a field is compared with a text, a number, true or false", "expected such a value")
        }
        Some([field, constant]) => {
            let plain = |value: &RawValue| {
                serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned())
            };
            let (field, value) = (plain(field), plain(constant));
            let is = |test| Query::Is(field.clone(), test);
            Ok(match operator {
                "le" => is(Test::AtMost(value)),
                "ge" => is(Test::AtLeast(value)),
                "ne" => Query::Not(Box::new(is(Test::Constant(value)))),
                _ => is(Test::Constant(value)),
            })
        }
        _ => wrong(text, operands, &format!("{operator} compares a field with a value"), "expected [\"FIELD\",VALUE]"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::caret_is_within;
    use super::*;

    #[test]
    fn predicates_are_taken() {
        for text in [
            r#"{"eq":["state","failed"]}"#,
            r#" {"and": [{"ne": ["tag.role", "web"]}, {"or": [{"ge":["ram",1024]},{"le":["quota",1.5]},{"eq":["docker",true]}]}]} "#,
        ] {
            assert!(check(text).is_ok(), "{text}: {:?}", check(text));
        }
    }

    #[test]
    fn a_caret_stands_at_the_fault() {
        for (text, message, hint) in [
            ("", "this is not JSON", "\n^ expected {\"eq\":[\"FIELD\",VALUE]}"),
            ("(state=failed)", "this is not JSON", "(state=failed)\n^ expected {\"eq\":[\"FIELD\",VALUE]}"),
            (
                r#"{"eq":["a",1]"#,
                "this is not JSON",
                "{\"eq\":[\"a\",1]\n             ^ expected {\"eq\":[\"FIELD\",VALUE]}",
            ),
            ("[]", "a predicate is an object", "[]\n^ expected {\"eq\":[\"FIELD\",VALUE]}"),
            ("{}", "a predicate has one member", "{}\n^ several are one within {\"and\":[...]}"),
            (
                r#"{"and":[{"eq":["a",1]}]}"#,
                "and combines two predicates or more",
                "{\"and\":[{\"eq\":[\"a\",1]}]}\n       ^ expected [...,...]",
            ),
            (
                r#"{"or":[{"eq":["a",1]},{"eq":["b"]}]}"#,
                "eq compares a field with a value",
                "{\"or\":[{\"eq\":[\"a\",1]},{\"eq\":[\"b\"]}]}\n                            ^ expected [\"FIELD\",VALUE]",
            ),
            (r#"{"eq":[1,"a"]}"#, "the name of a field is a text", "{\"eq\":[1,\"a\"]}\n       ^ expected \"FIELD\""),
            (
                r#"{"eq":["a",null]}"#,
                "a field is compared with a text, a number, true or false",
                "{\"eq\":[\"a\",null]}\n           ^ expected such a value",
            ),
            (r#"{"gt":["ram",1]}"#, "gt finds nothing, whatever the value", "{\"gt\":[\"ram\",1]}\n^ use ge"),
            (r#"{"nee":["ram",1]}"#, "there is no operator 'nee'", "{\"nee\":[\"ram\",1]}\n^ did you mean ne?"),
        ] {
            let error = check(text).unwrap_err();
            assert_eq!(error.message(), format!("the predicate: {message}"), "{text}");
            assert_eq!(error.hints()[0], hint, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}\",:eqand1é \n-]{0,24}") {
            if let Err(error) = check(&text) {
                prop_assert!(caret_is_within(error.hints()[0].as_str()), "{:?}", error.hints());
            }
        }
    }
}
