//! What was found by its name, with the row by which it was found: its record is compared with that before what the
//! record shows is changed and written back.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::value::RawValue;

use super::Candidate;
use crate::answer::{Answer, Row, scan};
use crate::api::{Noun, Owner};
use crate::error::{Error, Kind, Result};

/// A thing that was typed.
pub struct Named {
    /// Its id.
    pub id: String,
    /// What the list says of it, unless it was typed by its id: then no list was asked.
    row: Option<Box<RawValue>>,
}

impl From<String> for Named {
    fn from(id: String) -> Named {
        Named { id, row: None }
    }
}

impl From<&Candidate> for Named {
    fn from(thing: &Candidate) -> Named {
        Named { id: thing.id.clone(), row: Some(thing.row.clone()) }
    }
}

impl Named {
    /// Refuses a record that is not of what was found, or shows other lists than that: what is only in the one of them
    /// would be lost where the other is written back.
    ///
    /// # Errors
    /// [`Kind::Unreachable`].
    pub fn check(&self, noun: &Noun, typed: &str, record: &Answer, lists: &[&str]) -> Result<()> {
        let Some((row, record)) = self.row.as_ref().zip(record.first()) else { return Ok(()) };
        let owner = noun.owner.and_then(|owner| match owner {
            Owner::Account(field) => Some(field),
            Owner::Operator(_) => None,
        });
        let texts = [Some(noun.name_field), noun.version_field, owner];
        let differ = |field: &str| {
            let pointer = format!("/{field}");
            Row(row).text(&pointer).is_some_and(|listed| record.text(&pointer) != Some(listed))
        };
        let other = texts.into_iter().flatten().find(|field| differ(field));
        let other = other.or_else(|| lists.iter().copied().find(|list| !is_same(Row(row), record, list)));
        match other {
            None => Ok(()),
            Some(field) => {
                let thing = format!("{} {}", noun.word, super::super::words::brief(typed));
                let words = format!("the list and the record of {thing} differ in {field}: nothing was sent");
                Err(Error::new(Kind::Unreachable, words).hint("the same command again"))
            }
        }
    }
}

/// Whether a record has in a list what a row has there, in whatever order; a row need not have it.
fn is_same(row: Row<'_>, record: Row<'_>, list: &str) -> bool {
    let read = |row: Row<'_>| {
        let json = scan::member(row.json(), list)?;
        serde_json::from_str::<Value>(json).ok().filter(|value| !value.is_null())
    };
    let parts = |value: &Value| match value {
        Value::Array(all) => all.iter().map(part).collect(),
        Value::Object(all) => all.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        // Whoever reads the record refuses it.
        other => BTreeSet::from([other.to_string()]),
    };
    // What is empty may be left out.
    read(row).is_none_or(|listed| parts(&listed) == read(record).as_ref().map(parts).unwrap_or_default())
}

/// A part of a list, by what it is called: whether a member is one by default, the list of the roles tells wrongly.
fn part(value: &Value) -> String {
    let text = |field: &str| value.get(field).and_then(Value::as_str);
    match (value, text("login").or_else(|| text("name"))) {
        (Value::String(text), _) => text.clone(),
        (_, Some(name)) if text("type") == Some("account") => format!("account:{name}"),
        (_, Some(name)) => name.to_owned(),
        (other, None) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::cloudapi::{images, roles};

    fn checks(noun: &Noun, row: &str, record: &str, lists: &[&str]) -> bool {
        let named = Named { id: "x".to_owned(), row: Some(RawValue::from_string(row.to_owned()).unwrap()) };
        let record = Answer::from_record(record.as_bytes()).unwrap();
        named.check(noun, "x", &record, lists).is_ok()
    }

    #[test]
    fn a_record_that_differs_from_the_row_by_which_it_was_found_is_not_edited() {
        let role = r#"{"id":"x","name":"ops","members":[{"type":"subuser","login":"ci","default":true},{"type":"account","login":"bob"}],"policies":[{"id":"p","name":"may"}]}"#;
        for (record, same) in [
            (role.to_owned(), true),
            (role.replace(r#","default":true"#, ""), true),
            (role.replace("\"ci", "\"jill"), false),
            (role.replace(r#""account""#, r#""subuser""#), false),
            (role.replace(r#"[{"id":"p","name":"may"}]"#, "[]"), false),
            (role.replace(r#","policies":[{"id":"p","name":"may"}]"#, ""), false),
            (role.replace("ops", "zz"), false),
            (role.replace(r#""name":"ops","#, ""), false),
        ] {
            assert_eq!(checks(&roles::ROLE, role, &record, &["members", "policies"]), same, "{record}");
        }
        // What is not edited may change meanwhile, and what the row does not have is not compared.
        assert!(checks(&roles::ROLE, role, &role.replace("may", "all"), &["members"]));
        assert!(checks(&roles::ROLE, r#"{"id":"x","name":"ops"}"#, role, &["members"]));
        let image = r#"{"id":"x","name":"a","version":"1","owner":"o","tags":{"a":1},"acl":["b","c"]}"#;
        for (record, same) in [
            (image.replace(r#"["b","c"]"#, r#"["c","b"]"#), true),
            (image.replace(r#","acl":["b","c"]"#, ""), false),
            (image.replace(r#"{"a":1}"#, r#"{"a":2}"#), false),
            (image.replace("\"o\"", "\"p\""), false),
            (image.replace("\"version\":\"1\"", "\"version\":\"2\""), false),
        ] {
            assert_eq!(checks(&images::IMAGE, image, &record, &["tags", "acl"]), same, "{record}");
        }
        let bare = r#"{"id":"x","name":"a","version":"1","owner":"o"}"#;
        assert!(checks(&images::IMAGE, &bare.replace('}', r#","tags":{},"acl":[]}"#), bare, &["tags", "acl"]));
    }
}
