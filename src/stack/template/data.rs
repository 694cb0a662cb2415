//! What an expression comes to: a value, as far as it is known, with a mark on what was made of a hidden parameter. Pure.

use serde_json::{Map, Value};

/// The word in the place of a hidden value.
pub const HIDDEN: &str = "(hidden)";
/// The word for a value that nobody knows before its resource exists.
pub const UNKNOWN: &str = "(known after create)";

/// A value, parts of which may be hidden or unknown.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Known, and nothing in it is hidden.
    Open(Value),
    /// Known, and made of a hidden parameter.
    Hidden(Value),
    /// Not known before a resource exists.
    Unknown {
        /// A hidden parameter is a part of it.
        hidden: bool,
    },
    /// A list with something hidden or unknown in it.
    List(Vec<Data>),
    /// A map with something hidden or unknown in it.
    Map(Vec<(String, Data)>),
}

/// What a value is, in a word.
pub(in crate::stack) fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

impl Data {
    /// Nothing.
    pub const NULL: Data = Data::Open(Value::Null);

    /// A list of these.
    pub fn list(items: Vec<Data>) -> Data {
        if items.iter().all(|item| matches!(item, Data::Open(_))) {
            let open = items.into_iter().filter_map(|item| match item {
                Data::Open(value) => Some(value),
                _ => None,
            });
            return Data::Open(Value::Array(open.collect()));
        }
        Data::List(items)
    }

    /// A map of these.
    pub fn map(members: Vec<(String, Data)>) -> Data {
        if members.iter().all(|(_, item)| matches!(item, Data::Open(_))) {
            let open = members.into_iter().filter_map(|(name, item)| match item {
                Data::Open(value) => Some((name, value)),
                _ => None,
            });
            return Data::Open(Value::Object(open.collect()));
        }
        Data::Map(members)
    }

    /// The value, if all of it is known.
    pub fn value(&self) -> Option<Value> {
        match self {
            Data::Open(value) | Data::Hidden(value) => Some(value.clone()),
            Data::Unknown { .. } => None,
            Data::List(items) => items.iter().map(Data::value).collect::<Option<_>>().map(Value::Array),
            Data::Map(members) => {
                let member = |(name, item): &(String, Data)| Some((name.clone(), item.value()?));
                members.iter().map(member).collect::<Option<Map<_, _>>>().map(Value::Object)
            }
        }
    }

    /// Whether something in it is hidden.
    pub fn is_hidden(&self) -> bool {
        match self {
            Data::Open(_) => false,
            Data::Hidden(_) => true,
            Data::Unknown { hidden } => *hidden,
            Data::List(items) => items.iter().any(Data::is_hidden),
            Data::Map(members) => members.iter().any(|(_, item)| item.is_hidden()),
        }
    }

    /// Whether all of it is known.
    pub fn is_known(&self) -> bool {
        match self {
            Data::Open(_) | Data::Hidden(_) => true,
            Data::Unknown { .. } => false,
            Data::List(items) => items.iter().all(Data::is_known),
            Data::Map(members) => members.iter().all(|(_, item)| item.is_known()),
        }
    }

    /// The same with all of it hidden, if `hidden`.
    #[must_use]
    pub fn hide(self, hidden: bool) -> Data {
        if !hidden {
            return self;
        }
        match self.value() {
            Some(value) => Data::Hidden(value),
            None => Data::Unknown { hidden },
        }
    }

    /// What may be shown of it: words stand in the place of what is hidden or unknown.
    pub fn shown(&self) -> Value {
        match self {
            Data::Open(value) => value.clone(),
            Data::Hidden(_) | Data::Unknown { hidden: true } => Value::from(HIDDEN),
            Data::Unknown { hidden: false } => Value::from(UNKNOWN),
            Data::List(items) => Value::Array(items.iter().map(Data::shown).collect()),
            Data::Map(members) => {
                Value::Object(members.iter().map(|(name, item)| (name.clone(), item.shown())).collect())
            }
        }
    }

    /// Follows a path into lists and maps; `None` where there is nothing.
    pub(super) fn at(&self, path: &[Value]) -> Option<Data> {
        let Some((step, rest)) = path.split_first() else { return Some(self.clone()) };
        let index = || match step {
            Value::String(text) => super::python::int(text),
            Value::Number(number) => number.as_i64(),
            _ => None,
        };
        // Python counts from the end where the number is negative.
        let position = |length: usize| {
            let index = index()?;
            let length = i64::try_from(length).ok()?;
            usize::try_from(if index < 0 { index + length } else { index }).ok()
        };
        let name = || super::python::text(step);
        match self {
            Data::Open(Value::Array(list)) => Data::Open(list.get(position(list.len())?)?.clone()).at(rest),
            Data::Open(Value::Object(map)) => Data::Open(map.get(&name()?)?.clone()).at(rest),
            Data::Hidden(value) => Some(Data::Open(value.clone()).at(path)?.hide(true)),
            Data::List(items) => items.get(position(items.len())?)?.at(rest),
            Data::Map(members) => {
                let name = name()?;
                members.iter().find(|(known, _)| *known == name)?.1.at(rest)
            }
            Data::Unknown { .. } => Some(self.clone()),
            Data::Open(_) => None,
        }
    }
}

impl From<Value> for Data {
    fn from(value: Value) -> Data {
        Data::Open(value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_hidden_or_unknown_is_shown_by_words_alone() {
        let data = Data::map(vec![
            ("user".to_owned(), Data::Open(json!("jo"))),
            ("password".to_owned(), Data::Hidden(json!("s3cret"))),
            ("ips".to_owned(), Data::list(vec![Data::Unknown { hidden: false }, Data::Open(json!("10.0.0.1"))])),
        ]);
        let shown = json!({"user": "jo", "password": "(hidden)", "ips": ["(known after create)", "10.0.0.1"]});
        assert_eq!(data.shown(), shown);
        assert!(data.is_hidden() && !data.is_known() && data.value().is_none());
        assert_eq!(data.at(&[json!("ips"), json!(-1)]), Some(Data::Open(json!("10.0.0.1"))));
        assert_eq!(data.at(&[json!("ips"), json!("x")]), None);
        assert_eq!(Data::Hidden(json!({"a": [1]})).at(&[json!("a"), json!("0")]), Some(Data::Hidden(json!(1))));
    }

    #[test]
    fn what_is_open_all_through_is_a_plain_value() {
        let list = Data::list(vec![Data::Open(json!(1)), Data::map(vec![("a".to_owned(), Data::NULL)])]);
        assert_eq!(list, Data::Open(json!([1, {"a": null}])));
    }
}
