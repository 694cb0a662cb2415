//! Krill, the language of predicates by which volumes are listed: JSON such as
//! `{"and":[{"eq":["name","a"]},{"gt":["size",10]}]}`.

use serde_json::{Map, Value};

use crate::emulator::js::{falsy, inspect, type_of};

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

/// Reads a predicate. `kinds` are the fields that it may name, and their types.
pub(crate) fn read(value: &Value, kinds: &[(&str, &str)]) -> Result<Predicate, String> {
    let predicate = syntax(value)?;
    check_types(value, kinds)?;
    Ok(predicate)
}

/// The operator and what follows it. A list has its indexes for operators, as in JavaScript.
fn only_pair(value: &Value) -> Result<Option<(String, &Value)>, String> {
    let pairs: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => return Err(format!("predicate {}: must be an object", inspect(value))),
    };
    let count = pairs.len();
    let mut pairs = pairs.into_iter();
    match (pairs.next(), count) {
        (first, 0 | 1) => Ok(first),
        _ => Err(format!("predicate \"{}\": expected one key, but found {count}", inspect(value))),
    }
}

fn relation(operator: &str) -> Option<Relation> {
    Some(match operator {
        "eq" => Relation::Eq,
        "ne" => Relation::Ne,
        "gt" => Relation::Gt,
        "lt" => Relation::Lt,
        "ge" => Relation::Ge,
        "le" => Relation::Le,
        _ => return None,
    })
}

/// What a predicate says, whatever its fields are.
fn syntax(value: &Value) -> Result<Predicate, String> {
    // Nothing is asked, so everything fits.
    let Some((operator, rest)) = only_pair(value)? else { return Ok(Predicate::All(Vec::new())) };
    let wrong = |words: String| Err(format!("predicate {}: {words}", inspect(value)));
    let logical = matches!(operator.as_str(), "and" | "or");
    let how = relation(&operator);
    if !logical && how.is_none() {
        return wrong(format!("unknown operator \"{operator}\""));
    }
    if falsy(rest) {
        return wrong(match logical {
            true => format!("expected \"{operator}\" in logical expression"),
            false => format!("missing key \"{operator}\""),
        });
    }
    let Some(list) = rest.as_array() else { return wrong(format!("operator \"{operator}\": expected array")) };
    let Some(how) = how else {
        if list.len() < 2 {
            return wrong(format!("operator \"{operator}\": expected at least 2 elements in array"));
        }
        let parts = list.iter().map(syntax).collect::<Result<Vec<_>, _>>()?;
        return Ok(if operator == "and" { Predicate::All(parts) } else { Predicate::Any(parts) });
    };
    let [field, constant] = list.as_slice() else {
        return wrong(format!("\"{operator}\" array must have 2 elements"));
    };
    let Value::String(field) = field else { return wrong(format!("field \"{operator}\" is not a string")) };
    if type_of(constant) == "object" {
        return wrong(format!("field \"{field}\" is not a string, number, or boolean"));
    }
    Ok(Predicate::Compare { how, field: field.clone(), value: constant.clone() })
}

/// Refuses fields that are not there, and values that are not of the field's type.
fn check_types(value: &Value, kinds: &[(&str, &str)]) -> Result<(), String> {
    let Some((operator, rest)) = only_pair(value)? else { return Ok(()) };
    let list = rest.as_array().map(Vec::as_slice).unwrap_or_default();
    if matches!(operator.as_str(), "and" | "or") {
        return list.iter().try_for_each(|part| check_types(part, kinds));
    }
    let [Value::String(field), constant] = list else { return Ok(()) };
    let wrong = |words: String| Err(format!("predicate {}: {words}", inspect(value)));
    let actual = type_of(constant);
    if !matches!(operator.as_str(), "eq" | "ne") && actual != "number" {
        return wrong(format!("operator \"{operator}\" cannot be applied to fields of type \"{actual}\""));
    }
    match kinds.iter().find(|(name, _)| name == field) {
        None => wrong(format!("field \"{field}\" is not defined")),
        Some((_, kind)) if *kind == actual => Ok(()),
        Some((_, kind)) => {
            let shown = inspect(constant);
            wrong(format!("field \"{field}\" value (\"{shown}\") expected \"{kind}\", but got \"{actual}\""))
        }
    }
}

impl Predicate {
    /// The fields that it names, in the order of their first values, each with all its values.
    pub(crate) fn fields(&self) -> Vec<(&str, Vec<&Value>)> {
        let mut fields: Vec<(&str, Vec<&Value>)> = Vec::new();
        self.collect(&mut fields);
        fields
    }

    fn collect<'a>(&'a self, fields: &mut Vec<(&'a str, Vec<&'a Value>)>) {
        match self {
            Predicate::All(parts) | Predicate::Any(parts) => parts.iter().for_each(|part| part.collect(fields)),
            Predicate::Compare { field, value, .. } => match fields.iter_mut().find(|(name, _)| name == field) {
                Some((_, values)) => values.push(value),
                None => fields.push((field, vec![value])),
            },
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

    const KINDS: &[(&str, &str)] = &[("name", "string"), ("size", "number"), ("network", "string")];

    fn parse(text: &str) -> Result<Predicate, String> {
        read(&serde_json::from_str(text).unwrap(), KINDS)
    }

    #[test]
    fn a_predicate_compares_fields() {
        let object = serde_json::json!({ "name": "a", "size": 10, "network": ["n", "m"] });
        let object = object.as_object().unwrap();
        for (text, fits) in [
            (r#"{}"#, true),
            (r#"[]"#, true),
            (r#"{"eq":["name","a"]}"#, true),
            (r#"{"ne":["name","a"]}"#, false),
            (r#"{"eq":["network","m"]}"#, true),
            (r#"{"eq":["size",10.0]}"#, true),
            (r#"{"gt":["size",10]}"#, false),
            (r#"{"ge":["size",10]}"#, true),
            (r#"{"lt":["size",11]}"#, true),
            (r#"{"le":["size",9]}"#, false),
            (r#"{"and":[{"eq":["name","a"]},{"lt":["size",5]}]}"#, false),
            (r#"{"or":[{"eq":["name","b"]},{"and":[{"eq":["name","a"]},{}]}]}"#, true),
        ] {
            assert_eq!(parse(text).unwrap().fits(object), fits, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_predicate_is_refused() {
        for (text, said) in [
            ("1", "predicate 1: must be an object"),
            (r#""x""#, "predicate 'x': must be an object"),
            (r#"["x"]"#, "predicate [ 'x' ]: unknown operator \"0\""),
            (r#"{"eq":["name"]}"#, "predicate { eq: [ 'name' ] }: \"eq\" array must have 2 elements"),
            (r#"{"eq":"name"}"#, "predicate { eq: 'name' }: operator \"eq\": expected array"),
            (r#"{"eq":null}"#, "predicate { eq: null }: missing key \"eq\""),
            (r#"{"and":0}"#, "predicate { and: 0 }: expected \"and\" in logical expression"),
            (r#"{"eq":[1,2]}"#, "predicate { eq: [ 1, 2 ] }: field \"eq\" is not a string"),
            (
                r#"{"eq":["name",null]}"#,
                "predicate { eq: [ 'name', null ] }: field \"name\" is not a string, number, or boolean",
            ),
            (r#"{"eq":["colour","red"]}"#, "predicate { eq: [ 'colour', 'red' ] }: field \"colour\" is not defined"),
            (
                r#"{"gt":["name","a"]}"#,
                "predicate { gt: [ 'name', 'a' ] }: operator \"gt\" cannot be applied to fields of type \"string\"",
            ),
            (
                r#"{"eq":["size","10"]}"#,
                "predicate { eq: [ 'size', '10' ] }: field \"size\" value (\"'10'\") expected \"number\", but got \"string\"",
            ),
            (
                r#"{"eq":["name",1]}"#,
                "predicate { eq: [ 'name', 1 ] }: field \"name\" value (\"1\") expected \"string\", but got \"number\"",
            ),
            (r#"{"and":[]}"#, "predicate { and: [] }: operator \"and\": expected at least 2 elements in array"),
            (
                r#"{"or":[{"eq":["name","a"]}]}"#,
                "predicate { or: [ { eq: [Array] } ] }: operator \"or\": expected at least 2 elements in array",
            ),
            (r#"{"and":{}}"#, "predicate { and: {} }: operator \"and\": expected array"),
            (r#"{"like":["name","a"]}"#, "predicate { like: [ 'name', 'a' ] }: unknown operator \"like\""),
            (
                r#"{"eq":["name","a"],"ne":["name","b"]}"#,
                "predicate \"{ eq: [ 'name', 'a' ], ne: [ 'name', 'b' ] }\": expected one key, but found 2",
            ),
            (r#"{"or":[{},"x"]}"#, "predicate 'x': must be an object"),
        ] {
            assert_eq!(parse(text).unwrap_err(), said, "{text}");
        }
    }
}
