//! Queries in a service's own language, of which a list is asked, held against its rows: the service is not trusted to
//! have kept to them. What a row does not show nobody can judge, and is believed.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::Kind;
use crate::error::Result;
use crate::grammar::judge::Query;
use crate::grammar::{ldap, predicate};

/// Objects of which a member has a name of its own in a query: as it begins there, and the field of a row.
const MEMBERS: &[(&str, &str)] = &[
    ("tag.", "tags"),
    ("tags.", "tags"),
    ("customer_metadata.", "customer_metadata"),
    ("internal_metadata.", "internal_metadata"),
];
/// A field that is another one to the service.
const RENAMED: (&str, &str) = ("ram", "max_physical_memory");
/// States in which a server has a VM that the service has in another one.
const OF_SERVERS: &[&str] = &["unknown", "rebooting"];

/// The query of a field that holds one.
///
/// # Errors
/// A usage error: it cannot be read.
pub(super) fn read(kind: Kind, text: &str) -> Result<Option<Query>> {
    match kind {
        Kind::LdapFilter => ldap::read(text).map(Some),
        Kind::Predicate => predicate::read(text).map(Some),
        _ => Ok(None),
    }
}

/// Whether a row may fit: no visible field says otherwise.
pub(super) fn may_fit(query: &Query, row: &RawValue) -> bool {
    let Ok(row) = serde_json::from_str::<Value>(row.get()) else { return false };
    query.judge(&|field| known(&row, field)) != Some(false)
}

fn known(row: &Value, field: &str) -> Option<Vec<String>> {
    let own = if field == RENAMED.0 { row.get(RENAMED.1) } else { None };
    let member = || MEMBERS.iter().find_map(|(begin, object)| Some((field.strip_prefix(begin)?, row.get(object)?)));
    let value = match (own.or_else(|| row.get(field)), member()) {
        (Some(value), _) => value,
        // All of its members are shown.
        (None, Some((name, Value::Object(members)))) => members.get(name).unwrap_or(&Value::Null),
        (None, _) => return None,
    };
    let texts = texts(value)?;
    match field {
        "state" if texts.iter().any(|state| OF_SERVERS.contains(&state.as_str())) => None,
        _ => Some(texts),
    }
}

/// The texts of a value; nothing for an object, which the services keep in a form of their own.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::String(text) => Some(vec![text.clone()]),
        Value::Bool(_) | Value::Number(_) => Some(vec![value.to_string()]),
        Value::Array(all) => {
            let all: Option<Vec<Vec<String>>> = all.iter().map(texts).collect();
            all.map(|all| all.concat())
        }
        Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_visibly_does_not_fit_is_told_and_what_it_hides_is_believed() {
        let row = r#"{"alias":"web1","state":"running","ram":512,"max_physical_memory":1024,"destroyed":null,
            "tags":{"role":"web"},"internal_metadata":{"sdc:system_role":"x"},"nics":[{"ip":"10.0.0.1"}]}"#;
        let row = RawValue::from_string(row.to_owned()).unwrap();
        for (filter, fits) in [
            ("(alias=web*)", true),
            ("(alias=db*)", false),
            ("(ram>=1024)", true),
            ("(max_physical_memory<=512)", false),
            ("(tag.role=web)", true),
            ("(tag.role=db)", false),
            ("(tag.other=*)", false),
            ("(!(tag.other=*))", true),
            ("(internal_metadata.sdc:system_role=y)", false),
            ("(customer_metadata.x=y)", true),
            ("(destroyed=*)", false),
            // How these are kept is the service's own business.
            ("(tags=*-role=db-*)", true),
            ("(nics=*)", true),
            ("(vcpus>=4)", true),
        ] {
            let query = read(Kind::LdapFilter, filter).unwrap().unwrap();
            assert_eq!(may_fit(&query, &row), fits, "{filter}");
        }
        let told = RawValue::from_string(r#"{"state":"unknown"}"#.to_owned()).unwrap();
        let query = read(Kind::Predicate, r#"{"eq":["state","running"]}"#).unwrap().unwrap();
        assert!(may_fit(&query, &told), "the service has another state than the server tells");
    }
}
