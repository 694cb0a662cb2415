//! What `get_param`, `get_resource` and `get_attr` name: read from their arguments. Pure.

use serde_json::Value;

use super::super::data::word;
use super::super::python;
use super::super::version::Version;

/// A name and the path below it: `NAME`, or `[NAME, PATH...]`.
pub(in super::super) fn named(value: Value) -> Result<(String, Vec<Value>), String> {
    let mut path = match value {
        Value::String(name) if !name.is_empty() => return Ok((name, Vec::new())),
        Value::Array(list) if !list.is_empty() => list,
        Value::String(_) | Value::Array(_) | Value::Null => return Err("it needs the name of a parameter".to_owned()),
        other => return Err(format!("its argument must be a text or a list, not {}", word(&other))),
    };
    let name = path.remove(0);
    match name {
        Value::String(name) => Ok((name, path)),
        other => Err(format!("the name of a parameter must be a text, not {}", word(&other))),
    }
}

/// What an attribute is asked of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct AttributeOf {
    pub resource: String,
    /// All of them where none is named.
    pub attribute: Option<String>,
    pub path: Vec<Value>,
}

/// Reads `[RESOURCE, ATTRIBUTE, PATH...]`.
pub(in super::super) fn attribute_of(value: Value, version: Version) -> Result<AttributeOf, String> {
    let Value::Array(list) = value else {
        return Err(format!("its argument must be a list, not {}", word(&value)));
    };
    let mut list = list.into_iter();
    let resource = match list.next() {
        Some(Value::String(name)) => name,
        Some(other) => return Err(format!("the name of a resource must be a text, not {}", word(&other))),
        None => return Err("it needs a resource and an attribute".to_owned()),
    };
    let attribute = match list.next() {
        None if version < Version::V2015Liberty => return Err("it needs a resource and an attribute".to_owned()),
        None | Some(Value::Null) => None,
        Some(name) => match python::text(&name) {
            Some(name) => Some(name),
            None => return Err(format!("the name of an attribute must be a text, not {}", word(&name))),
        },
    };
    Ok(AttributeOf { resource, attribute, path: list.collect() })
}
