//! An account's users, roles and policies as the file that [`parse`](super::file::parse) reads. Pure.

use serde_json::{Map, Value, json};

use super::live::{Live, Member};

/// The fields of a user that the file holds.
const FIELDS: &[&str] =
    &["email", "companyName", "firstName", "lastName", "address", "postalCode", "city", "state", "country", "phone"];

/// The file's JSON, with the keys that `live` holds, and the owner if one is given.
pub fn export(live: &Live, owner: Option<&str>) -> Value {
    let users = live.users.iter().map(|user| {
        let mut all = Map::new();
        all.insert("login".to_owned(), user.login.as_str().into());
        for field in FIELDS {
            if let Some(text) = user.object.get(*field).and_then(Value::as_str).filter(|text| !text.is_empty()) {
                all.insert((*field).to_owned(), text.into());
            }
        }
        let keys = user.keys.iter().map(|key| {
            // Where a key is added without a name, its comment becomes the name.
            let bare: Vec<&str> = key.line.split_whitespace().take(2).collect();
            Value::from(format!("{} {}", bare.join(" "), key.name).trim_end())
        });
        all.insert("keys".to_owned(), keys.collect());
        Value::from(all)
    });
    let roles = live.roles.iter().map(|role| {
        let default: Vec<String> = role.members.iter().filter(|member| member.default).map(Member::name).collect();
        json!({
            "name": role.name,
            "members": role.members.iter().map(Member::name).collect::<Vec<_>>(),
            "default_members": default,
            "policies": role.policies,
        })
    });
    let policies = live.policies.iter().map(|policy| {
        let mut all = json!({ "name": policy.name, "rules": policy.rules });
        if let (false, Some(all)) = (policy.description.is_empty(), all.as_object_mut()) {
            all.insert("description".to_owned(), policy.description.as_str().into());
        }
        all
    });
    let mut all = Map::new();
    if let Some(owner) = owner {
        all.insert("owner".to_owned(), owner.into());
    }
    all.insert("users".to_owned(), users.collect());
    all.insert("policies".to_owned(), policies.collect());
    all.insert("roles".to_owned(), roles.collect());
    all.into()
}
