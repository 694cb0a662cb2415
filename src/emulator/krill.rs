//! Predicates, in which a list of volumes can be asked for: JSON such as `{"and":[{"eq":["name","a"]},…]}`.

use serde_json::{Map, Value};

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
}

/// A condition on the fields of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Predicate {
    Compare { how: Relation, field: String, value: Value },
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
}

/// Reads a predicate. `kinds` are the fields it may name, and whether each is a number.
pub(crate) fn parse(text: &str, kinds: &[(&str, bool)]) -> Result<Predicate, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("predicate is no JSON: {error}"))?;
    read(&value, kinds)
}

fn read(value: &Value, kinds: &[(&str, bool)]) -> Result<Predicate, String> {
    let fields = value.as_object().ok_or_else(|| "a predicate must be an object".to_owned())?;
    let mut pairs = fields.iter();
    let (word, rest) = match (pairs.next(), pairs.next()) {
        // Nothing is asked, so everything fits.
        (None, _) => return Ok(Predicate::All(Vec::new())),
        (Some(pair), None) => pair,
        _ => return Err("a predicate must have one operator".to_owned()),
    };
    let list = rest.as_array().ok_or_else(|| format!("\"{word}\" must be followed by a list"))?;
    let how = match word.as_str() {
        "and" | "or" => {
            if list.is_empty() {
                return Err(format!("\"{word}\" needs at least one predicate"));
            }
            let parts = list.iter().map(|part| read(part, kinds)).collect::<Result<Vec<_>, _>>()?;
            return Ok(if word == "and" { Predicate::All(parts) } else { Predicate::Any(parts) });
        }
        "eq" => Relation::Eq,
        "ne" => Relation::Ne,
        "gt" => Relation::Gt,
        "lt" => Relation::Lt,
        "ge" => Relation::Ge,
        "le" => Relation::Le,
        other => return Err(format!("\"{other}\" is no operator")),
    };
    let [Value::String(field), wanted] = list.as_slice() else {
        return Err(format!("\"{word}\" must be followed by a field and a value"));
    };
    let Some((_, number)) = kinds.iter().find(|(name, _)| name == field) else {
        return Err(format!("\"{field}\" is no field that can be asked for"));
    };
    if !number && !matches!(how, Relation::Eq | Relation::Ne) {
        return Err(format!("\"{word}\" cannot compare \"{field}\", which is no number"));
    }
    // A number may be written as text, as a client sends what was typed.
    let digits = |value: &Value| value.as_str().and_then(|text| text.parse::<u64>().ok()).map(Value::from);
    let value = match number {
        true => Some(wanted.clone()).filter(Value::is_number).or_else(|| digits(wanted)),
        false => Some(wanted.clone()).filter(Value::is_string),
    };
    let kind = if *number { "number" } else { "string" };
    let value = value.ok_or_else(|| format!("the value of \"{field}\" must be a {kind}"))?;
    Ok(Predicate::Compare { how, field: field.clone(), value })
}

impl Predicate {
    /// Whether it names a field.
    pub(crate) fn names(&self, wanted: &str) -> bool {
        match self {
            Predicate::Compare { field, .. } => field == wanted,
            Predicate::All(parts) | Predicate::Any(parts) => parts.iter().any(|part| part.names(wanted)),
        }
    }

    /// Whether an object fits. Of a field that is a list, one element that is equal is enough.
    pub(crate) fn fits(&self, object: &Map<String, Value>) -> bool {
        match self {
            Predicate::All(parts) => parts.iter().all(|part| part.fits(object)),
            Predicate::Any(parts) => parts.iter().any(|part| part.fits(object)),
            Predicate::Compare { how, field, value } => {
                let have = object.get(field).unwrap_or(&Value::Null);
                let equal = have.as_array().map_or(have == value, |list| list.contains(value));
                let order = have.as_f64().zip(value.as_f64()).and_then(|(have, want)| have.partial_cmp(&want));
                match how {
                    Relation::Eq => equal || order.is_some_and(std::cmp::Ordering::is_eq),
                    Relation::Ne => !equal && order.is_none_or(std::cmp::Ordering::is_ne),
                    Relation::Gt => order.is_some_and(std::cmp::Ordering::is_gt),
                    Relation::Lt => order.is_some_and(std::cmp::Ordering::is_lt),
                    Relation::Ge => order.is_some_and(std::cmp::Ordering::is_ge),
                    Relation::Le => order.is_some_and(std::cmp::Ordering::is_le),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: &[(&str, bool)] = &[("name", false), ("size", true), ("network", false)];

    #[test]
    fn a_predicate_compares_fields() {
        let object = serde_json::json!({ "name": "a", "size": 10, "network": ["n", "m"] });
        let object = object.as_object().unwrap();
        for (text, fits) in [
            (r#"{}"#, true),
            (r#"{"eq":["name","a"]}"#, true),
            (r#"{"ne":["name","a"]}"#, false),
            (r#"{"eq":["network","m"]}"#, true),
            (r#"{"eq":["size",10.0]}"#, true),
            (r#"{"eq":["size","10"]}"#, true),
            (r#"{"gt":["size",10]}"#, false),
            (r#"{"ge":["size",10]}"#, true),
            (r#"{"lt":["size",11]}"#, true),
            (r#"{"le":["size",9]}"#, false),
            (r#"{"and":[{"eq":["name","a"]},{"lt":["size",5]}]}"#, false),
            (r#"{"or":[{"eq":["name","b"]},{"and":[{"eq":["name","a"]}]}]}"#, true),
        ] {
            assert_eq!(parse(text, KINDS).unwrap().fits(object), fits, "{text}");
        }
    }

    #[test]
    fn what_is_no_predicate_is_refused() {
        let deep = "{\"and\":[".repeat(10_000);
        for text in [
            "",
            "[]",
            "1",
            "{",
            r#"{"eq":["name"]}"#,
            r#"{"eq":["colour","red"]}"#,
            r#"{"gt":["name","a"]}"#,
            r#"{"eq":["size","10G"]}"#,
            r#"{"eq":["name",1]}"#,
            r#"{"and":[]}"#,
            r#"{"and":{}}"#,
            r#"{"like":["name","a"]}"#,
            r#"{"eq":["name","a"],"ne":["name","b"]}"#,
            &deep,
        ] {
            assert!(parse(text, KINDS).is_err(), "{text}");
        }
    }
}
